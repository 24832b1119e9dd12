"""Find missing months of claims: compare each month with the same month of the earlier years."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from claimatlas.checks.findings import COMPLETENESS, Finding, Subject
from claimatlas.configuration.settings import Checks

MonthCounts = Mapping[tuple[int, int], Mapping[str, int]]
"""Lines by code group, for each year and month. Months without any line are left out."""


def judge_completeness(
    counts: MonthCounts, groups: Sequence[str], span: tuple[date, date], years: Sequence[int], bounds: Checks
) -> Iterator[Finding]:
    """Judge each code group in each month of ``years`` that is old enough and has an earlier year.

    ``span``: the first and the last service date. Months before the first one count in no mean. A group with few lines
    in the earlier years is not judged: chance alone may empty its month.
    """
    first, last = span
    for group in groups:
        for year in sorted(set(years)):
            for month in range(1, 13):
                expected = _mean_before(counts, group, first, year, month)
                if expected is None or expected < bounds.least_lines_of_month:
                    continue
                if is_settled(year, month, last, bounds.months_until_settled):
                    lines = counts.get((year, month), {}).get(group, 0)
                    yield _finding(group, (year, month), lines, expected, bounds.least_share_of_month)


def is_settled(year: int, month: int, last: date, months: int) -> bool:
    """Whether claims reach ``months`` months beyond the month's last day."""
    later = year * 12 + month - 1 + months
    day = calendar.monthrange(year, month)[1]
    needed_year, needed_month = later // 12, later % 12 + 1
    return last >= date(needed_year, needed_month, min(day, calendar.monthrange(needed_year, needed_month)[1]))


def _mean_before(counts: MonthCounts, group: str, first: date, year: int, month: int) -> float | None:
    """The mean of the month in the earlier years that the claims hold."""
    held = [before for before in range(first.year, year) if (before, month) >= (first.year, first.month)]
    if not held:
        return None
    return sum(counts.get((before, month), {}).get(group, 0) for before in held) / len(held)


def _finding(group: str, year_and_month: tuple[int, int], lines: int, expected: float, bound: float) -> Finding:
    year, month = year_and_month
    share = lines / expected if expected else 1.0
    sentence = (
        f"{group}, {year}-{month:02}: {lines:,} lines, {100 * share:.1f} % of the mean of this month in the earlier "
        f"years ({expected:,.1f}), where {100 * bound:g} % is the least."
    )
    subject: Subject = {"group": group, "year": year, "month": month}
    return Finding(COMPLETENESS, subject, share, bound, share >= bound, sentence, lines)
