"""The configuration: the shipped one loads, and every mistake is refused with its file, line and key."""

import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import cast

import pytest
from claimatlas.claims.netting import SERVICE_KEY
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.documents import read_value, read_yaml
from claimatlas.configuration.mappings import Mapping
from claimatlas.configuration.reserved import LABELS, OF_A_DIMENSION, OF_A_FLAG, OF_A_LEVEL, OF_A_SERVICE
from claimatlas.configuration.snapshot import restored, snapshot
from claimatlas.errors import InputError
from claimatlas.ingest.validate.columns import check_mapping
from claimatlas.tables.schemas import ALL, UNKNOWN, deliveries_table
from shipped import IMAGING, INPUT_TABLES, POPULATION, POSTNATAL, PUBLISHED_CELLS

ROOT = Path(__file__).resolve().parents[2]

Edit = Callable[[str, str, str], None]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A copy of the shipped configuration that a test may spoil."""
    return Path(shutil.copytree(ROOT / "conf", tmp_path / "conf"))


@pytest.fixture
def edit(conf: Path) -> Edit:
    """Replace a piece of text in a file of the copy; ``""`` stands for the whole file."""

    def change(name: str, old: str, new: str) -> None:
        file = conf / name
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        file.write_text(text.replace(old, new, 1) if old else new, encoding="utf-8")

    return change


def line_of(file: Path, text: str) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def refusal(conf: Path, *overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        load_configuration(str(conf), overrides)
    assert caught.value.exit_code == 2
    return str(caught.value)


# --- What is shipped -----------------------------------------------------------------------------


def test_the_shipped_configuration_is_the_specification() -> None:
    configuration = load_configuration()
    settings = configuration.settings
    assert (settings.episode_gap_days, settings.episode_rule, settings.episode_type) == (30, "chained", "first")
    assert settings.implausible_interval_days == 180
    assert (settings.postnatal_window.first_day, settings.postnatal_window.last_day) == (1, 42)
    assert (settings.prenatal_window.first_day, settings.prenatal_window.last_day) == (270, 1)
    assert settings.midwife_codes == "source"
    assert [age.label for age in settings.age_categories.deliveries] == [
        "<20",
        "20-24",
        "25-29",
        "30-34",
        "35-39",
        "40+",
    ]
    assert [age.label for age in settings.age_categories.beneficiaries] == [
        "0-17",
        "18-24",
        "25-44",
        "45-64",
        "65-74",
        "75+",
    ]
    assert (settings.plausible_age_at_delivery.from_, settings.plausible_age_at_delivery.to) == (12, 55)
    assert settings.geography.levels == ("country", "region", "province", "arrondissement", "municipality")
    assert settings.geography.sector_first_year == 2016
    assert settings.geography.sector_pattern == "[0-9]{5}([A-Z0-9][0-9][0-9A-Z][0-9A-Z-]|ZZZZ)"
    assert settings.geography.sector_table is None
    assert settings.first_reference_year == 2006
    assert settings.first_service_date.isoformat() == "2005-01-01"
    assert settings.max_rejected_share == 0.01


def test_the_shipped_groups_are_those_of_the_source_page() -> None:
    groups = load_configuration().services.contact_groups
    gynaecologist = (34, 340, 341, 349, 367, 369, 146, 978)
    assert groups["gp"].where == {"provider_competence": tuple("12345678")}
    assert groups["gynaecologist"].where == {"provider_competence": tuple(map(str, gynaecologist))}
    assert set(map(int, groups["specialist"].where_not["provider_competence"])) == {*gynaecologist, *range(1, 9)}
    assert groups["midwife"].where == {"provider_profession": ("40",)}
    assert groups["physiotherapist"].where == {"provider_profession": ("50", "51", "52", "53", "54", "55")}
    assert len(groups["gp"].code_lists) == 10


def test_every_shipped_mapping_names_columns_that_there_are() -> None:
    for file in (ROOT / "conf" / "mappings").glob("*.yaml"):
        configuration = load_configuration(None, [f"mapping={file.stem}"])
        check_mapping(configuration.mapping, INPUT_TABLES)
    assert configuration is not None


def test_the_mapping_of_ima_names_the_variables_of_the_source_pages() -> None:
    mapping = load_configuration(None, ["mapping=ima"]).mapping
    assert mapping.source_name("claims", "beneficiary_id") == "SS00010"
    assert mapping.source_name("claims", "service_date") == "SS00015"
    assert mapping.source_name("claims", "nomenclature_code") == "SS00020"
    assert mapping.source_name("claims", "provider_profession") == "PRACTITIONER_CAT"
    assert mapping.source_name("population", "municipality_31_december") == "PP0025"
    assert mapping.source_name("claims", "quantity") == "quantity"


# --- Refusals: settings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        pytest.param("", "", "settings.yaml", "expected keys and values", id="empty file"),
        pytest.param("", "- a list\n", "settings.yaml", "expected keys and values", id="not a mapping"),
        pytest.param("", "a: [1\n", "settings.yaml, line 2", "not valid YAML", id="not YAML"),
        pytest.param("episode_rule:", "episode_rules:", "episode_rules", "unknown key", id="unknown key"),
        pytest.param("episode_rule: chained\n", "", "settings.yaml: episode_rule", "key is missing", id="missing key"),
        pytest.param(
            "last_day: 42}", "last_day: 42, x: 1}", "postnatal_window.x", "unknown key", id="nested unknown key"
        ),
        pytest.param(
            "{first_day: 1, last_day: 42}",
            "{first_day: 1}",
            "postnatal_window.last_day",
            "key is missing",
            id="nested missing key",
        ),
        pytest.param(
            "episode_rule: chained",
            "episode_rule: linked",
            "episode_rule",
            "'chained' or 'anchored'",
            id="no such choice",
        ),
        pytest.param(
            "episode_rule: chained", "episode_rule:", "episode_rule", "'chained' or 'anchored'", id="no value"
        ),
        pytest.param(
            "episode_gap_days: 30", "episode_gap_days: thirty", "episode_gap_days", "valid integer", id="not a number"
        ),
        pytest.param(
            "episode_gap_days: 30", "episode_gap_days: 30.5", "episode_gap_days", "valid integer", id="half a day"
        ),
        pytest.param(
            "episode_gap_days: 30",
            "episode_gap_days: -1",
            "episode_gap_days",
            "greater than or equal to 0",
            id="negative gap",
        ),
        pytest.param(
            "interval_days: 180",
            "interval_days: -1",
            "implausible_interval_days",
            "greater than or equal to 0",
            id="negative interval",
        ),
        pytest.param(
            "{first_day: 1, last_day: 42}",
            "{first_day: 42, last_day: 1}",
            "postnatal_window",
            "last_day must not be before",
            id="postnatal reversed",
        ),
        pytest.param(
            "{first_day: 1, last_day: 42}",
            "{first_day: -1, last_day: 42}",
            "postnatal_window.first_day",
            "greater than or equal to 0",
            id="postnatal before birth",
        ),
        pytest.param("{first_day: 1, last_day: 42}", "42", "postnatal_window", "dictionary", id="not a window"),
        pytest.param(
            "{first_day: 270, last_day: 1}",
            "{first_day: 1, last_day: 270}",
            "prenatal_window",
            "first_day is the day farthest",
            id="prenatal reversed",
        ),
        pytest.param(
            "{first_day: 270, last_day: 1}",
            "{first_day: 270, last_day: -1}",
            "prenatal_window.last_day",
            "greater than or equal to 0",
            id="prenatal after birth",
        ),
        pytest.param(
            "midwife_codes: source",
            "midwife_codes: all",
            "midwife_codes",
            "'source' or 'source_and_postnatal'",
            id="midwife codes",
        ),
        pytest.param(
            "max_rejected_share: 0.01",
            "max_rejected_share: 1.01",
            "max_rejected_share",
            "less than or equal to 1",
            id="share above 1",
        ),
        pytest.param(
            "max_rejected_share: 0.01",
            "max_rejected_share: -0.1",
            "max_rejected_share",
            "greater than or equal to 0",
            id="share below 0",
        ),
        pytest.param(
            "first_service_date: 2005-01-01",
            "first_service_date: never",
            "first_service_date",
            "valid date",
            id="not a date",
        ),
        pytest.param("mapping: standard", "mapping: ../standard", "mapping", "pattern", id="a path for a mapping"),
        pytest.param(
            "levels: [country,",
            "levels: [country, country,",
            "geography.levels",
            "a level stands twice",
            id="level twice",
        ),
        pytest.param(
            "levels: [country,",
            "levels: [Country,",
            "geography.levels",
            "'Country' cannot name a level",
            id="level in capitals",
        ),
        pytest.param(
            "levels: [country,",
            "levels: [country, sector,",
            "geography.levels",
            "'sector' cannot name a level",
            id="level with a meaning",
        ),
        pytest.param(
            "levels: [country, region, province, arrondissement, municipality]",
            "levels: []",
            "geography.levels",
            "at least 1 item",
            id="no level",
        ),
        pytest.param(
            'sector_pattern: "[0-9]{5}',
            'sector_pattern: "[0-9{5}',
            "geography.sector_pattern",
            "not a regular expression",
            id="bad pattern",
        ),
    ],
)
def test_wrong_settings_are_refused(edit: Edit, conf: Path, old: str, new: str, key: str, message: str) -> None:
    edit("settings.yaml", old, new)
    text = refusal(conf)
    assert text.startswith("settings.yaml")
    assert key in text
    assert message in text


_CLASS_0_19 = '{label: "<20", from: 0, to: 19}'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("from: 20, to: 24", "from: 21, to: 24", "class '20-24' must start at 20", id="gap"),
        pytest.param("from: 20, to: 24", "from: 19, to: 24", "class '20-24' must start at 20", id="overlap"),
        pytest.param(_CLASS_0_19, '{label: "<20", from: 1, to: 19}', "class '<20' must start at 0", id="not from 0"),
        pytest.param(
            "from: 40}", "from: 40, to: 120}", "class '40+': the last class, and no other", id="last one ends"
        ),
        pytest.param("from: 20, to: 24", "from: 20", "class '20-24': the last class, and no other", id="open within"),
        pytest.param("from: 20, to: 24", "from: 20, to: 10", "class '20-24' ends before it starts", id="reversed"),
        pytest.param('label: "20-24"', 'label: "<20"', "a label stands twice", id="label twice"),
        pytest.param('label: "20-24"', "label: all", "the label 'all' has a meaning of its own", id="reserved: all"),
        pytest.param('label: "20-24"', "label: unknown", "the label 'unknown' has a meaning", id="reserved: unknown"),
        pytest.param("from: 20, to: 24", "to: 24", "this key is missing", id="no start"),
    ],
)
def test_age_classes_cover_every_age_once(edit: Edit, conf: Path, old: str, new: str, message: str) -> None:
    edit("settings.yaml", old, new)
    text = refusal(conf)
    assert re.match(r"settings\.yaml, line \d+: age_categories\.deliveries", text)
    assert message in text


def test_there_must_be_an_age_class(conf: Path) -> None:
    assert "there must be at least one class" in refusal(conf, "age_categories.beneficiaries=[]")


def test_a_mistake_is_named_by_file_line_and_key(edit: Edit, conf: Path) -> None:
    edit("settings.yaml", "episode_type: first", "episode_type: last")
    line = line_of(conf / "settings.yaml", "episode_type: last")
    assert refusal(conf) == (
        f"settings.yaml, line {line}: episode_type: Input should be 'first' or 'highest_priority'."
    )


def test_every_mistake_of_a_file_is_named_at_once(edit: Edit, conf: Path) -> None:
    edit("settings.yaml", "episode_type: first", "episode_type: last")
    edit("settings.yaml", "episode_rule: chained", "episode_rule: linked\nsomething: 1")
    text = refusal(conf)
    assert [line.split(": ")[1] for line in text.splitlines()] == ["episode_rule", "episode_type", "something"]


@pytest.mark.parametrize("name", ["settings.yaml", "services.yaml", "indicators/cube_007_008a.yaml"])
def test_a_key_that_stands_twice_is_refused(edit: Edit, conf: Path, name: str) -> None:
    first = (conf / name).read_text(encoding="utf-8").splitlines()
    key = next(line for line in first if line and not line.startswith((" ", "#"))).split(":")[0]
    with (conf / name).open("a", encoding="utf-8") as file:
        file.write(f"{key}: again\n")
    assert refusal(conf) == f"{name}, line {len(first) + 1}: {key}: this key stands twice."


def test_a_nested_key_that_stands_twice_is_refused(edit: Edit, conf: Path) -> None:
    edit("settings.yaml", "{first_day: 1, last_day: 42}", "{first_day: 1, last_day: 42, first_day: 2}")
    line = line_of(conf / "settings.yaml", "first_day: 2}")
    assert refusal(conf) == f"settings.yaml, line {line}: first_day: this key stands twice."


# --- Refusals: --set -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("episode_rule", "--set episode_rule: expected NAME=VALUE."),
        ("episode_rules=chained", "--set episode_rules: there is no setting of this name in settings.yaml."),
        ("=1", "--set : there is no setting of this name in settings.yaml."),
        ("postnatal_window.middle=1", "--set postnatal_window.middle: there is no setting of this name"),
        ("episode_rule.x=1", "--set episode_rule.x: there is no setting of this name"),
        ("a.b.c=1", "--set a.b.c: there is no setting of this name"),
        ("episode_gap_days=[", "--set episode_gap_days: the value cannot be read."),
        ("episode_gap_days=many", "episode_gap_days: Input should be a valid integer"),
        ("postnatal_window.last_day=0", "postnatal_window: last_day must not be before first_day."),
        ("mapping=nobody", "There is no mapping 'nobody'; mappings/ has ima, standard."),
        ("geography.sector_table=nowhere.csv", "geography.sector_table: there is no file nowhere.csv."),
    ],
)
def test_wrong_overrides_are_refused(conf: Path, override: str, message: str) -> None:
    assert message in refusal(conf, override)


def test_overrides_are_read_as_values_and_the_last_one_wins() -> None:
    settings = load_configuration(
        None,
        [
            "episode_rule=anchored",
            " postnatal_window.last_day = 10",
            "max_rejected_share=1",
            "first_service_date=2006-02-03",
            "episode_gap_days=10",
            "episode_gap_days=20",
        ],
    ).settings
    assert settings.episode_rule == "anchored"
    assert settings.postnatal_window.last_day == 10
    assert settings.postnatal_window.first_day == 1
    assert settings.max_rejected_share == 1.0
    assert settings.first_service_date.isoformat() == "2006-02-03"
    assert settings.episode_gap_days == 20


@pytest.mark.parametrize("override", ["episode_gap_days=true", "episode_gap_days=yes", "max_rejected_share=yes"])
def test_a_yes_is_no_number(conf: Path, override: str) -> None:
    name = override.partition("=")[0]
    assert name in refusal(conf, override)


# --- Refusals: values that versions of YAML read differently ----------------------------------------


TRAPS = {
    "040": "32 to one reader of YAML and 40 to another",
    "010": "8 to one reader of YAML and 10 to another",
    "089": "text to one reader of YAML and 89 to another",
    "0o17": "text to one reader of YAML and 15 to another",
    "1:30": "90 to one reader of YAML and text to another",
    "190:20:30": "685230 to one reader of YAML and text to another",
    "1:30.5": "90.5 to one reader of YAML and text to another",
    "yes": "true to one reader of YAML and text to another",
    "NO": "false to one reader of YAML and text to another",
    "On": "true to one reader of YAML and text to another",
    "off": "false to one reader of YAML and text to another",
    "1_000": "1000 to one reader of YAML and text to another",
    "0b11": "3 to one reader of YAML and text to another",
    "-0x1F": "-31 to one reader of YAML and text to another",
    "1e3": "text to one reader of YAML and 1000.0 to another",
    "1.5e3": "text to one reader of YAML and 1500.0 to another",
    "+.5": "text to one reader of YAML and 0.5 to another",
    "2022-01-01 12:00:00": "a time to one reader of YAML and text to another",
    "2022-01-01T12:00:00Z": "a time to one reader of YAML and text to another",
    "!!int 040": "32 to one reader of YAML and 40 to another",
    "&anchor 040": "32 to one reader of YAML and 40 to another",
}


@pytest.mark.parametrize(("value", "said"), TRAPS.items())
def test_a_value_that_versions_of_yaml_read_differently_is_refused(
    conf: Path, edit: Edit, value: str, said: str
) -> None:
    plain = value.split(" ", 1)[1] if value.startswith(("!", "&")) else value
    keys = {"services.yaml": "contact_groups.midwife.where.provider_profession.1", "settings.yaml": "mapping"}
    for name, key in keys.items():
        old, new = ("[40]", f"[40, {value}]") if name == "services.yaml" else ("mapping: standard", f"mapping: {value}")
        edit(name, old, new)
        line = line_of(conf / name, new)
        assert refusal(conf).startswith(
            f"{name}, line {line}: {key}: {plain} is {said}: put it in quotes if it is text"
        )
        edit(name, new, old)
    assert refusal(conf, f"mapping={value}").startswith(f"--set mapping: {plain} is {said}: put it in quotes")


def test_the_refusal_of_a_trap_says_what_to_write(conf: Path, edit: Edit) -> None:
    edit("services.yaml", "competence: [34,", "competence: [034,")
    edit("services.yaml", "profession: [40]", "profession: [040]")
    lines = [line_of(conf / "services.yaml", text) for text in ("[034,", "[040]")]
    assert refusal(conf) == (
        f"services.yaml, line {lines[0]}: contact_groups.gynaecologist.where.provider_competence.0: 034 is 28 "
        "to one reader of YAML and 34 to another: put it in quotes if it is text, or write the number plainly.\n"
        f"services.yaml, line {lines[1]}: contact_groups.midwife.where.provider_profession.0: 040 is 32 "
        "to one reader of YAML and 40 to another: put it in quotes if it is text, or write the number plainly."
    )
    assert refusal(conf, "postnatal_window={first_day: 1, last_day: 042}") == (
        "--set postnatal_window.last_day: 042 is 34 to one reader of YAML and 42 to another: "
        "put it in quotes if it is text, or write the number plainly."
    )
    assert refusal(conf, "mapping=no").endswith("put it in quotes if it is text, or write false.")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30", 30),
        ("-1", -1),
        ("+1", 1),
        ("007", 7),
        ("0x1F", 31),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.0e+3", 1000.0),
        ("-.inf", -math.inf),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("true", True),
        ("FALSE", False),
        ("2005-01-01", date(2005, 1, 1)),
        ("<20", "<20"),
        ("20-24", "20-24"),
        ("1.2.3", "1.2.3"),
        ("'040'", "040"),
        ('"yes"', "yes"),
        ("!!str yes", "yes"),
        ("|\n  yes", "yes"),
        ("{yes: 1, 040: 2, 9999-12-31: 3, ~: 4}", {"yes": 1, "040": 2, "9999-12-31": 3, "~": 4}),
        ("{&a x: *a}", {"x": "x"}),
        ("{<<: {a: 1}, b: 2}", {"a": 1, "b": 2}),
    ],
)
def test_values_that_every_version_of_yaml_reads_alike(text: str, value: object) -> None:
    found = read_value(text, "--set x")
    assert (type(found), found) == (type(value), value)


def test_no_number_is_the_same_to_all() -> None:
    assert math.isnan(cast("float", read_value(".nan", "--set x")))


def test_an_anchored_key_is_text_and_its_alias_a_value() -> None:
    with pytest.raises(InputError, match=r"--set x\.yes: yes is true to one reader"):
        read_value("{&a yes: *a}", "--set x")


def test_keys_are_text_as_they_are_written(conf: Path, edit: Edit) -> None:
    edit(
        "services.yaml",
        "        source: [midwife]\n",
        "        source: [midwife]\n        no: [midwife]\n        040: []\n",
    )
    group = load_configuration(str(conf)).services.contact_groups["midwife"]
    assert list(group.code_lists_by_setting["midwife_codes"]) == ["source", "no", "040", "source_and_postnatal"]


@pytest.mark.parametrize("key", ["yes", "no", "1", "040", "9999-12-31", "~"])
def test_a_key_is_named_as_it_is_written_and_stands_once(conf: Path, edit: Edit, key: str) -> None:
    edit("settings.yaml", "episode_gap_days: 30", f"{key}: x\nepisode_gap_days: 30")
    line = line_of(conf / "settings.yaml", f"{key}: x")
    assert refusal(conf) == f"settings.yaml, line {line}: {key}: unknown key."
    edit("settings.yaml", "episode_gap_days: 30", f"'{key}': x\nepisode_gap_days: 30")
    assert refusal(conf) == f"settings.yaml, line {line + 1}: {key}: this key stands twice."


def test_every_shipped_yaml_is_without_traps() -> None:
    shipped = [*(ROOT / "conf").rglob("*.yaml"), *(ROOT / "lib/claimatlas/sheets/languages").glob("*.yaml")]
    assert len(shipped) > 10
    for file in shipped:
        assert read_yaml(file.parent, file.name).data


def test_a_snapshot_is_read_back_whatever_its_texts_look_like(conf: Path, edit: Edit) -> None:
    for position, label in enumerate(("089", "1e3", "y", "0o17", "040", "+.5")):
        old = ("<20", "20-24", "25-29", "30-34", "35-39", "40+")[position]
        edit("settings.yaml", f'label: "{old}"', f'label: "{label}"')
    configuration = load_configuration(str(conf))
    with restored(snapshot(configuration)) as again:
        assert again.settings == configuration.settings


# --- Refusals: folders and files -----------------------------------------------------------------


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path / "nowhere")
    assert text == f"The configuration folder {tmp_path / 'nowhere'} does not exist."


@pytest.mark.parametrize("name", ["codelists", "indicators", "mappings", "geography"])
def test_a_missing_folder_is_named(conf: Path, name: str) -> None:
    shutil.rmtree(conf / name)
    assert refusal(conf) == f"The configuration folder {conf} has no folder {name}/."


@pytest.mark.parametrize(
    "name", ["settings.yaml", "services.yaml", "geography/municipalities.csv", "geography/changes.csv"]
)
def test_a_missing_file_is_named(conf: Path, name: str) -> None:
    (conf / name).unlink()
    assert refusal(conf) == f"The configuration folder has no file {name}."


@pytest.mark.parametrize("name", ["settings.yaml", "codelists/midwife.csv"])
def test_a_file_that_is_not_utf_8_is_named(conf: Path, name: str) -> None:
    (conf / name).write_bytes("é".encode("latin-1"))
    assert refusal(conf) == f"{name} is not a UTF-8 text file."


def test_a_byte_order_mark_is_no_mistake(conf: Path) -> None:
    for name in ("settings.yaml", "codelists/midwife.csv"):
        file = conf / name
        file.write_text("\ufeff" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_configuration(str(conf)).settings == load_configuration().settings


# --- Refusals: services --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "code_lists: [gynaecologist]",
            "code_lists: [gynae]",
            "contact_groups.gynaecologist: there is no code list 'gynae'",
            id="unknown code list of a group",
        ),
        pytest.param(
            "code_lists: [prenatal_technical]",
            "code_lists: [x]",
            "delivery_flags.prenatal_technical: there is no code list 'x'",
            id="unknown code list of a flag",
        ),
        pytest.param(
            "code_lists: [imaging_therapeutic]",
            "code_lists: [x]",
            "beneficiary_services.imaging_therapeutic: there is no code list 'x'",
            id="unknown code list of a service",
        ),
        pytest.param(
            "code_list: delivery_home",
            "code_list: x",
            "delivery_types.home: there is no code list 'x'",
            id="unknown code list of a type",
        ),
        pytest.param(
            "[midwife, midwife_postnatal]",
            "[midwife, x]",
            "contact_groups.midwife: there is no code list 'x'",
            id="unknown code list of a setting",
        ),
        pytest.param(
            "{contact_groups: [gp], window",
            "{contact_groups: [doctor], window",
            "delivery_flags.contact_gp: there is no contact group 'doctor'",
            id="unknown group",
        ),
        pytest.param(
            "{contact_groups: [gp], window: postnatal}",
            "{contact_groups: [gp], window: later}",
            "delivery_flags.contact_gp.window",
            id="unknown window",
        ),
        pytest.param(
            "{contact_groups: [gp], window: postnatal}",
            "{window: postnatal}",
            "give either contact_groups or code_lists",
            id="flag of nothing",
        ),
        pytest.param(
            "code_lists: [gynaecologist]\n",
            "",
            "give either code_lists or code_lists_by_setting",
            id="group of nothing",
        ),
        pytest.param(
            "      midwife_codes:\n",
            "      episode_rule:\n",
            "the setting 'episode_rule' does not choose",
            id="setting without choice",
        ),
        pytest.param(
            "provider_competence: [34,",
            "provider_competence: [gynae,",
            "contact_groups.gynaecologist.where.provider_competence.0: 'gynae' is no whole number",
            id="competence in words",
        ),
        pytest.param(
            "where: {provider_competence: [34,",
            "if: {provider_competence: [34,",
            "contact_groups.gynaecologist.if: unknown key",
            id="unknown key",
        ),
        pytest.param(
            "where: {provider_competence: [34, 340, 341, 349, 367, 369, 146, 978]}",
            "competences: [34]",
            "contact_groups.gynaecologist.competences: this key is no more: write where: {provider_competence: [...]}",
            id="former key",
        ),
        pytest.param(
            "where: {provider_profession: [40]}",
            "where: {speciality: [40]}",
            "contact_groups.midwife.where.speciality: settings.yaml declares no such attribute; there are: "
            "provider_profession, provider_competence",
            id="attribute that is not declared",
        ),
        pytest.param(
            "where: {provider_profession: [40]}",
            "where: {provider_profession: [40..39]}",
            "contact_groups.midwife.where.provider_profession.0: the range '40..39' ends before it starts",
            id="range that ends before it starts",
        ),
        pytest.param(
            "where: {provider_profession: [40]}",
            "where: {provider_profession: []}",
            "contact_groups.midwife.where.provider_profession: name at least one value",
            id="rule of nothing",
        ),
        pytest.param("priority: 2", "priority: 1", "two types have the same priority", id="priority twice"),
        pytest.param(
            "{code_lists: [imaging_therapeutic]}",
            "{code_lists: []}",
            "beneficiary_services.imaging_therapeutic.code_lists",
            id="service of nothing",
        ),
        pytest.param(
            "  imaging_therapeutic: {", "  Imaging: {", "'Imaging' cannot name a column", id="name in capitals"
        ),
        pytest.param(
            "  imaging_therapeutic: {",
            "  imaging-therapeutic: {",
            "'imaging-therapeutic' cannot name a column",
            id="name with a hyphen",
        ),
    ],
)
def test_wrong_services_are_refused(edit: Edit, conf: Path, old: str, new: str, message: str) -> None:
    edit("services.yaml", old, new)
    text = refusal(conf)
    assert text.startswith("services.yaml")
    assert message in text


_FLAG = "  contact_gp: {"
_SERVICE = "  imaging_therapeutic: {"
_GROUP = "  gp:\n"
_TYPE = "  home: {"
_TAKEN = "a table has a column, or the run record a count, called so"


@pytest.mark.parametrize(
    ("old", "name", "why"),
    [
        *[
            pytest.param(_FLAG, name, _TAKEN, id=f"flag {name}")
            for name in (
                *("year", "beneficiary_id", "delivery_type", "first_contact_date", "implausible_interval", "sex"),
                *("birth_date", "sector", "in_population", "age_as_given", "delivery_kind", "numerator", "denominator"),
                *("deliveries", "not_in_population", "mother_recorded_as_male", "with_stay", "age_outside_plausible"),
                *("domicile_unknown", "domicile_31_december", "batch", "all", "unknown"),
            )
        ],
        pytest.param(_FLAG, "municipality", "the level of the domicile is called so", id="flag and level"),
        pytest.param(
            _FLAG,
            "contact_midwife_source",
            "contact_groups.midwife.code_lists_by_setting.midwife_codes.source is counted under it",
            id="flag and reading",
        ),
        pytest.param(_FLAG, "numerator_cube_007_008a", "columns of the computation begin so", id="flag and numerator"),
        pytest.param(_FLAG, "denominator_caesarean", "columns of the computation begin so", id="flag and denominator"),
        pytest.param(_FLAG, "_place", "columns of the computation begin so", id="flag and working column"),
        *[
            pytest.param(_SERVICE, name, _TAKEN, id=f"service {name}")
            for name in ("year", "beneficiary_id", "service_date", "net_quantity", "hospital_id", "lines", "all")
        ],
        pytest.param(_GROUP, "all", "it has a meaning of its own in the tables", id="group all"),
        pytest.param(_GROUP, "unknown", "it has a meaning of its own in the tables", id="group unknown"),
        pytest.param(_TYPE, "all", "it has a meaning of its own in the tables", id="type all"),
        pytest.param(_TYPE, "unknown", "it has a meaning of its own in the tables", id="type unknown"),
    ],
)
def test_a_name_that_is_taken_is_refused(edit: Edit, conf: Path, old: str, name: str, why: str) -> None:
    kinds = {
        _FLAG: "delivery_flags",
        _SERVICE: "beneficiary_services",
        _GROUP: "contact_groups",
        _TYPE: "delivery_types",
    }
    more = {
        _FLAG: "{code_lists: [midwife], window: prenatal}",
        _SERVICE: "{code_lists: [midwife]}",
        _GROUP: "{code_lists: [midwife]}",
        _TYPE: "{code_list: midwife, priority: 9, dimension: other}",
    }
    edit("services.yaml", old, f"  {name}: {more[old]}\n{old}")
    line = line_of(conf / "services.yaml", f"  {name}: {more[old]}")
    assert refusal(conf) == (
        f"services.yaml, line {line}: {kinds[old]}.{name}: the name {name!r} cannot be used: {why}."
    )


def test_every_name_that_is_taken_is_named_at_once(edit: Edit, conf: Path) -> None:
    edit("services.yaml", _FLAG, "  year: {code_lists: [midwife], window: prenatal}\n" + _FLAG)
    edit("services.yaml", _SERVICE, "  lines: {code_lists: [midwife]}\n" + _SERVICE)
    assert [line.split(": ")[1] for line in refusal(conf).splitlines()] == [
        "delivery_flags.year",
        "beneficiary_services.lines",
    ]


def test_a_group_named_as_the_choice_of_another_is_refused(edit: Edit, conf: Path) -> None:
    edit("services.yaml", _GROUP, f"  midwife_source: {{code_lists: [midwife]}}\n{_GROUP}")
    line = line_of(conf / "services.yaml", "source: [midwife]")
    assert refusal(conf) == (
        f"services.yaml, line {line}: contact_groups.midwife.code_lists_by_setting.midwife_codes.source: the name "
        "'source' cannot be used: with this choice it is counted as contact_groups.midwife_source is."
    )


def test_choices_that_differ_by_capitals_alone_are_refused(edit: Edit, conf: Path) -> None:
    edit("services.yaml", "        source: [midwife]\n", "        source: [midwife]\n        SOURCE: [midwife]\n")
    assert "midwife_codes.SOURCE: the name 'SOURCE' cannot be used" in refusal(conf)


@pytest.mark.parametrize("label", ["all", "unknown", "All", "UNKNOWN", "' all'"])
def test_labels_with_a_meaning_of_their_own_are_refused(edit: Edit, conf: Path, label: str) -> None:
    edit("settings.yaml", 'label: "75+"', f"label: {label}")
    line = line_of(conf / "settings.yaml", f"label: {label}")
    found = refusal(conf)
    assert re.match(
        rf"settings\.yaml, line {line}: age_categories\.beneficiaries\.5\.label: the label .* has a meaning", found
    )
    edit("settings.yaml", f"label: {label}", 'label: "75+"')
    edit("services.yaml", "dimension: caesarean}", f"dimension: {label}}}")
    line = line_of(conf / "services.yaml", f"dimension: {label}")
    assert refusal(conf).startswith(f"services.yaml, line {line}: delivery_types.caesarean.dimension: the label ")


@pytest.mark.parametrize(
    ("level", "why"),
    [
        *[
            (level, "a table has a column, or a dimension a value, called so")
            for level in ("year", "geo_level", "beneficiary_id", "age", "sex", "status", "first_year", "all")
        ],
        ("name_fr", "the columns of names of places begin so"),
        ("sector", ""),
        ("hospital", ""),
    ],
)
@pytest.mark.parametrize("key", ["region", "municipality"])
def test_a_level_that_is_called_as_something_else_is_refused(
    edit: Edit, conf: Path, key: str, level: str, why: str
) -> None:
    edit("settings.yaml", "arrondissement, municipality]", "arrondissement, municipality]  # levels")
    edit("settings.yaml", f" {key}", f" {level}")
    line = line_of(conf / "settings.yaml", "# levels")
    found = refusal(conf)
    assert found.startswith(f"settings.yaml, line {line}: geography.levels: '{level}' cannot name a level")
    assert why in found


@pytest.mark.parametrize("level", ["numerator_x", "denominator_x", "quantity_x", "code_x", "sector_x", "domicile_x"])
def test_the_level_of_the_domicile_is_no_count(conf: Path, level: str) -> None:
    assert f"{level!r} cannot name a level: columns of the computation" in refusal(
        conf, f"geography.levels=[country, {level}]"
    )


def test_the_level_of_the_domicile_is_not_called_as_a_flag_or_a_reading(conf: Path) -> None:
    flag = refusal(conf, "geography.levels=[country, contact_gp]")
    assert "delivery_flags.contact_gp: the name 'contact_gp' cannot be used: the level of the domicile" in flag
    reading = refusal(conf, "geography.levels=[country, contact_midwife_source]")
    assert "midwife_codes.source: the name 'source' cannot be used: with it contact_midwife_source would be" in reading


def test_names_that_only_look_alike_are_free(edit: Edit, conf: Path) -> None:
    edit("services.yaml", _FLAG, "  years: {code_lists: [midwife], window: prenatal}\n" + _FLAG)
    edit("services.yaml", _SERVICE, "  deliveries: {code_lists: [midwife]}\n" + _SERVICE)
    edit("services.yaml", _GROUP, "  year: {code_lists: [midwife]}\n" + _GROUP)
    assert "years" in load_configuration(str(conf)).services.delivery_flags


def test_the_names_that_are_taken_are_those_of_the_tables() -> None:
    configuration = load_configuration()
    dimensions = configuration.dimensions
    declared = {*configuration.services.delivery_flags, configuration.settings.geography.domicile_level}
    # A dimension is refused where its own name is taken, by the check of dimensions.yaml.
    declared |= {*dimensions.names, *(own.name for own in dimensions.population_columns)} - {"delivery_type", "sex"}
    assert {*deliveries_table(configuration).column_names} - declared <= OF_A_FLAG
    assert {*POPULATION.column_names} - declared <= OF_A_FLAG
    for table in (IMAGING, POSTNATAL):
        assert {*table.column_names} - declared <= OF_A_LEVEL
    for table in (IMAGING, POSTNATAL, PUBLISHED_CELLS):
        assert {*table.column_names} - {*dimensions.names} <= OF_A_DIMENSION
    assert OF_A_FLAG <= OF_A_LEVEL
    assert {*SERVICE_KEY, "year"} <= OF_A_SERVICE
    assert (ALL, UNKNOWN) == LABELS


@pytest.mark.parametrize(
    "module", ["deliveries/deliveries_stage.py", "deliveries/episodes.py", "population/domicile.py"]
)
def test_the_names_that_are_taken_are_those_of_the_stages(module: str) -> None:
    """Every column that a stage adds to deliveries or to beneficiaries, and every count of them."""
    source = (ROOT / "lib" / "claimatlas" / module).read_text(encoding="utf-8")
    of_days = {"reading", "chained_start", "anchored_start", "delivery_days"}
    added = {*re.findall(r"""(?:\.alias|\.withColumn)\(\s*"([a-z]\w*)\"""", source)} - of_days
    assert len(added) > 2
    assert added <= OF_A_FLAG


