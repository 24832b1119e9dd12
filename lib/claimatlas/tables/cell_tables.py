"""The names that an output gives to its tables of cells: each country's own, told by ``gold/releases``."""

from __future__ import annotations

from typing import get_args

from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.settings import CellTables
from claimatlas.errors import InputError
from claimatlas.tables.reader import Reader
from claimatlas.tables.schemas import RELEASES, Table, cell_tables, cell_tables_among

POPULATIONS: tuple[Population, ...] = get_args(Population)
"""The populations, in the order of their tables of cells."""


def cell_tables_of(reader: Reader, names: CellTables | None = None) -> tuple[Table, Table]:
    """The table of the cells of beneficiary-years and that of deliveries; ``names``: where there is no release yet."""
    if reader.exists(RELEASES):
        return cell_tables(cell_tables_among(reader.columns(RELEASES)))
    return cell_tables(names or CellTables())


def cells_of(population: Population, reader: Reader) -> Table:
    """The table of a population's cells, without its dimensions: ``configured`` adds them."""
    return reader.cell_tables[POPULATIONS.index(population)]


def require_names(reader: Reader, names: CellTables) -> None:
    """Refuse an output whose tables of cells have other names than these.

    Raises:
        InputError: naming both.
    """
    there, wanted = (
        " and ".join(table.name for table in tables) for tables in (reader.cell_tables, cell_tables(names))
    )
    if there != wanted:
        raise InputError(
            f"The cells of {reader.root} are in {there}, and the settings name {wanted} (tables): name those that are "
            "there, or choose another --output."
        )
