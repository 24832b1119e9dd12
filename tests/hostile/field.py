"""Inputs as the field spoils them: one table of a small sound world, written in a way that nobody asked for.

Everything follows from a seed, a kind and a number (`mutations.random_of`). A kind spoils something; a variation of
`sound` writes the same rows in another way, which must change nothing and be worth no word.
"""

import bz2
import csv
import gzip
import io
import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
from claimatlas.ingest.contract import InputTable
from deltalake import write_deltalake
from shipped import INPUT_TABLES

from hostile.mutations import random_of

Row = dict[str, str]
Values = tuple[Any, ...]
PEOPLE, YEARS, AS_OF = 150, (2022, 2023), date(2024, 6, 30)
TABLES: dict[str, InputTable] = {table.name: table for table in INPUT_TABLES}
CSV, GZ, BZ2, TEXT, TYPED, DELTA = FORMATS = ("csv", "csv.gz", "csv.bz2", "text.parquet", "parquet", "delta")
SHARES = (0.0, 0.004, 0.02, 0.2, 1.0)
"""Of the rows, one at least."""
DELIVERY, CONTACT, IMAGING = "423010", "101032", "589013"
BRUSSELS = ZoneInfo("Europe/Brussels")


# --- The sound world -----------------------------------------------------------------------------


@cache
def world() -> dict[str, list[Row]]:
    """The rows of each table, as text; every person has claims that indicators read in both years."""
    rows: dict[str, list[Row]] = {"claims": [], "population": [], "hospital_stays": []}

    def claim(person: str, day: date, code: str, profession: str, competence: str, hospital: str = "") -> None:
        names = [column.name for column in TABLES["claims"].columns]
        provider = f"{profession}0000{len(rows['claims']) % 7}{competence:0>4}"
        booked = min(day + timedelta(days=20), AS_OF).isoformat()
        values = [f"C{len(rows['claims']):05}", person, day.isoformat(), code, "1", provider, profession, competence]
        rows["claims"].append(dict(zip(names, [*values, hospital, booked], strict=True)))

    for number in range(1, PEOPLE + 1):
        person = f"00{'a' if number % 2 else '0'}{number:04}"
        is_mother = number % 3 == 1
        birth = date(1990 if is_mother else 1940 + number % 70, 1 + number % 12, 1 + number % 28)
        sex = "2" if is_mother or number % 2 else "1"
        place = ("62063", "44021", "21004", "11002")[number % 4]
        for year in YEARS:
            names = [column.name for column in TABLES["population"].columns]
            reimbursed = "true" if number % 5 == 0 else "false"
            values = [person, str(year), birth.isoformat(), sex, reimbursed, place, place, "", ""]
            rows["population"].append(dict(zip(names, values, strict=True)))
            claim(person, date(year, 1 + number % 12, 1 + number % 27), CONTACT, "10", "3")
            if number % 6 == 0:
                claim(person, date(year, 2, 1 + number % 27), IMAGING, "10", "130", "020")
        if is_mother:
            day = date(YEARS[1], 3, 1) + timedelta(days=number)
            claim(person, day, DELIVERY, "10", "340", "010")
            claim(person, day + timedelta(days=10), CONTACT, "10", "3")
            leaves = (day + timedelta(days=3)).isoformat()
            names = [column.name for column in TABLES["hospital_stays"].columns]
            stay = [f"S{len(rows['hospital_stays']):04}", person, day.isoformat(), leaves, "010"]
            rows["hospital_stays"].append(dict(zip(names, stay, strict=True)))
    return rows


def typed(kind: str, text: str) -> Any:
    """A text of the sound world as what it means."""
    if text == "":
        return None
    if kind == "date":
        return date.fromisoformat(text)
    if kind in ("integer", "code"):
        return int(text)
    if kind == "boolean":
        return text == "true"
    return {"1": "male", "2": "female"}[text] if kind == "sex" else text


def meaning(table: str, rows: Sequence[Row]) -> Counter[Values]:
    """The rows as silver must have them, in the order of its columns and with the year."""
    of = TABLES[table]
    kinds = {column.name: column.kind for column in of.columns}
    found: Counter[Values] = Counter()
    for row in rows:
        values = {name: typed(kind, row.get(name, "")) for name, kind in kinds.items()}
        year = values["year"] if of.year_of == "year" else values[of.year_of].year
        found[(*[values[name] for name in of.values], year)] += 1
    return found


