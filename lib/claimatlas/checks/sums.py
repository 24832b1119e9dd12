"""Whether published counts add up, across levels of place and across dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.checks.nesting import nesting
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.settings import HOSPITAL, SECTOR
from claimatlas.services import all_of, any_of
from claimatlas.tables.schemas import ALL, CELL_DIMENSIONS

PUBLISHED, PLACES, WITH_UNKNOWN, MEMBERS = "published", "places", "places_and_unknown", "members"
"""The cell itself; the sum of its smallest places; that sum with those whose domicile is unknown; all who were counted
before there were cells."""
FIGURES = ("numerator", "denominator")
_CELL = ("geo_level", "geo_code", *CELL_DIMENSIONS)


class Members(NamedTuple):
    """How many members a population has in a year, and how many of them have an unknown domicile."""

    number: int
    unknown_domicile: int


Counted = Mapping[tuple[str, int], Members]
"""The members that were counted, by the population's name and the year."""


def measure_sums(cells: DataFrame, configuration: Configuration, years: Sequence[int], counted: Counted) -> DataFrame:
    """Compare every published count with the sums that it must be, in one pass over the cells.

    Grain in: one row per cell, as in gold; indicators that the configuration does not declare are left out. Grain
    out: one row per ``indicator_id``, ``year``, ``geo_level`` and ``sum``, with ``compared`` and ``wrong`` (how many
    cells), and ``example``: the first wrong cell with its ``published_`` and ``summed_numerator`` and
    ``_denominator``, and ``exact``: whether they had to be equal.

    ``sum`` is ``places`` (a larger place is its smallest places; the country may be more, as it counts unknown
    domiciles), ``places_and_unknown`` (the country's denominator is its smallest places and the unknown domiciles of
    ``counted``), ``members`` (it is the number of ``counted``, where there is one country), ``hospital`` or ``sector``
    (together not more than the country), or a dimension (``all`` is its values, ``unknown`` too). What is not
    computable counts as 0 on both sides.
    """
    totals = _totals(cells, configuration, years)
    comparisons = F.explode(_comparisons(configuration, years, counted)).alias("_sum")
    compared = totals.select("indicator_id", "year", *_CELL, comparisons)
    pairs = [(F.col(f"_sum.summed_{figure}"), F.col(f"_sum.published_{figure}")) for figure in FIGURES]
    equal = all_of(summed == published for summed, published in pairs)
    not_more = all_of(summed <= published for summed, published in pairs)
    is_right = F.when(F.col("_sum.exact"), equal).otherwise(not_more)
    example = F.struct(*_CELL[1:], "_sum.*")
    return compared.groupBy("indicator_id", "year", "geo_level", F.col("_sum.sum").alias("sum")).agg(
        F.count(F.lit(1)).alias("compared"),
        F.count_if(~is_right).alias("wrong"),
        F.min(F.when(~is_right, example)).alias("example"),
    )


def _totals(cells: DataFrame, configuration: Configuration, years: Sequence[int]) -> DataFrame:
    """Each cell as published and as the sum of each kind of parts.

    Grain out: one row per cell that is published or that has a part: ``<part>_numerator`` and ``<part>_denominator``
    for ``published``, ``places``, hospital, sector and each dimension, 0 without any; ``_whole``: whether its places
    are all of it, null when it is not made of places.
    """
    geography = configuration.settings.geography
    finest = {
        level: [i.id for i in configuration.indicators if _finest(i, geography.levels) == level]
        for level in geography.levels
    }
    finest_level = F.coalesce(*[F.when(_is_one_of(ids), F.lit(level)) for level, ids in finest.items()])
    declared = _is_one_of([indicator.id for indicator in configuration.indicators])
    judged = cells.where(declared & F.col("year").isin(list(years))).withColumn("_finest", finest_level)
    places = nesting(cells.sparkSession, configuration, [level for level, ids in finest.items() if ids], years)
    placed = judged.join(F.broadcast(places), on=["year", "_finest", "geo_level", "geo_code"], how="left")
    counted_in = F.explode(_counted_in(configuration, years)).alias("_cell")
    rows = placed.select("indicator_id", "year", *FIGURES, counted_in)
    sums = [
        F.coalesce(F.sum(F.when(F.col("_cell.part") == part, F.col(figure))), F.lit(0)).alias(f"{part}_{figure}")
        for part in (PUBLISHED, PLACES, HOSPITAL, SECTOR, *CELL_DIMENSIONS)
        for figure in FIGURES
    ]
    key = [F.col(f"_cell.{name}").alias(name) for name in _CELL]
    return rows.groupBy("indicator_id", "year", *key).agg(*sums, F.bool_or("_cell.whole").alias("_whole"))


