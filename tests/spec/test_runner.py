"""The runner itself: it finds the files, refuses what it does not know, and fails when a result is wrong."""

import copy
import re
from dataclasses import replace
from pathlib import Path

import pytest
from claimatlas.errors import InputError
from pyspark.sql import SparkSession
from spec.runner import plain
from spec.runner.compare import Found, check
from spec.runner.pipeline import Pipeline, worlds_of
from spec.runner.scenario import CELL_KEY, FOLDER, Case, find_cases, read_cases

CASES = find_cases()

SCENARIO = """\
title: One billing is one delivery
rule: "3.3: A billing is a delivery."
claims: |
  service_date | nomenclature_code
  2023-03-01   | 424093
expect:
  deliveries: |
    delivery_date | billings
    2023-03-01    | 1
"""


def write(folder: Path, text: str, name: str = "scenario.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def changed(old: str, new: str) -> str:
    assert old in SCENARIO
    return SCENARIO.replace(old, new)


def test_the_plain_scenario_can_be_read(tmp_path: Path) -> None:
    (case,) = read_cases(write(tmp_path, SCENARIO), tmp_path)
    assert case.id == "scenario"
    assert case.expected == {"deliveries": [{"delivery_date": "2023-03-01", "billings": "1"}]}
    assert case.tables["claims"][0]["quantity"] == "1"
    assert [row["beneficiary_id"] for row in case.tables["population"]] == ["a"]
    assert "hospital_stays" not in case.tables


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(SCENARIO + "expected: nothing\n", "expected: Extra inputs", id="unknown key"),
        pytest.param(SCENARIO + "  delivery: x\n", "expect.delivery: Extra inputs", id="unknown result"),
        pytest.param(SCENARIO + "years: [soon]\n", "years.0", id="a year that is none"),
        pytest.param(SCENARIO + "rule: '3.3: again'\n", "a key stands twice", id="repeated key"),
        pytest.param(changed("billings\n", "billing\n"), "unknown column 'billing'", id="unknown result column"),
        pytest.param(changed("service_date |", "date |"), "unknown column 'date'", id="unknown input column"),
        pytest.param(changed("| 424093", ""), "1 fields instead of 2", id="a field is missing"),
        pytest.param(changed("| 424093", "| 424093 | 1"), "3 fields instead of 2", id="a field too many"),
        pytest.param(changed("| billings", "| delivery_date"), "a column stands twice", id="repeated column"),
        pytest.param(changed("3.3: A billing is a delivery.", "a rule"), "rule", id="a rule without its section"),
        pytest.param(changed("title: One billing is one delivery\n", ""), "title: Field required", id="no title"),
        pytest.param(SCENARIO.partition("expect:")[0], "give either expect or readings", id="nothing expected"),
        pytest.param(SCENARIO.partition("  deliveries:")[0], "expect", id="an empty expectation"),
        pytest.param(SCENARIO + "readings: [{expect: {warnings: []}}]\n", "either expect or readings", id="both"),
        pytest.param(
            SCENARIO + "  cells: |\n    numerator\n    1\n", "a cell needs its indicator_id", id="a cell of nothing"
        ),
        pytest.param(
            SCENARIO + "  cells: |\n    indicator_id\n    x\nyears: [2022, 2023]\n", "name the year", id="which year"
        ),
        pytest.param(
            SCENARIO + "population: |\n  beneficiary_id\n  a\nyears: [2022, 2023]\n", "name the year", id="whose year"
        ),
        pytest.param("title: [", "scenario: ", id="no YAML"),
    ],
)
def test_what_a_scenario_cannot_say_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_cases(write(tmp_path, text), tmp_path)
    assert str(caught.value).startswith("scenario: "), "the message must name the file"


def test_every_file_of_the_folder_is_found() -> None:
    files = [file.relative_to(FOLDER).with_suffix("").as_posix() for file in FOLDER.rglob("*.y*ml")]
    assert {re.sub(r"-\d+$", "", case.id) for case in CASES} == set(files)
    assert len({case.id for case in CASES}) == len(CASES)