# --- Files ---------------------------------------------------------------------------------------

ARROW = {
    "text": pa.string(),
    "date": pa.date32(),
    "integer": pa.int32(),
    "code": pa.int32(),
    "boolean": pa.bool_(),
    "sex": pa.string(),
}


@dataclass
class Part:
    """One file: its path below the input folder, its rows, and columns as Arrow writes them in other ways."""

    path: str
    rows: list[Row]
    changes: dict[str, pa.Array] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Mutant:
    """An input of which one table is odd. ``column``: where, if it is in one; ``what``: in short."""

    kind: str
    number: int
    table: str
    parts: list[Part]
    format: str
    column: str = ""
    what: str = ""
    columns: list[str] = field(default_factory=list)
    root: str = "input"
    after: Callable[[Path], None] | None = None
    share: float | None = None
    people: int = 0

    def write(self, folder: Path) -> Path:
        """Write the input folder."""
        location = folder / self.root
        location.mkdir(parents=True)
        for name, rows in world().items():
            if name != self.table:
                (location / f"{name}.csv").write_bytes(csv_of(rows, list(rows[0])))
        for part in self.parts:
            write_part(
                location / part.path, self.table, part, self.format, self.columns or list(world()[self.table][0])
            )
        if self.after:
            self.after(location)
        return location

    def __str__(self) -> str:
        """What to look for."""
        column = f".{self.column}" if self.column else ""
        return f"{self.kind} {self.number}: {self.table}{column} as {self.format}: {self.what}"


def csv_of(rows: Sequence[Row], columns: Sequence[str], end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end, quoting=quoting)
    writer.writerow(columns)
    writer.writerows([row.get(name, "") for name in columns] for row in rows)
    return out.getvalue().encode()


def arrow_of(table: str, part: Part, columns: Sequence[str], *, as_text: bool) -> pa.Table:
    kinds = {column.name: column.kind for column in TABLES[table].columns}
    arrays = {}
    for name in columns:
        texts = [row.get(name) or None for row in part.rows]
        kind = kinds.get(name, "text")
        if name in part.changes:
            arrays[name] = part.changes[name]
        elif as_text or kind in ("text", "sex"):
            arrays[name] = pa.array(texts, pa.string())
        else:
            arrays[name] = pa.array([None if text is None else typed(kind, text) for text in texts], ARROW[kind])
    return pa.table({name: array for name, array in arrays.items() if array is not None})


