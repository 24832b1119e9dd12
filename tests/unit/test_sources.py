"""Where an input table is found, and how its files are read."""

import gzip
import os
from pathlib import Path

import pytest
from claimatlas.errors import InputError
from claimatlas.ingest.discover.source import Source, locate
from claimatlas.ingest.read.rows import CORRUPT, SOURCE_FILE, read
from pyspark.sql import SparkSession

HEADER = "claim_id,quantity\n"


def put(path: Path, text: str | bytes = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return path


def found(folder: Path, explicit: Path | str | None = None) -> Source:
    source = locate(None if explicit else str(folder), "claims", str(explicit) if explicit else None)
    assert source is not None
    return source


def refused(folder: Path | None, explicit: Path | str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        locate(str(folder) if folder else None, "claims", str(explicit) if explicit else None)
    return str(caught.value)


# --- Where it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data_format"),
    [
        ("claims.csv", "csv"),
        ("claims.csv.gz", "csv"),
        ("claims.parquet", "parquet"),
        ("claims/part-0.csv", "csv"),
        ("claims/part-0.CSV", "csv"),
        ("claims/part-0.csv.gz", "csv"),
        ("claims/part-0.parquet", "parquet"),
        ("claims/part-0.snappy.parquet", "parquet"),
    ],
)
def test_a_file_or_folder_of_the_tables_name(tmp_path: Path, name: str, data_format: str) -> None:
    file = put(tmp_path / name)
    put(tmp_path / "population.csv")
    source = found(tmp_path)
    assert source.location == str(tmp_path / name.partition("/")[0])
    assert (source.table, source.format, source.partitions, source.files) == ("claims", data_format, {}, (file,))


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    put(tmp_path / "claims_2023.csv")
    assert locate(str(tmp_path), "claims", None) is None
    assert locate(None, "claims", None) is None


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere") == f"There is no input folder {tmp_path / 'nowhere'}."
    assert refused(put(tmp_path / "claims.csv")).startswith("There is no input folder ")


def test_several_places_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "claims.csv")
    put(tmp_path / "claims.parquet")
    put(tmp_path / "claims" / "part.csv")
    assert refused(tmp_path) == (
        f"claims: found claims and claims.csv and claims.parquet in {tmp_path}; keep one of them."
    )


def test_a_path_of_its_own_wins_over_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "claims.csv")
    other = put(tmp_path / "elsewhere" / "lines.csv")
    source = locate(str(tmp_path), "claims", str(other))
    assert source is not None
    assert source.location == str(other)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    assert refused(None, tmp_path / "nowhere") == f"claims: there is no file or folder {tmp_path / 'nowhere'}."
    assert refused(None, "nowhere") == "claims: there is no file or folder nowhere."


@pytest.mark.parametrize("name", ["health.claims", "main.health.claims_2023"])
def test_a_table_of_the_catalog(name: str) -> None:
    assert locate(None, "claims", name) == Source("claims", name, "table")


@pytest.mark.parametrize("name", ["claims.csv", "lines.parquet"])
def test_the_name_of_a_file_is_no_table_of_the_catalog(name: str) -> None:
    assert refused(None, name) == f"claims: there is no file or folder {name}."


def test_a_place_on_an_object_store() -> None:
    source = Source("claims", "s3a://bucket/input/claims", "remote", assumed=True)
    assert locate("s3a://bucket/input/", "claims", None) == source
    assert locate(None, "claims", "dbfs:/claims") == Source("claims", "dbfs:/claims", "remote")


def test_a_delta_table_is_known_by_its_log(tmp_path: Path) -> None:
    put(tmp_path / "claims" / "_delta_log" / "00000000000000000000.json", "{}")
    put(tmp_path / "claims" / "part-0.parquet")
    assert found(tmp_path) == Source("claims", str(tmp_path / "claims"), "delta")


def test_markers_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    file = put(tmp_path / "claims" / "part-0.parquet")
    for name in ("_SUCCESS", ".part-0.parquet.crc", "_started", ".hidden/notes.txt"):
        put(tmp_path / "claims" / name)
    assert found(tmp_path).files == (file,)
    # What may be data is not passed over in silence.
    for name in (".hidden/x.csv", "_temporary/0/part-1.csv"):
        hidden = put(tmp_path / "claims" / name)
        assert refused(tmp_path).startswith(f"claims: {hidden} would be skipped by Spark")
        hidden.unlink()


