"""A dimension of the claim lines: which services have which value, what is refused, and what its cells add up to."""

import re
import shutil
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from claimatlas import cli
from claimatlas.cells.cube import cube
from claimatlas.cells.members import require_columns_of_dimensions
from claimatlas.cells.numerators import line_values, measure_columns
from claimatlas.cells.rows import Computable, Split, measures_of_rows, published_rows
from claimatlas.checks.gold import check_sums
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.publication import load_publication
from claimatlas.errors import InputError
from claimatlas.population.services import quantities_of_beneficiaries, services_of_years
from claimatlas.sheets.files import sheet_files
from claimatlas.tables.store import Store
from comparison import read
from examples import TEXT_CODES, Edit, editor_of
from pyspark.sql import SparkSession

INDICATOR = "scans_by_provider"
VALUES = ["GP", "GYN*", "MW1..MW3", "unknown"]
LINES = (
    "beneficiary_id string, service_date date, nomenclature_code string, code_system string, provider_id string, "
    "quantity int, speciality string, hospital_id string, year int"
)


@pytest.fixture(scope="module")
def example() -> Configuration:
    return load_configuration(str(TEXT_CODES))


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    return editor_of(TEXT_CODES, tmp_path)


# --- Which services have a value ----------------------------------------------------------------------------


def line(who: str, quantity: int, speciality: str | None, provider: str = "d1") -> tuple[Any, ...]:
    return (who, date(2022, 5, 1), "SCAN100", "procedure", provider, quantity, speciality, None, 2022)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line("a", 2, "GP")], [2, 0, 0, 0]),
        ([line("a", 1, "GYN-A"), line("a", 1, "MW2", "d2")], [0, 1, 1, 0]),
        # A range ends with what begins so; a value that nobody declares and a missing one are unknown.
        ([line("a", 1, "MW31"), line("a", 2, "MW4", "d2"), line("a", 4, None, "d3")], [0, 0, 1, 6]),
        # One service of two lines: the first declared value, whatever the order of the lines.
        ([line("a", 1, "MW1"), line("a", 2, "GP")], [3, 0, 0, 0]),
        ([line("a", 2, "GP"), line("a", 1, "MW1")], [3, 0, 0, 0]),
        # A correction gives no value, and takes back in that of its service.
        ([line("a", 3, "GYN-B"), line("a", -1, "GP")], [0, 2, 0, 0]),
        ([line("a", 1, "GP"), line("a", -1, None)], [0, 0, 0, 0]),
    ],
)
def test_a_service_has_the_first_declared_value_of_its_lines(
    spark: SparkSession, example: Configuration, lines: Sequence[tuple[Any, ...]], expected: list[int]
) -> None:
    services = services_of_years(spark.createDataFrame(lines, LINES), example, [2022])
    (row,) = quantities_of_beneficiaries(services, example).collect()
    found = example.dimensions.line_values("provider_kind")
    assert [value.value for value in found] == VALUES
    assert [row[value.quantity("scan")] for value in found] == expected
    assert row["quantity_scan"] == sum(expected)


# --- Cells --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def computed(spark: SparkSession, example: Configuration) -> tuple[Any, Any, Split, Any]:
    """A cube of two places, in one of which nobody is a member, its rows of gold, their split and the indicator."""
    (indicator,) = [one for one in example.indicators if one.id == INDICATOR]
    columns = measure_columns([indicator], example.dimensions)
    row = dict.fromkeys(columns, 0)
    row |= {columns[0]: 10, columns[1]: 7}
    row |= {
        value.numerator(INDICATOR): count
        for value, count in zip(example.dimensions.line_values("provider_kind"), (4, 0, 2, 1), strict=True)
    }
    finest = spark.createDataFrame(
        [(2022, "N1", "18-64", "female", None, *(row[name] for name in columns))],
        "year int, district string, age_category string, sex string, sector string, "
        + ", ".join(f"`{name}` bigint" for name in columns),
    )
    cells = cube(finest, "beneficiary_years", [indicator], example, [2022])
    split = Split.of("beneficiary_years", example)
    computable = Computable({(INDICATOR, 2022): "final"}, example.geography.levels)
    return cells, published_rows(cells, split, [indicator], computable), split, indicator


