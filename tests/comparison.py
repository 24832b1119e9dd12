"""What the product wrote against what the plain-Python reference says: every cell, row and count.

Tables are read with the `deltalake` package, which needs no Spark: that is how others will read them. Its
SQL is used and not `to_pyarrow_table()`, with which a process can abort as it ends.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from claimatlas.tables.delta_reader import DeltaReader
from deltalake import DeltaTable, QueryBuilder
from pyspark.sql import SparkSession
from reference import Malformed, Result
from reference.domicile import Geography
from reference.model import Row

CONF = Path(__file__).resolve().parents[1] / "conf"
GOLD = ("gold/imaging", "gold/postnatal")
SILVER = ("silver/claims", "silver/population", "silver/hospital_stays")
REJECTED, DELIVERIES, RUNS = "silver/rejected", "silver/deliveries", "gold/runs"

#: The constant of the rule that makes a delivery's id (section 3.7).
DELIVERY_ID_RULE = "claimatlas delivery 1"
MEASURES = ("value", "ci_low", "ci_high")
PRECISION = 1e-12


# --- Reading ------------------------------------------------------------------------------------------


def read(root: Path, name: str, columns: str = "*", where: str = "true", *, version: int | None = None) -> list[Row]:
    """The rows of a table, or of one of its versions, read without Spark."""
    query = f"SELECT {columns} FROM t WHERE {where}"
    found = QueryBuilder().register("t", DeltaTable(str(root / name), version=version)).execute(query)
    return pa.RecordBatchReader.from_stream(found).read_all().to_pylist()


def read_by_spark(spark: SparkSession, root: Path, name: str) -> list[Row]:
    """The rows of a table, read with Spark."""
    return [row.asDict() for row in spark.read.format("delta").load(str(root / name)).collect()]


def last_record(root: Path) -> dict[str, Any]:
    """The record of the newest run in `gold/runs`."""
    newest = max(read(root, RUNS, "started_at, record"), key=lambda row: row["started_at"])
    return json.loads(newest["record"])


def without(rows: Iterable[Row], *columns: str) -> Counter[tuple[tuple[str, Any], ...]]:
    """The rows as a multiset, some columns left out: equal multisets are equal tables."""
    return Counter(tuple((name, _hashable(row[name])) for name in sorted(row) if name not in columns) for row in rows)


def content(root: Path, tables: Iterable[str], *left_out: str) -> dict[str, Counter[tuple[tuple[str, Any], ...]]]:
    """The content of several tables; what names the run is left out, and `left_out` too."""
    return {name: without(read(root, name), "run_id", *left_out) for name in tables if (root / name).is_dir()}


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


# --- Comparing ----------------------------------------------------------------------------------------


def assert_output_equals_reference(
    spark: SparkSession | None, output: Path, expected: Result, years: Sequence[int]
) -> None:
    """Everything that a run wrote for the years: gold, deliveries, silver, rejected rows, the run's counts.

    Tables are read by Spark where there is one, else by `deltalake`.
    """

    def rows(name: str) -> list[Row]:
        return read(output, name) if spark is None else read_by_spark(spark, output, name)

    for name in GOLD:
        in_years = [row for row in rows(name) if row["year"] in set(years)]
        assert_cells_equal(in_years, expected, name, years)
    deliveries = [row for row in rows(DELIVERIES) if row["year"] in set(years)]
    of_years = [row for row in expected.deliveries if row["year"] in set(years)]
    assert_deliveries_equal(deliveries, of_years)
    for name in SILVER:
        assert_silver_equals(rows(name), expected, name)
    assert_rejected_equal(rows(REJECTED), expected)
    newest = max(rows(RUNS), key=lambda row: row["started_at"])
    assert_record_equals(json.loads(newest["record"]), expected, years)


def assert_cells_equal(rows: list[Row], expected: Result, table: str, years: Iterable[int]) -> None:
    """The cells of one gold table: none missing, none too many, counts exact, figures to 1e-12."""
    years = set(years)
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[column] for column in expected.cell_key)
        assert key not in found, f"{table} has the cell {key} twice"
        found[key] = row
    wanted = {key: cell for key, cell in expected.cells.items() if table_of(key[0]) == table and key[1] in years}
    missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    assert not missing, f"{table} misses {len(missing)} cells, the first: {missing[:3]}"
    assert not extra, f"{table} has {len(extra)} cells too many, the first: {extra[:3]}"
    wrong = []
    for key, cell in wanted.items():
        for column, value in cell.items():
            if not same(found[key][column], value, exact=column not in MEASURES):
                wrong.append((key, column, found[key][column], value))
    assert not wrong, f"{table}: {len(wrong)} differ, the first (cell, column, found, expected): {wrong[:3]}"


def table_of(indicator: str) -> str:
    """The gold table of an indicator (section 8)."""
    return "gold/postnatal" if indicator.startswith("cube_007_") else "gold/imaging"


def same(found: Any, expected: Any, *, exact: bool) -> bool:
    """Are two values the same? A figure may differ by rounding."""
    if exact or found is None or expected is None:
        return bool(found == expected) and type(found) is type(expected)
    return math.isclose(found, expected, rel_tol=PRECISION, abs_tol=PRECISION)


def assert_deliveries_equal(rows: list[Row], expected: list[Row]) -> None:
    """Every column of `silver/deliveries`, the id by its documented rule."""
    wanted = [{**row, "delivery_id": delivery_id(row)} for row in expected]
    assert_same_rows(rows, wanted, DELIVERIES)


def delivery_id(row: Row) -> str:
    """SHA-256 of the rule's name, the date and the beneficiary."""
    text = f"{DELIVERY_ID_RULE} {row['delivery_date'].isoformat()}{row['beneficiary_id']}"
    return hashlib.sha256(text.encode()).hexdigest()