def test_subfolders_are_read_too(tmp_path: Path) -> None:
    files = (put(tmp_path / "claims" / "2022" / "a.csv"), put(tmp_path / "claims" / "2023" / "deep" / "b.csv"))
    source = found(tmp_path)
    assert (source.partitions, source.files) == ({}, files)


def test_folders_of_partitions_stay_partitions(tmp_path: Path) -> None:
    put(tmp_path / "claims" / "year=2022" / "part-0.parquet")
    put(tmp_path / "claims" / "year=2023" / "part-0.parquet")
    assert found(tmp_path).partitions == {"year": "year"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "claims: the folder {folder} holds no file."),
        (["_SUCCESS"], "claims: the folder {folder} holds no file."),
        (["a.csv", "b.parquet"], "claims: the folder {folder} mixes csv and parquet files."),
        (["a.csv", "deep/b.parquet"], "claims: the folder {folder} mixes csv and parquet files."),
        (["a.txt"], "claims: {folder}/a.txt is neither a .parquet nor a .csv file."),
        (["a.csv", "README"], "claims: {folder}/README is neither a .parquet nor a .csv file."),
        (["a.csv.zip"], "claims: {folder}/a.csv.zip is neither a .parquet nor a .csv file."),
    ],
)
def test_folders_that_cannot_be_read(tmp_path: Path, names: list[str], message: str) -> None:
    folder = tmp_path / "claims"
    folder.mkdir()
    for name in names:
        put(folder / name)
    assert refused(tmp_path) == message.format(folder=folder)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    file = put(tmp_path / "claims.csv", "")
    assert refused(tmp_path) == f"claims: the file {file} is empty."


# --- What the header says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"claim_id,quantity,claim_id\n", "in the header of {file} a name stands twice: see the columns 1, 3."),
        (b"\n1,2\n", "{file} has no header."),
        (b'""\n1,2\n', "{file} has no header."),
        (b'"claim_id"x,quantity\n1,2\n', "the first line of {file} is not a UTF-8 CSV header."),
        (b'claim_id,"quantity\n1,2\n', "the first line of {file} is not a UTF-8 CSV header."),
        ("claim_id,quantité\n".encode("latin-1"), "the first line of {file} is not a UTF-8 CSV header."),
        ("claim_id,quantity\n".encode("utf-16"), "the first line of {file} is not a UTF-8 CSV header."),
    ],
)
def test_headers_that_cannot_be_read(tmp_path: Path, spark: SparkSession, content: bytes, message: str) -> None:
    file = put(tmp_path / "claims.csv", content)
    with pytest.raises(InputError) as caught:
        read(spark, found(tmp_path))
    assert str(caught.value).startswith("claims: " + message.format(file=file))


def test_names_that_differ_only_in_case_are_refused(tmp_path: Path, spark: SparkSession) -> None:
    file = put(tmp_path / "claims.csv", "claim_id,quantity,Claim_ID\n1,2,3\n")
    with pytest.raises(InputError, match=r"^claims: ") as caught:
        read(spark, found(tmp_path))
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("other", ["quantity,claim_id\n", "claim_id\n", "claim_id,quantity,x\n", "CLAIM_ID,quantity\n"])
def test_headers_that_differ_are_refused(tmp_path: Path, spark: SparkSession, other: str) -> None:
    first = put(tmp_path / "claims" / "a.csv", HEADER)
    second = put(tmp_path / "claims" / "b.csv", other)
    with pytest.raises(InputError) as caught:
        read(spark, found(tmp_path))
    assert str(caught.value).startswith(f"claims: the header of {second} differs from that of {first}: ")


def test_an_empty_file_in_a_folder_has_no_header(tmp_path: Path, spark: SparkSession) -> None:
    put(tmp_path / "claims" / "a.csv", HEADER)
    empty = put(tmp_path / "claims" / "b.csv", "")
    with pytest.raises(InputError, match="has no header") as caught:
        read(spark, found(tmp_path))
    assert str(empty) in str(caught.value)


