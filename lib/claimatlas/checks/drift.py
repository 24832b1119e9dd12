"""Measure how far the national values move from one year to the next, and from one run to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from claimatlas.cells.status import NOT_COMPUTABLE, PROVISIONAL
from claimatlas.checks.findings import DRIFT, Finding, Subject
from claimatlas.configuration.settings import Checks


@dataclass(frozen=True)
class NationalValue:
    """A published value of the country; null when it is not computable or has no denominator.

    ``has_members``: whether the denominator is above zero; without a value, a stratum of a standardised rate is empty.
    """

    value: float | None
    status: str
    run_id: str
    has_members: bool = False


NOT_PUBLISHED = "not_published"
_WITHOUT_VALUE = {NOT_COMPUTABLE: "is not computable", NOT_PUBLISHED: "is not published any more"}

NationalKey = tuple[str, str, int]
"""Indicator, code of the country, year."""
National = Mapping[NationalKey, NationalValue]


def judge_drift(now: National, earlier: National, years: Sequence[int], bounds: Checks) -> Iterator[Finding]:
    """Compare each value of ``years`` with the year before, and with ``earlier``: the same years by an earlier run.

    There is no finding without an earlier value, nor where neither value is computable.
    """
    for key, value in sorted(now.items()):
        indicator, country, year = key
        if year not in years:
            continue
        before = now.get((indicator, country, year - 1))
        if before is not None:
            yield from _judge(key, value, before, str(year - 1), bounds.largest_drift_between_years)
        replaced = earlier.get(key)
        if replaced is not None:
            yield from _judge(key, value, replaced, f"run {replaced.run_id}", bounds.largest_drift_between_runs)
    for key, gone in sorted(earlier.items()):
        if key[2] in years and key not in now:
            unpublished = NationalValue(None, NOT_PUBLISHED, gone.run_id)
            yield from _judge(key, unpublished, gone, f"run {gone.run_id}", bounds.largest_drift_between_runs)


def _judge(
    key: NationalKey, now: NationalValue, before: NationalValue, against: str, bound: float
) -> Iterator[Finding]:
    indicator, country, year = key
    if now.value is None and before.value is None:
        return
    measured = _change(now.value, before.value)
    if before.value is None:
        ok, said = True, f"has a value, {now.value:,.6g}; {against} has none."
    elif now.value is None:
        empty = "has nobody in one of its strata" if now.has_members else "has no denominator"
        why = _WITHOUT_VALUE.get(now.status, empty)
        ok, said = False, f"{why}; the value of {against} is {before.value:,.6g}."
    else:
        ok = measured is not None and abs(measured) <= bound
        moved = "moved from nothing" if measured is None else f"moved by {100 * measured:+.1f} %"
        said = f"{moved} against {against}: from {before.value:,.6g} to {now.value:,.6g}; {100 * bound:g} % is allowed."
    if now.status == PROVISIONAL:
        said += " It is provisional: claims do not reach the end of what it observes."
    subject: Subject = {"indicator_id": indicator, "geo_code": country, "year": year, "against": against}
    subject |= {"before": before.value, "now": now.value}
    yield Finding(DRIFT, subject, measured, bound, ok, f"{indicator} {year} {said}")


def _change(now: float | None, before: float | None) -> float | None:
    """The relative change; null from zero to another value, and where a value is unknown."""
    if now is None or before is None or (before == 0 and now != 0):
        return None
    return 0.0 if before == 0 else now / before - 1
