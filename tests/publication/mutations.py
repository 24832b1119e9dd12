"""Mutations of protected tables: one hidden secondary cell is shown with its true value, and two attackers judge it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from publication.country import K
from publication.enumeration import Figure
from publication.exact import exact_bounds
from publication.small_tables import COUNTS, TOWNS, Tables, drawn, figures, place_of, truth

Place = tuple[str, str, str, str, str]
"""What it is of (count, or a gap to a larger count), count, level, code, value."""
Named = dict[Place, tuple[int, int]]
Protect = Callable[[Tables], Sequence[Mapping[str, Any]]]
Attack = Callable[[Sequence[Mapping[str, Any]]], Named]


@dataclass
class Verdicts:
    """How many mutations were judged, how many of them tell something new, and those on which the two differ."""

    judged: int = 0
    broken: int = 0
    differ: int = 0


def judge(number: int, protect: Protect, attack: Attack, seed: int = 0) -> Verdicts:
    """Judge so many mutations of tables drawn one after the other."""
    verdicts = Verdicts()
    while verdicts.judged < number:
        tables = drawn(seed)
        rows = protect(tables)
        before = expected(figures(rows, tables))
        for mutated in mutations(rows, tables):
            if verdicts.judged == number:
                break
            exact = expected(figures(mutated, tables))
            verdicts.judged += 1
            verdicts.broken += bool(set(exact) - set(before))
            verdicts.differ += attack(mutated) != exact
        seed += 1
    return verdicts


def mutations(rows: Sequence[Mapping[str, Any]], tables: Tables) -> Iterator[list[dict[str, Any]]]:
    """The rows with one secondary cell shown, each in turn."""
    for row in rows:
        name, place = row["indicator_id"], place_of(row)
        counts = [truth(tables[one], *place) for one in COUNTS[: COUNTS.index(name) + 1]]
        gaps = [larger - counts[-1] for larger in counts[:-1]]
        if row["numerator"] is not None or any(1 <= value < K for value in (counts[-1], *gaps)):
            continue
        mutated = [dict(one) for one in rows]
        for one in mutated:
            if place_of(one) == place:
                if one["indicator_id"] == name:
                    one["numerator"] = counts[-1]
                if name == COUNTS[0]:
                    one["denominator"] = counts[-1]
        yield mutated


def expected(found: Sequence[Figure]) -> Named:
    """What can be worked out, or bounded too closely, by exact arithmetic."""
    shown = {(f.count, f.level, f.code, f.value): f.shown for f in found}
    named = {}
    for (of, figure), (low, high) in exact_bounds(found, TOWNS, COUNTS).items():
        place = (figure.count, figure.level, figure.code, figure.value)
        larger = figure.shown if of == "count" else shown[(of.removeprefix("gap "), *place[1:])]
        if (figure.shown is not None and larger is not None) or high is None or high - low >= K - 1:
            continue
        # Of a difference one value is named only where it is small.
        may_be_small = low < K and high >= 1
        if may_be_small or (of == "count" and low == high):
            named[(of, *place)] = (low, high)
    return named


def named_by(findings: Sequence[Any], names: Mapping[str, str]) -> Named:
    """What the attacker of the package names, of the published figures; names: indicators by count."""
    found = {}
    for one in findings:
        if one.kind in ("small", "narrow", "determined") and one.is_planned:
            of = "count" if one.of == "count" else f"gap {names[one.of.removeprefix('difference to ')]}"
            name, level, code, split = one.key
            found[of, names[name], level, code, split[1]] = (one.low, one.high)
    return found
