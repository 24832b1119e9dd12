"""The pipeline and the plain-Python reference agree on random claims in narrow ranges.

Narrow ranges make equal days, ties and boundaries frequent. One example is many small worlds in one input,
because a run of the pipeline costs seconds and judges a thousand people as fast as ten.
"""

import random
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from claimatlas.cli import main
from comparison import assert_output_equals_reference
from integration.own_configuration import change, write_indicator
from pyspark.sql import SparkSession
from reference import compute
from reference.io import write_csv
from reference.model import Malformed, Tables

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


# --- Windows, flags and units that are declared beside the method's ------------------------------------

GROUPS = ("gp", "gynaecologist", "midwife", "physiotherapist", "specialist")
LISTS = ("prenatal_technical", "gestational_diabetes_test", "midwife_postnatal", "gp_raadpl")
LEVELS = ["country", "region", "municipality"]
DELIVERY_CODES = ("424093", "424104", "422225", "423010", "422656")
CONTACTS = (("101032", "1", None), ("101010", "3", None), ("422030", None, "40"), ("424056", None, None))
"""Code, competence and profession of services that contact groups and code lists hold."""
UNITS = ("percent", "per_100", "per_1000", "per_100000", "count")


def declare(conf: Path, rng: random.Random) -> None:
    """Random windows, flags that look into them, and indicators that count these, in place of those of the method."""
    for file in (conf / "indicators").iterdir():
        file.unlink()
    windows = {"window_0": {"first_day": rng.choice((-30, -3, 0)), "last_day": rng.choice((14, 60))}}
    for number in (1, 2):
        first = rng.choice((-280, -30, -3, -1, 0, 1, 7, 21))
        windows[f"window_{number}"] = {"first_day": first, "last_day": first + rng.choice((0, 2, 14, 60, 300))}
    declared: dict[str, Any] = {"flag_0": {"code_lists": ["gp_raadpl"], "window": "window_0", "least_days": 2}}
    for number in range(1, 5):
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


def plant_contacts(tables: Tables, rng: random.Random) -> None:
    """Add services around the deliveries, some on one day: those of the random worlds are too few for several days."""
    planted = []
    for number, row in enumerate(tables["claims"]):
        if isinstance(row, Malformed) or row["nomenclature_code"] not in DELIVERY_CODES:
            continue
        for contact in range(8):
            try:
                day = date.fromisoformat(row["service_date"] or "") + timedelta(rng.randint(-40, 60))
            except ValueError:
                break
            code, competence, profession = rng.choice(CONTACTS)
            planted.append(
                {
                    "claim_id": f"planted {number} {contact}",
                    "beneficiary_id": row["beneficiary_id"],
                    "service_date": day.isoformat(),
                    "nomenclature_code": code,
                    "quantity": rng.choice(("1", "1", "1", "-1")),
                    "provider_competence": competence,
                    "provider_profession": profession,
                }
            )
    tables["claims"] += planted


@pytest.mark.slow
@pytest.mark.shuffle_partitions(3)
@randomly
def test_declared_windows_flags_and_units_are_equal(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int, overrides: dict[str, object]
) -> None:
    rng = random.Random(seed)
    years, tables = random_worlds(rng, WORLDS)
    plant_contacts(tables, rng)
    folder = tmp_path_factory.mktemp("declared")
    conf = Path(shutil.copytree(ROOT / "conf", folder / "conf"))
    declare(conf, rng)
    write_csv(tables, folder / "input", files=3)
    arguments = ["--input", str(folder / "input"), "--output", str(folder / "output"), "--as-of", AS_OF.isoformat()]
    arguments += ["--year", *map(str, years), "--conf", str(conf)]
    for name, value in overrides.items():
        arguments += ["--set", f"{name}={value}"]

    assert main(["run-year", *arguments]) == 0

    expected = compute(tables, list(years), conf_dir=conf, settings=overrides, as_of=AS_OF)
    flags = yaml.safe_load((conf / "services.yaml").read_text(encoding="utf-8"))["delivery_flags"]
    several = [name for name, flag in flags.items() if flag.get("least_days", 1) > 1]
    assert any(row[name] for row in expected.deliveries for name in several), "no flag of several days is raised"
    assert_output_equals_reference(spark, folder / "output", expected, years)
