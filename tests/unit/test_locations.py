"""Which location an output is, and what its tables are called there."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from claimatlas.configuration import load_configuration
from claimatlas.configuration.remote import MemoryFolder
from claimatlas.configuration.snapshot import snapshot
from claimatlas.errors import InputError
from claimatlas.paths import catalog_name, is_remote
from claimatlas.tables.locations import CatalogSchema, LocalFolder, RemoteFolder, _is_left_behind, location_of
from claimatlas.tables.schemas import CLAIMS
from comparison import CONF
from shipped import IMAGING


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("output", LocalFolder),
        ("./main.atlas", LocalFolder),
        ("main.atlas/", LocalFolder),
        ("2023.results", LocalFolder),
        ("results.2023", LocalFolder),
        ("main.atlas.gold", LocalFolder),
        ("my-results.new", LocalFolder),
        ("/data/main.atlas", LocalFolder),
        ("main.atlas", CatalogSchema),
        ("spark_catalog.default", CatalogSchema),
        ("main.`health-claims`", CatalogSchema),
        ("s3a://bucket/output", RemoteFolder),
        ("abfss://box@account.dfs.core.windows.net/output", RemoteFolder),
        ("dbfs:/Volumes/main/atlas/output", RemoteFolder),
        ("gs://main.atlas", RemoteFolder),
        ("hdfs:/output", RemoteFolder),
        ("file:///data/output", RemoteFolder),
    ],
)
def test_what_an_output_is(output: str, kind: type) -> None:
    assert type(location_of(output)) is kind


def test_a_folder_of_that_name_wins(tmp_path: Path) -> None:
    (tmp_path / "main.atlas").mkdir()
    assert type(location_of("main.atlas")) is LocalFolder


@pytest.mark.parametrize("uri", ["s3a://bucket/output", "abfss://b@a.dfs.core.windows.net/o p", "dbfs:/Volumes/m/a/v"])
def test_a_uri_is_passed_on_as_it_is(uri: str) -> None:
    location = location_of(f"{uri}/")
    assert location.root == uri
    assert location.path("silver/claims") == f"{uri}/silver/claims"
    assert location.identifier("silver/claims") == f"delta.`{uri}/silver/claims`"


def test_names_in_a_catalog() -> None:
    location = location_of("main.`health-claims`")
    assert location.identifier(CLAIMS.name) == "`main`.`health-claims`.`silver_claims`"
    assert location.path(IMAGING.name) == "main.health-claims.gold_imaging"
    assert location.called(IMAGING.name) == "gold_imaging"


@pytest.mark.parametrize("output", ["main.atlas", "s3a://bucket/output"])
def test_runs_that_no_lock_keeps_apart_have_their_own_intermediate_results(output: str) -> None:
    first, second = location_of(output), location_of(output)
    assert first.path("silver/claims") == second.path("silver/claims")
    assert first.path("silver/work/indicator_lines") != second.path("silver/work/indicator_lines")
    assert first.path("silver/work/indicator_lines") == first.path("silver/work/indicator_lines")
    start = first.path("silver/work/indicator_lines").removesuffix("indicator_lines")
    assert first.below("again").path("gold/imaging").startswith(start + "again")


def test_a_local_folder_keeps_its_intermediate_results_in_one_place(tmp_path: Path) -> None:
    location = location_of("output")
    assert location.path("silver/work/indicator_lines") == str(
        tmp_path / "output" / "silver" / "work" / "indicator_lines"
    )
    assert location.below("again").path("gold/imaging") == str(tmp_path / "output/silver/work/again/gold/imaging")


def test_old_intermediate_tables_are_known_by_the_time_in_their_name() -> None:
    def name(age: timedelta) -> str:
        return f"{datetime.now(UTC) - age:%Y%m%dt%H%M%S}_0123abcd_indicator_lines"

    assert _is_left_behind(name(timedelta(days=3)))
    assert not _is_left_behind(name(timedelta(hours=40)))
    assert not _is_left_behind("schedule")
    assert not _is_left_behind("")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.b", ("a", "b")),
        ("a.b.c", None),
        ("a", None),
        ("a.1b", None),
        ("a..b", None),
        ("a.b ", None),
        ("a-b.c", None),
        ("`a-b`.c", ("a-b", "c")),
        ("a.`b.c`", ("a", "b.c")),
        ("a.`b``c`", ("a", "b`c")),
        ("a.`b`c`", None),
        ("a.``", None),
        ("a.b; DROP TABLE c", None),
    ],
)
def test_names_of_two_parts(text: str, parts: tuple[str, ...] | None) -> None:
    assert catalog_name(text, 2) == parts


@pytest.mark.parametrize("path", ["output", "/data/a:b", "./s3a", "a.b", "C", "dbfs/output", "a b://c"])
def test_other_texts_are_no_uris(path: str) -> None:
    assert not is_remote(path)


# --- A configuration that Spark read -----------------------------------------------------------------


def in_memory(folder: Path) -> MemoryFolder:
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return MemoryFolder("s3a://bucket/conf", files)


def test_a_configuration_of_a_uri_is_the_same(tmp_path: Path) -> None:
    here = load_configuration(str(CONF))
    there = load_configuration("s3a://bucket/conf", (), lambda _: in_memory(CONF))
    assert there.hashes == here.hashes
    assert snapshot(there) == snapshot(here)
    assert str(there.folder) == "s3a://bucket/conf"


def test_mistakes_in_it_are_named_as_in_a_folder() -> None:
    files = dict(in_memory(CONF).files)
    files["settings.yaml"] = files["settings.yaml"] + b"\nno_such_setting: 1\n"
    with pytest.raises(InputError, match=r"settings\.yaml, line \d+: no_such_setting: unknown key"):
        load_configuration("s3a://bucket/conf", (), lambda uri: MemoryFolder(uri, files))
    with pytest.raises(InputError, match="The configuration folder s3a://bucket/conf has no folder indicators/"):
        load_configuration(
            "s3a://bucket/conf",
            (),
            lambda uri: MemoryFolder(uri, {name: text for name, text in files.items() if "indicators/" not in name}),
        )
    with pytest.raises(InputError, match="The configuration folder s3a://bucket/conf does not exist"):
        load_configuration("s3a://bucket/conf", (), lambda uri: MemoryFolder(uri, {}))


def test_a_table_of_sectors_may_have_a_uri() -> None:
    text = b"sector,municipality,first_year,last_year\n11002A00-,11002,2019,2024\n"
    wanted = "geography.sector_table=s3a://bucket/sectors.csv"
    configuration = load_configuration(
        str(CONF), [wanted], lambda _: MemoryFolder("s3a://bucket", {"sectors.csv": text})
    )
    assert configuration.sector_table is not None
    assert configuration.sector_table.sectors(2022) == {"11002A00-"}


def test_without_a_spark_no_uri_is_read() -> None:
    with pytest.raises(InputError, match="s3a://bucket/conf can only be read with a Spark"):
        load_configuration("s3a://bucket/conf")


def test_files_in_memory_are_read_like_a_folder() -> None:
    folder = MemoryFolder("s3a://bucket/conf", {"a/b/c.txt": "é".encode(), "a/d.txt": b"d", "e": b""})
    assert [(entry.name, entry.is_dir(), entry.is_file()) for entry in folder.iterdir()] == [
        ("a", True, False),
        ("e", False, True),
    ]
    assert [str(entry) for entry in (folder / "a").iterdir()] == ["s3a://bucket/conf/a/b", "s3a://bucket/conf/a/d.txt"]
    assert folder.joinpath("a", "b", "c.txt").read_text() == "é"
    with folder.joinpath("a/d.txt").open() as stream:
        assert stream.read() == "d"
    assert folder.name == "conf"
    with pytest.raises(FileNotFoundError):
        folder.joinpath("a").read_bytes()
