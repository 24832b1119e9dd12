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
from claimatlas.cells.status import FINAL, NOT_COMPUTABLE, PROVISIONAL
from claimatlas.comparisons import national, trend
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.codelists import STATUSES
from claimatlas.configuration.indicators import Numerator
from claimatlas.configuration.starters import write_starter
from claimatlas.conventions import TREND_YEARS, Z
from claimatlas.errors import InputError
from claimatlas.sheets import markdown
from claimatlas.sheets.facts import TREND_P, WILSON_Z, gather
from claimatlas.sheets.files import FORMATS, sheet_files
from claimatlas.sheets.markdown import code, plain
from claimatlas.sheets.texts import LANGUAGES as SHIPPED_LANGUAGES
from claimatlas.sheets.texts import texts_for, texts_of
from claimatlas.tables.schemas import COMPARISONS

ROOT = Path(__file__).resolve().parents[2]
SHEETS = ROOT / "docs" / "indicators"
SHIPPED = load_configuration()
LANGUAGES = SHIPPED.settings.languages
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


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [("en", "1 day", "30 days"), ("fr", "1 jour", "30 jours"), ("nl", "1 dag", "30 dagen"), ("de", "1 Tag", "30 Tage")],
)
def test_a_number_of_days_has_the_form_of_its_language(language: str, one: str, many: str) -> None:
    texts = texts_of(language)
    assert [texts.say("choices.days", days=days) for days in (1, 30)] == [one, many]


def test_the_provider_rules_are_those_of_the_groups() -> None:
    text = sheet("cube_007_008a")
    assert "| competence code: 34, 340, 341, 349, 367, 369, 146, 978 |" in text
    assert "competence code: any value except 1, 2, 3, 4, 5, 6, 7, 8, 34," in text
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


def with_flag(conf: Path, windows: str, flag: str, numerator: str = "with_any") -> Configuration:
    """Belgium's configuration with further windows, a flag that looks into one, and the indicator of midwives on it."""
    edit(conf / "settings.yaml", "windows: {}", f"windows: {windows}")
    edit(conf / "services.yaml", "\ndelivery_flags:\n", f"\ndelivery_flags:\n  trial: {flag}\n")
    edit(conf / "indicators" / "cube_007_009a.yaml", "without_any: [contact_midwife]", f"{numerator}: [trial]")
    return load_configuration(str(conf))


def test_a_window_across_the_delivery_is_told(conf: Path) -> None:
    configuration = with_flag(
        conf, "{around: {first_day: -7, last_day: 14}}", "{contact_groups: [midwife], window: around}"
    )
    text = sheet("cube_007_009a", "en", configuration)
    assert "at least one ambulatory contact with a midwife from day 7 before to day 14 after the delivery." in text
    assert (
        "**Window `around`:** from day 7 before to day 14 after the date of delivery, both included. Day 0 is the day "
        "of delivery; it is part of the window. A delivery on 31 December is thus followed until 14 January of the "
        "following year."
    ) in text
    assert "On that day the window of a delivery on 31 December that reaches farthest ends (Window `around`)." in text
    assert "claims should start at least 7 days before that day" in text
    assert "| Window `around`, in days relative to the delivery | `windows.around` | day -7 to day 14, both" in text


@pytest.mark.parametrize(
    ("flag", "numerator", "said"),
    [
        (
            "{contact_groups: [gp, midwife], window: early, least_days: 3}",
            "with_any",
            "deliveries with ambulatory contacts with a general practitioner or a midwife on at least 3 different days "
            "from day 7 to day 21 after the delivery.",
        ),
        (
            "{code_lists: [prenatal_technical], window: early, least_days: 2}",
            "without_any",
            "deliveries with services of the kind “prenatal technical service” on fewer than 2 different days from "
            "day 7 to day 21 after the delivery.",
        ),
    ],
)
def test_a_flag_of_several_days_is_told(conf: Path, flag: str, numerator: str, said: str) -> None:
    configuration = with_flag(conf, "{early: {first_day: 7, last_day: 21}}", flag, numerator)
    assert f"**Numerator:** {said}" in sheet("cube_007_009a", "en", configuration)


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("per_1000", "`value = 1,000 × numerator / denominator`"),
        ("per_100000", "| Unit | number per 100,000 beneficiaries |"),
        ("mean", "`value = numerator / denominator`"),
    ],
)
def test_units_are_told(conf: Path, unit: str, said: str) -> None:
    edit(conf / "indicators" / "stat_013_024.yaml", "unit: per_100", f"unit: {unit}")
    configuration = load_configuration(str(conf))
    assert said in sheet("stat_013_024", "en", configuration)
    for language in LANGUAGES:
        assert "{" not in sheet("stat_013_024", language, configuration).replace("{5}", "")


