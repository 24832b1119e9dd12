"""Batches one after the other, each followed by what it changes: the figures are those of a whole run."""

import random
import shutil
from pathlib import Path

import pytest
from claimatlas.cli import main
from comparison import (
    DELIVERIES,
    GOLD,
    assert_cells_equal,
    assert_deliveries_equal,
    content,
    last_record,
    read_by_spark,
)
from pyspark.sql import SparkSession
from reference import compute
from reference.io import write_csv
from reference.model import Tables

from generative.worlds import AS_OF, random_worlds, randomly

ROOT = Path(__file__).resolve().parents[2]
WORLDS = 40
OF_BENEFICIARIES = ("deliveries", "beneficiaries", "beneficiary_services")


def split(tables: Tables, rng: random.Random) -> list[Tables]:
    """Three batches: most rows come with the first, some with two of them."""
    parts: list[Tables] = [{name: [] for name in tables} for _ in range(3)]
    for name, rows in tables.items():
        for row in rows:
            for number in set(rng.choices(range(3), weights=(6, 1, 1), k=rng.choice((1, 1, 2)))):
                parts[number][name].append(row)
    return parts


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.shuffle_partitions(3)
@randomly
def test_what_changed_computed_anew_is_everything_computed_anew(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int, overrides: dict[str, object]
) -> None:
    rng = random.Random(seed)
    years, tables = random_worlds(rng, WORLDS)
    folder = tmp_path_factory.mktemp("batches")
    output = folder / "output"
    common = ["--year", *map(str, years), "--set", "max_rejected_share=1", "--allow-drift"]
    for name, value in overrides.items():
        common += ["--set", f"{name}={value}"]
    for number, part in enumerate(split(tables, rng)):
        write_csv(part, folder / f"part-{number}", files=1)
        arguments = ["--input", str(folder / f"part-{number}"), "--output", str(output), "--as-of", AS_OF.isoformat()]
        assert main(["run-year", *arguments, *(["--add"] if number else []), *common]) == 0
        assert ("increment" in last_record(output)) == (number > 0)
        if number:
            assert last_record(output)["increment"]["beneficiaries"] > 0
    record = last_record(output)

    whole = Path(shutil.copytree(output, folder / "whole"))
    assert main(["run-year", "--output", str(whole), *common]) == 0
    assert "increment" not in last_record(whole)
    tables_of_figures = (*GOLD, "gold/comparisons", DELIVERIES)
    assert content(output, tables_of_figures) == content(whole, tables_of_figures)
    for step, counts in last_record(whole)["counts"].items():
        if step.split(".")[0] in (*OF_BENEFICIARIES, "cells"):
            assert record["counts"][step] == counts, step

    expected = compute(tables, list(years), conf_dir=ROOT / "conf", settings=overrides, as_of=AS_OF)
    for name in GOLD:
        cells = [row for row in read_by_spark(spark, output, name) if row["year"] in set(years)]
        assert_cells_equal(cells, expected, name, years)
    formed = [row for row in read_by_spark(spark, output, DELIVERIES) if row["year"] in set(years)]
    assert_deliveries_equal(formed, [row for row in expected.deliveries if row["year"] in set(years)])
