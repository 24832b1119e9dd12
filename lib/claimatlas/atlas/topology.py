"""Outlines of places as arcs that neighbours share: every level and vintage is a union of the same parts.

A part is a place of the smallest level in the oldest vintage. Larger units are unions of their parts: an arc between
two parts of a unit is used twice and drops out. Coordinates are whole numbers on a plane, y grows downwards.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from claimatlas.errors import InputError

Point = tuple[int, int]
Ring = tuple[Point, ...]
"""Closed: the first point comes again at the end."""

SHIPPED = "data/topology.json"


@dataclass(frozen=True)
class Units:
    """The places of one level in one vintage: ``of[part]`` is the index of the part's place in ``codes``.

    A part without a place of this level (Brussels has no province) has -1.
    """

    codes: tuple[str, ...]
    of: tuple[int, ...]

    def parts(self) -> dict[str, list[int]]:
        """The parts of each place, by code."""
        found: dict[str, list[int]] = {code: [] for code in self.codes}
        for part, unit in enumerate(self.of):
            if unit >= 0:
                found[self.codes[unit]].append(part)
        return found


@dataclass(frozen=True)
class Topology:
    """Arcs, the parts made of them, and the units made of the parts."""

    arcs: tuple[tuple[Point, ...], ...]
    parts: tuple[tuple[tuple[int, ...], ...], ...]
    """The rings of each part: arcs by index, ``~index`` where an arc is run through backwards."""
    vintages: Mapping[int, Mapping[str, Units]]
    """By the first year of the vintage, then by level."""
    width: int
    height: int
    attribution: str

    @classmethod
    def load(cls, path: Path | None = None) -> Topology:
        """The topology of a file, or the one of Belgium that the package holds.

        Raises:
            InputError: the file cannot be read, or is no topology of this kind.
        """
        source = path if path is not None else resources.files("claimatlas.atlas").joinpath(SHIPPED)
        try:
            return cls.of_document(json.loads(source.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{source} is no topology of the atlas: {error}.") from error

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Topology:
        """The topology that ``as_document`` wrote."""
        vintages = {
            int(year): {
                level: Units(tuple(units["codes"]), tuple(_unpacked(units["of"]))) for level, units in levels.items()
            }
            for year, levels in document["vintages"].items()
        }
        return cls(
            tuple(_absolute(arc) for arc in document["arcs"]),
            tuple(tuple(tuple(ring) for ring in part) for part in document["parts"]),
            vintages,
            document["width"],
            document["height"],
            document["attribution"],
        )

    def as_document(self) -> dict[str, Any]:
        """What the file holds: arcs as differences, units as runs of equal indices."""
        return {
            "attribution": self.attribution,
            "width": self.width,
            "height": self.height,
            "vintages": {
                str(year): {
                    level: {"codes": list(units.codes), "of": _packed(units.of)} for level, units in levels.items()
                }
                for year, levels in self.vintages.items()
            },
            "parts": [[list(ring) for ring in part] for part in self.parts],
            "arcs": [_differences(arc) for arc in self.arcs],
        }

    def vintage(self, year: int) -> int:
        """The first year of the vintage whose outlines are drawn for ``year``: the newest one until then."""
        return max((first for first in self.vintages if first <= year), default=min(self.vintages))

    def levels(self, year: int) -> tuple[str, ...]:
        """The levels that have outlines."""
        return tuple(self.vintages[self.vintage(year)])

    def codes(self, level: str, year: int) -> tuple[str, ...]:
        """The codes of the places of a level, in order; empty where the level has no outlines."""
        units = self.vintages[self.vintage(year)].get(level)
        return units.codes if units else ()

    def rings(self, level: str, year: int) -> dict[str, list[Ring]]:
        """The outline of each place of a level, by code: closed rings, to be filled by the even-odd rule."""
        key = (self.vintage(year), level)
        if key not in self._outlines:
            units = self.vintages[key[0]].get(level)
            parts = units.parts() if units else {}
            self._outlines[key] = {code: self.union(members) for code, members in parts.items()}
        return self._outlines[key]

    @cached_property
    def _outlines(self) -> dict[tuple[int, str], dict[str, list[Ring]]]:
        return {}

    def simplified(self, tolerance: float) -> Topology:
        """The same with fewer points, each line at most ``tolerance`` steps from its points; neighbours still fit."""
        if tolerance not in self._simplified:
            arcs = tuple(_thinned(arc, tolerance) for arc in self.arcs)
            self._simplified[tolerance] = replace(self, arcs=arcs)
        return self._simplified[tolerance]

    @cached_property
    def _simplified(self) -> dict[float, Topology]:
        return {}

    def union(self, parts: Iterable[int]) -> list[Ring]:
        """The outline of several parts together."""
        return [self._points(ring) for ring in joined(self._outer_arcs(parts), self._ends)]

    def _outer_arcs(self, parts: Iterable[int]) -> list[int]:
        """The arcs that are not run through as often backwards as forwards, in order.

        Two parts that overlap may run through an arc in the same direction: it stays twice.
        """
        used: dict[int, int] = defaultdict(int)
        for part in parts:
            for ring in self.parts[part]:
                for arc in ring:
                    used[max(arc, ~arc)] += 1 if arc >= 0 else -1
        return [arc if times > 0 else ~arc for arc, times in used.items() for _ in range(abs(times))]

    def _ends(self, arc: int) -> tuple[Point, Point]:
        points = self.arcs[arc if arc >= 0 else ~arc]
        return (points[0], points[-1]) if arc >= 0 else (points[-1], points[0])

    def _points(self, ring: Sequence[int]) -> Ring:
        points: list[Point] = []
        for arc in ring:
            run = self.arcs[arc] if arc >= 0 else self.arcs[~arc][::-1]
            points.extend(run if not points else run[1:])
        return tuple(points)


def joined(arcs: Sequence[int], ends: Callable[[int], tuple[Point, Point]]) -> list[list[int]]:
    """Arcs, end to start, as closed rings."""
    starting: dict[Point, list[int]] = defaultdict(list)
    for arc in reversed(arcs):
        starting[ends(arc)[0]].append(arc)
    rings: list[list[int]] = []
    for first in arcs:
        begin, end = ends(first)
        if first not in starting[begin]:
            continue
        starting[begin].remove(first)
        ring = [first]
        while end != begin:
            following = starting[end].pop()
            ring.append(following)
            end = ends(following)[1]
        rings.append(ring)
    return rings


def area(rings: Iterable[Ring]) -> float:
    """The area within rings of one place, in squares of the plane; a hole has the opposite turn and is taken off."""
    return abs(sum(x1 * y2 - x2 * y1 for ring in rings for (x1, y1), (x2, y2) in pairwise(ring)) / 2)


def _thinned(arc: tuple[Point, ...], tolerance: float) -> tuple[Point, ...]:
    """An arc by Douglas and Peucker: its ends, and the points that are farther than the tolerance from the line so far.

    A closed arc keeps the two points that are farthest from its end too, so that it stays an area.
    """
    kept = {0, len(arc) - 1}
    open_runs = [(0, len(arc) - 1)]
    if arc[0] == arc[-1] and len(arc) > 3:
        far = max(range(len(arc)), key=lambda position: math.dist(arc[position], arc[0]))
        other = max(range(len(arc)), key=lambda position: _off(arc[position], arc[0], arc[far]))
        corners = sorted({0, far, other, len(arc) - 1})
        kept |= set(corners)
        open_runs = list(pairwise(corners))
    while open_runs:
        first, last = open_runs.pop()
        inside = range(first + 1, last)
        far = max(inside, key=lambda position: _off(arc[position], arc[first], arc[last]), default=first)
        if far != first and _off(arc[far], arc[first], arc[last]) > tolerance:
            kept.add(far)
            open_runs += [(first, far), (far, last)]
    return tuple(arc[position] for position in sorted(kept))


def _off(point: Point, start: Point, end: Point) -> float:
    """The distance of a point from the line through two others, or from their one place."""
    length = math.dist(start, end)
    if not length:
        return math.dist(point, start)
    (x, y), (x1, y1), (x2, y2) = point, start, end
    return abs((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) / length


def _differences(arc: Sequence[Point]) -> list[int]:
    """The x and y of the first point, then of each step."""
    before = [(0, 0), *arc[:-1]]
    return [step for (x, y), (px, py) in zip(arc, before, strict=True) for step in (x - px, y - py)]


def _absolute(differences: Sequence[int]) -> tuple[Point, ...]:
    points: list[Point] = []
    x = y = 0
    for dx, dy in zip(differences[::2], differences[1::2], strict=True):
        x, y = x + dx, y + dy
        points.append((x, y))
    return tuple(points)


def _packed(indices: Sequence[int]) -> list[int]:
    """Runs of equal indices as pairs: index, length."""
    runs: list[int] = []
    for index in indices:
        if runs and runs[-2] == index:
            runs[-1] += 1
        else:
            runs += [index, 1]
    return runs


def _unpacked(runs: Sequence[int]) -> list[int]:
    return [index for index, length in zip(runs[::2], runs[1::2], strict=True) for _ in range(length)]
