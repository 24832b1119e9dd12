"""Beneficiary-years out of spans of enrolment, and enrolment without a gap around a delivery.

Spans of one beneficiary may overlap or follow each other in any order; together they are what she is enrolled for.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.configuration.settings import MemberOn
from claimatlas.tables.schemas import ENROLLED_AFTER, ENROLLED_BEFORE

_OPEN = "9999-12-31"
_MAX_DAYS = 36_524
"""A hundred years: of an open span nobody knows how long it goes on."""


def by_year(population: DataFrame, configuration: Configuration, years: Sequence[int]) -> DataFrame:
    """The population as beneficiary-years.

    Of an input of person-years the rows as they are, of any year. Of spans those of ``years``: a beneficiary is a
    member of a year as ``population.member_on`` says. Her birth date, sex, what dimensions are read from, and
    domicile on 31 December are those of the span that holds that day, else of the span of the year that begins last;
    her domicile on 30 June is that of the span that holds it. Of several spans that hold a day the one that begins last
    counts.

    Grain out: one row per ``beneficiary_id`` and ``year``, with the columns of a ``silver/population`` of person-years.
    """
    settings = configuration.settings.population
    if not settings.are_spans:
        return population
    first, last = F.make_date("year", F.lit(1), F.lit(1)), F.make_date("year", F.lit(12), F.lit(31))
    middle = F.make_date("year", F.lit(6), F.lit(30))
    touched = (
        _together(population)
        .drop("year")
        .withColumn("year", F.explode(F.array(*[F.lit(year) for year in sorted(set(years))]).cast("array<int>")))
        .where((F.col("start_date") <= last) & (F.col("_end") >= first))
    )
    person = ("birth_date", "sex", *[own.name for own in configuration.dimensions.population_columns])
    values = (*person, "municipality", "sector")
    span = F.struct((F.col("_end") >= last).alias("holds"), "start_date", "_end", *values)
    holds_middle = (F.col("start_date") <= middle) & (F.col("_end") >= middle)
    members = touched.groupBy("beneficiary_id", "year").agg(
        F.max(span).alias("span"),
        F.max(F.when(holds_middle, F.struct("start_date", "_end", "municipality", "sector"))).alias("middle"),
        F.max(_is_member(settings.member_on, first, last)).alias("_is_member"),
    )
    return members.where("_is_member").select(
        "beneficiary_id",
        *[F.col("span").getField(name).alias(name) for name in person],
        F.col("span.municipality").alias("municipality_31_december"),
        F.col("middle.municipality").alias("municipality_30_june"),
        F.col("span.sector").alias("sector_31_december"),
        F.col("middle.sector").alias("sector_30_june"),
        "year",
    )


def _is_member(member_on: MemberOn | None, first: Column, last: Column) -> Column:
    """Whether a span of a year, or those that it goes on with, make a member of it."""
    if member_on == "any_day":
        return F.lit(True)
    if member_on == "whole_year":
        return (F.col("_enrolled_from") <= first) & (F.col("_enrolled_until") >= last)
    return F.col("_end") >= last


def enrolment_around(deliveries: DataFrame, population: DataFrame) -> DataFrame:
    """For how many days a beneficiary is enrolled without a gap before and after her delivery.

    Grain in: one row per delivery; one row per span. Grain out: one row per ``delivery_id`` on a day that a span holds:
    ``enrolled_days_before`` and ``enrolled_days_after``, both of a hundred years at most.
    """
    mothers = F.broadcast(
        deliveries.select(F.col("beneficiary_id").alias("_mother"), "delivery_id", "delivery_date").distinct()
    )
    holds_delivery = (
        (F.col("beneficiary_id") == F.col("_mother"))
        & (F.col("start_date") <= F.col("delivery_date"))
        & (F.col("delivery_date") <= F.col("_end"))
    )
    of_mothers = population.join(
        mothers.select(F.col("_mother").alias("beneficiary_id")).distinct(), on="beneficiary_id", how="left_semi"
    )
    before = F.datediff("delivery_date", "_enrolled_from")
    after = F.datediff("_enrolled_until", "delivery_date")
    return (
        _together(of_mothers)
        .join(mothers, on=holds_delivery, how="inner")
        .groupBy("delivery_id")
        .agg(
            F.max(F.least(before, F.lit(_MAX_DAYS))).cast("int").alias(ENROLLED_BEFORE),
            F.max(F.least(after, F.lit(_MAX_DAYS))).cast("int").alias(ENROLLED_AFTER),
        )
    )


def _together(spans: DataFrame) -> DataFrame:
    """Each span with its end (``_end``; an open one is far away), and the first and last day of all that it joins.

    Spans join when they share a day or the one begins on the day after the other. Grain in and out: one row per span.
    """
    ended = spans.withColumn("_end", F.coalesce("end_date", F.lit(_OPEN).cast("date")))
    in_order = Window.partitionBy("beneficiary_id").orderBy("start_date", "_end")
    reached = F.max("_end").over(in_order.rowsBetween(Window.unboundedPreceding, -1))
    begins = F.coalesce(F.datediff("start_date", reached) > 1, F.lit(True)).cast("int")
    numbered = ended.withColumn("_begins", begins).withColumn(
        "_group", F.sum("_begins").over(in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    )
    group = Window.partitionBy("beneficiary_id", "_group").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    return numbered.select(
        *[F.col(name) for name in ended.columns],
        F.min("start_date").over(group).alias("_enrolled_from"),
        F.max("_end").over(group).alias("_enrolled_until"),
    )
