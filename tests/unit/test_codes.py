"""Codes as they are declared: how lists name them, how claims write them, what a run makes of both."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from claimatlas import cli
from claimatlas.claims.netting import has_any_code, in_code_lists, service_key
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.codelists import CodeListRow
from claimatlas.configuration.codes import SIX_DIGITS, CheckDigits, Codes, Entry
from claimatlas.configuration.starters import write_starter
from claimatlas.deliveries.days import delivery_days, delivery_services
from claimatlas.errors import InputError
from claimatlas.ingest.codes import has_wrong_check, named_by
from claimatlas.ingest.contract import CLAIMS_INPUT, claims_input
from claimatlas.ingest.load.gate import rejected_together
from claimatlas.ingest.load.write import Loaded
from claimatlas.ingest.read.rows import SOURCE_FILE
from claimatlas.ingest.validate.rows import REASONS, RowRules, validate_rows
from claimatlas.synthetic.offers import load_offers
from pydantic import ValidationError
from pyspark.sql import DataFrame, SparkSession

ICD = {"kind": "text", "pattern": "[A-Z][0-9]{2}[0-9A-Z]{0,4}", "remove": ".- ", "case": "upper"}
SYSTEMS = {"kind": "text", "systems": {"icd": "[A-Z][0-9]{2}[0-9]*", "rxnorm": "[0-9]{1,8}"}, "case": "upper"}
TEXT, IN_SYSTEMS = Codes.model_validate(ICD), Codes.model_validate(SYSTEMS)
SHIPPED = "codes: {kind: number, digits: 6, check: {modulo: 7}}"
AS_TEXT = 'codes: {kind: text, pattern: "[A-Z][0-9]{2}[0-9A-Z]{0,4}", remove: ".", case: upper}'
AS_SYSTEMS = 'codes: {kind: text, systems: {icd: "[A-Z][0-9]{2}[0-9]*", rxnorm: "[0-9]{1,8}"}}'
LISTS = {"consultation": "Z39*", "delivery_caesarean": "O82", "delivery_vaginal": "O80..O81", "scan": "B*"}


@pytest.fixture(autouse=True)
def _no_compiled_queries(spark: SparkSession) -> None:
    """Compiling a query takes longer than running it on a few rows; the session is put back afterwards."""
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")


Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A small configuration whose codes are ``declared``, with one row in each of its lists."""

    def make(declared: str = AS_TEXT, lists: dict[str, str] = LISTS, system: str = "") -> Path:
        conf = tmp_path / "conf"
        write_starter("minimal", conf)
        settings = conf / "settings.yaml"
        text = settings.read_text(encoding="utf-8")
        assert SHIPPED in text
        settings.write_text(text.replace(SHIPPED, declared), encoding="utf-8")
        head, cell = ("code_system,", f"{system},") if system else ("", "")
        for name, code in lists.items():
            (conf / "codelists" / f"{name}.csv").write_text(
                f"list,code,{head}label_en,valid_from,valid_to,source,status\n"
                f"{name},{code},{cell},2020-01-01,,a source,verified\n",
                encoding="utf-8",
            )
        return conf

    return make


# --- What a list names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "text", "expected"),
    [
        (SIX_DIGITS, "424093", Entry(424093)),
        (SIX_DIGITS, "4240*", Entry(424000, "range", 424099)),
        (SIX_DIGITS, "424000..424093", Entry(424000, "range", 424093)),
        (TEXT, "o80.1", Entry("O801")),
        (TEXT, "O8*", Entry("O8", "prefix")),
        (TEXT, "O80..o84.9", Entry("O80", "range", "O849")),
    ],
)
def test_a_row_names_a_code_a_prefix_or_a_range(codes: Codes, text: str, expected: Entry) -> None:
    assert codes.entry(text) == expected