def write_part(path: Path, table: str, part: Part, written: str, columns: Sequence[str]) -> None:
    """One file; of Delta a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if written in (CSV, GZ, BZ2):
        data = csv_of(
            part.rows,
            [name for name in columns if name not in part.options.get("without", ())],
            **{name: value for name, value in part.options.items() if name in ("end", "quoting")},
        )
        packed = {GZ: gzip.compress, BZ2: bz2.compress}.get(written, bytes)
        path.write_bytes(packed(data))
        return
    columns = [name for name in columns if name not in part.options.get("without", ())]
    content = arrow_of(table, part, columns, as_text=written == TEXT)
    if written == DELTA:
        write_deltalake(path, content, mode="append")
    else:
        pq.write_table(
            content, path, **{k: v for k, v in part.options.items() if k not in ("without", "end", "quoting")}
        )


def ending(written: str) -> str:
    return "parquet" if written in (TEXT, TYPED) else written


def whole(table: str, rows: Sequence[Row], written: str) -> list[Part]:
    """The table as one file beside the others, or as a table of Delta."""
    return [Part(table if written == DELTA else f"{table}.{ending(written)}", list(rows))]


def split(dice: random.Random, table: str, rows: Sequence[Row], written: str, number: int = 0) -> list[Part]:
    """The table as a folder of several files."""
    parts: list[list[Row]] = [[] for _ in range(number or dice.randrange(2, 5))]
    for position, row in enumerate(rows):
        parts[position % len(parts)].append(row)
    if written == DELTA:
        return [Part(table, part) for part in parts]
    return [Part(f"{table}/part-{position}.{ending(written)}", part) for position, part in enumerate(parts)]


def anyhow(dice: random.Random, table: str, rows: Sequence[Row], written: str) -> list[Part]:
    return whole(table, rows, written) if dice.random() < 0.5 else split(dice, table, rows, written)


def some(dice: random.Random, rows: Sequence[Any], share: float | None = None) -> set[int]:
    """The positions of a share of the rows, one at least."""
    number = max(1, round((dice.choice(SHARES) if share is None else share) * len(rows)))
    return set(dice.sample(range(len(rows)), number))


def a_format(dice: random.Random, *of: str) -> str:
    return dice.choice([*[name for name in of if name != DELTA] * 4, *[name for name in of if name == DELTA]])


# --- Files and folders beside --------------------------------------------------------------------

BESIDE = (
    "{t}_2022.{e}",
    "{t}-2.{e}",
    "{t} (1).{e}",
    "{t}2022.{e}",
    "{t}.part2.{e}",
    "{T}.{e}",
    "{t}_2022/part-0.{e}",
    "2022_{t}.{e}",
    "{t}_old.{e}",
    "{t}data.{e}",
    "{t}_2022.txt",
    "{t}.dat",
)
WITHIN = (
    "{t}/_part-9.{e}",
    "{t}/.part-9.{e}",
    "{t}/_old/part-9.{e}",
    "{t}/.tmp/part-9.{e}",
    "{t}/part-9.txt",
    "{t}/part-9.{e}.bak",
    "{t}/deep/part-9.{e}",
    "{t}/a b/part 9.{e}",
    "{t}/part[9].{e}",
    "{t}/part-9?.{e}",
    "{t}/part%209.{e}",
    "{t}/part:9.{e}",
    "{t}/part#9.{e}",
    "{t}/part{{9}}*.{e}",
    "{t}/été/part-9.{e}",
    "{t}/_temporary/0/part-9.{e}",
    "{t}/PART-9.{E}",
    "{t}/archive.zip/part-9.{e}",
    "{t}/_SUCCESS/part-9.{e}",
    "{t}/part-9.{e}.crc",
    "{t}/_metadata/part-9.{e}",
)


def _beside(dice: random.Random, number: int) -> Mutant:
    table = dice.choice(list(world()))
    rows = world()[table]
    written = dice.choice((CSV, GZ, TEXT, TYPED))
    away = some(dice, rows, dice.choice((0.0, 0.02, 0.5)))
    stay = [row for position, row in enumerate(rows) if position not in away]
    gone = [rows[position] for position in sorted(away)]
    turn = dice.random()
    mutant = Mutant("beside", number, table, [], written)
    if turn < 0.4:
        name = dice.choice(BESIDE)
        parts = anyhow(dice, table, stay, written)
    elif turn < 0.85:
        name = dice.choice(WITHIN)
        parts = split(dice, table, stay, written)
    else:
        return _odd_folder(dice, mutant, stay, gone)
    path = name.format(t=table, T=table.capitalize(), e=ending(written), E=ending(written).upper())
    mutant.parts, mutant.what = [*parts, Part(path, gone)], f"{len(gone)} rows in {path}"
    return mutant


def _odd_folder(dice: random.Random, mutant: Mutant, stay: list[Row], gone: list[Row]) -> Mutant:
    """Files that are none, or not what they are called."""
    table, written = mutant.table, mutant.format
    mutant.parts = split(dice, table, stay, written)
    last = f"{table}/part-9.{ending(written)}"
    turn = dice.randrange(7)
    if turn == 0:
        mutant.what, mutant.parts = "both a file and a folder", [*mutant.parts, *whole(table, gone, written)]
    elif turn == 1:
        other = TYPED if written in (CSV, GZ) else CSV
        mutant.what = "a file of another format within"
        rest = Part(f"{table}/part-9.{ending(other)}", gone)
        mutant.after = lambda location: write_part(location / rest.path, table, rest, other, list(gone[0]))
    elif turn == 2 or (turn == 6 and table == "hospital_stays"):
        # A stay that stands twice changes no figure: each delivery takes one.
        mutant.what = "an empty file within"
        mutant.parts[0].rows += gone
        mutant.after = lambda location: (location / last).write_bytes(b"")
    elif turn == 3:
        mutant.what = "a link to a folder within"

        def link(location: Path) -> None:
            elsewhere = location.parent / "elsewhere"
            elsewhere.mkdir()
            write_part(elsewhere / f"x.{ending(written)}", table, Part("", gone), written, list(gone[0]))
            (location / table / "more").symlink_to(elsewhere)

        mutant.after = link
    elif turn == 4:
        mutant.what = "a packed file that its name does not say"
        mutant.format = GZ
        mutant.parts = [Part(f"{table}/part-{n}.csv", part.rows) for n, part in enumerate(mutant.parts)]
    elif turn == 5:
        mutant.what = "a file cut in its middle"
        mutant.parts = [*mutant.parts, Part(last, gone)]
        mutant.after = lambda location: (location / last).write_bytes((location / last).read_bytes()[:-9])
        mutant.format = mutant.format if mutant.format != CSV else GZ
        if mutant.format == GZ:
            mutant.parts = [
                Part(
                    part.path.replace(".csv.gz", ".csv") + ".gz" if part.path.endswith("csv") else part.path, part.rows
                )
                for part in mutant.parts
            ]
            last = f"{table}/part-9.csv.gz"
    else:
        mutant.what = "a file copied within"
        mutant.parts[0].rows += gone
        first = mutant.parts[0].path
        mutant.after = lambda location: shutil.copy(location / first, location / last)  # type: ignore[assignment]
    return mutant


# --- Values of partitions ------------------------------------------------------------------------


def _partitions(dice: random.Random, number: int) -> Mutant:  # noqa: PLR0912 - a turn for each oddity
    table = dice.choice(list(world()))
    column = dice.choice(
        {
            "claims": ("hospital_id", "nomenclature_code", "provider_profession"),
            "population": ("year", "sex", "municipality_31_december", "increased_reimbursement"),
            "hospital_stays": ("hospital_id",),
        }[table]
    )
    written = dice.choice((CSV, TEXT, TYPED))
    rows, e = world()[table], ending(written)
    mutant = Mutant("partitions", number, table, [], written, column)
    mutant.columns = [name for name in rows[0] if name != column]
    by_value: dict[str, list[Row]] = {}
    for row in rows:
        by_value.setdefault(row[column], []).append(row)
    turn = dice.randrange(9)
    outer, key, values_inside = "", column, False
    if turn == 0:
        mutant.what, mutant.root = "the input lies below a folder of this key", f"{column}=7/input"
    elif turn == 1:
        mutant.what, outer = "the key stands twice in a path", f"{column}=7/"
    elif turn == 2:
        mutant.what, values_inside = "the column is in the files too", True
    elif turn == 3:
        mutant.what, key = "the key in capitals", column.upper()
    elif turn == 4:
        mutant.what = "a file outside"
    elif turn == 5:
        mutant.what = "white space around the values"
    elif turn == 6:
        mutant.what, outer = "below another key", "fund=010/"
    elif turn == 7:
        mutant.what = "a file with the column, outside"
    else:
        mutant.what, mutant.root = "the input lies below a folder of another key", "fund=1/input"
    for position, (value, of_value) in enumerate(by_value.items()):
        shown = value or dice.choice(("__HIVE_DEFAULT_PARTITION__", ""))
        if turn == 5:
            shown = f"%20{shown}%20" if value else shown
        folder = f"{table}/{outer}{key}={shown}/"
        if turn in (4, 7) and position == 0:
            folder = f"{table}/"
        mutant.parts.append(Part(f"{folder}part-{position}.{e}", of_value))
    if values_inside or turn == 7:
        mutant.columns = list(rows[0])
        for part in mutant.parts[1:] if turn == 7 else ():
            part.options["without"] = (column,)
    return mutant


# --- Types between files -------------------------------------------------------------------------


def _numbers(dice: random.Random, texts: Sequence[str]) -> tuple[str, pa.Array]:
    values = [int(text) if text else None for text in texts]
    types = (
        pa.int64(),
        pa.float64(),
        pa.float32(),
        pa.decimal128(12, 0),
        pa.decimal128(20, 2),
        pa.uint32(),
        pa.uint64(),
        pa.string(),
        pa.large_string(),
        pa.binary(),
        pa.list_(pa.int32()),
        pa.date32(),
    )
    to = dice.choice(types)
    return str(to), _array(values, to)


def _array(values: Sequence[Any], to: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(to):
        return pa.array([None if value is None else Decimal(value) for value in values], to)
    if pa.types.is_list(to):
        return pa.array([None if value is None else [value] for value in values], to)
    if pa.types.is_binary(to):
        return pa.array([None if value is None else str(value).encode() for value in values], to)
    if pa.types.is_string(to) or pa.types.is_large_string(to):
        return pa.array([None if value is None else str(value) for value in values], to)
    if pa.types.is_date32(to):
        return pa.array(
            [value if isinstance(value, date) or value is None else date(1970, 1, 1) for value in values], to
        )
    return pa.array(values, to)


def _dates(dice: random.Random, texts: Sequence[str]) -> tuple[str, pa.Array]:
    days = [date.fromisoformat(text) if text else None for text in texts]
    to = dice.choice(
        (
            pa.timestamp("s"),
            pa.timestamp("ms"),
            pa.timestamp("us"),
            pa.timestamp("ns"),
            pa.timestamp("ns", "UTC"),
            pa.timestamp("us", "UTC"),
            pa.date64(),
            pa.string(),
            pa.int32(),
            pa.float64(),
        )
    )
    if pa.types.is_integer(to) or pa.types.is_floating(to):
        return str(to), pa.array([None if day is None else (day - date(1970, 1, 1)).days for day in days], to)
    if pa.types.is_timestamp(to):
        moments = [None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days]
        return str(to), pa.array(moments, pa.timestamp("us", "UTC")).cast(pa.timestamp("us")).cast(to)
    return str(to), _array(days, to)


def _texts(dice: random.Random, texts: Sequence[str]) -> tuple[str, pa.Array]:
    values = [text or None for text in texts]
    # Numbers only where they are the same ids: lost zeros are a kind of their own.
    are_numbers = all(str(int(text)) == text if text.isdigit() else not text for text in texts)
    numbers = [int(text) if text else None for text in texts] if are_numbers else values
    name, change = dice.choice(
        (
            ("large", lambda: pa.array(values, pa.large_string())),
            ("dictionary", lambda: pa.array(values, pa.string()).dictionary_encode()),
            ("binary", lambda: _array(values, pa.binary())),
            ("number", lambda: pa.array(numbers)),
            ("double", lambda: pa.array(numbers).cast(pa.float64()) if are_numbers else pa.array(numbers)),
            ("struct", lambda: pa.array([{"x": value} for value in values])),
            ("boolean", lambda: pa.array([value is not None for value in values])),
        )
    )
    return name, change()


def _words(dice: random.Random, texts: Sequence[str]) -> tuple[str, pa.Array]:
    yes = {"true": 1, "false": 0}
    values = [yes.get(text, int(text) if text.isdigit() else None) if text else None for text in texts]
    to = dice.choice((pa.int8(), pa.float64(), pa.string(), pa.bool_(), pa.decimal128(5, 1)))
    if pa.types.is_boolean(to):
        return str(to), pa.array([None if value is None else bool(value) for value in values], to)
    return str(to), _array(values, to)


def _types(dice: random.Random, number: int) -> Mutant:
    table = dice.choice(list(world()))
    column = dice.choice(TABLES[table].columns)
    rows = world()[table]
    written = dice.choice((TEXT, TYPED, TYPED))
    mutant = Mutant("types", number, table, split(dice, table, rows, written), written, column.name)
    dice.shuffle(mutant.parts)
    for part in mutant.parts[: dice.choice((1, 1, len(mutant.parts)))]:
        texts = [row[column.name] for row in part.rows]
        turn = dice.random()
        if turn < 0.1:
            part.options["without"] = (column.name,)
            mutant.what += "a file without the column; "
        elif turn < 0.15:
            part.options["without"] = (column.name,)
            part.changes[column.name] = None
            mutant.columns = [*rows[0], f"{column.name}_1"]
            part.rows = [{**row, f"{column.name}_1": row[column.name]} for row in part.rows]
            mutant.what += "the column under another name in a file; "
        else:
            of = {"date": _dates, "integer": _numbers, "code": _numbers, "text": _texts}.get(column.kind, _words)
            name, part.changes[column.name] = of(dice, texts)
            mutant.what += f"a file with {name}; "
    return mutant


# --- Tables without rows -------------------------------------------------------------------------


def _empty(dice: random.Random, number: int) -> Mutant:
    table = dice.choice(("claims", "population"))
    rows = world()[table]
    written = a_format(dice, *FORMATS)
    mutant = Mutant("empty", number, table, [], written)
    turn = dice.randrange(6)
    if turn == 0:
        mutant.what, mutant.parts = "no row at all", anyhow(dice, table, [], written)
    elif turn == 1:
        mutant.what = "a file without rows among others"
        empty = Part(table if written == DELTA else f"{table}/part-9.{ending(written)}", [])
        mutant.parts = [*split(dice, table, rows, written), empty]
    elif turn == 2:
        year = str(dice.choice(YEARS))
        mutant.what, mutant.column = f"no row of {year}", "year"
        of = "service_date" if table == "claims" else "year"
        mutant.parts = anyhow(dice, table, [row for row in rows if not row[of].startswith(year)], written)
    elif turn == 3:
        mutant.what = "rows with nothing in them"
        blank = dict.fromkeys(rows[0], "")
        positions = some(dice, rows)
        mutant.parts = anyhow(dice, table, [blank if n in positions else row for n, row in enumerate(rows)], written)
    elif turn == 4:
        written = mutant.format = dice.choice((TEXT, TYPED))
        mutant.what = "a file without rows and with a column of no type"
        mutant.column = dice.choice(TABLES[table].columns).name
        last = Part(f"{table}/part-9.parquet", [], {mutant.column: pa.nulls(0)})
        mutant.parts = [*split(dice, table, rows, written), last]
    else:
        optional = [column.name for column in TABLES[table].columns if not column.required and rows[0][column.name]]
        mutant.column = dice.choice(optional)
        mutant.what = "the column is not there"
        mutant.columns = [name for name in rows[0] if name != mutant.column]
        mutant.parts = anyhow(dice, table, rows, written)
    return mutant


# --- Instants ------------------------------------------------------------------------------------


def _instants(dice: random.Random, number: int) -> Mutant:
    table = dice.choice(list(world()))
    column = dice.choice([column.name for column in TABLES[table].columns if column.kind == "date"])
    rows = [dict(row) for row in world()[table]]
    positions = some(dice, rows)
    days = [date.fromisoformat(row[column]) for row in rows]
    zone = dice.choice((BRUSSELS, BRUSSELS, UTC, ZoneInfo("America/New_York")))
    moments = [datetime(day.year, day.month, day.day, tzinfo=zone) for day in days]
    if dice.random() < 0.45:
        written = a_format(dice, TYPED, DELTA)
        mutant = Mutant("instants", number, table, anyhow(dice, table, rows, written), written, column)
        unit = dice.choice(("us", "us", "ms", "ns")) if written == TYPED else "us"
        moment_of = {id(row): moment for row, moment in zip(rows, moments, strict=True)}
        int96 = written == TYPED and dice.random() < 0.3
        for part in mutant.parts:
            in_utc = pa.array([moment_of[id(row)] for row in part.rows], pa.timestamp("us", "UTC"))
            part.changes[column] = in_utc if int96 else in_utc.cast(pa.timestamp(unit, "UTC"))
            if int96:
                part.options["use_deprecated_int96_timestamps"] = True
        mutant.what = f"midnight in {zone}, in {'INT96' if int96 else unit}"
        return mutant
    written = a_format(dice, CSV, GZ, TEXT)
    form = dice.choice(("zone", "utc", "short", "space", "fraction"))
    for position in positions:
        moment = moments[position]
        in_utc = moment.astimezone(UTC)
        rows[position][column] = {
            "zone": moment.isoformat(),
            "utc": in_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "short": in_utc.strftime("%Y-%m-%dT%H:%MZ"),
            "space": moment.strftime("%Y-%m-%d %H:%M:%S%z"),
            "fraction": in_utc.strftime("%Y-%m-%d %H:%M:%S.000 UTC"),
        }[form]
    mutant = Mutant("instants", number, table, anyhow(dice, table, rows, written), written, column)
    mutant.what = f"midnight in {zone}, as text ({form}) in {len(positions)} rows"
    return mutant


# --- What stands for something else --------------------------------------------------------------

STANDS_FOR = {
    "date": (
        "9999-12-31",
        "1900-01-01",
        "0001-01-01",
        "0000-00-00",
        "2999-12-31",
        "99991231",
        "1899-12-30",
        "31/12/9999",
    ),
    "code": ("-1", "0", "999999999", "NULL", "NA", "000000", "."),
    "integer": ("NULL", "NA", "-", "?", "nan", "N/A", "1.5", "x"),
    "boolean": ("NULL", "NA", "9", "?", "X", "unknown"),
    "sex": ("9", "NULL", "NA", "U", "X", "0", "unknown"),
    "text": ("NULL", "NA", "N/A", "\\N", "nan", "NaN", "None", "."),
}
BY_THE_RUN = {("population", "birth_date"), ("population", "year")}
"""Where only a whole run can tell."""


def _sentinels(dice: random.Random, number: int) -> Mutant:
    table = dice.choice(list(world()))
    column = dice.choice([c for c in TABLES[table].columns if (table, c.name) not in BY_THE_RUN])
    rows = [dict(row) for row in world()[table]]
    positions, value = some(dice, rows), dice.choice(STANDS_FOR[column.kind])
    if column.name == "quantity":
        value = dice.choice(("0", "NULL", "NA", "-0", "99999999999"))
    for position in positions:
        rows[position][column.name] = value
    written = a_format(dice, CSV, GZ, TEXT)
    mutant = Mutant("sentinels", number, table, anyhow(dice, table, rows, written), written, column.name)
    mutant.what = f"{value!r} in {len(positions)} of {len(rows)} rows"
    return mutant


# --- Ids that do not match -----------------------------------------------------------------------

SPOILT: dict[str, Callable[[str], str]] = {
    "zeros lost": lambda text: text.lstrip("0"),
    "a prefix": lambda text: f"P{text}",
    "capitals": str.upper,
    "a fraction": lambda text: f"{text}.0",
    "white space": lambda text: f" {text} ",
    "more zeros": lambda text: text.zfill(10),
}


def _ids(dice: random.Random, number: int) -> Mutant:
    table = dice.choice(list(world()))
    how = dice.choice(list(SPOILT))
    people = sorted({row["beneficiary_id"] for row in world()[table]})
    chosen = {people[position] for position in some(dice, people, dice.choice((0.01, 0.03, 0.1, 0.5, 1.0)))}
    new = {person: SPOILT[how](person) if person in chosen else person for person in people}
    rows = [{**row, "beneficiary_id": new[row["beneficiary_id"]]} for row in world()[table]]
    written = a_format(dice, CSV, GZ, TEXT, TYPED)
    mutant = Mutant("ids", number, table, anyhow(dice, table, rows, written), written, "beneficiary_id")
    changed = sum(person != other.strip() for person, other in new.items())
    mutant.what, mutant.share = f"{how} of {len(chosen)} of {len(people)} people", changed / len(people)
    mutant.people = len(people)
    return mutant


# --- Values that mean something else -------------------------------------------------------------


def _some_with_code(dice: random.Random, code: str) -> tuple[list[Row], list[Row]]:
    """The claims, and some of their lines with a code: figures read no provider and no quantity of others."""
    rows = [dict(row) for row in world()["claims"]]
    lines = [row for row in rows if row["nomenclature_code"] == code]
    return rows, [lines[position] for position in sorted(some(dice, lines))]


def _providers(dice: random.Random, number: int) -> Mutant:
    """The attribute that contacts are told apart by is not there."""
    rows, lines = _some_with_code(dice, CONTACT)
    for row in lines:
        row["provider_competence"] = ""
    written = a_format(dice, *FORMATS)
    mutant = Mutant("providers", number, "claims", anyhow(dice, "claims", rows, written), written)
    mutant.column, mutant.what = "provider_competence", f"empty in {len(lines)} lines"
    return mutant


def _quantities(dice: random.Random, number: int) -> Mutant:
    """Quantities in another unit, or a number that stands for none."""
    factor = dice.choice(("0", "00", "000", "99"))
    rows, lines = _some_with_code(dice, IMAGING)
    for row in lines:
        row["quantity"] += factor
    written = a_format(dice, *FORMATS)
    mutant = Mutant("quantities", number, "claims", anyhow(dice, "claims", rows, written), written, "quantity")
    mutant.what = f"1{factor} in {len(lines)} lines"
    return mutant


def _hospitals(dice: random.Random, number: int) -> Mutant:
    """Hospitals that are written in two ways; a table of them alone is written in one."""
    table = dice.choice(("claims", "hospital_stays"))
    how = dice.choice(("zeros lost", "a fraction", "more zeros"))
    rows = [dict(row) for row in world()[table]]
    for position in some(dice, rows):
        rows[position]["hospital_id"] = (
            SPOILT[how](rows[position]["hospital_id"]) if rows[position]["hospital_id"] else ""
        )
    written = a_format(dice, CSV, GZ, TEXT, TYPED)
    mutant = Mutant("hospitals", number, table, anyhow(dice, table, rows, written), written, "hospital_id")
    mutant.what = how
    return mutant


KINDS: dict[str, Callable[[random.Random, int], Mutant]] = {
    "beside": _beside,
    "partitions": _partitions,
    "types": _types,
    "empty": _empty,
    "instants": _instants,
    "sentinels": _sentinels,
    "ids": _ids,
    "providers": _providers,
    "quantities": _quantities,
    "hospitals": _hospitals,
}


def mutant_of(kind: str, number: int) -> Mutant:
    """A mutant of a kind."""
    return KINDS[kind](random_of(f"field {kind}", number), number)


# --- The same rows in another way ----------------------------------------------------------------


def sound_of(number: int) -> Mutant:  # noqa: PLR0912 - all ways at once
    """The same rows: in another order, in several files and folders, in another format."""
    dice = random_of("field sound", number)
    table = dice.choice(list(world()))
    rows = [dict(row) for row in world()[table]]
    dice.shuffle(rows)
    written = a_format(dice, *FORMATS)
    columns = list(rows[0])
    if dice.random() < 0.3:
        dice.shuffle(columns)
    if dice.random() < 0.3:
        columns.insert(dice.randrange(len(columns)), dice.choice(("fund", "remark", "été", "a.b", "x y")))
        for row in rows:
            row[next(name for name in columns if name not in row)] = dice.choice(("", "NULL", "a,b", '"', "é"))
    names = {name: name.upper() for name in columns} if dice.random() < 0.15 else {}
    what = [written]
    parts = anyhow(dice, table, rows, written)
    if len(parts) > 1 and written != DELTA:
        for part in parts:
            name = part.path.rpartition("/")[2]
            folder = dice.choice(("", "", "2022/", "fund=010/", "Fund=a%2Fb/lot=2/", "deep/deeper/", "a b/"))
            if "fund" in columns and "=" in folder:
                folder = ""
            part.path = f"{table}/{folder}{name}"
            what.append(folder)
    if written != DELTA and dice.random() < 0.3:
        for part in parts:
            stem, dot, rest = part.path.rpartition("/")[2].partition(".")
            part.path = f"{part.path.removesuffix(stem + dot + rest)}{stem}{dot}{rest.upper()}"
        what.append("capitals")
    for part in parts:
        if written in (CSV, GZ, BZ2):
            part.options = {
                "end": dice.choice(("\n", "\r\n")),
                "quoting": dice.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
            }
        elif written == TYPED:
            part.options = {"compression": dice.choice(("snappy", "gzip", "zstd", "none")), "row_group_size": 50}
            _typed_anew(dice, table, part)
    if names:
        parts = [
            Part(
                part.path, [{names[name]: row.get(name, "") for name in columns} for row in part.rows], {}, part.options
            )
            for part in parts
        ]
        columns = list(names.values())
        written = TEXT if written in (TYPED, DELTA) else written
        if parts[0].path == table:
            parts = [Part(f"{table}/{n}.parquet", part.rows) for n, part in enumerate(parts)]
    mutant = Mutant("sound", number, table, parts, written, what=", ".join(filter(None, what)), columns=columns)
    if len(parts) > 1 and written != DELTA and dice.random() < 0.4:

        def markers(location: Path) -> None:
            for name in ("_SUCCESS", ".part-0.crc", "_started_1", ".DS_Store"):
                (location / table / name).write_bytes(b"x")

        mutant.after = markers
    return mutant


def _typed_anew(dice: random.Random, table: str, part: Part) -> None:
    """Some columns in a wider type, another one in each file."""
    for column in TABLES[table].columns:
        if dice.random() < 0.7:
            continue
        texts = [row[column.name] for row in part.rows]
        if column.kind in ("integer", "code"):
            to = dice.choice((pa.int64(), pa.float64()))
            part.changes[column.name] = _array([int(text) if text else None for text in texts], to)
        elif column.kind == "date":
            to = dice.choice((pa.timestamp("ns"), pa.timestamp("ms"), pa.timestamp("us"), pa.date64()))
            days = [date.fromisoformat(text) if text else None for text in texts]
            part.changes[column.name] = pa.array(days, pa.date32()).cast(pa.timestamp("us")).cast(to)
        elif column.kind == "text":
            part.changes[column.name] = pa.array([text or None for text in texts], pa.large_string())
