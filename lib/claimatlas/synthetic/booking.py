"""When the fund books a line: mostly within three months, at times up to two years later."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import bits, lookup

LAG_BITS = 10
NOT_BOOKED = -1
DAYS_UNTIL_CORRECTION = 25
"""A correction is booked so many days after the line before it."""

_SHARES = ((0.01, NOT_BOOKED, NOT_BOOKED), (0.62, 3, 45), (0.24, 46, 91), (0.09, 92, 240), (0.04, 241, 730))
"""Share of lines, fewest and most days from service to booking; the first are never booked."""


def _lags() -> list[int]:
    size = 1 << LAG_BITS
    lags: list[int] = []
    passed = 0.0
    for share, fewest, most in _SHARES:
        passed += share
        number = round(passed * size) - len(lags)
        lags += [fewest + (most - fewest) * step // max(1, number - 1) for step in range(number)]
    return lags


def booking_date(service_date: Column, roll: Column, start: int, copy: Column) -> Column:
    """The booking date, null for about 1 % of lines; takes 10 bits of the roll from ``start``.

    ``copy`` counts the lines of one service from 0: corrections are booked after what they correct.
    """
    lag = lookup(_lags(), bits(roll, start, LAG_BITS))
    after = (lag + copy.cast("int") * DAYS_UNTIL_CORRECTION).cast("int")
    return F.when(lag != NOT_BOOKED, F.date_add(service_date, after))
