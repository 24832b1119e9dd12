"""Files as the field leaves them: every one is read, or named; types that differ are widened or named."""

import bz2
import gzip
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from claimatlas.configuration import load_configuration
from claimatlas.configuration.mappings import Mapping, Reading
from claimatlas.errors import InputError
from claimatlas.ingest.discover.examine import examined
from claimatlas.ingest.discover.source import Source, locate, similar_names
from claimatlas.ingest.inputs import InputPaths
from claimatlas.ingest.look import look_at_input, notes_on_input, require_tables
from claimatlas.ingest.read.rows import CORRUPT, SOURCE_FILE, confirmed, pinned, read, rows_of_files
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

NAMES = ["claim_id", "beneficiary_id", "service_date", "nomenclature_code", "quantity"]
HEADER = ",".join(NAMES)
DAY = date(2022, 1, 5)


def rows_of(first: int, number: int, **columns: Any) -> dict[str, Any]:
    """Rows by column; what is given takes the place of a column, or is one more."""
    sound = {
        "claim_id": pa.array([f"c{first + n}" for n in range(number)]),
        "beneficiary_id": pa.array(["ann"] * number),
        "service_date": pa.array([DAY] * number),
        "nomenclature_code": pa.array([424104] * number),
        "quantity": pa.array([1] * number),
    }
    return {**sound, **columns}


def parquet(path: Path, first: int, number: int = 2, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(rows_of(first, number, **columns)), path)
    return path


