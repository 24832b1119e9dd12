"""What each kind of column understands, in text and in every type that a file may store it in."""

import json
import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from claimatlas.configuration.mappings import Mapping
from claimatlas.errors import InputError
from claimatlas.ingest.contract import CLAIMS_INPUT, HOSPITAL_STAYS_INPUT, InputTable
from claimatlas.ingest.read.rows import CORRUPT, SOURCE_FILE
from claimatlas.ingest.validate.columns import find_columns
from claimatlas.ingest.validate.rows import REASONS, REPEATED, ROW, RowExtras, RowRules, validate_rows
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from shipped import POPULATION_INPUT

STANDARD = Mapping(description="our own names")
SOUND: dict[str, dict[str, Any]] = {
    "claims": {
        "claim_id": "c",
        "beneficiary_id": "a",
        "service_date": "2023-03-01",
        "nomenclature_code": "424093",
        "quantity": "1",
    },
    "population": {"beneficiary_id": "a", "year": "2023"},
    "hospital_stays": {
        "stay_id": "s",
        "beneficiary_id": "a",
        "admission_date": "2023-03-01",
        "discharge_date": "2023-03-04",
    },
}


class Rejected(str):
    """A reason to reject, where a value is expected otherwise."""


# Without the name of the column, which the test knows.
UNPARSEABLE, MISSING, INVALID, ZERO = (Rejected(reason) for reason in ("unparseable", "missing", "invalid", "zero"))
OUT_OF_RANGE = Rejected("service_date_out_of_range")


@pytest.fixture(autouse=True)
def _no_compiled_queries(spark: SparkSession) -> None:
    """Compiling a query takes longer than running it on a few rows; the session is put back afterwards."""
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")


def judge(raw: DataFrame, table: InputTable, *, mapping: Mapping = STANDARD, every_row: bool = False) -> list[Row]:
    rules = RowRules(mapping, date(2005, 1, 1), date(2026, 12, 31))
    return validate_rows(raw, table, rules, RowExtras(every_row=every_row)).collect()


def frame(spark: SparkSession, table: InputTable, rows: Iterable[dict[str, Any]], **types: T.DataType) -> DataFrame:
    """Rows of text, but for the columns with a type of their own; what a row does not name is null."""
    filled = [{**SOUND[table.name], **row} for row in rows]
    names = list(dict.fromkeys(name for row in filled for name in row))
    fields = [T.StructField(name, types.get(name, T.StringType())) for name in (*names, SOURCE_FILE)]
    values = [(*[row.get(name) for name in names], "file") for row in filled]
    return spark.createDataFrame(values, T.StructType(fields), verifySchema=False)


def outcome(
    spark: SparkSession, table: InputTable, column: str, values: list[Any], data_type: T.DataType | None = None
) -> list[Any]:
    """What becomes of each value in a column: the typed value, or the reason for which the row is rejected."""
    types = {column: data_type or T.StringType(), "position": T.IntegerType()}
    rows = [{column: value, "position": position} for position, value in enumerate(values)]
    found = {}
    for row in judge(frame(spark, table, rows, **types), table, every_row=True):
        reasons = [Rejected(reason.removesuffix(f"_{column}")) for reason in row[REASONS]]
        assert len(reasons) <= 1, row
        found[json.loads(row[ROW])["position"]] = reasons[0] if reasons else row[column]
    return [found[position] for position in range(len(values))]


# --- Text ----------------------------------------------------------------------------------------

SPACES = ["\t", "\n", "\r", " ", "\x0b", "\x0c", "\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000"]


def test_text_is_trimmed_of_every_white_space(spark: SparkSession) -> None:
    values = [
        "x",
        " x ",
        "\tx\t",
        *[f"{space}x{space}" for space in SPACES],
        "a b",
        "x\u200b",
        "0071",
        "NULL",
        "\u00e9",
    ]
    expected = ["x", "x", "x", *["x" for _ in SPACES], "a b", "x\u200b", "0071", "NULL", "\u00e9"]
    assert outcome(spark, CLAIMS_INPUT, "provider_id", values) == expected


def test_nothing_but_white_space_is_null(spark: SparkSession) -> None:
    values = [None, "", " ", "\t", "  \t \r\n ", *SPACES]
    assert outcome(spark, CLAIMS_INPUT, "provider_id", values) == [None] * len(values)
    assert outcome(spark, CLAIMS_INPUT, "beneficiary_id", values) == [MISSING] * len(values)


