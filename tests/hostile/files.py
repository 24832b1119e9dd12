"""Hostile files: each kind puts the claims of the small input in a folder in a way that nobody asked for.

A kind says what must become of it: `SAME` (all claims are read), `SOME` (rows are rejected, or made of what cannot
be told apart from claims; what is accepted satisfies the schema), `REFUSED` (one message), or either of the two.
"""

import gzip
import json
import os
import random
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from integration.inputs import SMALL_CLAIMS

SAME, SOME, REFUSED, EITHER = "same", "some", "refused", "either"
HEADER, BODY = SMALL_CLAIMS.split("\n", 1)
Write = Callable[[Path], None]
HUGE = 10_000_000


def text(content: str | bytes, name: str = "claims.csv", encoding: str = "utf-8") -> Write:
    """A file of its own."""

    def write(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))

    return write


def with_header(header: str, more: str = "x") -> Write:
    """The same lines below another header; where it has more names, with as many fields more."""
    fields = ("," + more) * (header.count(",") - HEADER.count(","))
    return text(header + "\n" + "".join(line + fields + "\n" for line in BODY.splitlines()))


def with_names(*names: str) -> Write:
    """The same lines with columns more, named like this."""
    return with_header(HEADER + "," + ",".join('"' + name.replace('"', '""') + '"' for name in names))


def with_line(line: str | bytes) -> Write:
    """The same lines with one more."""
    return text(SMALL_CLAIMS.encode() + (line if isinstance(line, bytes) else line.encode()) + b"\n")


def columns() -> dict[str, Any]:
    """The small claims by column, as text."""
    rows = [line.split(",") for line in BODY.splitlines()]
    return {name: pa.array(values) for name, values in zip(HEADER.split(","), zip(*rows, strict=True), strict=True)}


def parquet(name: str = "claims.parquet", **changes: Any) -> Write:
    """The small claims as Parquet, some columns with other values."""

    def write(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table = columns()
        for column, value in changes.items():
            rows = len(table["claim_id"])
            table[column] = value if isinstance(value, pa.Array | pa.DictionaryArray) else pa.array([value] * rows)
        pq.write_table(pa.table(table), path)

    return write


def typed(column: str, data_type: pa.DataType, value: Any) -> Write:
    """A column of this type, one value in every row."""
    return parquet(**{column: pa.array([value] * len(BODY.splitlines()), data_type)})


def damaged(write: Write, name: str, change: Callable[[bytes], bytes]) -> Write:
    """A file that was sound."""

    def spoil(folder: Path) -> None:
        write(folder)
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return spoil


def linked(to: str, name: str = "claims/x.csv") -> Write:
    """A sound file beside a link."""

    def write(folder: Path) -> None:
        text(SMALL_CLAIMS, "claims/a.csv")(folder)
        text("claim_id\nsecret\n", "elsewhere/b.csv")(folder)
        (folder / name).symlink_to(to)

    return write


def linked_file(folder: Path) -> None:
    """A link to a file."""
    text(SMALL_CLAIMS, "elsewhere/b.txt")(folder)
    (folder / "claims.csv").symlink_to("elsewhere/b.txt")


def pipe(folder: Path) -> None:
    """A pipe, which nobody writes to: whoever opens it waits for ever."""
    text(SMALL_CLAIMS, "claims/a.csv")(folder)
    os.mkfifo(folder / "claims" / "b.csv")


def packed(*parts: bytes, name: str = "claims.csv.gz") -> Write:
    """Compressed parts, one behind the other."""
    return text(b"".join(gzip.compress(part) for part in parts), name)


def delta_log(*actions: Any, name: str = "claims/_delta_log/00000000000000000000.json") -> Write:
    """A table of Delta with this first commit, and nothing else."""
    return text("".join(json.dumps(action) + "\n" for action in actions), name)


def _metadata(schema: str) -> tuple[dict[str, Any], dict[str, Any]]:
    metadata = {"id": "x", "format": {"provider": "parquet", "options": {}}, "schemaString": schema}
    return (
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {**metadata, "partitionColumns": [], "configuration": {}, "createdTime": 0}},
    )


_SCHEMA = json.dumps(
    {
        "type": "struct",
        "fields": [{"name": name, "type": "string", "nullable": True, "metadata": {}} for name in HEADER.split(",")],
    }
)
_ADD = {"partitionValues": {}, "size": 10, "modificationTime": 0, "dataChange": True}
_NAMES = HEADER.split(",")

