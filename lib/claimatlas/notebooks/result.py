"""The published cells of one indicator, as a notebook shows them: small numbers left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import UNIT_SIGNS, Indicator
from claimatlas.errors import InputError
from claimatlas.tables import cell_tables
from claimatlas.tables.published import over_all_dimensions
from claimatlas.tables.releases import Published
from claimatlas.tables.schemas import ALL, COMPARISONS, Table, dimensions_among
from claimatlas.tables.store import Store

UNITS = {**UNIT_SIGNS, "count": "number"}
"""What the value of an indicator is counted in."""

RELEASE = "release int, run_id string, published_at timestamp, note string"
"""The columns of ``release_of``."""

SHOWN = ("value", "ci_low", "ci_high", "denominator", "status")
"""The figures of a cell that are shown."""


def published_in(store: Store) -> Published[Store]:
    """The tables of gold as they are published now: a notebook stays with them, whatever is published meanwhile.

    Raises:
        InputError: nothing is published.
    """
    published = Published.now(store)
    if published.release is None:
        raise InputError(f"Nothing is published in {store.root}: run the main job first.")
    return published


def release_of(published: Published[Store]) -> dict[str, Any]:
    """The release: its number, run, moment and note."""
    release = published.release or {}
    return {name: release.get(name) for name in ("release", "run_id", "published_at", "note")}


def indicator_at(configuration: Configuration, name: str, level: str) -> Indicator:
    """The declaration of an indicator that has a level of place.

    Raises:
        InputError: there is none of this name, or it has other levels.
    """
    found = next((indicator for indicator in configuration.indicators if indicator.id == name), None)
    if found is None:
        known = ", ".join(indicator.id for indicator in configuration.indicators)
        raise InputError(f"The configuration declares no indicator {name}; it declares {known}.")
    if level not in found.levels:
        raise InputError(f"{name} has no level {level}; it has {', '.join(found.levels)}.")
    return found


def table_of(published: Published[Store], table: Table) -> DataFrame:
    """A table of gold, as it is published.

    Raises:
        InputError: it is not.
    """
    found = published.read(table)
    if found is None:
        root = published.store.root
        raise InputError(f"There is no published table {table.name} in {root}: run the main job first.")
    return found


def cells_of(published: Published[Store], indicator: Indicator) -> DataFrame:
    """The published cells of an indicator, of every year.

    Raises:
        InputError: there is none.
    """
    table = cell_tables.cells_of(indicator.population, published.store)
    cells = table_of(published, table).where(F.col("indicator_id") == indicator.id)
    if cells.isEmpty():
        raise InputError(f"There is no published cell of {indicator.id} in {published.store.root}.")
    return cells


def year_of(rows: DataFrame, asked: str) -> int:
    """The year that a notebook was asked for; the newest one without.

    Raises:
        InputError: these rows are of other years, or there are none.
    """
    years = sorted(row["year"] for row in rows.select("year").distinct().collect())
    if not years:
        raise InputError("There is no row of any year yet.")
    if asked and asked not in map(str, years):
        raise InputError(f"There is nothing of {asked} here; the years are {', '.join(map(str, years))}.")
    return int(asked) if asked else int(years[-1])


def by_year(cells: DataFrame, level: str) -> DataFrame:
    """The whole country over the years: one row per ``year``, split by nothing."""
    return over_all_dimensions(cells.where(F.col("geo_level") == level)).select("year", *SHOWN).orderBy("year")


def by_place(cells: DataFrame, level: str, year: int, least_denominator: int) -> DataFrame:
    """The places of a level in a year: one row per ``geo_code`` that may be shown, split by nothing.

    A place whose denominator is below ``least_denominator``, or without a value, is left out.
    """
    places = cells.where((F.col("geo_level") == level) & (F.col("year") == year))
    return enough(over_all_dimensions(places), least_denominator).select("geo_code", *SHOWN).orderBy("geo_code")


def by_dimension(cells: DataFrame, dimension: str, level: str, year: int, least_denominator: int) -> DataFrame:
    """The whole country in a year, split by one dimension: one row per value of it that may be shown."""
    split = cells.where((F.col("geo_level") == level) & (F.col("year") == year) & (F.col(dimension) != ALL))
    for other in dimensions_among(cells.columns):
        if other != dimension:
            split = split.where(F.coalesce(other, F.lit(ALL)) == ALL)
    return enough(split, least_denominator).select(dimension, *SHOWN).orderBy(dimension)


def name_of(configuration: Configuration, dimension: str, language: str) -> str:
    """What a dimension is called in a language; its column where it has no name there."""
    names = configuration.dimensions.declared[dimension].names
    return names.by_language.get(language, dimension) if names else dimension


def with_comparison(places: DataFrame, comparisons: DataFrame, indicator: str, level: str, year: int) -> DataFrame:
    """Add what a place is beside the country (``comparison``) and its five-year ``trend``; null where unknown."""
    same = comparisons.where(
        (F.col("indicator_id") == indicator) & (F.col("geo_level") == level) & (F.col("year") == year)
    )
    return places.join(same.select("geo_code", "comparison", "trend"), on="geo_code", how="left").orderBy("geo_code")


def compared_by_year(published: Published[Store], indicator: Indicator, level: str) -> DataFrame:
    """How many places of a level are lower, similar or higher than the country: one row per year and comparison."""
    comparisons = table_of(published, COMPARISONS)
    rows = comparisons.where((F.col("indicator_id") == indicator.id) & (F.col("geo_level") == level))
    known = rows.where(F.col("comparison").isNotNull()).groupBy("year", "comparison")
    return known.agg(F.count(F.lit(1)).alias("places")).orderBy("year", "comparison")


def enough(cells: DataFrame, least_denominator: int) -> DataFrame:
    """The cells with a value and a denominator of at least ``least_denominator``."""
    return cells.where(F.col("value").isNotNull() & (F.col("denominator") >= least_denominator))


def as_rows(shown: DataFrame) -> list[dict[str, Any]]:
    """The rows of a small table, for a figure."""
    return [row.asDict() for row in shown.collect()]


def in_order(rows: Sequence[dict[str, Any]], name: str, order: Sequence[str]) -> list[dict[str, Any]]:
    """The rows in the order in which their ``name`` stands in ``order``; others come last."""
    position = {value: number for number, value in enumerate(order)}
    return sorted(rows, key=lambda row: (position.get(row[name], len(position)), row[name]))
