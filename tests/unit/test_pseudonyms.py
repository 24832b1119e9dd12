"""Keyed pseudonyms: Python's own HMAC says the same, and the key shows nowhere."""

import hashlib
import hmac
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from claimatlas.commands.pseudonym_key import KEY_FILE_VARIABLE, KEY_VARIABLE, key_of_environment
from claimatlas.configuration.mappings import Mapping
from claimatlas.errors import InputError
from claimatlas.explanations.changes import CLAIMS, POPULATION, Inputs, _fits
from claimatlas.ingest.contract import CLAIMS_INPUT, WHITESPACE, InputTable
from claimatlas.ingest.inputs import IngestOptions
from claimatlas.ingest.pseudonym_key import pseudonym_key
from claimatlas.ingest.read.rows import CORRUPT, SOURCE_FILE
from claimatlas.ingest.validate.pseudonyms import pseudonym, with_key
from claimatlas.ingest.validate.rows import REASONS, ROW, RowExtras, RowRules, validate_rows
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from shipped import POPULATION_INPUT

SECRET = b"correct horse battery staple, or more"
KEY = pseudonym_key(SECRET)
SECRETS = {
    "shortest": b"x" * 32,
    "a block": b"y" * 64,
    "longer than a block": b"z" * 65,
    "much longer": bytes(range(256)) * 3,
    "with zeros": b"\0" * 40,
    "not text": b"\xff\xfe" * 20,
}
TEXTS = ["a", "", "0", "ann", "Zoë", "Ænima ß ﬁ", "数字", "🩺" * 40, "x" * 500, "\u0000", "6501011234", None]


def expected(text: str | None, secret: bytes = SECRET) -> str | None:
    return None if text is None else hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("name", SECRETS)
def test_it_is_hmac_sha256(spark: SparkSession, name: str) -> None:
    rows = spark.createDataFrame([(text,) for text in TEXTS], "text string")
    found = with_key(rows, pseudonym_key(SECRETS[name])).select("text", pseudonym(F.col("text")).alias("found"))
    assert {row["text"]: row["found"] for row in found.collect()} == {
        text: expected(text, SECRETS[name]) for text in TEXTS
    }


def test_no_plan_shows_the_key(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("ann",)], "text string")
    query = with_key(rows, KEY).select(pseudonym(F.col("text")).alias("found"))
    query.collect()
    plans = query._jdf.queryExecution()  # type: ignore[operator]
    shown = plans.toString() + plans.executedPlan().toString() + str(query.schema) + repr(query)
    assert "sha2" in shown
    for block in (SECRET, KEY.inner, KEY.outer):
        # As text, as hexadecimal digits, as Spark and Python print arrays of bytes.
        for form in (block.decode("latin-1"), block.hex(), block.hex(" "), ", ".join(map(str, block)), repr(block)):
            assert form.lower() not in shown.lower()


def test_nothing_printed_of_the_key_but_its_fingerprint() -> None:
    options = IngestOptions(as_of=date(2026, 1, 1), key=KEY)
    assert options.key_fingerprint == KEY.fingerprint
    assert f"PseudonymKey(fingerprint='{KEY.fingerprint}')" in repr(options)
    assert len(KEY.fingerprint) == 8
    assert KEY.fingerprint != pseudonym_key(SECRET + b"!").fingerprint
    assert IngestOptions(as_of=date(2026, 1, 1)).key_fingerprint is None


# --- Where the key comes from --------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_key_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (KEY_VARIABLE, KEY_FILE_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def key_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    file = folder / "key"
    file.write_bytes(content)
    file.chmod(mode)
    return file


def refusal() -> str:
    with pytest.raises(InputError) as caught:
        key_of_environment()
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_without_a_variable_there_is_no_key() -> None:
    assert key_of_environment() is None