def csv(path: Path, first: int, number: int = 2, delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [HEADER, *(f"c{first + n},ann,2022-01-05,424104,1" for n in range(number))]
    text = "\n".join(lines) + "\n"
    path.write_text(text.replace(",", delimiter), encoding="utf-8")
    return path


def found(folder: Path, reading: Reading | None = None) -> Source:
    source = locate(str(folder), "claims", None, reading)
    assert source is not None
    return examined(source, NAMES)


def ids(spark: SparkSession, source: Source) -> list[str]:
    """The ids that are read; and every file is accounted for."""
    sure = confirmed(spark, source)
    assert sure is not None
    rows = read(spark, sure).collect()
    assert sum(rows_of_files(spark, sure).values()) == len(rows)
    return sorted(row["claim_id"] for row in rows)


def refused(folder: Path, reading: Reading | None = None) -> str:
    with pytest.raises(InputError) as caught:
        found(folder, reading)
    return str(caught.value)


# --- Every file counts ---------------------------------------------------------------------------


@pytest.mark.parametrize("write", [parquet, csv], ids=["parquet", "csv"])
@pytest.mark.parametrize(
    "folders",
    [
        ("fund=100/a", "fund=300/b", "late"),
        ("fund=100/a", "fund=300/lot=2/b"),
        ("fund=100/a", "other/b", "c"),
        ("2022/a", "2023/deep/b"),
        ("Fund=100/a", "fund=300/b"),
        ("=x/a", "fund=/b"),
    ],
    ids=str,
)
def test_files_at_any_depth_are_read(
    spark: SparkSession, tmp_path: Path, write: Callable[..., Path], folders: tuple[str, ...]
) -> None:
    ending = ".parquet" if write is parquet else ".csv"
    for number, below in enumerate(folders):
        write(tmp_path / "claims" / f"{below}{ending}", 10 * number)
    expected = sorted(f"c{10 * number + n}" for number in range(len(folders)) for n in range(2))
    assert ids(spark, found(tmp_path)) == expected


@pytest.mark.parametrize("write", [parquet, csv], ids=["parquet", "csv"])
def test_the_values_of_folders_are_text(spark: SparkSession, tmp_path: Path, write: Callable[..., Path]) -> None:
    ending = ".parquet" if write is parquet else ".csv"
    values = {"010": "010", "a%2Fb": "a/b", "été x": "été x", "1+1": "1+1", "__HIVE_DEFAULT_PARTITION__": None}
    for number, folder in enumerate(values):
        write(tmp_path / "claims" / f"hospital_id={folder}" / f"a{ending}", number, 1)
    rows = read(spark, found(tmp_path)).collect()
    assert {row["claim_id"]: row["hospital_id"] for row in rows} == {
        f"c{number}": value for number, value in enumerate(values.values())
    }


@pytest.mark.parametrize("write", [parquet, csv], ids=["parquet", "csv"])
def test_a_folder_above_the_input_has_no_value(spark: SparkSession, tmp_path: Path, write: Callable[..., Path]) -> None:
    folder = tmp_path / "hospital_id=7" / "in"
    write(folder / "claims" / "hospital_id=010" / ("a.parquet" if write is parquet else "a.csv"), 0, 1)
    assert [row["hospital_id"] for row in read(spark, found(folder)).collect()] == ["010"]


def test_two_values_of_one_folder_are_refused(tmp_path: Path) -> None:
    file = csv(tmp_path / "claims" / "hospital_id=7" / "Hospital_ID=010" / "a.csv", 0)
    assert refused(tmp_path) == f"claims: {file} lies in two folders of the same name before the =: rename one of them."


def test_a_column_that_some_files_lack_is_named(tmp_path: Path) -> None:
    parquet(tmp_path / "claims" / "a.parquet", 0, provider_competence=pa.array([3, 3]))
    lacking = parquet(tmp_path / "claims" / "b.parquet", 5)
    (tmp_path / "population.csv").write_text("beneficiary_id,year\nann,2022\n", encoding="utf-8")
    configuration, paths = load_configuration(), InputPaths(folder=str(tmp_path))
    notes = notes_on_input(look_at_input(paths, configuration), paths, configuration)
    assert (
        "claims: provider_competence is unknown in the rows of 1 of 2 files, which have no column "
        f"provider_competence: {lacking}."
    ) in notes


def test_a_file_that_lacks_the_folder_of_a_column_is_named(tmp_path: Path) -> None:
    parquet(tmp_path / "claims" / "hospital_id=010" / "a.parquet", 0)
    outside = parquet(tmp_path / "claims" / "b.parquet", 5)
    csv(tmp_path / "population.csv", 0)
    with pytest.raises(InputError) as caught:
        look_at_input(InputPaths(folder=str(tmp_path)), load_configuration())
    assert f"folders of {tmp_path}/claims are named hospital_id=…, and {outside} lies in none" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["_b.csv", ".b.csv", "_old/b.csv", ".ipynb_checkpoints/b.csv", "_temporary/0/b.csv", "_b"]
)
def test_data_that_spark_would_pass_over_is_named(tmp_path: Path, name: str) -> None:
    csv(tmp_path / "claims" / "a.csv", 0)
    hidden = tmp_path / "claims" / name
    if name == "_b":
        parquet(hidden, 5)
    else:
        csv(hidden, 5)
    assert f"claims: {hidden} would be skipped by Spark" in refused(tmp_path)


def test_markers_of_other_programs_are_left_out(spark: SparkSession, tmp_path: Path) -> None:
    parquet(tmp_path / "claims" / "a.parquet", 0)
    for name in ("_SUCCESS", ".part-9.parquet.crc", ".DS_Store", "_started_1"):
        (tmp_path / "claims" / name).write_bytes(b"x")
    for name in ("_metadata", "_common_metadata"):
        pq.write_metadata(pq.read_schema(tmp_path / "claims" / "a.parquet"), tmp_path / "claims" / name)
    assert ids(spark, found(tmp_path)) == ["c0", "c1"]


