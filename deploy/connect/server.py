#!/usr/bin/env python3
"""A Spark Connect server with Delta on this machine, reachable over loopback alone.

As a program it starts one, runs a command with `SPARK_REMOTE` set to its address, and ends it again:

    deploy/connect/server.py --memory 4g -- claimatlas run-year --input IN --output OUT --year 2023
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from claimatlas.errors import ClaimatlasError, InputError
from claimatlas.spark import jars
from claimatlas.spark.java import check_java
from claimatlas.spark.session import temporary_folder
from claimatlas.spark.settings import DEFAULT_DRIVER_MEMORY, DELTA, DRIVER_JAVA_OPTIONS, SESSION, local_settings

# As a program it finds the modules beside it, and not the checkout.
sys.path.append(str(Path(__file__).resolve().parents[2]))
from deploy.processes import beside

HOST = "127.0.0.1"
PATIENCE = 120
"""Seconds until the server must be up."""
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
_UP = re.compile(r"Spark Connect server started at: \S+?:(\d+)")
_LOG = f"""\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
logger.server.name = {SERVER}
logger.server.level = info
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d %p %c{{1}}: %m%n
"""


class ServerError(ClaimatlasError):
    """The server did not come up; the message has the end of its log."""


@contextmanager
def connect_server(folder: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """Run a server with these settings of Spark beside its own; gives its address, and ends it afterwards.

    Its log and its settings go into ``folder``.

    Raises:
        InputError: Java or Delta's JARs are missing.
        ServerError: it ended, or was not up in time.
    """
    check_java()
    home = jars.spark_home()
    if home is None:
        raise InputError("There is no Spark in this Python: a server needs pyspark, not only its client.")
    _write_settings(folder / "conf", settings)
    own = {"SPARK_HOME": str(home), "SPARK_CONF_DIR": str(folder / "conf"), "SPARK_LOCAL_IP": HOST}
    # What another Spark may have set, this server's own address for its clients among it.
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK", "PYSPARK"))}
    log = folder / "server.log"
    command = [str(home / "bin" / "spark-submit"), "--class", SERVER, "--name", "claimatlas"]
    with beside(command, {**plain, **own}, log, folder) as process:
        yield f"sc://{HOST}:{_await_port(process, log)}"


def _write_settings(conf: Path, settings: Mapping[str, str]) -> None:
    conf.mkdir(parents=True, exist_ok=True)
    (conf / "log4j2.properties").write_text(_LOG, encoding="utf-8")
    lines = {
        "spark.master": "local[*]",
        "spark.driver.memory": DEFAULT_DRIVER_MEMORY,
        "spark.driver.extraJavaOptions": DRIVER_JAVA_OPTIONS,
        "spark.local.dir": temporary_folder(),
        "spark.jars": ",".join(path.as_uri() for path in jars.find()),
        **DELTA,
        **SESSION,
        **local_settings(),
        **settings,
        "spark.connect.grpc.binding.address": HOST,
        # Any that is free; the log tells which.
        "spark.connect.grpc.binding.port": "0",
    }
    text = "".join(f"{name} {value}\n" for name, value in lines.items())
    (conf / "spark-defaults.conf").write_text(text, encoding="utf-8")


def _await_port(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        text = log.read_text(encoding="utf-8", errors="replace")
        found = _UP.search(text)
        if found:
            return found[1]
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerError(f"The Spark Connect server did not come up; its log ({log}) ends with:\n{text[-2000:]}")
        time.sleep(0.1)


def main() -> int:
    """Start a server, run the command, end the server; gives back the exit code of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--memory", default=DEFAULT_DRIVER_MEMORY, help="of the server (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="for its log (default: a temporary one)")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND ARGUMENT", help="what is run against it")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimatlas-")))
        try:
            settings = {"spark.driver.memory": arguments.memory}
            address = stack.enter_context(connect_server(folder.resolve(), settings))
        except ClaimatlasError as error:
            print(f"server: {error}", file=sys.stderr)
            return error.exit_code
        return subprocess.run(arguments.command, env={**os.environ, "SPARK_REMOTE": address}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