# --- Refusals: indicators of one denominator's name ------------------------------------------------


def test_denominators_that_would_be_counted_as_one_are_refused(edit: Edit, conf: Path) -> None:
    edit(
        "services.yaml",
        _TYPE,
        "  caesarean_vaginal_hospital: {code_list: midwife, priority: 9, dimension: other}\n" + _TYPE,
    )
    load_configuration(str(conf))
    name = "indicators/cube_007_008b.yaml"
    edit(name, "[caesarean, vaginal_hospital]", "[caesarean_vaginal_hospital]")
    line = line_of(conf / name, "denominator:")
    assert refusal(conf) == (
        f"{name}, line {line}: denominator: it would be counted as that of cube_007_006b is, under the name "
        "'caesarean_vaginal_hospital': give another name to a delivery type."
    )


def test_a_choice_without_its_code_lists_is_refused_only_when_it_is_chosen(edit: Edit, conf: Path) -> None:
    edit("services.yaml", "        source_and_postnatal: [midwife, midwife_postnatal]\n", "")
    assert load_configuration(str(conf)).settings.midwife_codes == "source"
    key = "contact_groups.midwife.code_lists_by_setting.midwife_codes"
    expected = f"services.yaml, line 17: {key}: no code lists for midwife_codes: source_and_postnatal."
    assert refusal(conf, "midwife_codes=source_and_postnatal") == expected


