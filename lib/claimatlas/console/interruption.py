"""Handle Ctrl-C: one line and exit code 130, whatever the program is doing.

It imports almost nothing, because it must work before the long imports.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

INTERRUPTED = 130
"""Exit code after Ctrl-C, as in shells."""
SENTENCE = "Interrupted. Tables that were not yet replaced are as before; run the job again."

_Handler = Callable[[int, FrameType | None], None]


class _State:
    """Whether the command that runs was interrupted."""

    is_interrupted = False


_state = _State()


def is_interrupted() -> bool:
    """Whether the running command was interrupted: later failures are then its consequence."""
    return _state.is_interrupted


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Inside this block Ctrl-C ends the program at once: there is nothing to clean up.

    An exception in the middle of an import would be replaced by another one or show a trace.
    """
    with _handled_by(_end):
        yield


@contextmanager
def ends_in_order(before: Callable[[], None]) -> Iterator[None]:
    """Inside this block Ctrl-C raises ``KeyboardInterrupt``, and a second one ends the program at once.

    Args:
        before: What to do first, as to stop what Spark is doing.
    """
    import logging  # noqa: PLC0415 - see above

    root = logging.getLogger()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if _state.is_interrupted:
            _end(number, frame)
        _state.is_interrupted = True
        # Py4J logs the call that was interrupted, with its trace.
        root.addFilter(_nothing)
        # Under `spark-submit` Java was interrupted too, and may be gone.
        with suppress(Exception):
            before()
        raise KeyboardInterrupt

    _state.is_interrupted = False
    try:
        with _handled_by(interrupt):
            yield
    finally:
        _state.is_interrupted = False
        root.removeFilter(_nothing)


def end_at_once_from_now_on() -> None:
    """Like ``ends_at_once``, for the rest of the program: the result is done, and only Spark is left to stop."""
    with suppress(ValueError):  # Outside of the main thread.
        signal.signal(signal.SIGINT, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    complain = getattr(sys.modules.get("claimatlas.console.messages"), "complain", None)
    # While that import runs, the program shows nothing else either.
    with suppress(Exception):
        if complain is None:
            os.write(2, f"claimatlas: {SENTENCE}\n".encode())
        else:
            complain(SENTENCE, INTERRUPTED)
    # Not by an exception: what it passes through may print it, or lose it. Java ends when this program has ended.
    os._exit(INTERRUPTED)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


@contextmanager
def _handled_by(handler: _Handler) -> Iterator[None]:
    """Let a function handle Ctrl-C, where Python lets it: in the main thread."""
    try:
        found = signal.signal(signal.SIGINT, handler)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, found)
