"""Inspect CSV files without Spark: the header that they share, and bytes that Spark's reader would misread."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from claimatlas.configuration.mappings import Reading
from claimatlas.errors import InputError
from claimatlas.ingest.discover.source import BZIP2, GZIP, Source, packing

_UNUSUAL = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
"""Control characters that Spark's CSV reader drops or misreads."""
_LIKELY_DELIMITERS = ";\t|,"
_OF_DAMAGE = (OSError, EOFError, zlib.error)


def with_header(source: Source, columns: Sequence[str]) -> Source:
    """The source with the header that its files share, and with what a look at their bytes found.

    ``columns``: names of which the header should have some.

    Raises:
        InputError: a file cannot be opened or has no header, its header is not text or differs from the others'.
    """
    header = _names(source, source.files[0], columns)
    for file in source.files[1:]:
        if _names(source, file, columns) != header:
            raise InputError(
                f"{source.table}: the header of {file} differs from that of {source.files[0]}: "
                "all files of a table must have the same columns in the same order."
            )
    rows: dict[Path, int | None] = {}
    irregular = False
    for file in source.files:
        try:
            found = _look_at_bytes(file, source.reading, header)
            rows[file] = found.rows
            if found.is_unusual or (found.holds_quotes and not _has_a_row_in_each_line(file, source.reading)):
                irregular = True
        except _OF_DAMAGE:
            rows[file] = None  # The reader of its rows reports what is wrong with it.
    return replace(source, header=header, irregular=irregular, rows=rows)


def _names(source: Source, file: Path, columns: Sequence[str]) -> tuple[str, ...]:
    table, reading = source.table, source.reading
    try:
        with _opened(file, reading) as stream:
            line = stream.readline()
    except _OF_DAMAGE as error:
        raise InputError(f"{table}: {file} cannot be read ({_why(error)}).") from None
    try:
        text = line.decode("utf-8-sig" if reading.is_utf_8 else reading.encoding)
        names = tuple(next(_reader([text], reading), []))
    except (UnicodeDecodeError, csv.Error):
        encoding = "UTF-8" if reading.is_utf_8 else reading.encoding
        raise InputError(f"{table}: the first line of {file} is not a {encoding} CSV header.") from None
    if not any(names):
        raise InputError(f"{table}: {file} has no header.")
    _require_delimiter(table, file, names, reading, columns)
    repeated = [str(position) for position, name in enumerate(names, start=1) if names.count(name) > 1]
    if repeated:
        # Name the columns by number: a file without a header has a person's values here.
        raise InputError(
            f"{table}: in the header of {file} a name stands twice: see the columns {', '.join(repeated)}."
        )
    return names


def _require_delimiter(table: str, file: Path, names: Sequence[str], reading: Reading, columns: Sequence[str]) -> None:
    """Refuse the file if another delimiter would turn its header into our column names."""
    known = {name.lower() for name in columns}
    if {name.lower() for name in names} & known:
        return
    line = reading.delimiter.join(names)
    for sign in _LIKELY_DELIMITERS:
        parts = [part.strip().strip('"').lower() for part in line.split(sign)]
        if sign != reading.delimiter and len(known.intersection(parts)) > 1:
            shown = "a tab" if sign == "\t" else repr(sign)
            given = "a tab" if reading.delimiter == "\t" else repr(reading.delimiter)
            text = "\\t" if sign == "\t" else sign
            raise InputError(
                f"{table}: the fields of {file} are separated by {shown}, not by {given}: declare "
                f'{table}: {{read: {{delimiter: "{text}"}}}} in a mapping file, and give it with --mapping FILE.'
            )


def _why(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "it is damaged, or not packed as its name says"


@dataclass
class _Bytes:
    holds_quotes: bool = False
    is_unusual: bool = False
    rows: int | None = 0


def _look_at_bytes(file: Path, reading: Reading, header: Sequence[str]) -> _Bytes:
    found = _Bytes()
    quote = reading.quote.encode()
    name = next(name for name in header if name)
    first = name.encode(reading.encoding)
    # A line that may not be a row: it is empty, starts with white space, or repeats the header.
    starts = (b"\n\n", b"\n\r", b"\n ", b"\n\t", b"\n" + first, b"\n" + quote + first)
    lines, returns, ends_of_windows, is_certain, before = 0, 0, 0, reading.quote not in name or not quote, b""
    with _opened(file, reading) as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            found.holds_quotes = found.holds_quotes or (bool(quote) and quote in piece)
            found.is_unusual = found.is_unusual or len(piece.translate(None, _UNUSUAL)) != len(piece)
            joined = before + piece
            is_certain = is_certain and not any(start in joined for start in starts)
            lines += piece.count(b"\n")
            returns += piece.count(b"\r")
            ends_of_windows += (before[-1:] + piece).count(b"\r\n")
            before = joined[-len(first) - 2 :]
    # Control characters, and the line ends of old Macs, are left to the reader of rows.
    if is_certain and not found.is_unusual and returns == ends_of_windows:
        has_open_end = bool(before) and not before.endswith(b"\n")
        found.rows = lines + has_open_end - 1
    else:
        found.rows = None
    return found


def _has_a_row_in_each_line(file: Path, reading: Reading) -> bool:
    # As Latin-1 every byte is a character; lines end as Spark sees them end.
    with _opened(file, reading) as stream, io.TextIOWrapper(stream, "latin-1", newline=None) as text:
        reader = _reader(text, reading)
        try:
            return bool(sum(1 for _ in reader) == reader.line_num)
        except csv.Error:  # A quote that the rule does not explain, or what this reader does not take.
            return False


def _reader(lines: Iterator[str] | IO[str] | list[str], reading: Reading) -> csv._reader:  # type: ignore[name-defined]
    if not reading.quote:
        return csv.reader(lines, strict=True, delimiter=reading.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, strict=True, delimiter=reading.delimiter, quotechar=reading.quote)


@contextmanager
def _opened(file: Path, reading: Reading) -> Iterator[IO[bytes] | gzip.GzipFile]:
    packed = packing(file, reading)
    if packed == GZIP:
        with gzip.open(file, "rb") as stream:
            yield stream
    elif packed == BZIP2:
        with bz2.open(file, "rb") as stream:
            yield stream
    else:
        with file.open("rb") as stream:
            yield stream
