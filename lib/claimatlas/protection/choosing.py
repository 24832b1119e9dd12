"""Chooses what is hidden besides what is sensitive by itself; of small tables the best of several patterns.

A repair takes what is cheapest at its turn, so what the first pattern hides depends on what figures cost. Where few are
hidden for others' sake, it is looked for again with other costs.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from claimatlas.errors import QualityGateError
from claimatlas.protection.audit import Audit, AuditState, Costs
from claimatlas.protection.cleaning import Cleaning
from claimatlas.protection.frames import Mask
from claimatlas.protection.proof import Proof, prove
from claimatlas.protection.quantities import Quantity
from claimatlas.tables.schemas import ALL

FEW, SMALL = 60, 5_000
"""With at most so many figures hidden for others' sake, of so many planned cells, it is looked for further patterns."""
_OTHERS = (Costs(are_alike=True), Costs(are_alike=True, keep_totals=False))
MORE_CELLS, MORE_TIMES = 2, 1.3
"""How many more cells than the fewest a pattern may hide that hides fewer totals: so many, or so many times them."""


@dataclass
class Pattern:
    """What was found on the way to a pattern that is proved, with counts of figures."""

    proof: Proof
    primary: int
    shown_again: int


def choose(audit: Audit, until: float, name: str) -> Pattern:
    """Choose what is hidden besides what is marked, in the audit's measures, and prove it.

    Raises:
        QualityGateError: the audit fails, or has no time left.
    """
    start = audit.state()
    primary = sum(int(hidden.sum()) for hidden in start.hidden.values())
    audit.progress(f"{primary:,} figures are sensitive by themselves")
    pattern = replace(_one_pattern(audit, start, until, name), primary=primary)
    if 0 < _hidden_for_others(audit, start) <= FEW and len(audit.marks.cells) <= SMALL:
        pattern = _best(audit, start, pattern, until, name)
    audit.progress(f"{pattern.shown_again:,} shown again, as no secret needs them hidden")
    return pattern


def _hidden_for_others(audit: Audit, start: AuditState) -> int:
    return sum(int((audit.measures[one].hidden & ~marked).sum()) for one, marked in start.hidden.items())


@dataclass(frozen=True)
class _Candidate:
    """A pattern that is proved. totals: of how many places the total is hidden, by height, the largest place first."""

    pattern: Pattern
    state: AuditState
    cells: int
    totals: tuple[int, ...]


def _best(audit: Audit, start: AuditState, first: Pattern, until: float, name: str) -> Pattern:
    """Look for further patterns with other costs; the audit is left with the best.

    Of those that hide hardly more cells than the fewest, it is the one that hides the fewest totals of places, the
    larger first.

    Raises:
        QualityGateError: there is no time left.
    """
    found = [_candidate(audit, first)]
    for costs in _OTHERS:
        audit.begin_again(start, costs)
        try:
            pattern = _one_pattern(audit, start, until, name)
        except QualityGateError:
            if time.monotonic() > until:
                # The pattern may not depend on how fast a machine is.
                raise
            # These costs lead to no pattern that is proved. The first one is.
            continue
        found.append(_candidate(audit, replace(pattern, primary=first.primary)))
    fewest = min(one.cells for one in found)
    enough = max(fewest + MORE_CELLS, MORE_TIMES * fewest)
    best = min((one for one in found if one.cells <= enough), key=lambda one: (one.totals, one.cells))
    audit.restore(best.state)
    most = max(one.cells for one in found)
    audit.progress(f"{best.cells:,} cells hidden; {len(found)} patterns of {fewest} to {most} were compared")
    return best.pattern


def _candidate(audit: Audit, pattern: Pattern) -> _Candidate:
    hidden = audit.marks.hidden_cells()
    heights: Counter[int] = Counter()
    for quantity, unit, _ in {cell.denominator for cell in hidden if set(cell.split.values()) <= {ALL}}:
        heights[int(audit.measures[quantity].frame.heights[unit])] += 1
    highest = max((int(measure.frame.heights.max(initial=0)) for measure in audit.measures.values()), default=0)
    totals = tuple(heights[height] for height in range(highest, -1, -1))
    return _Candidate(pattern, audit.state(), len(hidden), totals)


def _one_pattern(audit: Audit, start: AuditState, until: float, name: str) -> Pattern:
    """The pattern that the costs of now lead to.

    Raises:
        QualityGateError: the audit fails, or has no time left.
    """
    pattern = _attempt(audit, start.hidden, until, name)
    if pattern.proof.failures and audit.withhold_tied(start.hidden, pattern.proof.failed):
        # What is tied to another table could not be mended: without it the rest may be.
        pattern = _attempt(audit, start.hidden, until, name)
    failures = pattern.proof.failures
    if failures:
        raise QualityGateError(
            f"{name}: {len(failures)} figures follow by linear algebra, so nothing is written: "
            + "; ".join(failures[:5])
            + "."
        )
    if not audit.check_worlds() or time.monotonic() > until:
        raise QualityGateError(_failure(audit, name, time.monotonic() > until))
    return pattern


def _attempt(audit: Audit, marked: Mapping[Quantity, Mask], until: float, name: str) -> Pattern:
    """One search for a pattern; ``marked``: what is hidden for its own sake. What is still open stands in its proof."""
    own = dict(marked)
    at_search = time.monotonic()
    if not audit.protect(until):
        raise QualityGateError(_failure(audit, name, time.monotonic() > until))
    for quantity, measure in audit.measures.items():
        if quantity in audit.withheld:
            # Nothing of it may be shown again: without any figure nothing is proved, as nothing is bounded.
            own[quantity] = measure.hidden.copy()
    at_cleaning = time.monotonic()
    again = Cleaning(audit, own).clean(until)
    at_proof = time.monotonic()
    proof = prove(audit, audit.progress)
    last = Cleaning(audit, own, with_algebra=True)
    if proof.repaired and not proof.failures and last.is_small:
        again += last.clean(until)
        after = prove(audit, audit.progress)
        proof.failures, proof.failed = after.failures, after.failed
    audit.progress(
        f"{at_cleaning - at_search:,.0f} s of search, {at_proof - at_cleaning:,.0f} s of showing again, "
        f"{time.monotonic() - at_proof:,.0f} s of algebra"
    )
    return Pattern(proof, 0, again)


def _failure(audit: Audit, name: str, out_of_time: bool) -> str:
    why = "The programs ran out of their time (budget_seconds)" if out_of_time else "The audit failed"
    places: Counter[str] = Counter()
    for goal in audit.all_goals():
        for unit, _ in zip(*goal.aim.narrow.nonzero(), strict=True) if goal.is_secret else ():
            places[audit.measures[goal.quantity].frame.units[unit].level] += 1
    left = ", ".join(f"{number} at {level or 'no known place'}" for level, number in places.items())
    return f"{name}: {why}: {audit.narrow()} hidden figures could be bounded too closely ({left}). Nothing is written."
