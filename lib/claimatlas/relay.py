"""What another program writes to standard error, said as messages of ours."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

from claimatlas.messages import Event, say

STANDARD_ERROR = 2


@contextmanager
def relayed(source: str) -> Iterator[None]:
    """Let programs that are started in here write their messages to us, also later on.

    For a reader of JSON lines: Java says a line of its own when it starts, and Spark logs its errors.

    Args:
        source: Name of the program, for the field `logger`.
    """
    reading, writing = os.pipe()
    relay = _Relay(source, reading)
    sys.stderr.flush()
    own = os.fdopen(os.dup(STANDARD_ERROR), "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(writing, STANDARD_ERROR)
    os.close(writing)
    # What this process says meanwhile, what it hands on above all, goes where it always goes.
    with redirect_stderr(own):
        relay.start()
        try:
            yield
        finally:
            os.dup2(own.fileno(), STANDARD_ERROR)
    with relay.turn:
        own.close()


class _Relay(threading.Thread):
    """Says each line until the last program that writes has ended, or this one is about to end."""

    def __init__(self, source: str, reading: int) -> None:
        super().__init__(name=f"messages of {source}", daemon=True)
        self.turn = threading.Lock()
        """Who has it may use standard error. Python must not end while a thread does."""
        self._source, self._reading = source, reading
        self._is_over = False
        atexit.register(self._end)

    def run(self) -> None:
        with os.fdopen(self._reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with self.turn:
                    if line.strip() and not self._is_over:
                        say(Event.OTHER, line.rstrip("\n"), {"logger": self._source}, level=logging.WARNING)

    def _end(self) -> None:
        with self.turn:
            self._is_over = True
