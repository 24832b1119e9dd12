"""The register of hospitals: ``hospitals.csv``, a file that a configuration may have. No run reads it.

A hospital that is absent from a published table would tell that nobody gave birth there. So the hospitals of a year
come from this register, and never from the claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from claimatlas.configuration.documents import is_there, read_csv, read_text
from claimatlas.configuration.reserved import NAME_OF_PLACE, YEARS_OF_PLACES
from claimatlas.errors import InputError

FILE = "hospitals.csv"
COLUMNS = ("hospital", *YEARS_OF_PLACES, "successor")
_OPEN = 9999


@dataclass(frozen=True)
class Hospital:
    """A hospital: its id as the claims have it, its names by language, the years on whose 1 January it is valid.

    successor: the id of the hospital that goes on with it; empty where there is none.
    """

    id: str
    names: Mapping[str, str]
    first_year: int
    last_year: int
    successor: str

    def is_valid(self, year: int) -> bool:
        """Whether it is a hospital of a year."""
        return self.first_year <= year <= self.last_year


@dataclass(frozen=True)
class Hospitals:
    """Every hospital of the register, by id; ``text``: the file as it is."""

    by_id: Mapping[str, Hospital]
    text: str

    def of(self, year: int) -> tuple[str, ...]:
        """The ids of a year, in order."""
        return tuple(sorted(code for code, hospital in self.by_id.items() if hospital.is_valid(year)))

    def name(self, code: str, language: str) -> str:
        """What a hospital is called: in the language, else in any, else its id."""
        names = self.by_id[code].names if code in self.by_id else {}
        return names.get(language) or next(iter(names.values()), code)

    def carried(self, code: str, year: int) -> str | None:
        """The hospital of a year that goes on with one; nothing where none does, or it is valid itself."""
        now = self.by_id[code]
        while not now.is_valid(year) and now.successor:
            now = self.by_id[now.successor]
        return now.id if now.is_valid(year) and now.id != code else None

    def ended(self, year: int) -> list[tuple[str, str]]:
        """The ids that are not valid any more in a year, each with the hospital that goes on with it."""
        before = [code for code, one in sorted(self.by_id.items()) if one.last_year < year]
        found = [(code, self.carried(code, year)) for code in before]
        return [(code, now) for code, now in found if now is not None]


def load_hospitals(folder: Traversable, languages: Sequence[str]) -> Hospitals | None:
    """Read the register of a configuration folder; nothing where there is none. Grain: one row per hospital.

    Columns: ``hospital`` (the id of the claims), ``first_year``, ``last_year`` (empty: still open), ``successor`` (may
    be empty), and ``name_`` with each language.

    Raises:
        InputError: the first row that cannot be understood, with its file and line.
    """
    if not is_there(folder.joinpath(FILE)):
        return None
    found: dict[str, Hospital] = {}
    lines: dict[str, int] = {}
    for line, row in read_csv(folder, FILE, COLUMNS, also=NAME_OF_PLACE):
        code = row["hospital"]
        if not code or code in found:
            raise InputError(f"{FILE}, line {line}: hospital: the id {code[:40]!r} is empty or stands twice.")
        first, last = (_year(row[name], f"{FILE}, line {line}: {name}") for name in YEARS_OF_PLACES)
        if last < first:
            raise InputError(f"{FILE}, line {line}: last_year: {code} ends before it starts.")
        names = {one: row.get(f"{NAME_OF_PLACE}{one}", "") for one in languages}
        names = {language: name for language, name in names.items() if name}
        if not names:
            wanted = ", ".join(f"{NAME_OF_PLACE}{one}" for one in languages)
            raise InputError(f"{FILE}, line {line}: {code} has no name: fill at least one of {wanted}.")
        found[code] = Hospital(code, names, first, last, row["successor"])
        lines[code] = line
    for code, hospital in found.items():
        _check_successor(found, hospital, f"{FILE}, line {lines[code]}: successor")
    return Hospitals(found, read_text(folder, FILE))


def _check_successor(found: Mapping[str, Hospital], hospital: Hospital, where: str) -> None:
    if not hospital.successor:
        return
    if hospital.successor not in found:
        raise InputError(f"{where}: {hospital.successor[:40]!r} is no hospital of the file.")
    if found[hospital.successor].last_year <= hospital.last_year:
        # So a chain of successors always ends.
        raise InputError(
            f"{where}: {hospital.successor} does not last longer than {hospital.id}, which it goes on with."
        )


def _year(text: str, where: str) -> int:
    if not text and where.endswith("last_year"):
        return _OPEN
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise InputError(f"{where}: {text[:40]!r} is not a year.")
    return int(text)
