"""Pieces of work that need nothing of each other, each in a process of its own, as many at once as there are cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from claimatlas.errors import ClaimatlasError

Piece = TypeVar("Piece")
Result = TypeVar("Result")
Progress = Callable[[str], None]
# Not by a fork: it would inherit the locks of the threads that read tables, held for ever.
_CONTEXT = multiprocessing.get_context("spawn")
_SAID, _DONE, _FAILED = "said", "done", "failed"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _nobody(_message: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Workers:
    """Who is told of the progress, by default nobody, and how many processes work at once, by default one a core."""

    progress: Progress = _nobody
    processes: int = field(default_factory=cores)

    def here(self) -> Workers:
        """This process alone: for work that takes less time than a process takes to start."""
        return replace(self, processes=1)


def results_of(work: Callable[[Piece, Progress], Result], pieces: Sequence[Piece], workers: Workers) -> list[Result]:
    """The results of ``work(piece, progress)``, in the order of the pieces.

    ``work`` is a function of a module; the pieces and the results are pickled. With one process, or for one piece, this
    process does the work. What a piece says is passed on as it comes.

    Raises:
        ClaimatlasError: a process ended without a result, as when the system had no memory left.
        Exception: what the first piece to fail raised; the others are ended.
    """
    if min(workers.processes, len(pieces)) <= 1:
        return [work(piece, workers.progress) for piece in pieces]
    results: dict[int, Result] = {}
    waiting = list(enumerate(pieces))
    running: dict[Connection, tuple[int, BaseProcess]] = {}
    with _ended_at_last(running):
        while waiting or running:
            while waiting and len(running) < workers.processes:
                position, piece = waiting.pop(0)
                hears, process = _start(work, piece)
                running[hears] = (position, process)
            ready = set(wait(list(running)))
            for hears in [one for one in running if one in ready]:
                position, process = running[hears]
                kind, value = _heard(hears, process)
                if kind == _SAID:
                    workers.progress(value)
                elif kind == _FAILED:
                    raise value
                else:
                    results[position] = value
                    process.join()
                    del running[hears]
    return [results[position] for position in range(len(pieces))]


def _start(work: Callable[..., Any], piece: object) -> tuple[Connection, BaseProcess]:
    hears, tells = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_child, args=(tells, work, piece), daemon=True)
    process.start()
    tells.close()  # So that the end of the child ends the pipe.
    return hears, process


def _heard(hears: Connection, process: BaseProcess) -> tuple[str, Any]:
    try:
        kind, value = hears.recv()
    except EOFError:
        process.join()
        raise ClaimatlasError(
            f"A process of this command ended without a result (exit code {process.exitcode}); often the machine had "
            "no memory left. Run it again with fewer --processes."
        ) from None
    return kind, value


@contextmanager
def _ended_at_last(running: dict[Connection, tuple[int, BaseProcess]]) -> Iterator[None]:
    """End the processes that still run, also after a failure or Ctrl-C."""
    try:
        yield
    finally:
        for _, process in running.values():
            process.kill()
            process.join()


def _child(tells: Connection, work: Callable[..., Any], piece: object) -> None:
    """What a process does: the work on its piece."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends it, and says one line.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        told = (_DONE, work(piece, lambda text: tells.send((_SAID, text))))
    except Exception as error:  # the parent raises it
        error.add_note(traceback.format_exc())
        told = (_FAILED, error)
    tells.send(told)
    tells.close()


def _end_with_parent() -> None:
    """End this process when its parent has ended, however that was."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
