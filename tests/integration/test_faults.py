"""Runs that die or cannot write: a rerun makes the same tables, and what was published stays as it is.

`CLAIMATLAS_KILLS=30` kills that many runs at random moments too, `CLAIMATLAS_RACES=10` starts that many pairs of runs.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from claimatlas.tables.schemas import CLAIMS, RELEASES
from comparison import DELIVERIES, REJECTED, SILVER, content, read, without
from integration.console import PATIENCE, ROOT, Console, plain_environment, program
from integration.inputs import SMALL_CLAIMS, fingerprint, write_small
from shipped import RELEASED

pytestmark = [pytest.mark.integration, pytest.mark.slow]

GOLD = tuple(table.name for table in RELEASED)
EVERYTHING = (*SILVER, REJECTED, DELIVERIES, *GOLD)
KILLS = int(os.environ.get("CLAIMATLAS_KILLS", "0"))
RACES = int(os.environ.get("CLAIMATLAS_RACES", "1"))
MOMENTS = (
    "ingest: reading claims",
    "ingest: reading population",
    "deliveries: forming episodes",
    "indicators: writing gold/imaging",
    "indicators: writing gold/postnatal",
    "indicators: comparing places",
    "indicators: checking what is to be published",
)
"""Lines of progress after each of which a run is killed: before a table of silver, deliveries, gold is written, and
between the last of them and their release."""
KILLED_BY_DEFAULT = "indicators: writing gold/imaging"


class Victim:
    """A run in a process group of its own, which can be killed with its Java."""

    def __init__(self, folder: Path, *command: object) -> None:
        self.said = folder / "victim.log"
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"spark.sql.shuffle.partitions": "1", "spark.master": "local[2]"}
        environment = plain_environment(folder, with_package=True, settings=settings)
        with self.said.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                program(*command),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def says(self, text: str) -> bool:
        """Wait until it says something; false when it ended before."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if text in self.said.read_text(encoding="utf-8"):
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.05)
        raise AssertionError(f"it did not say {text!r} in time: {self.said.read_text(encoding='utf-8')}")

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def run_year(source: Path, output: Path) -> list[object]:
    return ["run-year", "--input", source, "--output", output, "--year", "2022"]