# --- Texts ---------------------------------------------------------------------------------------


def places_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_there_in_all_languages_with_the_same_places() -> None:
    assert set(SHIPPED_LANGUAGES) == {"de", "en", "fr", "nl"}
    expected = {key: places_of(text) for key, text in texts_of("en").by_key.items()}
    for language in SHIPPED_LANGUAGES:
        assert {key: places_of(text) for key, text in texts_of(language).by_key.items()} == expected, language
        assert all(text.strip() for text in texts_of(language).by_key.values())


def test_no_place_stays_unfilled() -> None:
    for name, text in EVERYTHING.items():
        assert not re.search(r"\{[a-z_]+\}", text), name


def test_whatever_can_be_declared_has_its_texts() -> None:
    for language in LANGUAGES:
        keys = texts_for(SHIPPED, language).by_key.keys()
        assert {f"numerator.{kind}" for kind in Numerator.model_fields} <= keys
        assert {f"status.{status}" for status in STATUSES} <= keys
        assert {f"dimension.{name}" for name in SHIPPED.dimensions.names} <= keys
        assert {f"group.{name}" for name in SHIPPED.services.contact_groups} <= keys
        assert {f"group_with.{name}" for name in SHIPPED.services.contact_groups} <= keys
        assert {f"delivery_type.{name}" for name in SHIPPED.services.delivery_types} <= keys
        assert {f"level.{name}" for name in (*SHIPPED.settings.geography.levels, "sector", "hospital")} <= keys
        assert {f"source.known.{indicator.source_page}" for indicator in SHIPPED.indicators} <= keys


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
    assert markdown.row(code("a|b"), plain("a|b")) == "| `a\\|b` | a\\|b |"


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
        # The raw files of an example are not in UTF-8.
        if file.suffix in (".yaml", ".csv") and "input" not in file.parts:
            text = file.read_text(encoding="utf-8")
            for old, new in {"arrondissement": "kreis", "contact_groups: [gp": "contact_groups: [doctor"}.items():
                text = text.replace(old, new)
            file.write_text(text, encoding="utf-8")
    services = conf / "services.yaml"
    (conf / "sheets" / "names.yaml").unlink()
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


FOREIGN = {
    "en": (
        "BIM",
        "ncreased reimbursement",
        "source page",
        "nomenclature",
        "tatistical sector",
        "insurance",
        "competence",
    ),
    "fr": ("BIM", "majorée", "page source", "nomenclature", "statistique", "assurance maladie", "compétence"),
    "nl": ("BIM", "tegemoetkoming", "bronpagina", "nomenclatuur", "statistische", "ziekteverzekering", "competentie"),
    "de": ("BIM", "Kostenerstattung", "Quellseite", "Nomenklatur", "tatistische", "Krankenversicherung", "ompetenz"),
}
"""What is true of Belgium's configuration, or of one with source pages, only."""


@pytest.mark.parametrize("language", SHIPPED_LANGUAGES)
def test_a_sheet_says_nothing_that_is_not_true_of_its_configuration(tmp_path: Path, language: str) -> None:
    folder = tmp_path / "conf"
    write_starter("minimal", folder)
    (folder / "sheets" / "names.yaml").unlink()
    for file in folder.rglob("*"):
        if file.suffix in (".yaml", ".csv"):
            text = file.read_text(encoding="utf-8").replace("languages: [en]", f"languages: [{language}]")
            text = re.sub(r"\ben: ", f"{language}: ", text).replace("label_en", f"label_{language}")
            file.write_text(text, encoding="utf-8")
    with (folder / "dimensions.yaml").open("a", encoding="utf-8") as file:
        # A dimension without a name is shown as it is declared.
        file.write("fund: {source: population.fund, values: [north, south]}\n")
    for name in ("without_doctor", "scanned"):
        dimensions = "dimensions: [age_category, "
        edit(folder / "indicators" / f"{name}.yaml", dimensions, f"{dimensions}fund, ")
    files = sheet_files(load_configuration(str(folder)), [language], FORMATS)
    assert set(files) == {
        f"{language}/{name}.{ending}" for name in ("without_doctor", "scanned", "index") for ending in FORMATS
    }
    for name, text in files.items():
        for word in (*FOREIGN[language], "Belg", "IMA", "At`"):
            assert word not in text, f"{name}: {word}"
        if "index" not in name and name.endswith("md"):
            assert "| `fund` | north, south, " in text
            assert f"\n## {texts_of(language).say('section.choices_of_its_own')}\n" in text
            assert f"\n## {texts_of(language).say('section.source')}\n" not in text


