"""Code lists: which nomenclature codes make up a service, and when.

Each list is one CSV file of its name. A row names one code, all codes with a prefix (``O80*``) or a range of them
(``O80..O84``). The settings say how a code is written (``codes``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import NoReturn

from claimatlas.configuration.codes import Code, Codes, Entry, Match
from claimatlas.configuration.documents import read_csv
from claimatlas.errors import InputError

COLUMNS = ("list", "code", "valid_from", "valid_to", "source", "status")
SYSTEM = "code_system"
"""The column of a list, and of claims, that says which code system a code is of, where systems are declared."""
LABEL = "label_"
"""The prefix of label columns; the language follows."""
STATUSES = ("official", "page", "verified", "memory")
"""How sure a row is: from the authority's own list; named on a source page; label read in a public
source; unconfirmed."""


@dataclass(frozen=True)
class CodeListRow:
    """One code of a list, or many. ``valid_from`` and ``valid_to`` are included; ``None`` leaves an end open.

    ``code``: a number or a text, as the settings declare; ``match``: whether it is that code, what codes begin with,
    or the first of a range to ``last``. ``labels``: by language; those that are given. ``system``: the code system.
    """

    code: Code
    labels: dict[str, str]
    valid_from: date | None
    valid_to: date | None
    source: str
    status: str
    line: int
    match: Match = "exact"
    last: Code | None = None
    system: str | None = None

    @property
    def entry(self) -> Entry:
        """What the row names."""
        return Entry(self.code, self.match, self.last)

    @property
    def written(self) -> str:
        """As the list writes it: ``424093``, ``O80*``, ``O80..O84``."""
        return self.entry.written


@dataclass(frozen=True)
class CodeList:
    """A named list of codes. An empty list makes the indicators that need it not computable."""

    name: str
    rows: tuple[CodeListRow, ...]

    @property
    def file(self) -> str:
        """The list's file below the configuration folder."""
        return f"codelists/{self.name}.csv"


def load_code_lists(folder: Traversable, languages: Sequence[str], codes: Codes) -> dict[str, CodeList]:
    """All lists of ``codelists/``, by name.

    ``languages``: those that a list has a column of labels for; ``codes``: how codes are written.

    Raises:
        InputError: a row that cannot be understood, with its file and line.
    """
    return {name: load_code_list(folder, name, languages, codes) for name in code_list_names(folder)}


def code_list_names(folder: Traversable) -> tuple[str, ...]:
    """The names of the lists of ``codelists/``."""
    files = (file.name for file in folder.joinpath("codelists").iterdir())
    return tuple(sorted(name.removesuffix(".csv") for name in files if name.endswith(".csv")))


def load_code_list(folder: Traversable, name: str, languages: Sequence[str], codes: Codes) -> CodeList:
    """The list of this name; ``languages`` and ``codes`` as for all lists.

    Raises:
        InputError: a row that cannot be understood, with its file and line.
    """
    file = f"codelists/{name}.csv"
    systems = [SYSTEM] if codes.systems else []
    columns = [*COLUMNS[:2], *systems, *(f"{LABEL}{language}" for language in languages), *COLUMNS[2:]]
    rows = read_csv(folder, file, columns, also=LABEL)
    return CodeList(name, tuple(_row(f"{file}, line {line}", line, name, fields, codes) for line, fields in rows))


def _row(where: str, line: int, name: str, fields: dict[str, str], codes: Codes) -> CodeListRow:
    if fields["list"] != name:
        raise InputError(f"{where}: the list is {fields['list']!r}, but the file is that of {name!r}.")
    system = fields.get(SYSTEM)
    if codes.systems and system not in codes.systems:
        raise InputError(f"{where}: the code system must be one of {', '.join(codes.systems)}.")
    try:
        entry = codes.entry(fields["code"], system)
    except ValueError as error:
        raise InputError(f"{where}: {error}.") from None
    if fields["status"] not in STATUSES:
        raise InputError(f"{where}: the status must be one of {', '.join(STATUSES)}.")
    if not fields["source"]:
        raise InputError(f"{where}: a code needs a source.")
    valid_from, valid_to = (_date(where, fields[end]) for end in ("valid_from", "valid_to"))
    if valid_from and valid_to and valid_to < valid_from:
        raise InputError(f"{where}: valid_to is before valid_from.")
    return CodeListRow(
        code=entry.code,
        labels={name.removeprefix(LABEL): text for name, text in fields.items() if name.startswith(LABEL) and text},
        valid_from=valid_from,
        valid_to=valid_to,
        source=fields["source"],
        status=fields["status"],
        line=line,
        match=entry.match,
        last=entry.last,
        system=system,
    )


def _date(where: str, text: str) -> date | None:
    if not text:
        return None
    try:
        # Python's own reading also takes 20230201 and 2023-W05-3.
        return (
            datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date() if len(text) == 10 else _no_date(where, text)
        )
    except ValueError:
        return _no_date(where, text)


def _no_date(where: str, text: str) -> NoReturn:
    raise InputError(f"{where}: {text!r} is not a date YYYY-MM-DD.")


def find_mistakes(code_lists: dict[str, CodeList], codes: Codes) -> Iterator[str]:
    """Likely typing errors: wrong check digits, a row that stands twice, validities that overlap."""
    for code_list in code_lists.values():
        by_code: dict[tuple[str | None, str], list[CodeListRow]] = {}
        for row in code_list.rows:
            by_code.setdefault((row.system, row.written), []).append(row)
            if row.match == "exact" and not codes.has_valid_check(row.code):
                yield f"{code_list.file}, line {row.line}: {row.code} has a wrong check digit."
        for (_, code), rows in by_code.items():
            in_time = sorted(rows, key=lambda row: (row.valid_from or date.min, row.line))
            for earlier, later in pairwise(in_time):
                same = (earlier.valid_from, earlier.valid_to) == (later.valid_from, later.valid_to)
                if same:
                    yield f"{code_list.file}, line {later.line}: {code} stands twice."
                elif (later.valid_from or date.min) <= (earlier.valid_to or date.max):
                    yield f"{code_list.file}, line {later.line}: the validity of {code} overlaps line {earlier.line}."


def find_empty(code_lists: dict[str, CodeList]) -> Iterator[str]:
    """The lists without a code: indicators that need one are not computable."""
    for code_list in code_lists.values():
        if not code_list.rows:
            yield f"{code_list.file}: the list is empty; indicators that need it are not computable."