def test_what_lies_beside_is_named(tmp_path: Path) -> None:
    for name in ("Claims.csv", "claims_2022.csv", "population.csv", "stays.csv", "notes.txt", "claims.md5"):
        csv(tmp_path / name, 0)
    assert similar_names(str(tmp_path), "claims") == ["Claims.csv", "claims_2022.csv"]
    assert similar_names(str(tmp_path), "hospital_stays") == ["stays.csv"]
    assert similar_names(str(tmp_path), "population") == []
    (tmp_path / "old_claims").mkdir()
    assert similar_names(str(tmp_path), "claims", is_there_too=True) == ["Claims.csv", "claims_2022.csv", "old_claims"]
    (tmp_path / "old_claims").rmdir()
    paths = InputPaths(folder=str(tmp_path))
    with pytest.raises(InputError, match=r"no table claims: .*; there is Claims.csv, claims_2022.csv, which has"):
        require_tables({"claims": None, "population": None, "hospital_stays": None}, paths)
    shutil.move(tmp_path / "Claims.csv", tmp_path / "claims.csv")
    (tmp_path / "population.csv").write_text("beneficiary_id,year\nann,2022\n", encoding="utf-8")
    configuration = load_configuration()
    notes = notes_on_input(look_at_input(paths, configuration), paths, configuration)
    assert any("claims is read from" in note and "claims_2022.csv, which is not read" in note for note in notes)
    assert any("hospital_stays is not there; beside it lies stays.csv" in note for note in notes)


def test_every_table_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "claims.csv").write_text("id,day\n", encoding="utf-8")
    (tmp_path / "population.csv").write_text("person;year\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        look_at_input(InputPaths(folder=str(tmp_path)), load_configuration())
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["population", "claims"]


# --- Endings and packing -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["claims.CSV", "claims.Csv.Gz", "claims.csv.GZ", "claims.csv.bz2", "claims.CSV.BZ2", "claims.csv.gz"],
)
def test_endings_in_any_case(spark: SparkSession, tmp_path: Path, name: str) -> None:
    plain = csv(tmp_path / "elsewhere" / "x.csv", 0).read_bytes()
    packed = {"gz": gzip.compress, "bz2": bz2.compress}.get(name.lower().rpartition(".")[2], lambda data: data)
    (tmp_path / name).write_bytes(packed(plain))
    assert ids(spark, found(tmp_path)) == ["c0", "c1"]
    (row, _) = read(spark, found(tmp_path)).collect()
    assert row[SOURCE_FILE].endswith(f"/{name}")


def test_packed_files_beside_plain_ones(spark: SparkSession, tmp_path: Path) -> None:
    data = csv(tmp_path / "claims" / "a.csv", 0).read_bytes().replace(b"c0", b"d0").replace(b"c1", b"d1")
    (tmp_path / "claims" / "B.CSV.GZ").write_bytes(gzip.compress(data))
    assert ids(spark, found(tmp_path)) == ["c0", "c1", "d0", "d1"]


def test_a_mapping_says_how_files_are_packed(spark: SparkSession, tmp_path: Path) -> None:
    data = csv(tmp_path / "elsewhere.csv", 0).read_bytes()
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "extract.dat").write_bytes(gzip.compress(data))
    assert ids(spark, found(tmp_path, Reading(compression="gzip"))) == ["c0", "c1"]
    assert "neither a .parquet nor a .csv file" in refused(tmp_path)
    assert "is not compressed with bzip2, as the mapping says" in refused(tmp_path, Reading(compression="bzip2"))


@pytest.mark.parametrize(
    ("name", "message"), [("claims.csv", "is compressed with gzip, which its name does not say: name it claims.csv.gz")]
)
def test_a_gzip_that_is_not_named_so(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(HEADER.encode()))
    assert message in refused(tmp_path)


