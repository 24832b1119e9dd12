"""``class-archive``: write Java's archive of classes, by a small run whose tables are thrown away."""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from pyspark import SparkContext
from pyspark.sql import SparkSession

from claimatlas.commands import generate, run_year
from claimatlas.commands.guard import guarded
from claimatlas.console.messages import Event, say
from claimatlas.errors import InputError
from claimatlas.spark import class_archive, jars
from claimatlas.spark.java import check_java
from claimatlas.spark.session import LocalSpark, get_session
from claimatlas.spark.settings import Work

DESCRIPTION = (
    "Write Java's archive of the classes that a run loads, beside Delta's JARs. Further commands on this machine take "
    "it and are done sooner. It takes a minute or two, and 200 MB. One that is there is written anew only after an "
    "update of Java, Spark or Delta."
)
EXAMPLE = ""
_SECONDS_TO_WRITE = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command has no options of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    return guarded(_write)


def _write() -> None:
    java = check_java()
    archive = class_archive.archive_for(java)
    home = jars.spark_home()
    if home is None:
        raise InputError("Java's archive of classes is for the Spark of an installed pyspark, and there is none here.")
    if class_archive.is_current(archive, home):
        say(Event.MESSAGE, f"{archive} is there already.")
        return
    with tempfile.TemporaryDirectory(prefix=".classes-", dir=archive.parent) as scratch:
        folder = Path(scratch)
        # Java maps what it finds, without a look at the whole: no half file may have the final name.
        new = folder / archive.name
        _run_on_little(folder, new)
        if not new.is_file():
            raise InputError(
                f"Java {java} wrote no archive of classes: settings of Spark that are your own, in its folder of "
                "settings or as a class path, do not go together with one. Everything works without it."
            )
        size = new.stat().st_size
        new.replace(archive)
    say(Event.MESSAGE, f"{archive}: the classes that a run loads, {size / 1e6:,.0f} MB", {"bytes": size})


def _run_on_little(folder: Path, archive: Path) -> None:
    """Make synthetic claims and a year of indicators in a Java that writes the archive, and wait for its end."""
    get_session("claimatlas class-archive", LocalSpark(work=Work.LITTLE, new_archive=archive))
    raw, output = str(folder / "input"), str(folder / "output")
    _run(generate, "--output", raw, "--beneficiaries", "100", "--years", "2022", "--seed", "1")
    _run(run_year, "--input", raw, "--output", output, "--year", "2022")
    gateway: Any = SparkContext._gateway
    SparkSession.active().stop()
    gateway.shutdown()
    # Java ends when nobody is left to write to it, and writes the archive then.
    gateway.proc.stdin.close()
    gateway.proc.wait(_SECONDS_TO_WRITE)


def _run(command: ModuleType, *given: str) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
        code = command.run(parser.parse_args(given))
    if code:
        raise InputError(f"The small run did not work: {said.getvalue().strip()}")
