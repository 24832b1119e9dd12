"""Tables of a folder written and made without Spark, by the package deltalake, with the columns that they declare."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from claimatlas.errors import InputError
from claimatlas.tables.schemas import Table

_NEEDS = "writing tables without Spark needs the package deltalake: install claimatlas[publish]."


def write_rows(
    folder: str, table: Table, rows: Sequence[tuple[Any, ...]], *, where: str | None = None, append: bool = False
) -> int:
    """Write rows in the order of the table's columns, in one commit; gives back the table's new version.

    They take the place of the whole table, or of the rows that ``where`` holds for, or come beside them.

    Raises:
        InputError: the package is not there, or the folder cannot be written.
    """
    try:
        from arro3.core import Array, DataType, Field, Schema  # noqa: PLC0415 - only what publishes needs them
        from arro3.core import Table as ArrowTable  # noqa: PLC0415
        from deltalake import DeltaTable, write_deltalake  # noqa: PLC0415
        from deltalake.exceptions import DeltaError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise InputError(_NEEDS) from None
    types = {
        "string": DataType.string(),
        "int": DataType.int32(),
        "bigint": DataType.int64(),
        "double": DataType.float64(),
        "boolean": DataType.bool(),
        "timestamp": DataType.timestamp("us", tz="UTC"),
    }
    columns = list(zip(*rows, strict=True)) or [()] * len(table.columns)
    if len(columns) != len(table.columns):
        raise ValueError(f"{table.name}: rows have {len(columns)} values, the table {len(table.columns)} columns")
    arrays, fields = [], []
    for column, values in zip(table.columns, columns, strict=True):
        kind = types[column.type]
        if column.type == "timestamp":
            micros = [None if value is None else round(value.timestamp() * 1_000_000) for value in values]
            arrays.append(Array(micros, DataType.int64()).cast(kind))
        else:
            arrays.append(Array(list(values), kind))
        fields.append(Field(column.name, kind, nullable=not column.required))
    path = Path(folder, *table.name.split("/"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = {"mode": "append" if append else "overwrite"}
        if where and path.joinpath("_delta_log").is_dir():
            options["predicate"] = where
        write_deltalake(
            str(path),
            ArrowTable.from_arrays(arrays, schema=Schema(fields)),
            partition_by=list(table.partitioned_by) or None,
            configuration={"delta.deletedFileRetentionDuration": table.retention} if table.retention else None,
            description=table.comment,
            **options,
        )
        return int(DeltaTable(str(path)).version())
    except (DeltaError, OSError) as error:
        raise InputError(f"{path} cannot be written ({type(error).__name__}).") from None


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can enter."""
    folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    folder.chmod(stat.S_IRWXU)
