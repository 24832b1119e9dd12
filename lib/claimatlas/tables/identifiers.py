"""Names in SQL: the one way to write a name that a user may have chosen."""

from __future__ import annotations

import re

_PART = r"(?:[^\W\d]\w*|`(?:[^`]|``)+`)"
_NAME = re.compile(rf"{_PART}(?:\.{_PART})*")


def quoted(name: str) -> str:
    """The name between backticks, one that it holds doubled: it can be nothing but a name.

    Also for ``F.col``, which would take a dot in a sender's column name for a step into a structure.
    """
    return "`{}`".format(name.replace("`", "``"))


def catalog_name(text: str, *parts: int) -> tuple[str, ...] | None:
    """The parts of a name in a catalog, when ``text`` is one of as many parts as one of ``parts``; else nothing.

    Letters, digits and underscores stand as they are; any other name between backticks, as in
    ``main.`health-claims` ``.
    """
    if not _NAME.fullmatch(text):
        return None
    found = re.findall(_PART, text)
    names = tuple(part[1:-1].replace("``", "`") if part.startswith("`") else part for part in found)
    return names if len(names) in parts else None
