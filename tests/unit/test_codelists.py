"""The checks of the code lists, and the command that runs them."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from claimatlas import cli
from claimatlas.configuration import load_configuration
from claimatlas.configuration.codelists import (
    CodeList,
    CodeListRow,
    find_empty,
    find_mistakes,
)
from claimatlas.configuration.codes import SIX_DIGITS

ROOT = Path(__file__).resolve().parents[2]
JANUARY, JUNE, JULY, DECEMBER = date(2022, 1, 1), date(2022, 6, 30), date(2022, 7, 1), date(2022, 12, 31)


def row(code: int, line: int, valid_from: date | None = None, valid_to: date | None = None) -> CodeListRow:
    return CodeListRow(code, {}, valid_from, valid_to, "page", "page", line)


def mistakes(*rows: CodeListRow) -> list[str]:
    return list(find_mistakes({"midwife": CodeList("midwife", rows)}, SIX_DIGITS))


@pytest.mark.parametrize("code", [424093, 422225, 101032, 589013, 100004, 999983])
def test_the_sixth_digit_is_the_first_five_modulo_7(code: int) -> None:
    # 42409 = 7 x 6058 + 3, 42222 = 7 x 6031 + 5, 10103 = 7 x 1443 + 2, 58901 = 7 x 8414 + 3.
    assert SIX_DIGITS.has_valid_check(code)


@pytest.mark.parametrize("code", [424094, 422224, 101031, 589014, 100000, 424039, 244093])
def test_a_mistyped_code_has_another_check_digit(code: int) -> None:
    assert not SIX_DIGITS.has_valid_check(code)


def test_the_check_digit_of_each_row_is_looked_at() -> None:
    assert mistakes(row(422030, 2), row(422031, 3)) == [
        "codelists/midwife.csv, line 3: 422031 has a wrong check digit."
    ]


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ((None, None), (None, None), "line 3: 422030 stands twice."),
        ((JANUARY, JUNE), (JANUARY, JUNE), "line 3: 422030 stands twice."),
        ((JANUARY, JUNE), (JULY, DECEMBER), None),
        ((JULY, DECEMBER), (JANUARY, JUNE), None),
        ((JANUARY, JUNE), (JUNE, DECEMBER), "line 3: the validity of 422030 overlaps line 2."),
        ((JUNE, DECEMBER), (JANUARY, JUNE), "line 2: the validity of 422030 overlaps line 3."),
        ((None, JUNE), (JULY, None), None),
        ((None, JULY), (JULY, None), "line 3: the validity of 422030 overlaps line 2."),
        ((None, None), (JULY, DECEMBER), "line 3: the validity of 422030 overlaps line 2."),
        ((JANUARY, None), (JULY, None), "line 3: the validity of 422030 overlaps line 2."),
        ((None, JANUARY), (None, JULY), "line 3: the validity of 422030 overlaps line 2."),
    ],
)
def test_rows_of_one_code(
    first: tuple[date | None, date | None], second: tuple[date | None, date | None], sentence: str | None
) -> None:
    expected = [f"codelists/midwife.csv, {sentence}"] if sentence else []
    assert mistakes(row(422030, 2, *first), row(422030, 3, *second)) == expected


def test_a_validity_within_a_longer_one_overlaps_it() -> None:
    rows = (
        row(422030, 2, date(2020, 1, 1), date(2030, 1, 1)),
        row(422030, 3, date(2021, 1, 1), date(2021, 12, 31)),
        row(422030, 4, date(2025, 1, 1), date(2025, 12, 31)),
    )
    assert "codelists/midwife.csv, line 3: the validity of 422030 overlaps line 2." in mistakes(*rows)
    assert mistakes(rows[0], rows[2]) == ["codelists/midwife.csv, line 4: the validity of 422030 overlaps line 2."]


def test_one_code_may_stand_in_two_lists() -> None:
    lists = {name: CodeList(name, (row(102012, 2),)) for name in ("gynaecologist", "specialist")}
    assert list(find_mistakes(lists, SIX_DIGITS)) == []


def test_empty_lists_are_named() -> None:
    lists = {"a": CodeList("a", ()), "b": CodeList("b", (row(422030, 2),))}
    assert list(find_empty(lists)) == [
        "codelists/a.csv: the list is empty; indicators that need it are not computable."
    ]


def test_the_shipped_lists_have_no_mistakes_and_one_is_empty() -> None:
    lists = load_configuration().code_lists
    assert list(find_mistakes(lists, SIX_DIGITS)) == []
    assert [sentence.split(":")[0] for sentence in find_empty(lists)] == ["codelists/gestational_diabetes_test.csv"]


def test_the_shipped_lists_are_those_of_the_source_page() -> None:
    lists = {name: {row.code for row in found.rows} for name, found in load_configuration().code_lists.items()}
    assert lists["delivery_caesarean"] == {424093, 424104}
    assert lists["delivery_vaginal_hospital"] == {
        422225, 423500, 422671, 423673, 423010, 423021, 424012, 424023, 424071, 424082,
    }  # fmt: skip
    assert lists["delivery_home"] == {422656, 423651}
    assert lists["midwife"] == {
        422030, 428094, 428116, 422052, 428131, 428153, 422870, 422973, 428175, 428190, 422892, 428212, 428234, 422096,
        428374, 428396, 422111, 428411, 422133, 428433,
    }  # fmt: skip
    assert lists["midwife_postnatal"] == {422796, 422995, 428735}
    assert lists["physiotherapist"] == {561595, 561610, 561632, 561654, 561676, 564550, 561702, 561713, 561724}
    deliveries = [lists[f"delivery_{kind}"] for kind in ("caesarean", "vaginal_hospital", "home")]
    assert sum(map(len, deliveries)) == len(set().union(*deliveries)) == 14


# --- The command ---------------------------------------------------------------------------------


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "conf", tmp_path / "conf"))


def add_line(conf: Path, line: str) -> int:
    file = conf / "codelists" / "midwife.csv"
    with file.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    return len(file.read_text(encoding="utf-8").splitlines())


def test_the_command_is_content_with_the_shipped_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["codelists"]) == 0
    out, err = capsys.readouterr()
    assert "delivery_caesarean: 2 rows (2 page)" in out.splitlines()
    assert "gestational_diabetes_test: 0 rows" in out.splitlines()
    assert err.splitlines() == [
        "Note: codelists/gestational_diabetes_test.csv: the list is empty; indicators that need it are not computable."
    ]


def test_the_command_ends_with_2_and_names_every_mistake(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = add_line(conf, "midwife,422031,,,,,,typed by hand,memory")
    second = add_line(conf, "midwife,422052,,,,,,typed by hand,memory")
    assert cli.main(["codelists", "--conf", str(conf)]) == 2
    err = capsys.readouterr().err
    assert f"codelists/midwife.csv, line {first}: 422031 has a wrong check digit." in err
    # 422052 has a row from 1998-07-01 on; the new one has no start.
    assert f"the validity of 422052 overlaps line {second}." in err


def test_the_command_ends_with_2_when_a_list_cannot_be_read(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = add_line(conf, "midwife,midwife,,,,,,x,memory")
    assert cli.main(["codelists", "--conf", str(conf)]) == 2
    assert capsys.readouterr().err == (
        f"claimatlas: codelists/midwife.csv, line {line}: the code 'midwife' is not a number.\n"
    )
