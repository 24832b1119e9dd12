"""The pipeline and the plain-Python reference agree on random claims in narrow ranges.

Narrow ranges make equal days, ties and boundaries frequent. One example is many small worlds in one input,
because a run of the pipeline costs seconds and judges a thousand people as fast as ten.
"""

import random
from pathlib import Path

import pytest
from claimatlas.cli import main
from comparison import assert_output_equals_reference
from pyspark.sql import SparkSession
from reference import compute
from reference.io import write_csv

from generative.worlds import AS_OF, random_worlds, randomly

ROOT = Path(__file__).resolve().parents[2]
WORLDS = 80


@pytest.mark.slow
@pytest.mark.shuffle_partitions(3)
@randomly
def test_every_cell_delivery_and_rejection_is_equal(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int, overrides: dict[str, object]
) -> None:
    rng = random.Random(seed)
    years, tables = random_worlds(rng, WORLDS)
    folder = tmp_path_factory.mktemp("worlds")
    write_csv(tables, folder / "input", files=3)
    arguments = ["--input", str(folder / "input"), "--output", str(folder / "output"), "--as-of", AS_OF.isoformat()]
    arguments += ["--year", *map(str, years)]
    for name, value in overrides.items():
        arguments += ["--set", f"{name}={value}"]

    assert main(["run-year", *arguments]) == 0

    expected = compute(tables, list(years), conf_dir=ROOT / "conf", settings=overrides, as_of=AS_OF)
    assert_output_equals_reference(spark, folder / "output", expected, years)