@pytest.fixture(scope="module")
def undisturbed(small_published: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The input, and the output of runs on it that nothing disturbed."""
    return write_small(tmp_path_factory.mktemp("undisturbed") / "input"), small_published


def assert_a_rerun_heals(console: Console, undisturbed: tuple[Path, Path], output: Path) -> None:
    source, expected = undisturbed
    said = console.run(*run_year(source, output))
    assert said.code == 0, said.err
    assert content(output, EVERYTHING) == content(expected, EVERYTHING)
    assert not (output / "silver" / "work").exists()
    assert published(output) == {name: without(read(output, name)) for name in GOLD}


def published(output: Path, *left_out: str) -> dict[str, Any]:
    """The rows of gold as the newest release has them, which is how a reader finds them; some columns left out."""
    (release,) = read(output, RELEASES.name, "*", "release = (SELECT max(release) FROM t)")
    versions = {name: release[f"{name.removeprefix('gold/')}_version"] for name in GOLD}
    return {name: without(read(output, name, version=version), *left_out) for name, version in versions.items()}


@pytest.mark.parametrize(
    "moment", [m if m == KILLED_BY_DEFAULT else pytest.param(m, marks=pytest.mark.long) for m in MOMENTS]
)
def test_killed_while_it_writes(console: Console, undisturbed: tuple[Path, Path], tmp_path: Path, moment: str) -> None:
    victim = Victim(tmp_path / "victim", *run_year(undisturbed[0], tmp_path / "output"))
    assert victim.says(moment)
    time.sleep(0.5)
    victim.kill()
    assert_a_rerun_heals(console, undisturbed, tmp_path / "output")


@pytest.mark.long
@pytest.mark.skipif(not KILLS, reason="only with CLAIMATLAS_KILLS")
def test_killed_at_random(console: Console, undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    chance = random.Random(KILLS)
    start = time.monotonic()
    Victim(tmp_path / "whole", *run_year(undisturbed[0], tmp_path / "whole-output")).process.wait()
    whole = time.monotonic() - start
    while_running = 0
    for number in range(KILLS):
        output = tmp_path / f"output-{number}"
        over_published = chance.random() < 0.5
        if over_published:
            shutil.copytree(undisturbed[1], output)
        victim = Victim(tmp_path / f"victim-{number}", *run_year(undisturbed[0], output))
        time.sleep(chance.uniform(0, whole))
        while_running += victim.process.poll() is None
        victim.kill()
        if over_published:
            assert published(output, "run_id") == published(undisturbed[1], "run_id")
        assert_a_rerun_heals(console, undisturbed, output)
        shutil.rmtree(output)
    print(f"{KILLS} runs killed, {while_running} of them before their end")


@pytest.mark.long
@pytest.mark.skipif(not KILLS, reason="only with CLAIMATLAS_KILLS")
def test_an_addition_killed_at_random(console: Console, undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    """Readers see the figures before the batch or those after it, and the same command again heals."""
    chance = random.Random(KILLS)
    source = tmp_path / "claims.csv"
    source.write_text(f"{SMALL_CLAIMS.splitlines()[0]}\nc99,ann,2022-12-01,424104,1\n", encoding="utf-8")

    def addition(output: Path) -> list[object]:
        return ["run-year", "--add", "--claims", source, "--output", output, "--year", "2022"]

    expected = Path(shutil.copytree(undisturbed[1], tmp_path / "expected"))
    start = time.monotonic()
    Victim(tmp_path / "whole", *addition(expected)).process.wait()
    whole = time.monotonic() - start
    figures = [published(output, "run_id") for output in (undisturbed[1], expected)]
    assert figures[0] != figures[1]
    while_running = 0
    for number in range(KILLS):
        output = Path(shutil.copytree(undisturbed[1], tmp_path / f"output-{number}"))
        victim = Victim(tmp_path / f"victim-{number}", *addition(output))
        time.sleep(chance.uniform(0, whole))
        while_running += victim.process.poll() is None
        victim.kill()
        assert published(output, "run_id") in figures
        said = console.run(*addition(output))
        assert said.code == 0, said.err
        assert content(output, EVERYTHING) == content(expected, EVERYTHING)
        assert published(output, "run_id") == figures[1]
        shutil.rmtree(output)
    print(f"{KILLS} additions killed, {while_running} of them before their end")


@pytest.mark.long
def test_of_two_runs_at_once_one_wins(undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    source, expected = undisturbed
    for number in range(RACES):
        output = tmp_path / f"output-{number}"
        runs = [Victim(tmp_path / f"run-{number}-{name}", *run_year(source, output)) for name in "ab"]
        codes = {run.process.wait(PATIENCE): run for run in runs}
        assert sorted(codes) == [0, 4]
        assert "Another run writes to" in codes[4].said.read_text(encoding="utf-8")
        assert content(output, EVERYTHING) == content(expected, EVERYTHING)
    print(f"{RACES} pairs of runs, one of each won")


@pytest.mark.long
@pytest.mark.parametrize("moment", ["ingest: claims: 10 rows read", "indicators: writing gold/postnatal"])
def test_what_was_published_stays(
    console: Console, undisturbed: tuple[Path, Path], tmp_path: Path, moment: str
) -> None:
    output = Path(shutil.copytree(undisturbed[1], tmp_path / "output"))
    source = write_small(tmp_path / "input")
    claims = source / "claims.csv"
    claims.write_text(SMALL_CLAIMS.replace("c4,bea,2022-05-02", "c4,bea,2021-05-02"), encoding="utf-8")
    victim = Victim(tmp_path / "victim", *run_year(source, output))
    assert victim.says(moment)
    victim.kill()
    assert read(output, RELEASES.name) == read(undisturbed[1], RELEASES.name)
    (release,) = read(output, RELEASES.name)
    for name in GOLD:
        version = release[f"{name.removeprefix('gold/')}_version"]
        assert read(output, name, version=version) == read(undisturbed[1], name)


@pytest.mark.long
def test_killed_while_it_adds(console: Console, small_silver: Path, tmp_path: Path) -> None:
    text = SMALL_CLAIMS.splitlines()[0] + "\nc4,bea,2021-05-02,589013,1\nc99,ann,2022-04-01,101032,1\n"
    delivery = tmp_path / "delivery.csv"
    delivery.write_text(text, encoding="utf-8")

    def addition(output: Path) -> list[object]:
        return ["ingest", "--add", "--claims", delivery, "--output", output]

    output, expected = (Path(shutil.copytree(small_silver, tmp_path / name)) for name in ("output", "expected"))
    assert console.run(*addition(expected)).code == 0
    victim = Victim(tmp_path / "victim", *addition(output))
    assert victim.says("2 new")
    time.sleep(1.5)
    victim.kill()
    said = console.run(*addition(output))
    assert said.code == 0, said.err
    tables = (*SILVER, REJECTED)
    assert content(output, tables) == content(expected, tables)


@pytest.mark.long
def test_an_executor_that_is_killed(undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    from claimatlas.spark import jars

    from deploy.standalone.cluster import environment, spark_command, standalone_cluster

    source, expected = undisturbed
    output = tmp_path / "output"
    with standalone_cluster(2, 1, "1g", tmp_path / "cluster") as cluster:
        plain = plain_environment(tmp_path / "driver", with_package=True)
        command = [spark_command("spark-submit"), "--master", cluster.address, "--deploy-mode", "client"]
        command += ["--executor-memory", "1g", "--jars", ",".join(path.as_uri() for path in jars.find())]
        command += [str(ROOT / "jobs" / "run_year.py"), *map(str, run_year(source, output)[1:])]
        log = tmp_path / "submit.log"
        with log.open("w", encoding="utf-8") as stream:
            job = subprocess.Popen(
                command,
                env={**environment(), **plain},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        try:
            killed = 0
            for moment in ("ingest: reading claims", "deliveries: forming episodes", "indicators: counting deliveries"):
                deadline = time.monotonic() + PATIENCE
                while moment not in log.read_text(encoding="utf-8") and time.monotonic() < deadline:
                    assert job.poll() is None, log.read_text(encoding="utf-8")
                    time.sleep(0.1)
                executors = _executors(cluster.folder)
                assert executors, "no executor"
                os.kill(executors[0], signal.SIGKILL)
                killed += 1
            assert job.wait(PATIENCE) == 0, log.read_text(encoding="utf-8")
        finally:
            job.kill()
    assert killed == 3
    assert content(output, EVERYTHING) == content(expected, EVERYTHING)


def _executors(cluster: Path) -> list[int]:
    """The executors of a cluster: each works in a folder below it."""
    found = []
    for process in Path("/proc").iterdir():
        # Another process may end meanwhile, or be somebody else's.
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().decode(errors="replace") if process.name.isdigit() else ""
            if "CoarseGrainedExecutorBackend" in command and (process / "cwd").readlink().is_relative_to(cluster):
                found.append(int(process.name))
    return found


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of a few megabytes."""
    folder.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.long
def test_a_full_disk_is_said_and_leaves_what_is_there(
    console: Console, small_silver: Path, undisturbed: tuple[Path, Path], tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "3m"):
        output = tmp_path / "disk" / "output"
        shutil.copytree(undisturbed[1], output)
        before = content(output, EVERYTHING)
        (tmp_path / "disk" / "filler").write_bytes(bytes(shutil.disk_usage(tmp_path / "disk").free - 8192))
        said = console.run(*run_year(undisturbed[0], output))
        assert said.code == 1
        assert not said.has_trace()
        assert "No space is left" in said.err
        (tmp_path / "disk" / "filler").unlink()
        assert content(output, GOLD) == {name: before[name] for name in GOLD}
        assert_a_rerun_heals(console, undisturbed, output)


def test_a_damaged_log_of_a_table_is_said(console: Console, undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    output = Path(shutil.copytree(undisturbed[1], tmp_path / "output"))
    newest = max((output / CLAIMS.name / "_delta_log").glob("*.json"))
    newest.write_bytes(b"{broken")
    for checksum in newest.parent.glob("*.crc"):
        checksum.unlink()
    before = fingerprint(output / "gold")
    said = console.run("run-year", "--output", output, "--year", "2022")
    assert said.code == 1
    assert not said.has_trace()
    assert "silver/claims" in said.err
    assert "damaged" in said.err
    assert fingerprint(output / "gold") == before


@pytest.mark.long
def test_an_input_that_vanishes(undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    source = write_small(tmp_path / "input")
    output = Path(shutil.copytree(undisturbed[1], tmp_path / "output"))
    before = content(output, EVERYTHING)
    victim = Victim(tmp_path / "victim", *run_year(source, output))
    assert victim.says("ingest: reading population")
    (source / "claims.csv").unlink()
    assert victim.process.wait(PATIENCE) == 2
    text = victim.said.read_text(encoding="utf-8")
    assert "claims: a file in" in text
    assert "Traceback" not in text
    assert content(output, EVERYTHING) == before
