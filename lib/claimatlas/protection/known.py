"""Readers' knowledge of a figure that an earlier release showed: its count is near the former one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from claimatlas.protection.audit import Audit
from claimatlas.protection.ledger import CellKey, split_text
from claimatlas.protection.plan import Figure, PlannedCell
from claimatlas.tables.schemas import ALL


def know_what_was_shown(
    audit: Audit,
    cells: Sequence[PlannedCell],
    known: Mapping[CellKey, tuple[int, int | None, int | None]],
    year: int,
    dimensions: Sequence[str],
) -> None:
    """Let the attackers know every figure that a release showed, within the revision bound, or nearer if it is farther.

    A world is then only one in which each such figure stays as near to its former count as readers believe.
    """
    for cell in cells:
        split = split_text([cell.split.get(name, ALL) for name in dimensions])
        before = known.get((cell.indicator, year, cell.level, cell.code, split))
        if before is None:
            continue
        _, numerator, denominator = before
        _know(audit, cell.denominator, denominator)
        if cell.numerator is not None:
            _know(audit, cell.numerator, numerator)


def _know(audit: Audit, figure: Figure, former: int | None) -> None:
    if former is None:
        return
    quantity, unit, split = figure
    now = int(audit.measures[quantity].cells[unit, split])
    rule = audit.publication.revision_bound
    bound = max(rule.count, math.ceil(rule.share * former))
    # Where the count moved further than readers expect, the true world must stay among theirs.
    bound = max(bound, abs(now - former))
    audit.known.setdefault(quantity, {})[unit, split] = (former - bound - now, former + bound - now)
