"""Read tables without Spark and Java, with the package `deltalake`: see ``Reader``.

It uses the package's SQL: the plain reader refuses deletion vectors, which corrections leave in silver.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltalake import DeltaTable, QueryBuilder

from claimatlas.paths import is_made, is_remote, quoted
from claimatlas.tables.cell_tables import cell_tables_of
from claimatlas.tables.reader import NotReadableError, Row, Value, Where, missing_table, named, values_of

if TYPE_CHECKING:
    from arro3.core import RecordBatchReader

    from claimatlas.tables.schemas import Table

READ_FEATURES = frozenset({"deletionVectors"})
"""The table features, beyond Delta's first protocol, that the package is known to read correctly."""

_TABLE = "claimatlas_table"


class DeltaReader:
    """The tables of one output in a folder or an object store, read only, as they were when each was first opened."""

    def __init__(self, output: str, options: Mapping[str, str] | None = None) -> None:
        """Name the output; ``options``: how `deltalake` gets into the object store that it lies in."""
        self._root = output.rstrip("/")
        self._options = dict(options or {})
        self._opened: dict[tuple[str, int | None], DeltaTable] = {}

    @property
    def root(self) -> str:
        """The output as it was named."""
        return self._root

    @cached_property
    def cell_tables(self) -> tuple[Table, Table]:
        """The tables of cells, under the names that the output has.

        Raises:
            NotReadableError: the releases cannot be read so.
        """
        return cell_tables_of(self)

    def exists(self, table: Table) -> bool:
        """Whether the table has been made.

        Raises:
            NotReadableError: the object store does not tell.
        """
        if not is_remote(self._root):
            return is_made(Path(self._path(table)))
        with self._opening(table):
            return bool(DeltaTable.is_deltatable(self._path(table), self._options))

    def properties(self, table: Table) -> dict[str, str]:
        """The table's properties.

        Raises:
            NotReadableError: the table cannot be read so.
        """
        opened = self._open(table, None)
        with self._opening(table):
            return dict(opened.metadata().configuration)

    def columns(self, table: Table) -> list[str]:
        """The columns that a table has, in their order.

        Raises:
            NotReadableError: the table cannot be read so.
        """
        opened = self._open(table, None)
        with self._opening(table):
            return [field.name for field in opened.schema().fields]

    def rows(
        self,
        table: Table,
        columns: Mapping[str, str] | None = None,
        where: Where | None = None,
        *,
        version: int | None = None,
        distinct: bool = False,
    ) -> list[Row]:
        """A few rows as plain Python: see ``Reader``.

        Raises:
            NotReadableError: the table cannot be read so.
        """
        found = self.batches(table, columns, where, version=version, distinct=distinct)
        rows: list[Row] = []
        with self._opening(table):
            for batch in found:
                values = [batch.column(position).to_pylist() for position in range(batch.num_columns)]
                rows += [dict(zip(batch.column_names, row, strict=True)) for row in zip(*values, strict=True)]
        return rows

    def batches(
        self,
        table: Table,
        columns: Mapping[str, str] | None = None,
        where: Where | None = None,
        *,
        version: int | None = None,
        distinct: bool = False,
    ) -> RecordBatchReader:
        """The rows of ``rows`` as a stream of Arrow: ``pyarrow.table`` takes it, and so do Polars and DuckDB.

        Raises:
            NotReadableError: the table cannot be read so.
        """
        if not self.exists(table):
            raise missing_table(table.name, self._root)
        opened = self._open(table, version)
        given = named(*table.column_names) if columns is None else columns
        wanted = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in given.items())
        conditions = " AND ".join(_condition(name, values) for name, values in (where or {}).items())
        # Names are declared ones, values literals.
        sql = f"SELECT {'DISTINCT ' if distinct else ''}{wanted} FROM {_source(table, opened)}"  # noqa: S608
        with self._opening(table):
            query = QueryBuilder().register(_TABLE, opened)
            return query.execute(f"{sql} WHERE {conditions}" if conditions else sql)

    def _path(self, table: Table) -> str:
        return f"{self._root}/{table.name}" if is_remote(self._root) else f"{Path(self._root).resolve()}/{table.name}"

    def _open(self, table: Table, version: int | None) -> DeltaTable:
        key = (table.name, version)
        if key not in self._opened:
            with self._opening(table):
                opened = DeltaTable(self._path(table), version=version, storage_options=self._options or None)
                unknown = _unknown_features(opened)
            if unknown:
                raise NotReadableError(
                    f"The table {table.name} in {self._root} has features that only Spark can read: "
                    f"{', '.join(unknown)}."
                )
            self._opened[key] = opened
        return self._opened[key]

    @contextmanager
    def _opening(self, table: Table) -> Iterator[None]:
        """Turn any error of the package into one sentence of ours: its own message may quote data."""
        try:
            yield
        except BaseException as error:
            # A panic in its Rust code is not an Exception.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise NotReadableError(
                f"The table {table.name} in {self._root} cannot be read without Spark (deltalake: "
                f"{type(error).__name__})."
            ) from error


def _unknown_features(opened: DeltaTable) -> list[str]:
    """The table features that a reader needs and that were not tried with this package."""
    protocol = opened.protocol()
    if protocol.min_reader_version == 1:
        return []
    if protocol.min_reader_version == 2:
        return ["columnMapping"]
    if protocol.min_reader_version == 3:
        return sorted(set(protocol.reader_features or []) - READ_FEATURES)
    return [f"reader version {protocol.min_reader_version}"]


def _source(table: Table, opened: DeltaTable) -> str:
    """The table, with nulls for declared columns that it lacks."""
    there = {field.name for field in opened.schema().fields}
    lacking = [
        f"CAST(NULL AS {column.type}) AS {quoted(column.name)}" for column in table.declared if column.name not in there
    ]
    return f"(SELECT *, {', '.join(lacking)} FROM {_TABLE})" if lacking else _TABLE  # noqa: S608 - declared names


def _condition(name: str, wanted: Value | Collection[Value]) -> str:
    values, may_be_null = values_of(wanted)
    column = quoted(name)
    among = f"{column} IN ({', '.join(map(_literal, values))})" if values else "FALSE"
    return f"({among} OR {column} IS NULL)" if may_be_null else among


def _literal(value: Any) -> str:  # noqa: ANN401 - text or a whole number
    return str(value) if isinstance(value, int) else "'{}'".format(value.replace("'", "''"))