def test_texts_of_the_source_pages_are_those_of_the_configuration(conf: Path) -> None:
    names = conf / "sheets" / "names.yaml"
    edit(names, "the page of the IMA-AIM Atlas on deliveries", "OUR *page* on deliveries")
    text = sheet("cube_007_008a", "en", load_configuration(str(conf)))
    assert r"Source page: `cube_007_008a_At`, OUR \*page\* on deliveries" in text


def test_a_group_without_a_form_within_a_sentence_has_its_heading_there(conf: Path) -> None:
    names = conf / "sheets" / "names.yaml"
    edit(names, '  midwife: {fr: "une sage-femme", nl: "een vroedvrouw", en: "a midwife"}\n', "")
    assert "no ambulatory contact with Midwife from" in sheet("cube_007_009a", "en", load_configuration(str(conf)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\nlevel:\n", "\nlevels:\n", "line 5: levels: unknown key; there are level, delivery_type,"),
        ('  gp: {fr: "Mé', '  gps: {fr: "Mé', "line 16: group.gps: the configuration declares no such group."),
        (', en: "Midwife"', "", "line 18: group.midwife.en: this key is missing."),
        ("group:\n", "group: midwife\ndelivery_types:\n", "line 15: group: expected names with a text for each"),
        (
            '{fr: "Sage-femme", nl: "Vroedvrouw", en: "Midwife"}',
            "Midwife",
            "line 18: group.midwife: expected a text for",
        ),
        (', en: "Midwife"', ", en: 5", "line 18: group.midwife.en: expected a text."),
        ('"Midwife"', '"Midwife {x}"', "line 18: group.midwife.en: braces {} are for the placeholders"),
        ('"Midwife"', '"Midwife {"', "line 18: group.midwife.en: braces {} are for the placeholders"),
        ("contacts with {group}; the list", "contacts; the list", None),
        ("contacts with {group}; the list", "contacts with {groups}; the list", "choice.midwife_codes.en: braces {}"),
    ],
)
def test_a_wrong_name_is_refused(conf: Path, old: str, new: str, message: str | None) -> None:
    edit(conf / "sheets" / "names.yaml", old, new)
    configuration = load_configuration(str(conf))
    if message is None:
        assert "Code lists of the contacts; the list of" in sheet("cube_007_009a", "en", configuration)
        return
    with pytest.raises(InputError) as caught:
        texts_for(configuration, "en")
    assert f"sheets/names.yaml, {message}" in str(caught.value) or message in str(caught.value)


# --- Languages -----------------------------------------------------------------------------------


def test_names_labels_and_sheets_are_asked_for_in_the_declared_languages_only(conf: Path) -> None:
    """German in place of Dutch; what is said in English as well is no mistake."""
    edit(conf / "settings.yaml", "languages: [fr, nl, en]", "languages: [de, fr]")
    named = [conf / "sheets" / "names.yaml", conf / "dimensions.yaml"]
    for file in (*(conf / "indicators").iterdir(), *(conf / "codelists").iterdir(), *named):
        text = re.sub(r"\bnl: ", "de: ", file.read_text(encoding="utf-8"))
        file.write_text(text.replace("label_nl", "label_de"), encoding="utf-8")
    configuration = load_configuration(str(conf))
    files = sheet_files(configuration, configuration.settings.languages, FORMATS)
    assert {name.split("/")[0] for name in files} == {"de", "fr"}
    text = files["de/cube_007_008a.md"]
    assert "von Tag 1 bis Tag 42 nach der Entbindung" in text
    assert "beobachtet der Indikator die Abrechnungen bis zum 11. Februar des folgenden Jahres." in text
    # A label in no declared language is told with its language.
    assert "| 422030 | first individual prenatal session, at home (en) |" in text
    ET.fromstring(files["de/cube_007_008a.html"])


