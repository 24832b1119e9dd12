"""Find one published cell, and count again what is in it, without Spark where the tables can be read so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from claimatlas.cells import shares
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import DELIVERY_TYPE, NO, YES
from claimatlas.configuration.indicators import MEDIAN, Indicator
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.configuration.standards import Standard
from claimatlas.errors import InputError
from claimatlas.paths import quoted
from claimatlas.tables.reader import Reader, Value, Where, named
from claimatlas.tables.releases import AnyReader, Published
from claimatlas.tables.schemas import ALL, DOMICILE_DATES, UNKNOWN, Table, configured, deliveries_table

Counted = dict[str, int | None]
"""The counts in a cell by name; null where one was not computed."""

AROUND_THE_MEDIAN = ("members below the median", "members at the median", "members above the median")
"""The counts that show where a published median lies: neither side has more than half of the members."""

_KIND = "delivery_type"
"""The column of ``silver/deliveries`` that distinguishes home births."""


@dataclass(frozen=True)
class CellKey:
    """The key of a cell.

    ``geo_level`` may be ``None`` if only one level has the code; dimensions without a value are ``all``.
    """

    indicator: str
    year: int
    geo_code: str
    geo_level: str | None = None
    dimensions: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The key as a sentence names it."""
        split = [f"{name}={value}" for name, value in self.dimensions.items() if value != ALL]
        place = f"{self.geo_level} {self.geo_code}" if self.geo_level else self.geo_code
        return ", ".join([self.indicator, str(self.year), place, *split])


@dataclass(frozen=True)
class Cell:
    """A published row, and its table."""

    table: Table
    row: dict[str, Any]


def run_behind(published: Published[AnyReader], key: CellKey) -> str:
    """The run that computed an indicator's year.

    Raises:
        InputError: there is no such indicator or year, with what there is.
    """
    where: Where = {"indicator_id": key.indicator, "year": key.year}
    tables = published.store.cell_tables
    found = [row["run_id"] for table in tables for row in published.rows(table, named("run_id"), where, distinct=True)]
    if not found:
        raise _no_cell(published, key)
    return str(max(found))


def find_cell(published: Published[AnyReader], key: CellKey, configuration: Configuration) -> Cell:
    """The published row of a cell, by the configuration that it was computed with.

    Raises:
        InputError: no such cell, with what there is; or its code is one of several levels.
    """
    dimensions = configuration.dimensions.names
    for name in key.dimensions:
        if name not in dimensions:
            raise InputError(f"There is no dimension {name!r} in {key.year}; there are {', '.join(dimensions)}.")
    where: dict[str, Value | Collection[Value]] = {
        **{"indicator_id": key.indicator, "year": key.year, "geo_code": key.geo_code}
    }
    if key.geo_level is not None:
        where["geo_level"] = key.geo_level
    # What was not computed is summed over.
    where |= {name: [value, None] if value == ALL else value for name, value in _split(key, dimensions).items()}
    tables = [configured(table, configuration) for table in published.store.cell_tables]
    found = [
        Cell(table, {**row, **{name: row[name] or ALL for name in dimensions}})
        for table in tables
        for row in published.rows(table, where=where)
    ]
    if not found:
        raise _no_cell(published, key)
    if len(found) > 1:
        levels = ", ".join(sorted(cell.row["geo_level"] for cell in found))
        raise InputError(f"The code {key.geo_code} is one of several levels ({levels}): say which by --geo-level.")
    return found[0]


def _split(key: CellKey, dimensions: Sequence[str]) -> dict[str, str]:
    return {name: key.dimensions.get(name, ALL) for name in dimensions}


def _no_cell(published: Published[AnyReader], key: CellKey) -> InputError:
    years = _years_of(published, key.indicator)
    there = f"it has the years {', '.join(map(str, years))}" if years else "it has no such indicator"
    return InputError(f"There is no cell {key} in the gold of {published.store.root} ({there}).")


