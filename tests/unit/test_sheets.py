"""The methodology sheets say what the configuration says, in three languages, and the committed ones are current."""

import re
import shutil
import string
import subprocess
import sys
from pathlib import Path
from statistics import NormalDist
from xml.etree import ElementTree as ET

import pytest
from claimatlas import cli
from claimatlas.cells.conventions import TREND_YEARS, Z
from claimatlas.cells.status import FINAL, NOT_COMPUTABLE, PROVISIONAL
from claimatlas.comparisons import national, trend
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.codelists import STATUSES
from claimatlas.configuration.indicators import DIMENSIONS, Numerator
from claimatlas.errors import InputError
from claimatlas.sheets.facts import TREND_P, WILSON_Z, gather
from claimatlas.sheets.files import FORMATS, sheet_files
from claimatlas.sheets.markdown import code, plain, table
from claimatlas.sheets.texts import LANGUAGES, texts_of
from claimatlas.tables.schemas import COMPARISONS

ROOT = Path(__file__).resolve().parents[2]
SHEETS = ROOT / "docs" / "indicators"
SHIPPED = load_configuration()
EVERYTHING = sheet_files(SHIPPED, LANGUAGES, FORMATS)
INDICATORS = [indicator.id for indicator in SHIPPED.indicators]

IN_WORDS = {
    "fr": "du jour {} au jour {} après",
    "nl": "van dag {} tot en met dag {} na",
    "en": "from day {} to day {} after",
}


def sheet(name: str, language: str = "en", configuration: Configuration = SHIPPED) -> str:
    return sheet_files(configuration, [language], ["md"], [name])[f"{language}/{name}.md"]


def with_settings(*overrides: str) -> Configuration:
    return load_configuration(None, overrides)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "conf", tmp_path / "conf"))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


# --- The committed sheets ------------------------------------------------------------------------


def test_the_committed_sheets_are_those_of_the_declarations() -> None:
    committed = {file.relative_to(SHEETS).as_posix(): file.read_bytes() for file in SHEETS.rglob("*") if file.is_file()}
    # HTML is made from the same pages, for whoever wants it: it is not kept.
    current = {name: text.encode() for name, text in EVERYTHING.items() if name.endswith(".md")}
    differing = sorted(name for name in committed | current if committed.get(name) != current.get(name))
    assert not differing, f"run `make docs`: {', '.join(differing)}"


def test_there_is_a_sheet_and_an_index_in_every_language_and_format() -> None:
    assert set(EVERYTHING) == {
        f"{language}/{name}.{ending}" for language in LANGUAGES for name in (*INDICATORS, "index") for ending in FORMATS
    }


def test_links_lead_to_sheets_that_there_are() -> None:
    for name, text in EVERYTHING.items():
        pattern = r"\]\(([^)]+)\)" if name.endswith(".md") else r'href="([^"]+)"'
        targets = re.findall(pattern, text)
        assert targets
        for target in targets:
            found = (Path("/") / name).parent / target
            parts = [part for part in found.parts if part != "/"]
            while ".." in parts:
                at = parts.index("..")
                del parts[at - 1 : at + 1]
            assert "/".join(parts) in EVERYTHING, f"{name}: {target}"


def test_no_sheet_holds_a_date_of_making_or_a_place_of_a_machine() -> None:
    for name, text in EVERYTHING.items():
        assert str(ROOT) not in text, name
        assert not re.search(r"\b\d{2}:\d{2}\b", text), name


# --- What a sheet says ---------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", INDICATORS)
def test_every_code_of_the_lists_is_there_with_its_validity(name: str, language: str) -> None:
    text = sheet(name, language)
    indicator = next(found for found in SHIPPED.indicators if found.id == name)
    used = gather(indicator, SHIPPED).code_lists
    assert used
    for code_list in used:
        section = text.split(f"\n### `{code_list.codes.name}`\n")[1].split("\n#")[0]
        rows = [line for line in section.splitlines() if re.match(r"\| \d{6} \|", line)]
        assert len(rows) == len(code_list.codes.rows)
        for line, row in zip(rows, code_list.codes.rows, strict=True):
            cells = [cell.strip() for cell in line.strip("|").split(" |")]
            ends = [end.isoformat() if end else "" for end in (row.valid_from, row.valid_to)]
            assert [cells[0], *cells[2:4]] == [str(row.code), *ends]
        assert SHIPPED.code_list_hash(code_list.codes.name) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_without_a_label_in_the_language_has_that_of_another_one(conf: Path, language: str) -> None:
    header = (conf / "codelists" / "midwife.csv").read_text(encoding="utf-8").splitlines()[0]
    rows = "midwife,422030,,zitting,session,,,a,page\nmidwife,422052,,,,,,a,page\n"
    (conf / "codelists" / "midwife.csv").write_text(f"{header}\n{rows}", encoding="utf-8")
    text = sheet("cube_007_009a", language, load_configuration(str(conf)))
    label = {"fr": "zitting (nl)", "nl": "zitting", "en": "session"}[language]
    assert f"| 422030 | {label} |" in text
    assert "| 422052 | — |" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_windows_are_those_of_the_settings(language: str) -> None:
    assert IN_WORDS[language].format(1, 42) in sheet("cube_007_008a", language)
    longer = sheet("cube_007_008a", language, with_settings("postnatal_window={first_day: 0, last_day: 49}"))
    assert IN_WORDS[language].format(0, 49) in longer
    assert IN_WORDS[language].format(1, 42) not in longer