# --- Refusals: indicators ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        pytest.param(
            "cube_007_009a",
            "[contact_midwife]",
            "[contact_doula]",
            "services.yaml has no delivery flag 'contact_doula'",
            id="unknown flag",
        ),
        pytest.param(
            "stat_013_023",
            "with_service: imaging_therapeutic",
            "with_service: imaging",
            "services.yaml has no beneficiary service 'imaging'",
            id="unknown service",
        ),
        pytest.param(
            "cube_007_009a",
            "[country, region",
            "[continent, region",
            "there is no level 'continent'",
            id="unknown level",
        ),
        pytest.param("cube_007_009a", "[age_category,", "[shoe_size,", "has no 'shoe_size'", id="unknown dimension"),
        pytest.param("cube_007_009a", "[age_category,", "[sex,", "has no 'sex'", id="dimension of another population"),
        pytest.param(
            "cube_007_009a",
            "municipality]",
            "municipality, sector]",
            "the sector is for beneficiary-years",
            id="sector of deliveries",
        ),
        pytest.param(
            "stat_013_023",
            "dimensions: []",
            "dimensions: [sex]",
            "the sector is for beneficiary-years",
            id="sector with dimensions",
        ),
        pytest.param(
            "cube_007_009a",
            "{without_any: [contact_midwife]}",
            "{with_service: imaging_therapeutic}",
            "does not go with the population deliveries",
            id="service of deliveries",
        ),
        pytest.param(
            "stat_013_023",
            "{with_service: imaging_therapeutic}",
            "{with_any: [contact_gp]}",
            "does not go with the population beneficiary_years",
            id="flag of beneficiaries",
        ),
        pytest.param(
            "cube_007_009a",
            "{without_any: [contact_midwife]}",
            "{all: true, without_any: [contact_midwife]}",
            "give exactly one of",
            id="two numerators",
        ),
        pytest.param(
            "cube_007_009a", "{without_any: [contact_midwife]}", "{}", "give exactly one of", id="no numerator"
        ),
        pytest.param("cube_007_009a", "unit: percent", "unit: permille", "unit", id="unknown unit"),
        pytest.param("stat_013_024", "unit: per_100", "unit: percent", "a quantity is no share", id="share of exams"),
        pytest.param(
            "cube_007_009a", "population: deliveries", "population: everybody", "population", id="unknown population"
        ),
        pytest.param("cube_007_009a", "  nl:", "  de:", "names.nl: this key is missing", id="a language is missing"),
        pytest.param(
            "cube_007_009a", "unit: percent", "unit: percent\ncolour: red", "colour: unknown key", id="unknown key"
        ),
        pytest.param(
            "cube_007_009a",
            "levels: [country, region, province, arrondissement, municipality]",
            "levels: []",
            "levels",
            id="no level",
        ),
        pytest.param(
            "cube_007_009a", "id: cube_007_009a", "id: cube_9", "the file must be named cube_9.yaml", id="another name"
        ),
    ],
)
def test_wrong_indicators_are_refused(edit: Edit, conf: Path, name: str, old: str, new: str, message: str) -> None:
    edit(f"indicators/{name}.yaml", old, new)
    text = refusal(conf)
    assert re.match(rf"indicators/{name}\.yaml(, line \d+)?: ", text)
    assert message in text


