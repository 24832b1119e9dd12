"""The configuration as plain tables: the same facts for every engine that is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from claimatlas.configuration import Configuration

CODES = pa.schema(
    [
        ("list", pa.string()),
        ("code", pa.int32()),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
    ]
)
PLACES = pa.schema(
    [("year", pa.int32()), ("place", pa.string()), ("geo_level", pa.string()), ("geo_code", pa.string())]
)
CARRIED = pa.schema([("year", pa.int32()), ("code", pa.string()), ("place", pa.string())])
UNITS = pa.schema([("year", pa.int32()), ("geo_level", pa.string()), ("geo_code", pa.string())])

FIRST_DATE, LAST_DATE = date(1, 1, 1), date(9999, 12, 31)
"""What stands for an open end of a validity."""


@dataclass(frozen=True)
class Facts:
    """What the rules need from the configuration.

    codes: one row per code of a code list, with the first and last day of its validity (never null).
    places: one row per year, place of domicile and level that holds it; the null place (unknown
        domicile) counts for the country.
    carried: one row per year and code of a place that exists in the year or can be carried to it.
    units: every geographic unit of the year, without sectors and hospitals.
    """

    codes: pa.Table
    places: pa.Table
    carried: pa.Table
    units: pa.Table


def read_facts(configuration: Configuration, years: Sequence[int]) -> Facts:
    """Write the configuration out as tables."""
    geography = configuration.geography
    codes = [
        (name, row.code, row.valid_from or FIRST_DATE, row.valid_to or LAST_DATE)
        for name, codelist in configuration.code_lists.items()
        for row in codelist.rows
    ]
    places: list[tuple[int, str | None, str, str]] = []
    for year in years:
        vintage = geography.vintage(year)
        for country in sorted({place.parents["country"] for place in vintage.values()}):
            places.append((year, None, "country", country))
        places += [
            (year, code, level, place.parents[level])
            for code, place in sorted(vintage.items())
            for level in geography.levels
            if place.parents[level]
        ]
    carried = [
        (year, code, found)
        for year in years
        for code in sorted(geography.places)
        if (found := geography.carry(code, year)) is not None
    ]
    units = [(year, level, code) for year in years for level, code in geography.units(year)]
    return Facts(_table(codes, CODES), _table(places, PLACES), _table(carried, CARRIED), _table(units, UNITS))


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
    return pa.table([pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema)