def test_text_that_lost_letters_is_not_understood(spark: SparkSession) -> None:
    """Zo\xeb and Zo\xe9 in Latin-1 are both Zo\ufffd when read as UTF-8: they must not become one person."""
    values = ["Zo\ufffd", "\ufffd", "Zoë", "Zo\x00"]
    assert outcome(spark, CLAIMS_INPUT, "beneficiary_id", values) == [UNPARSEABLE, UNPARSEABLE, "Zoë", "Zo\x00"]


def test_bytes_that_are_not_utf_8_are_not_understood(spark: SparkSession) -> None:
    raw = frame(spark, CLAIMS_INPUT, [{"provider_id": "x"}])
    latin = raw.withColumn("provider_id", F.expr("cast(X'5A6FEB' as string)"))
    assert [row[REASONS] for row in judge(latin, CLAIMS_INPUT)] == [["unparseable_provider_id"]]


@pytest.mark.parametrize(
    ("data_type", "values"),
    [
        (T.LongType(), [71, -7, None]),
        (T.IntegerType(), [71, -7, None]),
        (T.ShortType(), [71, -7, None]),
        (T.DecimalType(20, 0), [Decimal(71), Decimal(-7), None]),
    ],
    ids=str,
)
def test_ids_may_be_stored_as_whole_numbers(spark: SparkSession, data_type: T.DataType, values: list[Any]) -> None:
    assert outcome(spark, CLAIMS_INPUT, "claim_id", values, data_type) == ["71", "-7", MISSING]


# --- Dates ---------------------------------------------------------------------------------------


def test_dates_in_text(spark: SparkSession) -> None:
    cases = {
        "1990-02-28": date(1990, 2, 28),
        " 1990-02-28\t": date(1990, 2, 28),
        "2000-02-29": date(2000, 2, 29),
        "0001-01-01": date(1, 1, 1),
        "0000-01-01": UNPARSEABLE,
        "9999-12-31": date(9999, 12, 31),
        "1900-02-29": UNPARSEABLE,
        "2023-02-30": UNPARSEABLE,
        "2023-13-01": UNPARSEABLE,
        "2023-00-01": UNPARSEABLE,
        "2023-01-00": UNPARSEABLE,
        "2023-1-5": UNPARSEABLE,
        "2023-01-5": UNPARSEABLE,
        "20230105": UNPARSEABLE,
        "2023-01": UNPARSEABLE,
        "2023": UNPARSEABLE,
        "05/01/2023": UNPARSEABLE,
        "2023/01/05": UNPARSEABLE,
        "2023-01-05T00:00:00": date(2023, 1, 5),
        "2023-01-05 00:00:00": date(2023, 1, 5),
        "2023-01-05Z": date(2023, 1, 5),
        "2023-01-05T00:00:01Z": Rejected("instant"),
        "+2023-01-05": UNPARSEABLE,
        "12023-01-05": UNPARSEABLE,
        "2023-01-05\n2023-01-06": UNPARSEABLE,
        "2023\u201301\u201305": UNPARSEABLE,
        "\uff12\uff10\uff12\uff13-01-05": UNPARSEABLE,
        "today": UNPARSEABLE,
        "epoch": UNPARSEABLE,
        "0": UNPARSEABLE,
        "": None,
        None: None,
    }
    assert outcome(spark, POPULATION_INPUT, "birth_date", list(cases)) == list(cases.values())


@pytest.mark.parametrize(
    ("data_type", "values"),
    [
        (T.DateType(), [date(2023, 1, 5), None]),
        (T.TimestampType(), [datetime(2023, 1, 5, tzinfo=UTC), None]),
        (T.TimestampNTZType(), [datetime(2023, 1, 5, 23, 59, 59), None]),  # noqa: DTZ001 - it has none
    ],
    ids=str,
)
def test_a_timestamp_is_cut_to_its_date(spark: SparkSession, data_type: T.DataType, values: list[Any]) -> None:
    assert outcome(spark, CLAIMS_INPUT, "service_date", values, data_type) == [date(2023, 1, 5), MISSING]


@pytest.mark.parametrize("days", [-1_000_000, 200_000_000])
def test_a_day_that_no_calendar_has_is_not_understood(spark: SparkSession, days: int) -> None:
    raw = frame(spark, POPULATION_INPUT, [{"birth_date": "x"}])
    strange = raw.withColumn("birth_date", F.date_add(F.lit("2022-01-01").cast("date"), days))
    assert [row[REASONS] for row in judge(strange, POPULATION_INPUT)] == [["unparseable_birth_date"]]


