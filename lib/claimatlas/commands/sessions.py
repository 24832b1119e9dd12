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
from claimatlas.spark.settings import SMALL_BYTES

_INPUTS = ("input", *INPUT_TABLE_NAMES)


def session_for(name: str, arguments: argparse.Namespace, *, small: bool | None = None) -> SparkSession:
    """The session of the command ``name``; ``--java-options`` override the options for the size of its work.

    ``small``: the answer of ``is_small``, where it is known.

    Raises:
        InputError: as ``get_session``.
    """
    options = getattr(arguments, "java_options", None)
    local = LocalSpark(java_options=options, is_small=is_small(arguments) if small is None else small)
    return get_session(f"claimatlas {name}", local)


def is_small(arguments: argparse.Namespace) -> bool:
    """Whether the files that the command reads are few, silver among them; false where only Spark can tell."""
    given = [str(location) for name in _INPUTS if (location := getattr(arguments, name, None))]
    # An input that is no local path is a catalog table.
    return all(Path(location).exists() for location in given) and are_small([*given, str(arguments.output)])


def are_small(locations: Sequence[str]) -> bool:
    """Whether the files at these locations are few."""
    if any(is_remote(location) or schema_of(location) for location in locations):
        return False
    left = SMALL_BYTES
    for size in _sizes(locations):
        left -= size
        if left < 0:
            return False
    return True


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
