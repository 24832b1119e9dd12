"""Which rates and medians can be published: their values do not follow from their own numerator and denominator.

A standardised rate can, where the counts of its strata are published: it follows from them. A median can, at one level
of place and of no split, where nothing else that is published counts the same: no two such groups share a member.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from claimatlas.configuration.indicators import MEDIAN, Indicator
from claimatlas.configuration.load import Configuration
from claimatlas.configuration.published_counts import Mixed, is_related
from claimatlas.configuration.settings import HOSPITAL

Merged = Mapping[str, Mapping[str, str]]
"""For each dimension the values that are published as another."""


def values_that_tell_more(
    published: Sequence[Indicator], configuration: Configuration, merged: Merged, depths: Mapping[str, int]
) -> Iterator[Mixed]:
    """The standardised rates and the medians that cannot be protected beside the others, each with what to do.

    ``depths``: of each level that is published, by how many dimensions a cell is split at most.
    """
    for indicator in published:
        if indicator.standardised is not None:
            yield from _of_rate(indicator, published, configuration, merged, depths)
        elif indicator.unit == MEDIAN:
            yield from _of_median(indicator, published, configuration, depths)


def _of_rate(
    rate: Indicator,
    published: Sequence[Indicator],
    configuration: Configuration,
    merged: Merged,
    depths: Mapping[str, int],
) -> Iterator[Mixed]:
    standard = configuration.standards[str(rate.standardised)]
    if not any(_has_strata(other, rate, standard.dimension, depths) for other in published):
        by = ", ".join((*rate.dimensions, standard.dimension))
        yield (
            rate.id,
            f"it is a standardised rate, and no published indicator counts the same at its levels by {by}: declare one",
        )
    if max((depths.get(level, -1) for level in rate.levels), default=-1) < 1:
        yield rate.id, "it is a standardised rate, and the plan has figures by strata at none of its levels: split one"
    names = merged.get(standard.dimension, {})
    values = configuration.dimensions.values(standard.dimension, rate.population)
    for name in dict.fromkeys(names.get(value, value) for value in standard.strata):
        held = [value for value in values if names.get(value, value) == name]
        if len(held) > 1:
            strata = " and ".join(held)
            yield rate.id, f"it is a standardised rate, and the strata {strata} are published as one: part them"


def _has_strata(other: Indicator, rate: Indicator, dimension: str, depths: Mapping[str, int]) -> bool:
    """Whether the cells of another indicator are those of a rate and of its strata."""
    return (
        other.standardised is None
        and other.population == rate.population
        and other.numerator == rate.numerator
        and (other.denominator.meaning if other.denominator else None)
        == (rate.denominator.meaning if rate.denominator else None)
        and {*rate.dimensions, dimension} <= set(other.dimensions)
        and set(rate.levels) <= set(other.levels)
        # Who is counted by hospital is counted in tables of their own.
        and (HOSPITAL not in depths or (HOSPITAL in rate.levels) == (HOSPITAL in other.levels))
    )


def _of_median(
    median: Indicator, published: Sequence[Indicator], configuration: Configuration, depths: Mapping[str, int]
) -> Iterator[Mixed]:
    for other in published:
        if other is not median and other.population == median.population and is_related(median, other, configuration):
            yield median.id, f"it is a median of what {other.id} counts too: publish one of the two"
    levels = [level for level in median.levels if depths.get(level, -1) >= 0]
    if len(levels) > 1:
        # Of places within each other two majorities may leave a few for the rest.
        yield median.id, f"it is a median by {' and by '.join(levels)}: leave it one of these levels"
