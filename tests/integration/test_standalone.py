"""A standalone cluster on loopback, a master and two workers: the tables of local mode, and nothing left running.

The input and the tables of local mode are those of `submitted`.
"""

import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from claimatlas.spark import jars
from comparison import DELIVERIES, REJECTED, SILVER, content, last_record
from integration.conftest import Run
from integration.console import PATIENCE, ROOT, plain_environment
from shipped import RELEASED

from benchmarks import eventlog
from benchmarks.eventlog import Work, read_work
from deploy.standalone.cluster import environment, spark_command, standalone_cluster

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

GOLD = tuple(table.name for table in RELEASED)
EVERYTHING = (*SILVER, REJECTED, DELIVERIES, *GOLD)
WORKERS = 2


@dataclass(frozen=True)
class Clustered:
    """A run on the cluster: its tables, what Spark logged of it, the workers' folders, the groups of its processes."""

    output: Path
    work: dict[str, Work]
    folder: Path
    groups: tuple[int, ...]


@pytest.fixture(scope="module")
def clustered(submitted: Run, tmp_path_factory: pytest.TempPathFactory) -> Clustered:
    folder = tmp_path_factory.mktemp("standalone")
    output, log = folder / "output", folder / "log"
    log.mkdir()
    settings = {
        **eventlog.settings(log),
        "spark.sql.shuffle.partitions": "4",
        # Else Spark would start with the first executor that is there.
        "spark.scheduler.minRegisteredResourcesRatio": "1",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "60s",
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    with standalone_cluster(WORKERS, 1, "1g", folder / "cluster") as cluster:
        command = [spark_command("spark-submit"), "--master", cluster.address, "--deploy-mode", "client"]
        command += ["--executor-memory", "1g", "--total-executor-cores", str(WORKERS)]
        command += ["--jars", ",".join(path.as_uri() for path in jars.find())]
        command += [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
        command += [str(ROOT / "jobs" / "run_year.py"), "--input", str(submitted.source), "--output", str(output)]
        command += ["--year", *map(str, submitted.years)]
        done = subprocess.run(
            command,
            env={**environment(), **plain_environment(folder / "driver", with_package=True)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        groups = tuple(process.pid for process in (cluster.master, *cluster.workers))
        running = processes(groups)
    assert done.returncode == 0, done.stdout
    # Else a search that finds nothing afterwards would say nothing.
    assert running >= set(groups)
    return Clustered(output, read_work(log, "claimatlas/"), folder / "cluster", groups)


def processes(groups: tuple[int, ...]) -> set[int]:
    """The processes of some groups that still run: the master, the workers and their executors."""
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                # After the program's name, which may hold spaces: its state, its parent, its group.
                state, _, group = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
                if state != "Z" and int(group) in groups:
                    found.add(int(process.name))
    return found


def test_the_tables_are_those_of_local_mode(submitted: Run, clustered: Clustered) -> None:
    expected = content(submitted.output, EVERYTHING)
    assert set(expected) == set(EVERYTHING)
    assert content(clustered.output, EVERYTHING) == expected


def test_the_counts_are_those_of_local_mode(submitted: Run, clustered: Clustered) -> None:
    on_cluster, local = last_record(clustered.output), last_record(submitted.output)
    for name in ("counts", "warnings", "settings", "hashes", "years", "statuses"):
        assert on_cluster[name] == local[name], name


def test_both_workers_worked(clustered: Clustered) -> None:
    record = last_record(clustered.output)
    for stage in ("ingest", "reading", "deliveries", "indicators"):
        tasks = clustered.work[f"claimatlas/{record['run_id']}/{stage}"].executors
        assert set(tasks) == {"0", "1"}, stage
        assert tasks.total() == record["metrics"][stage]["tasks"], stage
    # Each worker ran one of the two: a folder for the application, in it one for the executor.
    executors = [sorted((clustered.folder / f"work-{number}").glob("app-*/*/stderr")) for number in range(WORKERS)]
    assert [len(logs) for logs in executors] == [1, 1]
    assert {logs[0].parent.name for logs in executors} == {"0", "1"}


def test_nothing_of_it_goes_on(clustered: Clustered) -> None:
    deadline = time.monotonic() + 20
    while processes(clustered.groups) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes(clustered.groups) == set()
