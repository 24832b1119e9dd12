"""The places of the atlas: names in each language, larger places, successors of codes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from claimatlas.configuration import Configuration
from claimatlas.configuration.atlas import AtlasSettings
from claimatlas.configuration.documents import is_there, read_csv
from claimatlas.configuration.geography import FILE, Geography, Place
from claimatlas.configuration.reserved import NAME_OF_PLACE, YEARS_OF_PLACES

NAMES = "geography/names.csv"
_FOREVER = 9999


@dataclass(frozen=True)
class _Named:
    first_year: int
    last_year: int
    names: dict[str, str]


@dataclass(frozen=True)
class Places:
    """Every place of the geography; ``levels`` from the largest to the smallest."""

    levels: tuple[str, ...]
    geography: Geography
    _named: dict[tuple[str, str], tuple[_Named, ...]]
    _given: Mapping[str, Mapping[str, str]]
    """Names of atlas.yaml by language and code."""
    _local: Mapping[str, str]
    """The language of the places within a larger place, by its code."""
    _dropped: tuple[str, ...]
    _names: dict[tuple[str, str, str, int], str] = field(default_factory=dict, compare=False, repr=False)
    _vintages: dict[int, dict[str, Place]] = field(default_factory=dict, compare=False, repr=False)

    def name(self, level: str, code: str, language: str, vintage: int) -> str:
        """What a place is called: in the language, else in that of its region, else in any, else its code."""
        key = (level, code, language, vintage)
        if key not in self._names:
            self._names[key] = self._name(level, code, language, vintage)
        return self._names[key]

    def _name(self, level: str, code: str, language: str, vintage: int) -> str:
        if given := self._given.get(language, {}).get(code):
            return given
        named = self._at(level, code, vintage)
        if named is None:
            return code
        if language not in named.names:
            for larger in (code, *self.parents(level, code, vintage).values()):
                if (local := self._local.get(larger)) in named.names:
                    return named.names[local]
        return named.names.get(language) or next(iter(named.names.values()), code)

    def short_name(self, level: str, code: str, language: str, vintage: int) -> str:
        """The short name of a place, for where its level is shown too."""
        name = self.name(level, code, language, vintage)
        start = next((start for start in self._dropped if name.startswith(start) and name != start), "")
        return name[len(start) :]

    def vintage(self, year: int) -> dict[str, Place]:
        """The places of the smallest level whose code is valid on 1 January of a year."""
        if year not in self._vintages:
            self._vintages[year] = self.geography.vintage(year)
        return self._vintages[year]

    def all_names(self, level: str, code: str) -> tuple[str, ...]:
        """Every name that a place has or had, each once, in the order of its years and of the file's languages."""
        found = (name for named in self._named.get((level, code), ()) for name in named.names.values())
        return tuple(dict.fromkeys(found))

    def parents(self, level: str, code: str, vintage: int) -> dict[str, str]:
        """The larger places that a place lies in, by level, from the largest; those that all of it lies in."""
        smallest = self.vintage(vintage).values()
        inside = [place.parents for place in smallest if place.parents[level] == code]
        above = self.levels[: self.levels.index(level)]
        found = {}
        for larger in above:
            codes = {parents[larger] for parents in inside}
            if len(codes) == 1 and (only := next(iter(codes))):
                found[larger] = only
        return found

    def children(self, level: str, code: str, vintage: int) -> tuple[str, list[str]] | None:
        """The next smaller level with places within a place, and their codes; nothing at the smallest level."""
        inside = [p.parents for p in self.vintage(vintage).values() if p.parents[level] == code]
        for smaller in self.levels[self.levels.index(level) + 1 :]:
            codes = sorted({parents[smaller] for parents in inside if parents[smaller]})
            if codes and codes != [code]:
                return smaller, codes
        return None

    def units(self, vintage: int) -> list[tuple[str, str]]:
        """Every place of a vintage as (level, code), from the largest level."""
        return sorted(self.geography.units(vintage), key=lambda unit: (self.levels.index(unit[0]), unit[1]))

    def successor(self, code: str, vintage: int) -> str | None:
        """The code of a vintage that a code of the smallest level was carried to; nothing where it is valid itself."""
        carried = self.geography.carry(code, vintage)
        return carried if carried != code else None

    def ended(self, vintage: int) -> Iterator[tuple[str, str]]:
        """The codes of the smallest level that are not valid any more, each with its successor in the vintage."""
        for code, place in sorted(self.geography.places.items()):
            if place.last_year < vintage and (successor := self.successor(code, vintage)):
                yield code, successor

    def former(self, code: str, vintage: int) -> list[str]:
        """The ended codes whose places are a part of a place of the smallest level now."""
        return [old for old, new in self.ended(vintage) if new == code]

    def last_year(self, code: str) -> int:
        """The last year of a code of the smallest level."""
        return self.geography.places[code].last_year

    def _at(self, level: str, code: str, vintage: int) -> _Named | None:
        all_years = self._named.get((level, code), ())
        inside = (named for named in all_years if named.first_year <= vintage <= named.last_year)
        return next(inside, all_years[-1] if all_years else None)


def places_of(configuration: Configuration, settings: AtlasSettings) -> Places:
    """Read the names of the places, with those of ``atlas.yaml``.

    Where there is no file of the larger places, their codes stand for them.
    """
    geography = configuration.settings.geography
    smallest = geography.domicile_level
    columns = (smallest, *YEARS_OF_PLACES, *reversed(geography.levels[:-1]))
    found: dict[tuple[str, str], list[_Named]] = {}
    for _, row in read_csv(configuration.folder, FILE, columns, also=NAME_OF_PLACE):
        found.setdefault((smallest, row[smallest]), []).append(_named(row))
    if is_there(configuration.folder.joinpath(*NAMES.split("/"))):
        for _, row in read_csv(configuration.folder, NAMES, ("level", "code", *YEARS_OF_PLACES), also=NAME_OF_PLACE):
            found.setdefault((row["level"], row["code"]), []).append(_named(row))
    ordered = {key: tuple(sorted(named, key=lambda one: one.first_year)) for key, named in found.items()}
    return Places(
        tuple(geography.levels),
        configuration.geography,
        ordered,
        settings.place_names,
        settings.local_languages,
        settings.dropped_from_names,
    )


def sort_key(name: str) -> tuple[str, str]:
    """For an alphabetical order that passes over accents and cases."""
    plain = "".join(sign for sign in unicodedata.normalize("NFD", name) if not unicodedata.combining(sign))
    return plain.casefold(), name


def _named(row: dict[str, str]) -> _Named:
    names = {
        column.removeprefix(NAME_OF_PLACE): row[column]
        for column in row
        if column.startswith(NAME_OF_PLACE) and row[column]
    }
    return _Named(int(row["first_year"]), int(row["last_year"] or _FOREVER), names)