def test_there_must_be_an_indicator(conf: Path) -> None:
    for file in (conf / "indicators").glob("*.yaml"):
        file.unlink()
    assert refusal(conf) == "indicators/ declares no indicator."


# --- Refusals: mappings --------------------------------------------------------------------------


def test_a_mapping_with_an_unknown_table_is_refused(edit: Edit, conf: Path) -> None:
    edit("mappings/standard.yaml", "description:", "patients: {}\ndescription:")
    assert refusal(conf) == "mappings/standard.yaml, line 1: patients: unknown key."


def test_a_mapping_of_a_column_that_there_is_not_is_refused() -> None:
    mapping = Mapping(description="wrong", claims={"date": "SS00015"})
    with pytest.raises(InputError, match="The mapping's table claims has no column 'date'"):
        check_mapping(mapping, INPUT_TABLES)


# --- Refusals: CSV files -------------------------------------------------------------------------

_HEADER = "list,code,label_fr,label_nl,label_en,valid_from,valid_to,source,status\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param(_HEADER.replace("status", "state"), 1, "unknown: state; missing: status", id="other columns"),
        pytest.param(_HEADER.replace("status", "source"), 1, "missing: status", id="column twice"),
        pytest.param("", 1, "the columns must be list, code,", id="empty file"),
        pytest.param(_HEADER + "midwife,422030\n", 2, "2 fields, expected 9", id="fields missing"),
        pytest.param(_HEADER + "midwife,422030,,,,,,page,page,\n", 2, "10 fields, expected 9", id="a field too many"),
        pytest.param(_HEADER + '\nmidwife,422030,"x"y,,,,,page,page\n', 3, "this is not valid CSV", id="bad quotes"),
        pytest.param(_HEADER + "midwive,422030,,,,,,page,page\n", 2, "the list is 'midwive'", id="another list"),
        pytest.param(
            _HEADER + "midwife,42203O,,,,,,page,page\n", 2, "the code '42203O' is not a number", id="a letter"
        ),
        pytest.param(_HEADER + "midwife,,,,,,,page,page\n", 2, "the code '' is not a number", id="no code"),
        pytest.param(_HEADER + "midwife,-422030,,,,,,page,page\n", 2, "'-422030' is not a number", id="a sign"),
        pytest.param(_HEADER + "midwife,42203,,,,,,page,page\n", 2, "42203 is not of six digits", id="five digits"),
        pytest.param(_HEADER + "midwife,4220301,,,,,,page,page\n", 2, "4220301 is not of six", id="seven digits"),
        pytest.param(_HEADER + "midwife,422030,,,,,,page,sure\n", 2, "the status must be one of", id="status"),
        pytest.param(_HEADER + "midwife,422030,,,,,,,page\n", 2, "a code needs a source", id="source"),
        pytest.param(_HEADER + "midwife,422030,,,,2023-02-30,,page,page\n", 2, "'2023-02-30' is not a date", id="date"),
        pytest.param(
            _HEADER + "midwife,422030,,,,,1/2/2023,page,page\n", 2, "'1/2/2023' is not a date", id="other date"
        ),
        pytest.param(
            _HEADER + "midwife,422030,,,,20230201,,page,page\n", 2, "'20230201' is not a date", id="no hyphens"
        ),
        pytest.param(
            _HEADER + "midwife,422030,,,,2023-02-02,2023-02-01,page,page\n", 2, "valid_to is before", id="reversed"
        ),
    ],
)
def test_a_wrong_row_of_a_code_list_is_refused(conf: Path, text: str, line: int, message: str) -> None:
    (conf / "codelists" / "midwife.csv").write_text(text, encoding="utf-8")
    found = refusal(conf)
    assert found.startswith(f"codelists/midwife.csv, line {line}: ")
    assert message in found


