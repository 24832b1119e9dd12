"""The rows of ``published/cells`` from protected figures, and their ranges from the published figures alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from claimatlas.auditing.figures import Key, count_names, figures_of
from claimatlas.auditing.ranges import ranges_of
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.known_counts import KnownCounts
from claimatlas.configuration.publication import Publication
from claimatlas.conventions import TREND_YEARS, against_national_value, trend_direction
from claimatlas.protection.intervals import reliability_of, value_of
from claimatlas.protection.plan import PlannedCell
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.tables import Measure
from claimatlas.protection.values import shown, told
from claimatlas.tables.schemas import ALL, dimensions_among

FREE, HIDDEN = "F", "C"
Row = dict[str, Any]
Comparisons = Mapping[tuple[Any, ...], tuple[Any, Any]]


@dataclass(frozen=True)
class PublishingRules:
    """What figures are published by: the declared configuration, what of it may be published, what readers know."""

    configuration: Configuration
    publication: Publication
    known: KnownCounts = field(default_factory=KnownCounts)


def rows_of_year(
    cells: Sequence[PlannedCell],
    measures: Mapping[Quantity, Measure],
    rules: PublishingRules,
    year: int,
    release: int,
) -> list[Row]:
    """One row per planned cell, by its key; comparison and trend are still to come."""
    configuration, publication = rules.configuration, rules.publication
    indicators = {indicator.id: indicator for indicator in configuration.indicators}
    rows = []
    for cell in cells:
        indicator = indicators[cell.indicator]
        numerator = shown(measures, cell.numerator) if cell.numerator else None
        denominator = shown(measures, cell.denominator)
        found = told(cell, indicator, (numerator, denominator), measures, publication)
        row: Row = {
            **{name: cell.split.get(name, ALL) for name in configuration.dimensions.names},
            **{"indicator_id": cell.indicator, "geo_level": cell.level, "geo_code": cell.code},
            **{"year": year, "geo_vintage": year, "release": release, "status": cell.status},
            **{"numerator": numerator, "denominator": denominator},
            **dict.fromkeys(("value", "ci_low", "ci_high", "value_low", "value_high", "comparison", "trend")),
            **{"confidentiality": FREE if found else HIDDEN, "reliability": "normal"},
        }
        if found is not None:
            row["value"] = found.value
            row["ci_low"], row["ci_high"] = found.interval
            row["reliability"] = reliability_of(indicator, numerator, found.interval, publication.reliability)
        rows.append(row)
    rows.sort(key=lambda row: key_of(row, configuration.dimensions.names))
    if not publication.is_rounded:
        # Else the method says what a hidden count can be: 1 to 7.
        _add_ranges(rows, indicators, configuration, publication, year)
    return rows


def key_of(row: Row, dimensions: Sequence[str]) -> tuple[Any, ...]:
    """What tells a row from all others of a release."""
    return (
        row["indicator_id"],
        row["year"],
        row["geo_level"],
        row["geo_code"],
        *(row[name] for name in dimensions),
    )


def add_comparisons(rows: Iterable[Row], comparisons: Comparisons, country_level: str, *, of_gold: bool = True) -> None:
    """Give shown totals comparison and trend: the one where the country is shown, the other where all years are.

    ``of_gold``: as gold has them. Else they are those of the shown counts, where gold has any: its own would tell more.
    """
    totals = {
        (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"]): row
        for row in rows
        if all(row[name] == ALL for name in dimensions_among(list(row))) and row["confidentiality"] == FREE
    }
    countries = {key[:2]: row for key, row in totals.items() if key[2] == country_level}
    for key, row in totals.items():
        comparison, trend = comparisons.get(key, (None, None))
        name, year, level, code = key
        former = [totals.get((name, year - before, level, code)) for before in range(TREND_YEARS)]
        series = [one for one in former if one is not None]
        if comparison is not None and key[:2] in countries:
            row["comparison"] = comparison if of_gold else _comparison(row, countries[key[:2]])
        if trend is not None and len(series) == TREND_YEARS:
            row["trend"] = trend if of_gold else _trend(series)


def _comparison(row: Row, country: Row) -> str | None:
    return against_national_value(row["ci_low"], row["ci_high"], country["value"])


def _trend(series: Sequence[Row]) -> str | None:
    counts = [(row["year"], row["numerator"], row["denominator"]) for row in series]
    return trend_direction([one for one in counts if None not in one])


def _add_ranges(
    rows: Sequence[Row],
    indicators: Mapping[str, Indicator],
    configuration: Configuration,
    publication: Publication,
    year: int,
) -> None:
    """Bounds of hidden values whose denominator is shown: what a reader can work out by himself."""
    for population in sorted({indicator.population for indicator in indicators.values()}):
        own = [row for row in rows if indicators[row["indicator_id"]].population == population]
        ranges = ranges_of(figures_of(own, configuration, publication, year))
        for row in own:
            indicator = indicators[row["indicator_id"]]
            if row["confidentiality"] == HIDDEN and row["denominator"] and indicator.follows_from_its_counts:
                split = tuple(row[name] for name in configuration.dimensions.names)
                _add_range(row, split, indicator, ranges)


def _add_range(
    row: Row, split: tuple[str, ...], indicator: Indicator, ranges: Mapping[Key, tuple[int, int | None]]
) -> None:
    key: Key = (
        count_names(indicator)[0],
        row["geo_level"],
        row["geo_code"],
        split,
    )
    low, high = ranges.get(key, (0, None))
    row["value_low"] = value_of(indicator, low, row["denominator"])
    if high is not None:
        row["value_high"] = value_of(indicator, high, row["denominator"])