def test_service_dates_have_limits(spark: SparkSession) -> None:
    values = ["2004-12-31", "2005-01-01", "2026-12-31", "2027-01-01"]
    expected = [OUT_OF_RANGE, date(2005, 1, 1), date(2026, 12, 31), OUT_OF_RANGE]
    assert outcome(spark, CLAIMS_INPUT, "service_date", values) == expected


# --- Whole numbers -------------------------------------------------------------------------------


def test_integers_in_text(spark: SparkSession) -> None:
    cases = {
        "5": 5,
        "+5": 5,
        "-5": -5,
        " 5 ": 5,
        "\t5": 5,
        "005": 5,
        "-005": -5,
        "2147483647": 2147483647,
        "-2147483648": -2147483648,
        "2147483648": UNPARSEABLE,
        "-2147483649": UNPARSEABLE,
        "99999999999999999999": UNPARSEABLE,
        "1.5": UNPARSEABLE,
        "1.0": 1,
        "1.": UNPARSEABLE,
        ".5": UNPARSEABLE,
        "1e3": UNPARSEABLE,
        "1,000": UNPARSEABLE,
        "1 000": UNPARSEABLE,
        "1_000": UNPARSEABLE,
        "--5": UNPARSEABLE,
        "+-5": UNPARSEABLE,
        "+": UNPARSEABLE,
        "- 5": UNPARSEABLE,
        "0x10": UNPARSEABLE,
        "5L": UNPARSEABLE,
        "5d": UNPARSEABLE,
        "\u0665": UNPARSEABLE,
        "\uff15": UNPARSEABLE,
        "\u22125": UNPARSEABLE,
        "NaN": UNPARSEABLE,
        "null": UNPARSEABLE,
        "true": UNPARSEABLE,
        "0": ZERO,
        "-0": ZERO,
        "": MISSING,
    }
    assert outcome(spark, CLAIMS_INPUT, "quantity", list(cases)) == list(cases.values())


def test_a_control_character_is_neither_white_space_nor_a_digit(spark: SparkSession) -> None:
    values = ["5\x00", "\x005", "5\x08", "5\x7f"]
    assert outcome(spark, CLAIMS_INPUT, "quantity", values) == [UNPARSEABLE] * 4


def test_competences_may_be_padded_and_zero(spark: SparkSession) -> None:
    values = ["0", "000", "008", "34", "999", "+1", "-1", "", None]
    assert outcome(spark, CLAIMS_INPUT, "provider_competence", values) == [0, 0, 8, 34, 999, 1, -1, None, None]


@pytest.mark.parametrize(
    ("data_type", "values", "expected"),
    [
        (T.ByteType(), [5, -5, None], [5, -5, None]),
        (T.ShortType(), [5, -5, None], [5, -5, None]),
        (T.IntegerType(), [5, -5, None], [5, -5, None]),
        (T.LongType(), [5, 2147483648, None], [5, UNPARSEABLE, None]),
        (
            T.DoubleType(),
            [40.0, -40.0, 40.5, 1e300, math.nan, math.inf, -math.inf, None],
            [40, -40, UNPARSEABLE, UNPARSEABLE, None, UNPARSEABLE, UNPARSEABLE, None],
        ),
        (T.FloatType(), [40.0, 40.5, math.nan, None], [40, UNPARSEABLE, None, None]),
        (T.DecimalType(12, 0), [Decimal(40), Decimal(99999999999), None], [40, UNPARSEABLE, None]),
        (T.DecimalType(12, 2), [Decimal("40.00"), Decimal("40.01"), None], [40, UNPARSEABLE, None]),
        (T.NullType(), [None], [None]),
    ],
    ids=str,
)
def test_integers_of_every_type(
    spark: SparkSession, data_type: T.DataType, values: list[Any], expected: list[Any]
) -> None:
    assert outcome(spark, CLAIMS_INPUT, "provider_profession", values, data_type) == expected


def test_a_missing_number_of_a_typed_column_is_missing(spark: SparkSession) -> None:
    expected = [3, ZERO, MISSING, MISSING]
    assert outcome(spark, CLAIMS_INPUT, "quantity", [3.0, 0.0, math.nan, None], T.DoubleType()) == expected


# --- Nomenclature codes --------------------------------------------------------------------------