def test_each_value_has_a_cell_with_the_denominator_of_all(computed: tuple[Any, Any, Split, Any]) -> None:
    rows = computed[1].collect()
    counts = {
        (row["geo_code"], row["age_category"], row["provider_kind"]): (
            row["numerator"],
            row["denominator"],
            row["value"],
        )
        for row in rows
    }
    for age in ("all", "18-64"):
        assert {key[2]: counts[key] for key in counts if key[:2] == ("N1", age)} == {
            "all": (7, 10, 70.0),
            "GP": (4, 10, 40.0),
            "GYN*": (0, 10, 0.0),
            "MW1..MW3": (2, 10, 20.0),
            "unknown": (1, 10, 10.0),
        }
    # Without a member there is the row of the place, and none of a value.
    assert {key[1:]: counts[key] for key in counts if key[0] == "N2"} == {("all", "all"): (0, 0, None)}
    assert {(row["delivery_type"], row["sex"]) for row in rows} == {("all", "all")}


def test_the_rows_give_the_cube_back(computed: tuple[Any, Any, Split, Any]) -> None:
    """An incremental run starts from them."""
    cells, rows, split, indicator = computed
    measures = measure_columns([indicator], split.dimensions)
    assert measures[2:] == [value.numerator(INDICATOR) for value in line_values(indicator, split.dimensions)]
    key = ["year", "geo_level", "geo_code", *split.own]
    again = measures_of_rows(rows, split, [indicator]).select(*key, *measures).collect()
    assert sorted(again) == sorted(cells.select(*key, *measures).collect())


def test_sums_compare_numerators_with_all_and_denominators_with_each(
    computed: tuple[Any, Any, Split, Any], example: Configuration
) -> None:
    rows = computed[1].toArrow().to_pylist()

    def wrong(change: Callable[[dict[str, Any]], None]) -> list[str]:
        damaged = [dict(row) for row in rows]
        for row in damaged:
            if (row["geo_code"], row["age_category"], row["provider_kind"]) == ("N1", "all", "GP"):
                change(row)
        cells = computed[1].toArrow().from_pylist(damaged, schema=computed[1].toArrow().schema)
        found = check_sums(cells, example, [2022])
        assert {finding.subject["sum"] for finding in found} >= {"provider_kind", "age_category", "places"}
        return [f"{one.subject['sum']} {one.subject['geo_level']}" for one in found if not one.ok]

    assert wrong(lambda row: None) == []
    assert "provider_kind district" in wrong(lambda row: row.update(numerator=5))
    assert "provider_kind district" in wrong(lambda row: row.update(denominator=11))
    assert "provider_kind district" in wrong(lambda row: row.update(denominator=0))


def test_drawn_counts_add_up(tmp_path: Path, example: Configuration) -> None:
    output = tmp_path / "drawn"
    options = ["--output", str(output), "--beneficiaries", "3000", "--years", "2022", "--seed", "4"]
    assert cli.main(["generate", "--counts", *options, "--conf", str(TEXT_CODES)]) == 0
    rows = [row for row in read(output, "gold/beneficiary_years") if row["indicator_id"] == INDICATOR]
    assert {row["provider_kind"] for row in rows} == {*VALUES, "all"}
    whole = {
        (row["geo_level"], row["geo_code"], row["age_category"]): row for row in rows if row["provider_kind"] == "all"
    }
    parts = dict.fromkeys(whole, 0)
    for row in rows:
        if row["provider_kind"] != "all":
            key = (row["geo_level"], row["geo_code"], row["age_category"])
            parts[key] += row["numerator"]
            assert row["denominator"] == whole[key]["denominator"]
    assert parts == {key: row["numerator"] for key, row in whole.items()}
    assert sum(parts.values()) > 0


# --- What is refused ----------------------------------------------------------------------------------------

KIND = {"source": "claims.speciality", "values": ["GP"], "populations": ["beneficiary_years"]}


@pytest.mark.parametrize(
    ("name", "declared", "message"),
    [
        (
            "kind",
            {**KIND, "source": "claims.fund"},
            "kind.source: provider_attributes of settings.yaml has no 'fund'; there are speciality, setting",
        ),
        (
            "kind",
            {**KIND, "source": "claims."},
            "kind.source: a source is age, population.<column>, delivery.<column> or",
        ),
        ("kind", {**KIND, "values": ["B..A"]}, "kind.values.B..A: the range 'B..A' ends before it starts"),
        ("kind", {**KIND, "values": ["*"]}, "kind.values.*: * alone would be every value"),
        ("kind", {**KIND, "values": []}, "kind.values: this key is missing"),
        (
            "kind",
            {"source": "claims.speciality", "values": ["GP"]},
            "kind.populations: a column of the claim lines is for",
        ),
        ("kind", {**KIND, "populations": ["deliveries"]}, "kind.populations: a column of the claim lines is for"),
        ("kind", {**KIND, "type": "boolean"}, "kind.type: boolean is for a column of the population"),
        ("value", KIND, "value: the name 'value' cannot be used: a table has a column"),
    ],
)
def test_a_mistake_of_the_dimension_is_refused(edit: Edit, name: str, declared: object, message: str) -> None:
    conf = edit("dimensions.yaml", **{name: declared})
    with pytest.raises(InputError, match=re.escape(message)):
        load_configuration(str(conf))


