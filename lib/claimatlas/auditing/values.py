"""Published values: whether one tells more than the counts that are shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from claimatlas.auditing.figures import Published, count_names
from claimatlas.auditing.files import Row
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import MEDIAN, SCALES, Indicator
from claimatlas.configuration.publication import Publication
from claimatlas.configuration.published_counts import is_related
from claimatlas.configuration.rounding import BASE
from claimatlas.conventions import wilson_interval
from claimatlas.tables.schemas import ALL

DECIMALS = 4
_FIGURES = ("value", "ci_low", "ci_high")


def values_that_tell(
    rows: Collection[Row], found: Published, configuration: Configuration, publication: Publication
) -> list[str]:
    """One line for each value that tells hidden counts, and for each median that tells of few members.

    Where counts are rounded, one for each count that is not, and each value of other counts too.

    ``rows``: of a year and population of one release. ``found``: their figures. Whether a value is right by the units
    and weights of today is not asked: a former release may have had others.
    """
    indicators = {indicator.id: indicator for indicator in configuration.indicators}
    wrong = []
    for row in rows:
        indicator = indicators[row["indicator_id"]]
        if indicator.unit == MEDIAN:
            wrong += [
                f"median: {_name(row, configuration)}: {said}" for said in _of_median(row, configuration, publication)
            ]
        elif any(row[name] is not None for name in _FIGURES) and not _follows(
            row, indicator, found, configuration, publication
        ):
            wrong.append(f"value: {_name(row, configuration)}: it is shown, and a count that it is made from is hidden")
        if not publication.is_exact(row["geo_level"], configuration.settings.geography.country_level):
            wrong += [f"rounding: {_name(row, configuration)}: {said}" for said in _of_rounded(row, indicator)]
    there = [indicators[name] for name in sorted({row["indicator_id"] for row in rows if row["value"] is not None})]
    for median in (one for one in there if one.unit == MEDIAN):
        others = [one.id for one in there if one is not median and is_related(median, one, configuration)]
        wrong += [f"median: {median.id} is a median of what {other} counts too" for other in others]
    return sorted(wrong)


def medians_of_many_levels(rows: Iterable[Row], configuration: Configuration) -> list[str]:
    """One line for each median and year that is shown at several levels, by whichever releases: readers have all."""
    medians = {indicator.id for indicator in configuration.indicators if indicator.unit == MEDIAN}
    levels: dict[tuple[str, int], set[str]] = defaultdict(set)
    for row in rows:
        if row["indicator_id"] in medians and row["value"] is not None:
            levels[row["indicator_id"], row["year"]].add(row["geo_level"])
    return [
        f"median: {name}, {year}: it is shown by {' and by '.join(sorted(found))}, whose places share members"
        for (name, year), found in sorted(levels.items())
        if len(found) > 1
    ]


def _name(row: Row, configuration: Configuration) -> str:
    split = "/".join(row[name] or ALL for name in configuration.dimensions.names)
    place = f"{row['geo_level']} {row['geo_code']}"
    return f"{row['indicator_id']}, {row['year']}, {place}, {split}; release {row['release']}"


def _follows(
    row: Row, indicator: Indicator, found: Published, configuration: Configuration, publication: Publication
) -> bool:
    """Whether all counts are shown that a value is made from."""
    if row["numerator"] is None or row["denominator"] is None:
        return False
    if indicator.standardised is None:
        return True
    standard = configuration.standards[indicator.standardised]
    names = publication.published_as.get(standard.dimension, {})
    for stratum in standard.strata:
        of_stratum = {**row, standard.dimension: names.get(stratum, stratum)}
        split = tuple(of_stratum[name] or ALL for name in configuration.dimensions.names)
        place = (row["geo_level"], row["geo_code"], split)
        if any(found.values.get((count, *place)) is None for count in count_names(indicator)):
            return False
    return True


def _of_rounded(row: Row, indicator: Indicator) -> Iterator[str]:
    """What a row with rounded counts tells beyond them; of a rate of strata it is not asked, as weights may change."""
    numerator, denominator = row["numerator"], row["denominator"]
    for name, count in (("numerator", numerator), ("denominator", denominator)):
        if count is not None and count % BASE:
            yield f"its {name} is not rounded"
    if not indicator.follows_from_its_counts or numerator is None or denominator is None:
        return
    by_unit = {round(scale * numerator / denominator, DECIMALS) for scale in SCALES.values()} if denominator else {None}
    if row["value"] not in {float(numerator), *by_unit}:
        yield "its value is not that of its rounded counts"
    bounds = [round(100 * bound, DECIMALS) for bound in wilson_interval(numerator, denominator)] if denominator else []
    if not {row["ci_low"], row["ci_high"]} <= {None, *bounds}:
        yield "its interval is not that of its rounded counts"


def _of_median(row: Row, configuration: Configuration, publication: Publication) -> Iterator[str]:
    if row["numerator"] is not None:
        yield "the sum beside it is shown"
    if row["value"] is None:
        return
    if any((row[name] or ALL) != ALL for name in configuration.dimensions.names):
        yield "it is of a split, whose members other medians have too"
    if row["denominator"] is None:
        yield "the number of its members is hidden"
    elif publication.sure_count(row["denominator"]) < 2 * publication.k:
        yield f"half of its {row['denominator']} members may be fewer than {publication.k}"
