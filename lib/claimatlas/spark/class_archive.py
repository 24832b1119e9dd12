"""Java's archive of the classes that a run loads, so that the next Java on this machine takes them as they are.

A good part of a run on little data is Java reading, checking and linking the same 29,000 classes. Java can write them
into a file when it ends, and map that file when it starts. It takes the file only for the same Java, the same class
path and the same JARs, and only if no folder of the class path holds a file. Spark's folder of settings is therefore
left out of the class path, and its settings are given one by one. Where anything differs, Java reads the classes as
ever, without a word.

`claimatlas class-archive` makes the file, beside Delta's JARs. Decision 022.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from claimatlas.spark import jars
from claimatlas.spark.java_start import SUBMIT_ARGUMENTS
from claimatlas.spark.settings import CONF_VARIABLE, LOG_FILE, conf_folder

CLASS_PATH = "spark.driver.extraClassPath"
JARS_SETTING = "spark.jars"

# What the set-up writes there; Java gets both in another way.
_OWN_SETTINGS = {"spark-defaults.conf", LOG_FILE.name}
# Java says nothing about an archive that it cannot take.
_QUIET = "-Xlog:cds=off -Xlog:cds+dynamic=off"
# Spark cuts Java's options there.
_BREAKING = frozenset(" \t\"'\\")


def archive_for(java: str) -> Path:
    """Return where the archive is kept for this version of Java: beside Delta's JARs."""
    return jars.folder_in_use() / f"classes-{java}.jsa"


def is_current(archive: Path, home: Path) -> bool:
    """Say whether the archive was made after the last change of a JAR; Java does not take it otherwise.

    Args:
        archive: The file; it need not be there.
        home: The Spark of the installed `pyspark`.

    Raises:
        InputError: Delta's JARs are not there.
    """
    on_path = (*jars.find(), *(home / "jars").glob("*.jar"))
    if not archive.is_file():
        return False
    made = archive.stat().st_mtime
    return all(path.stat().st_mtime <= made for path in on_path)


def is_possible(home: Path | None, given: Mapping[str, str]) -> bool:
    """Say whether Java's class path can be what an archive asks for.

    Args:
        home: The Spark of the installed `pyspark`.
        given: All settings that Spark is to get.
    """
    if home is None or CLASS_PATH in given or "--driver-class-path" in os.environ.get(SUBMIT_ARGUMENTS, ""):
        return False
    # Somebody's own files there, such as those of a Hive metastore, are for the class path.
    return all(path.name in _OWN_SETTINGS for path in conf_folder(home).glob("*"))


def option_to_take(archive: Path) -> str:
    """Return Java's option that takes the classes of this archive; empty when the archive is not there."""
    if not archive.is_file() or _BREAKING & set(str(archive)):
        return ""
    return f"-XX:SharedArchiveFile={archive} {_QUIET}"


def option_to_make(archive: Path) -> str:
    """Return Java's option that writes this archive when Java ends."""
    return f"-XX:ArchiveClassesAtExit={archive} {_QUIET}"


def on_class_path(given: Mapping[str, str]) -> dict[str, str]:
    """Return the settings with Delta's JARs on the class path, where an archive can have their classes."""
    paths = jars.find()
    own = [path.as_uri() for path in paths]
    others = [jar for jar in given.get(JARS_SETTING, "").split(",") if jar and jar not in own]
    settings = {name: value for name, value in given.items() if name != JARS_SETTING}
    settings[CLASS_PATH] = os.pathsep.join(map(str, paths))
    return {**settings, JARS_SETTING: ",".join(others)} if others else settings


@contextmanager
def without_conf_folder() -> Iterator[None]:
    """Start Java without Spark's folder of settings: what stands there is given one by one."""
    before = os.environ.get(CONF_VARIABLE)
    os.environ[CONF_VARIABLE] = str(jars.folder_in_use() / "no-settings")
    try:
        yield
    finally:
        if before is None:
            del os.environ[CONF_VARIABLE]
        else:
            os.environ[CONF_VARIABLE] = before