def assert_silver_equals(rows: list[Row], expected: Result, name: str) -> None:
    """The accepted rows of one input table, typed, with the year of their partition."""
    table = name.removeprefix("silver/")
    year_of = {"claims": "service_date", "hospital_stays": "discharge_date"}.get(table)
    accepted = expected.accepted.get(table, [])
    wanted = [{**row, "year": row[year_of].year} if year_of else row for row in accepted]
    # Which batch brought a line is not known to the reference.
    assert_same_rows([{key: row[key] for key in row if key != "batch"} for row in rows], wanted, name)


def assert_same_rows(rows: list[Row], wanted: list[Row], name: str) -> None:
    """Two tables as multisets of rows."""
    found, expected = without(rows), without(wanted)
    missing, extra = list((expected - found).elements()), list((found - expected).elements())
    assert not missing, f"{name}: {len(missing)} rows missing, {len(extra)} too many: {missing[:2]} {extra[:2]}"
    assert not extra, f"{name}: {len(extra)} rows too many: {extra[:2]}"


def assert_rejected_equal(rows: list[Row], expected: Result) -> None:
    """Each rejected row with all its reasons, as it came. For input as text."""
    found = Counter((row["table"], tuple(row["reasons"]), bare(json.loads(row["row"]))) for row in rows)
    wanted = Counter((table, reasons, as_it_came(raw)) for table, raw, reasons in expected.rejected)
    missing, extra = wanted - found, found - wanted
    assert not missing, (
        f"{missing.total()} rejected rows missing, the first: {list(missing)[:3]}, not {list(extra)[:3]}"
    )
    assert not extra, f"{extra.total()} rejected rows too many, the first: {list(extra)[:3]}"


def as_it_came(raw: Any) -> tuple[tuple[str, str], ...]:
    """A raw row of the reference's input, comparable."""
    return bare({"malformed_row": raw.text} if isinstance(raw, Malformed) else raw)


def bare(row: dict[str, str | None]) -> tuple[tuple[str, str], ...]:
    """A row without its empty fields: in CSV an absent text and an empty one are the same."""
    return tuple(sorted((name, text) for name, text in row.items() if text is not None and text != ""))


