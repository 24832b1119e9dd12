"""Read the published tables of cells."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.tables.releases import CELL_TABLES, Published
from claimatlas.tables.schemas import ALL, CELL_DIMENSIONS, Table
from claimatlas.tables.store import Store


def rows_by_table(published: Published[Store], years: Sequence[int] | None = None) -> dict[Table, pa.Table]:
    """The cells of a release in the driver, by table; of all years or of some."""
    return {table: rows for table in CELL_TABLES if (rows := published.arrow(table, years)) is not None}


def newest_rows(store: Store, years: Sequence[int]) -> pa.Table:
    """The newest cells of some years in the driver, published or not: for the run that writes them."""
    return pa.concat_tables([store.arrow(table, None, years) for table in CELL_TABLES if store.exists(table)])


def over_all_dimensions(cells: DataFrame) -> DataFrame:
    """The cells that are split by nothing but place: one row per indicator, year and place."""
    for dimension in CELL_DIMENSIONS:
        cells = cells.where(F.col(dimension) == ALL)
    return cells


def totals_of(cells: pa.Table) -> pa.Table:
    """The same of cells in the driver."""
    for dimension in CELL_DIMENSIONS:
        cells = cells.filter(pc.equal(cells[dimension], ALL))
    return cells


def of_country(cells: pa.Table, country_level: str) -> pa.Table:
    """The cells of the whole country, split by nothing: one row per indicator and year."""
    return totals_of(cells.filter(pc.equal(cells["geo_level"], country_level)))
