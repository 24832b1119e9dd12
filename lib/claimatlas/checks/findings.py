"""The finding of a check: a measured figure, its bound, and whether it is within."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SUMS, DRIFT, COMPLETENESS, UNKNOWN_DOMICILE, RUN_OUT = "sums", "drift", "completeness", "unknown_domicile", "run_out"
INPUT = "input"
"""The checks, by name."""

Subject = dict[str, str | int | float | None]
"""The subject of a measurement, such as an indicator, a year and a level."""


@dataclass(frozen=True)
class Finding:
    """One measured figure.

    ``measured`` is null when there is no such figure (a change from nothing), ``bound`` when none is set for it;
    ``cases`` is how many cells, lines or people it was measured on. Holds counts only, never a person's data.
    """

    check: str
    subject: Subject
    measured: float | None
    bound: float | None
    ok: bool
    sentence: str
    cases: int | None = None


def out_of_bounds(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are beyond their bound."""
    return [finding for finding in findings if not finding.ok]
