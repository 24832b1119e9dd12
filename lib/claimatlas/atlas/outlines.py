"""Convert GeoJSON outlines to a topology: vertices that neighbours share exactly become shared arcs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from claimatlas.atlas.projection import LambertConic, conic_for
from claimatlas.atlas.topology import Point, Topology, Units
from claimatlas.errors import InputError

Degrees = tuple[float, float]
"""Longitude and latitude."""

STEPS = 10_000
"""Whole coordinates along the longer side: 28 m for Belgium, a quarter of what its outlines are simplified by."""

MARGIN = 50
"""The margin on each side, for the width of a line."""


def topology_of_geojson(
    path: Path,
    code_property: str,
    level: str,
    *,
    parents: Mapping[str, Mapping[str, str]] | None = None,
    projection: LambertConic | None = None,
) -> Topology:
    """A topology of one vintage from the outlines of the places of ``level``, in degrees (WGS 84).

    ``parents`` names the larger place of each code, by level: those become unions. Outlines that only nearly touch
    share no arcs: they are drawn as they are.

    Raises:
        InputError: the file cannot be read, a feature has no code or no polygon, or a code comes twice.
    """
    shapes = shapes_of(path, code_property)
    codes = tuple(sorted(shapes))
    levels = {level: Units(codes, tuple(range(len(codes))))}
    for larger, of in (parents or {}).items():
        levels[larger] = units_of([of.get(code) for code in codes])
    return build(shapes, {0: levels}, projection, attribution_of(path))


def units_of(codes_of_parts: Sequence[str | None]) -> Units:
    """The units of a level from the code of each part; ``None``: the part lies in none."""
    codes = tuple(sorted({code for code in codes_of_parts if code}))
    index = {code: position for position, code in enumerate(codes)}
    return Units(codes, tuple(index[code] if code else -1 for code in codes_of_parts))


def build(
    shapes: Mapping[str, Sequence[Sequence[Degrees]]],
    vintages: Mapping[int, Mapping[str, Units]],
    projection: LambertConic | None,
    attribution: str,
) -> Topology:
    """A topology whose parts are ``shapes`` in the order of their codes."""
    rings = [[_open(ring) for ring in shapes[code]] for code in sorted(shapes)]
    arcs, parts = cut([ring for part in rings for ring in part])
    scale, width, height = _scale({point for arc in arcs for point in arc}, projection)
    of_part, first = [], 0
    for part in rings:
        of_part.append(tuple(tuple(ring) for ring in parts[first : first + len(part)]))
        first += len(part)
    whole = tuple(_without_repeats([scale(point) for point in arc]) for arc in arcs)
    return Topology(whole, tuple(of_part), vintages, width, height, attribution)


def shapes_of(path: Path, code_property: str) -> dict[str, list[list[Degrees]]]:
    """The rings of each feature of a GeoJSON file, by code.

    Raises:
        InputError: as ``topology_of_geojson``.
    """
    shapes: dict[str, list[list[Degrees]]] = {}
    for feature in _document(path).get("features", []):
        code = (feature.get("properties") or {}).get(code_property)
        geometry = feature.get("geometry") or {}
        if not isinstance(code, str) or not code or code in shapes:
            raise InputError(f"{path}: {code_property} must be a text of its own in each feature, not {code!r}.")
        polygons = geometry.get("coordinates", [])
        if geometry.get("type") == "Polygon":
            polygons = [polygons]
        elif geometry.get("type") != "MultiPolygon":
            raise InputError(f"{path}: the outline of {code} is a {geometry.get('type')}, not a polygon.")
        shapes[code] = [
            _turned([(float(x), float(y)) for x, y, *_ in ring], hole=position > 0)
            for polygon in polygons
            for position, ring in enumerate(polygon)
        ]
    if not shapes:
        raise InputError(f"{path} has no features: outlines are a GeoJSON FeatureCollection.")
    return shapes


def attribution_of(path: Path) -> str:
    """Whom the file names as the source of its outlines; empty if nobody."""
    return str(_document(path).get("attribution", ""))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as GeoJSON: {error}.") from error
    if not isinstance(document, dict):
        raise InputError(f"{path} is no GeoJSON FeatureCollection.")
    return document


def cut(rings: Sequence[Sequence[Degrees]]) -> tuple[list[tuple[Degrees, ...]], list[list[int]]]:
    """Arcs, each once, and each ring as indices of arcs (``~index``: backwards). Rings are given open.

    A ring is cut where its neighbours change: at each point whose two neighbours are not the same in all rings.
    """
    beside: dict[Degrees, set[frozenset[Degrees]]] = defaultdict(set)
    for ring in rings:
        for before, point, after in zip([ring[-1], *ring[:-1]], ring, [*ring[1:], ring[0]], strict=True):
            beside[point].add(frozenset((before, after)))
    arcs: list[tuple[Degrees, ...]] = []
    known: dict[tuple[Degrees, ...], int] = {}

    def reference(arc: tuple[Degrees, ...]) -> int:
        if arc in known:
            return known[arc]
        if arc[::-1] in known:
            return ~known[arc[::-1]]
        known[arc] = len(arcs)
        arcs.append(arc)
        return known[arc]

    return arcs, [[reference(arc) for arc in _arcs(ring, beside)] for ring in rings]


def _arcs(ring: Sequence[Degrees], beside: Mapping[Degrees, set[frozenset[Degrees]]]) -> list[tuple[Degrees, ...]]:
    cuts = [position for position, point in enumerate(ring) if len(beside[point]) > 1]
    # A ring that nobody cuts begins at its least point, so that an island and the hole around it are one arc.
    first = cuts[0] if cuts else min(range(len(ring)), key=lambda position: ring[position])
    turned = [*ring[first:], *ring[:first], ring[first]]
    ends = [position - first for position in cuts] or [0]
    return [tuple(turned[begin : end + 1]) for begin, end in zip(ends, [*ends[1:], len(ring)], strict=True)]


def turn(ring: Sequence[Degrees]) -> float:
    """Twice the area of a closed ring in squares of degrees: positive where it runs anticlockwise on a map."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring))


