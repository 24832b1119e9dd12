"""The method `rounded`: which counts are hidden, what the others are rounded to, and what a rounded count can be."""

from __future__ import annotations

BASE = 5
"""Counts are rounded to the nearest multiple."""
HIDDEN_BELOW = 8
"""A count of 1 to one less is hidden: rounded it would be 0 or 5."""


def bounds_of(shown: int) -> tuple[int, int]:
    """The least and the most that a count can be which is shown so: 0 is nobody, as few are hidden."""
    return (shown - BASE // 2, shown + BASE // 2) if shown else (0, 0)
