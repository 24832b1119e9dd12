"""The size of a folder that is looked at while a program writes and removes in it."""

import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.disk import size_of


def test_what_goes_meanwhile_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stays/a", "goes/b"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes(b"12345")
    # As a file is that goes between the listing and the look.
    (tmp_path / "stays/gone").symlink_to("nowhere")
    look = os.scandir

    def look_too_late(folder: str) -> Any:
        if Path(folder).name == "goes":
            (tmp_path / "goes/b").unlink()
            (tmp_path / "goes").rmdir()
        return look(folder)

    monkeypatch.setattr(os, "scandir", look_too_late)
    assert size_of(tmp_path) == 5
