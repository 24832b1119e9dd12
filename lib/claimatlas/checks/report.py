"""Report the findings as plain data, and as text for an analyst."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from tabulate import tabulate

from claimatlas.checks.checks_stage import Checked
from claimatlas.checks.claims import MONTHS_OF_RUN_OUT
from claimatlas.checks.findings import (
    COMPLETENESS,
    DRIFT,
    INPUT,
    RUN_OUT,
    SUMS,
    UNKNOWN_DOMICILE,
    Finding,
    out_of_bounds,
)
from claimatlas.configuration.settings import Checks

_MAX_SENTENCES = 20
_MARK = "!"
Row = tuple[str, ...]


def as_dict(checked: Checked) -> dict[str, Any]:
    """Every finding as plain data."""
    return {
        "years": list(checked.years),
        "within_bounds": not out_of_bounds(checked.findings),
        "findings": [asdict(finding) for finding in checked.findings],
        "notes": list(checked.notes),
    }


def as_text(checked: Checked, bounds: Checks) -> str:
    """The findings by section, then the verdict. A finding beyond its bound has a ``!`` and a sentence."""
    return "\n".join(_lines(checked, bounds))


def verdict(findings: Sequence[Finding]) -> str:
    """How many figures are beyond their bounds, by check."""
    judged = [finding for finding in findings if finding.bound is not None]
    wrong = Counter(finding.check for finding in out_of_bounds(judged))
    if not wrong:
        return f"Within the bounds: all of {len(judged):,} figures."
    parts = ", ".join(f"{check} {count:,}" for check, count in wrong.items())
    return f"Beyond the bounds: {wrong.total():,} of {len(judged):,} figures ({parts})."


def _lines(checked: Checked, bounds: Checks) -> Iterator[str]:
    sections: dict[str, tuple[str, Callable[[Sequence[Finding]], list[Row]]]] = {
        SUMS: ("Sums across levels and dimensions: every published count must add up", _sums),
        DRIFT: (
            f"Drift of the national values: {100 * bounds.largest_drift_between_years:g} % is allowed against the year "
            f"before, {100 * bounds.largest_drift_between_runs:g} % against the run before",
            _drift,
        ),
        COMPLETENESS: (
            "Claim lines of each month, in % of the mean of the same month in the earlier years: "
            f"{100 * bounds.least_share_of_month:g} is the least",
            _completeness,
        ),
        UNKNOWN_DOMICILE: (f"Unknown domiciles: {100 * bounds.largest_unknown_domicile:g} % is allowed", _domicile),
        INPUT: ("What is odd in the input but kept, in % of those counted: see checks.input in settings.yaml", _input),
        RUN_OUT: (
            "Run-out, in % of the lines with a booking date: "
            f"{100 * bounds.largest_share_after_12_months:g} is allowed after 12 months",
            _run_out,
        ),
    }
    yield f"Checked: {', '.join(map(str, checked.years))}"
    for check, (title, table) in sections.items():
        found = [finding for finding in checked.findings if finding.check == check]
        yield ""
        yield title
        yield from _aligned(table(found)) if found else ["    nothing to judge"]
        wrong = out_of_bounds(found)
        yield from (f"  {_MARK} {finding.sentence}" for finding in wrong[:_MAX_SENTENCES])
        if len(wrong) > _MAX_SENTENCES:
            yield f"  {_MARK} … and {len(wrong) - _MAX_SENTENCES:,} more; --json has all."
    yield ""
    yield from (f"Note: {note}" for note in checked.notes)
    yield verdict(checked.findings)


def _sums(findings: Sequence[Finding]) -> list[Row]:
    rows: list[Row] = [("indicator", "year", "cells compared", "wrong")]
    for key, group in _grouped(findings, "indicator_id", "year"):
        compared = sum(finding.cases or 0 for finding in group)
        wrong = sum(int(finding.measured or 0) for finding in group)
        rows.append((*key, f"{compared:,}", f"{wrong:,}{_mark(group)}"))
    return rows


def _drift(findings: Sequence[Finding]) -> list[Row]:
    rows: list[Row] = [("indicator", "year", "against", "before", "now", "change %")]
    for finding in findings:
        subject = finding.subject
        values = ["-" if subject[name] is None else f"{subject[name]:,.6g}" for name in ("before", "now")]
        change = "-" if finding.measured is None else f"{100 * finding.measured:+.1f}"
        key = (str(subject["indicator_id"]), str(subject["year"]), str(subject["against"]))
        rows.append((*key, *values, change + _mark([finding])))
    return rows


def _completeness(findings: Sequence[Finding]) -> list[Row]:
    rows: list[Row] = [("codes", "year", *calendar.month_abbr[1:])]
    for key, group in _grouped(findings, "group", "year"):
        by_month = {finding.subject["month"]: finding for finding in group}
        shares = [
            f"{100 * (found.measured or 0):.0f}{_mark([found])}" if (found := by_month.get(month)) else "- "
            for month in range(1, 13)
        ]
        rows.append((*key, *shares))
    return rows


def _domicile(findings: Sequence[Finding]) -> list[Row]:
    rows: list[Row] = [("of", "year", "number", "unknown %")]
    for finding in findings:
        key = (str(finding.subject["population"]), str(finding.subject["year"]))
        rows.append((*key, f"{finding.cases or 0:,}", f"{_percent(finding)}{_mark([finding])}"))
    return rows


def _input(findings: Sequence[Finding]) -> list[Row]:
    rows: list[Row] = [("share", "year", "counted", "%")]
    for finding in findings:
        key = (str(finding.subject["share"]), str(finding.subject.get("year", "all")))
        rows.append((*key, f"{finding.cases or 0:,}", f"{_percent(finding)}{_mark([finding])}"))
    return rows


def _run_out(findings: Sequence[Finding]) -> list[Row]:
    later = [f"after_{months}_months" for months in MONTHS_OF_RUN_OUT]
    titles = [f"after {months} months" for months in MONTHS_OF_RUN_OUT]
    rows: list[Row] = [("service", "lines", "no booking date", *titles)]
    for key, group in _grouped(findings, "year"):
        by_share = {finding.subject["share"]: finding for finding in group}
        lines = f"{by_share['without_booking_date'].cases or 0:,}"
        shares = [
            f"{_percent(found)}{_mark([found])}" if (found := by_share.get(name)) else "- "
            for name in ("without_booking_date", *later)
        ]
        rows.append((*key, lines, *shares))
    return rows


def _grouped(findings: Sequence[Finding], *names: str) -> Iterator[tuple[Row, list[Finding]]]:
    """The findings grouped by these parts of their subject, in their order."""
    groups: dict[Row, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(tuple(str(finding.subject[name]) for name in names), []).append(finding)
    yield from groups.items()


def _percent(finding: Finding) -> str:
    return f"{100 * (finding.measured or 0):.2f}"


def _mark(findings: Sequence[Finding]) -> str:
    """The mark after a figure: ``!``, or a blank that keeps the figures of a column aligned."""
    return _MARK if out_of_bounds(findings) else " "


def _aligned(rows: list[Row]) -> Iterator[str]:
    """Columns of text left, columns of figures right; a title stands above the figures, not above their marks."""
    columns = list(zip(*rows[1:], strict=True))
    sides = ["left" if any(text[:1].isalpha() for text in column) else "right" for column in columns]
    marked = [any(text.endswith((" ", _MARK)) for text in column) for column in columns]
    titles = [title + " " * has_marks for title, has_marks in zip(rows[0], marked, strict=True)]
    aligned = tabulate(
        [titles, *rows[1:]], tablefmt="plain", colalign=sides, disable_numparse=True, preserve_whitespace=True
    )
    yield from (f"    {line}".rstrip() for line in aligned.splitlines())
