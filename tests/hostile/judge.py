"""What must become of mutated rows, said by the plain-Python reference, and what became of them.

The bytes are read here anew: lines, fields and white space by Python, values and rules by `reference.parse`. A
line whose quotes the rule of CSV does not explain (`"a"b`) is malformed, and a line that repeats the header is passed
over: every line has one right outcome.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from comparison import CONF, REJECTED, last_record, read
from reference.model import Malformed, Row, load_settings
from reference.parse import COLUMNS, parse_row, validate

from hostile.rows import Batch

AS_OF = date(2025, 12, 31)
SETTINGS = load_settings(CONF, None)
_FIELD = re.compile(r'"((?:[^"]|"")*)"(?=,|\Z)|((?!")[^,]*)(?=,|\Z)')
_ONE_OF_A_MUTANT = re.compile(r"m(\d+)\.")
Shown = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Line:
    """A line of a mutant, and its raw row as the reference takes it."""

    file: str
    text: str
    raw: Any


@dataclass
class Verdict:
    """What was found: how many rows went where, and everything that is wrong, each with its file."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def fields_of(text: str) -> list[str] | None:
    """The fields of a line by the rule of CSV; `None` when its quotes are not explained by it."""
    fields, position = [], 0
    while True:
        found = _FIELD.match(text, position)
        if found is None:
            return None
        quoted, plain = found.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        if found.end() == len(text):
            return fields
        position = found.end() + 1


def lines_of(file: str, data: bytes, header: list[str]) -> list[Line]:
    """The lines of a file that are rows, without the first, which is the header."""
    found = []
    for raw_line in re.split(rb"\r\n|\n|\r", data)[1:]:
        text = raw_line.decode("utf-8", "replace")
        if all(character <= " " for character in text):
            continue
        fields = fields_of(text)
        if fields != header:
            found.append(Line(file, text, _row(header, fields or [], text)))
    return found


def _row(header: list[str], fields: list[str], text: str) -> Any:
    return dict(zip(header, fields, strict=True)) if len(fields) == len(header) else Malformed(text)


def as_the_reference_takes_it(table: str, raw: Any) -> Any:
    """A raw row under the specification's names, the white space that Unicode knows taken off."""
    if isinstance(raw, Malformed):
        return raw
    names = {name.lower(): name for name in raw}
    known = {column: raw[names[column]] for column, _, _ in COLUMNS[table] if column in names}
    return {column: text.strip() for column, text in known.items()}


def judge(batch: Batch, source: Path, output: Path) -> Verdict:
    """Compare what the ingest of a batch wrote with what each line of its files must become."""
    verdict = Verdict()
    rejected = read(output, REJECTED)
    counts = last_record(output)["counts"]
    for table, header in batch.headers.items():
        lines = [
            line
            for file in sorted((source / table).iterdir())
            for line in lines_of(file.name, file.read_bytes(), header)
        ]
        of_table = [row for row in rejected if row["table"] == table]
        accepted = read(output, f"silver/{table}")
        _assert_counts(table, counts[f"ingest.{table}"], len(accepted), len(of_table), verdict)
        _judge_table(table, header, lines, accepted, of_table, verdict)
    return verdict


def _assert_counts(table: str, counted: dict[str, int], accepted: int, rejected: int, verdict: Verdict) -> None:
    if counted != {"read": accepted + rejected, "accepted": accepted, "rejected": rejected}:
        verdict.wrong.append(f"{table}: the record says {counted}, there are {accepted} and {rejected}")
    verdict.outcomes["rows accepted"] += accepted
    verdict.outcomes["rows rejected"] += rejected


def _judge_table(
    table: str, header: list[str], lines: list[Line], accepted: list[Row], rejected: list[Row], verdict: Verdict
) -> None:
    raws = [as_the_reference_takes_it(table, line.raw) for line in lines]
    tables: dict[str, list[Any]] = {name: [] for name in COLUMNS} | {table: raws}
    sound, refused, _ = validate(tables, SETTINGS, AS_OF)
    # The reference keeps the order, so each of its rejections is one of these lines; which, is known by identity.
    reasons_of = {id(raw): reasons for _, raw, reasons in refused}
    wanted_accepted = Counter(_shown(row) for row in sound[table])
    wanted_rejected = Counter(
        _rejection(table, line.file, reasons_of[id(raw)], line.raw, raw)
        for line, raw in zip(lines, raws, strict=True)
        if id(raw) in reasons_of
    )
    left_out = ("year", "batch") if table != "population" else ("batch",)
    found_accepted = Counter(
        _shown({name: value for name, value in row.items() if name not in left_out}) for row in accepted
    )
    found_rejected = Counter(
        _rejection(table, Path(row["source_file"]).name, tuple(row["reasons"]), *_as_kept(table, row["row"]))
        for row in rejected
    )
    for what, rows in (
        ("not accepted", wanted_accepted - found_accepted),
        ("accepted, or with other values", found_accepted - wanted_accepted),
        ("not rejected so", wanted_rejected - found_rejected),
        ("rejected so", found_rejected - wanted_rejected),
    ):
        verdict.wrong += [f"{_file_of(table, row)}: {what}: {_short(row)}" for row in rows.elements()]
    verdict.outcomes["lines"] += len(lines)


def _as_kept(table: str, kept: str) -> tuple[Any, Any]:
    row = json.loads(kept)
    raw = Malformed(row["malformed_row"]) if list(row) == ["malformed_row"] else {n: v or "" for n, v in row.items()}
    return raw, as_the_reference_takes_it(table, raw)


def _rejection(table: str, file: str, reasons: tuple[str, ...], raw: Any, taken: Any) -> Any:
    if reasons and reasons[0].startswith("duplicate_"):
        # Of lines that are equal once understood either may stay.
        return "", reasons, _shown(parse_row(table, taken, SETTINGS, AS_OF)[0])
    row = {"malformed_row": raw.text} if isinstance(raw, Malformed) else raw
    # How many replacement characters stand for broken bytes is not agreed upon.
    return file, reasons, _shown({name: re.sub("\ufffd+", "\ufffd", text) for name, text in row.items() if text})


def _shown(row: Row) -> Shown:
    return tuple(sorted(row.items()))


def _file_of(table: str, row: Any) -> str:
    if row and isinstance(row[0], str) and row[0].endswith(".csv"):
        return f"{table}/{row[0]}"
    found = _ONE_OF_A_MUTANT.search(repr(row))
    return f"{table}/m{int(found.group(1)):05d}.csv" if found else table


def _short(row: Any) -> str:
    text = repr(row)
    return text if len(text) < 500 else text[:500] + "…"


def mutants_in(wrong: Iterable[str]) -> set[int]:
    """The numbers of the mutants that complaints name."""
    return {int(found.group(1)) for text in wrong if (found := re.match(r"\w+/m(\d+)\.csv", text))}