def test_codes_in_text(spark: SparkSession) -> None:
    cases = {
        "424093": 424093,
        " 424093 ": 424093,
        "+424093": 424093,
        "0424093": 424093,
        "100000": 100000,
        "999999": 999999,
        "99999": INVALID,
        "1000000": INVALID,
        "0": INVALID,
        "-424093": INVALID,
        "99999999999999999999": INVALID,
        "-99999999999999999999": INVALID,
        "42409A": UNPARSEABLE,
        "424093.0": 424093,
        "424 093": UNPARSEABLE,
        "4.24093e5": UNPARSEABLE,
        "+": UNPARSEABLE,
        "": MISSING,
        None: MISSING,
    }
    assert outcome(spark, CLAIMS_INPUT, "nomenclature_code", list(cases)) == list(cases.values())


@pytest.mark.parametrize(
    ("data_type", "values", "expected"),
    [
        (T.IntegerType(), [424093, 99999, None], [424093, INVALID, MISSING]),
        (T.LongType(), [424093, 10**15, -1, None], [424093, INVALID, INVALID, MISSING]),
        (T.DoubleType(), [424093.0, 424093.5, math.nan, None], [424093, UNPARSEABLE, MISSING, MISSING]),
        (T.DecimalType(10, 2), [Decimal("424093.00"), Decimal("424093.10")], [424093, UNPARSEABLE]),
    ],
    ids=str,
)
def test_codes_of_every_type(
    spark: SparkSession, data_type: T.DataType, values: list[Any], expected: list[Any]
) -> None:
    assert outcome(spark, CLAIMS_INPUT, "nomenclature_code", values, data_type) == expected


# --- Booleans and sexes --------------------------------------------------------------------------


def test_booleans_in_text(spark: SparkSession) -> None:
    true = ["true", "TRUE", "1", "t", "T", "yes", "Yes", " yes ", "y", "1.0", "oui", "ja"]
    false = ["false", "False", "0", "f", "F", "no", "NO", "n"]
    wrong = ["2", "-1", "01", "+1", "truth", "on", "1.5"]
    values = [*true, *false, *wrong, "", None]
    expected = [*[True] * len(true), *[False] * len(false), *[UNPARSEABLE] * len(wrong), None, None]
    assert outcome(spark, POPULATION_INPUT, "increased_reimbursement", values) == expected


@pytest.mark.parametrize(
    ("data_type", "values", "expected"),
    [
        (T.BooleanType(), [True, False, None], [True, False, None]),
        (T.IntegerType(), [1, 0, 2, None], [True, False, UNPARSEABLE, None]),
        (T.LongType(), [1, 0, -1], [True, False, UNPARSEABLE]),
        (T.DoubleType(), [1.0, 0.0, 0.5, math.nan], [True, False, UNPARSEABLE, None]),
    ],
    ids=str,
)
def test_booleans_of_every_type(
    spark: SparkSession, data_type: T.DataType, values: list[Any], expected: list[Any]
) -> None:
    assert outcome(spark, POPULATION_INPUT, "increased_reimbursement", values, data_type) == expected


def test_an_unknown_sex_is_null_and_never_rejected(spark: SparkSession) -> None:
    male = ["1", "m", "M", "male", "MALE", " m ", "man", "1.0"]
    female = ["2", "f", "F", "female", "Female", "\tf", "v", "w"]
    unknown = ["0", "3", "9", "x", "01", "?", "", None]
    expected = [*["male"] * 8, *["female"] * 8, *[None] * 8]
    assert outcome(spark, POPULATION_INPUT, "sex", [*male, *female, *unknown]) == expected


@pytest.mark.parametrize(
    ("data_type", "values", "expected"),
    [
        (T.IntegerType(), [1, 2, 3, None], ["male", "female", None, None]),
        (T.DoubleType(), [1.0, 2.0, 1.5, math.nan], ["male", "female", None, None]),
    ],
    ids=str,
)
def test_sexes_of_every_type(
    spark: SparkSession, data_type: T.DataType, values: list[Any], expected: list[Any]
) -> None:
    assert outcome(spark, POPULATION_INPUT, "sex", values, data_type) == expected


