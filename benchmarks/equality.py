"""Whether two engines came to the same result: silver row for row, deliveries and cells value for value."""

from __future__ import annotations

from pathlib import Path

import duckdb
from deltalake import DeltaTable

from benchmarks.engines import YEAR, silver_files
from benchmarks.peers.interface import INPUT_TABLES

CELL_KEY = "indicator_id, year, geo_level, geo_code, age_category, increased_reimbursement, delivery_type, sex"
EXACT = ("geo_vintage", "numerator", "denominator", "status")
NEARLY = ("value", "ci_low", "ci_high")
TOLERANCE = 1e-9
"""Relative: engines may add in another order."""


class UnequalError(Exception):
    """Two engines differ: no time means anything."""


def compare(engine: str, stage: str, ours: Path, theirs: Path) -> str:
    """Compare a peer's result with that of claimatlas; gives back what was compared, in words.

    Raises:
        UnequalError: naming the first difference; never showing a row of silver.
    """
    with duckdb.connect() as connection:
        said = []
        if stage != "gold":
            said.append(_compare_silver(connection, engine, ours, theirs))
        if stage != "silver":
            said.append(_compare_deliveries(connection, engine, ours, theirs))
            said.append(_compare_cells(connection, engine, ours, theirs))
    return ", ".join(said)


def _compare_silver(connection: duckdb.DuckDBPyConnection, engine: str, ours: Path, theirs: Path) -> str:
    rows = 0
    for table, files in silver_files(ours).items():
        names = [*next(found for found in INPUT_TABLES if found.name == table).values, "year"]
        # The sum of 64-bit hashes of whole rows does not depend on their order.
        summed = f"count(*), sum(hash({', '.join(names)})::HUGEINT)"
        read = f"SELECT year, {summed} FROM read_parquet(?, hive_partitioning = true) GROUP BY year ORDER BY year"
        mine = connection.execute(read, [files]).fetchall()
        other = connection.execute(read, [[str(path) for path in (theirs / "silver" / table).rglob("*.parquet")]])
        if mine != other.fetchall():
            raise UnequalError(f"{engine}: silver/{table} differs")
        rows += sum(count for _, count, _ in mine)
    counted = """SELECT "table", list_sort(reasons) AS reasons, count(*) FROM {} GROUP BY ALL ORDER BY ALL"""
    rejected = connection.execute(counted.format(_table(ours, "silver/rejected"))).fetchall()
    by_other = connection.execute(counted.format(f"'{theirs / 'silver/rejected.parquet'}'")).fetchall()
    if rejected != by_other:
        raise UnequalError(f"{engine}: rejected rows differ: {rejected} and {by_other}")
    return f"{rows:,} rows of silver and {sum(row[2] for row in rejected):,} rejected rows"


def _compare_deliveries(connection: duckdb.DuckDBPyConnection, engine: str, ours: Path, theirs: Path) -> str:
    table = _table(ours, "silver/deliveries")
    columns = connection.execute(f"DESCRIBE SELECT * EXCLUDE (delivery_id) FROM {table}").fetchall()
    names = ", ".join(column[0] for column in columns)
    mine = f"SELECT {names} FROM {table} WHERE year = {YEAR}"
    other = f"SELECT {names} FROM '{theirs / 'gold/deliveries.parquet'}'"
    return _require_same(connection, f"{engine}: deliveries", mine, other, "deliveries")


def _compare_cells(connection: duckdb.DuckDBPyConnection, engine: str, ours: Path, theirs: Path) -> str:
    tables = [_table(ours, f"gold/{name}") for name in ("imaging", "postnatal")]
    wanted = f"{CELL_KEY}, {', '.join((*EXACT, *NEARLY))}"
    mine = " UNION ALL ".join(f"SELECT {wanted} FROM {table} WHERE year = {YEAR}" for table in tables)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE mine AS {mine}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE theirs AS SELECT {wanted} FROM '{theirs / 'gold/cells.parquet'}'")
    exact = f"{CELL_KEY}, {', '.join(EXACT)}"
    said = _require_same(
        connection, f"{engine}: cells", f"SELECT {exact} FROM mine", f"SELECT {exact} FROM theirs", "cells"
    )
    far = " OR ".join(
        f"(m.{name} IS NULL) <> (t.{name} IS NULL) "
        f"OR abs(m.{name} - t.{name}) > {TOLERANCE} * greatest(abs(m.{name}), 1)"
        for name in NEARLY
    )
    differing = connection.execute(f"SELECT count(*) FROM mine m JOIN theirs t USING ({CELL_KEY}) WHERE {far}")
    if number := _one(differing):
        raise UnequalError(f"{engine}: {number} cells have another value or interval")
    return said


def _require_same(connection: duckdb.DuckDBPyConnection, what: str, mine: str, other: str, noun: str) -> str:
    missing = _one(connection.execute(f"SELECT count(*) FROM ({mine} EXCEPT ALL {other})"))
    extra = _one(connection.execute(f"SELECT count(*) FROM ({other} EXCEPT ALL {mine})"))
    if missing or extra:
        raise UnequalError(f"{what}: {missing} rows are missing or differ, {extra} are in excess or differ")
    return f"{_one(connection.execute(f'SELECT count(*) FROM ({mine})')):,} {noun}"


def _one(result: duckdb.DuckDBPyConnection) -> int:
    return int(result.fetchall()[0][0])


def _table(output: Path, name: str) -> str:
    """The live files of a Delta table, as a source in a query."""
    files = ", ".join("'" + uri.removeprefix("file://") + "'" for uri in DeltaTable(output / name).file_uris())
    return f"read_parquet([{files}], hive_partitioning = true)"
