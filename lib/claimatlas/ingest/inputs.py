"""The arguments of an ingest: where the input is, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from claimatlas.ingest.pseudonym_key import PseudonymKey
from claimatlas.paths import is_remote, is_there

INPUT_TABLE_NAMES = ("claims", "population", "hospital_stays")
"""The input tables, in the order of messages."""

GENERATED = "generate.json"
"""The record that ``generate`` writes beside its tables."""


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
    """How the input is read and stored.

    ``as_of``: the last service date that is accepted. ``replace``: years that silver holds may go. ``years``: reference
    years that must have a population, if any are asked for. ``add``: the input is a further batch beside what silver
    holds, not in its place. ``allow_schema_change``: a batch may have other columns than the one before. ``batch``: its
    number. ``key``: of the pseudonyms that stand for ids; without one ids are kept as they are given.
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
        """The name of the key in records; ``None`` without a key."""
        return self.key.fingerprint if self.key else None


def are_synthetic(locations: Iterable[str | None]) -> bool:
    """Whether ``generate`` made one of the inputs: its record is beside it on this machine."""
    paths = (Path(location).parent for location in locations if location and not is_remote(location))
    return any(is_there(folder / GENERATED) for folder in paths)
