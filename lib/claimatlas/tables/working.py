"""A scratch store: it reads the tables it is given, and writes only to the work area."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame

from claimatlas.tables.schemas import Table
from claimatlas.tables.store import Store


class WorkingStore(Store):
    """A store that is given some of its tables, and writes its results as intermediate results of another store."""

    def __init__(self, base: Store, folder: str, inputs: Mapping[str, DataFrame]) -> None:
        """``inputs``: tables by name, of silver or computed from it."""
        super().__init__(base.spark, base.location.below(folder))
        self._inputs = dict(inputs)
        self._base = base

    @property
    def cell_tables(self) -> tuple[Table, Table]:
        """Those of the other store."""
        return self._base.cell_tables

    def provide(self, table: Table, rows: DataFrame) -> None:
        """Use ``rows`` as the table from now on."""
        self._inputs[table.name] = rows.select(*table.column_names)

    def exists(self, table: Table) -> bool:
        """Whether the table is one of the inputs, or has been made."""
        return table.name in self._inputs or super().exists(table)

    def read(self, table: Table) -> DataFrame:
        """An input, or a table made here."""
        return self._inputs[table.name] if table.name in self._inputs else super().read(table)
