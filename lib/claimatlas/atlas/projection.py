"""Project degrees to a plane with Lambert's conformal conic, as national maps do."""

from __future__ import annotations

import math
from dataclasses import dataclass

SEMI_MAJOR_AXIS = 6_378_137.0
"""Of the ellipsoid GRS80, in metres."""

FLATTENING = 1 / 298.257222101
_ECCENTRICITY = math.sqrt(FLATTENING * (2 - FLATTENING))


@dataclass(frozen=True)
class LambertConic:
    """A conformal conic projection with two standard parallels on GRS80; all angles in degrees.

    The origin of the plane is the point of ``latitude`` and ``longitude``; x grows to the east, y to the north.
    """

    latitude: float
    longitude: float
    south: float
    north: float

    def project(self, longitude: float, latitude: float) -> tuple[float, float]:
        """The point of the plane, in metres from the origin."""
        sharpness, scale = self._cone()
        radius = _radius(scale, sharpness, latitude)
        at_origin = _radius(scale, sharpness, self.latitude)
        angle = sharpness * math.radians(longitude - self.longitude)
        return radius * math.sin(angle), at_origin - radius * math.cos(angle)

    def _cone(self) -> tuple[float, float]:
        """The exponent of the cone, and the factor of its radii."""
        south, north = math.radians(self.south), math.radians(self.north)
        if math.isclose(south, north):
            sharpness = math.sin(south)
        else:
            sharpness = math.log(_parallel(south) / _parallel(north)) / math.log(_isometric(south) / _isometric(north))
        return sharpness, _parallel(south) / (sharpness * math.pow(_isometric(south), sharpness))


def _parallel(latitude: float) -> float:
    """The radius of a parallel, in semi-major axes."""
    sine = _ECCENTRICITY * math.sin(latitude)
    return math.cos(latitude) / math.sqrt(1 - sine * sine)


def _isometric(latitude: float) -> float:
    """The distance from the pole on a conformal sphere, as a tangent."""
    sine = _ECCENTRICITY * math.sin(latitude)
    flattening = math.pow((1 - sine) / (1 + sine), _ECCENTRICITY / 2)
    return math.tan(math.pi / 4 - latitude / 2) / flattening


def _radius(scale: float, sharpness: float, latitude: float) -> float:
    return SEMI_MAJOR_AXIS * scale * math.pow(_isometric(math.radians(latitude)), sharpness)


BELGIAN_LAMBERT = LambertConic(50.797815, 4.359215833, 49.833333333, 51.166666667)
"""The parallels and the origin of Belgian Lambert 2008 (EPSG:3812), without its false easting and northing."""


def conic_for(west: float, south: float, east: float, north: float) -> LambertConic:
    """A projection that suits a territory within these degrees: parallels at a sixth from its edges.

    Across the equator the cone would be a cylinder, so the parallels are moved by as little as the formula needs.
    """
    sixth = (north - south) / 6
    low, high = south + sixth, north - sixth
    if abs(low + high) < 0.01:
        high += 0.02
    return LambertConic((south + north) / 2, (west + east) / 2, low, high)