def _years_of(published: Published[AnyReader], indicator: str) -> list[int]:
    of_indicator = {"indicator_id": indicator}
    tables = published.store.cell_tables
    rows = [row for table in tables for row in published.rows(table, named("year"), of_indicator, distinct=True)]
    return sorted({int(row["year"]) for row in rows})


def count_deliveries(
    reader: Reader, configuration: Configuration, indicator: Indicator, row: Mapping[str, Any]
) -> Counted:
    """Count the deliveries of a published cell again, from ``silver/deliveries`` as it is.

    Gives ``numerator``, ``denominator``, and what is counted beside them: where domiciles come from, flags, implausible
    intervals; of a median the members around it, of a standardised rate the counts of its strata. A
    count that needs a flag which was not computed for a member is null.
    """
    columns = {
        "numerator": shares.known_sum(indicator, _KIND),
        "denominator": shares.count_if(shares.is_counted(indicator, _KIND)),
    }
    for source in (*DOMICILE_DATES, UNKNOWN):
        columns[f"domicile_{source}"] = shares.count_if(shares.one_of("domicile_source", [source]))
    columns |= {flag: shares.known_count_if(quoted(flag)) for flag in configuration.services.delivery_flags}
    columns["implausible_interval"] = shares.count_if("`implausible_interval`")
    if indicator.unit == MEDIAN and row["value"] is not None:
        share, median = shares.numerator_of_member(indicator, _KIND), repr(float(row["value"]))
        for name, sign in zip(AROUND_THE_MEDIAN, "<=>", strict=True):
            columns[name] = shares.count_if(f"({share}) {sign} {median}")
    (counted,) = reader.rows(deliveries_table(configuration), columns, _members(configuration, row))
    found: Counted = {name: None if value is None else int(value) for name, value in counted.items()}
    if indicator.standardised is not None:
        standard = configuration.standards[indicator.standardised]
        kinds = {name: columns[name] for name in ("numerator", "denominator")}
        for value in standard.weights:
            inside = _members(configuration, {**row, standard.dimension: value})
            (counted,) = reader.rows(deliveries_table(configuration), kinds, inside)
            found |= {
                in_stratum(kind, standard, value): None if counted[kind] is None else int(counted[kind])
                for kind in kinds
            }
    return found


def in_stratum(kind: str, standard: Standard, value: str) -> str:
    """What the numerator or denominator of a stratum is called among the counts."""
    return f"{kind} of {standard.dimension} {value}"


def _members(configuration: Configuration, row: Mapping[str, Any]) -> Where:
    """Which deliveries are in a published cell."""
    where: dict[str, Value | Collection[Value]] = {"year": row["year"]}
    if row["geo_level"] == HOSPITAL:
        where["hospital_id"] = row["geo_code"]
    else:
        where[configuration.settings.geography.domicile_level] = _domiciles(configuration, row)
    for name in configuration.dimensions.of("deliveries"):
        if row[name] != ALL:
            column, values = _having(name, row[name], configuration)
            where[column] = values
    return where


def _having(name: str, value: str, configuration: Configuration) -> tuple[str, list[Value]]:
    """The column of ``silver/deliveries`` behind a dimension, and what it holds where the dimension has a value."""
    dimension = configuration.dimensions.declared[name]
    if dimension.source == DELIVERY_TYPE:
        kinds = configuration.services.delivery_types.items()
        return _KIND, [kind for kind, declared in kinds if declared.dimension == value]
    if dimension.is_of_delivery:
        return str(dimension.column), [{YES: True, NO: False}.get(value)]
    return name, [value, None] if value == UNKNOWN else [value]


def _domiciles(configuration: Configuration, row: Mapping[str, Any]) -> list[Value]:
    """The codes that lie in a place in the year; the unknown domicile counts for the country alone."""
    level, code = row["geo_level"], row["geo_code"]
    vintage = configuration.geography.vintage(row["year"])
    inside: list[Value] = [own for own, place in sorted(vintage.items()) if place.parents.get(level) == code]
    return [*inside, None] if level == configuration.settings.geography.country_level else inside
