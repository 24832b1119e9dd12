"""What the published rows say: figures that are shown or hidden, the sums between them, and which bounds which."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import MEDIAN, Indicator
from claimatlas.configuration.publication import Publication, published_values_of_members
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.errors import InputError
from claimatlas.tables.schemas import ALL

Key = tuple[str, str, str, tuple[str, ...]]
"""Count, level, place and split."""
WHOLE = "denominator:"
"""The count of all members of a population."""
BY_HOSPITAL = "@hospital"
"""How the name of a count ends that is counted by hospital: of the country alone it is the count by domicile too."""


@dataclass(frozen=True)
class Meaning:
    """What a count counts: of a population with or without a known stay, who has what, and of which delivery types.

    members: the name of the denominator that is restricted by more than these; empty where none is.
    """

    population: str
    numerator: str
    needs_stays: bool
    types: frozenset[str]
    members: str = ""

    @property
    def bare(self) -> tuple[str, str, bool, str]:
        """The same for every delivery type."""
        return self.population, self.numerator, self.needs_stays, self.members


@dataclass
class Published:
    """The figures of one year and population.

    values: what is shown; none where it is hidden. equations: a figure and those that it is the sum of; ``open``: with
    a part that nobody publishes, so the sum is at least that of the parts. order: pairs of which the first is never
    above the second. squares: names of four counts: of the first less the second, who is counted of what the third has
    beyond the fourth. meaning: what each count counts. shares: numerator and denominator of each cell, with what a full
    group would tell.
    """

    values: dict[Key, int | None] = field(default_factory=dict)
    equations: list[tuple[Key, tuple[Key, ...]]] = field(default_factory=list)
    open: list[tuple[Key, tuple[Key, ...]]] = field(default_factory=list)
    order: list[tuple[Key, Key]] = field(default_factory=list)
    squares: list[tuple[str, str, str, str]] = field(default_factory=list)
    meaning: dict[str, Meaning] = field(default_factory=dict)
    shares: list[tuple[Key, Key, str]] = field(default_factory=list)
    magnitudes: set[str] = field(default_factory=set)

    def put(self, key: Key, value: int | None, figure: str) -> None:
        """Take a figure; one that stands several times is shown where it is shown once.

        Raises:
            InputError: it is shown with two values.
        """
        before = self.values.get(key)
        if before is not None and value is not None and before != value:
            raise InputError(f"published/cells shows two values of one count: {figure}.")
        self.values[key] = value if before is None else before


def count_names(indicator: Indicator) -> tuple[str, str]:
    """Names of what numerator and denominator count: indicators that count the same by the same places share one."""
    whole = f"{WHOLE}{indicator.denominator.name if indicator.denominator else ''}"
    whole += BY_HOSPITAL if HOSPITAL in indicator.levels else ""
    numerator = indicator.numerator
    if numerator.all:
        return whole, whole
    declared = numerator.model_dump(exclude_none=True, mode="json")
    text = ";".join(f"{key}={sorted(value) if isinstance(value, list) else value}" for key, value in declared.items())
    return f"{text}|{whole}", whole


def figures_of(
    rows: Collection[Mapping[str, Any]], configuration: Configuration, publication: Publication, year: int
) -> Published:
    """Read the rows of a year and population.

    Raises:
        InputError: an indicator that is not declared, or a count with two values.
    """
    declared = {indicator.id: indicator for indicator in configuration.indicators}
    names = configuration.dimensions.names
    possible = {
        one.id: {name: published_values_of_members(configuration, publication, one, name) for name in one.dimensions}
        for one in configuration.indicators
    }
    found = Published()
    for row in rows:
        name = row["indicator_id"]
        if name not in declared:
            raise InputError(f"published/cells has the indicator {name}, which indicators/ does not declare.")
        indicator = declared[name]
        part, whole = count_names(indicator)
        split = configuration.dimensions.split({name: row[name] or ALL for name in names})
        figure = f"{name} {row['geo_level']} {row['geo_code']} {'/'.join(split)}"
        upper: Key = (part, row["geo_level"], row["geo_code"], split)
        lower: Key = (whole, row["geo_level"], row["geo_code"], split)
        numerator, denominator = row["numerator"], row["denominator"]
        if not _has_members(row, possible[name]):
            # Of an age or a sex that is not counted there is nobody, though it be hidden.
            numerator, denominator = numerator or 0, denominator or 0
        found.put(lower, denominator, figure)
        if row["status"] == "not_computable" or indicator.unit == MEDIAN:
            continue
        found.put(upper, numerator, figure)
        if indicator.numerator.nights_after_delivery or indicator.numerator.quantity_of_service:
            found.magnitudes.add(part)
        elif part != whole:
            found.shares.append((upper, lower, publication.sensitive_sides.get(name, "none")))
    _add_sums(found, configuration, year)
    _add_order(found, configuration)
    of_rows = {row["indicator_id"] for row in rows}
    found.meaning = _meaning([declared[name] for name in sorted(of_rows)], configuration)
    _add_twins(found, configuration, publication)
    return found


def _has_members(row: Mapping[str, Any], possible: Mapping[str, Collection[str]]) -> bool:
    """Whether a cell can have members: not where it is of an age or a sex that the denominator leaves out."""
    return all(row[name] in (ALL, None) or row[name] in held for name, held in possible.items())


def _add_sums(found: Published, configuration: Configuration, year: int) -> None:
    groups: dict[tuple[Any, ...], list[Key]] = {}
    for key in found.values:
        count, level, code, split = key
        for position, value in enumerate(split):
            if value != ALL:
                whole = (*split[:position], ALL, *split[position + 1 :])
                groups.setdefault((count, level, code, whole, position), []).append(key)
    for (count, level, code, whole, _), parts in sorted(groups.items()):
        if (count, level, code, whole) in found.values:
            found.equations.append(((count, level, code, whole), tuple(sorted(parts))))
    _add_places(found, configuration, year)


def _add_places(found: Published, configuration: Configuration, year: int) -> None:
    geography = configuration.geography
    levels = geography.levels
    vintage = list(geography.vintage(year).values())
    by_split: dict[tuple[str, tuple[str, ...]], dict[tuple[str, str], Key]] = {}
    for key in found.values:
        by_split.setdefault((key[0], key[3]), {})[key[1], key[2]] = key
    for (_, _), there in sorted(by_split.items()):
        _add_hospitals(there, found, levels[0])
        for rank, level in enumerate(levels[:-1]):
            for code in sorted({place.parents[level] for place in vintage} - {""}):
                whole = there.get((level, code))
                inside = [place for place in vintage if place.parents[level] == code]
                for lower in levels[rank + 1 :]:
                    parts = {place.parents[lower] for place in inside}
                    keys = tuple(there[lower, part] for part in sorted(parts) if (lower, part) in there)
                    if whole is None or len(keys) != len(parts - {""}) or not keys:
                        continue
                    # The largest level has those of unknown domicile too, in no part of it.
                    closed = "" not in parts and rank > 0
                    (found.equations if closed else found.open).append((whole, keys))
        _add_mixed(there, found, vintage, levels)


def _add_hospitals(there: Mapping[tuple[str, str], Key], found: Published, country_level: str) -> None:
    """The country has those of every hospital, and those without one."""
    hospitals = tuple(key for (level, _), key in sorted(there.items()) if level == HOSPITAL)
    for key in [key for (level, _), key in sorted(there.items()) if level == country_level]:
        if hospitals:
            found.open.append((key, hospitals))


def _add_mixed(there: Mapping[tuple[str, str], Key], found: Published, vintage: list[Any], levels: Any) -> None:  # noqa: ANN401
    """Where some parts have no unit of the next level, those of the level below stand in for it."""
    for rank, level in enumerate(levels[:-2]):
        for code in sorted({place.parents[level] for place in vintage} - {""}):
            inside = [place for place in vintage if place.parents[level] == code]
            if rank == 0 or not any(place.parents[levels[rank + 1]] == "" for place in inside):
                continue
            parts = set()
            for place in inside:
                lower = next(name for name in levels[rank + 1 :] if place.parents[name])
                parts.add((lower, place.parents[lower]))
            if (level, code) in there and all(part in there for part in parts):
                found.equations.append((there[level, code], tuple(there[part] for part in sorted(parts))))


def _add_order(found: Published, configuration: Configuration) -> None:
    """A numerator is not above its denominator; what is declared to count fewer is not above what counts more."""
    for upper, lower, _ in found.shares:
        found.order.append((upper, lower))
    names = {count_names(indicator): indicator for indicator in configuration.indicators}
    pairs = set()
    for (part, whole), one in names.items():
        for (other_part, other_whole), other in names.items():
            if one.population == other.population:
                if _has_fewer(one, other):
                    pairs.add((whole, other_whole))
                    if _counts_same(one, other):
                        found.squares.append((other_part, part, other_whole, whole))
                    if _counts_fewer(one, other):
                        pairs.add((part, other_part))
                elif _same_members(whole, other_whole) and _counts_fewer(one, other):
                    pairs.add((part, other_part))
    for part, whole in sorted(pairs):
        for key in [key for key in found.values if key[0] == part]:
            larger: Key = (whole, *key[1:])
            if part != whole and larger in found.values:
                found.order.append((key, larger))
    found.order = sorted(set(found.order))


def _meaning(indicators: Sequence[Indicator], configuration: Configuration) -> dict[str, Meaning]:
    kinds = configuration.services.delivery_types
    found: dict[str, Meaning] = {}
    for indicator in indicators:
        part, whole = count_names(indicator)
        own = indicator.denominator
        types = frozenset(own.delivery_types if own and own.delivery_types else kinds)
        restriction = own.restriction if own else None
        found[whole] = Meaning(
            indicator.population, "", indicator.needs_stays, types, restriction.name if restriction else ""
        )
        chosen = indicator.numerator.delivery_types
        if chosen is not None:
            found[part] = replace(found[whole], types=types & set(chosen))
        elif part != whole:
            found[part] = replace(found[whole], numerator=part.split("|")[0])
    return found


def whom(
    meaning: Meaning, split: tuple[str, ...], configuration: Configuration, publication: Publication
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Whom a split of a count holds: the delivery types, and the values of the other dimensions."""
    name = configuration.dimensions.of_delivery_type
    if name is None:
        return meaning.types, split
    position = configuration.dimensions.names.index(name)
    value, merged = split[position], publication.published_as.get(name, {})
    kinds = configuration.services.delivery_types
    types = meaning.types
    if value != ALL:
        types &= {one for one, kind in kinds.items() if merged.get(kind.dimension, kind.dimension) == value}
    return types, (*split[:position], *split[position + 1 :])


