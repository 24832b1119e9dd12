"""What the notebooks make of findings and cells before they show them."""

import pytest
from claimatlas.checks.checks_stage import Checked
from claimatlas.checks.findings import COMPLETENESS, RUN_OUT, Finding
from claimatlas.configuration import load_configuration
from claimatlas.errors import InputError
from claimatlas.notebooks import quality, result

CONFIGURATION = load_configuration()


def month(year: int, number: int, share: float) -> Finding:
    subject = {"group": "all lines", "year": year, "month": number}
    return Finding(COMPLETENESS, subject, share, 0.8, share >= 0.8, f"{year}-{number}: {share}", 900)


FINDINGS = (
    month(2022, 1, 1.0),
    month(2023, 1, 0.9),
    month(2023, 2, 0.4),
    Finding(RUN_OUT, {"year": 2023, "share": "after_3_months"}, 0.125, None, True, "late", 800),
    Finding(RUN_OUT, {"year": 2023, "share": "after_12_months"}, None, 0.05, True, "nothing", None),
)


def test_the_months_of_one_year() -> None:
    assert quality.by_month(FINDINGS[:3], 2023) == {("all lines", 1): 0.9, ("all lines", 2): 0.4}
    assert quality.by_month(FINDINGS[:3], None) == {}


def test_figures_are_in_percent_and_what_is_not_known_stays_so() -> None:
    assert quality.measured(FINDINGS, RUN_OUT, ["year", "share"]) == [
        {"what": "2023, after_3_months", "percent": 12.5, "allowed": None, "within": True, "cases": 800},
        {"what": "2023, after_12_months", "percent": None, "allowed": 5.0, "within": True, "cases": None},
    ]


def test_only_what_is_beyond_its_bound_is_said_and_what_was_not_checked() -> None:
    assert quality.sentences(Checked((2023,), FINDINGS, ("There is no silver.",))) == [
        ("completeness", "2023-2: 0.4"),
        ("not checked", "There is no silver."),
    ]


def test_classes_come_in_their_order_and_others_last() -> None:
    rows = [{"age": age} for age in ("unknown", "20-24", "<20", "40+")]
    ordered = result.in_order(rows, "age", ["<20", "20-24", "40+"])
    assert [row["age"] for row in ordered] == ["<20", "20-24", "40+", "unknown"]


def test_every_unit_and_population_has_its_words() -> None:
    for indicator in CONFIGURATION.indicators:
        assert result.UNITS[indicator.unit]
        for dimension in indicator.dimensions:
            assert result.name_of(CONFIGURATION, dimension, "en") != dimension
            assert result.name_of(CONFIGURATION, dimension, "eo") == dimension


def test_an_indicator_is_found_by_name_and_level() -> None:
    assert result.indicator_at(CONFIGURATION, "cube_007_006b", "hospital").unit == "percent"
    with pytest.raises(InputError, match=r"no indicator cube; it declares cube_007_001a_denom, "):
        result.indicator_at(CONFIGURATION, "cube", "region")
    with pytest.raises(InputError, match=r"cube_007_006b has no level region; it has country, hospital\."):
        result.indicator_at(CONFIGURATION, "cube_007_006b", "region")
