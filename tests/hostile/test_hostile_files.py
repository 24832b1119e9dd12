"""Hostile files: read as they are meant, or refused with one message; never a trace, a wrong row or a hang."""

import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import yaml
from claimatlas.configuration.mappings import Mapping
from claimatlas.errors import InputError
from claimatlas.ingest.contract import CLAIMS_INPUT
from claimatlas.ingest.discover.source import locate
from claimatlas.ingest.load.table import as_input_error
from claimatlas.ingest.read.rows import pinned, read
from claimatlas.ingest.validate.rows import REASONS, ROW, RowRules, validate_rows
from comparison import CONF, GOLD, RUNS, SILVER, content, last_record
from comparison import read as read_table
from integration.console import Console
from integration.inputs import SMALL_CLAIMS, SMALL_POPULATION, fingerprint
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from reference.model import Row

from hostile.files import BODY, EITHER, FILE_KINDS, REFUSED, SAME, SOME, random_damage
from hostile.judge import AS_OF
from hostile.mutations import MUTANTS, SEED, random_of, within

pytestmark = pytest.mark.integration

SECONDS = 120
FIRST = date(2005, 1, 1)
NAMES = ("claim_id", "beneficiary_id", "service_date", "nomenclature_code", "quantity")
BY_COMMAND = ("a field of 10 MB", "a log that names a file elsewhere", "control characters instead of a name")
"""Kinds that go through the real command in every run; all of them do in `make test-all`."""


def expected_claims() -> Counter[tuple[object, ...]]:
    """The small claims as they are understood."""
    rows = [line.split(",") for line in BODY.splitlines()]
    return Counter((row[0], row[1], date.fromisoformat(row[2]), int(row[3]), int(row[4])) for row in rows)


def looked_at(spark: SparkSession, folder: Path) -> list[Row]:
    """The claims of a folder, judged as an ingest judges them, without being written.

    Raises:
        InputError: the folder cannot be used.
    """
    source = locate(str(folder), "claims", None)
    if source is None:
        raise InputError("no claims")
    try:
        source = pinned(spark, source)
        raw = read(spark, source)
        mapping = Mapping(description="our own names")
        rows = validate_rows(raw, CLAIMS_INPUT, RowRules(mapping, FIRST, AS_OF))
        return [row.asDict() for row in rows.collect()]
    except (PySparkException, Py4JError) as error:
        raise as_input_error(error, source) from error


def assert_sound(rows: list[Row]) -> None:
    """Each row is rejected, whole and with reasons, or satisfies the schema."""
    for row in rows:
        if row[REASONS]:
            assert row[ROW], row[REASONS]
            continue
        assert all(row[name] is not None for name in NAMES), row
        assert FIRST <= row["service_date"] <= AS_OF, row
        assert row["year"] == row["service_date"].year, row
        assert 100_000 <= row["nomenclature_code"] <= 999_999, row
        assert row["quantity"] != 0, row
        assert row["booking_date"] is None or row["booking_date"] >= row["service_date"], row


def outcome_of(spark: SparkSession, folder: Path) -> tuple[str, list[Row]]:
    """What becomes of a folder, and its rows; anything but a refusal or sound rows is raised."""
    with within(SECONDS):
        try:
            rows = looked_at(spark, folder)
        except InputError as error:
            assert str(error).strip()
            return REFUSED, []
    assert_sound(rows)
    accepted = Counter(tuple(row[name] for name in NAMES) for row in rows if not row[REASONS])
    return (SAME if accepted == expected_claims() and len(rows) == accepted.total() else SOME), rows


def test_every_kind_of_file_has_its_outcome(spark: SparkSession, tmp_path: Path) -> None:
    failures = []
    found: Counter[str] = Counter()
    for number, (kind, (expected, write)) in enumerate(FILE_KINDS.items()):
        # A third of them in a short run.
        if MUTANTS < 1000 and number % 3 != SEED % 3:
            continue
        folder = tmp_path / f"kind{number}"
        folder.mkdir()
        write(folder)
        try:
            outcome, _ = outcome_of(spark, folder)
        except Exception as error:
            failures.append(f"{kind}: {type(error).__name__}: {str(error)[:300]}")
            continue
        found[outcome] += 1
        if expected not in (outcome, EITHER):
            failures.append(f"{kind}: {outcome}, expected {expected}")
        elif expected == EITHER and outcome == SOME:
            failures.append(f"{kind}: rows that nobody can explain")
        shutil.rmtree(folder)
    print(f"files: {found.total()} kinds, {dict(found)}")
    assert not failures, "\n".join(failures)


