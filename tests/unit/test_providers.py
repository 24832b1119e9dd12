"""Attributes of providers as they are declared, and the rules that read them."""

from pathlib import Path

import pytest
from claimatlas.claims.netting import provider_rule
from claimatlas.configuration import load_configuration
from claimatlas.configuration.codes import Entry
from claimatlas.configuration.providers import ProviderAttribute
from claimatlas.configuration.reserved import OF_AN_ATTRIBUTE
from claimatlas.configuration.services import ContactGroup
from claimatlas.configuration.settings import Settings
from claimatlas.configuration.snapshot import restored, snapshot
from claimatlas.configuration.starters import write_starter
from claimatlas.errors import InputError
from claimatlas.ingest.contract import CLAIMS_INPUT, claims_input
from claimatlas.ingest.shortfall import distinguishing_columns
from claimatlas.sheets.names import load_names
from claimatlas.synthetic.offers import load_offers
from claimatlas.tables.schemas import CLAIMS
from pyspark.sql import SparkSession

TEXT, INTEGER = ProviderAttribute(holds="text"), ProviderAttribute(holds="integer")
DECLARED = "provider_attributes: {speciality: {holds: text, meaning: Their trade}, ward: {holds: integer}}"


def settings() -> Settings:
    attributes = {"speciality": TEXT, "ward": INTEGER}
    return load_configuration().settings.model_copy(update={"provider_attributes": attributes})


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A small configuration with two attributes and a rule on each."""
    folder = tmp_path / "conf"
    write_starter("minimal", folder)
    edit(folder / "settings.yaml", "provider_attributes: {}", DECLARED)
    edit(
        folder / "services.yaml",
        "    code_lists: [consultation]\n",
        "    code_lists: [consultation]\n    where: {speciality: [GP, GYN*]}\n    where_not: {ward: [7, 10..19]}\n",
    )
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("attribute", "word", "expected"),
    [
        (INTEGER, "40", Entry(40)),
        (INTEGER, "-1..8", Entry(-1, "range", 8)),
        (TEXT, "40", Entry("40")),
        (TEXT, "GYN*", Entry("GYN", "prefix")),
        (TEXT, "A1..B", Entry("A1", "range", "B")),
    ],
)
def test_a_word_names_a_value_a_prefix_or_a_range(attribute: ProviderAttribute, word: str, expected: Entry) -> None:
    assert attribute.entry(word) == expected


@pytest.mark.parametrize(
    ("attribute", "word", "said"),
    [
        (INTEGER, "4*", "no whole number"),
        (INTEGER, "1234567890", "no whole number"),
        (INTEGER, "8..1", "ends before it starts"),
        (TEXT, "*", "every value"),
        (TEXT, "", "a value is empty"),
        (TEXT, "B..A", "ends before it starts"),
    ],
)
def test_a_word_that_names_nothing_is_refused(attribute: ProviderAttribute, word: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        attribute.entry(word)


def test_rules_of_text_and_of_numbers(spark: SparkSession) -> None:
    rows = [("GP", 1), ("GP", 7), ("GP", 15), ("GP", None), ("GYN-2", 20), ("gp", 1), ("GPX", 1), (None, 1)]
    lines = spark.createDataFrame(rows, "speciality string, ward int")
    group = ContactGroup(code_lists=("x",), where={"speciality": ("GP", "GYN*")}, where_not={"ward": ("7", "10..19")})
    found = [row[0] for row in lines.select(provider_rule(group, settings())).collect()]
    assert found == [True, False, False, False, True, False, False, False]


def test_the_columns_of_claims_are_those_that_are_declared(conf: Path) -> None:
    table = claims_input(load_configuration(str(conf)).settings)
    assert [(column.name, column.kind) for column in table.columns][6:8] == [
        ("speciality", "text"),
        ("ward", "integer"),
    ]
    assert table.preference[5:7] == ("speciality", "ward")
    found = {column.name: (column.type, column.comment) for column in table.silver.columns}
    assert found["speciality"] == ("string", "Their trade")
    assert found["ward"] == ("int", "Of the provider: ward")
    assert "provider_profession" not in found


def test_every_other_column_of_a_claim_line_is_reserved() -> None:
    declared = {"provider_profession", "provider_competence"}
    assert {column.name for column in CLAIMS_INPUT.columns} - declared <= OF_AN_ATTRIBUTE
    assert set(CLAIMS.column_names) - declared <= OF_AN_ATTRIBUTE


@pytest.mark.parametrize("name", ["hospital_id", "delivery_date", "Ward"])
def test_an_attribute_takes_no_other_columns_name(conf: Path, name: str) -> None:
    edit(conf / "settings.yaml", "ward:", f"{name}:")
    with pytest.raises(InputError, match=f"provider_attributes.*{name}"):
        load_configuration(str(conf))


def test_files_without_an_attribute_lack_the_groups_that_read_it(conf: Path) -> None:
    assert distinguishing_columns(load_configuration(str(conf))) == {"speciality": ["doctor"], "ward": ["doctor"]}


def test_an_attribute_may_have_a_name_for_sheets(conf: Path) -> None:
    file = conf / "sheets" / "names.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "provider:\n  ward: {en: the ward}\n", encoding="utf-8")
    assert load_names(load_configuration(str(conf)))["en"]["provider.ward"] == "the ward"


def test_generate_says_which_attributes_it_draws(conf: Path) -> None:
    with pytest.raises(InputError, match="declares speciality, ward"):
        load_offers(load_configuration(str(conf)), None, None, None)  # type: ignore[arg-type]


def test_rules_under_the_keys_of_before_are_read_from_a_snapshot() -> None:
    """A run that was recorded before can be explained and compared, and its configuration has the hash that it had."""
    configuration = load_configuration()
    files = snapshot(configuration)
    for attribute in ("competence", "profession"):
        files["services.yaml"] = files["services.yaml"].replace(
            f"where_not: {{provider_{attribute}: ", f"{attribute}s_except: {{"
        )
        files["services.yaml"] = files["services.yaml"].replace(f"where: {{provider_{attribute}: ", f"{attribute}s: {{")
    files["services.yaml"] = files["services.yaml"].replace(": {[", ": [").replace("]}\n", "]\n")
    text = files["services.yaml"]
    assert "competences: [34," in text
    assert "competences_except: [1," in text
    assert "professions: [40]" in text
    # What the replacements made of other lines that end so.
    files["services.yaml"] = "".join(
        line.replace("]\n", "]}\n") if "{code_lists" in line or "{contact_groups" in line else line
        for line in text.splitlines(keepends=True)
    )
    with restored(files) as again:
        assert again.services == configuration.services
        assert again.hashes == configuration.hashes


def test_a_rule_on_another_attribute_has_a_hash_of_its_own(conf: Path) -> None:
    first = load_configuration(str(conf)).hashes["services"]
    edit(conf / "services.yaml", "[GP, GYN*]", "[GP]")
    second = load_configuration(str(conf)).hashes["services"]
    edit(conf / "services.yaml", "where_not: {ward: [7, 10..19]}", "where_not: {ward: [7]}")
    assert len({first, second, load_configuration(str(conf)).hashes["services"]}) == 3