@pytest.mark.parametrize(
    ("codes", "text", "said"),
    [
        (SIX_DIGITS, "O80", "the code 'O80' is not a number"),
        (SIX_DIGITS, "42409", "the code 42409 is not of six digits"),
        (SIX_DIGITS, "424093*", "'424093' begins no code of six digits"),
        (SIX_DIGITS, "0*", "'0' begins no code of six digits"),
        (SIX_DIGITS, "*", "'' begins no code of six digits"),
        (SIX_DIGITS, "424093..424000", "the range '424093..424000' ends before it starts"),
        (TEXT, "424093", "the code '424093' does not fit the pattern"),
        (TEXT, "", "the code '' does not fit the pattern"),
        (TEXT, ".*", "* alone would be every code"),
        (TEXT, "O84..O80", "the range 'O84..O80' ends before it starts"),
        (TEXT, "O8..O84", "the code 'O8' does not fit the pattern"),
    ],
)
def test_what_names_no_code_is_refused(codes: Codes, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        codes.entry(text)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "number"}, "a number needs its digits"),
        ({"kind": "number", "digits": 6, "case": "upper"}, "go with the kind text"),
        ({"kind": "number", "digits": 2, "check": {"modulo": 97, "digits": 2}}, "more digits than its check digits"),
        ({"kind": "text"}, "give either pattern or systems"),
        ({"kind": "text", "pattern": "A", "systems": {"a": "A"}}, "give either pattern or systems"),
        ({"kind": "text", "pattern": "A", "digits": 6}, "digits go with the kind number"),
        ({"kind": "text", "pattern": "[A"}, "not a regular expression"),
        ({"kind": "text", "pattern": "(?P<a>A)"}, "not a regular expression for Spark"),
    ],
)
def test_a_declaration_must_fit_its_kind(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Codes.model_validate(given)


@pytest.mark.parametrize(
    # 12345 modulo 97 is 26.
    ("code", "is_right"),
    [("1234526", True), ("1234527", False), ("O1234526", False), ("26", False), ("0000", True), ("0126", False)],
)
def test_check_digits_are_as_declared(spark: SparkSession, code: str, is_right: bool) -> None:
    codes = TEXT.model_copy(update={"check": CheckDigits(modulo=97, digits=2)})
    assert codes.has_valid_check(code) == is_right
    frame = spark.createDataFrame([(code,)], "nomenclature_code string")
    assert frame.select(~has_wrong_check(codes)).collect()[0][0] == is_right


def plain(row: CodeListRow, code: str) -> bool:
    """Whether a row names a code, in plain Python."""
    first, last = str(row.code), str(row.last)
    if row.match == "exact":
        return code == first
    return (
        code.startswith(first) if row.match == "prefix" else first <= code and (code <= last or code.startswith(last))
    )


def test_the_columns_say_what_plain_python_says(spark: SparkSession) -> None:
    codes = [a + b + c for a in "NO" for b in ("79", "80", "81", "84", "85") for c in ("", "0", "9", "99")]
    entries = [TEXT.entry(text) for text in ("O80", "O81*", "O8*", "O80..O84", "N85..O80", "O809..O810")]
    frame = spark.createDataFrame([(code,) for code in codes], "nomenclature_code string")
    for entry in entries:
        row = CodeListRow(entry.code, {}, None, None, "x", "page", 2, entry.match, entry.last)
        found = {line[0] for line in frame.where(named_by([row])).collect()}
        assert found == {code for code in codes if plain(row, code)} != set(), entry.written


# --- Claims --------------------------------------------------------------------------------------


def judged(spark: SparkSession, configuration: Configuration, rows: list[dict[str, Any]]) -> list[Any]:
    sound = {"claim_id": "c", "beneficiary_id": "a", "service_date": "2023-03-01", "quantity": "1"}
    filled = [{**sound, "nomenclature_code": None, "code_system": None, **row} for row in rows]
    names = [name for name in filled[0] if name != "code_system" or configuration.settings.codes.systems]
    raw = spark.createDataFrame(
        [(*[row[name] for name in names], "file") for row in filled],
        ", ".join(f"{name} string" for name in (*names, SOURCE_FILE)),
    )
    table = claims_input(configuration.settings)
    rules = RowRules(configuration.mapping, date(2005, 1, 1), date(2026, 12, 31))
    return validate_rows(raw, table, rules).collect()


def test_claims_are_brought_into_the_form_that_lists_have(spark: SparkSession, made: Made) -> None:
    configuration = load_configuration(str(made()))
    texts = [" o80.1 ", "Z39", "424093", "O8", "O80\ufffd", None]
    found = [(row["nomenclature_code"], row[REASONS]) for row in judged(spark, configuration, codes_of(texts))]
    assert found == [
        ("O801", []),
        ("Z39", []),
        ("424093", ["invalid_nomenclature_code"]),
        ("O8", ["invalid_nomenclature_code"]),
        (None, ["unparseable_nomenclature_code"]),
        (None, ["missing_nomenclature_code"]),
    ]


def codes_of(texts: list[str | None]) -> list[dict[str, Any]]:
    return [{"nomenclature_code": text} for text in texts]


def test_a_code_is_of_its_system(spark: SparkSession, made: Made) -> None:
    configuration = load_configuration(str(made(AS_SYSTEMS, {**LISTS, "scan": "B20*"}, "icd")))
    rows = [
        {"nomenclature_code": "314076", "code_system": "rxnorm"},
        {"nomenclature_code": "314076", "code_system": "icd"},
        {"nomenclature_code": "O80", "code_system": "snomed"},
        {"nomenclature_code": "O80", "code_system": None},
    ]
    assert [(row["code_system"], row[REASONS]) for row in judged(spark, configuration, rows)] == [
        ("rxnorm", []),
        ("icd", ["invalid_nomenclature_code"]),
        ("snomed", ["unknown_code_system"]),
        (None, ["missing_code_system"]),
    ]
    assert service_key(configuration)[-1] == "code_system"


def lines(spark: SparkSession, *codes: tuple[str, str]) -> DataFrame:
    """A line of one person and day for each code and system."""
    columns = (
        "beneficiary_id string, service_date date, nomenclature_code string, code_system string, quantity int, "
        "provider_id string, hospital_id string"
    )
    return spark.createDataFrame([("a", date(2023, 3, 1), *code, 1, None, None) for code in codes], columns)


def test_a_list_names_codes_of_its_own_system_alone(spark: SparkSession, made: Made) -> None:
    lists = {"consultation": "39*", "delivery_caesarean": "82", "delivery_vaginal": "80..81", "scan": "31*"}
    configuration = load_configuration(str(made(AS_SYSTEMS, lists, "rxnorm")))
    same = lines(spark, ("314076", "rxnorm"), ("314076", "icd"), ("82", "rxnorm"))
    found = same.select(has_any_code(configuration, ["scan"]), in_code_lists(configuration, ["scan"])).collect()
    assert [tuple(row) for row in found] == [(True, True), (False, False), (False, False)]


def test_services_of_two_systems_are_not_netted(spark: SparkSession, made: Made) -> None:
    configuration = load_configuration(str(made(AS_SYSTEMS, LISTS, "icd")))
    services = delivery_services(lines(spark, ("O82", "icd"), ("O80", "icd"), ("O80", "rxnorm")), configuration)
    rows = {(row["nomenclature_code"], row["code_system"], row["delivery_type"]) for row in services.collect()}
    assert rows == {("O82", "icd", "caesarean"), ("O80", "icd", "vaginal")}
    assert [row["delivery_type"] for row in delivery_days(services).collect()] == ["caesarean"]


# --- Commands ------------------------------------------------------------------------------------


def test_the_columns_of_belgium_are_as_they_were() -> None:
    belgium = load_configuration()
    assert claims_input(belgium.settings) == CLAIMS_INPUT
    assert service_key(belgium) == ("beneficiary_id", "service_date", "nomenclature_code", "provider_id")
    assert [column.type for column in CLAIMS_INPUT.silver.columns if column.name == "nomenclature_code"] == ["int"]


def test_validate_refuses_a_code_off_the_pattern_by_its_line(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    conf = made(lists={**LISTS, "scan": "424093"})
    assert cli.main(["validate", "--conf", str(conf)]) == 2
    assert "codelists/scan.csv, line 2: the code '424093' does not fit the pattern" in capsys.readouterr().err


def test_a_list_names_a_declared_system(made: Made) -> None:
    conf = made(AS_SYSTEMS, LISTS, "icd11")
    with pytest.raises(InputError, match=r"line 2: the code system must be one of icd, rxnorm\."):
        load_configuration(str(conf))


def test_codelists_judges_by_the_declared_check(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    # 10001 modulo 7 is 5, 10002 is 6; 10000 is 4 and not 5. Of a prefix there is nothing to judge.
    lists = {"consultation": "100015", "delivery_caesarean": "100026", "delivery_vaginal": "10003*", "scan": "100005"}
    conf = made("codes: {kind: number, digits: 6}", lists)
    assert cli.main(["codelists", "--conf", str(conf)]) == 0
    settings = conf / "settings.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("digits: 6}", "digits: 6, check: {modulo: 7}}"), encoding="utf-8")
    capsys.readouterr()
    assert cli.main(["codelists", "--conf", str(conf)]) == 2
    assert capsys.readouterr().err == "claimatlas: codelists/scan.csv, line 2: 100005 has a wrong check digit.\n"


def test_generate_says_what_it_does_not_draw(made: Made) -> None:
    with pytest.raises(InputError, match="declares codes of the kind text"):
        load_offers(load_configuration(str(made())), None, None, None)  # type: ignore[arg-type]


def test_rejected_lines_are_counted_by_the_lists_that_name_their_code(spark: SparkSession, made: Made) -> None:
    configuration = load_configuration(str(made()))
    rejected = [(["zero_quantity"], '{"service_date":"2022-03-01","nomenclature_code":"o82"}')] * 20
    rejected += [(["zero_quantity"], '{"service_date":"2022-03-01","nomenclature_code":"z39.1"}')] * 4
    loaded = Loaded("claims", read=10_000, rejected=24, reasons={"zero_quantity": 24})
    loaded.rejected_rows = spark.createDataFrame(rejected, "reasons array<string>, row string")
    accepted = spark.createDataFrame(
        [(2022, "O82")] * 10 + [(2022, "Z390")] * 96 + [(2022, "A00")] * 5, "year int, nomenclature_code string"
    )
    found = rejected_together(loaded, claims_input(configuration.settings), accepted, {2022: 9_976}, configuration)
    assert {(one.sentence.split(" were")[0].split("the lines of ")[-1], one.odd, one.of) for one in found[1:]} == {
        ("delivery_types.caesarean in 2022 20 of 30 (66.67 %)", 20, 30),
        ("contact_groups.doctor in 2022 4 of 100 (4.00 %)", 4, 100),
    }