def test_random_damage_is_refused_or_leaves_sound_rows(spark: SparkSession, tmp_path: Path) -> None:
    failures = []
    found: Counter[str] = Counter()
    for number in range(max(4, MUTANTS // 50)):
        folder = tmp_path / f"damage{number}"
        folder.mkdir()
        what = random_damage(folder, random_of("damage", number))
        try:
            found[outcome_of(spark, folder)[0]] += 1
        except Exception as error:
            failures.append(f"number {number}: {what}: {type(error).__name__}: {str(error)[:300]}")
        else:
            shutil.rmtree(folder)
    print(f"damaged files, seed {SEED}: {found.total()} mutants, {dict(found)}")
    assert not failures, f"seed {SEED}; kept in {tmp_path}\n" + "\n".join(failures)


def test_rows_that_break_the_schema_are_found() -> None:
    sound: Row = dict(zip(NAMES, ("c", "b", date(2022, 1, 1), 424104, 1), strict=True))
    sound |= {"booking_date": None, "year": 2022, REASONS: [], ROW: None}
    assert_sound([sound])
    for change in ({"quantity": 0}, {"quantity": None}, {"year": 2021}, {"nomenclature_code": 1}, {REASONS: ["x"]}):
        with pytest.raises(AssertionError):
            assert_sound([{**sound, **change}])


# --- Through the real command --------------------------------------------------------------------


def assert_outcome_of_command(console: Console, small_silver: Path, tmp_path: Path, kind: str) -> None:
    expected, write = FILE_KINDS[kind]
    source, output = tmp_path / "input", tmp_path / "output"
    source.mkdir()
    (source / "population.csv").write_text(SMALL_POPULATION, encoding="utf-8")
    write(source)
    shutil.copytree(small_silver, output)
    before, tables = content(output, (*SILVER, RUNS)), (*SILVER, RUNS)
    written = fingerprint(output)
    options = ["--set", "max_rejected_share=1", "--replace", "--as-of", AS_OF.isoformat()]
    said = console.run("ingest", "--input", source, "--output", output, *options)
    assert not said.has_trace(), said.err
    if said.code == 0:
        assert expected != REFUSED, said.err
        counts = last_record(output)["counts"]["ingest.claims"]
        claims = read_table(output, "silver/claims")
        assert counts["read"] == counts["accepted"] + counts["rejected"]
        assert counts["accepted"] == len(claims)
        if expected in (SAME, EITHER):
            assert Counter(tuple(row[name] for name in NAMES) for row in claims) == expected_claims()
        return
    assert said.code == 2, said.err
    # A table without a row is read, and then refused: no figure can come of it.
    assert expected in (REFUSED, EITHER) or (kind == "a header alone" and "has no row" in said.err), said.err
    assert said.messages[0].startswith("claimatlas: "), said.err
    assert all(character.isprintable() or character == "\n" for character in said.err), repr(said.err[:2000])
    assert len(said.err) < 10_000
    # What is wrong with a header or a link shows before anything is written; damage within a file only later.
    if fingerprint(output) != written:
        assert content(output, tables) == before


@pytest.fixture(scope="module")
def small_silver(console: Console, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with the silver of the small input; it may be copied, not changed."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "input").mkdir()
    (folder / "input" / "claims.csv").write_text(SMALL_CLAIMS, encoding="utf-8")
    (folder / "input" / "population.csv").write_text(SMALL_POPULATION, encoding="utf-8")
    said = console.run("ingest", "--input", folder / "input", "--output", folder / "output")
    assert said.code == 0, said.err
    return folder / "output"


@pytest.mark.long
@pytest.mark.parametrize("kind", BY_COMMAND)
def test_some_kinds_by_the_real_command(console: Console, small_silver: Path, tmp_path: Path, kind: str) -> None:
    assert_outcome_of_command(console, small_silver, tmp_path, kind)


@pytest.mark.long
@pytest.mark.parametrize("kind", [kind for kind in FILE_KINDS if kind not in BY_COMMAND])
def test_every_kind_by_the_real_command(console: Console, small_silver: Path, tmp_path: Path, kind: str) -> None:
    assert_outcome_of_command(console, small_silver, tmp_path, kind)


@pytest.mark.long
def test_sql_in_names_lists_and_labels_is_text(console: Console, small_silver: Path, tmp_path: Path) -> None:
    """A year computed with SQL in the mapping, the code lists, the names of folders, equal to one without."""
    conf = Path(shutil.copytree(CONF, tmp_path / "conf"))
    evil = "x`'; DROP TABLE claims; --\""
    mapping = {"description": evil, "claims": {"quantity": evil}}
    (conf / "mappings" / "evil.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
    for file in conf.glob("codelists/*.csv"):
        text = file.read_text(encoding="utf-8")
        marked = text.replace("caesarean section", "'); DROP TABLE t; --")
        assert marked != text or file.name != "delivery_caesarean.csv"
        file.write_text(marked, encoding="utf-8")
    folder = tmp_path / "in'; --`*?[x]"
    folder.mkdir()
    header, body = SMALL_CLAIMS.split("\n", 1)
    names = header.replace("quantity", '"' + evil.replace('"', '""') + '"')
    (folder / "claims.csv").write_text(f"{names}\n{body}", encoding="utf-8")
    (folder / "population.csv").write_text(SMALL_POPULATION, encoding="utf-8")
    output = tmp_path / "out'; --`*?[x]"
    options = ["--conf", conf, "--set", "mapping=evil", "--as-of", AS_OF.isoformat()]
    said = console.run("run-year", "--input", folder, "--output", output, "--year", "2022", *options)
    assert said.code == 0, said.err
    assert not said.has_trace(), said.err
    # Read from a copy whose name every reader understands.
    found = Path(shutil.copytree(output, tmp_path / "found"))
    assert last_record(found)["counts"]["ingest.claims"] == {"read": 10, "accepted": 10, "rejected": 0}
    plain = Path(shutil.copytree(small_silver, tmp_path / "plain"))
    said = console.run("run-year", "--output", plain, "--year", "2022")
    assert said.code == 0, said.err
    assert content(found, GOLD) == content(plain, GOLD)
