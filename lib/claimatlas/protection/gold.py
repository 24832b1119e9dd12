"""Gold of one release, read without Spark or Java. The only module here that knows how it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError
from claimatlas.paths import is_remote
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.reader import named
from claimatlas.tables.releases import Published, releases
from claimatlas.tables.schemas import ALL, COMPARISONS, RELEASES, configured, dimensions_among

_CELL = ("indicator_id", "year", "geo_level", "geo_code", "numerator", "denominator", "value", "status")
_COMPARED = ("indicator_id", "year", "geo_level", "geo_code", "comparison", "trend")


@dataclass(frozen=True)
class Release:
    """A release of gold: its number, and its tables."""

    number: int
    tables: Published[DeltaReader]


def release_of(output: str, number: int | None) -> Release:
    """A release of gold, by default the newest.

    Raises:
        InputError: the output is no folder, or has no such release.
        NotReadableError: it cannot be read without Spark.
    """
    reader = DeltaReader(output)
    if is_remote(output) or not reader.exists(RELEASES):
        raise InputError(f"--output {output}: there is no folder of this machine with gold/releases in it.")
    rows = releases(reader)
    found = next((row for row in rows if number is None or row["release"] == number), None)
    if found is None:
        there = ", ".join(str(row["release"]) for row in reversed(rows)) or "none"
        raise InputError(f"--release {number}: there is no such release in {output}; there are {there}.")
    return Release(found["release"], Published(reader, found, has_releases=True))


def years_of(release: Release) -> tuple[int, ...]:
    """The years that the cells of a release have."""
    tables = release.tables.store.cell_tables
    rows = [row for table in tables for row in release.tables.rows(table, named("year"), distinct=True)]
    return tuple(sorted({row["year"] for row in rows}))


def cells_of(release: Release, year: int, configuration: Configuration) -> Iterator[dict[str, Any]]:
    """The cells of a year: key, ``numerator``, ``denominator``, ``value`` and ``status``.

    Cells that are split by a dimension that is no longer declared are left out.

    Raises:
        InputError: a dimension of an indicator was not declared when the year was computed.
    """
    names = configuration.dimensions.names
    needed = {indicator.id: indicator.dimensions for indicator in configuration.indicators}
    for table in release.tables.store.cell_tables:
        if not release.tables.has(table):
            continue
        former = [name for name in dimensions_among(release.tables.store.columns(table)) if name not in names]
        columns = named(*_CELL, *names, *former)
        for row in release.tables.rows(configured(table, configuration), columns, {"year": year}):
            lacking = [name for name in needed.get(row["indicator_id"], ()) if row[name] is None]
            if lacking:
                raise InputError(
                    f"--years {year}: when {row['indicator_id']} was computed there was no dimension {lacking[0]}: it "
                    "is split by it nowhere. Compute the year anew, or leave it out."
                )
            if all(row[name] in (ALL, None) for name in former):
                yield {**{name: row[name] for name in _CELL}, **{name: row[name] or ALL for name in names}}


def comparisons_of(release: Release, years: Sequence[int]) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    """Comparison and trend by indicator, year, level and place."""
    rows = release.tables.rows(COMPARISONS, named(*_COMPARED), {"year": sorted(years)})
    return {
        (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"]): (row["comparison"], row["trend"])
        for row in rows
    }
