"""The parameters of synthetic claims, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from claimatlas.errors import InputError

RULES_VERSION = 1
"""Version of the generator's rules: the same parameters give the same rows under the same version."""

FIRST_YEAR, LAST_YEAR = 2006, 2026
SMALLEST, LARGEST = 100, 20_000_000
LARGEST_DIRTY_SHARE = 0.1

Format = Literal["parquet", "csv"]


@dataclass(frozen=True)
class Parameters:
    """The size, the years and the seed of a synthetic country.

    Attributes:
        beneficiaries: persons insured in the first year; later years differ by births, deaths and arrivals.
        first_year: first calendar year of services and population.
        last_year: last calendar year of services and population.
        seed: any whole number; another seed gives another country.
        dirty: share of rows to be added that an ingest must reject; 0 adds none.
        format: how claims, population and hospital stays are written.
    """

    beneficiaries: int
    first_year: int
    last_year: int
    seed: int
    dirty: float = 0.0
    format: Format = "parquet"

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            InputError: naming the limit.
        """
        if not SMALLEST <= self.beneficiaries <= LARGEST:
            raise InputError(f"--beneficiaries must be from {SMALLEST} to {LARGEST}.")
        if not FIRST_YEAR <= self.first_year <= self.last_year <= LAST_YEAR:
            raise InputError(f"--years must be in order and from {FIRST_YEAR} to {LAST_YEAR}.")
        if not 0 <= self.dirty <= LARGEST_DIRTY_SHARE:
            raise InputError(f"--dirty must be a share from 0 to {LARGEST_DIRTY_SHARE}.")

    @property
    def years(self) -> range:
        """The calendar years."""
        return range(self.first_year, self.last_year + 1)

    @property
    def first_day(self) -> date:
        """The first day on which a service may be given."""
        return date(self.first_year, 1, 1)

    @property
    def last_day(self) -> date:
        """The last day on which a service may be given."""
        return date(self.last_year, 12, 31)

    @property
    def entrants_per_year(self) -> int:
        """Persons who are born or arrive in each year after the first."""
        return max(3, round(self.beneficiaries * 0.0145))

    @property
    def persons(self) -> int:
        """Everybody who is ever insured."""
        return self.beneficiaries + self.entrants_per_year * (len(self.years) - 1)


def parse_years(text: str) -> tuple[int, int]:
    """``2022-2024`` or ``2023`` as first and last year.

    Raises:
        InputError: it is neither.
    """
    match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text)
    if not match:
        raise InputError(f"--years must be a year or two years such as 2022-2024, not {text!r}.")
    return int(match[1]), int(match[2] or match[1])
