"""What is odd but kept: counts of rows that deserve a look, and the span of the claims."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


@dataclass(frozen=True)
class ClaimsSpan:
    """The first and last service date of the accepted claims; ``None`` when there are none."""

    first: date | None
    last: date | None


def inspect_claims(claims: DataFrame) -> tuple[dict[str, int], ClaimsSpan]:
    """Count accepted lines whose code has a wrong check digit, and find the span of service dates.

    The check digit is the sixth digit: the first five modulo 7.
    """
    code = F.col("nomenclature_code")
    wrong = F.floor(code / 10) % 7 != code % 10
    row = claims.agg(
        F.count_if(wrong).alias("wrong_check_digit"),
        F.min("service_date").alias("first"),
        F.max("service_date").alias("last"),
    ).collect()[0]
    return {"wrong_check_digit": row["wrong_check_digit"]}, ClaimsSpan(row["first"], row["last"])


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