def _turned(ring: list[Degrees], *, hole: bool) -> list[Degrees]:
    """A ring anticlockwise, a hole clockwise, as RFC 7946 has them: neighbours then run opposite ways."""
    return ring[::-1] if (turn(ring) < 0) != hole else ring


def _open(ring: Sequence[Degrees]) -> list[Degrees]:
    """A ring without its last point, which repeats the first."""
    return list(ring[:-1]) if ring[0] == ring[-1] else list(ring)


def _scale(points: set[Degrees], projection: LambertConic | None) -> tuple[Callable[[Degrees], Point], int, int]:
    """From degrees to whole coordinates, and the width and height of the plane."""
    degrees = sorted(points)
    if projection is None:
        latitudes = [latitude for _, latitude in degrees]
        projection = conic_for(degrees[0][0], min(latitudes), degrees[-1][0], max(latitudes))
    plane = {point: projection.project(*point) for point in degrees}
    west, east = min(x for x, _ in plane.values()), max(x for x, _ in plane.values())
    south, north = min(y for _, y in plane.values()), max(y for _, y in plane.values())
    step = max(east - west, north - south) / (STEPS - 2 * MARGIN)

    def scaled(point: Degrees) -> Point:
        x, y = plane[point]
        return round((x - west) / step) + MARGIN, round((north - y) / step) + MARGIN

    return scaled, round((east - west) / step) + 2 * MARGIN, round((north - south) / step) + 2 * MARGIN


def _without_repeats(points: Sequence[Point]) -> tuple[Point, ...]:
    """Points that rounding made equal to the one before are left out; both ends stay."""
    kept = [points[0]]
    for point in points[1:-1]:
        if point not in (kept[-1], points[-1]):
            kept.append(point)
    return (*kept, points[-1])