@pytest.mark.parametrize(
    ("last_day", "expected"),
    [
        (0, "until 31 December of the reference year."),
        (1, "until 1 January of the following year."),
        (42, "until 11 February of the following year."),
        (59, "until 28 February of the following year."),
        (60, "until 1 March of the following year (29 February when that is a leap year)."),
        (400, "until 4 February, 2 years after the reference year (3 February when that is a leap year)."),
    ],
)
def test_the_last_day_of_a_delivery_on_31_december(last_day: int, expected: str) -> None:
    window = f"postnatal_window={{first_day: 0, last_day: {last_day}}}"
    assert f"A delivery on 31 December is thus followed {expected}" in sheet(
        "cube_007_008a", "en", with_settings(window)
    )


@pytest.mark.parametrize(
    ("language", "date"),
    [("fr", "11 février de l'année suivante"), ("nl", "11 februari van het volgende jaar"), ("en", "11 February of")],
)
def test_until_when_an_indicator_observes(language: str, date: str) -> None:
    for name in ("cube_007_008a", "cube_007_008b", "cube_007_009a"):
        assert date in sheet(name, language)
    for name in ("cube_007_003a", "cube_007_007a", "stat_013_023"):
        assert date not in sheet(name, language)


def test_the_forming_of_deliveries_follows_the_settings() -> None:
    shipped = sheet("cube_007_001a_denom")
    assert "Day 30 still belongs to it; from day 31 on it is a new delivery." in shipped
    assert "`episode_rule: chained`" in shipped
    assert "`episode_type: first`" in shipped
    other = sheet(
        "cube_007_001a_denom",
        "en",
        with_settings("episode_gap_days=20", "episode_rule=anchored", "episode_type=highest_priority"),
    )
    assert "Day 20 still belongs to it; from day 21 on it is a new delivery." in other
    assert "`episode_rule: anchored`" in other
    assert "`episode_type: highest_priority`" in other
    assert "| `episode_gap_days` | 20 days |" in other
    assert "chained" not in other


def test_the_provider_rules_are_those_of_the_groups() -> None:
    text = sheet("cube_007_008a")
    assert "| competence code: 34, 340, 341, 349, 367, 369, 146, 978 |" in text
    assert "any competence code except 1, 2, 3, 4, 5, 6, 7, 8, 34," in text
    assert "none when it is null" in text
    assert "| `midwife` | profession code: 40 |" in text


def test_the_midwife_lists_follow_their_setting() -> None:
    assert "### `midwife_postnatal`" not in sheet("cube_007_009a")
    both = sheet("cube_007_009a", "en", with_settings("midwife_codes=source_and_postnatal"))
    assert "### `midwife_postnatal`" in both
    assert "| 422796 |" in both
    assert "`source_and_postnatal`: `midwife`, `midwife_postnatal`" in both


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_list_is_named_and_makes_the_indicator_not_computable(language: str) -> None:
    text = sheet("cube_007_004a", language)
    warning = next(line for line in text.splitlines() if line.startswith("> "))
    assert "`gestational_diabetes_test`" in warning
    assert "`not_computable`" in warning
    assert text.count("`gestational_diabetes_test`") >= 5
    for name in INDICATORS:
        assert ("\n> " in sheet(name, language)) == (name == "cube_007_004a")


def test_only_percentages_have_an_interval_a_comparison_and_a_trend() -> None:
    for indicator in SHIPPED.indicators:
        text = sheet(indicator.id)
        assert ("Cochran-Armitage" in text) == (indicator.unit == "percent")
        assert (WILSON_Z in text) == (indicator.unit == "percent")
    assert "1,959963984540054" in sheet("stat_013_023", "fr")


