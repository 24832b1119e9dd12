"""Values as the field writes them: formats of dates, instants, sentinels, words, numbers, columns put together."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from claimatlas.configuration.mappings import Mapping
from claimatlas.configuration.settings import InputChecks
from claimatlas.errors import InputError
from claimatlas.ingest.contract import CLAIMS_INPUT
from claimatlas.ingest.discover.source import Source
from claimatlas.ingest.load.accounting import account_of
from claimatlas.ingest.load.warnings import (
    SourceTable,
    examples_of_rejected,
    notes_of_words,
    reasons_as_text,
    span_of_days,
)
from claimatlas.ingest.load.write import Loaded
from claimatlas.ingest.read.rows import CORRUPT, SOURCE_FILE
from claimatlas.ingest.validate.columns import check_mapping, columns_among
from claimatlas.ingest.validate.parsing import Understanding
from claimatlas.ingest.validate.rows import (
    FRACTION,
    LATE,
    NULL_WORD,
    REASONS,
    ROW,
    TIMED,
    UNLISTED,
    RowExtras,
    RowRules,
    validate_rows,
)
from pydantic import ValidationError
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from shipped import INPUT_TABLES

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
TABLES = {table.name: table for table in INPUT_TABLES}


@pytest.fixture(autouse=True)
def _no_compiled_queries(spark: SparkSession) -> None:
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")


def mapping_of(**tables: Any) -> Mapping:
    mapping = Mapping.model_validate({"description": "a sender", **tables})
    check_mapping(mapping, INPUT_TABLES)
    return mapping


def frame(spark: SparkSession, table: str, rows: list[dict[str, Any]], **types: T.DataType) -> DataFrame:
    """Rows of text, but for the columns with a type of their own, beside what a sound row has."""
    filled = [{**SOUND[table], **row} for row in rows]
    names = list(dict.fromkeys(name for row in filled for name in row))
    fields = [T.StructField(name, types.get(name, T.StringType())) for name in (*names, SOURCE_FILE)]
    values = [(*[row.get(name) for name in names], "file:/in/claims/fund%20100.csv.gz") for row in filled]
    return spark.createDataFrame(values, T.StructType(fields), verifySchema=False)


def judge(
    raw: DataFrame, table: str, mapping: Mapping | None = None, *, every_row: bool = False, **understanding: Any
) -> list[Row]:
    rules = RowRules(mapping or mapping_of(), date(2005, 1, 1), date(2026, 12, 31), Understanding(**understanding))
    return validate_rows(raw, TABLES[table], rules, RowExtras(every_row=every_row, oddities=True)).collect()


def in_order(rows: list[Row], column: str) -> list[Any]:
    """For each row, by its position, the value of a column, or the reasons for which the row is rejected."""
    found = {json.loads(row[ROW])["position"]: row[REASONS] or row[column] for row in rows}
    return [found[str(position)] for position in range(len(rows))]


def days(
    spark: SparkSession,
    source: dict[str, Any],
    values: list[Any],
    data_type: T.DataType | None = None,
    **understanding: Any,
) -> list[Any]:
    """What becomes of values as birth dates under a declaration."""
    rows = [{"DAY": value, "position": str(position)} for position, value in enumerate(values)]
    raw = frame(spark, "population", rows, DAY=data_type or T.StringType())
    mapping = mapping_of(population={"birth_date": {"column": "DAY", **source}})
    return in_order(judge(raw, "population", mapping, every_row=True, **understanding), "birth_date")


UNPARSEABLE = ["unparseable_birth_date"]
INSTANT = ["instant_birth_date"]
FIFTH = date(2023, 1, 5)


# --- Formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "cases"),
    [
        ({"format": "yyyyMMdd"}, {"20230105": FIFTH, "2023-01-05": UNPARSEABLE, "20230230": UNPARSEABLE, "": None}),
        ({"format": "dd/MM/yyyy"}, {"05/01/2023": FIFTH, "5/1/2023": UNPARSEABLE, "31/02/2023": UNPARSEABLE}),
        ({"format": "d.M.yyyy"}, {"5.1.2023": FIFTH, "05.01.2023": FIFTH, "5x1x2023": UNPARSEABLE}),
        ({"format": "MM/dd/yyyy"}, {"01/05/2023": FIFTH, "13/05/2023": UNPARSEABLE}),
        ({"format": "ddMMMyyyy"}, {"05JAN2023": FIFTH, "05jan2023": FIFTH, "05ANF2023": UNPARSEABLE}),
        ({"format": "dd/MM/yyyy HH:mm:ss"}, {"05/01/2023 14:30:00": FIFTH, "05/01/2023": UNPARSEABLE}),
        ({"format": "MMyyyy", "day": 15}, {"012023": date(2023, 1, 15), "132023": UNPARSEABLE, "12023": UNPARSEABLE}),
        ({"format": "yyyy", "month": 7, "day": 1}, {"2023": date(2023, 7, 1), "23": UNPARSEABLE, "0000": UNPARSEABLE}),
        ({"format": "yyyy-M", "day": 1}, {"2023-1": date(2023, 1, 1), "2023-12": date(2023, 12, 1)}),
        ({"format": "excel"}, {"44931": FIFTH, "44931.75": FIFTH, "1": date(1899, 12, 31), "x": UNPARSEABLE}),
        ({"format": "sas"}, {"23015": FIFTH, "-1": date(1959, 12, 31), "99999999999": UNPARSEABLE}),
        ({"format": "stata"}, {"23015": FIFTH}),
        ({"format": "sas_datetime"}, {"1988496000": FIFTH, "1988582399": FIFTH, "1988582400": date(2023, 1, 6)}),
        ({"format": "spss"}, {"13892256000": FIFTH}),
        ({"format": "unix"}, {"1672876800": FIFTH, "1672876801": INSTANT}),
        ({"format": "unix_ms"}, {"1672876800000": FIFTH, "-86400000": date(1969, 12, 31)}),
        ({"format": "unix_ns"}, {"1672876800000000000": FIFTH}),
        ({"format": "iso"}, {"2023-01-05": FIFTH}),
    ],
    ids=lambda value: value.get("format") if isinstance(value, dict) else None,
)
def test_formats_of_dates_in_text(spark: SparkSession, source: dict[str, Any], cases: dict[str, Any]) -> None:
    assert days(spark, source, list(cases)) == list(cases.values())


@pytest.mark.parametrize(
    ("source", "data_type", "values", "expected"),
    [
        ({"format": "yyyyMMdd"}, T.IntegerType(), [20230105, 20230230, None], [FIFTH, UNPARSEABLE, None]),
        ({"format": "yyyyMMdd"}, T.DoubleType(), [20230105.0, 20230105.5], [FIFTH, UNPARSEABLE]),
        ({"format": "yyyy", "month": 7, "day": 1}, T.ShortType(), [2023], [date(2023, 7, 1)]),
        ({"format": "sas"}, T.DoubleType(), [23015.0, 23015.25, None], [FIFTH, FIFTH, None]),
        ({"format": "excel"}, T.DecimalType(12, 4), [Decimal("44931.5000")], [FIFTH]),
        ({"format": "unix_us"}, T.LongType(), [1672876800000000, 1], [FIFTH, INSTANT]),
        ({"format": "unix"}, T.LongType(), [1672876800, 2**62, -(2**63)], [FIFTH, UNPARSEABLE, UNPARSEABLE]),
    ],
    ids=str,
)
def test_formats_of_dates_in_numbers(
    spark: SparkSession, source: dict[str, Any], data_type: T.DataType, values: list[Any], expected: list[Any]
) -> None:
    assert days(spark, source, values, data_type) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"format": "yyMMdd"}, "'yy' is not known"),
        ({"format": "yyyy-MM"}, "a date needs its year"),
        ({"format": "yyyy-MM-dd", "day": 1}, "a date needs its year"),
        ({"format": "yyyy"}, "a date needs its year"),
        ({"format": "excel", "day": 1}, "day and month go with a format that has none"),
        ({"day": 1}, "day and month go with a format that has none"),
        ({"format": "dddd"}, "each once"),
    ],
    ids=str,
)
def test_a_format_that_is_no_date_is_refused(source: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        mapping_of(population={"birth_date": {"column": "DAY", **source}})


def test_numbers_without_a_format_name_the_remedy(spark: SparkSession) -> None:
    with pytest.raises(InputError, match=r"birth_date is of type int; .* format: yyyyMMdd"):
        days(spark, {}, [20230105], T.IntegerType())


# --- Instants and times of day -------------------------------------------------------------------


TIMES_IN_TEXT = {
    "2023-01-05": FIFTH,
    "2023-01-05 00:00:00": FIFTH,
    "2023-01-05T23:59": FIFTH,
    "2023-01-05 14:30:00.123": FIFTH,
    "2023-01-05 24:00:00": UNPARSEABLE,
    "2023-01-05 14:61:00": UNPARSEABLE,
    "2023-02-30 00:00:00": UNPARSEABLE,
    "2023-01-05T00:00:00Z": FIFTH,
    "2023-01-05Z": FIFTH,
    "2023-01-05 00:00:00 UTC": FIFTH,
    "2023-01-05T01:00:00+01:00": FIFTH,
    "2023-01-05T01:00:00+0100": FIFTH,
    "2023-01-05T01:00+01": FIFTH,
    "2023-01-05T00:00:00+01:00": INSTANT,
    "2023-01-04T23:00:00Z": INSTANT,
    "2023-01-05+01:00": INSTANT,
    "2023-01-05T00:00:00[Europe/Brussels]": UNPARSEABLE,
}


@pytest.mark.parametrize("zone_of_session", ["UTC", "Europe/Brussels", "America/New_York"])
def test_times_in_text_without_a_time_zone(spark: SparkSession, zone_of_session: str) -> None:
    spark.conf.set("spark.sql.session.timeZone", zone_of_session)
    assert days(spark, {}, list(TIMES_IN_TEXT)) == list(TIMES_IN_TEXT.values())


@pytest.mark.parametrize("zone_of_session", ["UTC", "Asia/Tokyo"])
def test_times_in_text_with_a_time_zone(spark: SparkSession, zone_of_session: str) -> None:
    spark.conf.set("spark.sql.session.timeZone", zone_of_session)
    cases = {
        "2023-01-04T23:00:00Z": FIFTH,
        "2023-01-04T22:59:59Z": date(2023, 1, 4),
        "2023-07-04T22:00:00Z": date(2023, 7, 5),
        "2023-01-05T00:00:00+01:00": FIFTH,
        "2023-01-05 23:30:00": FIFTH,
    }
    assert days(spark, {}, list(cases), time_zone="Europe/Brussels") == list(cases.values())


@pytest.mark.parametrize("zone_of_session", ["UTC", "Europe/Brussels"])
def test_instants_of_a_timestamp(spark: SparkSession, zone_of_session: str) -> None:
    spark.conf.set("spark.sql.session.timeZone", zone_of_session)
    moments = [datetime(2023, 1, 4, 23, tzinfo=UTC), datetime(2023, 1, 5, tzinfo=UTC), None]
    assert days(spark, {}, moments, T.TimestampType()) == [INSTANT, FIFTH, None]
    expected = [FIFTH, FIFTH, None]
    assert days(spark, {}, moments, T.TimestampType(), time_zone="Europe/Brussels") == expected
    clock = [datetime(2023, 1, 5, 23, 59), None]  # noqa: DTZ001 - it has no zone
    assert days(spark, {}, clock, T.TimestampNTZType()) == [FIFTH, None]


def test_an_instant_that_no_calendar_has_ends_no_run(spark: SparkSession) -> None:
    """A shift to Brussels leaves what a long of microseconds can hold, and Spark would fail as a whole."""
    raw = frame(spark, "population", [{"birth_date": "x"}])
    for limit in (2**63 - 1, -(2**63)):
        strange = raw.withColumn("birth_date", F.timestamp_micros(F.lit(limit)))
        for zone in (None, "Europe/Brussels", "America/New_York"):
            (row,) = judge(strange, "population", every_row=True, time_zone=zone)
            assert row[REASONS] == UNPARSEABLE


def test_a_time_of_day_is_counted(spark: SparkSession) -> None:
    texts = ["2023-01-05", "2023-01-05 00:00:00", "2023-01-05 00:00:01", "2023-01-05T10:00", "2023-01-05T00:00Z"]
    raw = frame(spark, "population", [{"birth_date": text, "position": str(n)} for n, text in enumerate(texts)])
    rows = judge(raw, "population", every_row=True)
    found = {json.loads(row[ROW])["position"]: row[TIMED] for row in rows}
    assert [found[str(position)] for position in range(5)] == [False, False, True, True, False]


# --- Limits and sentinels ------------------------------------------------------------------------


def test_every_date_but_that_of_birth_has_limits(spark: SparkSession) -> None:
    stays = [
        {"discharge_date": "9999-12-31", "position": "0"},
        {"admission_date": "1900-01-01", "position": "1"},
        {"admission_date": "2026-12-31", "discharge_date": "2026-12-31", "position": "2"},
        {"admission_date": "1901-01-01", "position": "3"},
    ]
    found = in_order(judge(frame(spark, "hospital_stays", stays), "hospital_stays", every_row=True), "stay_id")
    assert found == [["discharge_date_out_of_range"], ["admission_date_out_of_range"], "s", "s"]
    claims = [{"booking_date": "9999-12-31", "position": "0"}, {"booking_date": "2026-12-31", "position": "1"}]
    found = in_order(judge(frame(spark, "claims", claims), "claims", every_row=True), "claim_id")
    assert found == [["booking_date_out_of_range"], "c"]
    born = [{"birth_date": "1850-01-01", "position": "0"}]
    assert in_order(judge(frame(spark, "population", born), "population", every_row=True), "birth_date") == [
        date(1850, 1, 1)
    ]


def test_days_that_stand_for_something_else(spark: SparkSession) -> None:
    sentinels = {date(9999, 12, 31): "open", date(1900, 1, 1): "unknown"}
    stays = [
        {"discharge_date": "9999-12-31", "position": "0"},
        {"discharge_date": "1900-01-01", "position": "1"},
        {"position": "2"},
    ]
    raw = frame(spark, "hospital_stays", stays)
    found = in_order(judge(raw, "hospital_stays", every_row=True, date_sentinels=sentinels), "stay_id")
    assert found == [["open_discharge_date"], ["missing_discharge_date"], "s"]
    people = [{"birth_date": "1900-01-01", "position": "0"}, {"birth_date": "9999-12-31", "position": "1"}]
    raw = frame(spark, "population", people)
    found = in_order(judge(raw, "population", every_row=True, date_sentinels=sentinels), "birth_date")
    assert found == [None, None]


def test_texts_that_stand_for_no_value(spark: SparkSession) -> None:
    rows = [
        {"hospital_id": "NULL", "provider_profession": "NA", "position": "0"},
        {"hospital_id": " NA ", "provider_profession": "", "position": "1"},
        {"hospital_id": "NAMUR", "provider_profession": "40", "position": "2"},
    ]
    raw = frame(spark, "claims", rows)
    known = judge(raw, "claims", every_row=True, null_texts=("NULL", "NA"))
    assert in_order(known, "hospital_id") == [None, None, "NAMUR"]
    assert in_order(known, "provider_profession") == [None, None, 40]
    unknown = judge(raw, "claims", every_row=True)
    assert in_order(unknown, "hospital_id") == [["unparseable_provider_profession"], "NA", "NAMUR"]
    assert Counter(row[NULL_WORD] for row in unknown) == {True: 2, False: 1}


# --- Words and numbers ---------------------------------------------------------------------------


def test_the_words_of_four_languages(spark: SparkSession) -> None:
    sexes = {"H": "male", "homme": "male", "Man": "male", "V": "female", "vrouw": "female", "W": "female", "X": None}
    rows = [{"sex": text, "position": str(position)} for position, text in enumerate(sexes)]
    found = judge(frame(spark, "population", rows), "population", every_row=True)
    assert in_order(found, "sex") == list(sexes.values())
    assert sum(row[UNLISTED] for row in found) == 1
    words = {"Oui": True, "J": True, "ja": True, "vrai": True, "Nee": False, "non": False, "Nein": False, "N": False}
    rows = [{"increased_reimbursement": text, "position": str(position)} for position, text in enumerate(words)]
    found = judge(frame(spark, "population", rows), "population", every_row=True)
    assert in_order(found, "increased_reimbursement") == list(words.values())


def test_a_table_of_values_takes_the_place_of_the_words(spark: SparkSession) -> None:
    mapping = mapping_of(
        population={
            "sex": {"column": "S", "values": {"female": ["A"], "male": ["B"]}},
            "increased_reimbursement": {"column": "T", "values": {"yes": [1, "ok"], "no": [2]}},
        },
        claims={"provider_profession": {"column": "P", "values": {40: ["SF", "sage-femme"]}}},
    )
    rows = [
        {"S": "a", "T": "OK", "position": "0"},
        {"S": "F", "T": "2.0", "position": "1"},
        {"S": "b", "position": "2"},
    ]
    found = judge(frame(spark, "population", rows), "population", mapping, every_row=True)
    assert in_order(found, "sex") == ["female", None, "male"]
    assert in_order(found, "increased_reimbursement") == [True, False, None]
    rows = [{"P": "sf", "position": "0"}, {"P": "50", "position": "1"}, {"P": "XX", "position": "2"}]
    found = judge(frame(spark, "claims", rows), "claims", mapping, every_row=True)
    assert in_order(found, "provider_profession") == [40, 50, ["unparseable_provider_profession"]]


@pytest.mark.parametrize(
    ("data_type", "values"),
    [
        (T.StringType(), ["422030", "422030.0", "+422030.000", "0422030"]),
        (T.DoubleType(), [422030.0]),
        (T.DecimalType(12, 3), [Decimal("422030.000")]),
        (T.LongType(), [422030]),
    ],
    ids=str,
)
def test_a_whole_number_is_the_same_in_every_format(
    spark: SparkSession, data_type: T.DataType, values: list[Any]
) -> None:
    rows = [{"nomenclature_code": value, "position": str(position)} for position, value in enumerate(values)]
    found = judge(frame(spark, "claims", rows, nomenclature_code=data_type), "claims", every_row=True)
    assert in_order(found, "nomenclature_code") == [422030] * len(values)


def test_a_comma_before_the_fraction(spark: SparkSession) -> None:
    rows = [{"quantity": text, "position": str(position)} for position, text in enumerate(("2,0", "2,5", "2.0", "-1"))]
    found = in_order(judge(frame(spark, "claims", rows), "claims", every_row=True, decimal=","), "quantity")
    assert found == [2, ["unparseable_quantity"], ["unparseable_quantity"], -1]


# --- Columns ------------------------------------------------------------------------------------


def test_columns_put_together_constant_and_padded(spark: SparkSession) -> None:
    mapping = mapping_of(
        claims={
            "claim_id": {"join": ["$file", "LINE"], "with": "|"},
            "quantity": {"column": "N", "constant": 1},
            "hospital_id": {"column": "H", "pad": 3},
        }
    )
    raw = frame(spark, "claims", [{"LINE": " 7 ", "H": "10"}, {"LINE": None, "H": "0710"}]).drop("claim_id", "quantity")
    first, second = judge(raw, "claims", mapping)
    assert (first["claim_id"], first["quantity"], first["hospital_id"]) == ("fund 100|7", 1, "010")
    assert second[REASONS] == ["missing_claim_id"]
    assert json.loads(second[ROW])["H"] == "0710"


def test_rows_are_kept_by_value_and_the_others_counted(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = mapping_of(claims={"keep": {"KIND": ["P", 1]}})
    kinds = ["P", " P", "1.0", "1", "X", "X", "X", "secret", None]
    raw = frame(spark, "claims", [{"KIND": kind, "position": str(position)} for position, kind in enumerate(kinds)])
    rows = judge(raw, "claims", mapping, every_row=True)
    assert sorted(json.loads(row[ROW])["position"] for row in rows) == ["0", "1", "3"]
    monkeypatch.setattr("claimatlas.ingest.load.accounting.read", lambda *_: raw)
    monkeypatch.setattr("claimatlas.ingest.load.accounting.rows_of_files", lambda *_: {"f": len(kinds)})
    account = account_of(spark, Source("claims", "x", "csv"), CLAIMS_INPUT, mapping, Understanding())
    assert account.lines == 3
    assert account.left_out == {"KIND: X": 3, "KIND: other values": 3}


def test_numbered_codes_become_lines(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = mapping_of(claims={"unpivot": {"nomenclature_code": ["C1", "C2", "C3"], "quantity": ["N1", "N2", "N3"]}})
    rows = [
        {"claim_id": "a", "C1": "424093", "N1": "1", "C2": "", "N2": "9", "C3": "422030", "N3": "2"},
        {"claim_id": "b", "C1": None, "N1": None, "C2": None, "N2": None, "C3": None, "N3": None},
    ]
    raw = frame(spark, "claims", rows).drop("nomenclature_code", "quantity")
    found = {row["claim_id"]: (row["nomenclature_code"], row["quantity"]) for row in judge(raw, "claims", mapping)}
    assert found == {"a|1": (424093, 1), "a|3": (422030, 2), "b|1": (None, None)}
    rejected = [row for row in judge(raw, "claims", mapping) if row[REASONS]]
    assert [row[REASONS] for row in rejected] == [["missing_nomenclature_code", "missing_quantity"]]
    monkeypatch.setattr("claimatlas.ingest.load.accounting.read", lambda *_: raw)
    monkeypatch.setattr("claimatlas.ingest.load.accounting.rows_of_files", lambda *_: {"f": 2})
    assert account_of(spark, Source("claims", "x", "csv"), CLAIMS_INPUT, mapping, Understanding()).lines == 3


def test_a_malformed_row_is_never_left_out(spark: SparkSession) -> None:
    mapping = mapping_of(claims={"keep": {"KIND": ["P"]}})
    rows = judge(
        frame(spark, "claims", [{"KIND": "X", CORRUPT: "a,b"}, {"KIND": "X", CORRUPT: None}]), "claims", mapping
    )
    assert [row[REASONS] for row in rows] == [["malformed_row"]]


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"day": "x"}, "has no column 'day'"),
        ({"quantity": {"column": "n", "format": "yyyyMMdd"}}, "format is for a date"),
        ({"quantity": {"column": "n", "pad": 3}}, "pad is for a text"),
        ({"service_date": {"column": "n", "values": {"x": ["y"]}}}, "a date has no values"),
        ({"unpivot": {"code": ["a"], "nomenclature_code": ["b"]}}, "has no column 'code'"),
    ],
    ids=str,
)
def test_what_a_column_cannot_be_is_refused(claims: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mapping_of(claims=claims)


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"quantity": {}}, "give one of column, constant and join"),
        ({"quantity": {"column": "a", "join": ["a", "b"]}}, "give one of column, constant and join"),
        ({"quantity": {"column": "a", "with": "x"}}, "with goes with join"),
        ({"quantity": {"column": "a", "values": {"1": ["x"], "2": ["X"]}}}, "stands twice"),
        ({"unpivot": {"quantity": ["a"]}}, "name the columns of nomenclature_code"),
        ({"unpivot": {"nomenclature_code": ["a"], "quantity": ["b", "c"]}}, "as many columns"),
        ({"keep": {"a": []}}, "keeps no row"),
        ({"read": {"delimiter": "ab"}}, "one sign of ASCII"),
        ({"read": {"delimiter": "a"}}, "one sign of ASCII"),
        ({"read": {"encoding": "utf-16"}}, "convert the files to UTF-8"),
        ({"read": {"encoding": "klingon"}}, "there is no encoding"),
        ({"read": {"quote": "x"}}, "the quote is"),
        ({"read": {"separator": ";"}}, "Extra inputs"),
    ],
    ids=str,
)
def test_a_declaration_that_cannot_be_is_refused(claims: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        mapping_of(claims=claims)


def test_a_join_that_lacks_a_column_is_refused(spark: SparkSession) -> None:
    mapping = mapping_of(claims={"provider_id": {"join": ["A", "B"]}, "keep": {"K": ["x"]}})
    names = [*SOUND["claims"], "A"]
    with pytest.raises(InputError, match="claims: the input has no column B, K "):
        columns_among(names, CLAIMS_INPUT, mapping)


# --- What is told --------------------------------------------------------------------------------


def test_examples_of_what_was_rejected_are_nobodys(spark: SparkSession) -> None:
    def rows(reason: str, name: str, values: list[str]) -> list[tuple[list[str], str]]:
        return [([reason], json.dumps({name: value})) for value in values]

    data = [
        *rows("unparseable_quantity", "N", ["NA", "NA", "NA", "x"]),
        *rows("unparseable_nomenclature_code", "nomenclature_code", ["unique"]),
        *rows("unparseable_service_date", "service_date", ["31/12/2023", "01/02/2023"]),
        *rows("unparseable_beneficiary_id", "beneficiary_id", ["Zoë"] * 5),
    ]
    rejected = spark.createDataFrame(data, "reasons array<string>, row string")
    mapping = mapping_of(claims={"quantity": "n"})
    found = examples_of_rejected(rejected, CLAIMS_INPUT, mapping)
    assert found == {"unparseable_quantity": "NA", "unparseable_service_date": "99/99/9999"}
    assert reasons_as_text({"unparseable_quantity": 4, "zero_quantity": 1}, found) == (
        "unparseable_quantity 4 (such as 'NA'), zero_quantity 1"
    )


def test_lines_far_from_all_others_are_found() -> None:
    usual = {date(2022, month, day): 20 for month in range(1, 13) for day in (1, 15)}
    bounds = InputChecks()
    assert span_of_days(usual, bounds).stray == {}
    after = span_of_days({**usual, date(2024, 2, 1): 2}, bounds)
    assert (after.last, after.stray) == (date(2024, 2, 1), {"after": (2, date(2022, 12, 15))})
    both = span_of_days({**usual, date(2024, 2, 1): 1, date(2025, 6, 1): 1, date(2012, 1, 1): 1}, bounds)
    assert both.stray == {"after": (2, date(2022, 12, 15)), "before": (1, date(2022, 1, 1))}
    # Many lines are no strays, and a short gap is none.
    assert span_of_days({**usual, date(2024, 2, 1): 200}, bounds).stray == {}
    assert span_of_days({**usual, date(2023, 2, 10): 1}, bounds).stray == {}
    assert span_of_days({}, bounds).first is None


@pytest.mark.parametrize("zone", [None, "Europe/Brussels"])
def test_midnights_of_another_zone_are_told_by_their_hour(spark: SparkSession, zone: str | None) -> None:
    late = ["2023-02-28 23:00:00", "2023-02-28T22:00", "2023-02-28T23:00:00.000"]
    other = ["2023-02-28 21:00:00", "2023-02-28 23:00:01", "2023-02-28 23:30", "2023-02-28", "2023-02-28T23:00:00Z", ""]
    rows = judge(frame(spark, "claims", [{"booking_date": text} for text in [*late, *other]]), "claims", time_zone=zone)
    assert [row[LATE] for row in rows] == [True] * len(late) + [False] * len(other)


def test_midnights_of_another_zone_in_timestamps(spark: SparkSession) -> None:
    times = [datetime(2023, 2, 28, *clock) for clock in ((23,), (22,), (23, 0, 1), (0,), (9,))]  # noqa: DTZ001
    raw = frame(spark, "claims", [{"booking_date": moment} for moment in times], booking_date=T.TimestampNTZType())
    assert [row[LATE] for row in judge(raw, "claims")] == [True, True, False, False, False]


def test_a_hospital_that_was_written_as_a_fraction_is_noted(spark: SparkSession) -> None:
    texts = ["010", "10.0", "10.5", "", ".0", "1.00"]
    for table in ("claims", "hospital_stays"):
        rows = judge(frame(spark, table, [{"hospital_id": text} for text in texts]), table)
        assert [row["hospital_id"] for row in rows if row[FRACTION]] == ["10.0", ".0"]
    loaded = Loaded("hospital_stays", read=6, oddities={FRACTION: 2})
    source = Source("hospital_stays", "x", "csv")
    notes = notes_of_words(SourceTable(spark, source, TABLES["hospital_stays"], mapping_of(), Understanding()), loaded)
    assert len(notes) == 1
    assert notes[0].startswith("hospital_stays: hospital_id ends in .0 in 2 of 6 (33.33 %) rows")


def test_an_unlisted_word_is_not_a_missing_one(spark: SparkSession) -> None:
    rows = judge(frame(spark, "population", [{"sex": ""}, {"sex": "?"}]), "population")
    assert sorted(row[UNLISTED] for row in rows) == [False, True]
