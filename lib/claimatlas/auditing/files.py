"""What readers have: the published tables of an output, or a folder with the files that they can download."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.schemas import LEDGER, PUBLISHED_CELLS, Table, configured

Row = dict[str, Any]
AUDIT = "audit.json"
_NUMBERS = {"int": int, "bigint": int, "double": float}


@dataclass(frozen=True)
class Folder:
    """Cells of every release; the releases that the ledger names; settings as ``audit.json`` has them."""

    cells: list[Row]
    ledger: frozenset[int] = frozenset()
    settings: dict[str, Any] = field(default_factory=dict)


def read_folder(folder: str, configuration: Configuration) -> Folder:
    """Read the published tables; where there are none, every CSV file below the folder that has their columns.

    Raises:
        InputError: there are neither; a file's value is none of its column; two files disagree about a cell.
    """
    reader = DeltaReader(folder)
    table = configured(PUBLISHED_CELLS, configuration)
    if reader.exists(PUBLISHED_CELLS):
        named = reader.rows(LEDGER, columns={"release": "release"}, distinct=True) if reader.exists(LEDGER) else []
        return Folder(reader.rows(table), frozenset(row["release"] for row in named))
    cells: dict[tuple[Any, ...], Row] = {}
    releases: set[int] = set()
    for file in sorted(Path(folder).rglob("*.csv")) if Path(folder).is_dir() else ():
        for row in _rows_of(file, table):
            before = cells.setdefault(_key(row, configuration.dimensions.names), row)
            if before != row:
                raise InputError(f"{file}: {row['indicator_id']}, {row['geo_code']}: another file has other values.")
        if file.name.startswith("ledger"):
            releases.update(row["release"] for row in _rows_of(file, LEDGER))
    if not cells:
        raise InputError(
            f"{folder} has no published/cells, and no CSV file with its columns: run `claimatlas protect` first."
        )
    settings = _settings(Path(folder))
    releases.update(settings.get("releases", ()))
    return Folder(list(cells.values()), frozenset(releases), settings)


def _key(row: Row, dimensions: Sequence[str]) -> tuple[Any, ...]:
    names = ("release", "indicator_id", "year", "geo_level", "geo_code")
    return tuple(row[name] for name in (*names, *dimensions))


def _rows_of(file: Path, table: Table) -> Iterator[Row]:
    """The rows of a file that has the columns of a table; none of any other file."""
    kinds = {column.name: column.type for column in table.columns}
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = csv.DictReader(opened)
        if not set(kinds) <= set(rows.fieldnames or ()):
            return
        for number, row in enumerate(rows, start=2):
            yield {name: _value(row[name], kind, f"{file}, line {number}: {name}") for name, kind in kinds.items()}


def _value(text: str | None, kind: str, where: str) -> Any:  # noqa: ANN401 - by the column's type
    if not text:
        return None
    if kind not in _NUMBERS:
        return text
    try:
        return _NUMBERS[kind](text)
    except ValueError:
        raise InputError(f"{where}: it is no number.") from None


def _settings(folder: Path) -> dict[str, Any]:
    """What the publisher says of the method; nothing where there is no such file.

    Raises:
        InputError: it is no JSON object.
    """
    found = sorted(folder.rglob(AUDIT))
    if not found:
        return {}
    try:
        settings = json.loads(found[0].read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{found[0]}: it is no JSON: {error}") from None
    if not isinstance(settings, dict):
        raise InputError(f"{found[0]}: it is no JSON object.")
    return settings