def test_the_numbers_are_those_that_are_computed_with() -> None:
    assert repr(Z) == WILSON_Z
    assert TREND_YEARS == trend.YEARS
    assert 2 * (1 - NormalDist().cdf(Z)) == pytest.approx(float(TREND_P))


def test_the_words_are_those_of_the_tables() -> None:
    words = (national.LOWER, national.HIGHER, national.SIMILAR, trend.RISING, trend.FALLING, trend.NONE)
    for language in LANGUAGES:
        text = sheet("cube_007_008a", language)
        assert all(f"`{word}`" in text for word in (*words, COMPARISONS.name, FINAL, PROVISIONAL))
        assert f"`{NOT_COMPUTABLE}`" in sheet("cube_007_004a", language)


def test_the_denominator_of_hospital_deliveries_is_restricted() -> None:
    assert "only deliveries of the type caesarean or vaginal in hospital are counted" in sheet("cube_007_006b")
    assert "| Delivery type | caesarean, vaginal (vaginal in hospital) |" in sheet("cube_007_008b")
    assert "| Delivery type | caesarean, vaginal (vaginal in hospital, at home) |" in sheet("cube_007_008a")
    assert "## Hospital stay" in sheet("cube_007_007a")
    assert "## Hospital stay" not in sheet("cube_007_008a")


def test_age_classes_and_the_first_year_of_sectors_are_those_of_the_settings() -> None:
    assert r"\<20 (0 to 19), 20-24, 25-29, 30-34, 35-39, 40+, unknown" in sheet("cube_007_008a")
    assert "0-17, 18-24, 25-44, 45-64, 65-74, 75+, unknown" in sheet("cube_013_023")
    later = sheet("stat_013_023", "en", with_settings("geography.sector_first_year=2019"))
    assert "statistical sector (from 2019)" in later
    assert "2016" not in later


def test_the_definition_is_a_choice_where_the_source_page_is_of_another_indicator() -> None:
    where, value = "`indicators/stat_013_024.yaml`: `numerator`, `unit`", "`quantity_of_service: imaging_therapeutic`"
    assert f"| {where} | {value}, `per_100` |" in sheet("stat_013_024")
    assert "`numerator`, `unit`" not in sheet("stat_013_023")
    assert "`numerator`, `unit`" not in sheet("cube_007_008a")


# --- Texts ---------------------------------------------------------------------------------------


def places_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_there_in_all_languages_with_the_same_places() -> None:
    places = {
        language: {key: places_of(text) for key, text in texts_of(language).by_key.items()} for language in LANGUAGES
    }
    assert places["fr"] == places["nl"] == places["en"]
    assert all(text.strip() for language in LANGUAGES for text in texts_of(language).by_key.values())


def test_no_place_stays_unfilled() -> None:
    for name, text in EVERYTHING.items():
        assert not re.search(r"\{[a-z_]+\}", text), name


def test_whatever_can_be_declared_has_its_texts() -> None:
    for language in LANGUAGES:
        keys = texts_of(language).by_key.keys()
        assert {f"numerator.{kind}" for kind in Numerator.model_fields} <= keys
        assert {f"status.{status}" for status in STATUSES} <= keys
        assert {f"dimension.{name}" for names in DIMENSIONS.values() for name in names} <= keys
        assert {f"group.{name}" for name in SHIPPED.services.contact_groups} <= keys
        assert {f"group_with.{name}" for name in SHIPPED.services.contact_groups} <= keys
        assert {f"delivery_type.{name}" for name in SHIPPED.services.delivery_types} <= keys
        assert {f"level.{name}" for name in (*SHIPPED.settings.geography.levels, "sector", "hospital")} <= keys


def test_the_sheets_of_different_languages_have_the_same_sections() -> None:
    for name in INDICATORS:
        counts = {sheet(name, language).count("\n## ") for language in LANGUAGES}
        assert len(counts) == 1, name


