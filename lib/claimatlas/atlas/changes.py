"""The changes between two published releases, for readers: counts of cells, never a hidden figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from claimatlas.atlas.cells import State
from claimatlas.atlas.reading import PublishedCells, Withdrawal
from claimatlas.errors import InputError

KINDS = ("changed", "newly_shown", "newly_hidden", "added", "removed")
CAUSES = ("program", "claims", "population", "code lists", "geography", "settings")
"""The causes that ``diff`` tells apart."""


@dataclass(frozen=True)
class Change:
    """An indicator's year: how many cells changed in which way."""

    indicator: str
    year: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class History:
    """The published releases beside the one that is shown.

    published: the day of each; withdrawals: those that are not in force; before: the release that the changes count
    from; causes: by ``diff``, none where they were not computed.
    """

    published: Mapping[int, date]
    withdrawals: Mapping[int, Withdrawal]
    before: int | None
    changes: tuple[Change, ...]
    causes: tuple[str, ...] | None


def changes_between(before: PublishedCells, after: PublishedCells) -> tuple[Change, ...]:
    """The number of changed cells by indicator and year.

    A change of status or of the bounds of a hidden value counts too.
    """
    found: dict[tuple[str, int], Counter[str]] = {}
    for indicator in sorted({*before.years_of_indicators, *after.years_of_indicators}):
        old, new = (
            {(cell.year, cell.geo_level, cell.geo_code, cell.split): cell for cell in side.cells_of(indicator)}
            if indicator in side.years_of_indicators
            else {}
            for side in (before, after)
        )
        for key in old.keys() | new.keys():
            first, second = old.get(key), new.get(key)
            kind = None
            if first is None:
                kind = "added"
            elif second is None:
                kind = "removed"
            elif (first.state is State.HIDDEN) != (second.state is State.HIDDEN):
                kind = "newly_hidden" if second.state is State.HIDDEN else "newly_shown"
            elif _told(first) != _told(second):
                kind = "changed"
            if kind:
                found.setdefault((indicator, key[0]), Counter())[kind] += 1
    return tuple(Change(name, year, counts) for (name, year), counts in sorted(found.items()))


def causes_of(record: object, file: str) -> tuple[str, ...]:
    """The causes that a record of ``diff --json`` names, in its order; its counts stay where they are.

    Raises:
        InputError: the file is no such record.
    """
    names = record.get("causes") if isinstance(record, dict) else None
    if not isinstance(names, list):
        raise InputError(f"{file}: this is no record of `claimatlas diff --json`.")
    found = [cause for name in names for cause in str(name).split(" and ")]
    if unknown := [name for name in found if name not in CAUSES]:
        raise InputError(f"{file}: there is no cause {unknown[0]!r}; there are {', '.join(CAUSES)}.")
    return tuple(dict.fromkeys(found))


def _told(cell: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a cell
    return (cell.numerator, cell.denominator, cell.value, cell.status, cell.value_low, cell.value_high)
