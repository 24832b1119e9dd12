"""What the stages with Polars share: scans of silver, code lists, the netting of corrections, ages, domiciles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl
import pyarrow as pa
from claimatlas.configuration.settings import AgeClass, GeographySettings

from benchmarks.facts import Facts
from benchmarks.peers.interface import INPUT_TABLES
from benchmarks.peers.polars_silver import TYPES

UNKNOWN, ALL = "unknown", "all"
SERVICE = ("beneficiary_id", "service_date", "nomenclature_code", "provider_id")
"""What makes lines one service and its corrections; a null provider is a value like any other."""
PREFERRED, SECOND = "31_december", "30_june"
"""The dates of a domicile."""

SCHEMAS = {of.name: {column.name: TYPES[column.kind] for column in of.columns} for of in INPUT_TABLES}

Files = dict[str, list[str]]
"""The Parquet files of each silver table."""


def scan(files: Files, name: str) -> pl.LazyFrame:
    """A silver table from its files, with the year that each file is filed under."""
    if not files[name]:
        return pl.LazyFrame(schema={**SCHEMAS[name], "year": pl.Int32})
    return pl.scan_parquet(files[name], glob=False, hive_partitioning=True, hive_schema={"year": pl.Int32})


def table(fact: pa.Table) -> pl.DataFrame:
    """A table of the configuration as Polars has it."""
    return pl.DataFrame(fact)


def codes_of(facts: Facts, lists: Iterable[str]) -> list[int]:
    """Every code of the lists, whenever valid: a filter that the scan can use."""
    codes: list[int] = table(facts.codes).filter(pl.col("list").is_in(list(lists)))["code"].unique().sort().to_list()
    return codes


def in_lists(facts: Facts, lists: Iterable[str]) -> pl.Expr:
    """Whether the code of a line belongs to one of the lists on the date of service."""
    rows = table(facts.codes).filter(pl.col("list").is_in(list(lists)))
    condition = pl.lit(value=False)
    for (first, last), codes in rows.group_by("valid_from", "valid_to", maintain_order=True):
        is_listed = pl.col("nomenclature_code").is_in(codes["code"].unique().sort().to_list())
        condition |= is_listed & pl.col("service_date").is_between(pl.lit(first), pl.lit(last))
    return condition


def services(lines: pl.LazyFrame, rules: dict[str, pl.Expr] | None = None) -> pl.LazyFrame:
    """Net the corrections: one row per service that counts.

    ``hospital_id`` is the lowest of its lines with a positive quantity; a rule holds when such a line meets it.
    """
    given = pl.col("quantity") > 0
    return (
        lines.group_by(SERVICE)
        .agg(
            pl.col("quantity").cast(pl.Int64).sum().alias("net_quantity"),
            pl.col("hospital_id").filter(given).min(),
            *[(given & rule).any().alias(name) for name, rule in (rules or {}).items()],
        )
        .filter(pl.col("net_quantity") > 0)
    )


def completed_years(birth: pl.Expr, on: pl.Expr) -> pl.Expr:
    """Completed years on a day, negative before birth; born on 29 February, a year older on 1 March."""
    on_day, birthday = (day.dt.month().cast(pl.Int32) * 100 + day.dt.day() for day in (on, birth))
    return on.dt.year() - birth.dt.year() - (on_day < birthday).cast(pl.Int32)


def age_category(age: pl.Expr, classes: Sequence[AgeClass]) -> pl.Expr:
    """The label of the class that holds an age; ``unknown`` for a negative or unknown one."""
    # Classes follow each other from 0, and the last one is open: the first one that has not ended.
    ends = [pl.when(age <= a.to).then(pl.lit(a.label)) for a in classes if a.to is not None]
    return pl.when(age >= 0).then(pl.coalesce(*ends, pl.lit(classes[-1].label))).otherwise(pl.lit(UNKNOWN))


def increased_reimbursement() -> pl.Expr:
    """``yes``, ``no`` or ``unknown`` from the boolean column."""
    right = pl.col("increased_reimbursement")
    text = pl.when(right).then(pl.lit("yes")).when(~right).then(pl.lit("no"))
    return text.otherwise(pl.lit(UNKNOWN)).alias("increased_reimbursement")


def with_domicile(population: pl.LazyFrame, facts: Facts, geography: GeographySettings) -> pl.LazyFrame:
    """Find ``municipality``, ``sector`` and ``domicile_source`` of each beneficiary-year.

    The first date counts whose code can be carried to the year; the sector is that of the same date.
    """
    carried = table(facts.carried).lazy()
    for day in (PREFERRED, SECOND):
        codes = carried.select("year", pl.col("code").alias(f"municipality_{day}"), pl.col("place").alias(f"_{day}"))
        population = population.join(codes, on=["year", f"municipality_{day}"], how="left")
    from_first, from_second = (pl.col(f"_{day}").is_not_null() for day in (PREFERRED, SECOND))

    def chosen(first: pl.Expr, second: pl.Expr, neither: pl.Expr | None = None) -> pl.Expr:
        return pl.when(from_first).then(first).when(from_second).then(second).otherwise(neither)

    sector = chosen(pl.col(f"sector_{PREFERRED}"), pl.col(f"sector_{SECOND}"))
    well_formed = sector.str.contains(f"^(?:{geography.sector_pattern})$")
    return population.with_columns(
        chosen(pl.col(f"_{PREFERRED}"), pl.col(f"_{SECOND}")).alias("municipality"),
        pl.when(well_formed & (pl.col("year") >= geography.sector_first_year)).then(sector).alias("sector"),
        chosen(pl.lit(PREFERRED), pl.lit(SECOND), pl.lit(UNKNOWN)).alias("domicile_source"),
    )