def test_the_example_of_the_readme_is_a_scenario_that_holds(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    (case,) = read_cases(write(tmp_path, example), tmp_path)
    check(case, plain.run(case, tmp_path))


# --- A wrong expectation fails -------------------------------------------------------------------


def with_expected(case: Case, part: str, rows: list[dict[str, str | None]]) -> Case:
    return replace(case, expected={part: rows}, warnings=None)


def wrong_versions(case: Case, found: Found) -> list[Case]:
    """The case with each single expectation made wrong."""
    versions = []
    for part, rows in case.expected.items():
        if part == "record":
            continue
        if part == "no_cells":
            versions += [with_expected(case, part, [dict(zip(CELL_KEY, key, strict=True))]) for key in found.cells][:1]
            continue
        for number, row in enumerate(rows):
            for column in row:
                wrong = copy.deepcopy(rows)
                wrong[number][column] = "987654"
                versions.append(with_expected(case, part, wrong))
                if row[column] is not None:
                    wrong = copy.deepcopy(rows)
                    wrong[number][column] = None
                    versions.append(with_expected(case, part, wrong))
            if part != "cells":
                versions.append(with_expected(case, part, rows[:number] + rows[number + 1 :]))
        if part != "cells":
            extra = dict.fromkeys(rows[0] if rows else ["beneficiary_id"], "a")
            versions.append(with_expected(case, part, [*rows, extra]))
    return versions


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_each_expected_value_is_looked_at(case: Case, tmp_path: Path) -> None:
    found = plain.run(case, tmp_path)
    for wrong in wrong_versions(case, found):
        with pytest.raises(AssertionError, match=re.escape(case.title)):
            check(wrong, found)


def test_record_and_warnings_are_looked_at() -> None:
    case = next(case for case in CASES if case.id == "8_cells/open_left_edge")
    for warnings in ([], ["2023: another warning"], [*(case.warnings or ()), "one more"]):
        with pytest.raises(AssertionError, match="warnings: expected"):
            check(case, Found(warnings=warnings))
    check(case, Found(warnings=[f"{case.warnings[0] if case.warnings else ''} and so on"]))
    row = {"step": "deliveries.2023", "count": "deliveries", "value": "2"}
    counting = with_expected(case, "record", [row])
    check(counting, Found(record={"deliveries.2023": {"deliveries": 2}}))
    for record in ({}, {"deliveries.2023": {}}, {"deliveries.2023": {"deliveries": 3}}):
        with pytest.raises(AssertionError, match=r"record: deliveries\.2023"):
            check(counting, Found(record=record))


@pytest.mark.parametrize(
    ("expected", "value", "fits"),
    [
        ("50", 50.0, True),
        ("50", 50.0001, False),
        ("33.33", 100 / 3, True),
        ("33.34", 100 / 3, False),
        ("33.3333333", 100 / 3, True),
        (None, None, True),
        (None, 0.0, False),
        ("0", None, False),
        ("0", 0, True),
    ],
)
def test_numbers_are_compared_to_the_decimals_that_are_written(
    expected: str | None, value: float | None, fits: bool
) -> None:
    case = next(case for case in CASES if "cells" in case.expected)
    key = dict.fromkeys(CELL_KEY, "x")
    asked = with_expected(case, "cells", [{**key, "value": expected}])
    found = Found(cells={("x",) * len(CELL_KEY): {**key, "value": value}})
    if fits:
        check(asked, found)
    else:
        with pytest.raises(AssertionError, match="cells: expected"):
            check(asked, found)


def test_the_pipeline_fails_a_wrong_scenario_and_keeps_cases_apart(tmp_path: Path, spark: SparkSession) -> None:
    right = write(tmp_path, SCENARIO, "right.yaml")
    wrong = write(tmp_path, changed("| 1\n", "| 2\n"), "wrong.yaml")
    # The same woman and the same claim_id, 25 days later: in the same run, but another case.
    other = write(tmp_path, SCENARIO.replace("2023-03-01", "2023-03-26"), "other.yaml")
    cases = [case for file in (right, wrong, other) for case in read_cases(file, tmp_path)]
    pipeline = Pipeline(cases, tmp_path)
    assert len(worlds_of(cases)) == 1
    check(cases[0], pipeline.run(cases[0], lambda: spark))
    check(cases[2], pipeline.run(cases[2], lambda: spark))
    with pytest.raises(AssertionError, match="deliveries: expected"):
        check(cases[1], pipeline.run(cases[1], lambda: spark))


# --- Which cases share a run ---------------------------------------------------------------------


def cells_case(folder: Path, name: str, more: str = "", year: int = 2023, status: bool = False) -> Case:
    text = SCENARIO.replace("2023", str(year)) + f"years: [{year}]\n{more}"
    cell = "    indicator_id | status\n    x | final\n" if status else "    indicator_id | value\n    x | 1\n"
    (case,) = read_cases(write(folder, text.replace("years:", f"  cells: |\n{cell}years:"), f"{name}.yaml"), folder)
    return case


def shared(cases: list[Case]) -> list[set[str]]:
    return [{case.id for case in world.cases} for world in worlds_of(cases)]


def test_cases_that_sum_over_persons_share_a_run_only_when_their_years_are_apart(tmp_path: Path) -> None:
    one = cells_case(tmp_path, "one", year=2023)
    same_year = cells_case(tmp_path, "same_year", year=2023)
    apart = cells_case(tmp_path, "apart", year=2020)
    assert shared([one, same_year, apart]) == [{"one", "apart"}, {"same_year"}]


def test_a_line_or_person_of_another_year_keeps_cases_apart_too(tmp_path: Path) -> None:
    one = cells_case(tmp_path, "one", year=2020)
    reaching = cells_case(tmp_path, "reaching", "population: |\n  beneficiary_id | year\n  a | 2020\n", year=2023)
    assert shared([one, reaching]) == [{"one"}, {"reaching"}]


def test_other_settings_lists_or_dates_are_other_runs(tmp_path: Path) -> None:
    one = cells_case(tmp_path, "one", year=2020)
    settings = cells_case(tmp_path, "settings", "settings: {episode_rule: anchored}\n", year=2021)
    shipped = cells_case(tmp_path, "shipped", "settings: {episode_rule: chained}\n", year=2022)
    lists = cells_case(tmp_path, "lists", "code_lists: {midwife: code}\n", year=2023)
    assert shared([one, settings, shipped, lists]) == [{"one", "shipped"}, {"settings"}, {"lists"}]


def test_a_status_by_the_latest_claim_is_looked_at_alone(tmp_path: Path) -> None:
    one = cells_case(tmp_path, "one", year=2020)
    by_claims = cells_case(tmp_path, "by_claims", year=2021, status=True)
    by_date = cells_case(tmp_path, "by_date", "complete_through: 2022-12-31\n", year=2022, status=True)
    other_date = cells_case(tmp_path, "other_date", "complete_through: 2023-12-31\n", year=2023, status=True)
    assert shared([one, by_claims, by_date, other_date]) == [{"by_date", "one"}, {"other_date"}, {"by_claims"}]


def test_an_unknown_setting_or_code_list_fails(tmp_path: Path, spark: SparkSession) -> None:
    setting = write(tmp_path, SCENARIO + "settings: {episode_rules: chained}\n", "setting.yaml")
    code_list = write(tmp_path, SCENARIO + "code_lists: {midwives: code}\n", "code_list.yaml")
    cases = [case for file in (setting, code_list) for case in read_cases(file, tmp_path)]
    pipeline = Pipeline(cases, tmp_path)
    for _ in range(2):
        with pytest.raises(InputError, match="there is no setting of this name"):
            pipeline.run(cases[0], lambda: spark)
        with pytest.raises(AssertionError, match="there is no code list midwives"):
            pipeline.run(cases[1], lambda: spark)
