"""Many small random worlds put together, so that one run of the pipeline judges all of them."""

from collections.abc import Sequence
from typing import Any

from reference.model import Malformed, Tables

_IDS = ("beneficiary_id", "claim_id", "stay_id")


def combine(worlds: Sequence[Tables]) -> Tables:
    """One input of many worlds: ids get their world's number, so that no two worlds meet.

    White space before an id stays before it, and a missing id stays missing.
    """
    combined: Tables = {}
    for number, world in enumerate(worlds):
        for table, rows in world.items():
            combined.setdefault(table, []).extend(_numbered(row, number) for row in rows)
    return combined


def _numbered(row: Any, number: int) -> Any:
    if isinstance(row, Malformed):
        return row
    return {column: _prefixed(text, number) if column in _IDS else text for column, text in row.items()}


def _prefixed(text: str | None, number: int) -> str | None:
    if text is None or not text.strip():
        return text
    start = len(text) - len(text.lstrip())
    return f"{text[:start]}w{number}.{text[start:]}"
