"""Work in processes of its own: the order, what is said, failures, and an end of a process or of its parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from claimatlas.errors import ClaimatlasError, InputError
from claimatlas.processes import Workers, results_of

Say = Callable[[str], None]


def square(number: int, say: Say) -> tuple[int, int]:
    say(f"{number} begins")
    time.sleep(0.2 / (number + 1))
    return number * number, os.getpid()


def fail_at_two(number: int, _say: Say) -> int:
    if number == 2:
        raise InputError(f"{number} is wrong.")
    time.sleep(60)
    return number


def be_killed(number: int, _say: Say) -> int:
    if number:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    return number


def wait_long(folder: str, _say: Say) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)


def test_results_are_in_the_order_of_the_pieces() -> None:
    told: list[str] = []
    results = results_of(square, [0, 1, 2, 3], Workers(told.append, 2))
    assert [value for value, _ in results] == [0, 1, 4, 9]
    assert sorted(told) == [f"{number} begins" for number in range(4)]
    assert len({process for _, process in results} | {os.getpid()}) == 5


@pytest.mark.parametrize(("pieces", "processes"), [([3], 2), ([1, 2], 1), ([], 2)])
def test_this_process_works_where_others_gain_nothing(pieces: list[int], processes: int) -> None:
    results = results_of(square, pieces, Workers(processes=processes))
    assert results == [(number * number, os.getpid()) for number in pieces]


def test_a_failure_is_raised_and_ends_the_others() -> None:
    begin = time.monotonic()
    with pytest.raises(InputError, match="2 is wrong") as raised:
        results_of(fail_at_two, [1, 2], Workers(processes=2))
    assert time.monotonic() - begin < 30
    assert "fail_at_two" in raised.value.__notes__[0]


def test_a_process_that_is_killed_is_named() -> None:
    with pytest.raises(ClaimatlasError, match=r"exit code -9.*memory"):
        results_of(be_killed, [0, 1], Workers(processes=2))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_its_parent(end: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C reaches them all, and prints one trace, the parent's; nothing reaches a parent that is killed."""
    code = (
        # A process of the tests that another one started takes no Ctrl-C, nor do those that it starts.
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from claimatlas.processes import Workers, results_of\nfrom test_processes import wait_long\n"
        f"results_of(wait_long, [{str(tmp_path)!r}] * 2, Workers(processes=2))"
    )
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    children = [int(file.name) for file in tmp_path.iterdir()]
    assert len(children) == 2
    if end is signal.SIGINT:
        os.killpg(parent.pid, end)
    else:
        parent.kill()
    _, said = parent.communicate(timeout=30)
    assert said.count("Traceback") == (1 if end is signal.SIGINT else 0)
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{child}").exists() for child in children)
