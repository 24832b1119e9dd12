"""Directly standardised rates, with the interval of Dobson: from the strata of the cube."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.cells.numerators import denominator_column, numerator_column
from claimatlas.cells.status import NOT_COMPUTABLE
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.reserved import START_OF_WORKING
from claimatlas.configuration.standards import Standard
from claimatlas.conventions import Z


@dataclass(frozen=True)
class Rate:
    """A rate and the bounds of its interval, as columns: in the indicator's unit; null where they are not known."""

    value: Column
    low: Column
    high: Column


@dataclass(frozen=True)
class _Stratum:
    """The counts of one stratum of a cell, and its weight."""

    weight: float
    numerator: Column
    denominator: Column


def rate_of(indicator: Indicator) -> Rate:
    """The columns that ``with_rates`` adds for an indicator."""
    return Rate(*[F.col(f"{START_OF_WORKING}{name}_{indicator.id}") for name in ("rate", "low", "high")])


def with_rates(
    cube: DataFrame, dimensions: Sequence[str], standards: Mapping[str, Standard], indicators: Sequence[Indicator]
) -> DataFrame:
    """Add the rate of each standardised indicator to the rows that are summed over its strata.

    Grain in and out: one row per year, place and ``dimensions``. The strata of a row are the rows that differ from it
    in the standard's dimension alone. The other rows get the same figures: no cell of the indicator is made from them.
    """
    for indicator in indicators:
        if indicator.standardised is None:
            continue
        standard = standards[indicator.standardised]
        strata = _strata(dimensions, standard, indicator)
        found = directly_standardised([one for _, one in strata], indicator.scale)
        names = [column for columns, _ in strata for column in columns]
        cube = cube.withColumns({name: column for columns, _ in strata for name, column in columns.items()})
        value, low, high = (f"{START_OF_WORKING}{name}_{indicator.id}" for name in ("rate", "low", "high"))
        cube = cube.withColumns({value: found.value, low: found.low, high: found.high}).drop(*names)
    return cube


def _strata(
    dimensions: Sequence[str], standard: Standard, indicator: Indicator
) -> list[tuple[dict[str, Column], _Stratum]]:
    """Each stratum that counts, beside the columns by name that its counts are read from."""
    key = ["year", "geo_level", "geo_code", *[name for name in dimensions if name != standard.dimension]]
    of_cell = Window.partitionBy(*key)
    found = []
    for position, (value, weight) in enumerate(standard.strata.items()):
        is_stratum = F.col(standard.dimension) == value
        names = [f"{START_OF_WORKING}stratum_{position}_{kind}" for kind in ("numerator", "denominator")]
        counts = [F.col(numerator_column(indicator)), F.col(denominator_column(indicator))]
        # A stratum is one row, or none: the greatest of it is its own, whatever the order of the rows.
        columns = {
            name: F.max(F.when(is_stratum, count)).over(of_cell) for name, count in zip(names, counts, strict=True)
        }
        found.append((columns, _Stratum(weight, F.col(names[0]), F.col(names[1]))))
    return found


def directly_standardised(strata: Sequence[_Stratum], scale: int) -> Rate:
    """The rate per ``scale`` with its interval at 95 % by Dobson's method, from Byar's limits of the total count.

    Everything is null where nobody is in one of the strata. Without a single case there is no interval: the variance of
    the method is 0 there. The strata are added in their order, so the same counts give the same digits.
    """
    weights = sum(one.weight for one in strata)
    # Of an empty stratum nothing is known: null makes the sum null.
    shares = [one.numerator / F.nullif(one.denominator, F.lit(0)) for one in strata]
    weighted = [F.lit(one.weight) * share for one, share in zip(strata, shares, strict=True)]
    rate = reduce(Column.__add__, weighted) / F.lit(weights)
    # The variance of a count of cases is that count itself, as of Poisson: that of a stratum's share is n / d^2.
    parts = [
        F.lit(one.weight * one.weight) * share / one.denominator for one, share in zip(strata, shares, strict=True)
    ]
    variance = reduce(Column.__add__, parts) / F.lit(weights * weights)
    cases = F.nullif(reduce(Column.__add__, [one.numerator for one in strata]), F.lit(0)).cast("double")
    per_case = F.sqrt(variance / cases)
    least, most = byar(cases)
    low = F.greatest(F.lit(0.0), scale * (rate + per_case * (least - cases)))
    high = F.least(F.lit(float(scale)), scale * (rate + per_case * (most - cases)))
    # The greatest and the least of something unknown would be the bound itself.
    return Rate(scale * rate, F.when(per_case.isNotNull(), low), F.when(per_case.isNotNull(), high))


def byar(cases: Column) -> tuple[Column, Column]:
    """Byar's limits at 95 % of a count that is above 0: close to those of Poisson's distribution."""
    more = cases + 1
    least = cases * _cubed(1 - 1 / (9 * cases) - Z / (3 * F.sqrt(cases)))
    most = more * _cubed(1 - 1 / (9 * more) + Z / (3 * F.sqrt(more)))
    return least, most


def _cubed(number: Column) -> Column:
    return number * number * number


def rates_not_known(rows: pa.Table, configuration: Configuration, years: Sequence[int]) -> Iterator[str]:
    """Say for each standardised indicator and year in how many cells nobody is in one of the strata.

    ``rows``: rows of a table of gold. Cells without any member, and what is not computable, are not meant.
    """
    for indicator in configuration.indicators:
        if indicator.standardised is None:
            continue
        is_own = pc.and_(
            pc.equal(rows["indicator_id"], indicator.id),
            pc.and_(pc.greater(rows["denominator"], 0), pc.not_equal(rows["status"], NOT_COMPUTABLE)),
        )
        own = rows.filter(is_own)
        for year in sorted(set(years)):
            cells = own.filter(pc.equal(own["year"], year))
            unknown = cells["value"].null_count
            if unknown:
                yield (
                    f"{indicator.id} {year}: the standardised rate of {unknown:,} of {cells.num_rows:,} cells is not "
                    f"known, as nobody is in one of the strata of {indicator.standardised}."
                )
