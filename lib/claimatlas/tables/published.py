"""The published tables of cells, read back."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.tables.releases import CELL_TABLES, Published
from claimatlas.tables.schemas import ALL, CELL_DIMENSIONS, Table
from claimatlas.tables.store import Store


def tables_of_cells(store: Store) -> list[DataFrame]:
    """Those that have been made, as they are published."""
    return list(cells_by_table(Published.now(store)).values())


def cells_by_table(published: Published[Store]) -> dict[Table, DataFrame]:
    """The tables of cells of a release, those that it has."""
    return {table: cells for table in CELL_TABLES if (cells := published.read(table)) is not None}


def newest_cells(store: Store) -> list[DataFrame]:
    """Those that have been made, published or not: for the run that writes them."""
    return [store.read(table) for table in CELL_TABLES if store.exists(table)]


def over_all_dimensions(cells: DataFrame) -> DataFrame:
    """The cells that are split by nothing but place: one row per indicator, year and place."""
    for dimension in CELL_DIMENSIONS:
        cells = cells.where(F.col(dimension) == ALL)
    return cells


def of_country(cells: DataFrame, country_level: str, years: Sequence[int]) -> DataFrame:
    """The cells of the whole country, split by nothing: one row per indicator and year."""
    in_country = cells.where((F.col("geo_level") == country_level) & F.col("year").isin(list(years)))
    return over_all_dimensions(in_country)