def test_a_zip_is_named(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    with zipfile.ZipFile(tmp_path / "claims" / "a.csv", "w") as archive:
        archive.writestr("a.csv", HEADER)
    assert "is a zip archive: unpack it" in refused(tmp_path)


def test_files_of_hive_have_no_ending(spark: SparkSession, tmp_path: Path) -> None:
    parquet(tmp_path / "claims" / "000000_0", 0)
    parquet(tmp_path / "claims" / "year=2022" / "000001_0", 5)
    assert ids(spark, found(tmp_path)) == ["c0", "c1", "c5", "c6"]


# --- Tables without rows -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "delta", "one of several"])
def test_a_table_without_rows_is_a_table(spark: SparkSession, tmp_path: Path, kind: str) -> None:
    empty = pa.table(rows_of(0, 0))
    if kind == "delta":
        write_deltalake(tmp_path / "claims", empty)
    elif kind == "parquet":
        pq.write_table(empty, tmp_path / "claims.parquet")
    elif kind == "csv.gz":
        (tmp_path / "claims.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n".encode()))
    elif kind == "csv":
        csv(tmp_path / "claims.csv", 0, 0)
    else:
        csv(tmp_path / "claims" / "a.csv", 0, 0)
        csv(tmp_path / "claims" / "b.csv", 0)
    expected = ["c0", "c1"] if kind == "one of several" else []
    assert ids(spark, found(tmp_path)) == expected


