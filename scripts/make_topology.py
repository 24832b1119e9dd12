"""Make the topology of Belgium that the atlas ships, from Statbel's outlines of 2018, 2019 and 2025.

Run as a module: ``python -m scripts.make_topology --outlines FOLDER`` with municipalities_2018.geojson,
municipalities_2019.geojson and municipalities_2025.geojson in FOLDER. Fails if a later vintage
is no union of the first.
"""

import argparse
import json
import math
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from claimatlas.atlas.outlines import Degrees, build, shapes_of, turn, units_of
from claimatlas.atlas.projection import BELGIAN_LAMBERT
from claimatlas.atlas.topology import Units
from claimatlas.configuration.geography import Geography
from claimatlas.configuration.load import load_configuration

VINTAGES = (2018, 2019, 2025)
OUTPUT = Path(__file__).parents[1] / "lib/claimatlas/atlas/data/topology.json"
TOLERANCE = 150.0
"""Metres: little more than the 120 m that the outlines are simplified by."""
ATTRIBUTION = "Statbel (Directorate-general Statistics - Statistics Belgium), CC BY 4.0, reworked"

Edge = tuple[Degrees, Degrees]
Shapes = dict[str, list[list[Degrees]]]


def main() -> int:
    """Write the topology; exit code 1 when an outline of a later vintage is no union of those of the first."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--outlines", type=Path, required=True, help="folder of municipalities_YEAR.geojson")
    folder = parser.parse_args().outlines
    settings = load_configuration()
    files = {year: folder / f"municipalities_{year}.geojson" for year in VINTAGES}
    shapes = {year: without_slivers(shapes_of(file, "nis5")) for year, file in files.items()}
    parts = shapes[VINTAGES[0]]
    vintages = {year: units(sorted(parts), settings.geography, year) for year in VINTAGES}
    for year in VINTAGES:
        wrong = differing(parts, shapes[year], vintages[year]["municipality"])
        if wrong:
            print(f"{year}: {', '.join(wrong)}: the outline is not the union of its parts.", file=sys.stderr)
            return 1
    topology = build(parts, vintages, BELGIAN_LAMBERT, ATTRIBUTION)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(topology.as_document(), separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{OUTPUT.name}: {len(topology.parts)} parts, {len(topology.arcs)} arcs.")
    return 0


def units(parts: list[str], geography: Geography, year: int) -> dict[str, Units]:
    """The units of each level in the vintage of ``year``, smallest level last, from the codes of the parts."""
    valid = geography.vintage(year)
    codes = [geography.carry(part, year) for part in parts]
    return {
        level: units_of([valid[code].parents[level] or None if code else None for code in codes])
        for level in geography.levels
    }


def without_slivers(shapes: Shapes) -> Shapes:
    """The outlines without rings that overlap a larger one: simplified each for itself, two may cross.

    A ring overlaps another when both run along an edge in the same direction, as each has its land on the left.
    """
    along: dict[Edge, list[list[Degrees]]] = defaultdict(list)
    for rings in shapes.values():
        for ring in rings:
            for edge in pairwise(ring):
                along[edge].append(ring)
    slivers = [min(rings, key=lambda ring: abs(turn(ring))) for rings in along.values() if len(rings) > 1]
    return {code: [ring for ring in rings if ring not in slivers] for code, rings in shapes.items()}


def differing(shapes: Shapes, outlines: Shapes, units: Units) -> list[str]:
    """The codes whose outline is farther than ``TOLERANCE`` from the union of their parts, or has none.

    Each vintage was simplified for itself: where a border ended, its neighbours may have lost or kept a vertex.
    """
    ordered = sorted(shapes)
    unions = {code: _edges([shapes[ordered[part]] for part in members]) for code, members in units.parts().items()}
    given = {code: _edges([rings]) for code, rings in outlines.items()}
    return sorted(
        code
        for code in unions.keys() | given.keys()
        if _farthest(unions.get(code, set()), given.get(code, set())) > TOLERANCE
    )


def _edges(shapes: list[list[list[Degrees]]]) -> set[Edge]:
    """The edges that are used once, without direction."""
    edges: set[Edge] = set()
    for rings in shapes:
        for ring in rings:
            for first, second in pairwise(ring):
                edges ^= {(min(first, second), max(first, second))}
    return edges


def _farthest(one: set[Edge], other: set[Edge]) -> float:
    """The largest distance in metres from an end of an edge that only one has to the edges of the other."""
    if not one or not other:
        return math.inf
    return max(
        (_distance(point, b) for a, b in ((one, other), (other, one)) for edge in a - b for point in edge), default=0
    )


def _distance(point: Degrees, edges: set[Edge]) -> float:
    x, y = BELGIAN_LAMBERT.project(*point)
    least = math.inf
    for first, second in edges:
        (x1, y1), (x2, y2) = BELGIAN_LAMBERT.project(*first), BELGIAN_LAMBERT.project(*second)
        length = (x2 - x1) ** 2 + (y2 - y1) ** 2
        along = min(1.0, max(0.0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length))
        least = min(least, math.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1)))
    return least


if __name__ == "__main__":
    sys.exit(main())