def _add_twins(found: Published, configuration: Configuration, publication: Publication) -> None:
    """Figures under two names: the caesareans of an indicator, and another that counts nothing but caesareans."""
    groups: dict[tuple[Any, ...], list[Key]] = {}
    for key in sorted(found.values):
        name, level, code, split = key
        types, others = whom(found.meaning[name], split, configuration, publication)
        if types:
            groups.setdefault((found.meaning[name].bare, types, level, code, others), []).append(key)
    for first, *rest in groups.values():
        for other in rest:
            if other[0] != first[0]:
                found.equations.append((first, (other,)))


def _same_members(one: str, other: str) -> bool:
    """Whether two denominators count the same, each by its own places."""
    return one.removesuffix(BY_HOSPITAL) == other.removesuffix(BY_HOSPITAL)


def _has_fewer(one: Indicator, other: Indicator) -> bool:
    if one.denominator is None:
        return False
    if other.denominator is None:
        return True
    types, more = set(one.denominator.delivery_types), set(other.denominator.delivery_types)
    is_within = not more or (bool(types) and types <= more)
    own, restriction = one.denominator.restriction, other.denominator.restriction
    is_within &= restriction is None or (own is not None and own.meaning == restriction.meaning)
    return one.denominator != other.denominator and is_within and one.needs_stays >= other.needs_stays


def _counts_same(one: Indicator, other: Indicator) -> bool:
    """Whether two numerators are of members with, or without, the same: each of its own denominator."""
    first, second = one.numerator, other.numerator
    if first.with_service:
        return first.with_service == second.with_service
    return bool(first.with_any or first.without_any) and (
        set(first.with_any or ()) == set(second.with_any or ())
        and set(first.without_any or ()) == set(second.without_any or ())
    )


def _counts_fewer(one: Indicator, other: Indicator) -> bool:
    first, second = one.numerator, other.numerator
    if first.with_any and second.with_any:
        return set(first.with_any) <= set(second.with_any)
    if first.without_any and second.without_any:
        return set(first.without_any) >= set(second.without_any)
    return bool(first.with_service) and first.with_service in (second.with_service, second.quantity_of_service)
