"""Tables of a local output are made and written without Spark, and are what Spark makes and writes."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from claimatlas.configuration import load_configuration
from claimatlas.errors import ClaimatlasError
from claimatlas.tables import local_table
from claimatlas.tables.local_table import LocalTable, UnreadableError
from claimatlas.tables.locations import LocalFolder
from claimatlas.tables.schemas import CLAIMS, COMPARISONS, REJECTED, RELEASES, RUNS, Table, deliveries_table
from claimatlas.tables.store import Store
from integration.test_store import CELL
from pyspark.sql import SparkSession
from shipped import IMAGING

pytestmark = pytest.mark.integration

DELIVERIES = deliveries_table(load_configuration())
ORDER = ("year", "geo_level", "geo_code")


class BySpark(LocalFolder):
    """The same folder, with every table left to Spark."""

    def create(self, *_: object) -> bool:
        return False

    def local(self, name: str) -> None:
        return None


@pytest.fixture
def both(spark: SparkSession, tmp_path: Path) -> tuple[Store, Store]:
    return Store(spark, str(tmp_path / "here")), Store(spark, BySpark(str(tmp_path / "spark")))


def actions(store: Store, table: Table, version: int) -> dict[str, Any]:
    text = Path(store.path(table.name), "_delta_log", f"{version:020}.json").read_text(encoding="utf-8")
    return {name: action for line in text.splitlines() for name, action in json.loads(line).items()}


def cells(spark: SparkSession, *changes: dict[str, Any]) -> Any:
    return spark.createDataFrame([{**CELL, **change} for change in changes], IMAGING.schema)


@pytest.mark.parametrize(
    "table", [IMAGING, COMPARISONS, RELEASES, RUNS, CLAIMS, REJECTED, DELIVERIES], ids=lambda table: table.name
)
def test_a_table_is_made_as_spark_makes_it(both: tuple[Store, Store], table: Table) -> None:
    logs = []
    for store in both:
        store.create(table)
        found = actions(store, table, 0)
        metadata = found["metaData"]
        metadata.pop("id"), metadata.pop("createdTime")
        metadata["schemaString"] = json.loads(metadata["schemaString"])
        logs.append((metadata, found["protocol"]))
    assert logs[0] == logs[1]
    assert [column.name for column in both[0].spark.read.format("delta").load(both[0].path(table.name)).schema] == [
        column.name for column in table.columns
    ]


def test_what_is_written_is_what_spark_writes(both: tuple[Store, Store]) -> None:
    found = []
    for store in both:
        store.create(IMAGING)
        rows = cells(store.spark, {}, {"geo_level": "region", "geo_code": "02000"}, {"year": 2023, "numerator": None})
        given = store.replace_years(rows, IMAGING, [2022, 2023], ORDER, {"run_id": "first"})
        assert given.num_rows == 3
        store.replace_years(cells(store.spark, {"value": 50.0}), IMAGING, [2022], ORDER, {"run_id": "second"})
        by_spark = store.spark.read.format("delta").load(store.path(IMAGING.name)).orderBy(*ORDER).collect()
        found.append(
            {
                "rows": [row.asDict() for row in by_spark],
                "read": sorted(map(repr, store.read(IMAGING).collect())) == sorted(map(repr, by_spark)),
                "before": store.read_version(IMAGING, 1).count(),
                "runs": store.runs_by_version(IMAGING),
                "version": store.version(IMAGING),
                "history": store.history(IMAGING)["version"],
                "files": sorted(str(path.parent.name) for path in Path(store.path(IMAGING.name)).rglob("*.parquet")),
                "counts": store.rows_by_year(IMAGING),
            }
        )
    assert found[0] == found[1]
    assert found[0]["runs"] == {1: "first", 2: "second"}
    assert found[0]["counts"] == {2022: 1, 2023: 1}


def test_the_rows_of_many_years_are_handed_over_in_pieces(both: tuple[Store, Store]) -> None:
    years = list(range(2006, 2026))
    for store in both:
        store.create(IMAGING)
        rows = cells(store.spark, *[{"year": year} for year in years])
        store.replace_years(rows, IMAGING, years, ORDER, {})
        assert store.rows_by_year(IMAGING) == dict.fromkeys(years, 1)
        with pytest.raises(Exception, match=r"validation|DELTA_REPLACE_WHERE|break"):
            store.replace_years(cells(store.spark, {"year": 2005}), IMAGING, years, ORDER, {})
        assert store.rows_by_year(IMAGING) == dict.fromkeys(years, 1)


@pytest.mark.parametrize(
    "wrong",
    [{"status": "done"}, {"numerator": -1}, {"ci_low": 26.0}, {"run_id": None}, {"year": 2021}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_row_is_refused_without_quoting_it(both: tuple[Store, Store], wrong: dict[str, Any]) -> None:
    store = both[0]
    store.create(IMAGING)
    with pytest.raises(ClaimatlasError, match="imaging break a constraint") as caught:
        store.replace_years(cells(store.spark, wrong), IMAGING, [2022], ORDER, {})
    assert "01000" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert (store.version(IMAGING), store.read(IMAGING).count()) == (0, 0)


def test_one_row_is_added(both: tuple[Store, Store]) -> None:
    values = (1, "run", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 7, None, 3, "a note")
    rows = []
    for store in both:
        store.create(RELEASES)
        store.append_row(values, RELEASES, {"run_id": "run"})
        rows.append(store.spark.read.format("delta").load(store.path(RELEASES.name)).collect())
    assert rows[0] == rows[1]
    assert both[0].rows(RELEASES)[0]["note"] == "a note"


def test_properties_and_deleted_rows(both: tuple[Store, Store]) -> None:
    found = []
    for store in both:
        store.create(IMAGING)
        store.replace_years(cells(store.spark, {}, {"year": 2023}), IMAGING, [2022, 2023], ORDER, {})
        store.set_properties(IMAGING, {"claimatlas.x": '{"a": 1}'})
        store.delete(IMAGING, "true")
        found.append((store.read(IMAGING).count(), store.properties(IMAGING), store.version(IMAGING)))
    assert found[0][0] == 0
    assert found[0][1]["claimatlas.x"] == '{"a": 1}'
    ours, theirs = (
        {k: v for k, v in properties.items() if k.startswith(("claimatlas", "delta.log", "delta.cons"))}
        for _, properties, _ in found
    )
    assert ours == theirs
    assert found[0][2] == found[1][2]


def test_a_table_whose_features_it_does_not_know_is_left_to_spark(both: tuple[Store, Store]) -> None:
    store = both[0]
    store.create(IMAGING)
    assert store.location.local(IMAGING.name) is not None
    store.set_properties(IMAGING, {"delta.enableDeletionVectors": "true"})
    # By Spark: the package would ask for features that nothing uses.
    assert "variantType" not in actions(store, IMAGING, 1)["protocol"]["writerFeatures"]
    assert store.location.local(IMAGING.name) is None
    store.replace_years(cells(store.spark, {}), IMAGING, [2022], ORDER, {"run_id": "r"})
    assert store.read(IMAGING).count() == 1


def test_without_hard_links_spark_does_it(both: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """A mounted object store has none: two writers there would not exclude each other."""

    def no_link(*_: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", no_link)
    store = both[0]
    store.create(IMAGING)
    assert actions(store, IMAGING, 0)["commitInfo"]["engineInfo"].startswith("Apache-Spark")
    assert store.location.local(IMAGING.name) is None


def test_a_version_that_is_gone_is_said_by_spark(both: tuple[Store, Store]) -> None:
    store = both[0]
    store.create(IMAGING)
    store.replace_years(cells(store.spark, {}), IMAGING, [2022], ORDER, {})
    store.replace_years(cells(store.spark, {"value": 30.0}), IMAGING, [2022], ORDER, {})
    (gone,) = [path for path in Path(store.path(IMAGING.name)).rglob("*.parquet") if path.stem in _removed(store)]
    gone.unlink()
    local = LocalTable(store.path(IMAGING.name))
    with pytest.raises(UnreadableError):
        local.rows(1)
    with pytest.raises(Exception, match=r"FILE_NOT_EXIST|does not exist|FileNotFound"):
        store.arrow(IMAGING, 1)
    assert store.arrow(IMAGING).num_rows == 1


def _removed(store: Store) -> set[str]:
    return {Path(actions(store, IMAGING, 2)["remove"]["path"]).stem}


def test_a_table_is_made_once_only(tmp_path: Path) -> None:
    """Of several programs that make it at once, one does; the others are told."""
    path, made, refused = str(tmp_path / "gold" / "imaging"), [], []

    def make() -> None:
        try:
            made.append(local_table.create(path, IMAGING, {}))
        except FileExistsError:
            refused.append(True)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 7)
    assert sorted(file.name for file in Path(path, "_delta_log").iterdir()) == [local_table.FIRST_COMMIT]


def test_two_writers_at_once_lose_no_row(tmp_path: Path) -> None:
    path = str(tmp_path / "gold" / "releases")
    local_table.create(path, RELEASES, {})
    failed: list[Exception] = []

    def add(number: int) -> None:
        values = (number, "run", datetime(2026, 1, 1, tzinfo=UTC), None, None, None, "")
        try:
            LocalTable(path).append(local_table.as_rows([values], RELEASES), {})
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(LocalTable(path).rows()["release"].to_pylist()) == list(range(8))


def test_many_rows_are_left_to_spark(both: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claimatlas.tables.store.MAX_HELD", 1)
    store = both[0]
    store.create(IMAGING)
    store.replace_years(cells(store.spark, {}, {"year": 2023}), IMAGING, [2022, 2023], ORDER, {})
    assert store._read_by_itself(IMAGING) is None
    assert store.read(IMAGING).count() == 2


def test_rows_of_values_have_the_types_of_the_table() -> None:
    values = (1, "run", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 7, None, 3, "a note")
    rows = local_table.as_rows([values], RELEASES)
    assert rows.schema.field("published_at").type == pa.timestamp("us", "UTC")
    assert rows.num_rows == 1
