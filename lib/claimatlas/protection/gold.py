"""Gold of one release, read from a folder without Spark or Java. The only module here that knows how it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimatlas.errors import InputError
from claimatlas.tables.paths import is_remote

DIMENSION_COLUMNS = ("age_category", "increased_reimbursement", "delivery_type", "sex")
_KEY = ("indicator_id", "year", "geo_level", "geo_code", *DIMENSION_COLUMNS)
_CELLS = ("imaging", "postnatal")
_NEEDS = "reading gold without Spark needs the package deltalake: install claimatlas[publish]."


@dataclass(frozen=True)
class Release:
    """A row of ``gold/releases``: its number and the versions of the tables; no version: no such table."""

    number: int
    run_id: str
    versions: dict[str, int | None]


def release_of(output: str, number: int | None) -> Release:
    """A release of gold, by default the newest.

    Raises:
        InputError: the output is no folder, or has no such release.
    """
    if is_remote(output) or not Path(output, "gold", "releases", "_delta_log").is_dir():
        raise InputError(f"--output {output}: there is no folder of this machine with gold/releases in it.")
    rows = list(_rows(output, "releases", None, "SELECT * FROM t ORDER BY release"))
    found = [row for row in rows if number is None or row["release"] == number]
    if not found:
        there = ", ".join(str(row["release"]) for row in rows) or "none"
        raise InputError(f"--release {number}: there is no such release in {output}; there are {there}.")
    row = found[-1]
    return Release(row["release"], row["run_id"], {name: row[f"{name}_version"] for name in (*_CELLS, "comparisons")})


def years_of(output: str, release: Release) -> tuple[int, ...]:
    """The years that the cells of a release have."""
    years: set[int] = set()
    for name in _CELLS:
        if release.versions[name] is not None:
            rows = _rows(output, name, release.versions[name], "SELECT DISTINCT year FROM t")
            years |= {row["year"] for row in rows}
    return tuple(sorted(years))


def cells_of(output: str, release: Release, year: int) -> Iterator[dict[str, Any]]:
    """The cells of a year: key, ``numerator``, ``denominator`` and ``status``."""
    columns = ", ".join((*_KEY, "numerator", "denominator", "status"))
    for name in _CELLS:
        if release.versions[name] is not None:
            yield from _rows(output, name, release.versions[name], f"SELECT {columns} FROM t WHERE year = {year:d}")  # noqa: S608


def comparisons_of(output: str, release: Release, years: Sequence[int]) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    """Comparison and trend by indicator, year, level and place."""
    if release.versions["comparisons"] is None:
        return {}
    text = "SELECT indicator_id, year, geo_level, geo_code, comparison, trend FROM t"
    rows = _rows(output, "comparisons", release.versions["comparisons"], text)
    return {
        (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"]): (row["comparison"], row["trend"])
        for row in rows
        if row["year"] in years
    }


def _rows(output: str, name: str, version: int | None, query: str) -> Iterator[dict[str, Any]]:
    yield from read_table(output, f"gold/{name}", query, version)


def read_table(output: str, name: str, query: str, version: int | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a query over a table, which it calls ``t``; by default over the newest version.

    Raises:
        InputError: the table cannot be read, or the package for it is not there.
    """
    try:
        from deltalake import DeltaTable, QueryBuilder  # noqa: PLC0415 - only what publishes needs it
        from deltalake.exceptions import DeltaError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise InputError(_NEEDS) from None
    path = str(Path(output, *name.split("/")))
    try:
        table = DeltaTable(path, version=version)
        batches = QueryBuilder().register("t", table).execute(query)
        for batch in batches:
            columns = {field: batch.column(field).to_pylist() for field in batch.schema.names}
            for values in zip(*columns.values(), strict=True):
                yield dict(zip(columns, values, strict=True))
    except (DeltaError, OSError) as error:
        raise InputError(f"{path} cannot be read ({type(error).__name__}).") from None