# --- Escaping ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cube_007_008a", "cube_007_008a"),
        ("_a_ *b* `c`", r"\_a\_ \*b\* \`c\`"),
        ("<script> & [x](y) | \\", r"\<script\> \& \[x\](y) \| \\"),
        ("# title", r"\# title"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("two\n lines", "two lines"),
    ],
)
def test_text_from_outside_is_literal(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_code_and_cells_keep_what_they_hold() -> None:
    assert code("a`b") == "`` a`b ``"
    assert table(["x"], [[code("a|b")], [plain("a|b")]]).splitlines()[2:] == ["| `a\\|b` |", "| a\\|b |"]


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name.endswith(".html")])
def test_html_is_well_formed_and_says_its_language(name: str) -> None:
    root = ET.fromstring(EVERYTHING[name])
    assert root.tag == "html"
    assert root.get("lang") == name.split("/", maxsplit=1)[0]
    assert (root.findtext("head/title") or "").strip()
    assert [heading.text for heading in root.iter("h1")] == [root.findtext("head/title")]
    assert all(cell.get("scope") == "col" for cell in root.iter("th"))
    tables = list(root.iter("table"))
    assert tables
    for found in tables:
        widths = {len(row) for row in found.iter("tr")}
        assert len(widths) == 1, name


def test_what_a_declaration_says_cannot_become_html(conf: Path) -> None:
    nasty = "<script>alert(1)</script> & | *x* [y](http://z)"
    declaration = conf / "indicators" / "cube_007_009a.yaml"
    edit(declaration, '  en: "No postnatal contact with a midwife, by domicile"', f"  en: '{nasty}'")
    codes = conf / "codelists" / "midwife.csv"
    edit(codes, '"first individual prenatal session, at home"', f'"{nasty}"')
    files = sheet_files(load_configuration(str(conf)), ["en"], ["html"])
    root = ET.fromstring(files["en/cube_007_009a.html"])
    assert root.findtext("head/title") == nasty
    assert root.findtext("body/main/h1") == nasty
    assert nasty in ["".join(cell.itertext()) for cell in root.iter("td")]
    assert list(root.iter("script")) == []
    index = ET.fromstring(files["en/index.html"])
    assert nasty in ["".join(link.itertext()) for link in index.iter("a")]


# --- Another configuration -----------------------------------------------------------------------


def test_a_new_indicator_has_its_sheets(conf: Path) -> None:
    (conf / "indicators" / "home_births.yaml").write_text(
        """\
id: home_births
names: {fr: "Accouchements à domicile", nl: "Thuisbevallingen", en: "Home births"}
description: {fr: "Part à domicile.", nl: "Aandeel thuis.", en: "Share at home."}
population: deliveries
numerator: {delivery_types: [home]}
unit: percent
dimensions: [age_category]
levels: [country, region]
first_year: 2010
source_page: ""
related: [cube_007_001a_denom]
""",
        encoding="utf-8",
    )
    files = sheet_files(load_configuration(str(conf)), LANGUAGES, FORMATS)
    assert len(files) == len(EVERYTHING) + 6
    text = files["en/home_births.md"]
    assert "**Numerator:** deliveries of the type at home." in text
    assert "(cube_007_001a_denom.md)" in text
    assert "The first year is 2010." in text
    for language in LANGUAGES:
        assert "home_births.html" in files[f"{language}/index.html"]
        ET.fromstring(files[f"{language}/home_births.html"])


def test_names_of_another_country_are_shown_as_they_are(conf: Path) -> None:
    """Levels, delivery types, groups, lists and services that the texts do not know."""
    for file in conf.rglob("*"):
        if file.is_file() and file.suffix in (".yaml", ".csv"):
            text = file.read_text(encoding="utf-8")
            for old, new in {"arrondissement": "kreis", "contact_groups: [gp": "contact_groups: [doctor"}.items():
                text = text.replace(old, new)
            file.write_text(text, encoding="utf-8")
    services = conf / "services.yaml"
    edit(services, "\n  gp:\n", "\n  doctor:\n")
    edit(services, "\n  home: {code_list: delivery_home", "\n  birth_centre: {code_list: births_outside")
    edit(services, "priority: 3, dimension: vaginal", "priority: 3, dimension: natural")
    edit(services, "\n  imaging_therapeutic: {", "\n  scans: {")
    (conf / "codelists" / "delivery_home.csv").rename(conf / "codelists" / "births_outside.csv")
    edit(conf / "codelists" / "births_outside.csv", "delivery_home", "births_outside")
    for name in ("stat_013_023", "cube_013_023"):
        edit(conf / "indicators" / f"{name}.yaml", "with_service: imaging_therapeutic", "with_service: scans")
    edit(conf / "indicators" / "stat_013_024.yaml", "of_service: imaging_therapeutic", "of_service: scans")
    edit(conf / "indicators" / "cube_007_008a.yaml", "source_page: cube_007_008a_At", "source_page: page_of_theirs")
    configuration = load_configuration(str(conf))
    for language in LANGUAGES:
        text = sheet("cube_007_008a", language, configuration)
        for shown in ("`kreis`", "`doctor`", "`birth_centre`", "`natural`", "`births_outside`", "`page_of_theirs`"):
            assert shown in text, shown
        assert "IMA" not in text
        assert "`scans`" in sheet("stat_013_023", language, configuration)