# --- Types that cannot be ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "column", "data_type", "expected"),
    [
        (CLAIMS_INPUT, "claim_id", T.DoubleType(), "text or whole numbers"),
        (CLAIMS_INPUT, "claim_id", T.DecimalType(10, 2), "text or whole numbers"),
        (CLAIMS_INPUT, "provider_id", T.DateType(), "text or whole numbers"),
        (CLAIMS_INPUT, "hospital_id", T.BooleanType(), "text or whole numbers"),
        (CLAIMS_INPUT, "service_date", T.IntegerType(), "dates, timestamps or text"),
        (CLAIMS_INPUT, "service_date", T.LongType(), "dates, timestamps or text"),
        (CLAIMS_INPUT, "booking_date", T.BooleanType(), "dates, timestamps or text"),
        (CLAIMS_INPUT, "quantity", T.BooleanType(), "numbers or text"),
        (CLAIMS_INPUT, "quantity", T.DateType(), "numbers or text"),
        (CLAIMS_INPUT, "nomenclature_code", T.BooleanType(), "numbers or text"),
        (CLAIMS_INPUT, "nomenclature_code", T.ArrayType(T.IntegerType()), "numbers or text"),
        (POPULATION_INPUT, "increased_reimbursement", T.DateType(), "booleans, numbers or text"),
        (POPULATION_INPUT, "sex", T.BooleanType(), "text or numbers"),
        (POPULATION_INPUT, "sex", T.DateType(), "text or numbers"),
    ],
    ids=str,
)
def test_a_type_that_cannot_be_is_an_input_error(
    spark: SparkSession, table: InputTable, column: str, data_type: T.DataType, expected: str
) -> None:
    raw = frame(spark, table, [{column: None}], **{column: data_type})
    with pytest.raises(InputError) as caught:
        judge(raw, table)
    said = f"{table.name}: the column {column} is of type {data_type.simpleString()}; it must hold {expected}."
    if column == "service_date":
        said += " A number is a date by a format in a mapping: service_date: {column: …, format: yyyyMMdd}."
    assert str(caught.value) == said


# --- Columns -------------------------------------------------------------------------------------


def test_optional_columns_may_be_absent(spark: SparkSession) -> None:
    (row,) = judge(frame(spark, CLAIMS_INPUT, [{}]), CLAIMS_INPUT)
    assert row[REASONS] == []
    absent = ("provider_id", "provider_profession", "provider_competence", "hospital_id", "booking_date")
    assert [row[name] for name in absent] == [None] * 5
    assert row["year"] == 2023


@pytest.mark.parametrize("table", [CLAIMS_INPUT, POPULATION_INPUT, HOSPITAL_STAYS_INPUT], ids=lambda table: table.name)
def test_the_result_has_the_columns_of_silver_in_their_types(spark: SparkSession, table: InputTable) -> None:
    raw = frame(spark, table, [{}])
    judged = validate_rows(raw, table, RowRules(STANDARD, date(2005, 1, 1), date(2026, 12, 31)))
    columns = [*table.values, "year"]
    assert judged.columns == [*columns, REASONS, REPEATED, ROW, SOURCE_FILE]
    # Which batch brought a row is not the row's own.
    assert set(table.silver.column_names) - set(columns) == {"batch"}
    types = {field.name: field.dataType for field in judged.schema.fields}
    assert {name: types[name] for name in columns} == {
        field.name: field.dataType for field in table.silver.schema.fields if field.name in columns
    }


def test_a_missing_column_is_named_with_what_is_there(spark: SparkSession) -> None:
    raw = frame(spark, CLAIMS_INPUT, [{"remark": "x"}]).drop("quantity", "claim_id")
    with pytest.raises(InputError) as caught:
        find_columns(raw, CLAIMS_INPUT, STANDARD)
    text = str(caught.value)
    assert text.startswith("claims: the input has no column claim_id, quantity (it has beneficiary_id, service_date,")
    assert "remark)" in text
    assert "--set mapping=NAME" in text


def test_the_senders_names_are_mapped_in_any_case(spark: SparkSession) -> None:
    mapping = Mapping(description="a sender", claims={"beneficiary_id": "SS00010", "service_date": "ss00015"})
    raw = frame(spark, CLAIMS_INPUT, [{}])
    renamed = raw.withColumnsRenamed({"beneficiary_id": "ss00010", "service_date": "SS00015", "quantity": "QUANTITY"})
    assert find_columns(renamed, CLAIMS_INPUT, mapping) == {
        "claim_id": ("claim_id",),
        "beneficiary_id": ("ss00010",),
        "service_date": ("SS00015",),
        "nomenclature_code": ("nomenclature_code",),
        "quantity": ("QUANTITY",),
        "provider_id": None,
        "provider_profession": None,
        "provider_competence": None,
        "hospital_id": None,
        "booking_date": None,
    }
    (row,) = judge(renamed, CLAIMS_INPUT, mapping=mapping)
    assert (row["beneficiary_id"], row["service_date"], row["quantity"]) == ("a", date(2023, 3, 1), 1)


