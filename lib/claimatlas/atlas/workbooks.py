"""An indicator as a workbook: data, metadata, notes.

XlsxWriter makes the workbook; the rows of data are written by column, as a million cells one by one take minutes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - a file's time has no zone
"""The time that files within files carry, always the same."""
_ROWS_OF_A_SHEET = 1_000_000
_DATA = re.compile(rb"<sheetData/>|<sheetData>.*</sheetData>", re.DOTALL)
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"/>')
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


@dataclass(frozen=True)
class Content:
    """What a workbook holds.

    ``table``: the rows of the data sheets; ``metadata``: names and texts of the sheet after them; ``notes``: lines of
    the last sheet; ``band``: what the head of every printed page says, or nothing.
    """

    title: str
    table: pa.Table
    metadata: Sequence[tuple[str, str]]
    notes: Sequence[str]
    band: str = ""


def write_workbook(file: Path, content: Content) -> None:
    """Write a workbook. Rows beyond what a sheet holds go on in further sheets of data."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - only what publishes needs it

    target = io.BytesIO()
    book = Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": content.title, "created": MOMENT})
    table = content.table
    parts = [table.slice(start, _ROWS_OF_A_SHEET) for start in range(0, max(len(table), 1), _ROWS_OF_A_SHEET)]
    names = ["data" if not number else f"data {number + 1}" for number in range(len(parts))]
    for name in (*names, "metadata", "notes"):
        sheet = book.add_worksheet(name)
        if content.band:
            sheet.set_header(f"&C{content.band}")
        if name in names:
            sheet.freeze_panes(1, 0)
        elif name == "metadata":
            for line, (key, text) in enumerate(content.metadata):
                sheet.write_string(line, 0, key)
                sheet.write_string(line, 1, text)
        else:
            for line, text in enumerate(content.notes):
                sheet.write_string(line, 0, text)
    book.close()
    _with_rows(file, target, parts)


def _with_rows(file: Path, book: io.BytesIO, parts: Sequence[pa.Table]) -> None:
    """Copy a workbook with the rows of its first sheets in place."""
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as copy:
        sheets = {f"xl/worksheets/sheet{number}.xml": part for number, part in enumerate(parts, 1)}
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, MOMENT.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = source.read(name)
            if name not in sheets:
                copy.writestr(entry, content)
                continue
            part = sheets[name]
            before, after = _DATA.split(content)
            corner = f"{_column_name(part.num_columns)}{len(part) + 1}"
            with copy.open(entry, "w", force_zip64=True) as stream:
                stream.write(_DIMENSION.sub(f'<dimension ref="A1:{corner}"/>'.encode(), before))
                stream.write(b"<sheetData>")
                for rows in _rows_of(part):
                    stream.write(rows)
                stream.write(b"</sheetData>")
                stream.write(after)


def _rows_of(table: pa.Table) -> Iterator[bytes]:
    """The rows as they stand in a sheet, the names of the columns first; some thousands at once."""
    header = pa.table({name: pa.array([name]) for name in table.column_names})
    yield _joined(header)
    for start in range(0, len(table), 20_000):
        yield _joined(table.slice(start, 20_000))


def _joined(table: pa.Table) -> bytes:
    cells = [_cells(table.column(name).combine_chunks()) for name in table.column_names]
    rows = pc.binary_join_element_wise("<row>", *cells, "</row>", "")
    return "".join(rows.to_pylist()).encode()


def _cells(values: pa.Array) -> pa.Array:
    """A column as cells of a sheet: text within the cell, a number, or an empty cell."""
    if pa.types.is_string(values.type):
        text = values
        for sign, entity in _ENTITIES:
            text = pc.replace_substring(text, sign, entity)
        found = pc.binary_join_element_wise('<c t="inlineStr"><is><t>', text, "</t></is></c>", "")
    else:
        found = pc.binary_join_element_wise("<c><v>", pc.cast(values, pa.string()), "</v></c>", "")
    return pc.fill_null(found, "<c/>")


def _column_name(number: int) -> str:
    """The letters of a column, from 1."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