# --- What the rows say ---------------------------------------------------------------------------


def rows(spark: SparkSession, folder: Path) -> list[tuple[str | None, ...]]:
    return sorted(tuple(row) for row in read(spark, found(folder)).select("claim_id", "quantity", CORRUPT).collect())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"claim_id,quantity\n1,2\n", [("1", "2", None)], id="plain"),
        pytest.param(b"\xef\xbb\xbfclaim_id,quantity\n1,2\n", [("1", "2", None)], id="byte order mark"),
        pytest.param(b"claim_id,quantity\r\n1,2\r\n", [("1", "2", None)], id="lines of Windows"),
        pytest.param(b'"claim_id","quantity"\n"1","2"\n', [("1", "2", None)], id="quotes"),
        pytest.param(b'claim_id,quantity\n"1,5","say ""2"""\n', [("1,5", 'say "2"', None)], id="comma and quotes"),
        pytest.param(b"claim_id,quantity\n 1 ,\t2\n", [(" 1 ", "\t2", None)], id="spaces stay"),
        pytest.param(b"claim_id,quantity\n1,2", [("1", "2", None)], id="no last line break"),
        pytest.param(b"claim_id,quantity\n\n1,2\n\n", [("1", "2", None)], id="empty lines"),
        pytest.param(b"claim_id,quantity\n007,1e3\n", [("007", "1e3", None)], id="nothing is guessed"),
        pytest.param("claim_id,quantity\né,Œ\n".encode(), [("é", "Œ", None)], id="UTF-8"),
        pytest.param(b"claim_id,quantity\n", [], id="no row"),
        pytest.param(b"claim_id,quantity\n#1,2\n", [("#1", "2", None)], id="no comments"),
        pytest.param(
            b"claim_id,quantity\n1,2\nclaim_id,quantity\n3,4\n", [("1", "2", None), ("3", "4", None)], id="joined"
        ),
    ],
)
def test_the_fields_of_a_csv_file(
    tmp_path: Path, spark: SparkSession, content: bytes, expected: list[tuple[str | None, ...]]
) -> None:
    put(tmp_path / "claims.csv", content)
    assert rows(spark, tmp_path) == expected


def test_empty_fields_are_null(tmp_path: Path, spark: SparkSession) -> None:
    put(tmp_path / "claims.csv", 'claim_id,quantity\n1,\n2,""\n')
    found_rows = read(spark, found(tmp_path)).collect()
    assert [(row["claim_id"], row["quantity"] or None) for row in found_rows] == [("1", None), ("2", None)]


def test_a_line_with_another_number_of_fields_is_kept_whole(tmp_path: Path, spark: SparkSession) -> None:
    put(tmp_path / "claims.csv", "claim_id,quantity\n1\n2,2\n3,3,3\nclaim_id,quantity,4\n")
    corrupt = {row["claim_id"]: row[CORRUPT] for row in read(spark, found(tmp_path)).collect()}
    assert corrupt == {"1": "1", "2": None, "3": "3,3,3", "claim_id": "claim_id,quantity,4"}


def test_a_line_is_judged_even_when_few_columns_are_wanted(tmp_path: Path, spark: SparkSession) -> None:
    put(tmp_path / "claims.csv", "claim_id,quantity\n1\n2,2\n3,3,3\n")
    raw = read(spark, found(tmp_path))
    assert {row["claim_id"] for row in raw.where(raw[CORRUPT].isNotNull()).select("claim_id").collect()} == {"1", "3"}
    assert raw.select("claim_id").count() == 3


def test_each_file_has_its_header_and_its_name(tmp_path: Path, spark: SparkSession) -> None:
    put(tmp_path / "claims" / "a.csv", HEADER + "1,1\n")
    put(tmp_path / "claims" / "deep" / "b.csv", HEADER + "2,2\n")
    packed = tmp_path / "claims" / "c.csv.gz"
    packed.write_bytes(gzip.compress((HEADER + "3,3\n").encode()))
    files = {row["claim_id"]: row[SOURCE_FILE] for row in read(spark, found(tmp_path)).collect()}
    assert {key: Path(value).name for key, value in files.items()} == {"1": "a.csv", "2": "b.csv", "3": "c.csv.gz"}


