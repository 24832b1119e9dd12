"""Outlines of places from a GeoJSON file of the user's: the package ships none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from claimatlas.errors import InputError

Ring = list[tuple[float, float]]
"""A closed line: longitude and latitude of its corners."""
Polygon = list[Ring]
"""An outer ring, then its holes."""


def read_outlines(file: str, code_property: str) -> dict[str, list[Polygon]]:
    """The polygons of each place, by the code that stands in ``code_property`` of its features.

    Several features may have one code, such as the municipalities of an arrondissement: together they are the place.

    Raises:
        InputError: no such file, no GeoJSON, or no feature with that property.
    """
    try:
        document = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The boundaries {file} cannot be read ({error.strerror}).") from None
    except ValueError:
        raise InputError(f"The boundaries {file} are no JSON.") from None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise InputError(f"The boundaries {file} are no GeoJSON collection of features.")
    places: dict[str, list[Polygon]] = {}
    for feature in features:
        code = (feature.get("properties") or {}).get(code_property)
        if code not in (None, ""):
            places.setdefault(str(code), []).extend(_polygons(file, feature.get("geometry") or {}))
    if not places:
        raise InputError(f"No feature of the boundaries {file} has a property {code_property}.")
    return places


def _polygons(file: str, geometry: dict[str, Any]) -> list[Polygon]:
    kind: Any = geometry.get("type")
    coordinates: Any = geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        raise InputError(f"The boundaries {file} hold a {kind or 'feature without geometry'}, which is no area.")
    try:
        several = coordinates if kind == "MultiPolygon" else [coordinates]
        return [[[(float(x), float(y)) for x, y, *_ in ring] for ring in polygon] for polygon in several]
    except (TypeError, ValueError):
        raise InputError(f"The boundaries {file} hold a {kind} whose coordinates cannot be read.") from None