def test_a_dimension_may_not_take_a_column_of_gold_by_the_name_of_an_attribute(edit: Edit) -> None:
    edit(
        "settings.yaml",
        provider_attributes={
            "denominator": {"holds": "text"},
            "speciality": {"holds": "text"},
            "setting": {"holds": "text"},
        },
    )
    conf = edit("dimensions.yaml", denominator={**KIND, "source": "claims.denominator"})
    with pytest.raises(InputError, match="the name 'denominator' cannot be used"):
        load_configuration(str(conf))


@pytest.mark.parametrize(
    ("indicator", "keys", "message"),
    [
        (
            "scanned_women",
            {"dimensions": ["provider_kind"]},
            "dimensions: provider_kind is a column of the claim lines, which splits services: only the numerator "
            "quantity_of_service counts them. Somebody with services of two values would count twice.",
        ),
        (
            "births",
            {"dimensions": ["provider_kind"]},
            "dimensions: the population deliveries has no 'provider_kind'; it has age_category, delivery_type.",
        ),
        ("scans", {"dimensions": ["height"]}, "has no 'height'; it has age_category, sex, provider_kind, where_given."),
        (
            "scans",
            {"dimensions": ["provider_kind", "where_given"]},
            "dimensions: provider_kind and where_given are columns of the claim lines: give one of them at most.",
        ),
    ],
)
def test_only_volumes_are_split_by_one(edit: Edit, indicator: str, keys: dict[str, object], message: str) -> None:
    edit("dimensions.yaml", where_given={**KIND, "source": "claims.setting", "values": ["home"]})
    conf = edit(f"indicators/{indicator}.yaml", **keys)
    with pytest.raises(InputError, match=re.escape(message)):
        load_configuration(str(conf))


def test_it_cannot_be_protected_yet(edit: Edit) -> None:
    conf = edit("indicators/scans.yaml", dimensions=["sex", "provider_kind"])
    message = "figures by provider_kind, a column of the claim lines, cannot be protected yet. Name scans in not_pub"
    with pytest.raises(InputError, match=f"sensitive_sides.scans: {message}"):
        load_publication(load_configuration(str(conf)))


def test_a_silver_without_the_column_is_refused(example: Configuration) -> None:
    class Former:
        """A silver from before the attribute was declared."""

        root = "output"

        def columns(self, table: Any) -> list[str]:
            return ["sex", "increased_reimbursement", "beneficiary_id"]

        def called(self, table: Any) -> str:
            return str(table.name)

    with pytest.raises(
        InputError, match=r"silver/claims in output has no column speciality, which dimensions\.yaml names"
    ):
        require_columns_of_dimensions(cast(Store, Former()), example)


# --- What readers are told ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "Kind of provider wird an den Zeilen der Leistungen abgelesen"),
        ("en", "Kind of provider is read from the lines of the services and splits services, not people"),
        ("fr", "Kind of provider se lit sur les lignes des prestations"),
        ("nl", "Kind of provider wordt afgelezen van de regels van de verstrekkingen"),
    ],
)
def test_the_sheet_says_what_is_split(tmp_path: Path, language: str, said: str) -> None:
    # The texts of the example are taken for those of the language.
    conf = Path(shutil.copytree(TEXT_CODES, tmp_path / "conf"))
    for file in (*conf.glob("*.yaml"), *conf.glob("*/*.yaml"), *conf.glob("codelists/*.csv")):
        text = file.read_text(encoding="utf-8")
        for known in ("{{{}:", "[{}]", "label_{}"):
            text = text.replace(known.format("en"), known.format(language))
        file.write_text(text, encoding="utf-8")
    configuration = load_configuration(str(conf))
    sheets = sheet_files(configuration, [language], ["md"], [INDICATOR, "scans"])
    assert said in sheets[f"{language}/{INDICATOR}.md"]
    assert "general practitioner, gynaecologist, midwife" in sheets[f"{language}/{INDICATOR}.md"]
    assert said not in sheets[f"{language}/scans.md"]
