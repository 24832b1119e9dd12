"""The pipeline and the plain-Python reference agree on random claims in narrow ranges.

Narrow ranges make equal days, ties and boundaries frequent. One example is many small worlds in one input,
because a run of the pipeline costs seconds and judges a thousand people as fast as ten.
"""

import random
import shutil
from collections.abc import Iterable
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
from reference.model import Malformed, Result, Tables

from generative.worlds import AS_OF, random_worlds, randomly

ROOT = Path(__file__).resolve().parents[2]
WORLDS = 80


def computed_both_ways(
    tables: Tables, years: Iterable[int], folder: Path, overrides: dict[str, object], conf: Path | None = None
) -> Result:
    """Run the tables through the command, into ``folder``, and through the reference; gives what that expects.

    Without ``conf`` by the shipped configuration, which the command then finds by itself.
    """
    write_csv(tables, folder / "input", files=3)
    arguments = ["--input", str(folder / "input"), "--output", str(folder / "output"), "--as-of", AS_OF.isoformat()]
    arguments += ["--year", *map(str, years), *(["--conf", str(conf)] if conf else [])]
    for name, value in overrides.items():
        arguments += ["--set", f"{name}={value}"]
    assert main(["run-year", *arguments]) == 0
    return compute(tables, list(years), conf_dir=conf or ROOT / "conf", settings=overrides, as_of=AS_OF)


@pytest.mark.slow
@pytest.mark.shuffle_partitions(3)
@randomly
def test_every_cell_delivery_and_rejection_is_equal(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int, overrides: dict[str, object]
) -> None:
    rng = random.Random(seed)
    years, tables = random_worlds(rng, WORLDS)
    folder = tmp_path_factory.mktemp("worlds")
    expected = computed_both_ways(tables, years, folder, overrides)
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


@pytest.mark.long
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
    expected = computed_both_ways(tables, years, folder, overrides, conf)
    flags = yaml.safe_load((conf / "services.yaml").read_text(encoding="utf-8"))["delivery_flags"]
    several = [name for name, flag in flags.items() if flag.get("least_days", 1) > 1]
    assert any(row[name] for row in expected.deliveries for name in several), "no flag of several days is raised"
    assert_output_equals_reference(spark, folder / "output", expected, years)


# --- Dimensions that are declared beside the method's ----------------------------------------------------

WORDS = ("1", "2", "3", "4", "5", "a", "b", "north", "1.0", " 2 ", "other", "")
"""Words of the columns that dimensions read; some are declared, some not, some are numbers written as fractions."""


def declare_dimensions(conf: Path, rng: random.Random) -> list[str]:
    """Draw dimensions from every source in a random order, and indicators split by some; gives back the columns."""
    columns = ["quintile", "fund"]
    drawn: dict[str, dict[str, Any]] = {
        "age_band": {"source": "age", "classes": {key: classes(rng) for key in ("deliveries", "beneficiaries")}},
        "gender": {"source": "population.sex", "values": ["male", "female"]},
        "right": {"source": "population.increased_reimbursement", "type": "boolean", "values": ["no", "yes"]},
        "kind": {"source": "delivery.delivery_type", "populations": ["deliveries"]},
        "seen_by_gp": {"source": "delivery.contact_gp", "values": ["yes", "no"], "populations": ["deliveries"]},
        "quintile": {"source": "population.quintile", "values": ["1", "2", "3", "4", "5"]},
        "group": {"source": "population.fund", "values": rng.sample(["a", "b", "north", "1", "2"], 3)},
        "group_of_mothers": {"source": "population.fund", "values": ["other"], "populations": ["deliveries"]},
    }
    chosen = rng.sample(sorted(drawn), rng.randint(5, len(drawn)))
    if not {"right"} & set(chosen):
        chosen.append("right")
    (conf / "dimensions.yaml").write_text(
        yaml.safe_dump({name: drawn[name] for name in chosen}, sort_keys=False), encoding="utf-8"
    )
    for file in (conf / "indicators").iterdir():
        file.unlink()
    flag = {"code_lists": ["gp_raadpl"], "window": "postnatal"}
    change(conf / "services.yaml", delivery_flags={"flag_0": flag})
    of_deliveries = [name for name in chosen if drawn[name].get("populations") in (None, ["deliveries"])]
    of_persons = [name for name in chosen if drawn[name].get("populations") is None]
    for number in range(3):
        names = rng.sample(of_deliveries, rng.randint(0, min(3, len(of_deliveries))))
        write_indicator(
            conf,
            f"cube_007_split_{number}",
            population="deliveries",
            numerator={"with_any": ["flag_0"]},
            unit="percent",
            dimensions=names,
            levels=LEVELS,
        )
        names = rng.sample(of_persons, rng.randint(0, min(3, len(of_persons))))
        write_indicator(
            conf,
            f"stat_013_split_{number}",
            population="beneficiary_years",
            numerator={"with_service": "imaging_therapeutic"},
            unit="percent",
            dimensions=names,
            levels=LEVELS,
        )
    read = {str(drawn[name]["source"]).partition(".")[2] for name in chosen}
    return [column for column in columns if column in read]


def classes(rng: random.Random) -> list[dict[str, Any]]:
    """Age classes in narrow ranges: three or four of them."""
    starts = sorted(rng.sample(range(1, 60), rng.randint(2, 3)))
    ends = [start - 1 for start in starts]
    closed = [
        {"label": f"c{first}", "from": first, "to": last} for first, last in zip([0, *starts], ends, strict=False)
    ]
    return [*closed, {"label": "the rest", "from": starts[-1]}]


@pytest.mark.long
@pytest.mark.shuffle_partitions(3)
@randomly
def test_declared_dimensions_are_equal(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int, overrides: dict[str, object]
) -> None:
    rng = random.Random(seed)
    years, tables = random_worlds(rng, WORLDS)
    folder = tmp_path_factory.mktemp("dimensions")
    conf = Path(shutil.copytree(ROOT / "conf", folder / "conf"))
    columns = declare_dimensions(conf, rng)
    for row in tables["population"]:
        if not isinstance(row, Malformed):
            row.update({column: rng.choice(WORDS) for column in columns})
    expected = computed_both_ways(tables, years, folder, overrides, conf)
    assert any(set(key[4:]) != {"all"} for key in expected.cells), "no cell is split"
    assert_output_equals_reference(spark, folder / "output", expected, years)
