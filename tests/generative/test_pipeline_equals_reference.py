"""The pipeline and the plain-Python reference agree on random claims in narrow ranges.

Narrow ranges make equal days, ties and boundaries frequent. One example is many small worlds in one input,
because a run of the pipeline costs seconds and judges a thousand people as fast as ten.
"""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from claimatlas.commands.run_year import main
from comparison import assert_output_equals_reference
from integration.own_configuration import change, write_indicator
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

    assert main(arguments) == 0

    expected = compute(tables, list(years), conf_dir=ROOT / "conf", settings=overrides, as_of=AS_OF)
    assert_output_equals_reference(spark, folder / "output", expected, years)


# --- Windows, flags and units that are declared beside the method's ------------------------------------

GROUPS = ("gp", "gynaecologist", "midwife", "physiotherapist", "specialist")
LISTS = ("prenatal_technical", "gestational_diabetes_test", "midwife_postnatal", "gp_raadpl")
LEVELS = ["country", "region", "municipality"]
UNITS = ("percent", "per_100", "per_1000", "per_100000", "count")


def declare(conf: Path, rng: random.Random) -> None:
    """Random windows, flags that look into them, and indicators that count these, in place of those of the method."""
    for file in (conf / "indicators").iterdir():
        file.unlink()
    windows = {}
    for number in range(3):
        first = rng.choice((-280, -30, -3, -1, 0, 1, 7, 21))
        windows[f"window_{number}"] = {"first_day": first, "last_day": first + rng.choice((0, 2, 14, 60, 300))}
    declared: dict[str, Any] = {}
    for number in range(5):
        services = (
            {"contact_groups": rng.sample(GROUPS, rng.randint(1, 3))}
            if rng.random() < 0.6
            else {"code_lists": rng.sample(LISTS, rng.randint(1, 2))}
        )
        window = rng.choice((*windows, *windows, "postnatal", "prenatal"))
        declared[f"flag_{number}"] = {**services, "window": window, "least_days": rng.choice((1, 1, 2, 2, 3))}
    change(conf / "settings.yaml", windows=windows)
    change(conf / "services.yaml", delivery_flags=declared)
    for number in range(4):
        flags = rng.sample(sorted(declared), rng.randint(1, 2))
        write_indicator(
            conf,
            f"cube_007_declared_{number}",
            population="deliveries",
            numerator={rng.choice(("with_any", "without_any")): flags},
            unit=rng.choice(UNITS),
            dimensions=rng.choice(([], ["age_category"], ["age_category", "increased_reimbursement", "delivery_type"])),
            levels=LEVELS,
        )
    for unit in ("per_1000", "per_100000", "mean"):
        write_indicator(
            conf,
            f"stat_013_{unit}",
            population="beneficiary_years",
            numerator={"quantity_of_service": "imaging_therapeutic"},
            unit=unit,
            dimensions=["sex"],
            levels=LEVELS,
        )


@pytest.mark.slow
@pytest.mark.shuffle_partitions(3)
@randomly
def test_declared_windows_flags_and_units_are_equal(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int, overrides: dict[str, object]
) -> None:
    rng = random.Random(seed)
    years, tables = random_worlds(rng, WORLDS)
    folder = tmp_path_factory.mktemp("declared")
    conf = Path(shutil.copytree(ROOT / "conf", folder / "conf"))
    declare(conf, rng)
    write_csv(tables, folder / "input", files=3)
    arguments = ["--input", str(folder / "input"), "--output", str(folder / "output"), "--as-of", AS_OF.isoformat()]
    arguments += ["--year", *map(str, years), "--conf", str(conf)]
    for name, value in overrides.items():
        arguments += ["--set", f"{name}={value}"]

    assert main(arguments) == 0

    expected = compute(tables, list(years), conf_dir=conf, settings=overrides, as_of=AS_OF)
    flags = yaml.safe_load((conf / "services.yaml").read_text(encoding="utf-8"))["delivery_flags"]
    several = [name for name, flag in flags.items() if flag.get("least_days", 1) > 1]
    assert any(row[name] for row in expected.deliveries for name in several), "no flag of several days is raised"
    assert_output_equals_reference(spark, folder / "output", expected, years)