def test_a_missing_column_is_named_as_the_sender_names_it(spark: SparkSession) -> None:
    mapping = Mapping(description="a sender", claims={"beneficiary_id": "SS00010"})
    with pytest.raises(InputError, match="claims: the input has no column SS00010 "):
        find_columns(frame(spark, CLAIMS_INPUT, [{}]), CLAIMS_INPUT, mapping)


def test_column_names_may_hold_dots_and_backticks(spark: SparkSession) -> None:
    mapping = Mapping(description="a sender", claims={"provider_id": "p.i`d"})
    raw = frame(spark, CLAIMS_INPUT, [{"p.i`d": "p", "a.b": "x", "quantity": "0"}])
    (row,) = judge(raw, CLAIMS_INPUT, mapping=mapping)
    assert row["provider_id"] == "p"
    assert json.loads(row[ROW])["a.b"] == "x"


# --- Whole rows ----------------------------------------------------------------------------------


def test_a_rejected_row_is_kept_whole_as_it_came(spark: SparkSession) -> None:
    raw = frame(spark, CLAIMS_INPUT, [{"quantity": " 0 ", "remark": 'a "b"', "provider_id": None, "service_date": ""}])
    (row,) = judge(raw, CLAIMS_INPUT)
    assert row[REASONS] == ["missing_service_date", "zero_quantity"]
    assert json.loads(row[ROW]) == {
        "claim_id": "c",
        "beneficiary_id": "a",
        "service_date": "",
        "nomenclature_code": "424093",
        "quantity": " 0 ",
        "remark": 'a "b"',
        "provider_id": None,
    }
    assert row["year"] is None
    assert row[SOURCE_FILE] == "file"


def test_a_sound_row_is_kept_only_on_demand(spark: SparkSession) -> None:
    raw = frame(spark, CLAIMS_INPUT, [{"remark": "x"}])
    assert judge(raw, CLAIMS_INPUT)[0][ROW] is None
    assert json.loads(judge(raw, CLAIMS_INPUT, every_row=True)[0][ROW])["remark"] == "x"


def test_a_malformed_row_takes_no_further_reason(spark: SparkSession) -> None:
    raw = frame(
        spark,
        CLAIMS_INPUT,
        [{"quantity": "0", "service_date": "x", CORRUPT: "c,a,x,424093"}, {"quantity": "0", CORRUPT: None}],
    )
    first, second = judge(raw, CLAIMS_INPUT)
    assert first[REASONS] == ["malformed_row"]
    assert json.loads(first[ROW]) == {"malformed_row": "c,a,x,424093"}
    assert second[REASONS] == ["zero_quantity"]
    assert CORRUPT not in json.loads(second[ROW])


def test_a_missing_or_unparseable_column_takes_no_further_reason(spark: SparkSession) -> None:
    rows = [
        {"service_date": "2023-02-30", "booking_date": "2020-01-01"},
        {"service_date": "2023-03-01", "booking_date": "soon"},
        {"nomenclature_code": "x"},
        {"nomenclature_code": None},
    ]
    found = judge(frame(spark, CLAIMS_INPUT, rows), CLAIMS_INPUT)
    assert [row[REASONS] for row in found] == [
        ["unparseable_service_date"],
        ["unparseable_booking_date"],
        ["unparseable_nomenclature_code"],
        ["missing_nomenclature_code"],
    ]


def test_the_year_is_that_of_the_table(spark: SparkSession) -> None:
    (claim,) = judge(frame(spark, CLAIMS_INPUT, [{"service_date": "2022-12-31"}]), CLAIMS_INPUT)
    (person,) = judge(frame(spark, POPULATION_INPUT, [{"year": " 2021 "}]), POPULATION_INPUT)
    stay = {"admission_date": "2022-12-31", "discharge_date": "2023-01-02"}
    (stayed,) = judge(frame(spark, HOSPITAL_STAYS_INPUT, [stay]), HOSPITAL_STAYS_INPUT)
    assert (claim["year"], person["year"], stayed["year"]) == (2022, 2021, 2023)