def assert_record_equals(record: dict[str, Any], expected: Result, years: Iterable[int]) -> None:
    """The counts of a run's record against the reference's flow and warnings."""
    flow, counts, years = expected.flow, record["counts"], sorted(set(years))
    if "input" in record:
        assert_rows_add_up(counts, expected)
    for year in years:
        deliveries = counts.get(f"deliveries.{year}", {})
        people = counts[f"beneficiaries.{year}"]
        ignored = counts.get(f"beneficiary_services.{year}.not_in_population", {}).get("service_lines", 0)
        assert ignored == flow["imaging_lines_not_in_population"][year], year
        for reading, number in flow["episodes"][year].items():
            assert counts.get(f"deliveries.episodes_{reading}", {}).get(str(year), 0) == number, (year, reading)
        for source, number in flow["deliveries_by_domicile_source"][year].items():
            assert deliveries.get(f"domicile_{source}", 0) == number, (year, source)
        for source, number in flow["persons_by_domicile_source"][year].items():
            assert people[f"domicile_{source}"] == number, (year, source)
        assert deliveries.get("not_in_population", 0) == flow["deliveries_not_in_population"][year]
        for choice, number in flow["deliveries_without_midwife_contact"][year].items():
            with_contact = deliveries.get(f"contact_midwife_{choice}", 0)
            assert deliveries.get("deliveries", 0) - with_contact == number, (year, choice)
        carried, unknown = codes_outside_vintage(expected, year)
        assert (people["code_carried"], people["code_unknown"]) == (carried, unknown), year
        for what, is_open in flow["left_edge_open"][year].items():
            warned = any(text.startswith(f"{year}: the left edge is open for {what}") for text in record["warnings"])
            assert warned == is_open, (year, what, record["warnings"])
    if set(years) == flow["episodes"].keys():
        men = sum(counts.get(f"deliveries.{year}", {}).get("mother_recorded_as_male", 0) for year in years)
        assert men == expected.warnings["delivery_of_a_man"]


def assert_rows_add_up(counts: dict[str, dict[str, int]], expected: Result) -> None:
    """Read, accepted and rejected rows of each table, the reasons, and what was kept with a warning."""
    for table, read_rows in expected.flow["rows_read"].items():
        found = counts[f"ingest.{table}"]
        assert found["accepted"] + found["rejected"] == found["read"] == read_rows, table
        assert found["rejected"] == expected.flow["rows_rejected"][table], table
        reasons = Counter(reason for name, _, why in expected.rejected if name == table for reason in why)
        assert counts[f"ingest.{table}.rejected_by_reason"] == dict(reasons), table
    for name in ("unknown_sex", "birth_date_after_year", "sector_off_pattern", "wrong_check_digit"):
        assert counts["ingest.warnings"][name] == expected.warnings[name], name


def codes_outside_vintage(expected: Result, year: int) -> tuple[int, int]:
    """Beneficiaries of the year with a municipality code that was carried, and with one that could not be."""
    geography = Geography.read(CONF)
    carried = unknown = 0
    for row in expected.accepted["population"]:
        if row["year"] != year:
            continue
        codes = [row[f"municipality_{day}"] for day in ("31_december", "30_june")]
        outside = [code for code in codes if code is not None and code not in geography.vintage(year)]
        carried += any(geography.carry(code, year) is not None for code in outside)
        unknown += any(geography.carry(code, year) is None for code in outside)
    return carried, unknown


def figures_of(output: Path, dimensions: Sequence[str]) -> dict[tuple[Any, ...], tuple[int, int, float | None]]:
    """Numerator, denominator and value of every cell of gold, by indicator, year, level, place and dimensions."""
    found = {}
    for table in DeltaReader(str(output)).cell_tables:
        for row in read(output, table.name):
            place = (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"])
            found[*place, *(row[name] for name in dimensions)] = (row["numerator"], row["denominator"], row["value"])
    return found


def intervals_of(output: Path, dimensions: Sequence[str]) -> dict[tuple[Any, ...], tuple[float | None, float | None]]:
    """The bounds of the interval of every cell of gold, by the same."""
    found = {}
    for table in DeltaReader(str(output)).cell_tables:
        for row in read(output, table.name):
            place = (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"])
            found[*place, *(row[name] for name in dimensions)] = (row["ci_low"], row["ci_high"])
    return found
