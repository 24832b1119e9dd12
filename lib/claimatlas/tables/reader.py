"""Read a few rows of a table as plain Python, for the commands that only read.

``Store`` reads by Spark, ``DeltaReader`` without Spark and Java; both give the same rows. Computed columns use the SQL
that both run alike: names between backticks, ``CASE``, ``IN``, ``COUNT``, ``SUM``, ``COALESCE``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from claimatlas.errors import InputError
from claimatlas.paths import quoted

if TYPE_CHECKING:
    from claimatlas.tables.schemas import Table

Row = dict[str, Any]
"""A row by its columns. Instants are aware, in UTC."""
Value = str | int | None
Where = Mapping[str, Value | Collection[Value]]
"""The rows whose columns have these values, or one of these; ``None`` is a null."""


class NotReadableError(Exception):
    """This reader cannot read the tables, and the message says why. Spark may be able to."""


class Reader(Protocol):
    """The tables of one output, read only."""

    @property
    def root(self) -> str:
        """The output as it was named."""

    def exists(self, table: Table) -> bool:
        """Whether the table has been made."""

    @property
    def cell_tables(self) -> tuple[Table, Table]:
        """The table of the cells of beneficiary-years and that of deliveries, under the names that the output has."""

    def properties(self, table: Table) -> dict[str, str]:
        """The table's properties."""

    def columns(self, table: Table) -> list[str]:
        """The columns that a table has, in their order."""

    def rows(
        self,
        table: Table,
        columns: Mapping[str, str] | None = None,
        where: Where | None = None,
        *,
        version: int | None = None,
        distinct: bool = False,
    ) -> list[Row]:
        """The rows of a table, or of one of its versions, in no order.

        ``columns``: the columns to return, each with its SQL, all of which may be aggregates; by default the declared
        columns. Flags that the table lacks are null. ``distinct``: each row once.

        Raises:
            InputError: the table is not there.
        """


def named(*columns: str) -> dict[str, str]:
    """Columns as ``Reader.rows`` takes them, under their own names."""
    return {name: quoted(name) for name in columns}


def values_of(wanted: Value | Collection[Value]) -> tuple[list[str | int], bool]:
    """The values that a column may have, and whether it may be null."""
    found = list(wanted) if isinstance(wanted, Collection) and not isinstance(wanted, str) else [wanted]
    return [value for value in found if value is not None], None in found


def missing_table(name: str, root: str) -> InputError:
    """The error for a table that does not exist; ``name``: its name at the location."""
    return InputError(f"There is no table {name} in {root}: run the job that writes it first.")
