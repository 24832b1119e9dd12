"""The session of a command, set up for the size of its work, which is known before Spark starts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from claimatlas.ingest.inputs import INPUT_TABLE_NAMES
from claimatlas.paths import is_remote, schema_of
from claimatlas.spark.session import LocalSpark, get_session
from claimatlas.spark.settings import LIGHT_BYTES, LITTLE_BYTES, Work

_INPUTS = ("input", *INPUT_TABLE_NAMES)


def session_for(name: str, arguments: argparse.Namespace, *, work: Work | None = None) -> SparkSession:
    """The session of the command ``name``; ``--java-options`` override the options for the size of its work.

    ``work``: the answer of ``work_of``, where it is known.

    Raises:
        InputError: as ``get_session``.
    """
    options = getattr(arguments, "java_options", None)
    local = LocalSpark(java_options=options, work=work or work_of(arguments))
    return get_session(f"claimatlas {name}", local)


def work_of(arguments: argparse.Namespace) -> Work:
    """How much work the files are that the command reads, silver among them; much where only Spark can tell."""
    given = [str(location) for name in _INPUTS if (location := getattr(arguments, name, None))]
    # An input that is no local path is a catalog table.
    if not all(Path(location).exists() for location in given):
        return Work.MUCH
    found = work_on([*given, str(arguments.output)])
    # Each row of an input is checked and sorted: there code pays that takes long to compile.
    return Work.MUCH if given and found is Work.LIGHT else found


def work_on(locations: Sequence[str]) -> Work:
    """How much work the files at these locations are, for a command that reads tables of the product alone."""
    if any(is_remote(location) or schema_of(location) for location in locations):
        return Work.MUCH
    read = 0
    for size in _sizes(locations):
        read += size
        if read > LIGHT_BYTES:
            return Work.MUCH
    return Work.LITTLE if read <= LITTLE_BYTES else Work.LIGHT


def _sizes(locations: Iterable[str]) -> Iterable[int]:
    """Yield the size of each file at and below these locations, so that the caller can stop early."""
    for location in locations:
        path = Path(location)
        if path.is_file():
            yield path.stat().st_size
        for folder, _, files in os.walk(path):
            for file in files:
                try:
                    yield Path(folder, file).stat().st_size
                except OSError:  # A link to nothing, or gone meanwhile: not read either.
                    continue