def test_a_language_without_a_name_or_a_column_of_labels_is_refused(conf: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_configuration(str(conf), ["languages=[en, pt]"])
    assert str(caught.value).startswith("codelists/delivery_caesarean.csv, line 1: the columns must be ")
    assert "missing: label_pt" in str(caught.value)
    for file in (conf / "codelists").iterdir():
        file.write_text(file.read_text(encoding="utf-8").replace("label_nl", "label_pt"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_configuration(str(conf), ["languages=[en, pt]"])
    lines = (conf / "dimensions.yaml").read_text(encoding="utf-8").splitlines()
    names = next(number for number, line in enumerate(lines, start=1) if line.strip().startswith("names:"))
    first = f"dimensions.yaml, line {names}: age_category.names.pt: this key is missing.\n"
    assert str(caught.value).startswith(first)
    (conf / "dimensions.yaml").unlink()
    with pytest.raises(InputError) as caught:
        load_configuration(str(conf), ["languages=[en, pt]"])
    assert str(caught.value).splitlines() == [
        "indicators/cube_007_001a_denom.yaml, line 2: names.pt: this key is missing.",
        "indicators/cube_007_001a_denom.yaml, line 6: description.pt: this key is missing.",
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[en, en]", "languages: a language stands twice."),
        ("[]", "languages: Tuple should have at least 1 item"),
        ("[English]", "languages.0: String should match pattern"),
    ],
)
def test_wrong_languages_are_refused(value: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_configuration(None, [f"languages={value}"])
    assert message in str(caught.value)


def test_fewer_languages_need_no_other_change_and_leave_the_figures_hashes(conf: Path) -> None:
    one = load_configuration(str(conf), ["languages=[nl]"])
    assert {name.split("/")[0] for name in sheet_files(one, ["nl"], ["md"])} == {"nl"}
    assert one.hashes == SHIPPED.hashes
    assert one.settings.main_language == "nl"
    assert SHIPPED.settings.main_language == "en"


def test_another_language_is_one_file(tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    write_starter("minimal", folder)
    for file in folder.rglob("*"):
        if file.suffix in (".yaml", ".csv"):
            text = file.read_text(encoding="utf-8").replace("languages: [en]", "languages: [pt]")
            file.write_text(re.sub(r"\ben: ", "pt: ", text).replace("label_en", "label_pt"), encoding="utf-8")
    configuration = load_configuration(str(folder))
    with pytest.raises(InputError, match=r"languages: there are no texts in 'pt': write sheets/pt\.yaml"):
        sheet_files(configuration, ["pt"], FORMATS)
    shipped = ROOT / "lib" / "claimatlas" / "sheets" / "languages" / "en.yaml"
    own = folder / "sheets" / "pt.yaml"
    shutil.copy(shipped, own)
    edit(own, '"Methodology sheets of the indicators"', '"Fichas metodológicas"')
    files = sheet_files(configuration, ["pt"], FORMATS)
    assert files["pt/index.md"].startswith("# Fichas metodológicas\n")
    assert '<html lang="pt">' in files["pt/index.html"]
    edit(own, "  back: ", "  backwards: ")
    edit(own, "{level} (from {year})", "{level}")
    with pytest.raises(InputError) as caught:
        texts_for(configuration, "pt")
    lines = own.read_text(encoding="utf-8").splitlines()
    block, changed = (
        1 + next(at for at, line in enumerate(lines) if line.startswith(key)) for key in ("index:", "  sector_from: ")
    )
    assert str(caught.value).splitlines() == [
        f"sheets/pt.yaml, line {block}: index.back: this key is missing.",
        f"sheets/pt.yaml, line {changed}: brief.sector_from: the placeholders must be those of the shipped text: "
        "{level}, {year}.",
    ]


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
        (["--language", "de"], "claimatlas: There is no language 'de'; the setting languages has fr, nl, en."),
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


@pytest.mark.parametrize("arguments", [["--format", "pdf"], []])
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
