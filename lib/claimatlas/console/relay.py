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
    """Says each line until the last program that writes has ended, or this one is about to end."""

    def __init__(self, source: str, reading: int) -> None:
        super().__init__(name=f"messages of {source}", daemon=True)
        self.turn = threading.Lock()
        """Who has it may use standard error. Python must not end while a thread does."""
        self._source, self._reading = source, reading
        self._held: list[str] | None = []
        """What was said so far, while it is kept back."""
        self._is_over = False
        self.let_go: Callable[[], None] = lambda: None
        """Gives this process its own streams again: while it holds the others, nobody hears of their end."""
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
        """All that was said by programs that have ended since; what is started from now on is not heard."""
        self.let_go()
        self.join(_SECONDS_TO_END)
        with self.turn:
            return "".join(self._held or ())

    def hand_on(self) -> None:
        """Say what was kept back, and from now on each line as it comes."""
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
        # Whoever runs commands in his own program may have closed the stream of a moment ago.
        with suppress(OSError, ValueError):
            tqdm.write(line.rstrip("\n"), file=sys.stderr)
            sys.stderr.flush()


_relays: list[Relay] = []


@contextmanager
def relayed(source: str) -> Iterator[Relay]:
    """Let programs that are started in here write their messages to us, also later on.

    What they say is kept back until the end of the block, and is not said at all when that fails, unless ``hand_on`` is
    called. Their standard output comes to standard error too: ours holds results alone.

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
    # What this process says meanwhile goes where it always goes.
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
    """Say nothing any more of what other programs write: they are being stopped, and would complain of it."""
    for relay in _relays:
        relay.silence()
