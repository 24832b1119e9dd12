"""Jobs as a person starts them, with everything they say: one process that holds one Spark, many commands.

A Spark costs seconds to start and more to warm up, so a `Console` runs the product's console command again
and again in one process of its own. That process's standard output and error are files, so what Java
writes is seen too. Run as a program, this file is that process.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = int(os.environ.get("CLAIMATLAS_TEST_PATIENCE", "300"))
"""Seconds until a job that does not answer counts as hanging: ten times what it should take."""

# What is quick for a short life: the first compiler only, with room for all its code.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC"
# What another Spark or Python on the machine may have set.
FOREIGN = ("PYSPARK", "SPARK", "PYTHON", "VIRTUAL_ENV", "CLAIMATLAS_")


@dataclass(frozen=True)
class Said:
    """What a command gave back and wrote."""

    code: int
    out: str
    err: str
    seconds: float = field(compare=False, default=0.0)

    @property
    def messages(self) -> list[str]:
        """What was said of a failure: standard error without the lines of progress."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        return [line for line in lines if not re.match(r"\[ *[\d.]+ s\] ", line)]

    @property
    def everything(self) -> str:
        """Both streams."""
        return self.out + self.err

    def has_trace(self) -> bool:
        """Does a stack trace, of Java or Python, stand anywhere?"""
        return any(sign in self.everything for sign in ("\tat ", "Caused by", "Traceback (most recent"))


def plain_environment(folder: Path, *, with_package: bool, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a plain shell, and a folder of Spark's settings as the set-up leaves one."""
    from claimatlas.spark import jars
    from claimatlas.spark.settings import LOG_FILE

    conf = folder / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    (conf / "log4j2.properties").write_bytes(LOG_FILE.read_bytes())
    lines = {
        "spark.driver.extraJavaOptions": JAVA_OPTIONS,
        "spark.driver.memory": "2g",
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.databricks.delta.snapshotPartitions": "1",
        **(settings or {}),
    }
    text = "".join(f"{name} {value}\n" for name, value in lines.items())
    (conf / "spark-defaults.conf").write_text(text, encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    plain |= {
        "CLAIMATLAS_JARS": str(jars.folder_in_use()),
        "SPARK_CONF_DIR": str(conf),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if with_package:
        plain["PYTHONPATH"] = str(ROOT / "lib")
    return plain


class Console:
    """A process that runs commands of `claimatlas`, one after the other, in one Spark."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        through: Sequence[str] = (),
    ) -> None:
        """Say where the process keeps its files, with settings of Spark and variables of its own.

        It starts with the first command, through another program if one is given.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.settings, self.variables, self.through = settings or {}, variables or {}, through
        self.paths = (folder / "stdout", folder / "stderr")
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process and, by a command that fails, its Spark."""
        settings = {"spark.sql.shuffle.partitions": "1", "spark.default.parallelism": "1", "spark.master": "local[2]"}
        environment = plain_environment(self.folder, with_package=True, settings={**settings, **self.settings})
        answers, answer_to = os.pipe()
        with self.paths[0].open("wb") as out, self.paths[1].open("wb") as err:
            self.process = subprocess.Popen(
                [*self.through, sys.executable, __file__, str(answer_to)],
                env={**environment, **self.variables},
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                pass_fds=[answer_to],
                # Java is in the group too, and can be ended with it.
                start_new_session=True,
                text=True,
            )
        os.close(answer_to)
        self.answers = os.fdopen(answers, encoding="utf-8")
        self.run("run-year", "--output", self.folder / "nothing", "--year", "2022")

    def run(self, *command: object, **settings: str) -> Said:
        """Run `claimatlas COMMAND …`; `settings` are Spark's, with `_` for the dots of their names."""
        if self.process is None:
            self.start()
        assert self.process is not None
        assert self.process.stdin is not None
        before = [path.stat().st_size for path in self.paths]
        start = time.monotonic()
        conf = {name.replace("_", "."): value for name, value in settings.items()}
        request = {"command": [str(part) for part in command], "settings": conf}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        in_time, _, _ = select.select([self.answers], [], [], PATIENCE)
        answer = self.answers.readline() if in_time else ""
        if not answer:
            self.kill()
        assert in_time, f"no answer within {PATIENCE} s: {request['command']}"
        assert answer, "the process ended: " + self.paths[1].read_text(encoding="utf-8")[-2000:]
        texts = []
        for path, size in zip(self.paths, before, strict=True):
            with path.open("rb") as file:
                file.seek(size)
                texts.append(file.read().decode())
        return Said(int(answer), *texts, time.monotonic() - start)

    def kill(self) -> None:
        """End a process that hangs; the next command starts another one."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.answers.close()
        self.process = None

    def close(self) -> None:
        """End the process."""
        if self.process is None:
            return
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            self.answers.close()


def submit(
    script: Path,
    arguments: Sequence[object],
    environment: Mapping[str, str],
    settings: Mapping[str, str] | None = None,
    **options: str,
) -> Said:
    """Run a script by this environment's `spark-submit`, with Delta's JARs, Spark's `settings` and further options.

    The `spark-submit` of the set-up has its own folder of settings, whatever the environment says.

    Spark hands on what a Python program writes to both streams as standard output.
    """
    from claimatlas.spark import jars

    program = Path(sys.executable).parent / "spark-submit"
    if not program.is_file():
        home = jars.spark_home()
        assert home is not None, "no spark-submit"
        program = home / "bin" / "spark-submit"
    options = {"jars": ",".join(path.as_uri() for path in jars.find()), **options}
    flags = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]
    flags += [text for name, value in (settings or {}).items() for text in ("--conf", f"{name}={value}")]
    command = [str(program), *flags, str(script), *map(str, arguments)]
    return _run(command, environment, Path(environment["SPARK_CONF_DIR"]))


def program(*command: object) -> list[str]:
    """What starts a command of `claimatlas` in a process of its own, as users do."""
    start = "import sys; from claimatlas.cli import main; raise SystemExit(main(sys.argv[1:]))"
    return [sys.executable, "-c", start, *map(str, command)]


def run_program(command: Sequence[object], environment: Mapping[str, str], folder: Path) -> Said:
    """Run a command of `claimatlas` in a process of its own, in a folder."""
    return _run(program(*command), environment, folder)


def _run(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Said:
    start = time.monotonic()
    done = subprocess.run(
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def _serve(answer_to: int) -> None:
    """Read commands from standard input, run them, answer each with its exit code."""
    from claimatlas.cli import main
    from pyspark.sql import SparkSession

    with os.fdopen(answer_to, "w", encoding="utf-8") as answers:
        for line in sys.stdin:
            request: dict[str, Any] = json.loads(line)
            session = SparkSession.getActiveSession()
            before = {}
            for name, value in request["settings"].items():
                assert session is not None, "settings need a session: run another command first"
                before[name] = session.conf.get(name)
                session.conf.set(name, value)
            try:
                code = main(request["command"])
            except SystemExit as end:  # argparse
                code = int(end.code or 0)
            for name, value in before.items():
                session.conf.set(name, value)
            sys.stdout.flush()
            sys.stderr.flush()
            print(code, file=answers, flush=True)
    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
