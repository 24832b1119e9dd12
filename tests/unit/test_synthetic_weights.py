"""What is drawn by weights, for any configuration: people, spans, lines, deliveries; and mistakes in the file."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from claimatlas.cli import main
from claimatlas.configuration import load_configuration
from claimatlas.configuration.codes import Codes
from claimatlas.configuration.starters import write_starter
from claimatlas.configuration.weights import FILE, load_weights
from claimatlas.errors import InputError
from claimatlas.synthetic.parameters import Parameters
from claimatlas.synthetic.weighted import RowsOfPerson, WeightedWorld
from comparison import CONF
from examples import TEXT_CODES, Edit, editor_of

KEYS = CONF / "examples" / "joined_keys"
PARAMETERS = Parameters(2000, 2022, 2024, 3)


def world_of(conf: Path, parameters: Parameters = PARAMETERS) -> WeightedWorld:
    configuration = load_configuration(str(conf))
    return WeightedWorld(configuration, load_weights(configuration), parameters)


@cache
def drawn_of(conf: Path) -> tuple[WeightedWorld, list[RowsOfPerson]]:
    world = world_of(conf)
    return world, [world.draw(number) for number in range(PARAMETERS.beneficiaries)]


@pytest.fixture(params=[TEXT_CODES, KEYS], ids=lambda conf: conf.name)
def drawn(request: pytest.FixtureRequest) -> tuple[WeightedWorld, list[RowsOfPerson]]:
    return drawn_of(request.param)


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    return editor_of(TEXT_CODES, tmp_path)


def lines(drawn: list[RowsOfPerson]) -> Iterator[dict[str, Any]]:
    return (line for one in drawn for line in one.claims)


def test_ids_are_unique(drawn: tuple[WeightedWorld, list[RowsOfPerson]]) -> None:
    for key, table in (("claim_id", "claims"), ("stay_id", "hospital_stays")):
        ids = [row[key] for one in drawn[1] for row in getattr(one, table)]
        assert len(set(ids)) == len(ids) > 30


def test_a_person_does_not_depend_on_how_many_there_are(drawn: tuple[WeightedWorld, list[RowsOfPerson]]) -> None:
    world, people = drawn
    fewer = WeightedWorld(world.configuration, world.weights, Parameters(100, 2022, 2024, 3))
    assert [fewer.draw(number) for number in (99, 0, 40)] == [people[number] for number in (99, 0, 40)]
    other = WeightedWorld(world.configuration, world.weights, Parameters(100, 2022, 2024, 4))
    assert [other.draw(number) for number in range(50)] != people[:50]


def test_people_are_as_often_as_their_weights(drawn: tuple[WeightedWorld, list[RowsOfPerson]]) -> None:
    world, people = drawn
    first = [one.population[0] for one in people if one.population]
    assert 0.48 < Counter(row["sex"] for row in first)["female"] / len(first) < 0.54
    ages = [2022 - row["birth_date"].year for row in first]
    assert min(ages) == 0
    assert max(ages) == 89
    assert 0.22 < sum(18 <= age < 40 for age in ages) / len(ages) < 0.29
    for name, weights in world.weights.people.columns.items():
        found = Counter(row[name] for row in first)
        assert found.keys() <= {value or None for value in weights}
        assert 0 < found[None] < len(first) / 20 or "" not in weights


def test_spans_follow_each_other() -> None:
    _, people = drawn_of(TEXT_CODES)
    gaps = Counter()
    for one in people:
        for row, after in pairwise(one.population):
            assert row["start_date"] <= row["end_date"] < after["start_date"]
            gaps[after["start_date"] - row["end_date"] > timedelta(1)] += 1
        assert all(row["start_date"] >= row["birth_date"] for row in one.population)
    # Of 2,000 people in three years some 6 % a year leave, and 5 % move; a few of them come back too late.
    assert 250 < gaps[True] < 400
    assert 200 < gaps[False] < 400


def test_person_years_have_the_places_of_their_days() -> None:
    _, people = drawn_of(KEYS)
    years = [row for one in people for row in one.population]
    assert len({(row["beneficiary_id"], row["year"]) for row in years}) == len(years)
    moved = sum(
        None not in places and len(set(places)) == 2
        for row in years
        if (places := (row["municipality_30_june"], row["municipality_31_december"]))
    )
    # Who leaves is somewhere for a part of the year only.
    absent = sum(None in (row["municipality_30_june"], row["municipality_31_december"]) for row in years)
    assert moved > 50
    assert absent > 20


def test_a_line_is_of_a_valid_code_on_a_day_of_enrolment(drawn: tuple[WeightedWorld, list[RowsOfPerson]]) -> None:
    world, people = drawn
    settings, lists = world.configuration.settings, world.configuration.code_lists
    codes = {(code.code, code.system) for of_list in world.codes.values() for code in of_list.all}
    met = set()
    for one in people:
        spans = [(row.get("start_date"), row.get("end_date")) for row in one.population]
        for line in one.claims:
            assert date(2022, 1, 1) <= line["service_date"] < line["booking_date"]
            assert line["service_date"].year <= 2024
            assert (line["nomenclature_code"], line["code_system"]) in codes
            met.add(line["nomenclature_code"])
            if settings.population.are_spans:
                day = line["service_date"]
                is_of_delivery = line["hospital_id"] is not None
                assert is_of_delivery or any(start <= day and (end is None or day <= end) for start, end in spans)
    # A rare code of a rare service may be missing.
    assert {code for code, _ in codes} - met <= {"E149"}
    if "consultation" in lists and not settings.codes.systems:
        days = [line["service_date"] for line in lines(people) if line["nomenclature_code"] == 10200]
        assert min(days) >= date(2022, 7, 1)


def test_a_line_taken_back_has_its_line(drawn: tuple[WeightedWorld, list[RowsOfPerson]]) -> None:
    _, people = drawn
    backs = [line for line in lines(people) if line["quantity"] < 0]
    assert 0.005 < len(backs) / sum(1 for _ in lines(people)) < 0.015
    same = ("beneficiary_id", "service_date", "nomenclature_code", "provider_id")
    billed = {tuple(line[name] for name in same) for line in lines(people) if line["quantity"] > 0}
    assert {tuple(line[name] for name in same) for line in backs} <= billed


def test_deliveries_are_of_women_far_from_each_other(drawn: tuple[WeightedWorld, list[RowsOfPerson]]) -> None:
    world, people = drawn
    deliveries = [row for one in people for row in one.deliveries]
    # A thousand women of whom 60 in 1,000 of a quarter, and 90 of another eighth, deliver in each of three years.
    assert 40 < len(deliveries) < 140
    assert {row["delivery_type"] for row in deliveries} == {"caesarean", "vaginal"}
    for one in people:
        days = [row["delivery_date"] for row in one.deliveries]
        assert all((after - before).days >= world.interval for before, after in pairwise(days))
        if days:
            assert {row["sex"] for row in one.population} == {"female"}
            assert all(17 <= day.year - one.population[0]["birth_date"].year <= 48 for day in days)
            assert len(one.hospital_stays) == len(days)
    assert {row["billings"] for row in deliveries} == {1, 2}


def test_ten_services_a_year_are_ten_on_average(edit: Edit) -> None:
    weights = yaml.safe_load((TEXT_CODES / FILE).read_text(encoding="utf-8"))
    people = {**weights["people"], "move": 0.0, "leave": 0.0}
    one = {"code_list": "scan", "per_person_year": {0: 10, 40: 0}}
    conf = edit(FILE, people=people, services=[one], deliveries=None, providers=None, taken_back=0.0)
    world = world_of(conf, Parameters(1000, 2022, 2022, 1))
    young = Counter()
    for number in range(1000):
        drawn = world.draw(number)
        young[2022 - drawn.population[0]["birth_date"].year < 40] += 1
        assert not drawn.claims or 2022 - drawn.population[0]["birth_date"].year < 40
        young["lines"] += len(drawn.claims)
    # 1.2 a year of those who begin to be enrolled at a birth of the year are lost, no more.
    assert young["lines"] / young[True] == pytest.approx(10, rel=0.03)


def test_a_list_that_changes_is_drawn_by_the_day(edit: Edit) -> None:
    file = TEXT_CODES / "codelists" / "home_visit.csv"
    header, row = file.read_text(encoding="utf-8").splitlines()
    later = row.replace("HOME001", "HOME002").replace(",,,", ",,2023-01-01,")
    conf = edit("settings.yaml")
    (conf / "codelists" / "home_visit.csv").write_text(f"{header}\n{row.replace(',,,', ',,,2022-12-31', 1)}\n{later}\n")
    world = world_of(conf)
    visits = [line for number in range(2000) for line in world.draw(number).claims]
    by_code = {code: {line["service_date"].year for line in visits if line["nomenclature_code"] == code}
               for code in ("HOME001", "HOME002")}  # fmt: skip
    assert by_code == {"HOME001": {2022}, "HOME002": {2023, 2024}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people": None}, r"people: this key is missing"),
        ({"colour": "red"}, r"line \d+: colour: unknown key"),
        ({"codes": {}}, r"codelists/delivery_caesarean.csv, line 2: O82\* names many codes: say in synthetic/weights"),
        ({"codes": {"nothing": {"A": 1}}}, r"codes.nothing: there is no code list 'nothing'"),
        ({"codes": {"delivery_caesarean": {"O90": 1}}}, r"codes.delivery_caesarean: .* has no 'O90'"),
        ({"codes": {"delivery_caesarean": {"O82*": 1}}}, r"codes.delivery_caesarean: .* has no 'O82\*'"),
        ({"codes": {"scan": {"SCAN100": 0}}}, r"codes.scan: give at least one weight above 0"),
        ({"providers": {"doctor": {"trade": {"1": 1}}}}, r"providers.doctor.trade: settings.yaml declares no such"),
        ({"providers": {"doctor": {"speciality": {"GYN*": 1}}}}, r"speciality.GYN\*: name one value"),
        ({"services": [{"code_list": "scan"}]}, r"services.0: give either per_person_year or around_delivery"),
        (
            {"services": [{"code_list": "scan", "provider": "nobody", "per_person_year": {0: 1}}]},
            r"services.0.provider: there is no provider 'nobody'",
        ),
        (
            {"services": [{"code_list": "delivery_vaginal", "per_person_year": {0: 1}}]},
            r"services.0.code_list: deliveries are drawn by the key deliveries",
        ),
        ({"services": [{"code_list": "scan", "per_person_year": {1: 1}}]}, r"per_person_year: give the first age"),
        ({"services": [{"code_list": "scan", "per_person_year": {0: -1}}]}, r"per_person_year.0: .*greater than"),
        ({"deliveries": {"per_1000_women": {0: 1}, "types": {"twins": 1}}}, r"types.twins: services.yaml has no such"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(edit: Edit, change: dict[str, Any], message: str) -> None:
    conf = edit(FILE, **change)
    with pytest.raises(InputError, match=message):
        load_weights(load_configuration(str(conf)))
    # What generate refuses, validate says.
    assert main(["validate", "--conf", str(conf)]) == 2


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ({"places": {"N9": 1}}, r"people.places.N9: .* has no such place"),
        ({"columns": {}}, r"a dimension reads the column quintile: say how often"),
        ({"columns": {"other": {"a": 1}}}, r"people.columns.other: no dimension reads such a column"),
        ({"ages": {0: 0}}, r"people.ages: give at least one weight above 0"),
        ({"sexes": {"f": 1}}, r"people.sexes.f"),
        ({"move": 2.0}, r"people.move: .*less than or equal to 1"),
    ],
)
def test_a_mistake_of_the_people_is_named(tmp_path: Path, people: dict[str, Any], message: str) -> None:
    weights = yaml.safe_load((KEYS / FILE).read_text(encoding="utf-8"))
    conf = editor_of(KEYS, tmp_path)(FILE, people={**weights["people"], **people})
    with pytest.raises(InputError, match=message):
        load_weights(load_configuration(str(conf)))


def _generate(conf: Path, output: Path, *more: str) -> int:
    options = ["--beneficiaries", "200", "--years", "2022", "--seed", "1"]
    return main(["generate", "--conf", str(conf), "--output", str(output), *options, *more])


def test_files_of_both_formats_say_the_same(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    for kind in ("csv", "parquet"):
        assert _generate(KEYS, tmp_path / kind, "--format", kind) == 0
    record = json.loads((tmp_path / "csv" / "generate.json").read_text(encoding="utf-8"))
    for table in ("claims", "population", "hospital_stays"):
        with (tmp_path / "csv" / table / "part-00000.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        typed = pq.read_table(tmp_path / "parquet" / table).to_pylist()
        assert [{name: "" if value is None else str(value) for name, value in row.items()} for row in typed] == rows
        assert record["rows"][table] == len(rows) > 0


def test_a_folder_is_replaced_when_it_is_asked_for_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _generate(KEYS, tmp_path / "out") == 0
    assert _generate(KEYS, tmp_path / "out") == 2
    assert "is not empty; choose another or give --overwrite" in capsys.readouterr().err
    assert _generate(KEYS, tmp_path / "out", "--overwrite", "--format", "csv") == 0
    assert [path.name for path in (tmp_path / "out" / "claims").iterdir()] == ["part-00000.csv"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--dirty", "0.01"], "no rows are drawn that must be rejected"),
        (["--years", "2018"], "first_service_date, 2019-01-01"),
        (["--output", "s3a://bucket/x"], "writes to a folder of this machine"),
    ],
)
def test_what_weights_do_not_draw_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert _generate(KEYS, tmp_path / "out", *more) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_year_without_places_is_refused(edit: Edit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = yaml.safe_load((TEXT_CODES / FILE).read_text(encoding="utf-8"))["people"]
    conf = edit(FILE, people={name: value for name, value in people.items() if name != "places"})
    assert _generate(conf, tmp_path / "out") == 0
    assert _generate(conf, tmp_path / "early", "--years", "2019") == 2
    assert "no place of 2019; name later years" in capsys.readouterr().err


def test_it_says_with_which_mapping_the_tables_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _generate(TEXT_CODES, tmp_path / "mapped") == 0
    assert f"--mapping {tmp_path}/mapped/mapping.yaml" in capsys.readouterr().err
    write_starter("minimal", tmp_path / "conf")
    assert _generate(tmp_path / "conf", tmp_path / "plain") == 0
    assert "--mapping" not in capsys.readouterr().err


def test_without_weights_the_files_are_named(edit: Edit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf = edit("settings.yaml")
    (conf / FILE).unlink()
    assert _generate(conf, tmp_path / "out") == 2
    assert f"the configuration has no {FILE}: write it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "code", "named"),
    [
        ("O80*", "O801", True), ("O80*", "O8", False), ("O80", "O80", True), ("O80", "O801", False),
        ("O80..O81", "O80", True), ("O80..O81", "O805", True), ("O80..O81", "O811", True), ("O80..O81", "O82", False),
        ("O80..O81", "O79", False),
    ],
)  # fmt: skip
def test_which_texts_an_entry_names(written: str, code: str, named: bool) -> None:
    assert Codes(kind="text", pattern="[A-Z][0-9]+").entry(written).names(code) is named


@pytest.mark.parametrize(
    ("written", "code", "named"),
    [
        ("320*", 32000, True),
        ("320*", 32099, True),
        ("320*", 32100, False),
        ("41000..41099", 41099, True),
        ("41000..41099", 41100, False),
    ],
)
def test_which_numbers_an_entry_names(written: str, code: int, named: bool) -> None:
    assert Codes(kind="number", digits=5).entry(written).names(code) is named


def test_the_shipped_configuration_is_drawn_by_tables() -> None:
    assert not (CONF / FILE).exists()
    assert (CONF / "synthetic" / "fertility.csv").is_file()
