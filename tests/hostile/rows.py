"""Mutated rows: small CSV files, sound lines beside spoilt ones, many files to one ingest.

A batch is the input of one ingest. Its files of one table share their header, so that each mutant can be judged
by what became of its own lines.
"""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reference.parse import COLUMNS

from hostile.mutations import DATES, NUMBERS, TEXTS, hostile_text, random_of

EXTRA = ("remark", 'a "quoted" name', "x`y; DROP TABLE z", "year_", "=cmd|calc")
"""Columns that the product does not know: they are kept with a rejected row, and left out of silver."""

_KIND_TEXTS = {"date": DATES, "int": NUMBERS, "code": NUMBERS}


@dataclass
class RowMutant:
    """A file, and how it was made: by the seed, the kind and the number it can be made again."""

    number: int
    table: str
    kind: str = ""
    what: list[str] = field(default_factory=list)
    data: bytes = b""

    @property
    def file(self) -> str:
        """Its name in the table's folder."""
        return f"m{self.number:05d}.csv"


@dataclass
class Batch:
    """What one ingest reads: for each table its header, and its files."""

    headers: dict[str, list[str]]
    mutants: list[RowMutant]

    def write(self, folder: Path) -> Path:
        """Put the files where they belong; each table also has a sound file, so that it is there."""
        for table, header in self.headers.items():
            (folder / table).mkdir(parents=True)
            sound = [header, *(line_of(table, header, f"sound{n}", random.Random(n)) for n in range(3))]
            (folder / table / "sound.csv").write_text(as_csv(sound), encoding="utf-8", newline="")
        for mutant in self.mutants:
            (folder / mutant.table / mutant.file).write_bytes(mutant.data)
        return folder


def batch(numbers: range) -> Batch:
    """The mutants of these numbers."""
    dice = random_of("batch", numbers.start)
    headers = {table: _header(table, dice) for table in COLUMNS}
    return Batch(headers, [row_mutant(number, headers) for number in numbers])


