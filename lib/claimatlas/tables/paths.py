"""Paths as Spark must be told them."""

from __future__ import annotations

import re
from pathlib import Path

ONE_PLACE = {"__globPaths__": "false"}
"""For a reader of files: its path is one place, and no pattern of several when it holds `*`, `?`, `[` or `{`."""

_URI = re.compile(r"^(?:dbfs:|[A-Za-z][A-Za-z0-9+.-]+:/)")


def is_remote(path: str) -> bool:
    """Whether the path is a URI, such as ``s3a://…``, ``abfss://…`` or ``dbfs:/…``: Spark alone gets there.

    It is handed to Spark as it was given.
    """
    return _URI.match(path) is not None


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder on this machine; a name that none can have is not there."""
    try:
        return path.exists()
    except OSError:  # A name that is too long, a link to itself.
        return False