def test_text_and_file_give_the_same_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, SECRET.decode())
    assert key_of_environment() == KEY
    monkeypatch.delenv(KEY_VARIABLE)
    for ending in (b"", b"\n", b"\r\n"):
        monkeypatch.setenv(KEY_FILE_VARIABLE, str(key_file(tmp_path, SECRET + ending)))
        assert key_of_environment() == KEY


def test_text_beyond_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "é" * 16)
    assert key_of_environment() == pseudonym_key(("é" * 16).encode())


@pytest.mark.parametrize("text", ["", "short", "thirty-one bytes are one too few"[:31]])
def test_a_short_key_is_refused_without_quoting_it(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, text)
    said = refusal()
    assert f"The key of {KEY_VARIABLE} is too short: it needs 32 bytes" in said
    assert not text or text not in said.replace("too short", "")
    monkeypatch.delenv(KEY_VARIABLE)
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(key_file(tmp_path, text.encode())))
    assert "is too short" in refusal()


def test_both_variables_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "")
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(key_file(tmp_path, SECRET)))
    assert "not both" in refusal()


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o666], ids=oct)
def test_a_file_open_to_everybody_is_refused(mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(key_file(tmp_path, SECRET, mode)))
    assert "read by everybody" in refusal()


def test_a_file_of_a_group_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(key_file(tmp_path, SECRET, 0o440)))
    assert key_of_environment() == KEY


@pytest.mark.parametrize("where", ["nothing", ".", ""])
def test_a_file_that_cannot_be_read(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(tmp_path / where))
    assert "cannot be read" in refusal()


def test_a_key_in_the_place_of_its_file_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (SECRET.decode(), "x" * 5000):
        monkeypatch.setenv(KEY_FILE_VARIABLE, text)
        said = refusal()
        assert "cannot be read" in said
        assert text[:10] not in said


# --- Rows ----------------------------------------------------------------------------------------

SENDER = Mapping(
    description="a sender",
    claims={"beneficiary_id": "SS00010", "provider_id": "who"},
    population={"birth_date": "born"},
)
CLAIM = {
    "claim_id": "c1",
    "SS00010": "ann",
    "service_date": "2023-03-01",
    "nomenclature_code": "424093",
    "quantity": "1",
}
PERSON = {"beneficiary_id": "ann", "year": "2023", "born": "1990-01-01"}


def frame(spark: SparkSession, rows: list[dict[str, Any]], corrupt: list[str | None] | None = None) -> DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    fields = [*names, *([CORRUPT] if corrupt else []), SOURCE_FILE]
    lines = corrupt or [None] * len(rows)
    values = [
        (*[row.get(name) for name in names], *([line] if corrupt else []), "file")
        for row, line in zip(rows, lines, strict=True)
    ]
    return spark.createDataFrame(values, T.StructType([T.StructField(name, T.StringType()) for name in fields]))


def judged(raw: DataFrame, table: InputTable, key: Any = KEY, **extras: Any) -> list[dict[str, Any]]:
    rules = RowRules(SENDER, date(2005, 1, 1), date(2026, 12, 31), key=key)
    rows = validate_rows(raw, table, rules, RowExtras(**extras)).collect()
    return [row.asDict() for row in rows]


def test_one_person_is_one_pseudonym_in_every_table(spark: SparkSession) -> None:
    (claim,) = judged(frame(spark, [{**CLAIM, "SS00010": " ann\t", "who": "dr 1 "}]), CLAIMS_INPUT)
    (person,) = judged(frame(spark, [PERSON]), POPULATION_INPUT)
    assert claim["beneficiary_id"] == person["beneficiary_id"] == expected("ann")
    assert claim["provider_id"] == expected("dr 1")
    assert claim["claim_id"] == "c1"
    assert (claim[REASONS], person[REASONS], claim[ROW]) == ([], [], None)


