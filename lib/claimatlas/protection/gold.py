"""Gold of one release, read without Spark or Java. The only module here that knows how it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from claimatlas.errors import InputError
from claimatlas.paths import is_remote
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.reader import named
from claimatlas.tables.releases import CELL_TABLES, Published, releases
from claimatlas.tables.schemas import CELL_DIMENSIONS, COMPARISONS, RELEASES

_CELL = ("indicator_id", "year", "geo_level", "geo_code", *CELL_DIMENSIONS, "numerator", "denominator", "status")
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
    rows = [row for table in CELL_TABLES for row in release.tables.rows(table, named("year"), distinct=True)]
    return tuple(sorted({row["year"] for row in rows}))


def cells_of(release: Release, year: int) -> Iterator[dict[str, Any]]:
    """The cells of a year: key, ``numerator``, ``denominator`` and ``status``."""
    for table in CELL_TABLES:
        yield from release.tables.rows(table, named(*_CELL), {"year": year})


def comparisons_of(release: Release, years: Sequence[int]) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    """Comparison and trend by indicator, year, level and place."""
    rows = release.tables.rows(COMPARISONS, named(*_COMPARED), {"year": sorted(years)})
    return {
        (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"]): (row["comparison"], row["trend"])
        for row in rows
    }
