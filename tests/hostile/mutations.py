"""What the fuzzer puts into sound input, and how many times: everything follows from a seed, a kind and a number."""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

MUTANTS = int(os.environ.get("CLAIMATLAS_HOSTILE", "250"))
"""How many mutants in all: CLAIMATLAS_HOSTILE=6000 for the long hunt."""
SEED = int(os.environ.get("CLAIMATLAS_HOSTILE_SEED", "1"))
"""Other seeds make other mutants."""

SQL = (
    "'; DROP TABLE claims; --",
    "1 OR 1=1",
    "x` UNION SELECT * FROM delta.`/",
    '") FROM t; DELETE FROM silver.claims WHERE ("',
    "${spark.master}",
    "year IS NULL) OR (true",
    "/* */ NULL",
)
FORMULAS = ("=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1:A9)", '=HYPERLINK("http://x")', "\t=1+1")
PATHS = (
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "file:///etc/passwd",
    "a/../b",
    "~root",
    "C:\\x",
    "//x",
    ".",
    "%2e",
)
MARKUP = ("<script>alert(1)</script>", "{{7*7}}", "{0.__class__}", "%s%n", "\\u0041", "&amp;", "\x1b[2J\x1b[31m")
UNICODE = (
    "é",
    "e\u0301",
    "\u202e12",
    "\u200b",
    "\ufeff",
    "\U0001f600",
    "\u0130",
    "\u017f",
    "\ufffd",
    "\u0085",
    "\u2028",
    "\x00",
    "\x07",
    "\x1c",
    "\x7f",
    "\xa0",
)
NUMBERS = (
    "0",
    "-0",
    "+1",
    "00",
    "007",
    "-1",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "9" * 40,
    "9" * 400,
    "1.0",
    "1.5",
    "1e3",
    "1E400",
    "-1e-400",
    "NaN",
    "nan",
    "inf",
    "-Infinity",
    "0x1F",
    "1_000",
    "1,5",
    "1 000",
    "١٢",
    "１２",
    "²",
    "+-1",
    "1-",
    "1L",
    "1d",
    "--1",
)
DATES = (
    "0000-01-01",
    "0001-01-01",
    "0000-00-00",
    "1582-10-10",
    "1899-12-30",
    "1969-12-31",
    "1970-01-01",
    "2004-12-31",
    "2005-01-01",
    "2022-02-29",
    "2022-02-30",
    "2024-02-29",
    "1900-02-29",
    "2022-13-01",
    "2022-00-10",
    "2022-01-00",
    "2022-1-5",
    "22-01-05",
    "20220105",
    "05/01/2022",
    "2022/01/05",
    "2022-01-05T00:00:00",
    "2022-01-05 00:00:00",
    "2022-01-05Z",
    "+2022-01-05",
    "-2022-01-05",
    "12022-01-05",
    "9999-12-31",
    "10000-01-01",
    "2022-W01-1",
    "2022-001",
    "today",
    "now",
    "epoch",
    "44566",
    "２０２２-01-05",
    "2022\u201101\u201105",
)
WORDS = ("null", "NULL", "None", "N/A", "#N/A", "?", "-", "true", "FALSE", "yes", "No", "T", "f", "m", "F", "Male", "x")
SPACES = ("", " ", "   ", "\t", "\xa0", "\u3000", "\x0b", "\x0c")
TEXTS = (*SQL, *FORMULAS, *PATHS, *MARKUP, *UNICODE, *NUMBERS, *DATES, *WORDS, *SPACES)
"""What may stand in any field."""


def random_of(kind: str, number: int) -> random.Random:
    """The dice of one mutant."""
    return random.Random(f"{SEED} {kind} {number}")


def hostile_text(dice: random.Random) -> str:
    """One of the texts, or two of them, or one within white space, or a long one."""
    text = dice.choice(TEXTS)
    turn = dice.random()
    if turn < 0.15:
        return text + dice.choice(TEXTS)
    if turn < 0.3:
        return dice.choice(SPACES) + text + dice.choice(SPACES)
    if turn < 0.33:
        return (text * dice.randrange(2, 3000))[:4000]
    return text


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail when what is done here takes longer: a hang is a failure too."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