@pytest.mark.parametrize(
    ("content", "sound", "malformed"),
    [
        pytest.param('1,"2\n0"\n3,4\n', {"3": "4"}, {'1,"2', '0"'}, id="a line break within the last field"),
        pytest.param('1,"2\r\n0"\r\n3,4\r\n', {"3": "4"}, {'1,"2', '0"'}, id="lines of Windows"),
        pytest.param('1,"2\r0"\r3,4\r', {"3": "4"}, {'1,"2', '0"'}, id="lines of old Macs"),
        pytest.param('"1\n0",2\n3,4\n', {'0"': "2", "3": "4"}, {'"1'}, id="a line break within the first field"),
        pytest.param('1,"\n3,4\n', {"3": "4"}, {'1,"'}, id="a quote alone"),
        pytest.param('1,"2""\n3,4\n', {"3": "4"}, {'1,"2""'}, id="a doubled quote at the end"),
        pytest.param('1,"2"0\n3,4\n', {"3": "4"}, {'1,"2"0'}, id="text after the quote"),
        pytest.param('1,"2" \n3,4\n', {"3": "4"}, {'1,"2" '}, id="a blank after the quote"),
        pytest.param('1,"2,"0"\n3,4\n', {"3": "4"}, {'1,"2,"0"'}, id="quotes within quotes"),
        pytest.param('",",1,"2"\n3,4\n', {"3": "4"}, {'",",1,"2"'}, id="a comma within quotes, and one too many"),
        pytest.param('1,a"b\n3,"4"\n', {"1": 'a"b', "3": "4"}, set(), id="a quote within a field stays"),
        pytest.param('1,"2\n"3,","say ""4"""\n', {"3,": 'say "4"'}, {'1,"2'}, id="other lines are read as ever"),
        pytest.param('1,"2\n3,\n,""\n', {"3": None, None: None}, {'1,"2'}, id="empty fields are null"),
        pytest.param("\0001,2\n3,4\000\n", {"\0001": "2", "3": "4\000"}, set(), id="null characters stay"),
        pytest.param('1,"2"\000\n3,"4\x1a"\n', {"3": "4\x1a"}, {'1,"2"\000'}, id="a null character after the quote"),
        pytest.param('claim_id,"quantity"\n1,"2\n', {}, {'1,"2'}, id="a line that repeats the header"),
    ],
)
def test_a_line_that_the_rule_of_csv_does_not_explain_is_malformed(
    tmp_path: Path, spark: SparkSession, content: str, sound: dict[str | None, str | None], malformed: set[str]
) -> None:
    put(tmp_path / "claims" / "a.csv", "\ufeffclaim_id,quantity\n \n" + content)
    put(tmp_path / "claims" / "b.csv.gz", gzip.compress(b"claim_id,quantity\n5,6\n"))
    found_rows = read(spark, found(tmp_path)).collect()
    assert {row["claim_id"]: row["quantity"] for row in found_rows if row[CORRUPT] is None} == sound | {"5": "6"}
    assert {row[CORRUPT] for row in found_rows} - {None} == malformed
    assert len(found_rows) == len(sound) + len(malformed) + 1
    assert {Path(row[SOURCE_FILE]).name for row in found_rows} == {"a.csv", "b.csv.gz"}


def test_a_long_field_is_read_whole_and_no_slower_for_its_quotes(tmp_path: Path, spark: SparkSession) -> None:
    long = '""' * 500_000
    put(tmp_path / "claims.csv", f'claim_id,quantity\n1,"{long}"\n2,"{long}\n')
    found_rows = read(spark, found(tmp_path)).collect()
    assert {row["claim_id"]: (len(row["quantity"] or ""), len(row[CORRUPT] or "")) for row in found_rows} == {
        "1": (500_000, 0),
        None: (0, 1_000_003),
    }


# --- Names that say something to a program -------------------------------------------------------