def test_a_code_list_keeps_text_in_quotes_and_open_ends(conf: Path) -> None:
    rows = 'midwife, 422030 ,,,"a, b",2022-01-01,,page,page\nmidwife,422052,,,,,2022-12-31,page,memory\n'
    (conf / "codelists" / "midwife.csv").write_text(_HEADER + rows, encoding="utf-8")
    first, second = load_configuration(str(conf)).code_lists["midwife"].rows
    assert (first.code, first.labels["en"], str(first.valid_from), first.valid_to) == (
        422030,
        "a, b",
        "2022-01-01",
        None,
    )
    assert (second.code, second.valid_from, str(second.valid_to), second.status) == (
        422052,
        None,
        "2022-12-31",
        "memory",
    )
    assert (first.line, second.line) == (2, 3)


# --- Empty lists ---------------------------------------------------------------------------------


def empty(conf: Path, *names: str) -> Configuration:
    for name in names:
        (conf / "codelists" / f"{name}.csv").write_text(_HEADER, encoding="utf-8")
    return load_configuration(str(conf))


def test_a_flag_cannot_be_seen_when_all_lists_of_a_group_are_empty(conf: Path) -> None:
    configuration = empty(conf, "gp_bezarts", "gp_bezoek")
    assert configuration.empty_code_lists_of_flag("contact_gp") == ()
    configuration = empty(conf, "midwife")
    assert configuration.empty_code_lists_of_flag("contact_midwife") == ("midwife",)
    assert configuration.empty_code_lists_of_flag("contact_gp") == ()
    assert configuration.empty_code_lists_of_flag("prenatal_contact") == ("midwife",)
    assert configuration.empty_code_lists_of_flag("prenatal_gdm_test") == ("gestational_diabetes_test",)


