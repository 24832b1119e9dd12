"""One run at a time on an output, and a lock that nobody can leave behind."""

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from claimatlas.errors import ConcurrentRunError, InputError
from claimatlas.runs.lock import LOCK_FILE, exclusive, workspace
from claimatlas.tables.store import Store

HOLDER = """
import sys, time
from claimatlas.runs.lock import exclusive
from claimatlas.tables.store import Store
with exclusive(Store(None, sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def store(folder: Path | str) -> Store:
    return Store(None, str(folder))  # type: ignore[arg-type]


def hold(folder: Path) -> subprocess.Popen[str]:
    """Another process that holds the output until its input ends."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def test_a_second_run_in_the_same_process_is_refused(tmp_path: Path) -> None:
    with exclusive(store(tmp_path)):
        with pytest.raises(ConcurrentRunError) as caught, exclusive(store(tmp_path)):
            pytest.fail("two runs at once")
        assert caught.value.exit_code == 4
        assert str(caught.value) == f"Another run writes to {tmp_path}; wait for its end."
    with exclusive(store(tmp_path)):
        pass


def test_a_second_run_of_another_process_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    other = hold(tmp_path)
    with pytest.raises(ConcurrentRunError), exclusive(store(tmp_path)):
        pytest.fail("two runs at once")
    other.communicate("")
    assert other.returncode == 0
    with exclusive(store(tmp_path)):
        pass


def test_a_process_that_died_leaves_no_lock_behind(tmp_path: Path) -> None:
    other = hold(tmp_path)
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    assert (tmp_path / LOCK_FILE).exists(), "it had no time to remove its file"
    with exclusive(store(tmp_path)):
        pass


def test_the_file_and_an_empty_folder_are_gone_afterwards(tmp_path: Path) -> None:
    root = tmp_path / "new" / "output"
    with exclusive(store(root)):
        assert (root / LOCK_FILE).is_file()
    assert not root.exists()


def test_a_folder_with_tables_stays(tmp_path: Path) -> None:
    with exclusive(store(tmp_path / "output")):
        (tmp_path / "output" / "gold").mkdir()
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["gold"]


def test_it_is_released_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in the run"), exclusive(store(tmp_path)):
        raise ValueError("in the run")
    assert not (tmp_path / LOCK_FILE).exists()
    with exclusive(store(tmp_path)):
        pass


def test_two_names_of_one_folder_are_one_output(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "output")
    with exclusive(store(tmp_path / "output")):
        for name in (f"{tmp_path}/link", f"{tmp_path}/output/", f"{tmp_path}/output/../output"):
            with pytest.raises(ConcurrentRunError), exclusive(store(name)):
                pytest.fail("two runs at once")


def test_other_outputs_are_free(tmp_path: Path) -> None:
    with exclusive(store(tmp_path / "one")), exclusive(store(tmp_path / "two")):
        pass


def test_a_folder_that_cannot_be_made_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"), exclusive(store(tmp_path / "file" / "output")):
        pytest.fail("no folder")


def test_a_file_system_without_locks_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr("claimatlas.runs.lock.fcntl.flock", no_locks)
    with exclusive(store(tmp_path / "output")):
        (tmp_path / "output" / "gold").mkdir()
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["gold"]


def test_a_schema_is_not_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with exclusive(store("main.atlas")), exclusive(store("main.atlas")):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_object_store_is_not_locked() -> None:
    for root in ("s3a://bucket/output", "dbfs:/output", "abfss://c@a.dfs.core.windows.net/output"):
        with exclusive(store(root)), exclusive(store(root)):
            pass
    assert not Path("s3a:").exists()
    assert not Path("dbfs:").exists()


# --- Who gets into silver ------------------------------------------------------------------------


@pytest.fixture(params=[0o000, 0o002, 0o077], ids=oct)
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


@pytest.mark.usefixtures("_umask")
def test_a_new_silver_is_for_its_owner_alone(tmp_path: Path) -> None:
    with workspace(store(tmp_path / "output")):
        assert mode(tmp_path / "output" / "silver") == 0o700
        (tmp_path / "output" / "silver" / "claims").mkdir()
    assert mode(tmp_path / "output" / "silver") == 0o700


def test_a_silver_that_was_open_is_closed(tmp_path: Path) -> None:
    silver = tmp_path / "output" / "silver"
    (silver / "claims").mkdir(parents=True)
    silver.chmod(0o755)
    with workspace(store(tmp_path / "output")):
        assert mode(silver) == 0o700


def test_gold_is_as_the_user_has_it(tmp_path: Path) -> None:
    gold = tmp_path / "output" / "gold"
    gold.mkdir(parents=True)
    gold.chmod(0o750)
    with workspace(store(tmp_path / "output")):
        assert mode(gold) == 0o750


def test_a_run_that_writes_nothing_leaves_no_silver(tmp_path: Path) -> None:
    with workspace(store(tmp_path / "output")):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_silver_that_cannot_be_made_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "silver").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="silver cannot be written"), workspace(store(tmp_path)):
        pytest.fail("no folder")


def test_an_object_store_has_no_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with workspace(store("s3a://bucket/output")):
        pass
    assert list(tmp_path.iterdir()) == []
