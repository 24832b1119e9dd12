"""What is on disk."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder; what goes while it looks is passed over."""
    size = 0
    # It passes over folders that go meanwhile, which `rglob` does not.
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size += Path(parent, name).stat().st_size
    return size