def test_the_other_midwife_list_makes_up_for_an_empty_one(conf: Path) -> None:
    empty(conf, "midwife")
    both = load_configuration(str(conf), ["midwife_codes=source_and_postnatal"])
    assert both.empty_code_lists_of_flag("contact_midwife") == ()


# --- Hashes --------------------------------------------------------------------------------------


def changed_hashes(before: Configuration, after: Configuration) -> set[str]:
    return {name for name, value in before.hashes.items() if after.hashes[name] != value}


def test_the_hashes_are_the_same_for_the_same_content(conf: Path, edit: Edit) -> None:
    before = load_configuration()
    assert changed_hashes(before, load_configuration(str(conf))) == set()
    edit("settings.yaml", "episode_rule: chained", "# a remark\nepisode_rule:    chained")
    edit("services.yaml", "contact_groups:", "# a remark\ncontact_groups:")
    assert changed_hashes(before, load_configuration(str(conf), ["episode_gap_days=30"])) == set()
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in before.hashes.values())


@pytest.mark.parametrize(
    ("name", "old", "new", "changed"),
    [
        ("settings.yaml", "episode_gap_days: 30", "episode_gap_days: 31", "settings"),
        ("settings.yaml", "{first_day: 1, last_day: 42}", "{first_day: 0, last_day: 42}", "settings"),
        ("services.yaml", "profession: [40]", "profession: [40, 41]", "services"),
        ("services.yaml", "priority: 3", "priority: 4", "services"),
        ("indicators/cube_007_008a.yaml", "first_year: 2006", "first_year: 2007", "indicators"),
        ("codelists/midwife.csv", "midwife,422030,", "midwife,422041,", "code_lists"),
        ("codelists/gp_digicont.csv", "2022-08-01", "2022-08-02", "code_lists"),
        ("geography/municipalities.csv", "11001,2006,9999", "11001,2006,2030", "geography"),
        ("geography/changes.csv", "12034,12041,2019", "12034,44083,2019", "geography"),
    ],
)
def test_a_change_shows_in_its_own_hash_only(
    conf: Path, edit: Edit, name: str, old: str, new: str, changed: str
) -> None:
    edit(name, old, new)
    assert changed_hashes(load_configuration(), load_configuration(str(conf))) == {changed}


