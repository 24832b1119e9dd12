"""Which cells of a cube are published."""

from collections.abc import Sequence

import pytest
from claimatlas.cells.rows import Computable, Split, published_rows
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.settings import SECTOR
from pyspark.sql import SparkSession

INDICATOR = "stat_013_023"
CUBE = (
    "year int, geo_level string, geo_code string, age_category string, increased_reimbursement string, sex string, "
    f"denominator bigint, numerator_{INDICATOR} bigint"
)
ROWS = [
    (2023, "region", "02000", "all", "all", "all", 0, 0),
    (2023, "region", "02000", "all", "yes", "all", 0, 0),
    (2023, SECTOR, "11002A00-", "all", "all", "all", 0, 0),
    (2023, SECTOR, "21004A00-", "all", "all", "all", 1, 0),
]
"""Two places and two sectors; of each the first has no member any more."""


@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return load_configuration()


@pytest.mark.parametrize(
    ("more_levels", "codes"),
    [
        # Nobody says which sectors there are.
        ((), {"02000", "21004A00-"}),
        ((SECTOR,), {"02000", "11002A00-", "21004A00-"}),
    ],
)
def test_where_there_are_no_members(
    spark: SparkSession, shipped: Configuration, more_levels: Sequence[str], codes: set[str]
) -> None:
    indicator = next(indicator for indicator in shipped.indicators if indicator.id == INDICATOR)
    levels = [*shipped.geography.levels, *more_levels]
    cube = spark.createDataFrame(ROWS, CUBE)
    statuses = {(INDICATOR, 2023): "final"}
    split = Split.of("beneficiary_years", shipped)
    rows = published_rows(cube, split, [indicator], Computable(statuses, levels)).collect()
    assert len(rows) == len(codes)
    assert {row["geo_code"] for row in rows} == codes
    assert all((row["value"] is None) == (row["denominator"] == 0) for row in rows)
