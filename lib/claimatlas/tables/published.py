"""Read the published tables of cells."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.tables.releases import Published
from claimatlas.tables.schemas import ALL, Table, dimensions_among
from claimatlas.tables.store import Store


def rows_by_table(published: Published[Store], years: Sequence[int] | None = None) -> dict[Table, pa.Table]:
    """The cells of a release in the driver, by table; of all years or of some."""
    return {table: rows for table in published.store.cell_tables if (rows := published.arrow(table, years)) is not None}


def newest_rows(store: Store, configuration: Configuration, years: Sequence[int]) -> pa.Table:
    """The newest cells of some years in the driver, published or not, ``aligned``: for the run that writes them."""
    tables = [store.arrow(table, None, years) for table in store.cell_tables if store.exists(table)]
    return pa.concat_tables([aligned(rows, configuration.dimensions.names) for rows in tables])


def aligned(cells: pa.Table, dimensions: Sequence[str]) -> pa.Table:
    """Cells with the columns of these dimensions, in their order, whatever configuration they were computed with.

    A dimension that was not declared then is null: not computed. Cells that are split by one that is no longer declared
    are left out.
    """
    there = dimensions_among(cells.column_names)
    for name in there:
        if name not in dimensions:
            is_split = pc.not_equal(pc.fill_null(cells[name], ALL), ALL)
            cells = cells.filter(pc.invert(is_split)).drop_columns([name])
    nothing = pa.nulls(cells.num_rows, pa.string())
    columns = {name: cells[name] if name in there else nothing for name in dimensions}
    others = {name: cells[name] for name in cells.column_names if name not in dimensions}
    return pa.table({**others, **columns})


def summed_where_null(cells: pa.Table) -> pa.Table:
    """The same cells with ``all`` where a dimension was not computed: such a cell is summed over it."""
    for name in dimensions_among(cells.column_names):
        values = pc.fill_null(cells[name], ALL)
        cells = cells.set_column(cells.schema.get_field_index(name), name, values)
    return cells


def over_all_dimensions(cells: DataFrame) -> DataFrame:
    """The cells that are split by nothing but place: one row per indicator, year and place."""
    for dimension in dimensions_among(cells.columns):
        cells = cells.where(F.coalesce(dimension, F.lit(ALL)) == ALL)
    return cells


def totals_of(cells: pa.Table) -> pa.Table:
    """The same of cells in the driver."""
    cells = summed_where_null(cells)
    for dimension in dimensions_among(cells.column_names):
        cells = cells.filter(pc.equal(cells[dimension], ALL))
    return cells


def of_country(cells: pa.Table, country_level: str) -> pa.Table:
    """The cells of the whole country, split by nothing: one row per indicator and year."""
    return totals_of(cells.filter(pc.equal(cells["geo_level"], country_level)))
