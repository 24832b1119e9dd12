"""``validate`` judges a whole configuration without Spark, and ``init`` writes one that passes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from claimatlas import cli
from claimatlas.configuration import load_configuration
from claimatlas.configuration.geography import Geography, Place
from claimatlas.configuration.starters import STARTERS
from claimatlas.configuration.validation import judge, places_by_year

ROOT = Path(__file__).resolve().parents[2]
CODE_LIST = "codelists/gp_raadpl.csv"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "conf", tmp_path / "conf"))


def edit(conf: Path, file: str, old: str, new: str) -> None:
    text = (conf / file).read_text(encoding="utf-8")
    assert old in text
    (conf / file).write_text(text.replace(old, new, 1), encoding="utf-8")


# --- What is right -------------------------------------------------------------------------------


def test_the_shipped_configuration_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "indicators: 12 (3 of beneficiary_years, 9 of deliveries)",
        "services.yaml: delivery types 3, contact groups 5, delivery flags 8, services of beneficiaries 1",
        "dimension age_category: from age, beneficiary_years 7 values, deliveries 7 values",
        "dimension increased_reimbursement: from population.increased_reimbursement, beneficiary_years 3 values, "
        "deliveries 3 values",
        "dimension delivery_type: from delivery.delivery_type, deliveries 2 values",
        "dimension sex: from population.sex, beneficiary_years 3 values",
        "code lists: 21 with 212 codes, 1 empty",
        "mappings: ima, standard",
        "places 2006-2018: 1 country, 3 region, 10 province, 43 arrondissement, 589 municipality",
        "places 2019-2024: 1 country, 3 region, 10 province, 43 arrondissement, 581 municipality",
        "places 2025 on: 1 country, 3 region, 10 province, 43 arrondissement, 565 municipality",
        "publication.yaml: levels country, region, province, arrondissement, municipality",
        "The configuration is right: no mistake was found.",
    ]
    assert said.err.startswith("Note: codelists/gestational_diabetes_test.csv: the list is empty")


def test_spans_of_years_with_the_same_places_are_told_together() -> None:
    def place(code: str, first: int, last: int) -> Place:
        return Place(code, first, last, {"land": "X", "town": code})

    places = {"a": place("a", 2000, 9999), "b": place("b", 2000, 2009), "c": place("c", 2010, 2010)}
    geography = Geography(("land", "town"), places, {}, {})
    assert list(places_by_year(geography, 2005)) == [("2005-2010", "1 land, 2 town"), ("2011 on", "1 land, 1 town")]
    assert list(places_by_year(geography, 2010)) == [("2010", "1 land, 2 town"), ("2011 on", "1 land, 1 town")]


def test_it_needs_no_spark_and_loads_none() -> None:
    program = (
        "import sys\n"
        "sys.modules['pyspark'] = sys.modules['delta'] = sys.modules['py4j'] = None\n"
        "from claimatlas.cli import main\n"
        "sys.exit(main(['validate']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- What is wrong -------------------------------------------------------------------------------

SERVICES = "services.yaml"
MISTAKES = [
    ("settings.yaml", "episode_gap_days: 30", "episode_gap_days: -1", "settings.yaml, line 13: episode_gap_days: "),
    (SERVICES, "[gp_bezarts", "[gp_bezart", "services.yaml, line 8: contact_groups.gp: there is no code list"),
    (
        SERVICES,
        "contact_midwife: {contact_groups: [midwife]",
        "contact_midwife: {contact_groups: [midwive]",
        "services.yaml, line 34: delivery_flags.contact_midwife: there is no contact group 'midwive'.",
    ),
    (SERVICES, "  home: {", "  Home: {", "services.yaml, line 49: delivery_types.Home: 'Home' cannot name a column"),
    (
        SERVICES,
        "priority: 2",
        "priority: 1",
        "services.yaml, line 46: delivery_types: two types have the same priority.",
    ),
    (CODE_LIST, "101010", "101011", f"{CODE_LIST}, line 2: 101011 has a wrong check digit."),
    (CODE_LIST, "1985-04-01", "1985-4-1", f"{CODE_LIST}, line 2: '1985-4-1' is not a date YYYY-MM-DD."),
    ("mappings/ima.yaml", "claims:", "claim:", "mappings/ima.yaml, line "),
    (
        "indicators/stat_013_024.yaml",
        "unit: per_100",
        "unit: percent",
        "indicators/stat_013_024.yaml, line 12: unit: a quantity is no share of its population",
    ),
    (
        "indicators/cube_007_006b.yaml",
        "delivery_types: [caesarean, vaginal",
        "delivery_types: [cesarean, vaginal",
        "denominator: services.yaml has no delivery type 'cesarean'.",
    ),
    (
        "geography/municipalities.csv",
        "11001,2006",
        "11001,year",
        "geography/municipalities.csv, line 2: 'year' is not a year.",
    ),
    ("geography/changes.csv", "12030,12041", "12030,99999", "geography/changes.csv, line 2: 99999 is not in"),
    (
        "geography/names.csv",
        "region,02000",
        "regions,02000",
        "geography/names.csv, line 3: level: there is no level 'regions' in settings.yaml.",
    ),
    ("geography/tiles.csv", "province,10000", "provinces,10000", "geography/tiles.csv, line "),
    ("publication.yaml", "arrondissement: 2", "kreis: 2", "publication.yaml, line 20: plan.kreis: there is no level"),
    (
        "publication.yaml",
        "arrondissement: 2",
        "arrondissement: -2",
        "publication.yaml, line 20: plan.arrondissement: a",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), MISTAKES)
def test_a_mistake_is_named_by_file_line_and_key(conf: Path, file: str, old: str, new: str, message: str) -> None:
    edit(conf, file, old, new)
    (mistake,) = judge(str(conf)).mistakes
    assert message in mistake


def test_mistakes_end_the_command_with_2(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(conf, CODE_LIST, "101010", "101011")
    assert cli.main(["validate", "--conf", str(conf)]) == 2
    said = capsys.readouterr()
    assert said.err.endswith(f"claimatlas: {CODE_LIST}, line 2: 101011 has a wrong check digit.\n")
    assert said.out == ""


def test_the_mistakes_of_all_files_are_told_together(conf: Path) -> None:
    """Of files that do not read each other, and of those that cannot be fitted together as another is wrong."""
    for file, old, new, _ in MISTAKES:
        if file in ("settings.yaml", CODE_LIST, "mappings/ima.yaml", "indicators/stat_013_024.yaml"):
            text = (conf / file).read_text(encoding="utf-8")
            (conf / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    edit(conf, "publication.yaml", "k: 5", "k: one")
    files = {mistake.partition(",")[0] for mistake in judge(str(conf)).mistakes}
    assert files == {
        "settings.yaml",
        CODE_LIST,
        "mappings/ima.yaml",
        "indicators/stat_013_024.yaml",
        "publication.yaml",
    }


def test_names_and_texts_of_the_sheets_are_judged_too(conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(conf, "sheets/names.yaml", ', en: "Midwife"', "")
    shutil.copy(ROOT / "lib" / "claimatlas" / "sheets" / "languages" / "nl.yaml", conf / "sheets" / "nl.yaml")
    edit(conf, "sheets/nl.yaml", "  dimension: ", "  dimensies: ")
    assert cli.main(["validate", "--conf", str(conf)]) == 2
    errors = capsys.readouterr().err.partition("claimatlas: ")[2].splitlines()
    assert errors[0] == "sheets/names.yaml, line 18: group.midwife.en: this key is missing."
    assert errors[1].endswith(": dimensions.dimension: this key is missing.")
    assert len(errors) == 2


def test_an_override_is_judged_too() -> None:
    (mistake,) = judge(None, ["first_reference_year=soon"]).mistakes
    assert mistake.startswith("settings.yaml, line ")
    assert "first_reference_year" in mistake


def test_a_mapping_beside_the_folder_is_judged_too(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("descriptions: x\n", encoding="utf-8")
    mistakes = judge(None, mapping=str(tmp_path / "own.yaml")).mistakes
    assert mistakes == (
        "own.yaml: description: this key is missing.",
        "own.yaml, line 1: descriptions: unknown key.",
    )


def test_what_a_run_accepts_but_a_reader_should_know_is_a_note(conf: Path) -> None:
    edit(conf, "publication.yaml", "  cube_013_023: numerator\n", "")
    shutil.copy(conf / "codelists" / "midwife.csv", conf / "codelists" / "old.csv")
    text = (conf / "codelists" / "old.csv").read_text(encoding="utf-8")
    (conf / "codelists" / "old.csv").write_text(text.replace("midwife,", "old,"), encoding="utf-8")
    verdict = judge(str(conf))
    assert verdict.mistakes == ()
    assert "codelists/old.csv: nothing in services.yaml reads this list." in verdict.notes
    assert "publication.yaml: sensitive_sides does not name cube_013_023: protect refuses it." in verdict.notes
    (conf / "publication.yaml").unlink()
    assert judge(str(conf)).mistakes == ()
    assert judge(str(conf)).notes[-1].startswith("There is no publication.yaml")


def test_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate", "--conf", "/nowhere"]) == 2
    assert capsys.readouterr().err == "claimatlas: The configuration folder /nowhere does not exist.\n"
    assert cli.main(["validate", "--conf", "s3a://bucket/conf"]) == 2
    assert "can only be read with a Spark" in capsys.readouterr().err


# --- A configuration to start from ---------------------------------------------------------------


@pytest.mark.parametrize("starter", STARTERS)
def test_a_starter_is_written_and_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str], starter: str) -> None:
    folder = tmp_path / "new" / "conf"
    assert cli.main(["init", str(folder), "--from", starter]) == 0
    assert f"Check them with: claimatlas validate --conf {folder}" in capsys.readouterr().err
    assert judge(str(folder)).mistakes == ()
    with_comments = [file.name for file in folder.rglob("*.yaml") if file.read_text(encoding="utf-8").startswith("#")]
    assert {"settings.yaml", "services.yaml", "publication.yaml"} <= set(with_comments)


def test_that_of_belgium_is_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    assert cli.main(["init", str(tmp_path / "conf"), "--from", "belgium"]) == 0
    shipped = ROOT / "conf"
    assert not (tmp_path / "conf" / "examples").exists()
    for file in shipped.rglob("*"):
        if file.is_file() and file.relative_to(shipped).parts[0] != "examples":
            assert (tmp_path / "conf" / file.relative_to(shipped)).read_bytes() == file.read_bytes()
    assert load_configuration(str(tmp_path / "conf")).hashes == load_configuration().hashes


def test_nothing_that_is_there_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "settings.yaml").write_text("mine", encoding="utf-8")
    assert cli.main(["init", str(tmp_path), "--from", "minimal"]) == 2
    assert "is no empty folder" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["settings.yaml"]
    assert cli.main(["init", str(tmp_path / "settings.yaml"), "--from", "minimal"]) == 2
    assert cli.main(["init", str(tmp_path / "settings.yaml" / "conf"), "--from", "minimal"]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["conf"], ["conf", "--from", "france"]])
def test_wrong_usage_of_init_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["init", *arguments])
    assert ended.value.code == 2
