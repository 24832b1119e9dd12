"""What a run may read and exchange, by Spark's own counts: on skewed input, and never by the clock."""

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from claimatlas.configuration import load_configuration
from comparison import last_record
from integration.console import ROOT, plain_environment, submit

from benchmarks import eventlog
from benchmarks.eventlog import Node, Query, Work, read_event_log, read_work

pytestmark = pytest.mark.long
"""Their one run takes minutes. How many queries a run asks is a test of the second tier: test_small_run.py."""

YEAR = 2023
BENEFICIARIES = 2500
HEAVY_LINES = 50_000
CROWDED = "21004"
"""A municipality that every seventeenth inhabitant is moved to: 6 %."""


@dataclass(frozen=True)
class Observed:
    """A run on skewed input, as Spark logged it."""

    queries: list[Query]
    work: dict[str, Work]
    record: dict[str, Any]
    claim_lines: int
    claim_bytes: int


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    folder = tmp_path_factory.mktemp("budgets")
    source, log = folder / "input", folder / "log"
    log.mkdir()
    logged = {**eventlog.settings(log), "spark.sql.shuffle.partitions": "16"}
    # Several tasks for each reading, as large input has.
    logged |= {"spark.sql.files.maxPartitionBytes": "1m", "spark.sql.files.openCostInBytes": "64k"}
    # As large input has it.
    logged |= {"spark.sql.adaptive.enabled": "true", "spark.default.parallelism": "16"}
    generated = submit(
        ROOT / "jobs" / "generate.py",
        ["--output", source, "--beneficiaries", BENEFICIARIES, "--years", "2022-2024", "--seed", 5],
        plain_environment(folder / "generate", with_package=True),
    )
    assert generated.code == 0, generated.everything
    lines = skew(source)
    size = sum(path.stat().st_size for path in (source / "claims").glob("*.parquet"))
    said = submit(
        ROOT / "jobs" / "run_year.py",
        ["--input", source, "--output", folder / "output", "--year", YEAR],
        plain_environment(folder / "run", with_package=True),
        logged,
    )
    assert said.code == 0, said.everything
    work = read_work(log, "claimatlas/")
    return Observed(read_event_log(log), work, last_record(folder / "output"), lines, size)


