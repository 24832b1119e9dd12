"""Raw tables written to, and read from, folders in the input format of section 6."""

import csv
import io
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reference.model import Malformed, Row, Tables
from reference.parse import COLUMNS, parse_any_int, parse_bool, parse_date, trimmed


def header_of(table: str, rows: list[Any]) -> list[str]:
    """The columns that the rows have, in the specification's order, then columns that it does not know.

    Columns that may not be null always are there; a table without rows has all of them.
    """
    met = {column for row in rows if not isinstance(row, Malformed) for column in row}
    specified = [column for column, _, may_be_null in COLUMNS[table] if column in met or not may_be_null or not met]
    return specified + sorted(met - set(specified))


def write_csv(tables: Tables, folder: Path, *, files: int = 1) -> None:
    """Write each table as a folder of CSV files; row i goes to file i modulo `files`.

    A null and an empty text both become an empty field. A Malformed line is written as it is.
    """
    for table, rows in tables.items():
        header = header_of(table, rows)
        (folder / table).mkdir(parents=True, exist_ok=True)
        for number in range(files):
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(header)
            for row in rows[number::files]:
                if isinstance(row, Malformed):
                    text.write(row.text + "\n")
                else:
                    writer.writerow([row.get(column) or "" for column in header])
            path = folder / table / f"part-{number:03d}.csv"
            path.write_text(text.getvalue(), encoding="utf-8", newline="")


def read_csv(folder: Path) -> Tables:
    """Read the tables of an input folder: `claims/` with CSV files, or `claims.csv`, and so on."""
    tables: Tables = {}
    for table in COLUMNS:
        single = folder / f"{table}.csv"
        paths = sorted((folder / table).glob("*.csv")) + ([single] if single.is_file() else [])
        if not paths:
            continue
        tables[table] = []
        for path in paths:
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.reader(file)
                header = next(reader)
                for fields in reader:
                    if not fields:
                        continue  # an empty line is no row
                    if len(fields) == len(header):
                        tables[table].append({name: field or None for name, field in zip(header, fields, strict=True)})
                    else:
                        tables[table].append(Malformed(",".join(fields)))
    return tables


def to_timestamp(day: date) -> datetime:
    """Some moment of the day, without a time zone."""
    return datetime.combine(day, time(13, 45))


def typed_column(texts: list[str | None], kind: str, timestamps: bool) -> pa.Array:
    """The column with its type when every value parses, else as text."""
    parsers: dict[str, tuple[Callable[[str], Any], pa.DataType]] = {
        "date": (parse_date, pa.date32()),
        "code": (parse_any_int, pa.int64()),
        "int": (parse_any_int, pa.int64()),
        "bool": (parse_bool, pa.bool_()),
    }
    if kind in parsers:
        parse, data_type = parsers[kind]
        values = []
        for text in texts:
            bare = trimmed(text)
            value = None if bare is None else parse(bare)
            too_large = kind in ("code", "int") and value is not None and not -(2**63) <= value < 2**63
            if bare is not None and (value is None or too_large):
                return pa.array(texts, pa.string())
            values.append(value)
        if kind == "date" and timestamps:
            moments = [None if value is None else to_timestamp(value) for value in values]
            return pa.array(moments, pa.timestamp("us"))
        return pa.array(values, data_type)
    return pa.array(texts, pa.string())


def write_parquet_typed(tables: Tables, folder: Path, *, timestamps: bool = False) -> None:
    """Write each table as a folder with one Parquet file, dates perhaps as timestamps.

    A column has its type where every value parses, and is text else. Parquet knows no malformed lines.
    """
    for table, rows in tables.items():
        if any(isinstance(row, Malformed) for row in rows):
            raise ValueError(f"{table} has malformed lines: Parquet cannot hold them")
        kinds = {column: kind for column, kind, _ in COLUMNS[table]}
        arrays: Row = {}
        for column in header_of(table, rows):
            texts = [row.get(column) for row in rows]
            arrays[column] = typed_column(texts, kinds.get(column, "text"), timestamps)
        (folder / table).mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(arrays), folder / table / "part-000.parquet")
