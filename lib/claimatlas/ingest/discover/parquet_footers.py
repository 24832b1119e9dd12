"""Inspect the footers of Parquet files, without Spark."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimatlas.errors import InputError
from claimatlas.ingest.discover.source import Layout, Source

_THREADS = 8
_NULL = "Null"
"""The type of a column that no row has a value in."""
_MAX_LAYOUTS = 200
"""The most layouts that are read: each takes a query of its own."""


def with_footers(source: Source) -> Source:
    """The source with the facts of its files' footers. Without PyArrow the source stays as it is.

    Raises:
        InputError: naming a file that has none.
    """
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 - a cluster may do without
    except ImportError:
        return source
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(lambda file: _footer(source.table, file), source.files))
    footers = dict(zip(source.files, found, strict=True))
    # A column without any value in a file has no type that could differ.
    differing = _differing([footer.types for footer in found])
    by_layout: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for file, footer in footers.items():
        nulls = footer.nulls & differing | {name for name, of in footer.types.items() if of == _NULL}
        types = {name: _NULL if name in nulls else of for name, of in footer.types.items()}
        by_layout.setdefault(tuple(sorted(types.items())), []).append(file)
    layouts = tuple(
        Layout(
            tuple(files),
            tuple(dict.fromkeys(path.partition(".")[0] for path, _ in types)),
            footers[files[0]].nanoseconds,
            frozenset(path for path, of in types if of == _NULL),
        )
        for types, files in by_layout.items()
    )
    if len(layouts) > _MAX_LAYOUTS:
        raise InputError(
            f"{source.table}: the files in {source.location} have {len(layouts)} different layouts of columns, more "
            f"than the {_MAX_LAYOUTS} that are read together: write them anew with the same columns and types."
        )
    return dataclasses.replace(source, layouts=layouts, rows={file: footer.rows for file, footer in footers.items()})


@dataclass(frozen=True)
class _Footer:
    """The footer of a file: the type of each column, and the columns without any value."""

    types: dict[str, str]
    nanoseconds: dict[str, bool]
    nulls: set[str]
    rows: int


def _differing(of_files: Sequence[Mapping[str, str]]) -> set[str]:
    """The columns that are not of one type in all files that have them."""
    first: dict[str, str] = {}
    return {name for types in of_files for name, of in types.items() if first.setdefault(name, of) != of}


def _footer(table: str, file: Path) -> _Footer:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        footer = pq.read_metadata(file)
        columns = [footer.schema.column(position) for position in range(len(footer.schema))]
        nulls = {column.path for position, column in enumerate(columns) if _has_no_value(footer, position)}
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        raise InputError(
            f"{table}: {file} cannot be read: it is no Parquet file, or it is damaged or was removed meanwhile."
        ) from None
    types = {
        column.path: _NULL
        if str(column.logical_type) == _NULL
        else f"{column.physical_type} {column.logical_type} {column.length} {column.max_repetition_level}"
        for column in columns
    }
    nanoseconds = {
        column.path: "isAdjustedToUTC=true" in str(column.logical_type)
        for column in columns
        if column.physical_type == "INT64" and "timeUnit=nanoseconds" in str(column.logical_type)
    }
    return _Footer(types, nanoseconds, nulls, footer.num_rows)


def _has_no_value(footer: Any, position: int) -> bool:  # noqa: ANN401 - PyArrow has no types
    """Whether a column of a file is null in every row, as its statistics say for certain."""
    if not footer.num_rows:
        return False
    for group in range(footer.num_row_groups):
        chunk = footer.row_group(group).column(position)
        statistics = chunk.statistics
        if statistics is None or not statistics.has_null_count or statistics.null_count != chunk.num_values:
            return False
    return True
