"""Relay the standard streams of another program as messages of ours."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress

from tqdm import tqdm

from claimatlas.console.messages import Event, is_json, say

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2
_SECONDS_TO_END = 5


class Relay(threading.Thread):
    """Repeats each line until the last program that writes has ended, or this one is about to end."""

    def __init__(self, source: str, reading: int) -> None:
        super().__init__(name=f"messages of {source}", daemon=True)
        self.turn = threading.Lock()
        """Held while a thread writes to standard error: Python must not end meanwhile."""
        self._source, self._reading = source, reading
        self._held: list[str] | None = []
        """The lines so far, while they are kept back."""
        self._is_over = False
        self.let_go: Callable[[], None] = lambda: None
        """Gives this process its own streams again. While it holds the writing end, the pipe does not end."""
        atexit.register(self.silence)

    def run(self) -> None:
        """Read until the last writer has ended."""
        with os.fdopen(self._reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with self.turn:
                    if self._held is None:
                        self._say(line)
                    else:
                        self._held.append(line)

    def heard(self) -> str:
        """All lines of the programs that have ended. Programs that start from now on are not relayed."""
        self.let_go()
        self.join(_SECONDS_TO_END)
        with self.turn:
            return "".join(self._held or ())

    def hand_on(self) -> None:
        """Write the lines that were kept back, and from now on each line as it comes."""
        with self.turn:
            for line in self._held or ():
                self._say(line)
            self._held = None

    def silence(self) -> None:
        """Say nothing any more."""
        with self.turn:
            self._is_over = True

    def _say(self, line: str) -> None:
        if not line.strip() or self._is_over:
            return
        if is_json():
            say(Event.OTHER, line.rstrip("\n"), {"logger": self._source}, level=logging.WARNING)
            return
        # A program that runs commands may have closed the stream a moment ago.
        with suppress(OSError, ValueError):
            tqdm.write(line.rstrip("\n"), file=sys.stderr)
            sys.stderr.flush()


_relays: list[Relay] = []


@contextmanager
def relayed(source: str) -> Iterator[Relay]:
    """Relay the messages of programs that start in this block, also after the block has ended.

    Their lines are kept back until the end of the block. If the block fails they are dropped, unless ``hand_on`` is
    called. Their standard output goes to standard error too: ours holds results only.

    Args:
        source: Name of the program, for the field `logger` of JSON lines.
    """
    reading, writing = os.pipe()
    relay = Relay(source, reading)
    _relays.append(relay)
    sys.stdout.flush()
    sys.stderr.flush()
    own_output = os.dup(STANDARD_OUTPUT)
    own = os.fdopen(os.dup(STANDARD_ERROR), "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(writing, STANDARD_ERROR)
    os.dup2(writing, STANDARD_OUTPUT)
    os.close(writing)

    def let_go() -> None:
        os.dup2(own.fileno(), STANDARD_ERROR)
        os.dup2(own_output, STANDARD_OUTPUT)

    relay.let_go = let_go
    # Messages of this process go to the usual stream meanwhile.
    with redirect_stderr(own):
        relay.start()
        try:
            yield relay
        finally:
            let_go()
            os.close(own_output)
    own.close()
    relay.hand_on()


def silence() -> None:
    """Drop all further lines of other programs: they are being stopped, and would complain about it."""
    for relay in _relays:
        relay.silence()