@pytest.mark.parametrize("name", ["in*", "in?", "in[12]", "in{1,2}", "in 1%20#", "in'`", "in\\"])
def test_the_name_of_a_folder_is_no_pattern(tmp_path: Path, spark: SparkSession, name: str) -> None:
    for folder in ("in1", "in2", name):
        put(tmp_path / folder / "claims.csv", f'claim_id,quantity\n"{folder}",1\n')
    assert rows(spark, tmp_path / name) == [(name, "1", None)]


@pytest.mark.parametrize("kind", ["a link to a folder", "a link in a circle", "a link to nothing", "a pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    put(tmp_path / "claims" / "deep" / "a.csv")
    put(tmp_path / "elsewhere" / "b.csv")
    path = tmp_path / "claims" / "deep" / "x.csv"
    if kind == "a pipe":
        os.mkfifo(path)
    else:
        targets = {"a link to a folder": "elsewhere", "a link in a circle": "claims", "a link to nothing": "nowhere"}
        path.symlink_to(tmp_path / targets[kind])
    assert refused(tmp_path) == f"claims: {path} is neither a file nor a folder; a link may lead to a file only."


def test_a_link_to_a_file_is_read(tmp_path: Path, spark: SparkSession) -> None:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "a.csv").symlink_to(put(tmp_path / "elsewhere.txt", HEADER + "1,2\n"))
    assert rows(spark, tmp_path) == [("1", "2", None)]


@pytest.mark.parametrize("name", ["x" * 5000, "\0"])
def test_a_name_that_no_file_can_have_is_not_there(name: str) -> None:
    assert "there is no file or folder" in refused(None, name)
    assert "There is no input folder" in refused(Path(name))


def test_a_folder_that_would_hide_a_column_is_refused(tmp_path: Path, spark: SparkSession) -> None:
    put(tmp_path / "csv" / "claims" / "Quantity=7" / "a.csv", HEADER + "1,2\n")
    spark.createDataFrame([("1", 2)], "claim_id string, quantity int").write.parquet(
        str(tmp_path / "parquet" / "claims" / "quantity=7")
    )
    for name in ("csv", "parquet"):
        with pytest.raises(InputError, match=r"named [qQ]uantity=…, and the files have a column quantity too"):
            read(spark, found(tmp_path / name))
    put(tmp_path / "other" / "claims" / "lot=7" / "a.csv", HEADER + "1,2\n")
    assert [(row["quantity"], row["lot"]) for row in read(spark, found(tmp_path / "other")).collect()] == [("2", "7")]


def test_a_column_that_only_some_parquet_files_have_does_not_vanish(tmp_path: Path, spark: SparkSession) -> None:
    folder = str(tmp_path / "claims")
    spark.createDataFrame([("1",)], "claim_id string").write.parquet(folder)
    spark.createDataFrame([("2", "h")], "claim_id string, hospital_id string").write.mode("append").parquet(folder)
    raw = read(spark, found(tmp_path))
    assert {(row["claim_id"], row["hospital_id"]) for row in raw.collect()} == {("1", None), ("2", "h")}
    assert CORRUPT not in raw.columns


def test_parquet_files_that_do_not_go_together_are_refused(tmp_path: Path, spark: SparkSession) -> None:
    folder = str(tmp_path / "claims")
    spark.createDataFrame([("1",)], "claim_id string").write.parquet(folder)
    spark.createDataFrame([(1,)], "claim_id int").write.mode("append").parquet(folder)
    with pytest.raises(
        InputError, match=r"claims: the column claim_id is of type .* and of type .*: write it in one type"
    ):
        read(spark, found(tmp_path))


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, spark: SparkSession) -> None:
    put(tmp_path / "claims.parquet", "claim_id\n1\n")
    with pytest.raises(InputError, match=r"claims: .*claims\.parquet cannot be read"):
        read(spark, found(tmp_path))


def test_a_table_that_the_catalog_does_not_have_is_refused(spark: SparkSession) -> None:
    with pytest.raises(InputError, match=r"claims: nobody\.claims cannot be read \(TABLE_OR_VIEW_NOT_FOUND\)"):
        read(spark, Source("claims", "nobody.claims", "table"))