FILE_KINDS: dict[str, tuple[str, Write]] = {
    # Headers.
    "byte order mark": (SAME, text("\ufeff" + SMALL_CLAIMS)),
    "byte order mark twice": (REFUSED, text("\ufeff\ufeff" + SMALL_CLAIMS)),
    "utf-16": (REFUSED, text(SMALL_CLAIMS, encoding="utf-16")),
    "utf-16 without a mark": (REFUSED, text(SMALL_CLAIMS, encoding="utf-16-le")),
    "utf-32": (REFUSED, text(SMALL_CLAIMS, encoding="utf-32")),
    "ebcdic": (REFUSED, text(SMALL_CLAIMS, encoding="cp037")),
    "semicolons": (REFUSED, text(SMALL_CLAIMS.replace(",", ";"))),
    "tabs": (REFUSED, text(SMALL_CLAIMS.replace(",", "\t"))),
    "spaces around names": (REFUSED, with_header(HEADER.replace(",", " , "))),
    "capital names": (SAME, with_header(HEADER.upper())),
    "quoted names": (SAME, with_header(",".join(f'"{name}"' for name in _NAMES))),
    "a name twice": (REFUSED, with_names("quantity")),
    "a name twice but for case": (REFUSED, with_names("QUANTITY")),
    "a name empty": (SAME, with_header(HEADER + ",")),
    "two names empty": (REFUSED, with_header(HEADER + ",,")),
    "a name with a line break": (REFUSED, with_names("a\nb")),
    "a name with a null": (SAME, with_names("a\0b")),
    "a name with control characters": (SAME, with_names("\x1b[2J\x07")),
    "control characters instead of a name": (REFUSED, with_header(HEADER.replace("quantity", "\x1b[2J\x07"))),
    "names of ours": (SAME, with_names("_row", "_reasons", "_raw_0", "_clean_claim_id", "_malformed", "year", "value")),
    "more names of ours": (SAME, with_names("_fields", "_0", "_key_hash", "_repeated", "first", "batch")),
    "the name of the source": (SAME, with_names("_source_file")),
    "the name of the corrupt line": (REFUSED, with_names("_corrupt_record")),
    "the name of Spark's metadata": (REFUSED, with_names("_metadata")),
    "names in SQL": (SAME, with_names("x`; DROP TABLE t; --", "a.b", "`", "count(*)", '"', "=cmd|' /C calc'!A0")),
    "2,000 names": (SAME, with_names(*(f"c{n}" for n in range(2000)))),
    "a name of 10 MB": (REFUSED, with_names("x" * HUGE)),
    "a wrong name of 10 MB": (REFUSED, with_header(HEADER.replace("quantity", "x" * HUGE))),
    "no header": (REFUSED, text(BODY)),
    "a header twice": (SAME, text(HEADER + "\n" + SMALL_CLAIMS)),
    "a header alone": (SOME, text(HEADER)),
    "an open quote in the header": (REFUSED, text(HEADER + ',"x\n' + BODY)),
    "blank lines before the header": (REFUSED, text("\n\n" + SMALL_CLAIMS)),
    "a comment before the header": (REFUSED, text("# made today\n" + SMALL_CLAIMS)),
    "sep= before the header": (REFUSED, text("sep=,\n" + SMALL_CLAIMS)),
    "lines of old Macs": (REFUSED, text(SMALL_CLAIMS.replace("\n", "\r"))),
    # Rows.
    "only nulls": (REFUSED, text(b"\0" * 5000)),
    "nulls behind the end": (SAME, with_line(b"\0" * 5000)),
    "a field of 10 MB": (SOME, with_line("x" * HUGE + ",ann,2022-01-05,424104,1")),
    "a quoted field of 10 MB": (SOME, with_line('"' + "a,b" * (HUGE // 3) + '",ann,2022-01-05,424104,1')),
    "10 MB of quotes": (SOME, with_line("c99,ann,2022-01-05,424104," + '"' * HUGE)),
    "an open field of 10 MB": (SOME, with_line('c99,ann,2022-01-05,424104,"' + "1" * HUGE)),
    "a number of a million digits": (SOME, with_line("c99,ann,2022-01-05,424104," + "1" * 1_000_000)),
    "a line of 130,000 fields": (REFUSED, with_line("," * 130_000)),
    "formulas": (SOME, with_line("=cmd|' /C calc'!A0,@SUM(A1),2022-01-05,424104,=1+1")),
    "a name of a person in SQL": (SOME, with_line("c99,'); DROP TABLE claims; --,2022-01-05,424104,1")),
    "an open quote at the end": (SOME, with_line('c99,ann,2022-01-05,424104,"1\n0"')),
    "an open quote at the start": (SOME, with_line('"c99,ann,2022-01-05,424104,1')),
    # Compressed.
    "packed in parts": (SAME, packed(SMALL_CLAIMS[:40].encode(), SMALL_CLAIMS[40:].encode())),
    "packed, not named so": (REFUSED, text(gzip.compress(SMALL_CLAIMS.encode()))),
    "named packed, not so": (REFUSED, text(SMALL_CLAIMS, "claims.csv.gz")),
    "half a packed file": (REFUSED, damaged(packed(SMALL_CLAIMS.encode()), "claims.csv.gz", lambda data: data[:60])),
    "a packed file with a wrong sum": (
        REFUSED,
        damaged(packed(SMALL_CLAIMS.encode()), "claims.csv.gz", lambda data: data[:-8] + b"12345678"),
    ),
    "packed with garbage behind": (EITHER, text(gzip.compress(SMALL_CLAIMS.encode()) + b"garbage", "claims.csv.gz")),
    "zlib, not gzip": (REFUSED, text(zlib.compress(SMALL_CLAIMS.encode()), "claims.csv.gz")),
    "50 MB packed into little": (SOME, packed(SMALL_CLAIMS.encode() + b"x" * 50_000_000)),
    # Parquet: types.
    "nested": (REFUSED, parquet(quantity={"a": 1})),
    "a list": (REFUSED, parquet(claim_id=["a", "b"])),
    "a map": (REFUSED, typed("claim_id", pa.map_(pa.string(), pa.int32()), [("a", 1)])),
    "binary": (EITHER, typed("claim_id", pa.binary(), b"c1")),
    "an unknown column nested": (SAME, parquet(remark=[{"a": [1]}])),
    "large text": (SAME, parquet(**{name: values.cast(pa.large_string()) for name, values in columns().items()})),
    "a dictionary": (SAME, parquet(**{name: values.dictionary_encode() for name, values in columns().items()})),
    "decimals": (SAME, parquet(quantity=columns()["quantity"].cast(pa.decimal128(38, 10)))),
    "a fraction": (SOME, typed("quantity", pa.decimal128(38, 10), Decimal("1.5"))),
    "a decimal beyond": (SOME, typed("quantity", pa.decimal128(38, 0), Decimal(10**37))),
    "infinity": (SOME, typed("quantity", pa.float64(), float("inf"))),
    "not a number": (SOME, typed("quantity", pa.float32(), float("nan"))),
    "whole fractions": (SAME, parquet(quantity=columns()["quantity"].cast(pa.float64()))),
    "unsigned 64 bits": (SOME, typed("quantity", pa.uint64(), 2**64 - 1)),
    "64 bits": (SOME, typed("quantity", pa.int64(), 2**31)),
    "8 bits": (SAME, parquet(quantity=columns()["quantity"].cast(pa.int8()))),
    "booleans for numbers": (REFUSED, typed("quantity", pa.bool_(), True)),
    "nulls alone": (SOME, typed("quantity", pa.null(), None)),
    "dates": (SAME, parquet(service_date=columns()["service_date"].cast(pa.date32()))),
    "dates of 64 bits": (SAME, parquet(service_date=columns()["service_date"].cast(pa.date64()))),
    "a date before all": (SOME, typed("booking_date", pa.date32(), -2_000_000)),
    "a date after all": (SOME, typed("booking_date", pa.date32(), 200_000_000)),
    "a moment in nanoseconds": (EITHER, typed("service_date", pa.timestamp("ns"), datetime(2022, 1, 5))),  # noqa: DTZ001
    "a moment with a zone": (SOME, typed("service_date", pa.timestamp("us", "UTC"), datetime(2022, 1, 5, tzinfo=UTC))),
    "a moment before all": (SOME, typed("service_date", pa.timestamp("us"), -(2**62))),
    "a time of day": (REFUSED, typed("service_date", pa.time64("us"), time(1, 2))),
    "a duration": (SOME, typed("quantity", pa.duration("us"), timedelta(1))),
    "a date for a code": (REFUSED, typed("nomenclature_code", pa.date32(), date(2022, 1, 5))),
    # Parquet: files.
    "no rows": (SOME, parquet(**{name: values[:0] for name, values in columns().items()})),
    "csv named parquet": (REFUSED, text(SMALL_CLAIMS, "claims.parquet")),
    "an empty parquet": (REFUSED, text(b"", "claims.parquet")),
    "an empty parquet among others": (
        EITHER,
        lambda folder: (parquet("claims/a.parquet")(folder), text(b"", "claims/b.parquet")(folder))[1],
    ),
    "magic bytes alone": (REFUSED, text(b"PAR1" * 3, "claims.parquet")),
    "half a parquet": (REFUSED, damaged(parquet(), "claims.parquet", lambda data: data[: len(data) // 2])),
    "a footer that lies": (
        REFUSED,
        damaged(parquet(), "claims.parquet", lambda data: data[:-8] + b"\xff\xff\xff\x7fPAR1"),
    ),
    # Delta.
    "an empty log": (REFUSED, text("", "claims/_delta_log/x.tmp")),
    "a log that is a file": (
        EITHER,
        lambda folder: (text(SMALL_CLAIMS, "claims/a.csv")(folder), text("", "claims/_delta_log")(folder))[1],
    ),
    "nonsense in the log": (REFUSED, text("{nonsense", "claims/_delta_log/00000000000000000000.json")),
    "a schema of nonsense": (REFUSED, delta_log(*_metadata("nonsense"))),
    "a protocol of the future": (
        REFUSED,
        delta_log({"protocol": {"minReaderVersion": 99, "minWriterVersion": 99}}, _metadata(_SCHEMA)[1]),
    ),
    "a log that names a file elsewhere": (
        REFUSED,
        delta_log(*_metadata(_SCHEMA), {"add": {"path": "../../../../../../etc/passwd", **_ADD}}),
    ),
    "a log that names a file that is not there": (
        REFUSED,
        delta_log(*_metadata(_SCHEMA), {"add": {"path": "gone.parquet", **_ADD}}),
    ),
    "files named like a log": (REFUSED, text(SMALL_CLAIMS, "claims/00000000000000000000.json")),
    # Names and links.
    "a name of signs": (SAME, text(SMALL_CLAIMS, "claims/a*?[b]{c,d}'`\"; DROP.csv")),
    "a name with a line break in it": (SAME, text(SMALL_CLAIMS, "claims/a\nb.csv")),
    "a name in percent": (SAME, text(SMALL_CLAIMS, "claims/%2e%2e%2fa.csv")),
    "a name written backwards": (SAME, text(SMALL_CLAIMS, "claims/\u202evsc.csv")),
    "a name with a colon": (EITHER, text(SMALL_CLAIMS, "claims/a:b.csv")),
    "a name of an extension alone": (REFUSED, text(SMALL_CLAIMS, "claims/.csv")),
    "folders like ours": (SAME, text(SMALL_CLAIMS, "claims/silver/claims/_x/../a.csv")),
    "a partition of another column": (SAME, text(SMALL_CLAIMS, "claims/lot=..%2F..%2F1/a.csv")),
    "a partition of a column that is there": (REFUSED, text(SMALL_CLAIMS, "claims/quantity=7/a.csv")),
    "a partition of a column of Parquet": (REFUSED, parquet("claims/quantity=7/a.parquet")),
    "a link to a file": (SAME, linked_file),
    "a link to a folder": (REFUSED, linked("../elsewhere", "claims/x")),
    "a link in a circle": (REFUSED, linked("../claims", "claims/x")),
    "a link to itself": (REFUSED, linked("x.csv")),
    "a link to nothing": (REFUSED, linked("/nowhere/at/all")),
    "a link to the password file": (REFUSED, linked("/etc/passwd")),
    "a pipe": (REFUSED, pipe),
    "a folder named like a file": (REFUSED, lambda folder: (folder / "claims.csv").mkdir()),
}


def random_damage(folder: Path, dice: random.Random) -> str:
    """Sound files of some format with a few bytes changed, gone or new; what was done."""
    name, write = dice.choice(
        (
            ("claims.parquet", parquet()),
            ("claims.parquet", parquet(quantity=1, nomenclature_code=424104, booking_date=date(2024, 1, 1))),
            ("claims.csv.gz", packed(SMALL_CLAIMS.encode())),
            ("claims.csv", text(SMALL_CLAIMS)),
        )
    )
    write(folder)
    data = bytearray((folder / name).read_bytes())
    done = []
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        position = dice.randrange(len(data))
        cut, new = dice.randrange(3), bytes(dice.randrange(256) for _ in range(dice.randrange(3)))
        data[position : position + cut] = new
        done.append(f"{cut} bytes at {position} become {new.hex()}")
    (folder / name).write_bytes(data)
    return f"{name}: {'; '.join(done[:5])}"
