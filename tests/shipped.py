"""The tables and inputs as the configuration that ships declares them."""

from __future__ import annotations

from claimatlas.configuration import load_configuration
from claimatlas.ingest.contract import input_tables, population_input
from claimatlas.tables import schemas
from claimatlas.tables.schemas import configured

CONFIGURATION = load_configuration()
DIMENSIONS = CONFIGURATION.dimensions.names
CELL_TABLES = CONFIGURATION.settings.tables
"""The names of the tables of cells."""
CELLS = schemas.cell_tables(CELL_TABLES)
IMAGING, POSTNATAL, POPULATION, PUBLISHED_CELLS = (
    configured(table, CONFIGURATION) for table in (*CELLS, schemas.POPULATION, schemas.PUBLISHED_CELLS)
)
RELEASES = schemas.releases_table(CELLS)
RELEASED = (*CELLS, schemas.COMPARISONS)
"""The tables that are published together, with the columns that every configuration has."""
POPULATION_INPUT = population_input(CONFIGURATION)
INPUT_TABLES = input_tables(CONFIGURATION)