def row_mutant(number: int, headers: dict[str, list[str]]) -> RowMutant:
    """One file: a few sound lines, most of them spoilt in one way or two."""
    dice = random_of("rows", number)
    table = dice.choice(("claims", "claims", "claims", "population", "hospital_stays"))
    mutant = RowMutant(number, table)
    header = headers[table]
    rows = [line_of(table, header, f"m{number}.{n}", dice) for n in range(dice.randrange(2, 6))]
    mutant.kind = dice.choice(list(ROW_KINDS))
    if mutant.kind in CELL_KINDS:
        for _ in range(dice.choice((1, 1, 2, 4))):
            CELL_KINDS[mutant.kind](mutant, header, rows, dice)
    text = as_csv([header], dice) + as_csv(rows, dice, quoting=dice.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
    mutant.data = text.encode("utf-8", "surrogatepass")
    if mutant.kind in BYTE_KINDS:
        BYTE_KINDS[mutant.kind](mutant, dice)
    return mutant


def _header(table: str, dice: random.Random) -> list[str]:
    """Some of the table's columns, the required ones always, in some order, with unknown ones between them."""
    header = [name for name, _, may_be_null in COLUMNS[table] if not may_be_null or dice.random() < 0.8]
    header += dice.sample(EXTRA, dice.randrange(3))
    dice.shuffle(header)
    return [name.upper() if dice.random() < 0.1 and name.isidentifier() else name for name in header]


def line_of(table: str, header: list[str], name: str, dice: random.Random) -> list[str]:
    """A sound line; its ids begin with the name, so that no two mutants share one."""
    year = dice.randrange(2019, 2024)
    day = f"{year}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}"
    values = {
        "claim_id": f"{name}c",
        "stay_id": f"{name}s",
        "beneficiary_id": f"{name}b",
        "service_date": day,
        "booking_date": dice.choice(("", "2024-05-31", day)),
        "nomenclature_code": dice.choice(("424104", "422030", "589013", "101032", "100000", "999999")),
        "quantity": dice.choice(("1", "2", "-1", "17")),
        "provider_id": f"{name}p",
        "provider_profession": dice.choice(("", "40", "54")),
        "provider_competence": dice.choice(("", "340", "0")),
        "hospital_id": dice.choice(("", f"{name}h")),
        "year": str(year),
        "birth_date": dice.choice(("", "1990-02-28", "2000-02-29")),
        "sex": dice.choice(("", "1", "m", "F", "female", "x")),
        "increased_reimbursement": dice.choice(("", "true", "0", "Yes")),
        "municipality_31_december": dice.choice(("", "11002", "21004")),
        "municipality_30_june": dice.choice(("", "11002", "99999")),
        "sector_31_december": dice.choice(("", "11002A001")),
        "sector_30_june": dice.choice(("", "nowhere")),
        "admission_date": day,
        "discharge_date": f"{year + 1}-01-01",
    }
    return [values.get(column.lower(), "kept") for column in header]


def as_csv(rows: list[list[str]], dice: random.Random | None = None, quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Lines of CSV; with dice the line ends are those of one system or another."""
    out = io.StringIO()
    end = dice.choice(("\n", "\n", "\n", "\r\n")) if dice else "\n"
    csv.writer(out, quoting=quoting, lineterminator=end).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


# --- What is done to the cells -------------------------------------------------------------------


def _cell(mutant: RowMutant, header: list[str], rows: list[list[str]], dice: random.Random) -> None:
    row, column = dice.randrange(len(rows)), dice.randrange(len(header))
    kinds = {name: kind for name, kind, _ in COLUMNS[mutant.table]}
    texts = _KIND_TEXTS.get(kinds.get(header[column].lower(), ""), TEXTS)
    text = dice.choice(texts) if dice.random() < 0.6 else hostile_text(dice)
    if header[column].lower() in ("claim_id", "stay_id", "beneficiary_id") and text.strip():
        # No two mutants may share an id, whatever it is made of.
        text = dice.choice((rows[row][column] + text, text[:1] + rows[row][column]))
    rows[row][column] = text
    mutant.what.append(f"{header[column]}={text[:60]!r}")


def _around(mutant: RowMutant, header: list[str], rows: list[list[str]], dice: random.Random) -> None:
    row, column = dice.randrange(len(rows)), dice.randrange(len(header))
    dressed = dice.choice(
        (" {}", "{} ", "\t{}\t", "\xa0{}", "{}\u3000", "{}\x00", "\x00{}", "{}\x01", "\ufeff{}", "{}\u200b", "'{}'")
    ).format(rows[row][column])
    rows[row][column] = dressed
    mutant.what.append(f"{header[column]}={dressed[:60]!r}")


def _swapped(mutant: RowMutant, header: list[str], rows: list[list[str]], dice: random.Random) -> None:
    row = dice.choice(rows)
    one, other = dice.randrange(len(header)), dice.randrange(len(header))
    if {header[one].lower(), header[other].lower()} & {"claim_id", "stay_id", "beneficiary_id"}:
        return
    row[one], row[other] = row[other], row[one]
    mutant.what.append(f"{header[one]} and {header[other]} swapped")


def _line_break(mutant: RowMutant, header: list[str], rows: list[list[str]], dice: random.Random) -> None:
    row, column = dice.randrange(len(rows)), dice.choice((len(header) - 1, dice.randrange(len(header))))
    text = rows[row][column]
    position = dice.randrange(len(text) + 1)
    rows[row][column] = text[:position] + dice.choice(("\n", "\r\n", "\r", "\n\n", "\n,")) + text[position:]
    mutant.what.append(f"{header[column]}={rows[row][column]!r}")


def _fields(mutant: RowMutant, header: list[str], rows: list[list[str]], dice: random.Random) -> None:
    row = dice.choice(rows)
    if dice.random() < 0.5:
        del row[dice.randrange(len(row) + 1) :]
    else:
        row[len(row) // 2 : 0] = [hostile_text(dice)] * dice.randrange(1, 4)
    mutant.what.append(f"{len(row)} fields instead of {len(header)}")


def _repeated(mutant: RowMutant, header: list[str], rows: list[list[str]], dice: random.Random) -> None:
    again = list(dice.choice(rows))
    if dice.random() < 0.7:
        column = dice.randrange(len(header))
        again[column] = dice.choice((again[column].upper(), again[column] + " ", "2", "2023-01-01"))
    rows.insert(dice.randrange(len(rows) + 1), again)
    mutant.what.append("a line that is there already, or nearly")


CELL_KINDS: dict[str, Callable[[RowMutant, list[str], list[list[str]], random.Random], None]] = {
    "cell": _cell,
    "around": _around,
    "swapped": _swapped,
    "line_break": _line_break,
    "fields": _fields,
    "repeated": _repeated,
}

# --- What is done to the bytes of the file, its header apart ------------------------------------


def _body(mutant: RowMutant) -> tuple[bytes, bytearray]:
    start = mutant.data.index(b"\n") + 1
    return mutant.data[:start], bytearray(mutant.data[start:])


def _bytes(mutant: RowMutant, dice: random.Random) -> None:
    header, body = _body(mutant)
    for _ in range(dice.choice((1, 1, 3))):
        position = dice.randrange(len(body) + 1)
        new = dice.choice(
            (b"\x00", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82", b"\x1a", b"\xef\xbb\xbf", b"\x85")
        )
        body[position : position + dice.randrange(2)] = new
        mutant.what.append(f"{new!r} at {position}")
    mutant.data = header + bytes(body)


def _quotes(mutant: RowMutant, dice: random.Random) -> None:
    header, body = _body(mutant)
    for _ in range(dice.choice((1, 1, 2, 3))):
        position = dice.randrange(len(body) + 1)
        new = dice.choice((b'"', b'"', b'""', b',"', b'",', b'"\n', b'\\"', b"'"))
        body[position:position] = new
        mutant.what.append(f"{new!r} at {position}")
    mutant.data = header + bytes(body)


def _separators(mutant: RowMutant, dice: random.Random) -> None:
    header, body = _body(mutant)
    old, new = dice.choice(
        ((b",", b";"), (b",", b"\t"), (b",", b",,"), (b"\n", b"\r"), (b"\n", b"\n\n"), (b"\n", b" \n \n"))
    )
    mutant.data = header + bytes(body).replace(old, new, dice.choice((1, -1)))
    mutant.what.append(f"{old!r} is {new!r}")


def _cut(mutant: RowMutant, dice: random.Random) -> None:
    header, body = _body(mutant)
    mutant.data = header + bytes(body[: dice.randrange(len(body) + 1)])
    mutant.what.append(f"cut at {len(mutant.data)}")


def _recoded(mutant: RowMutant, dice: random.Random) -> None:
    header, body = _body(mutant)
    text = bytes(body).decode("utf-8", "replace").replace("kept", "gardé")
    encoding = dice.choice(("latin-1", "utf-16-le", "cp1252", "utf-7", "cp037"))
    mutant.data = header + text.encode(encoding, "replace")
    mutant.what.append(encoding)


def _marked(mutant: RowMutant, dice: random.Random) -> None:
    mutant.data = b"\xef\xbb\xbf" + mutant.data + dice.choice((b"", b"\x1a", b"\n\n", b"\x00", b"#end\n", mutant.data))
    mutant.what.append("a byte order mark, and something behind the end")


BYTE_KINDS: dict[str, Callable[[RowMutant, random.Random], None]] = {
    "bytes": _bytes,
    "quotes": _quotes,
    "separators": _separators,
    "cut": _cut,
    "recoded": _recoded,
    "marked": _marked,
}
ROW_KINDS = (*CELL_KINDS, *BYTE_KINDS, "cell", "cell")
