"""Final, provisional, not computable: the edges of each."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from claimatlas.cells.status import missing_code_lists, observes_until, status_of, why_not_computable
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.indicators import Description, Indicator, Names, Numerator
from claimatlas.deliveries.deliveries_stage import open_edges as open_edges_of

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = load_configuration()


def indicator(name: str, configuration: Configuration = SHIPPED) -> Indicator:
    return next(found for found in configuration.indicators if found.id == name)


def status(
    found: Indicator, reach: date | None, configuration: Configuration = SHIPPED, *, has_stays: bool = True
) -> str:
    return status_of(found, 2022, configuration, reach, has_stays=has_stays)


def with_flag(flag: str) -> Indicator:
    return Indicator(
        id="trial",
        names=Names(fr="", nl="", en=""),
        description=Description(fr="-", nl="-", en="-"),
        population="deliveries",
        numerator=Numerator(with_any=(flag,)),
        unit="percent",
        dimensions=(),
        levels=("country",),
        first_year=2006,
        source_page="",
    )


def without_codes(folder: Path, *names: str) -> Configuration:
    conf = folder / "conf"
    shutil.copytree(ROOT / "conf", conf)
    header = (conf / "codelists" / "midwife.csv").read_text(encoding="utf-8").splitlines()[0]
    for name in names:
        (conf / "codelists" / f"{name}.csv").write_text(header + "\n", encoding="utf-8")
    return load_configuration(str(conf))


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("stat_013_023", date(2022, 12, 31)),
        ("stat_013_024", date(2022, 12, 31)),
        ("cube_013_023", date(2022, 12, 31)),
        ("cube_007_001a_denom", date(2022, 12, 31)),
        ("cube_007_008a", date(2023, 2, 11)),
        ("cube_007_008b", date(2023, 2, 11)),
        ("cube_007_009a", date(2023, 2, 11)),
        ("cube_007_003a", date(2022, 12, 31)),
        ("cube_007_005a", date(2022, 12, 31)),
        ("cube_007_006b", date(2022, 12, 31)),
        ("cube_007_007a", date(2022, 12, 31)),
    ],
)
def test_what_an_indicator_observes(name: str, end: date) -> None:
    assert observes_until(indicator(name), 2022, SHIPPED) == end
    day_before = date.fromordinal(end.toordinal() - 1)
    day_after = date.fromordinal(end.toordinal() + 1)
    assert status(indicator(name), day_before) == "provisional"
    assert status(indicator(name), end) == "final"
    assert status(indicator(name), day_after) == "final"
    assert status(indicator(name), None) == "provisional"


def test_without_stays_only_the_length_of_stay_is_not_computable() -> None:
    late = date(2024, 1, 1)
    without = {found.id for found in SHIPPED.indicators if status(found, late, has_stays=False) == "not_computable"}
    with_stays = {found.id for found in SHIPPED.indicators if status(found, late) == "not_computable"}
    assert without - with_stays == {"cube_007_007a"}
    assert with_stays == {"cube_007_004a"}
    reason = why_not_computable(indicator("cube_007_007a"), SHIPPED, has_stays=False)
    assert reason == "cube_007_007a is not computable: the input has no table hospital_stays."
    assert why_not_computable(indicator("cube_007_007a"), SHIPPED, has_stays=True) is None


def test_before_a_leap_year_the_window_still_ends_on_11_february() -> None:
    assert observes_until(indicator("cube_007_008a"), 2023, SHIPPED) == date(2024, 2, 11)


def test_a_prenatal_service_is_observed_until_31_december() -> None:
    assert observes_until(with_flag("prenatal_contact"), 2022, SHIPPED) == date(2022, 12, 31)


def test_the_window_of_the_settings_decides() -> None:
    shorter = load_configuration(None, ["postnatal_window.last_day=10"])
    assert observes_until(indicator("cube_007_008a", shorter), 2022, shorter) == date(2023, 1, 10)
    assert observes_until(indicator("stat_013_023", shorter), 2022, shorter) == date(2022, 12, 31)


def test_an_empty_list_of_imaging_makes_three_indicators_not_computable(tmp_path: Path) -> None:
    configuration = without_codes(tmp_path, "imaging_therapeutic")
    statuses = {found.id: status(found, None, configuration) for found in configuration.indicators}
    imaging = {name for name, status in statuses.items() if status == "not_computable"}
    assert {"stat_013_023", "stat_013_024", "cube_013_023"} <= imaging
    assert "cube_007_008a" not in imaging
    assert missing_code_lists(indicator("stat_013_024", configuration), configuration) == ["imaging_therapeutic"]


def test_without_codes_of_caesareans_their_share_is_not_computable(tmp_path: Path) -> None:
    configuration = without_codes(tmp_path, "delivery_caesarean")
    assert missing_code_lists(indicator("cube_007_006b", configuration), configuration) == ["delivery_caesarean"]
    assert missing_code_lists(indicator("cube_007_001a_denom", configuration), configuration) == []


def test_one_group_without_codes_is_enough(tmp_path: Path) -> None:
    configuration = without_codes(tmp_path, "physiotherapist")
    assert missing_code_lists(indicator("cube_007_008a", configuration), configuration) == ["physiotherapist"]
    assert missing_code_lists(indicator("cube_007_009a", configuration), configuration) == []
    assert missing_code_lists(indicator("cube_007_001a_denom", configuration), configuration) == []


def test_one_empty_list_of_a_group_is_not_enough(tmp_path: Path) -> None:
    configuration = without_codes(tmp_path, "gp_bezarts", "gp_raadpl")
    assert missing_code_lists(indicator("cube_007_008a", configuration), configuration) == []


def test_the_shipped_empty_list_concerns_its_flag_only() -> None:
    assert missing_code_lists(with_flag("prenatal_gdm_test"), SHIPPED) == ["gestational_diabetes_test"]
    assert status(with_flag("prenatal_gdm_test"), date(2024, 1, 1)) == "not_computable"
    assert missing_code_lists(with_flag("prenatal_technical"), SHIPPED) == []


@pytest.mark.parametrize(
    ("first", "open_edges"),
    [
        ("2022-04-06", []),
        ("2022-04-07", ["prenatal services"]),
        ("2022-12-02", ["prenatal services"]),
        ("2022-12-03", ["deliveries", "prenatal services"]),
        ("2023-06-01", ["deliveries", "prenatal services"]),
        (None, ["deliveries", "prenatal services"]),
    ],
)
def test_claims_that_start_too_late_leave_the_left_edge_open(first: str | None, open_edges: list[str]) -> None:
    # 30 days before 1 January 2023 is 2 December, 270 days before it 6 April.
    said = open_edges_of(date.fromisoformat(first) if first else None, SHIPPED, [2023])
    assert [sentence.split(":")[1].removeprefix(" the left edge is open for ") for sentence in said] == open_edges