def test_an_override_shows_in_the_hash_of_the_settings() -> None:
    anchored = load_configuration(None, ["episode_rule=anchored"])
    assert changed_hashes(load_configuration(), anchored) == {"settings"}
    # Bounds of the checks change no figure: deliveries need not be formed again.
    assert changed_hashes(load_configuration(), load_configuration(None, ["checks.least_share_of_month=0.5"])) == set()


def test_each_code_list_has_a_hash_of_its_own(conf: Path, edit: Edit) -> None:
    before = load_configuration()
    edit("codelists/midwife.csv", "midwife,422030,", "midwife,422041,")
    after = load_configuration(str(conf))
    lists = {name for name in before.code_lists if before.code_list_hash(name) != after.code_list_hash(name)}
    assert lists == {"midwife"}


def test_a_table_of_sectors_has_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "sectors.csv"
    header = "sector,municipality,first_year,last_year\n"
    file.write_text(header + "11001A00-,11001,2006,9999\n", encoding="utf-8")
    one = load_configuration(None, [f"geography.sector_table={file}"])
    same_rows = replace(one, settings=load_configuration().settings)
    assert changed_hashes(same_rows, one) == {"settings"}
    file.write_text(header + "11001A00-,11001,2006,2024\n", encoding="utf-8")
    assert changed_hashes(one, load_configuration(None, [f"geography.sector_table={file}"])) == {"sector_table"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",11001,2006,9999", "expected a sector and two years"),
        ("11001A00-,11001,,9999", "expected a sector and two years"),
        ("11001A00-,11001,2006,later", "expected a sector and two years"),
        ("11001A00-,11001,2006", "3 fields, expected 4"),
    ],
)
def test_a_wrong_row_of_the_table_of_sectors_is_refused(tmp_path: Path, row: str, message: str) -> None:
    file = tmp_path / "sectors.csv"
    file.write_text(f"sector,municipality,first_year,last_year\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_configuration(None, [f"geography.sector_table={file}"])
    assert str(caught.value).startswith("sectors.csv, line 2: ")
    assert message in str(caught.value)


# --- Hostile files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2022-02-30", "the value '2022-02-30' cannot be read"),
        ("!!bool maybe", "the value 'maybe' cannot be read"),
        ("9" * 5000, "cannot be read"),
        ("[" * 3000, "this is not valid YAML"),
        ("&a [*a]", "an alias of something that holds an alias: write out what it stands for"),
    ],
    ids=["no such day", "no boolean", "too many digits", "nested too deep", "within itself"],
)
def test_a_value_that_yaml_cannot_hold_is_refused(conf: Path, edit: Edit, value: str, said: str) -> None:
    edit("settings.yaml", "first_service_date: 2005-01-01", f"first_service_date: {value}")
    assert said in refusal(conf)
    refusal(conf, f"first_service_date={value}")


