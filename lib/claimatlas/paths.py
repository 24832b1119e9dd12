"""Paths, URIs and names in a catalog: as a user gives them, and as Spark and SQL need them."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from claimatlas.errors import InputError

LITERAL_PATH = {"__globPaths__": "false"}
"""Option of a file reader: take a path with `*`, `?`, `[` or `{` literally, not as a pattern."""

_URI = re.compile(r"^(?:dbfs:|[A-Za-z][A-Za-z0-9+.-]+:/)")


def is_remote(path: str) -> bool:
    """Whether the path is a URI, such as ``s3a://…``, ``abfss://…`` or ``dbfs:/…``: Only Spark can read it.

    It is passed to Spark unchanged.
    """
    return _URI.match(path) is not None


def is_there(path: Path) -> bool:
    """Whether the file or folder exists on this machine; false for a name that no file can have."""
    try:
        return path.exists()
    except OSError:  # A name that is too long, a link to itself.
        return False


def is_made(folder: Path) -> bool:
    """Whether a Delta table has been made in a folder of this machine.

    A run that is killed while it makes a table leaves a log without a commit, and no rows. Rows whose log is gone are a
    table that cannot be read, not one that is still to be made.
    """
    # Commits and checkpoints begin with a version; what is being written begins with a dot.
    return any(folder.glob("_delta_log/[0-9]*")) or any(folder.glob("[!_.]*"))


def schema_of(output: str) -> tuple[str, ...] | None:
    """The catalog and schema that an output names, where no folder has that name; nothing of a folder or a URI."""
    if is_remote(output):
        return None
    parts = catalog_name(output, 2)
    return parts if parts and not is_there(Path(output)) else None


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner reads, in a folder that only its owner gets into.

    Raises:
        InputError: the folder cannot be made.
    """
    make_private(file.parent)
    # Whole or not at all: what a process that was killed left half written would be read as if it were all.
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def make_private(folder: Path) -> None:
    """Make a folder that only its owner gets into, whatever the umask.

    One that belongs to somebody else is left as it is, and so is one where the file system has no permissions.

    Raises:
        InputError: the folder cannot be made.
    """
    try:
        folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The output folder {folder} cannot be written ({error.strerror}).") from None
    if folder.stat().st_uid == os.geteuid():
        with suppress(OSError):
            folder.chmod(stat.S_IRWXU)


# --- Names in SQL: the one way to write a name that a user may have chosen ------------------------

_PART = r"(?:[^\W\d]\w*|`(?:[^`]|``)+`)"
_NAME = re.compile(rf"{_PART}(?:\.{_PART})*")


def quoted(name: str) -> str:
    """The name between backticks, with its own backticks doubled: SQL can only read it as a name.

    Also for ``F.col``, which would take a dot in a sender's column name for a step into a structure.
    """
    return "`{}`".format(name.replace("`", "``"))


def catalog_name(text: str, *parts: int) -> tuple[str, ...] | None:
    """The parts of a name in a catalog, when ``text`` is one of as many parts as one of ``parts``; else nothing.

    Letters, digits and underscores stand as they are; any other name between backticks, as in
    ``main.`health-claims` ``.
    """
    if not _NAME.fullmatch(text):
        return None
    found = re.findall(_PART, text)
    names = tuple(part[1:-1].replace("``", "`") if part.startswith("`") else part for part in found)
    return names if len(names) in parts else None
