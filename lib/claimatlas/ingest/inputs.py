"""The arguments of an ingest: where the input is, and how it is taken in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from claimatlas.ingest.pseudonym_key import PseudonymKey

INPUT_TABLE_NAMES = ("claims", "population", "hospital_stays")
"""The input tables, in the order in which people are told of them."""


@dataclass(frozen=True)
class InputPaths:
    """Where the input is: one folder, or a path or catalog table for each table."""

    folder: str | None = None
    claims: str | None = None
    population: str | None = None
    hospital_stays: str | None = None

    @property
    def given(self) -> bool:
        """Whether there is any input."""
        return any((self.folder, self.claims, self.population, self.hospital_stays))


@dataclass(frozen=True)
class IngestOptions:
    """How the input is taken in.

    ``as_of``: the last service date that is accepted. ``replace``: years that silver holds may go. ``years``:
    reference years that must have a population, if any are asked for. ``add``: the input is a further batch
    beside what silver holds, not in its place. ``allow_schema_change``: a batch may have other columns than the
    one before. ``batch``: its number. ``key``: of the pseudonyms that stand for ids; without one ids are kept
    as they are given.
    """

    as_of: date
    replace: bool = False
    years: tuple[int, ...] = ()
    add: bool = False
    allow_schema_change: bool = False
    batch: int = 1
    key: PseudonymKey | None = None

    @property
    def key_fingerprint(self) -> str | None:
        """What names the key in records; ``None`` without one."""
        return self.key.fingerprint if self.key else None
