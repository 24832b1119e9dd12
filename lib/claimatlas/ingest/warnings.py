"""What is odd but kept: counts of rows that deserve a look, and the span of the claims."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def claims_facts() -> dict[str, Column]:
    """What is noted of the claims: aggregates over rows of silver, those without a year (set aside) left out.

    ``wrong_check_digit``: lines whose code's sixth digit is not its first five modulo 7; ``first`` and ``last``: the
    span of the service dates, null when there is no line.
    """
    accepted = F.col("year").isNotNull()
    code = F.col("nomenclature_code")
    date = F.when(accepted, F.col("service_date"))
    return {
        "wrong_check_digit": F.count_if(accepted & (F.floor(code / 10) % 7 != code % 10)),
        "first": F.min(date),
        "last": F.max(date),
    }


def inspect_population(population: DataFrame, sector_pattern: str) -> dict[str, int]:
    """Count accepted beneficiary-years that are odd.

    An unknown sex, a birth date after the year, a sector code off its pattern (on either date).
    """
    off_pattern = [
        F.coalesce(~F.col(name).rlike(f"^({sector_pattern})$"), F.lit(False))
        for name in ("sector_31_december", "sector_30_june")
    ]
    row = population.agg(
        F.count_if(F.col("sex").isNull()).alias("unknown_sex"),
        F.count_if(F.year("birth_date") > F.col("year")).alias("birth_date_after_year"),
        F.count_if(off_pattern[0] | off_pattern[1]).alias("sector_off_pattern"),
    ).collect()[0]
    return {name: int(count) for name, count in row.asDict().items()}
