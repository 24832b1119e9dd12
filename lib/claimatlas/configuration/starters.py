"""Configurations to start from: copies of the one that ships, or of a small one with a comment at each choice."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from claimatlas.configuration.load import shipped_folder
from claimatlas.errors import InputError

STARTERS = ("belgium", "minimal")
EXAMPLES = "examples"
"""The folder of foreign configurations beside that of Belgium: no part of it."""


def write_starter(name: str, folder: Path) -> int:
    """Copy a starter of ``STARTERS`` into a folder that is not there yet, or is empty; give back the number of files.

    Raises:
        InputError: the folder holds something, or cannot be written.
    """
    source = shipped_folder() if name == "belgium" else resources.files(__package__).joinpath("minimal")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"{folder} is there already, and is no empty folder: name another one.")
        written = 0
        for parts, file in _files(source, ()):
            if parts[0] == EXAMPLES:
                continue
            copy = folder.joinpath(*parts)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
            written += 1
    except OSError as error:
        raise InputError(f"{error.filename or folder} cannot be written: {error.strerror}.") from None
    return written


def _files(folder: Traversable, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    """Every file below a folder, with the names that lead to it."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        parts = (*above, entry.name)
        if entry.is_dir():
            yield from _files(entry, parts)
        else:
            yield parts, entry
