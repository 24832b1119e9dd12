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

    kind: shown (a published figure tells it), small (proved to be 1 to k-1), full (every member of a group has the
    sensitive outcome),
    narrow (fewer than k values, some of them 1 to k-1: a reader cannot tell whether it is sensitive).
    """

    kind: str
    of: str
    key: Key
    low: int
    high: int

    @property
    def is_proof(self) -> bool:
        """Whether the published files alone prove that something sensitive is told."""
        return self.kind != "narrow"


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
    findings = [*_judge(found, system, close, k), *_shown(found, differences, known, k)]
    outcome.findings = sorted(findings, key=lambda one: (one.key, one.of, one.kind))
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
        whole_group = system.gaps.get((upper, lower)) if side == "numerator" else system.names.get(upper)
        if whole_group is not None and close.get(whole_group, (1, 1))[1] == 0:
            yield Finding("full", side, upper, 0, 0)


def _shown(found: Published, differences: set[tuple[str, str]], known: set[str], k: int) -> Iterator[Finding]:
    """What is small and stands there to be read, or follows from two figures that do."""
    for key, value in found.values.items():
        if value is not None and 1 <= value < k and key[0] not in found.magnitudes and key[0] not in known:
            yield Finding("shown", "count", key, value, value)
    watched = {(upper, lower): side for upper, lower, side in found.shares}
    for smaller, larger in found.order:
        part, whole = found.values[smaller], found.values[larger]
        side = watched.get((smaller, larger))
        if part is None or whole is None or (side is None and (larger[0], smaller[0]) not in differences):
            continue
        if 1 <= whole - part < k:
            yield Finding("shown", "difference", smaller, whole - part, whole - part)
        if whole and ((side == "numerator" and part == whole) or (side == "complement" and part == 0)):
            yield Finding("full", side, smaller, part, part)


def _is_somebody(found: Published, system: System, close: dict[int, tuple[int, int]], key: Key) -> bool:
    """Whether a reader knows that a group is not empty."""
    value = found.values[key]
    return value > 0 if value is not None else close.get(system.names[key], (0, 0))[0] > 0


def _kind(low: int, high: int, k: int) -> str | None:
    if low >= 1 and high < k:
        return "small"
    return "narrow" if low < k and high >= 1 else None
