"""The gold stage with Polars: deliveries, and the cells of every indicator.

Each population is reduced to its finest counts before anything is rolled up, so that the cube costs the same for a
thousand people and for ten million.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import polars as pl
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.indicators import Indicator

from benchmarks.facts import Facts, read_facts
from benchmarks.peers.polars_deliveries import compute_deliveries
from benchmarks.peers.polars_rules import (
    ALL,
    UNKNOWN,
    Files,
    age_category,
    codes_of,
    in_lists,
    increased_reimbursement,
    scan,
    services,
    table,
    with_domicile,
)

Z = 1.959963984540054
CELL = ["year", "geo_level", "geo_code"]
SECTOR, HOSPITAL = "sector", "hospital"
CONTACTS = ("contact_gp", "contact_gynaecologist", "contact_midwife", "contact_physiotherapist", "contact_specialist")

HOSPITAL_DELIVERY = pl.col("delivery_kind").is_in(["caesarean", "vaginal_hospital"])
NIGHTS = pl.col("nights_after_delivery")
EVERY = pl.col("year").is_not_null()
"""Every member; a literal would be one value for a whole group."""
NO_CONTACT = ~pl.any_horizontal(CONTACTS)

FORMULAS: dict[str, tuple[pl.Expr, pl.Expr]] = {
    "stat_013_023": (EVERY, pl.col("quantity") > 0),
    "cube_013_023": (EVERY, pl.col("quantity") > 0),
    "stat_013_024": (EVERY, pl.col("quantity")),
    "cube_007_001a_denom": (EVERY, EVERY),
    "cube_007_003a": (EVERY, pl.col("prenatal_contact")),
    "cube_007_004a": (EVERY, pl.col("prenatal_gdm_test")),
    "cube_007_005a": (EVERY, pl.col("prenatal_technical")),
    "cube_007_006b": (HOSPITAL_DELIVERY, pl.col("delivery_kind") == "caesarean"),
    "cube_007_007a": (HOSPITAL_DELIVERY & NIGHTS.is_not_null(), NIGHTS),
    "cube_007_008a": (EVERY, NO_CONTACT),
    "cube_007_008b": (HOSPITAL_DELIVERY, NO_CONTACT),
    "cube_007_009a": (EVERY, ~pl.col("contact_midwife")),
}
"""Which members of its population each indicator counts, and what each of them adds to the numerator."""


def run_gold(files: Files, gold: Path, configuration: Configuration, years: Sequence[int]) -> dict[str, int]:
    """Write the deliveries and the cells of the years; gives back how many there are."""
    facts = read_facts(configuration, years)
    gold.mkdir(parents=True, exist_ok=True)
    deliveries = compute_deliveries(files, configuration, facts, years)
    deliveries.write_parquet(gold / "deliveries.parquet", compression="snappy")
    reached = _complete_through(files)
    cells = pl.concat(
        [
            _cells(_beneficiary_counts(files, configuration, facts, years), "beneficiary_years", configuration, facts),
            _cells(_delivery_counts(deliveries, configuration), "deliveries", configuration, facts),
        ]
    )
    cells = _published(cells, configuration, years, reached)
    cells.write_parquet(gold / "cells.parquet", compression="snappy")
    return {"rows_read": _rows(files), "deliveries": deliveries.height, "cells": cells.height}


def _rows(files: Files) -> int:
    return sum(scan(files, name).select(pl.len()).collect().item() for name in files)


def _complete_through(files: Files) -> date | None:
    """The latest service date: it is in the last of the years that the claims are filed under."""
    last_year = max((int(Path(path).parent.name.removeprefix("year=")) for path in files["claims"]), default=0)
    claims = scan(files, "claims").filter(pl.col("year") == last_year)
    found: date | None = claims.select(pl.col("service_date").max()).collect(engine="streaming").item()
    return found


def _indicators(population: Population, configuration: Configuration) -> list[Indicator]:
    return [indicator for indicator in configuration.indicators if indicator.population == population]


def _measures(indicators: Sequence[Indicator]) -> list[pl.Expr]:
    """The denominator and numerator of each indicator, as aggregates over members."""
    measures = []
    for indicator in indicators:
        is_counted, share = FORMULAS[indicator.id]
        shares = share.cast(pl.Int64).fill_null(0)
        measures.append(is_counted.cast(pl.Int64).sum().alias(f"denominator_{indicator.id}"))
        measures.append(pl.when(is_counted).then(shares).otherwise(0).sum().alias(f"numerator_{indicator.id}"))
    return measures


def _beneficiary_counts(files: Files, configuration: Configuration, facts: Facts, years: Sequence[int]) -> pl.DataFrame:
    """Count the beneficiary-years by place, sector and dimensions; the exams are summed per person before."""
    settings = configuration.settings
    lists = configuration.services.beneficiary_services["imaging_therapeutic"].code_lists
    lines = scan(files, "claims").filter(
        pl.col("year").is_in(list(years)), pl.col("nomenclature_code").is_in(codes_of(facts, lists))
    )
    exams = (
        services(lines.filter(in_lists(facts, lists)))
        .group_by("beneficiary_id", pl.col("service_date").dt.year().alias("year"))
        .agg(pl.col("net_quantity").sum().alias("quantity"))
        .collect(engine="streaming")
    )
    # On 31 December nobody's birthday is still to come.
    age = pl.col("year") - pl.col("birth_date").dt.year()
    people = scan(files, "population").filter(pl.col("year").is_in(list(years)))
    members = (
        with_domicile(people, facts, settings.geography)
        .join(exams.lazy(), on=["beneficiary_id", "year"], how="left")
        .select(
            "year",
            "municipality",
            "sector",
            age_category(age, settings.age_categories.beneficiaries).alias("age_category"),
            increased_reimbursement(),
            pl.col("sex").fill_null(UNKNOWN),
            pl.col("quantity").fill_null(0),
        )
    )
    measures = _measures(_indicators("beneficiary_years", configuration))
    key = ["year", "municipality", "sector", *configuration.dimensions.of("beneficiary_years")]
    return members.group_by(key).agg(measures).collect(engine="streaming")


def _delivery_counts(deliveries: pl.DataFrame, configuration: Configuration) -> pl.DataFrame:
    """Count the deliveries by place, hospital and dimensions."""
    dimension = {name: kind.dimension for name, kind in configuration.services.delivery_types.items()}
    typed = deliveries.with_columns(
        pl.col("delivery_type").alias("delivery_kind"), pl.col("delivery_type").replace_strict(dimension)
    )
    key = ["year", "municipality", "hospital_id", *configuration.dimensions.of("deliveries")]
    return typed.group_by(key).agg(_measures(_indicators("deliveries", configuration)))


def _cells(finest: pl.DataFrame, population: Population, configuration: Configuration, facts: Facts) -> pl.DataFrame:
    """The cells of each indicator of a population, with numerator and denominator."""
    dimensions, indicators = configuration.dimensions.of(population), _indicators(population, configuration)
    measures = [name for name in finest.columns if name.startswith(("denominator_", "numerator_"))]
    sums = [pl.col(name).sum() for name in measures]
    of_places = finest.group_by("year", "municipality", *dimensions).agg(sums)
    places = table(facts.places).rename({"place": "municipality"})
    placed = [of_places.join(places, on=["year", "municipality"], nulls_equal=True)]
    below = {SECTOR: "sector", HOSPITAL: "hospital_id"}
    for level, column in below.items():
        if column in finest.columns:
            rows = finest.filter(pl.col(column).is_not_null())
            placed.append(rows.with_columns(pl.lit(level).alias("geo_level"), pl.col(column).alias("geo_code")))
    columns = [*CELL, *dimensions, *measures]
    by_level = pl.concat([rows.select(columns) for rows in placed])
    parts = []
    for split in product((True, False), repeat=len(dimensions)):
        kept = [name for name, is_split in zip(dimensions, split, strict=True) if is_split]
        rows = by_level
        if not kept:
            rows = pl.concat([by_level.select(CELL + measures), table(facts.units)], how="diagonal")
        summed = [pl.lit(ALL).alias(name) for name in dimensions if name not in kept]
        parts.append(rows.group_by(CELL + kept).agg(sums).with_columns(summed).select(columns))
    cube = pl.concat(parts)
    return pl.concat([_of_indicator(cube, indicator, dimensions) for indicator in indicators])


def _of_indicator(cube: pl.DataFrame, indicator: Indicator, dimensions: Sequence[str]) -> pl.DataFrame:
    """The cells that an indicator has: with members, and each unit of the vintage as a whole."""
    denominator = pl.col(f"denominator_{indicator.id}")
    summed_over = [pl.col(name) == ALL for name in dimensions if name not in indicator.dimensions]
    is_unit = pl.all_horizontal(
        ~pl.col("geo_level").is_in([SECTOR, HOSPITAL]), *[pl.col(name) == ALL for name in indicator.dimensions]
    )
    every = ("age_category", "increased_reimbursement", "delivery_type", "sex")
    return cube.filter(
        pl.col("geo_level").is_in(indicator.levels),
        pl.col("year") >= indicator.first_year,
        (denominator > 0) | is_unit,
        *summed_over,
    ).select(
        pl.lit(indicator.id).alias("indicator_id"),
        *CELL,
        pl.col("year").alias("geo_vintage"),
        *[pl.col(name) if name in dimensions else pl.lit(ALL).alias(name) for name in every],
        pl.col(f"numerator_{indicator.id}").alias("numerator"),
        denominator.alias("denominator"),
    )


def _status(indicator: Indicator, year: int, configuration: Configuration, reached: date | None) -> str:
    if any(configuration.empty_code_lists_of_flag(flag) for flag in indicator.numerator.flags):
        return "not_computable"
    last = date(year, 12, 31)
    flags = configuration.services.delivery_flags
    if any(flags[name].window == "postnatal" for name in indicator.numerator.flags):
        last += timedelta(days=configuration.settings.all_windows["postnatal"].last_day)
    return "final" if reached is not None and reached >= last else "provisional"


def _published(
    cells: pl.DataFrame, configuration: Configuration, years: Sequence[int], reached: date | None
) -> pl.DataFrame:
    """Value, interval and status of each cell."""
    declared = [
        (indicator.id, indicator.unit, year, _status(indicator, year, configuration, reached))
        for indicator in configuration.indicators
        for year in years
    ]
    types = {"indicator_id": pl.String, "unit": pl.String, "year": pl.Int32, "status": pl.String}
    unit, n, k = pl.col("unit"), pl.col("denominator").cast(pl.Float64), pl.col("numerator")
    share = k / n
    shrink = 1 + Z * Z / n
    centre = (share + Z * Z / (2 * n)) / shrink
    half_width = Z / shrink * (share * (1 - share) / n + Z * Z / (4 * n * n)).sqrt()
    low = pl.when(k == 0).then(0.0).otherwise(pl.max_horizontal(0.0, 100 * (centre - half_width)))
    high = pl.when(k == n).then(100.0).otherwise(pl.min_horizontal(100.0, 100 * (centre + half_width)))
    ratio = pl.when(unit == "mean_nights").then(k / n).otherwise(100 * k / n)
    value = pl.when(unit == "count").then(k.cast(pl.Float64)).when(n > 0).then(ratio)
    computable, has_interval = pl.col("status") != "not_computable", (unit == "percent") & (n > 0)
    return (
        cells.join(pl.DataFrame(declared, types, orient="row"), on=["indicator_id", "year"])
        .with_columns(
            value.alias("value"),
            pl.when(has_interval).then(low).alias("ci_low"),
            pl.when(has_interval).then(high).alias("ci_high"),
        )
        .with_columns(pl.when(computable).then(pl.col("numerator", "value", "ci_low", "ci_high")))
        .select(*cells.columns, "value", "ci_low", "ci_high", "status")
        .sort(cells.columns[:9])
    )
