"""A Delta table in a folder of this machine, written and read without Spark.

A commit of Spark costs some five queries of its own, seconds for a table of a few rows. Here the package ``deltalake``
makes it, which checks columns and constraints too. It is for folders only: of an object store Spark's and the package's
ways to keep two writers apart may not exclude each other.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from claimatlas.errors import ClaimatlasError, InputError
from claimatlas.paths import is_made
from claimatlas.tables.schemas import DECLARED_PROPERTY, Column, Table

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable

LOG = "_delta_log"
FIRST_COMMIT = f"{0:020}.json"
_READER, _WRITER = 1, 3
"""The highest Delta protocol that is written here: constraints, but no table features such as deletion vectors."""
_TYPES = {"int": "integer", "bigint": "long"}
_ELEMENT = "array<"


class UnreadableError(Exception):
    """The rows of a table cannot be read without Spark."""


class LocalTable:
    """A table at a path."""

    def __init__(self, path: str) -> None:
        """Open the table as it is now. The object shows this state until it writes itself."""
        from deltalake import DeltaTable  # noqa: PLC0415 - its import is not for every command

        self.path = path
        self._now = DeltaTable(path)

    @classmethod
    def at(cls, path: str) -> LocalTable | None:
        """The table at a path, if it can be written here; ``None`` if Spark must do it."""
        if find_spec("deltalake") is None or not is_made(Path(path)):
            return None
        from deltalake.exceptions import DeltaError  # noqa: PLC0415

        try:
            table = cls(path)
        except DeltaError:
            return None  # Spark reports what is wrong with it.
        protocol = table._now.protocol()
        fits = protocol.min_reader_version <= _READER and protocol.min_writer_version <= _WRITER
        return table if fits and _excludes_others(Path(path, LOG)) else None

    def number_of_rows(self, version: int | None = None) -> int:
        """The number of rows of a version, by default the newest, from the log.

        Raises:
            UnreadableError: the version is not there any more.
        """
        with _reading():
            files = pa.table(self._opened(version).get_add_actions(flatten=True))
        return sum(files["num_records"].to_pylist()) if files.num_rows else 0

    def rows_by_year(self) -> dict[int | None, int]:
        """The number of rows for each value of the partition column ``year``, from the log."""
        files = pa.table(self._now.get_add_actions(flatten=True))
        found: dict[int | None, int] = {}
        if files.num_rows:
            for year, rows in zip(files["partition.year"].to_pylist(), files["num_records"].to_pylist(), strict=True):
                found[year] = found.get(year, 0) + rows
        return found

    def files(self, version: int | None = None) -> list[str]:
        """The paths of a version's files, the newest version's by default.

        Raises:
            UnreadableError: the version is not there any more.
        """
        with _reading():
            files = pa.table(self._opened(version).get_add_actions())
        # The log holds paths in the form of URIs.
        return sorted(f"{self.path}/{unquote(path)}" for path in files["path"].to_pylist())

    def without_year(self) -> pa.Table:
        """The rows whose ``year`` is null, of a table that is partitioned by it."""
        return self._now.to_pyarrow_dataset().to_table(filter=pc.field("year").is_null())

    def rows(self, version: int | None = None) -> pa.Table:
        """The rows of a version, the newest by default.

        Raises:
            UnreadableError: the version, or a file of it, is not there any more.
        """
        with _reading():
            return self._opened(version).to_pyarrow_table()

    def schema(self) -> dict[str, Any]:
        """The table's schema as Delta's log writes it."""
        schema: dict[str, Any] = json.loads(self._now.schema().to_json())
        return schema

    def append(self, rows: pa.Table, metadata: Mapping[str, str]) -> None:
        """Add rows, in one commit.

        Raises:
            ClaimatlasError: a row breaks a constraint of the table.
        """
        self._write(rows, "append", None, metadata)

    def replace(self, rows: pa.Table, where: str | None, metadata: Mapping[str, str]) -> None:
        """Put rows in place of the whole table, or of exactly the rows that ``where`` holds for, in one commit.

        Raises:
            ClaimatlasError: a row breaks a constraint of the table, or ``where`` does not hold for it.
        """
        self._write(rows, "overwrite", where, metadata)

    def fitted(self, rows: pa.Table, table: Table) -> pa.Table:
        """Rows as the table takes them, with the declared columns that it lacks added to it first.

        A column of the table that is no longer declared holds ``table.without`` in them.
        """
        from deltalake.schema import Field, PrimitiveType  # noqa: PLC0415

        there = [field["name"] for field in self.schema()["fields"]]
        lacking = [column for column in table.declared if column.name not in there]
        if lacking:
            self._now.alter.add_columns(
                [
                    Field(column.name, PrimitiveType(column.type), metadata={"comment": column.comment})
                    for column in lacking
                ]
            )
            self.set_properties({DECLARED_PROPERTY: ",".join(table.ever_declared(self.properties()))})
        for name in there:
            if table.has_declared and name not in rows.column_names:
                rows = rows.append_column(name, pa.array([table.without] * rows.num_rows, pa.string()))
        return rows

    def delete(self, where: str, metadata: Mapping[str, str]) -> None:
        """Delete the rows that a condition holds for; without any there is no commit."""
        self._now.delete(None if where == "true" else where, commit_properties=_commit(metadata))

    def version(self) -> int:
        """The number of the newest commit that this object has seen or made."""
        return int(self._now.version())

    def properties(self) -> dict[str, str]:
        """The table's properties."""
        return dict(self._now.metadata().configuration)

    def set_properties(self, properties: Mapping[str, str]) -> None:
        """Set properties, in one commit."""
        self._now.alter.set_table_properties(dict(properties), raise_if_not_exists=False)

    def history(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The commits that are kept, the newest first, with ``version`` and their own metadata."""
        return self._now.history(limit)

    def _opened(self, version: int | None) -> DeltaTable:
        if version is None:
            return self._now
        from deltalake import DeltaTable  # noqa: PLC0415 - as above

        return DeltaTable(self.path, version=version)

    def _write(self, rows: pa.Table, mode: str, where: str | None, metadata: Mapping[str, str]) -> None:
        from deltalake import write_deltalake  # noqa: PLC0415
        from deltalake.exceptions import DeltaError  # noqa: PLC0415

        commit = _commit(metadata)
        try:
            if mode == "append":
                write_deltalake(self._now, rows, mode="append", commit_properties=commit)
            else:
                write_deltalake(self._now, rows, mode="overwrite", predicate=where, commit_properties=commit)
        except DeltaError as error:
            if "failed validation" not in str(error):
                raise
            # The package's message quotes rows.
            raise ClaimatlasError(
                f"Internal error: rows for {Path(self.path).name} break a constraint of the table. Nothing was written."
            ) from None


def _commit(metadata: Mapping[str, str]) -> CommitProperties:
    from deltalake import CommitProperties  # noqa: PLC0415

    # Spark reads the text back as `userMetadata` of its history.
    return CommitProperties(custom_metadata={"userMetadata": json.dumps(metadata, sort_keys=True)})


@contextmanager
def _reading() -> Iterator[None]:
    from deltalake.exceptions import DeltaError  # noqa: PLC0415

    try:
        yield
    except (DeltaError, OSError) as error:
        raise UnreadableError(str(error)) from error


def create(path: str, table: Table, properties: Mapping[str, str]) -> bool:
    """Create a table by its first commit, as Spark's CREATE TABLE does. Gives back false if Spark must do it.

    ``properties``: the table's own, constraints included.
    """
    log = Path(path, LOG)
    log.mkdir(parents=True, exist_ok=True)
    if not _excludes_others(log):
        with suppress(OSError):  # Spark takes any folder of that name for an existing table.
            log.rmdir()
        return False
    now = time.time_ns() // 1_000_000
    version = _WRITER if table.constraints else 2
    actions = (
        {"commitInfo": {"timestamp": now, "operation": "CREATE TABLE", "operationParameters": {}}},
        {
            "metaData": {
                "id": str(uuid.uuid4()),
                "description": table.comment,
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps(schema_of(table)),
                "partitionColumns": list(table.partitioned_by),
                "configuration": dict(properties),
                "createdTime": now,
            }
        },
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": version}},
    )
    _put(log / FIRST_COMMIT, "".join(json.dumps(action) + "\n" for action in actions))
    return True


def write_rows(
    folder: str, table: Table, rows: Sequence[Sequence[object]], *, where: str | None = None, append: bool = False
) -> int:
    """Write rows of values below a folder, and make the table if need be; gives back the table's new version.

    They replace the whole table, or the rows that ``where`` holds for, or are appended.

    Raises:
        InputError: the folder cannot be written.
        ClaimatlasError: a row breaks a constraint of the table.
    """
    from deltalake.exceptions import DeltaError  # noqa: PLC0415 - its import is not for every command

    path = Path(folder, *table.name.split("/"))
    try:
        if not is_made(path):
            create(str(path), table, table.properties)
        local = LocalTable.at(str(path))
        if local is None:
            raise InputError(f"{path} cannot be written without Spark.")
        found = local.fitted(as_rows(rows, table), table)
        if append:
            local.append(found, {})
        else:
            local.replace(found, where, {})
        return local.version()
    except (DeltaError, OSError) as error:
        raise InputError(f"{path} cannot be written ({type(error).__name__}).") from None


def schema_of(table: Table) -> dict[str, Any]:
    """The table's schema as Delta's log writes it, with comments and NOT NULL."""
    return {"type": "struct", "fields": [_field(column) for column in table.columns]}


def as_rows(rows: Sequence[Sequence[object]], table: Table) -> pa.Table:
    """Rows of values in the order of the table's columns."""
    types = {"int": pa.int32(), "bigint": pa.int64(), "double": pa.float64(), "boolean": pa.bool_()}
    types |= {"string": pa.string(), "date": pa.date32(), "timestamp": pa.timestamp("us", "UTC")}
    types |= {f"array<{name}>": pa.list_(kind) for name, kind in types.items()}
    values = list(zip(*rows, strict=True)) or [()] * len(table.columns)
    arrays = [pa.array(list(given), types[column.type]) for given, column in zip(values, table.columns, strict=True)]
    return pa.table(arrays, names=table.column_names)


def _field(column: Column) -> dict[str, Any]:
    kind: Any = _TYPES.get(column.type, column.type)
    if column.type.startswith(_ELEMENT):
        element = column.type.removeprefix(_ELEMENT).removesuffix(">")
        kind = {"type": "array", "elementType": _TYPES.get(element, element), "containsNull": True}
    return {"name": column.name, "type": kind, "nullable": not column.required, "metadata": {"comment": column.comment}}


def _put(file: Path, text: str) -> None:
    """Write a commit completely or not at all, and never over another commit.

    Raises:
        FileExistsError: another program has made the table meanwhile.
    """
    draft = file.with_name(f".{file.name}.{uuid.uuid4().hex}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)


@cache
def _excludes_others(folder: Path) -> bool:
    """Whether the file system has hard links, by which a commit excludes another; a mounted object store has none."""
    name = uuid.uuid4().hex
    first, second = folder / f".{name}.1.tmp", folder / f".{name}.2.tmp"
    try:
        first.touch(exist_ok=False)
        os.link(first, second)
    except OSError:
        return False
    finally:
        for file in (first, second):
            with suppress(OSError):
                file.unlink(missing_ok=True)
    return True
