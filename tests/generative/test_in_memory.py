"""Random claims through the pure rules, with tables held in memory: they agree with the plain-Python reference.

Neither files nor Delta are asked for, so this runs on every engine (`--engine`).
"""

import random
from pathlib import Path
from typing import Any

import pytest
from comparison import MEASURES, same, without
from pyspark.sql import SparkSession
from reference import DELIVERY_COLUMNS
from reference.generators import random_settings
from reference.model import Malformed, Tables
from spec.runner import plain
from spec.runner.compare import Found
from spec.runner.pipeline import Pipeline
from spec.runner.scenario import Case

from generative.worlds import AS_OF, random_worlds

SEEDS = range(6)
WORLDS = 80


def random_case(seed: int) -> Case:
    """Many small worlds as one scenario that wants to know everything."""
    rng = random.Random(seed)
    years, tables = random_worlds(rng, WORLDS)
    return Case(
        id=f"world_{seed}",
        title="random claims",
        rule="all",
        years=years,
        settings=tuple(random_settings(rng).items()),
        code_lists=(),
        sectors=None,
        as_of=AS_OF,
        complete_through=None,
        tables=complete(tables),
        expected={"deliveries": [], "rejected": [], "cells": [{"indicator_id": None, "status": None}]},
        warnings=(),
    )


def complete(tables: Tables) -> dict[str, list[dict[str, Any]]]:
    """Every column on every row; lines of a CSV file that are none of a table are left out."""
    from shipped import INPUT_TABLES

    columns = {table.name: [column.name for column in table.columns] for table in INPUT_TABLES}
    return {
        name: [{column: row.get(column) for column in columns[name]} for row in rows if not isinstance(row, Malformed)]
        for name, rows in tables.items()
    }


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_every_cell_delivery_and_rejection_is_equal(spark: SparkSession, tmp_path: Path, seed: int) -> None:
    case = random_case(seed)
    found = Pipeline([case], tmp_path).run(case, lambda: spark)
    expected = plain.run(case, tmp_path / "reference")
    assert deliveries(found) == deliveries(expected)
    assert rejected(found) == rejected(expected)
    assert len(rejected(found)) > 0
    assert found.cells.keys() == expected.cells.keys()
    assert len(found.cells) > 1000
    wrong = [
        (key, column, found.cells[key][column], value)
        for key, cell in expected.cells.items()
        for column, value in cell.items()
        if not same(found.cells[key][column], value, exact=column not in MEASURES)
    ]
    assert not wrong, f"{len(wrong)} differ, the first (cell, column, found, expected): {wrong[:3]}"


def deliveries(found: Found) -> object:
    rows = [{column: row[column] for column in DELIVERY_COLUMNS} for row in found.deliveries]
    return without(rows)


def rejected(found: Found) -> list[tuple[str, int, tuple[str, ...]]]:
    return sorted((row["table"], row["row"], tuple(sorted(row["reasons"].split(", ")))) for row in found.rejected)
