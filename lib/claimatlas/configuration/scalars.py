"""Plain scalars of YAML that its versions 1.1 and 1.2 read differently: 040, 1:30, yes.

PyYAML reads 1.1. Most other readers, and most people, read 1.2: there 040 is 40 and yes is text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime

_OCTAL = r"0o[0-7]+"
_FRACTION = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"

NUMBER_OF_1_2 = re.compile(f"^(?:{_OCTAL}|{_FRACTION})$")
"""What 1.2 reads as a number and 1.1 may read as text."""


def _whole(text: str) -> float:
    try:
        return int(text)
    except ValueError:  # Python reads no number of more than 4300 digits.
        return float(text)


_CORE_SCHEMA: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (re.compile("|~|null|Null|NULL"), lambda _: None),
    (re.compile("true|True|TRUE"), lambda _: True),
    (re.compile("false|False|FALSE"), lambda _: False),
    (re.compile("[-+]?[0-9]+"), _whole),
    (re.compile(f"{_OCTAL}|0x[0-9a-fA-F]+"), lambda text: int(text, 0)),
    (re.compile(_FRACTION), float),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)
"""What 1.2 reads from a plain scalar; text when none fits."""


def disagreement(text: str, value: object) -> str | None:
    """How the two versions differ on a plain scalar, as the end of a sentence; ``None`` when they read the same.

    ``value``: what PyYAML makes of it. A day such as 2005-01-01 is a day to one and its text to the other: either
    becomes the same date.
    """
    one, other = value, _read_by_1_2(text)
    if type(one) is date or _same(one, other):
        return None
    advice = "put it in quotes if it is text"
    if isinstance(one, bool):
        advice += f", or write {_named(one)}"
    elif _is_number(one) or _is_number(other):
        advice += ", or write the number plainly"
    return f"{text[:40]} is {_named(one)} to one reader of YAML and {_named(other)} to another: {advice}"


def _read_by_1_2(text: str) -> object:
    return next((read(text) for pattern, read in _CORE_SCHEMA if pattern.fullmatch(text)), text)


def _same(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return one == other


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _named(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return "a time"
    if isinstance(value, int | float):
        # Python writes no number of more than 4300 digits.
        return str(value) if abs(value) < 10**15 else "a number"
    return "text"