def test_aliases_of_aliases_are_refused_at_once(conf: Path, edit: Edit) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20))
    edit("services.yaml", "", bomb)
    assert refusal(conf).startswith("services.yaml, line 3: ")


@pytest.mark.parametrize("setting", ["episode_gap_days", "postnatal_window.last_day", "plausible_age_at_delivery.to"])
def test_a_number_that_no_column_can_hold_is_refused(conf: Path, setting: str) -> None:
    assert f"{setting}: this number is too large" in refusal(conf, f"{setting}={10**12}")


def test_codes_and_years_of_thousands_of_digits_are_refused(conf: Path, edit: Edit) -> None:
    edit("codelists/gp_raadpl.csv", "101010", "1" * 5000)
    assert "codelists/gp_raadpl.csv, line 2: the code " in refusal(conf)
    edit("codelists/gp_raadpl.csv", "1" * 5000, "101010")
    edit("geography/changes.csv", "2019", "2" * 5000)
    assert "is not a year" in refusal(conf)


def test_names_that_no_file_can_have_are_refused(conf: Path) -> None:
    assert "there is no file" in refusal(conf, f"geography.sector_table={'x' * 5000}")
    assert "does not exist" in refusal(Path("x" * 5000))


def test_a_file_that_links_to_itself_is_refused(conf: Path) -> None:
    (conf / "services.yaml").unlink()
    (conf / "services.yaml").symlink_to("services.yaml")
    assert refusal(conf).startswith("services.yaml cannot be read")


@pytest.mark.parametrize("pattern", ["(?P<nis5>[0-9]{5})", "[[0-9]{5}", "[0-9]{,5}", "x{y}", "(?(1)a|b)", "(" * 5000])
def test_a_pattern_that_spark_does_not_understand_is_refused(conf: Path, pattern: str) -> None:
    assert "geography.sector_pattern: not a regular expression" in refusal(
        conf, f"geography.sector_pattern='{pattern}'"
    )


def test_patterns_that_python_and_spark_share(conf: Path) -> None:
    for pattern in ("[0-9]{5}(?:[A-Z]{1,2}|ZZ)", "[0-9]{2,}-?x{3}", "(?!99)[0-9]+"):
        settings = load_configuration(str(conf), [f"geography.sector_pattern='{pattern}'"]).settings
        assert settings.geography.sector_pattern == pattern


# --- Windows by name ---------------------------------------------------------------------------------


def test_windows_are_declared_by_name_beside_the_two_of_the_method(edit: Edit, conf: Path) -> None:
    edit(
        "settings.yaml",
        "windows: {}",
        "windows: {early: {first_day: 7, last_day: 21}, around: {first_day: -3, last_day: 3}}",
    )
    edit(
        "services.yaml",
        "contact_gp: {contact_groups: [gp], window: postnatal}",
        "contact_gp: {contact_groups: [gp], window: around}",
    )
    windows = load_configuration(str(conf)).settings.all_windows
    assert {name: (window.first_day, window.last_day) for name, window in windows.items()} == {
        "postnatal": (1, 42),
        "prenatal": (-270, -1),
        "early": (7, 21),
        "around": (-3, 3),
    }


def test_the_windows_of_the_method_may_be_left_out(edit: Edit, conf: Path) -> None:
    for line in ("postnatal_window: {first_day: 1, last_day: 42}", "prenatal_window: {first_day: 270, last_day: 1}"):
        edit("settings.yaml", line, "")
    line = line_of(conf / "services.yaml", "contact_gp: {")
    assert refusal(conf).splitlines()[0] == (
        f"services.yaml, line {line}: delivery_flags.contact_gp.window: settings.yaml has no window 'postnatal'; "
        "there are: none."
    )
    edit("settings.yaml", "windows: {}", "windows: {own: {first_day: 0, last_day: 0}}")
    services = conf / "services.yaml"
    text = services.read_text(encoding="utf-8").replace("window: postnatal", "window: own")
    services.write_text(text.replace("window: prenatal", "window: own"), encoding="utf-8")
    assert list(load_configuration(str(conf)).settings.all_windows) == ["own"]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("{early: {first_day: 8, last_day: 7}}", "windows.early: last_day must not be before first_day"),
        ("{early: {first_day: 8}}", "windows.early.last_day: this key is missing."),
        ("{Early: {first_day: 7, last_day: 8}}", "windows.Early: 'Early' cannot name a window"),
        ("{postnatal: {first_day: 7, last_day: 8}}", "windows.postnatal: this window is the setting postnatal_window."),
    ],
)
def test_wrong_windows_are_refused(conf: Path, declared: str, message: str) -> None:
    found = refusal(conf, f"windows={declared}")
    assert found.startswith(f"settings.yaml, line {line_of(conf / 'settings.yaml', 'windows: {}')}: ")
    assert message in found


def test_a_flag_asks_for_at_least_one_day(edit: Edit, conf: Path) -> None:
    edit(
        "services.yaml",
        "{contact_groups: [gp], window: postnatal}",
        "{contact_groups: [gp], window: postnatal, least_days: 0}",
    )
    assert "delivery_flags.contact_gp.least_days: Input should be greater than or equal to 1" in refusal(conf)


def test_keys_that_say_nothing_leave_the_hashes(edit: Edit, conf: Path) -> None:
    shipped = load_configuration().hashes
    edit(
        "services.yaml",
        "{contact_groups: [gp], window: postnatal}",
        "{contact_groups: [gp], window: postnatal, least_days: 1}",
    )
    edit("settings.yaml", "windows: {}\n", "")
    assert load_configuration(str(conf)).hashes == shipped
    edit("services.yaml", "least_days: 1", "least_days: 2")
    changed = load_configuration(str(conf)).hashes
    assert {name for name in shipped if changed[name] != shipped[name]} == {"services"}


@pytest.mark.parametrize(
    ("unit", "scale"), [("per_100", 100), ("per_1000", 1_000), ("per_100000", 100_000), ("mean", 1), ("count", 1)]
)
def test_units_of_a_quantity(edit: Edit, conf: Path, unit: str, scale: int) -> None:
    edit("indicators/stat_013_024.yaml", "unit: per_100", f"unit: {unit}")
    (indicator,) = (one for one in load_configuration(str(conf)).indicators if one.id == "stat_013_024")
    assert indicator.scale == scale


def test_a_mean_is_one_of_a_quantity(edit: Edit, conf: Path) -> None:
    edit("indicators/stat_013_023.yaml", "unit: percent", "unit: mean")
    assert "unit: mean goes with the numerator quantity_of_service, and with no other." in refusal(conf)
