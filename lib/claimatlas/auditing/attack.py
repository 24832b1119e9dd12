"""What a reader can work out of the published figures of a year, by the two attacks together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from claimatlas.auditing.algebra import determined
from claimatlas.auditing.bounds import bounds_of
from claimatlas.auditing.figures import Key, Published
from claimatlas.auditing.system import System, system_of


@dataclass(frozen=True)
class Finding:
    """A figure that can be worked out: its place, what it is of, and its bounds.

    kind: small (proved to be 1 to k-1), narrow (fewer than k values, some of them 1 to k-1), full (every member of a
    group has the sensitive outcome).
    """

    kind: str
    of: str
    key: Key
    low: int
    high: int


@dataclass
class Outcome:
    """The findings, and how much was attacked."""

    findings: list[Finding] = field(default_factory=list)
    hidden: int = 0
    determined: int = 0
    programs: int = 0


def attack(found: Published, differences: set[tuple[str, str]], known: set[str], k: int) -> Outcome:
    """Attack the figures of a year; ``known``: counts that are nobody's secret."""
    system = system_of(found, differences)
    rows = [row for row, _ in system.rows]
    fixed = determined(rows, system.size)
    targets = {u for key, u in system.names.items() if key[0] not in found.magnitudes and key[0] not in known}
    targets |= set(system.gaps.values())
    outcome = Outcome(hidden=len(system.names), determined=len(fixed & set(system.names.values())))
    close: dict[int, tuple[int, int]] = {}
    for members, equations in system.parts():
        inside = targets & set(members)
        if inside and equations:
            narrow, runs = bounds_of(members, equations, inside, k - 1)
            close.update(narrow)
            outcome.programs += runs
    outcome.findings = sorted(_judge(found, system, close, k), key=lambda one: (one.key, one.of))
    return outcome


def _judge(found: Published, system: System, close: dict[int, tuple[int, int]], k: int) -> Iterator[Finding]:
    for key, unknown in system.names.items():
        if unknown in close and (kind := _kind(*close[unknown], k)):
            yield Finding(kind, "count", key, *close[unknown])
    for (key, _), unknown in system.gaps.items():
        if unknown in close and (kind := _kind(*close[unknown], k)):
            yield Finding(kind, "difference", key, *close[unknown])
    for upper, lower, side in found.shares:
        if side == "none" or not _is_somebody(found, system, close, lower):
            continue
        unknown = system.gaps.get((upper, lower)) if side == "numerator" else system.names.get(upper)
        if unknown is not None and close.get(unknown, (1, 1))[1] == 0:
            yield Finding("full", side, upper, 0, 0)


def _is_somebody(found: Published, system: System, close: dict[int, tuple[int, int]], key: Key) -> bool:
    """Whether a reader knows that a group is not empty."""
    value = found.values[key]
    return value > 0 if value is not None else close.get(system.names[key], (0, 0))[0] > 0


def _kind(low: int, high: int, k: int) -> str | None:
    if 1 <= low and high < k:
        return "small"
    return "narrow" if low < k and high >= 1 else None
