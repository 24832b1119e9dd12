"""Denominators restricted by ages, sexes, flags and enrolment."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from claimatlas import cli
from claimatlas.cells import shares
from claimatlas.configuration import load_configuration
from claimatlas.configuration.indicators import Denominator, Indicator
from claimatlas.configuration.publication import load_publication
from claimatlas.configuration.starters import write_starter
from claimatlas.errors import InputError
from claimatlas.sheets.facts import gather
from integration.own_configuration import change
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

OF_DELIVERIES, OF_PEOPLE = "without_doctor", "scanned"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    folder = tmp_path / "conf"
    write_starter("minimal", folder)
    return folder


def restrict(conf: Path, name: str, denominator: dict[str, Any], *, spans: bool = False) -> Path:
    file = conf / "indicators" / f"{name}.yaml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**data, "denominator": denominator}), encoding="utf-8")
    if spans:
        settings = conf / "settings.yaml"
        text = settings.read_text(encoding="utf-8")
        person_years = "population: {given_as: person_years, member_on: null}"
        assert person_years in text
        spans_text = text.replace(person_years, "population: {given_as: spans, member_on: any_day}")
        settings.write_text(spans_text, encoding="utf-8")
    return conf


def indicator(conf: Path, name: str) -> Indicator:
    return next(one for one in load_configuration(str(conf)).indicators if one.id == name)


@pytest.mark.parametrize(
    ("denominator", "counted"),
    [
        ({"ages": {"from": 20, "to": 34}}, "bcd"),
        ({"ages": {"from": 35}}, "e"),
        ({"with_flag": "doctor_after_delivery"}, "bf"),
        ({"without_flag": "doctor_after_delivery"}, "ace"),
        ({"enrolled": {"days_before": 280, "days_after": 42}}, "bf"),
        ({"enrolled": {"days_before": 0}}, "abcf"),
        ({"delivery_types": ["caesarean"], "ages": {"to": 34}}, "bd"),
    ],
)
def test_deliveries_that_are_counted(
    spark: SparkSession, conf: Path, denominator: dict[str, Any], counted: str
) -> None:
    rows = [
        ("a", 19, False, 280, 41, "vaginal"),
        ("b", 20, True, 280, 42, "caesarean"),
        ("c", 34, False, 279, 42, "vaginal"),
        ("d", 30, None, None, None, "caesarean"),
        ("e", 35, False, None, None, "caesarean"),
        ("f", None, True, 300, 60, "vaginal"),
    ]
    columns = (
        "n string, age int, doctor_after_delivery boolean, enrolled_days_before int, enrolled_days_after int, "
        "delivery_kind string"
    )
    one = indicator(restrict(conf, OF_DELIVERIES, denominator, spans=True), OF_DELIVERIES)
    found = spark.createDataFrame(rows, columns).select("n", F.expr(shares.is_counted(one)).alias("is")).collect()
    assert "".join(row["n"] for row in found if row["is"]) == counted


@pytest.mark.parametrize(
    ("denominator", "counted"),
    [({"sexes": ["female"]}, "ab"), ({"ages": {"from": 18, "to": 64}, "sexes": ["female", "male"]}, "bc")],
)
def test_beneficiaries_that_are_counted(
    spark: SparkSession, conf: Path, denominator: dict[str, Any], counted: str
) -> None:
    rows = [("a", 17, "female"), ("b", 18, "female"), ("c", 64, "male"), ("d", 40, "unknown"), ("e", None, "male")]
    one = indicator(restrict(conf, OF_PEOPLE, denominator), OF_PEOPLE)
    frame = spark.createDataFrame(rows, "n string, age int, recorded_sex string")
    found = frame.select("n", F.expr(shares.is_counted(one)).alias("is")).collect()
    assert "".join(row["n"] for row in found if row["is"]) == counted


@pytest.mark.parametrize(
    ("name", "denominator", "said"),
    [
        (OF_PEOPLE, {"with_flag": "doctor_after_delivery"}, "of beneficiary-years only ages and sexes"),
        (OF_DELIVERIES, {"sexes": ["female"]}, "deliveries are of women"),
        (OF_DELIVERIES, {"with_flag": "doctor"}, "services.yaml has no delivery flag 'doctor'"),
        (OF_DELIVERIES, {"enrolled": {"days_before": 1}}, "only spans of enrolment tell it"),
        (OF_DELIVERIES, {"ages": {"from": 9, "to": 8}}, "to must not be below from"),
    ],
)
def test_a_restriction_must_fit(conf: Path, name: str, denominator: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=f"indicators/{name}.yaml.*{said}"):
        load_configuration(str(restrict(conf, name, denominator)))


def test_denominators_have_one_name_when_they_count_the_same() -> None:
    given = [
        {},
        {"ages": {"from": 20}},
        {"ages": {"from": 20, "to": 34}},
        {"sexes": ["female"]},
        {"with_flag": "x"},
        {"without_flag": "x"},
        {"enrolled": {"days_before": 5}},
        {"enrolled": {"days_after": 5}},
    ]
    declared = [Denominator.model_validate(one) for one in given]
    assert len({one.name for one in declared}) == len({one.meaning for one in declared}) == len(given)
    both = [Denominator.model_validate({"delivery_types": types}) for types in (["a", "b"], ["b", "a"])]
    assert both[0].name == both[1].name


def test_what_cannot_be_protected_is_refused(conf: Path) -> None:
    # Split by the sex of everybody beside it, it would tell more than that it is a part.
    declared = yaml.safe_load((conf / "indicators" / f"{OF_PEOPLE}.yaml").read_text(encoding="utf-8"))
    assert "sex" in declared["dimensions"]
    others = {**declared, "id": "others"}
    (conf / "indicators" / "others.yaml").write_text(yaml.safe_dump(others), encoding="utf-8")
    change(conf / "publication.yaml", sensitive_sides={"others": "numerator"})
    restrict(conf, OF_PEOPLE, {"sexes": ["female"]})
    with pytest.raises(InputError, match="scanned: its denominator is restricted by sexes, and others is split by sex"):
        load_publication(load_configuration(str(conf)))
    file = conf / "publication.yaml"
    rules = yaml.safe_load(file.read_text(encoding="utf-8"))
    side = rules["sensitive_sides"].pop(OF_PEOPLE)
    rules["not_published"] = [OF_PEOPLE]
    file.write_text(yaml.safe_dump(rules), encoding="utf-8")
    assert load_publication(load_configuration(str(conf))).not_published == (OF_PEOPLE,)
    for changes, said in (
        ({"not_published": [OF_PEOPLE, "none"]}, "declares no 'none'"),
        ({"sensitive_sides": {**rules["sensitive_sides"], OF_PEOPLE: side}}, "sensitive_sides names scanned too"),
        (
            {"differences": [{"whole": OF_PEOPLE, "part": OF_PEOPLE, "of": "numerator"}]},
            "differences.*scanned is in not_published",
        ),
    ):
        file.write_text(yaml.safe_dump({**rules, **changes}), encoding="utf-8")
        with pytest.raises(InputError, match=said):
            load_publication(load_configuration(str(conf)))


def test_a_sheet_says_who_is_counted(conf: Path, tmp_path: Path) -> None:
    given = {"ages": {"from": 20}, "without_flag": "doctor_after_delivery", "enrolled": {"days_after": 42}}
    restrict(conf, OF_DELIVERIES, given, spans=True)
    assert cli.main(["describe", "--conf", str(conf), "--output", str(tmp_path / "sheets"), "--format", "md"]) == 0
    text = (tmp_path / "sheets" / "en" / f"{OF_DELIVERIES}.md").read_text(encoding="utf-8")
    said = "enrolled without a gap from 0 days before to 42 days after the delivery"
    assert "all deliveries of the calendar year, of these only those aged 20 and over, without the flag" in text
    assert f"{said} are counted; who is unknown in one of these is not." in text
    assert "No restriction" not in text


def test_a_sheet_has_the_codes_and_the_window_of_a_flag_of_the_denominator(conf: Path) -> None:
    """A flag that only restricts who is counted is read from claims as one of the numerator is."""
    services = yaml.safe_load((conf / "services.yaml").read_text(encoding="utf-8"))
    services["delivery_flags"]["scanned_before"] = {"code_lists": ["scan"], "window": "pregnancy"}
    (conf / "services.yaml").write_text(yaml.safe_dump(services, sort_keys=False), encoding="utf-8")
    settings = yaml.safe_load((conf / "settings.yaml").read_text(encoding="utf-8"))
    settings["windows"]["pregnancy"] = {"first_day": -270, "last_day": -1}
    (conf / "settings.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    restrict(conf, OF_DELIVERIES, {"with_flag": "scanned_before"})
    configuration = load_configuration(str(conf))
    indicator = next(one for one in configuration.indicators if one.id == OF_DELIVERIES)
    facts = gather(indicator, configuration)
    assert "scan" in {used.codes.name for used in facts.code_lists}
    assert set(facts.windows) == {"six_weeks", "pregnancy"}
    assert facts.days_before == 270
    # The numerator is told without it.
    assert facts.flags_of_numerator == (configuration.services.delivery_flags["doctor_after_delivery"],)
    write_sheets = ["describe", "--conf", str(conf), "--output", str(conf / "sheets_of_it"), "--format", "md"]
    assert cli.main(write_sheets) == 0
    text = (conf / "sheets_of_it" / "en" / f"{OF_DELIVERIES}.md").read_text(encoding="utf-8")
    assert "200012" in text


def test_a_restriction_has_a_hash_of_its_own(conf: Path) -> None:
    before = load_configuration(str(conf)).hashes
    after = load_configuration(str(restrict(conf, OF_PEOPLE, {"sexes": ["female"]}))).hashes
    assert {name for name in before if before[name] != after[name]} == {"indicators"}
