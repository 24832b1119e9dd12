"""Files of the house alone: nobody else reads them, and they are whole or not there."""

import errno
from pathlib import Path

import pytest
from claimatlas.paths import write_private


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "protection" / "one.json"
    for text in ("first é\n", "second\n"):
        write_private(file, text)
        assert file.read_bytes() == text.encode()
        assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in file.parent.iterdir()] == ["one.json"]


def test_the_former_one_stays_where_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "protection" / "one.json"
    write_private(file, "former\n")

    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_private(file, "new\n")
    assert file.read_text(encoding="utf-8") == "former\n"
    assert [one.name for one in file.parent.iterdir()] == ["one.json"]
