"""Reading a few rows of a table as plain Python: what the commands that only look need, whoever reads.

``Store`` reads by Spark, ``DeltaReader`` without Spark and Java; both give the same rows. What is computed of a row is
written in the SQL that both run alike: names between backticks, ``CASE``, ``IN``, ``COUNT``, ``SUM``, ``COALESCE``.
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
    """The tables cannot be read so, with the sentence that says why; Spark may do it."""


class Reader(Protocol):
    """The tables of one output, read only."""

    @property
    def root(self) -> str:
        """The output as it was named."""

    def exists(self, table: Table) -> bool:
        """Whether the table has been made."""

    def properties(self, table: Table) -> dict[str, str]:
        """The table's properties."""

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

        ``columns``: what is given back, each with its SQL, which may be an aggregate in each; the declared columns
        without. Flags that the table lacks are null. ``distinct``: each row once.

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


def not_there(name: str, root: str) -> InputError:
    """What to raise when a table has not been made; ``name``: what it is called there."""
    return InputError(f"There is no table {name} in {root}: run the job that writes it first.")
