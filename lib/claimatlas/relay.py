"""What another program writes to standard error, said as messages of ours."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from claimatlas.messages import Event, say

STANDARD_ERROR = 2


@contextmanager
def relayed(source: str) -> Iterator[None]:
    """Let programs that are started in here write their messages to us, also later on.

    For a reader of JSON lines: Java says a line of its own when it starts, and Spark logs its errors. What this process
    itself writes to standard error meanwhile goes the same way.

    Args:
        source: Name of the program, for the field `logger`.
    """
    reading, writing = os.pipe()
    turn = _Turn()
    atexit.register(turn.end)
    threading.Thread(target=_relay, args=(source, reading, turn), name=f"messages of {source}", daemon=True).start()
    kept = os.dup(STANDARD_ERROR)
    os.dup2(writing, STANDARD_ERROR)
    os.close(writing)
    try:
        yield
    finally:
        os.dup2(kept, STANDARD_ERROR)
        os.close(kept)


class _Turn:
    """Who may still speak: Python must not end while a thread holds its standard error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_over = False

    def say(self, line: str, source: str) -> None:
        with self._lock:
            if not self._is_over:
                say(Event.OTHER, line, {"logger": source}, level=logging.WARNING)

    def end(self) -> None:
        with self._lock:
            self._is_over = True


def _relay(source: str, reading: int, turn: _Turn) -> None:
    """Say each line until the last program that writes has ended."""
    with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.strip():
                turn.say(line.rstrip("\n"), source)
