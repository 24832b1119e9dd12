"""``--known``: what readers know of denominators from elsewhere, for who protects and for who attacks."""

import random
from pathlib import Path

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

from claimatlas.cli import main
from claimatlas.configuration import load_configuration
from claimatlas.configuration.known_counts import read_known_counts
from claimatlas.configuration.publication import load_publication
from claimatlas.errors import InputError
from publication.country import TOWNS, YEAR, atoms, configuration, gold_rows, write_gold

HEADER = "population,year,geo_level,geo_code,age_category,increased_reimbursement,delivery_type,sex,low,high"
GROUPS = {"yes": ("yes",), "other": ("no", "unknown")}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return configuration(tmp_path)


def drawn(seed: int, most: int = 4) -> dict[str, dict[tuple[str, str, str], int]]:
    dice = random.Random(seed)
    births = {atom: dice.randint(0, most) if atom[0] else 0 for atom in atoms()}
    no_midwife = {atom: sum(dice.random() < 0.3 for _ in range(count)) for atom, count in births.items()}
    nobody = {atom: sum(dice.random() < 0.4 for _ in range(count)) for atom, count in no_midwife.items()}
    return {"births": births, "no_midwife": no_midwife, "nobody": nobody}


def write(folder: Path, *lines: str) -> Path:
    file = folder / "known.csv"
    file.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    return file


def of_towns(births: dict[tuple[str, str, str], int], near: int) -> list[str]:
    """What a register of births tells of each town and group, within ``near``."""
    lines = []
    for town in TOWNS:
        for group, values in GROUPS.items():
            count = sum(births[town, value, kind] for value in values for kind in ("caesarean", "vaginal"))
            lines.append(f"deliveries,{YEAR},town,{town},all,{group},all,all,{max(count - near, 0)},{count + near}")
    return lines


def run(command: str, output: Path, conf: Path, *more: str) -> int:
    output_option = [str(output)] if command == "audit" else ["--output", str(output)]
    return main([command, *output_option, "--conf", str(conf), *more])


@pytest.mark.parametrize("seed", [3, 17])
def test_who_knows_more_needs_more_hidden(seed: int, tmp_path: Path, conf: Path) -> None:
    tables = drawn(seed, most=2)
    known = ("--known", str(write(tmp_path, *of_towns(tables["births"], near=0))))
    output = write_gold(tmp_path / "out", gold_rows(tables))
    assert run("protect", output, conf) == 0
    assert run("audit", output, conf) == 0
    assert run("audit", output, conf, *known) == 3
    assert run("protect", output, conf, *known) == 0
    assert run("audit", output, conf, *known) == 0


def test_where_no_pattern_is_left_nothing_is_written(tmp_path: Path, conf: Path) -> None:
    """Who knows all members of tiny groups needs one of them more only to know who is counted."""
    tables = drawn(1, most=2)
    output = write_gold(tmp_path / "out", gold_rows(tables))
    assert run("protect", output, conf, "--known", str(write(tmp_path, *of_towns(tables["births"], near=0)))) == 3
    assert not (output / "published" / "cells").exists()


@pytest.mark.parametrize("seed", range(3))
def test_rough_knowledge_can_be_lived_with(seed: int, tmp_path: Path, conf: Path) -> None:
    tables = drawn(seed, most=4)
    known = ("--known", str(write(tmp_path, *of_towns(tables["births"], near=1))))
    output = write_gold(tmp_path / "out", gold_rows(tables))
    assert run("protect", output, conf, *known) == 0
    assert run("audit", output, conf, *known) == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("births,2020,town,a1,all,all,all,all,1,2", "population 'births': there are deliveries"),
        ("deliveries,,town,a1,all,all,all,all,1,2", "year '': a whole number of at most nine digits is wanted"),
        ("deliveries,2020,city,a1,all,all,all,all,1,2", "geo_level 'city': there are land, part, town"),
        ("deliveries,2020,town,z9,all,all,all,all,1,2", "geo_code 'z9': there is no such place of town in 2020"),
        ("deliveries,2020,town,a1,all,no,all,all,1,2", "increased_reimbursement 'no': published are yes, other"),
        ("deliveries,2020,town,a1,all,all,all,male,1,2", "sex 'male': deliveries are not split by it"),
        ("deliveries,2020,town,a1,all,all,all,all,-1,2", "low '-1': a whole number of at most nine digits is wanted"),
        ("deliveries,2020,town,a1,all,all,all,all,1,x", "high 'x': a whole number of at most nine digits is wanted"),
        ("deliveries,2020,town,a1,all,all,all,all,3,2", "low '3': it is above high, 2"),
    ],
)
def test_a_mistake_is_named_with_its_line(line: str, said: str, tmp_path: Path, conf: Path) -> None:
    loaded = load_configuration(str(conf))
    good = f"deliveries,{YEAR},town,a2,all,all,all,all,0,9"
    file = write(tmp_path, good, line)
    with pytest.raises(InputError) as caught:
        read_known_counts(str(file), loaded, load_publication(loaded))
    assert str(caught.value).startswith(f"--known {file}, line 3: {said}")


def test_a_count_stands_once(tmp_path: Path, conf: Path) -> None:
    loaded = load_configuration(str(conf))
    lines = [f"deliveries,{YEAR},town,a2,{value},,all,,0,9" for value in ("all", "")]
    with pytest.raises(InputError, match="line 3: line 2 has the same count"):
        read_known_counts(str(write(tmp_path, *lines)), loaded, load_publication(loaded))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"deliveries,{YEAR},town,a1,all,all,all,all,900,901", "gold has a count outside low and high"),
        ("deliveries,2019,town,a1,all,all,all,all,0,900", "2019 is none of the years that are protected"),
        (f"deliveries,{YEAR},town,a1,20-24,all,all,all,0,900", "the denominators of deliveries have no such figure"),
    ],
)
def test_what_gold_does_not_have_is_refused(
    line: str, said: str, tmp_path: Path, conf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = write_gold(tmp_path / "out", gold_rows(drawn(1)))
    assert run("protect", output, conf, "--known", str(write(tmp_path, line))) == 2
    assert said in capsys.readouterr().err
    assert not (output / "published" / "cells").exists()


def test_the_attacker_names_what_contradicts_the_file(
    tmp_path: Path, conf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = write_gold(tmp_path / "out", gold_rows(drawn(1)))
    assert run("protect", output, conf) == 0
    file = write(tmp_path, f"deliveries,{YEAR},land,x,all,all,all,all,900,901")
    assert run("audit", output, conf, "--known", str(file)) == 2
    assert f"--known {file}, line 2: another count is published." in capsys.readouterr().err
    assert run("audit", output, conf, "--known", str(tmp_path / "none.csv")) == 2
    assert "there is no such file" in capsys.readouterr().err
