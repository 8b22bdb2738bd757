"""From degrees to the flat map: Lambert's azimuthal equal-area projection, so that countries keep their true sizes.

Map units are hectometres (100 m) from the centre, x to the east, y to the south as SVG counts. The earth is the sphere
with the WGS 84 ellipsoid's area; at this scale the difference to the ellipsoid cannot be seen.
"""

from __future__ import annotations

from math import cos, radians, sin, sqrt
from typing import Final

Point = tuple[float, float]
"""A place on the flat map: x and y in map units."""

CENTRE_LATITUDE: Final = 45.0
CENTRE_LONGITUDE: Final = 18.0
UNITS_PER_KM: Final = 10
_RADIUS: Final = 6371.0072 * UNITS_PER_KM  # the sphere whose area is the ellipsoid's
_SIN_CENTRE: Final = sin(radians(CENTRE_LATITUDE))
_COS_CENTRE: Final = cos(radians(CENTRE_LATITUDE))


def project(latitude: float, longitude: float) -> Point:
    """Where a point given in degrees lies on the map.

    The point opposite the centre has no place on such a map; it is put on the rim.
    """
    north, east = radians(latitude), radians(longitude - CENTRE_LONGITUDE)
    towards = _SIN_CENTRE * sin(north) + _COS_CENTRE * cos(north) * cos(east)
    scale = _RADIUS * sqrt(2.0 / max(1.0 + towards, 1e-9))
    x = scale * cos(north) * sin(east)
    y = scale * (_COS_CENTRE * sin(north) - _SIN_CENTRE * cos(north) * cos(east))
    return x, -y