def test_ids_of_numbers_and_of_text_are_the_same(spark: SparkSession) -> None:
    row = {**CLAIM, "SS00010": "123"}
    raw = frame(spark, [row])
    (text,) = judged(raw, CLAIMS_INPUT)
    (number,) = judged(raw.withColumn("SS00010", F.col("SS00010").cast("bigint")), CLAIMS_INPUT)
    assert text["beneficiary_id"] == number["beneficiary_id"] == expected("123")


def test_no_id_stays_no_id(spark: SparkSession) -> None:
    (row,) = judged(frame(spark, [{**CLAIM, "who": " "}]), CLAIMS_INPUT)
    assert row["provider_id"] is None
    (row,) = judged(frame(spark, [CLAIM]), CLAIMS_INPUT)
    assert row["provider_id"] is None


def test_a_rejected_row_is_kept_with_pseudonyms_and_without_unknown_columns(spark: SparkSession) -> None:
    bad = {**CLAIM, "SS00010": f"{WHITESPACE}ann ", "who": "dr\ufffd", "service_date": "2023-02-30", "remark": "of ann"}
    (row,) = judged(frame(spark, [bad]), CLAIMS_INPUT)
    assert row[REASONS] == ["unparseable_service_date", "unparseable_provider_id"]
    assert json.loads(row[ROW]) == {
        "claim_id": "c1",
        "SS00010": expected("ann"),
        "service_date": "2023-02-30",
        "nomenclature_code": "424093",
        "quantity": "1",
        "who": expected("dr\ufffd"),
    }
    (missing,) = judged(frame(spark, [{**CLAIM, "SS00010": "  "}]), CLAIMS_INPUT)
    assert json.loads(missing[ROW])["SS00010"] is None


def test_a_malformed_row_is_kept_without_its_text(spark: SparkSession) -> None:
    line = "c1,ann,2023-03-01,,"
    raw = frame(spark, [CLAIM, CLAIM], [None, line])
    sound, malformed = sorted(judged(raw, CLAIMS_INPUT), key=lambda row: row[ROW] or "")
    assert sound[ROW] is None
    assert malformed[REASONS] == ["malformed_row"]
    assert json.loads(malformed[ROW]) == {"malformed_row": expected(line), "commas": 4}


def test_without_a_key_rows_are_kept_whole(spark: SparkSession) -> None:
    raw = frame(spark, [{**CLAIM, "remark": "of ann"}], [None])
    (row,) = judged(raw, CLAIMS_INPUT, key=None, every_row=True)
    assert json.loads(row[ROW]) == {**CLAIM, "remark": "of ann"}
    rules = RowRules(SENDER, date(2005, 1, 1), date(2026, 12, 31))
    plan = validate_rows(raw, CLAIMS_INPUT, rules)._jdf.queryExecution()  # type: ignore[operator]
    assert "Join" not in plan.toString()
    assert "sha2" not in plan.toString()


# --- Runs of two keys ----------------------------------------------------------------------------


def silver(key: str | None, version: int) -> dict[str, Any]:
    versions = {f"silver/{name}": version for name in ("claims", "hospital_stays", "population")}
    return {"run_id": f"r{version}", "versions": versions, **({} if key is None else {"pseudonym_key": key})}


@pytest.mark.parametrize(("first", "second", "apart"), [(None, None, True), ("k", "k", True), (None, "k", False)])
def test_claims_and_people_of_two_keys_are_never_joined(first: str | None, second: str | None, apart: bool) -> None:
    from claimatlas.configuration import load_configuration
    from claimatlas.configuration.snapshot import snapshot

    files = snapshot(load_configuration())
    inputs, target = Inputs(silver(first, 1), files, first), Inputs(silver(second, 2), files, second)
    assert _fits(inputs)
    only_claims = inputs.with_cause(CLAIMS, target)
    assert _fits(only_claims) is apart
    assert _fits(inputs.with_cause(POPULATION, target)) is apart
    assert _fits(only_claims.with_cause(POPULATION, target))
