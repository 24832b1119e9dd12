"""Share of members with unknown domicile; they are counted at country level only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.checks.findings import UNKNOWN_DOMICILE, Finding, Subject
from claimatlas.configuration import Configuration
from claimatlas.configuration.settings import Checks
from claimatlas.population.domicile import carrying_table, with_domicile
from claimatlas.population.spans import by_year
from claimatlas.tables.schemas import UNKNOWN


def beneficiaries_by_domicile(population: DataFrame, configuration: Configuration, years: Sequence[int]) -> DataFrame:
    """Count the beneficiary-years of ``years`` by domicile, as the indicators do.

    Grain in: one row per beneficiary-year, or span, of silver. Grain out: that of ``by_domicile``.
    """
    rows = by_year(population, configuration, years).where(F.col("year").isin(list(years)))
    # Sectors do not matter for whether a domicile is known.
    return by_domicile(
        with_domicile(rows, carrying_table(rows.sparkSession, configuration, years), None, configuration)
    )


def by_domicile(members: DataFrame) -> DataFrame:
    """Count members by ``domicile_source``, such as the rows of ``silver/deliveries``.

    Grain out: one row per ``year``: ``members``, and ``unknown``: those whose domicile is unknown.
    """
    unknown = F.count_if(F.col("domicile_source") == UNKNOWN)
    return members.groupBy("year").agg(F.count(F.lit(1)).alias("members"), unknown.alias("unknown"))


def judge_domicile(
    population: str, counts: Mapping[int, tuple[int, int]], years: Sequence[int], bounds: Checks
) -> Iterator[Finding]:
    """Judge the share of unknown domiciles of each of ``years``; ``counts``: members and unknown ones by year."""
    bound = bounds.largest_unknown_domicile
    for year, (members, unknown) in sorted(counts.items()):
        if year not in years or not members:
            continue
        share = unknown / members
        sentence = (
            f"{population} {year}: the domicile of {unknown:,} of {members:,} ({100 * share:.2f} %) is unknown, where "
            f"{100 * bound:g} % is allowed."
        )
        subject: Subject = {"population": population, "year": year}
        yield Finding(UNKNOWN_DOMICILE, subject, share, bound, share <= bound, sentence, members)