# --- The command ---------------------------------------------------------------------------------


def written(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_the_command_writes_everything_by_default(tmp_path: Path) -> None:
    assert cli.main(["describe", "--output", str(tmp_path / "out")]) == 0
    assert {name: (tmp_path / "out" / name).read_text(encoding="utf-8") for name in EVERYTHING} == EVERYTHING
    assert written(tmp_path / "out") == set(EVERYTHING)


def test_the_command_writes_what_is_chosen_and_links_to_nothing_else(tmp_path: Path) -> None:
    arguments = ["--language", "fr", "nl", "--indicator", "cube_007_008a", "cube_007_009a", "--format", "md"]
    assert cli.main(["describe", "--output", str(tmp_path), *arguments]) == 0
    names = {f"{language}/cube_007_00{number}a.md" for language in ("fr", "nl") for number in (8, 9)}
    assert written(tmp_path) == names
    targets = re.findall(r"\]\(([^)]+)\)", (tmp_path / "fr" / "cube_007_008a.md").read_text(encoding="utf-8"))
    assert targets == ["../nl/cube_007_008a.md", "cube_007_009a.md"]


def test_the_command_takes_settings_and_a_configuration(tmp_path: Path, conf: Path) -> None:
    edit(conf / "settings.yaml", "episode_gap_days: 30", "episode_gap_days: 25")
    arguments = ["--conf", str(conf), "--set", "postnatal_window.last_day=28", "--language", "en"]
    assert cli.main(["describe", "--output", str(tmp_path / "out"), *arguments]) == 0
    text = (tmp_path / "out" / "en" / "cube_007_008a.md").read_text(encoding="utf-8")
    assert "from day 1 to day 28 after the delivery" in text
    assert "Day 25 still belongs to it" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--indicator", "cube_9"],
            "claimatlas: There is no indicator cube_9; indicators/ declares cube_007_001a_denom,",
        ),
        (["--set", "no_such=1"], "claimatlas: --set no_such: there is no setting of this name in settings.yaml."),
        (["--conf", "/nowhere"], "claimatlas: The configuration folder /nowhere does not exist."),
    ],
)
def test_the_command_refuses_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert cli.main(["describe", "--output", str(tmp_path / "out"), *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(message)
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [["--language", "de"], ["--format", "pdf"], []])
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: list[str]) -> None:
    output = ["--output", str(tmp_path / "out")] if arguments else []
    with pytest.raises(SystemExit) as ended:
        cli.main(["describe", *output, *arguments])
    assert ended.value.code == 2
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    assert cli.main(["describe", "--output", str(tmp_path / "out")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_needs_no_spark(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['pyspark'] = sys.modules['delta'] = sys.modules['py4j'] = None\n"
        "from claimatlas.cli import main\n"
        f"sys.exit(main(['describe', '--output', {str(tmp_path)!r}, '--language', 'en', '--format', 'md']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "en" / "index.md").is_file()


# --- The declarations ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("related: [", "related: [cube_9, ", "related.0: indicators/ declares no 'cube_9'."),
        ("related: [", "related: [cube_007_009a, ", "related.0: an indicator is not related to itself."),
        ("related: [", "related: [cube_007_008b, ", "'cube_007_008b' stands twice."),
        ("description:\n", "describe:\n", "description: this key is missing."),
        ('description:\n  fr: "', 'description:\n  de: "', "description.fr: this key is missing."),
    ],
)
def test_wrong_descriptions_and_relations_are_refused(conf: Path, old: str, new: str, message: str) -> None:
    edit(conf / "indicators" / "cube_007_009a.yaml", old, new)
    with pytest.raises(InputError) as caught:
        load_configuration(str(conf))
    assert re.match(r"indicators/cube_007_009a\.yaml(, line \d+)?: ", str(caught.value))
    assert message in str(caught.value)


def test_relations_are_mutual_in_what_is_shipped() -> None:
    related = {indicator.id: set(indicator.related) for indicator in SHIPPED.indicators}
    for name, others in related.items():
        assert all(name in related[other] for other in others), name
