"""Classes of values for the colours of a map: the same for all years, so that a colour means the same in each."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from claimatlas.atlas.cells import Cell, State

MAX_CLASSES = 7
LEAST = 5
COLOURS = ("#d4f6aa", "#86e5b2", "#39cbc4", "#30abce", "#5889c3", "#6c6aa2", "#6c5177")
"""From the lowest to the highest class on light paper; on dark paper the other way round.

Lightness falls by equal ratios, so the order is seen without colour too. Even the darkest has a contrast of 3 to the
black that hidden places are drawn with: lines on light paper, ground on dark.
"""

HIDING = "#000000"
"""The colour of the hatching that contrasts with every class."""


@dataclass(frozen=True)
class Classes:
    """Classes between breaks: class i holds the values from ``breaks[i - 1]`` to below ``breaks[i]``.

    Values are compared as they are shown, rounded half up to ``decimals``: a reader can check the class of a figure.
    """

    breaks: tuple[float, ...]
    decimals: int
    low: float
    high: float
    """The least and the largest value of all years."""

    @property
    def number(self) -> int:
        """How many classes there are."""
        return len(self.breaks) + 1

    def index(self, value: float) -> int:
        """The class of a value, 0 the lowest."""
        return bisect.bisect_right(self.breaks, rounded(value, self.decimals))

    def colour(self, index: int) -> int:
        """The colour of a class, 0 to 6: fewer classes are spread over the seven colours."""
        return round(index * (MAX_CLASSES - 1) / (self.number - 1)) if self.number > 1 else (MAX_CLASSES - 1) // 2

    def css(self, value: float) -> str:
        """The class of the style sheet for a value: ``c0`` to ``c6``."""
        return f"c{self.colour(self.index(value))}"

    def bounds(self, index: int) -> tuple[float, float]:
        """The least and the largest value that a class can show."""
        step = 10.0**-self.decimals
        first = self.breaks[index - 1] if index else rounded(self.low, self.decimals)
        last = self.breaks[index] - step if index < len(self.breaks) else rounded(self.high, self.decimals)
        return first, round(last, self.decimals)


def rounded(value: float, decimals: int) -> float:
    """A value as it is shown."""
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def classes_of(cells: Iterable[Cell], decimals: int = 1) -> Classes | None:
    """Classes of about equally many values of all the cells given: pass all years of one level.

    Seven where the values differ enough, at least five if that takes up to two more decimals, else as many as there
    are. Nothing where no cell has a value.
    """
    shown = (cell.value for cell in cells if cell.state is State.VALUE and cell.value is not None)
    return classes_of_values(shown, decimals)


def classes_of_values(numbers: Iterable[float], decimals: int = 1) -> Classes | None:
    """The same of values that are shown."""
    values = sorted(numbers)
    if not values:
        return None
    found = [_breaks(values, decimals + more) for more in range(3)]
    enough = next((more for more, breaks in enumerate(found) if len(breaks) >= LEAST - 1), None)
    more = enough if enough is not None else max(range(3), key=lambda position: (len(found[position]), -position))
    return Classes(found[more], decimals + more, values[0], values[-1])


def _breaks(values: list[float], decimals: int) -> tuple[float, ...]:
    # Rounding keeps the order, so only the quantiles need it.
    quantiles = {rounded(values[len(values) * part // MAX_CLASSES], decimals) for part in range(1, MAX_CLASSES)}
    return tuple(sorted(quantile for quantile in quantiles if quantile > rounded(values[0], decimals)))