def skew(source: Path) -> int:
    """A mother gets tens of thousands of other services, one municipality many inhabitants; gives back the lines."""
    claims = source / "claims"
    first = pa.concat_tables([pq.read_table(path) for path in sorted(claims.glob("part-*.parquet"))])
    lists = load_configuration().code_lists
    codes = [row.code for name in lists if name.startswith("delivery_") for row in lists[name].rows]
    is_delivery = pc.is_in(first["nomenclature_code"], pa.array(codes, first["nomenclature_code"].type))
    mother = first.filter(is_delivery)["beneficiary_id"][0].as_py()
    others = first.filter(pc.invert(is_delivery))
    heavy = pa.concat_tables([others] * (1 + HEAVY_LINES // others.num_rows)).slice(0, HEAVY_LINES)
    columns = {name: heavy[name] for name in heavy.column_names}
    columns["claim_id"] = pa.array([f"heavy-{number}" for number in range(HEAVY_LINES)])
    columns["beneficiary_id"] = pa.array([mother] * HEAVY_LINES)
    pq.write_table(pa.table(columns), claims / "heavy.parquet")
    for path in sorted((source / "population").glob("part-*.parquet")):
        table = pq.read_table(path)
        moved = pa.array([number % 17 == 0 for number in range(table.num_rows)])
        for name in ("municipality_31_december", "municipality_30_june"):
            position = table.schema.get_field_index(name)
            table = table.set_column(position, name, pc.if_else(moved, CROWDED, table[name]))
        pq.write_table(table, path.with_name(f"moved-{path.name}"))  # The old name has a checksum beside it.
        path.unlink()
    return sum(pq.ParquetFile(path).metadata.num_rows for path in claims.glob("*.parquet"))


def of_duplicates(observed: Observed) -> Query:
    """The query that looks for ids which stand more than once: it reads them and nothing else of the raw claims."""
    scans = [(query, scan) for query in observed.queries for scan in query.scans("/input/claims")]
    (found,) = [query for query, scan in scans if not {"service_date", "quantity"} & set(scan.columns)]
    return found


def test_raw_claims_are_read_once_and_their_ids_once_more(observed: Observed) -> None:
    assert sum(len(query.scans("/input/claims")) for query in observed.queries) == 2
    assert of_duplicates(observed)


def readings_of_silver(observed: Observed) -> list[tuple[Query, Node]]:
    """The scans of accepted claims that read more than which year a file is of.

    Rows that an ingest has set aside lie in a partition of their own.
    """
    scans = [(query, scan) for query in observed.queries for scan in query.scans("/silver/claims")]
    return [(query, scan) for query, scan in scans if "isnull(year" not in scan.partitions and scan.columns != ["year"]]


def readings_of_services(observed: Observed) -> list[Query]:
    """The scans of accepted claims that figures are computed from; the others only look at days and people."""
    return [query for query, scan in readings_of_silver(observed) if "quantity" in scan.columns]


def test_silver_claims_are_read_twice(observed: Observed) -> None:
    assert len(readings_of_services(observed)) == 2


def test_silver_claims_are_looked_at_three_times_more_in_few_columns(observed: Observed) -> None:
    """For the days of all lines, for the lines of the codes that were rejected too, for the people of a part of them.

    Whether a scan names the year, which the partition has, is Spark's choice.
    """
    looks = [set(scan.columns) - {"year"} for _, scan in readings_of_silver(observed)]
    looks = [columns for columns in looks if "quantity" not in columns]
    assert sorted(map(sorted, looks)) == [
        ["beneficiary_id", "nomenclature_code"],
        ["nomenclature_code"],
        ["service_date"],
    ]


def test_a_reading_of_silver_passes_over_codes(observed: Observed) -> None:
    """Its rows lie in order of their codes, so that pages without a code that counts are not read."""
    readings = readings_of_services(observed)
    for query in readings:
        filters = [node.text for node in query.plan.walk() if node.name == "Filter"]
        assert any("nomenclature_code" in text for text in filters), query.description
    # Those of deliveries and exams are rare; those of the services around a delivery are the most frequent of all.
    rare, frequent = sorted(query.read_records for query in readings)
    assert 0 < rare < 0.05 * observed.claim_lines
    assert frequent < observed.claim_lines


def test_the_look_for_duplicates_exchanges_twelve_bytes_a_line(observed: Observed) -> None:
    query = of_duplicates(observed)
    assert query.exchanged_records >= observed.claim_lines  # One for each line: an id is not passed over.
    assert query.exchanged_bytes <= 12 * observed.claim_lines


def test_hardly_any_other_claim_is_exchanged(observed: Observed) -> None:
    with_claims = [q for q in observed.queries if q.scans("/input/claims") or q.scans("/silver/claims")]
    # Whether the tables speak of the same people is asked of a part of the people, about as many in a small as in a
    # large year, so that it has no share of the lines.
    of_people = [q for q in with_claims if q.scans("/silver/claims") and _reads(q, "/silver/population")]
    others = [q for q in with_claims if q is not of_duplicates(observed) and q not in of_people]
    assert others
    assert len(of_people) == 1
    assert of_people[0].exchanged_records < 100_000
    assert sum(query.exchanged_bytes for query in others) < 0.05 * observed.claim_bytes
    assert sum(query.exchanged_records for query in others) < 0.05 * observed.claim_lines


def _reads(query: Query, path: str) -> bool:
    """Whether a query reads files of a table; of few rows they are named one by one."""
    return any(path in node.location for node in query.plan.walk())


def test_nothing_is_multiplied_out_and_no_window_has_one_task(observed: Observed) -> None:
    windows = 0
    for query in observed.queries:
        nodes = list(query.plan.walk())
        multiplied = [n.text for n in nodes if n.name in ("CartesianProduct", "BroadcastNestedLoopJoin")]
        assert not multiplied, query.description
        for window in (node for node in nodes if node.name == "Window"):
            windows += 1
            assert not single_partition_below(window), (query.description, window.text[:200])
    assert windows


def single_partition_below(node: Node) -> bool:
    """Whether the rows of a step come through an exchange into one task."""
    for child in node.children:
        if child.name == "Exchange":
            return "SinglePartition" in child.text
        if single_partition_below(child):
            return True
    return False


def test_no_task_has_much_more_than_the_others(observed: Observed) -> None:
    """Neither the beneficiary with most lines nor the crowded municipality falls to a single task.

    Ids are exchanged evenly. Whatever else is exchanged is less than that beneficiary has lines, in whatever task: her
    lines and the inhabitants are sifted or counted before.
    """
    ids = of_duplicates(observed)
    (records,) = [records for records in ids.records_by_stage.values() if sum(records)]
    assert sum(records) >= observed.claim_lines
    assert len(records) > 1
    for query in observed.queries:
        for records in query.records_by_stage.values():
            if sum(records) >= 20_000 and len(records) > 1:
                assert max(records) <= 2 * statistics.median(records), (query.description, records)
    others = [records for query in observed.queries if query is not ids for records in query.records_by_stage.values()]
    assert max(map(sum, others)) < HEAVY_LINES


# --- What the run's record has of it -------------------------------------------------------------------

STAGES = ("ingest", "reading", "deliveries", "indicators")
SUMS = {
    "input_bytes": ("Input Metrics: Bytes Read",),
    "input_rows": ("Input Metrics: Records Read",),
    "output_bytes": ("Output Metrics: Bytes Written",),
    "output_rows": ("Output Metrics: Records Written",),
    "shuffle_read_bytes": ("Shuffle Read Metrics: Remote Bytes Read", "Shuffle Read Metrics: Local Bytes Read"),
    "shuffle_write_bytes": ("Shuffle Write Metrics: Shuffle Bytes Written",),
    "spilled_memory_bytes": ("Memory Bytes Spilled",),
    "spilled_disk_bytes": ("Disk Bytes Spilled",),
}
SECONDS = {
    "executor_run_seconds": ("Executor Run Time", 1e-3),
    "executor_cpu_seconds": ("Executor CPU Time", 1e-9),
    "garbage_collection_seconds": ("JVM GC Time", 1e-3),
}


def logged(work: Work) -> dict[str, float]:
    """The work of a stage of ours in the record's names, from the event log."""
    counts = {"jobs": work.jobs, "stages": len(work.stages), "tasks": work.tasks, "failed_tasks": 0}
    counts |= {name: sum(work.sums[theirs] for theirs in parts) for name, parts in SUMS.items()}
    seconds = {name: round(work.sums[theirs] * unit, 3) for name, (theirs, unit) in SECONDS.items()}
    return {**counts, **seconds, "peak_execution_memory_bytes": max(work.peaks.values())}


def test_the_record_has_what_spark_counted(observed: Observed) -> None:
    record = observed.record
    assert record["metrics_notes"] == {}
    assert tuple(record["stage_seconds"]) == tuple(sorted(STAGES))  # JSON with sorted keys
    expected = {stage: logged(observed.work[f"claimatlas/{record['run_id']}/{stage}"]) for stage in STAGES}
    assert record["metrics"] == expected


def test_the_stages_of_the_record_hold_nearly_all_of_the_work(observed: Observed) -> None:
    """What is outside of them finds the silver, notes the run and publishes: no claim line."""
    rows = {tag: work.sums["Input Metrics: Records Read"] for tag, work in observed.work.items()}
    outside = rows.pop("", 0)
    assert observed.record["metrics"]["ingest"]["input_rows"] >= observed.claim_lines
    assert observed.record["metrics"]["ingest"]["shuffle_write_bytes"] > 0
    assert outside < 0.05 * sum(rows.values())
