"""The same claims give the same tables, however they are stored, cut, ordered and worked on.

Each run below differs from the one of `submitted` in several ways at once, and must not differ in a row.
"""

import json
from collections import Counter
from pathlib import Path

import pytest
from comparison import DELIVERIES, GOLD, REJECTED, SILVER, content, last_record, read
from integration.conftest import Run
from integration.console import Console
from integration.inputs import (
    Format,
    as_delta,
    as_nested_gzip,
    as_one_csv,
    as_parquet_with_timestamps,
    as_text_parquet,
    as_typed_parquet,
    shuffled,
)
from reference import Tables

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]


def in_types(tables: Tables) -> Tables:
    """The tables without the two rows whose text no date or number can hold: columns can have types."""
    kept = [
        row for row in tables["claims"] if row["service_date"] != "2023-02-30" and row["nomenclature_code"] != "N/A"
    ]
    assert len(kept) == len(tables["claims"]) - 2
    return {**tables, "claims": kept}


def reasons(output: Path, *, typed: bool = False) -> Counter[tuple[str, tuple[str, ...]]]:
    """How many rows of each table were rejected for what, those that a type forbids perhaps left out."""
    found = Counter((row["table"], tuple(row["reasons"])) for row in read(output, REJECTED))
    unparseable = [key for key in found if typed and any(reason.startswith("unparseable") for reason in key[1])]
    for key in unparseable:
        del found[key]
    return found


def test_stage_by_stage_from_typed_parquet(console: Console, submitted: Run, tmp_path: Path) -> None:
    source, output = tmp_path / "input", tmp_path / "output"
    for table, rows in in_types(submitted.tables).items():
        as_parquet_with_timestamps(source, table, shuffled(rows, 1))
    years = ("--year", "2022", "2023")
    for command in (["ingest", "--input", source], ["deliveries", *years], ["indicators", *years]):
        said = console.run(*command, "--output", output)
        assert said.code == 0, said.err
    assert reasons(output) == reasons(submitted.output, typed=True)
    tables = (*SILVER, DELIVERIES, *GOLD)
    assert content(output, tables) == content(submitted.output, tables)


def test_in_nested_folders_with_other_numbers_of_partitions(console: Console, submitted: Run, tmp_path: Path) -> None:
    source, output = tmp_path / "input", tmp_path / "output"
    for table, rows in submitted.tables.items():
        as_nested_gzip(source, table, shuffled(rows, 2))
    said = console.run("ingest", "--input", source, "--output", output, spark_sql_shuffle_partitions="4")
    assert said.code == 0, said.err
    said = console.run("run-year", "--output", output, "--year", "2023", spark_sql_shuffle_partitions="32")
    assert said.code == 0, said.err

    assert content(output, SILVER) == content(submitted.output, SILVER)
    # The originals too, as the rows came as the same texts.
    assert originals(output) == originals(submitted.output)
    for table in (DELIVERIES, *GOLD):
        both = [read(root, table, where="year = 2023") for root in (output, submitted.output)]
        assert [len(read(output, table, "year")), len(both[0])] == [len(both[1])] * 2
        assert in_order(both[0]) == in_order(both[1])


def originals(output: Path) -> Counter[tuple[str, tuple[str, ...], str]]:
    """The rejected rows without their file, columns in one order."""
    return Counter(
        (row["table"], tuple(row["reasons"]), json.dumps(json.loads(row["row"]), sort_keys=True))
        for row in read(output, REJECTED)
    )


def in_order(rows: list[dict[str, object]]) -> list[list[tuple[str, object]]]:
    return sorted(
        sorted((name, value) for name, value in row.items() if name != "run_id") for row in map(as_text, rows)
    )


def as_text(row: dict[str, object]) -> dict[str, str]:
    return {name: repr(value) for name, value in row.items()}


@pytest.mark.parametrize(
    ("claims", "population", "stays"),
    [
        (as_delta, as_text_parquet, as_typed_parquet),
        (as_text_parquet, as_typed_parquet, as_one_csv),
        (as_typed_parquet, as_one_csv, as_delta),
        (as_one_csv, as_delta, as_text_parquet),
    ],
    ids=["claims in Delta", "claims in text Parquet", "claims in typed Parquet", "claims in one CSV file"],
)
def test_every_format_for_every_table(
    console: Console, submitted: Run, tmp_path: Path, claims: Format, population: Format, stays: Format
) -> None:
    source, output = tmp_path / "input", tmp_path / "output"
    typed = claims is as_typed_parquet
    tables = in_types(submitted.tables) if typed else submitted.tables
    for table, write in (("claims", claims), ("population", population), ("hospital_stays", stays)):
        write(source, table, shuffled(tables[table], 3))
    said = console.run("ingest", "--input", source, "--output", output)
    assert said.code == 0, said.err
    assert content(output, SILVER) == content(submitted.output, SILVER)
    assert reasons(output) == reasons(submitted.output, typed=typed)
    # The record says which version of a Delta table was read: the second of two commits.
    formats = {"claims": claims, "population": population, "hospital_stays": stays}
    assert last_record(output)["input_versions"] == {table: 1 for table, write in formats.items() if write is as_delta}
