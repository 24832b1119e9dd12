"""Pieces of Markdown. All text from outside is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SPECIAL = re.compile(r"[\\`*\[\]<>|&~]|(?<![^\W_])_|_(?![^\W_])")
"""Characters with a meaning within a line; ``_`` between two letters or digits has none."""
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
"""Spaces and ends of lines; a space that does not break is a letter of its language."""
_LEADING = re.compile(r"^(?:[#+=-]|\d+(?=[.)]))")
"""What could start a heading, a list or a rule."""
_BAR = re.compile(r"(?<!\\)\|")
"""What ends a cell of a table, even within code, unless a backslash stands before it."""


def plain(text: str) -> str:
    """A text from outside, to be shown literally and on one line."""
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", _SPACES.sub(" ", text).strip())
    leading = _LEADING.match(escaped)
    if leading is None:
        return escaped
    at = leading.end() if leading[0].isdigit() else 0
    return f"{escaped[:at]}\\{escaped[at:]}"


def code(text: object) -> str:
    """A name or value as it stands in a file."""
    line = " ".join(str(text).split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{line}{space}{fence}"


def link(text: str, target: str) -> str:
    """A link; ``text`` is Markdown."""
    return f"[{text}]({target})"


def row(*cells: object) -> str:
    """A line of a table; its cells are Markdown."""
    escaped = [_BAR.sub(r"\\|", str(cell)) for cell in cells]
    return f"| {' | '.join(escaped)} |"


def blocks(parts: Iterable[str]) -> str:
    """The parts one under the other; empty ones are left out."""
    return "\n\n".join(part for part in parts if part)
