"""The review report: what a person must check before the candidate is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from claimatlas.protection.candidate import HIDDEN, Row
from claimatlas.protection.ledger import CellKey, ShownBefore, key_of_row, shown_before
from claimatlas.protection.run import YearResult, counts_of

_LARGEST = 10
_COUNTS = ("numerator", "denominator")


def review(output: str, release: int, results: Sequence[YearResult], dimensions: Sequence[str]) -> dict[str, Any]:
    """Hidden cells by indicator and level, what is newly hidden or shown since the ledger, and the largest changes.

    ``dimensions``: those that are declared.
    """
    rows = [row for result in results for row in result.rows]
    before = shown_before(output, release, dimensions, [result.year for result in results])
    keys = [key_of_row(row, dimensions) for row in rows]
    hidden_now = [key for key, row in zip(keys, rows, strict=True) if key in before and _hides(row, before[key])]
    newly_shown = [key for key, row in zip(keys, rows, strict=True) if before and _shows_more(row, before.get(key))]
    return {
        "release": release,
        "years": [result.year for result in results],
        "cells": counts_of(rows),
        "figures_sensitive": sum(result.sensitive for result in results),
        "figures_shown_again": sum(result.shown_again for result in results),
        "figures_repaired": sum(result.repaired for result in results),
        "newly_hidden": [
            {"cell": "/".join(map(str, key)), "known_from_release": before[key].release} for key in hidden_now
        ],
        "newly_shown": len(newly_shown),
        "largest_changes": _changes(dict(zip(keys, rows, strict=True)), before),
        "as_published": {str(result.year): result.as_in for result in results if result.as_in is not None},
        "warnings": [*_warnings(rows), *(note for result in results for note in result.notes)],
    }


def _hides(row: Row, before: ShownBefore) -> bool:
    """Whether something is hidden that readers saw: of many hidden cells they see the denominator all along."""
    is_gone = any(getattr(before, name) is not None and row[name] is None for name in _COUNTS)
    return is_gone or (before.was_free and row["confidentiality"] == HIDDEN)


def _shows_more(row: Row, before: ShownBefore | None) -> bool:
    """Whether something is shown that readers did not see."""
    former = before or ShownBefore()
    is_new = any(getattr(former, name) is None and row[name] is not None for name in _COUNTS)
    return is_new or (row["confidentiality"] != HIDDEN and not former.was_free)


def _changes(rows: Mapping[CellKey, Row], before: Mapping[CellKey, ShownBefore]) -> list[dict[str, Any]]:
    """The shown cells whose numerator moved most since it was last shown."""
    found = []
    for key, row in rows.items():
        former = before.get(key)
        if former is None or former.numerator is None or row["numerator"] is None:
            continue
        change = row["numerator"] - former.numerator
        if change:
            found.append({"cell": "/".join(map(str, key)), "from": former.numerator, "change": change})
    return sorted(found, key=lambda one: (-abs(one["change"]), one["cell"]))[:_LARGEST]


def _warnings(rows: Sequence[Row]) -> list[str]:
    provisional = sorted({f"{row['indicator_id']} {row['year']}" for row in rows if row["status"] == "provisional"})
    lacking = sorted({f"{row['indicator_id']} {row['year']}" for row in rows if row["status"] == "not_computable"})
    return [*(f"{name} is provisional" for name in provisional), *(f"{name} is not computable" for name in lacking)]
