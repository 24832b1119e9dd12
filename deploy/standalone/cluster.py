#!/usr/bin/env python3
"""A standalone Spark cluster on this machine: a master and workers, reachable over loopback alone.

As a program it starts one, submits a job to it, and ends it again:

    deploy/standalone/cluster.py --workers 2 --cores 1 --memory 3g -- jobs/run_year.py --input IN --output OUT

The arguments after ``--`` go to ``spark-submit`` as they are.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

# As a program it finds the modules beside it, and not the checkout.
sys.path.append(str(Path(__file__).resolve().parents[2]))
from deploy.processes import beside

HOST = "127.0.0.1"
PATIENCE = 120
"""Seconds until the master must have seen every worker."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster: its address for ``--master``, and its processes."""

    address: str
    master: subprocess.Popen[bytes]
    workers: tuple[subprocess.Popen[bytes], ...]
    folder: Path


class ClusterError(Exception):
    """The cluster did not come up; the message says where its log is."""


@contextmanager
def standalone_cluster(workers: int, cores: int, memory: str, folder: Path) -> Iterator[Cluster]:
    """Run a master and ``workers`` workers of ``cores`` cores and ``memory`` each; end them afterwards.

    Logs, and the work of the executors, go below ``folder``.

    Raises:
        ClusterError: a process ended, or not every worker was there in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address = f"spark://{HOST}:{_free_port()}"
    with ExitStack() as stack:
        port = address.rpartition(":")[2]
        master = stack.enter_context(
            _process(["master.Master", "--host", HOST, "--port", port, "--webui-port", "0"], folder / "master.log")
        )
        started = [stack.enter_context(_worker(number, cores, memory, folder, address)) for number in range(workers)]
        cluster = Cluster(address, master, tuple(started), folder)
        _await_workers(cluster)
        yield cluster


def spark_command(name: str) -> str:
    """A command of the Spark that this Python has: ``spark-class``, ``spark-submit``."""
    return str(_spark_home() / "bin" / name)


def environment() -> dict[str, str]:
    """The variables of the cluster's processes: this Python, loopback, and a log that says who is there."""
    own = {"SPARK_HOME": str(_spark_home()), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": HOST}
    return {**os.environ, **own}


def _spark_home() -> Path:
    import pyspark  # noqa: PLC0415 - the program's help needs none

    return Path(pyspark.__file__).parent


def _worker(
    number: int, cores: int, memory: str, folder: Path, address: str
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    command = ["worker.Worker", "--host", HOST, "--webui-port", "0", "--cores", str(cores), "--memory", memory]
    command += ["--work-dir", str(folder / f"work-{number}"), address]
    return _process(command, folder / f"worker-{number}.log")


def _process(command: Sequence[str], log: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    settings = log.parent / "conf"
    settings.mkdir(exist_ok=True)
    (settings / "log4j2.properties").write_text(
        "rootLogger.level = info\nrootLogger.appenderRef.stderr.ref = stderr\nappender.stderr.type = Console\n"
        "appender.stderr.name = stderr\nappender.stderr.target = SYSTEM_ERR\n"
        "appender.stderr.layout.type = PatternLayout\nappender.stderr.layout.pattern = %d %p %c{1}: %m%n\n",
        encoding="utf-8",
    )
    submitted = [spark_command("spark-class"), f"org.apache.spark.deploy.{command[0]}", *command[1:]]
    # The executors are in the worker's group.
    return beside(submitted, {**environment(), "SPARK_CONF_DIR": str(settings)}, log)


def _await_workers(cluster: Cluster) -> None:
    deadline = time.monotonic() + PATIENCE
    log = cluster.folder / "master.log"
    while True:
        registered = len(re.findall(r"Registering worker ", log.read_text(encoding="utf-8", errors="replace")))
        if registered >= len(cluster.workers):
            return
        ended = [process for process in (cluster.master, *cluster.workers) if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            raise ClusterError(
                f"{registered} of {len(cluster.workers)} workers came up; the logs are in {cluster.folder}."
            )
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int:
    """Start a cluster, submit to it, end it; gives back the exit code of the submit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1, help="of each worker (default: 1)")
    parser.add_argument("--memory", default="3g", help="of each worker, all of it for its executor (default: 3g)")
    parser.add_argument("--folder", type=Path, help="for logs and shuffled data (default: a temporary one)")
    parser.add_argument("submit", nargs="+", metavar="-- SCRIPT ARGUMENT", help="what goes to spark-submit")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimatlas-")))
        try:
            cluster = stack.enter_context(
                standalone_cluster(arguments.workers, arguments.cores, arguments.memory, folder.resolve())
            )
        except ClusterError as error:
            print(f"cluster: {error}", file=sys.stderr)
            return 1
        command = [spark_command("spark-submit"), "--master", cluster.address, "--deploy-mode", "client"]
        command += ["--executor-cores", str(arguments.cores), "--executor-memory", arguments.memory]
        return subprocess.run([*command, *arguments.submit], env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