def _counted_in(configuration: Configuration, years: Sequence[int]) -> Column:
    """The cells that a row counts in: its own, and each one that it is a part of."""

    def cell(part: str, whole: Column, **changed: Column) -> Column:
        values = [changed.get(name, F.col(name)).alias(name) for name in _CELL]
        return F.struct(*values, F.lit(part).alias("part"), whole.alias("whole"))

    geography = configuration.settings.geography
    nothing, everything = F.lit(None).cast("boolean"), F.lit(ALL)
    country = {"geo_level": F.lit(geography.country_level), "geo_code": _country(configuration, years)}
    own = [
        cell(PUBLISHED, F.col("_whole")),
        *[F.when(F.col(name) != ALL, cell(name, nothing, **{name: everything})) for name in CELL_DIMENSIONS],
        *[
            F.when((F.col("geo_level") == level) & country["geo_code"].isNotNull(), cell(level, nothing, **country))
            for level in (HOSPITAL, SECTOR)
        ],
    ]
    has_level = {level: _has_level(configuration, level) for level in geography.levels}
    published = F.filter(
        "_parents", lambda parent: any_of((parent["geo_level"] == level) & has for level, has in has_level.items())
    )
    larger = F.transform(
        published,
        lambda parent: cell(PLACES, parent["whole"], geo_level=parent["geo_level"], geo_code=parent["geo_code"]),
    )
    itself = F.array_compact(F.array(*own))
    return F.when(F.col("_parents").isNull(), itself).otherwise(F.concat(itself, larger))


def _comparisons(configuration: Configuration, years: Sequence[int], counted: Counted) -> Column:
    """What a cell is compared with: an array of the sums that it must be."""

    def against(name: str, exact: Column, summed: Sequence[Column]) -> Column:
        both = [F.col(f"{PUBLISHED}_{figure}") for figure in FIGURES]
        return F.struct(
            F.lit(name).alias("sum"),
            exact.alias("exact"),
            *[column.alias(f"published_{figure}") for figure, column in zip(FIGURES, both, strict=True)],
            *[column.alias(f"summed_{figure}") for figure, column in zip(FIGURES, summed, strict=True)],
        )

    def sums_of(part: str) -> list[Column]:
        return [F.col(f"{part}_{figure}") for figure in FIGURES]

    is_country = F.col("geo_level") == configuration.settings.geography.country_level
    found = [F.when(F.col("_whole").isNotNull(), against(PLACES, F.col("_whole"), sums_of(PLACES)))]
    for level in (HOSPITAL, SECTOR):
        has_parts = is_country & _has_level(configuration, level)
        found.append(F.when(has_parts, against(level, F.lit(False), sums_of(level))))
    for name in CELL_DIMENSIONS:
        is_split = _is_one_of([indicator.id for indicator in configuration.indicators if name in indicator.dimensions])
        found.append(F.when((F.col(name) == ALL) & is_split, against(name, F.lit(True), sums_of(name))))
    total = is_country & all_of(F.col(name) == ALL for name in CELL_DIMENSIONS)
    members, unknown = _counted(configuration, counted)
    numerator, places = F.col(f"{PUBLISHED}_numerator"), F.col(f"{PLACES}_denominator")
    has_domiciles = _has_level(configuration, configuration.settings.geography.domicile_level)
    with_unknown = against(WITH_UNKNOWN, F.lit(True), [numerator, places + unknown])
    found.append(F.when(total & has_domiciles & unknown.isNotNull(), with_unknown))
    is_only_country = _country(configuration, years).isNotNull()
    all_members = against(MEMBERS, F.lit(True), [numerator, members])
    found.append(F.when(total & is_only_country & members.isNotNull(), all_members))
    return F.array_compact(F.array(*found))


def _counted(configuration: Configuration, counted: Counted) -> tuple[Column, Column]:
    """How many members the whole population has, and without a place; null where nobody says."""
    number, unknown = F.lit(None).cast("bigint"), F.lit(None).cast("bigint")
    for (population, year), members in counted.items():
        of_all = [i.id for i in configuration.indicators if i.population == population and i.denominator is None]
        holds = _is_one_of(of_all) & (F.col("year") == year)
        number = F.when(holds, F.lit(members.number).cast("bigint")).otherwise(number)
        unknown = F.when(holds, F.lit(members.unknown_domicile).cast("bigint")).otherwise(unknown)
    return number, unknown


def _country(configuration: Configuration, years: Sequence[int]) -> Column:
    """The code of the country in a row's year; null where there are several."""
    level = configuration.settings.geography.country_level
    code = F.lit(None).cast("string")
    for year in sorted(set(years)):
        codes = {place.parents[level] for place in configuration.geography.vintage(year).values()}
        if len(codes) == 1:
            code = F.when(F.col("year") == year, F.lit(codes.pop())).otherwise(code)
    return code


def _finest(indicator: Indicator, levels: Sequence[str]) -> str | None:
    """The smallest of an indicator's places, the sector apart."""
    return max((level for level in indicator.levels if level in levels), key=levels.index, default=None)


def _has_level(configuration: Configuration, level: str) -> Column:
    return _is_one_of([indicator.id for indicator in configuration.indicators if level in indicator.levels])


def _is_one_of(ids: Sequence[str]) -> Column:
    return F.col("indicator_id").isin(list(ids)) if ids else F.lit(False)
