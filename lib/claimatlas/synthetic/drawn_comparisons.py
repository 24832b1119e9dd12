"""Comparison and trend of drawn totals, as ``gold/comparisons`` holds them: plain Python beside the rules of a run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from claimatlas.configuration.indicators import Indicator
from claimatlas.conventions import TREND_YEARS, Z
from claimatlas.protection.intervals import interval_of
from claimatlas.tables.schemas import ALL, dimensions_among

Place = tuple[str, str, str]
"""Indicator, level, code."""
Counts = tuple[int, int]


def comparison_rows(
    cells: Iterable[Mapping[str, Any]], indicators: Sequence[Indicator], country_level: str, run: str
) -> Iterator[tuple[Any, ...]]:
    """One row per percentage, year and place over all dimensions, from drawn rows of gold; for ``COMPARISONS``."""
    shares = {indicator.id: indicator for indicator in indicators if indicator.unit == "percent"}
    totals: dict[Place, dict[int, Counts]] = {}
    national: dict[tuple[str, int], Counts] = {}
    for row in cells:
        name, level, code, year = (row[column] for column in ("indicator_id", "geo_level", "geo_code", "year"))
        if name in shares and all(row[dimension] == ALL for dimension in dimensions_among(list(row))):
            counts = (row["numerator"], row["denominator"])
            totals.setdefault((name, level, code), {})[year] = counts
            if level == country_level:
                national[name, year] = counts
    for (name, level, code), by_year in totals.items():
        for year, (numerator, denominator) in by_year.items():
            low, high = interval_of(shares[name], numerator, denominator)
            country = _share(national.get((name, year), (0, 0)))
            comparison = None if level == country_level else _comparison(low, high, country)
            z = _trend([by_year.get(year - before) for before in reversed(range(TREND_YEARS))])
            named = (name, code, _share((numerator, denominator)), low, high, country, comparison, _direction(z), z)
            yield (*named, run, year, level)


def _share(counts: Counts) -> float | None:
    return 100 * counts[0] / counts[1] if counts[1] else None


def _comparison(low: float | None, high: float | None, country: float | None) -> str | None:
    if low is None or high is None or country is None:
        return None
    return "lower" if high < country else "higher" if low > country else "similar"


def _trend(years: Sequence[Counts | None]) -> float | None:
    """The statistic of Cochran and Armitage over consecutive years; nothing where one is missing or none can change."""
    known = [counts for counts in years if counts is not None]
    r, n = sum(counts[0] for counts in known), sum(counts[1] for counts in known)
    if len(known) < TREND_YEARS or not n:
        return None
    tr, tn = (sum(score * counts[which] for score, counts in enumerate(known)) for which in (0, 1))
    ttn = sum(score * score * counts[1] for score, counts in enumerate(known))
    share = r / n
    variance = share * (1 - share) * (ttn - tn * tn / n)
    return (tr - share * tn) / math.sqrt(variance) if variance > 0 else None


def _direction(z: float | None) -> str | None:
    if z is None:
        return None
    return "rising" if z > Z else "falling" if z < -Z else "none"