def test_claims_without_a_row_are_named(tmp_path: Path) -> None:
    csv(tmp_path / "claims" / "a.csv", 0, 0)
    csv(tmp_path / "claims" / "b.csv", 0, 0)
    (tmp_path / "population.csv").write_text("beneficiary_id,year\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        look_at_input(InputPaths(folder=str(tmp_path)), load_configuration())
    assert "claims: the input has no row; none of its 2 files has one." in str(caught.value)
    assert f"population: the input has no row; see {tmp_path}/population.csv." in str(caught.value)


# --- How CSV is written --------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter(spark: SparkSession, tmp_path: Path, delimiter: str) -> None:
    csv(tmp_path / "claims.csv", 0, delimiter=delimiter)
    shown = "a tab" if delimiter == "\t" else repr(delimiter)
    assert f"are separated by {shown}, not by ','" in refused(tmp_path)
    assert ids(spark, found(tmp_path, Reading(delimiter=delimiter))) == ["c0", "c1"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso-8859-15"])
@pytest.mark.parametrize("irregular", [False, True])
def test_another_encoding(spark: SparkSession, tmp_path: Path, encoding: str, irregular: bool) -> None:
    sign = "€" if encoding != "latin-1" else "é"
    lines = [f"{HEADER};médecin".replace(",", ";"), f"c0;Zoë{sign};2022-01-05;424104;1;x"]
    lines += ['c1;"a;b";2022-01-05;424104;1;"é"'] + (['c2;ann;2022-01-05;424104;1;"x"é'] if irregular else [])
    (tmp_path / "claims.csv").write_bytes("\n".join(lines).encode(encoding))
    source = found(tmp_path, Reading(delimiter=";", encoding=encoding))
    assert source.irregular is irregular
    rows = {row["claim_id"]: row for row in read(spark, source).collect()}
    assert (rows["c0"]["beneficiary_id"], rows["c1"]["beneficiary_id"]) == (f"Zoë{sign}", "a;b")
    assert rows["c1"]["médecin"] == "é"
    assert len([row for row in rows.values() if row[CORRUPT]]) == irregular


def test_quotes_that_are_letters(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "claims.csv").write_text(f'{HEADER}\n"c0,ann,2022-01-05,424104,1\nc1",a"n,2022-01-05,424104,1\n')
    assert ids(spark, found(tmp_path, Reading(quote=""))) == ['"c0', 'c1"']


def test_other_quotes(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "claims.csv").write_text(f"{HEADER}\n'c,0','a''b',2022-01-05,424104,1\n", encoding="utf-8")
    (row,) = read(spark, found(tmp_path, Reading(quote="'"))).collect()
    assert (row["claim_id"], row["beneficiary_id"]) == ("c,0", "a'b")


LINES = st.lists(
    st.sampled_from(
        [
            "c1,ann,2022-01-05,424104,1",
            '"c1","a,b",2022-01-05,424104,1',
            "",
            " ",
            "\t",
            "x",
            HEADER,
            f'"{HEADER.replace(",", chr(34) + "," + chr(34))}"',
            "claim_id,x,y,z,1",
            '"c2\nc3",ann,2022-01-05,424104,1',
            'c"4,ann,2022-01-05,424104,1',
            "\x1a",
            "\0",
            "c\r5,ann,2022-01-05,424104,1",
        ]
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, end=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_the_lines_of_a_file_are_counted_as_spark_reads_them(
    spark: SparkSession, tmp_path: Path, lines: list[str], end: str, last: bool
) -> None:
    text = end.join([HEADER, *lines]) + (end if last else "")
    (tmp_path / "claims.csv").write_bytes(text.encode())
    source = found(tmp_path)
    (rows,) = source.rows.values()
    assert rows is None or rows == read(spark, source).count(), repr(text)


def test_the_lines_of_a_large_file_are_counted_across_pieces(tmp_path: Path) -> None:
    line = "c1,ann,2022-01-05,424104,1"
    text = f"{HEADER}\n" + f"{line}\n" * 100_000
    (tmp_path / "claims.csv").write_text(text, encoding="utf-8")
    assert list(found(tmp_path).rows.values()) == [100_000]
    # A blank line wherever it stands makes it a question for Spark; so does a header once more.
    for position in (1 << 20, 2 << 20):
        cut = text.index("\n", position - 30) + 1
        for odd in ("\n", f"{HEADER}\n", " \n"):
            (tmp_path / "claims.csv").write_text(text[:cut] + odd + text[cut:], encoding="utf-8")
            assert list(found(tmp_path).rows.values()) == [None]


# --- Types that differ between files -------------------------------------------------------------


def instants(*moments: datetime | None) -> pa.Array:
    return pa.array(moments, pa.timestamp("us", "UTC"))


MIDNIGHT = datetime(2022, 1, 5)  # noqa: DTZ001 - it has no zone
WIDENED: dict[str, tuple[Any, Any, str]] = {
    "int to long": (pa.array([1, 2], pa.int32()), pa.array([1, 2**40], pa.int64()), "bigint"),
    "byte to short": (pa.array([1, 2], pa.int8()), pa.array([1, 300], pa.int16()), "bigint"),
    "int to double": (pa.array([1, 2], pa.int32()), pa.array([1.0, None]), "double"),
    "float to double": (pa.array([1, 2], pa.float32()), pa.array([1.0, None]), "double"),
    "int to decimal": (pa.array([1, 2]), pa.array([1, 2]).cast(pa.decimal128(21, 1)), "decimal(21,1)"),
    "date to timestamp": (pa.array([DAY] * 2), pa.array([MIDNIGHT] * 2, pa.timestamp("ms")), "timestamp_ntz"),
    "date to instant": (pa.array([DAY] * 2), instants(datetime(2022, 1, 5, tzinfo=UTC), None), "string"),
    "nothing but nulls": (pa.array([None, None], pa.null()), pa.array([DAY] * 2), "date"),
    "nulls of another type": (pa.array([None, None], pa.null()), pa.array(["x", "y"]), "string"),
    "nulls among numbers": (pa.array([None, None], pa.float64()), pa.array(["x", "y"]), "string"),
    "nanoseconds": (pa.array([MIDNIGHT] * 2, pa.timestamp("ns")), pa.array([DAY] * 2), "timestamp_ntz"),
    "bytes to text": (pa.array([b"x", b"y"]), pa.array(["x", "y"]), "string"),
    "large text": (pa.array(["x", "y"], pa.large_string()), pa.array(["x", "y"]).dictionary_encode(), "string"),
}


@pytest.mark.parametrize("kind", WIDENED)
def test_types_that_lose_nothing_are_widened(spark: SparkSession, tmp_path: Path, kind: str) -> None:
    one, other, data_type = WIDENED[kind]
    for turn, (a, b) in enumerate(((one, other), (other, one))):
        folder = tmp_path / str(turn)
        parquet(folder / "claims" / "a.parquet", 0, booking=a)
        parquet(folder / "claims" / "b.parquet", 5, booking=b)
        parquet(folder / "claims" / "c.parquet", 10)
        rows = read(spark, found(folder))
        assert dict(rows.dtypes)["booking"] == data_type
        assert rows.count() == 6
        values = {row["claim_id"]: row["booking"] for row in rows.collect()}
        assert values["c10"] is None
        assert (values["c0"] is None) == (a[0].as_py() is None)


def test_instants_among_days_stay_instants(spark: SparkSession, tmp_path: Path) -> None:
    parquet(tmp_path / "claims" / "a.parquet", 0, 1, booking=pa.array([DAY]))
    parquet(tmp_path / "claims" / "b.parquet", 1, 1, booking=instants(datetime(2022, 1, 4, 23, tzinfo=UTC)))
    rows = read(spark, found(tmp_path)).collect()
    assert sorted(row["booking"] for row in rows) == ["2022-01-04T23:00:00.000000Z", "2022-01-05"]


def test_an_instant_that_no_calendar_has_is_read_among_days(spark: SparkSession, tmp_path: Path) -> None:
    parquet(tmp_path / "claims" / "a.parquet", 0, 1, booking=pa.array([DAY]))
    parquet(tmp_path / "claims" / "b.parquet", 1, 1, booking=pa.array([2**63 - 1], pa.timestamp("us", "UTC")))
    found_texts = sorted(row["booking"] for row in read(spark, found(tmp_path)).collect())
    assert found_texts[0].startswith("+294247-01-10")
    assert found_texts[1:] == ["2022-01-05"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([1, 2]), pa.array(["1", "2"])),
        (pa.array([DAY] * 2), pa.array(["2022-01-05"] * 2)),
        (pa.array([True, False]), pa.array([1, 0])),
        (pa.array([1, 2]), pa.array([DAY] * 2)),
    ],
    ids=["int and text", "date and text", "boolean and int", "int and date"],
)
def test_types_that_do_not_go_together_are_named(spark: SparkSession, tmp_path: Path, one: Any, other: Any) -> None:
    first = parquet(tmp_path / "claims" / "a.parquet", 0, booking=one)
    second = parquet(tmp_path / "claims" / "b.parquet", 5, booking=other)
    with pytest.raises(InputError) as caught:
        read(spark, found(tmp_path))
    text = str(caught.value)
    assert text.startswith("claims: the column booking is of type ")
    assert str(first) in text
    assert str(second) in text


@pytest.mark.parametrize(
    ("unit", "zone", "expected"),
    [
        ("ns", None, datetime(2022, 1, 5, 12)),  # noqa: DTZ001
        ("us", None, datetime(2022, 1, 5, 12)),  # noqa: DTZ001
        ("ms", None, datetime(2022, 1, 5, 12)),  # noqa: DTZ001
        ("ns", "UTC", datetime(2022, 1, 5, 12)),  # noqa: DTZ001
        ("ms", "Europe/Brussels", datetime(2022, 1, 5, 12)),  # noqa: DTZ001
    ],
)
def test_timestamps_of_every_unit(
    spark: SparkSession, tmp_path: Path, unit: str, zone: str | None, expected: datetime
) -> None:
    moment = expected.replace(tzinfo=UTC) if zone else expected
    parquet(tmp_path / "claims.parquet", 0, 1, booking=pa.array([moment], pa.timestamp(unit, zone)))
    frame = read(spark, found(tmp_path))
    assert dict(frame.dtypes)["booking"] == ("timestamp" if zone else "timestamp_ntz")
    (row,) = frame.selectExpr("string(booking) AS text").collect()
    assert row["text"] == "2022-01-05 12:00:00"


def test_timestamps_of_int96(spark: SparkSession, tmp_path: Path) -> None:
    moments = pa.array([datetime(2022, 1, 5, 12), datetime(1850, 1, 1)], pa.timestamp("us"))  # noqa: DTZ001
    (tmp_path / "claims").mkdir()
    table = pa.table(rows_of(0, 2, booking=moments))
    pq.write_table(table, tmp_path / "claims" / "a.parquet", use_deprecated_int96_timestamps=True)
    frame = read(spark, found(tmp_path))
    assert dict(frame.dtypes)["booking"] == "timestamp"
    found_texts = {row["text"] for row in frame.selectExpr("string(booking) AS text").collect()}
    assert found_texts == {"2022-01-05 12:00:00", "1850-01-01 00:00:00"}


# --- Delta ---------------------------------------------------------------------------------------


def delta_ids(spark: SparkSession, folder: Path) -> list[str]:
    source = locate(None, "claims", str(folder))
    assert source is not None
    sure = pinned(spark, source)
    rows = read(spark, sure).collect()
    assert sum(rows_of_files(spark, sure).values()) == len(rows)
    return sorted(row["claim_id"] for row in rows)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["DELETE FROM {t} WHERE claim_id = 'c1'"], ["c0", "c2", "c3"]),
        (["ALTER TABLE {t} RENAME COLUMN quantity TO number", "ALTER TABLE {t} DROP COLUMN number"], None),
        (
            ["UPDATE {t} SET quantity = 2 WHERE claim_id < 'c2'", "DELETE FROM {t} WHERE claim_id = 'c3'"],
            ["c0", "c1", "c2"],
        ),
        (["OPTIMIZE {t}", "DELETE FROM {t} WHERE claim_id = 'c0'"], ["c1", "c2", "c3"]),
    ],
    ids=["deletion vectors", "column mapping", "update", "optimize"],
)
@pytest.mark.parametrize("checkpoints", ["classic", "v2"])
def test_tables_of_delta_of_every_kind(
    spark: SparkSession, tmp_path: Path, statements: list[str], expected: list[str] | None, checkpoints: str
) -> None:
    spark.conf.set("spark.databricks.delta.stats.skipping", "false")
    table = f"delta.`{tmp_path}/claims`"
    spark.sql(
        f"CREATE TABLE {table} (claim_id STRING, quantity INT, doubled INT GENERATED ALWAYS AS (quantity * 2), "
        "number_of_line BIGINT GENERATED ALWAYS AS IDENTITY) USING DELTA TBLPROPERTIES "
        "('delta.enableDeletionVectors' = 'true', 'delta.columnMapping.mode' = 'name', "
        f"'delta.checkpointInterval' = '2', 'delta.checkpointPolicy' = '{checkpoints}')"
        if expected is not None
        else f"CREATE TABLE {table} (claim_id STRING, quantity INT) USING DELTA TBLPROPERTIES "
        "('delta.columnMapping.mode' = 'name', 'delta.checkpointInterval' = '2', "
        f"'delta.checkpointPolicy' = '{checkpoints}')"
    )
    for first in (0, 2):
        spark.sql(f"INSERT INTO {table} (claim_id, quantity) VALUES ('c{first}', 1), ('c{first + 1}', 1)")
    for statement in statements:
        spark.sql(statement.format(t=table))
    assert delta_ids(spark, tmp_path / "claims") == (expected or ["c0", "c1", "c2", "c3"])


def test_a_table_of_delta_that_is_written_meanwhile(spark: SparkSession, tmp_path: Path) -> None:
    write_deltalake(tmp_path / "claims", pa.table(rows_of(0, 2)))
    source = locate(None, "claims", str(tmp_path / "claims"))
    assert source is not None
    sure = pinned(spark, source)
    write_deltalake(tmp_path / "claims", pa.table(rows_of(5, 2)), mode="append")
    DeltaTable(tmp_path / "claims").delete("claim_id = 'c0'")
    assert sorted(row["claim_id"] for row in read(spark, sure).collect()) == ["c0", "c1"]


def test_every_mapping_reads_the_standard_files(tmp_path: Path) -> None:
    assert Mapping(description="x").claims.read == Reading()
