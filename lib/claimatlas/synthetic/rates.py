"""The rates of ``conf/synthetic``, brought to single years of age."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import TypeVar

from claimatlas.configuration.documents import read_csv
from claimatlas.errors import InputError

OLDEST = 115
"""Nobody grows older, in completed years on 31 December."""
BAND = 5
SEXES = ("female", "male")
SURVIVAL_STEPS = 4096

Ages = tuple[float, ...]
Row = dict[str, str]
Value = TypeVar("Value")


@dataclass(frozen=True)
class PregnancyService:
    """A service around a delivery, given ``repeats`` times, each time with ``probability`` (0 to 1).

    ``service`` is a contact group, a code list or ``near_miss``; ``provider`` is the contact group
    whose provider rule the provider meets; the days count from the delivery, both ends included.
    """

    service: str
    provider: str
    repeats: int
    probability: float
    first_day: int
    last_day: int


@dataclass(frozen=True)
class CodeWeight:
    """How often a code of a list is billed, relative to the list's others, and by which provider."""

    weight: int
    provider: str


@dataclass(frozen=True)
class Rates:
    """The tables; tuples hold one value for each age from 0 to ``OLDEST``, on 31 December.

    Attributes:
        pyramid: inhabitants by first age of a band of five years, and sex.
        lines: claim lines in a year.
        increased_reimbursement: share of persons with it.
        imaging: by sex, share of persons with therapeutic imaging in a year.
        survivors: by sex, share of the newborn that reaches the age.
        death_age: by sex, the age at death of each of ``SURVIVAL_STEPS`` equal shares of the newborn,
            those who live longest first.
        deliveries: share of women who deliver in the year; none outside 15 to 49 completed years.
        caesareans: share of deliveries.
        pregnancy_services: what is billed around a delivery.
        code_weights: by code list and code.
    """

    pyramid: dict[tuple[int, str], int]
    lines: Ages
    increased_reimbursement: Ages
    imaging: dict[str, Ages]
    survivors: dict[str, Ages]
    death_age: dict[str, tuple[int, ...]]
    deliveries: Ages
    caesareans: Ages
    pregnancy_services: tuple[PregnancyService, ...]
    code_weights: dict[tuple[str, int], CodeWeight]


FILES = ("age_sex.csv", "by_age.csv", "code_weights.csv", "fertility.csv", "pregnancy_services.csv")
"""The tables of ``synthetic/`` that rates are read from."""


def load_rates(folder: Traversable) -> Rates:
    """Read the tables of ``synthetic/`` below the configuration folder.

    Raises:
        InputError: a table that is missing or cannot be understood.
    """
    by_age = dict(_rows(folder, "by_age.csv", _BY_AGE, lambda row: (int(row["age_from"]), row)))
    fertility = dict(_rows(folder, "fertility.csv", _FERTILITY, lambda row: (int(row["age"]), row)))
    survivors = {sex: _survivors(_yearly(by_age, f"deaths_per_1000_{sex}", 0.001)) for sex in SEXES}
    return Rates(
        pyramid=dict(_rows(folder, "age_sex.csv", _PYRAMID, _inhabitants)),
        lines=_yearly(by_age, "lines_per_year", 1),
        increased_reimbursement=_yearly(by_age, "increased_reimbursement_pct", 0.01),
        imaging={sex: _yearly(by_age, f"imaging_per_1000_{sex}", 0.001) for sex in SEXES},
        survivors=survivors,
        death_age={sex: _death_ages(survivors[sex]) for sex in SEXES},
        deliveries=_at_year_end(fertility, "deliveries_per_1000_women", 0.001),
        caesareans=_at_year_end(fertility, "caesarean_pct", 0.01),
        pregnancy_services=tuple(_rows(folder, "pregnancy_services.csv", _SERVICES, _service)),
        code_weights=dict(_rows(folder, "code_weights.csv", _WEIGHTS, _weight)),
    )


_BY_AGE = (
    "age_from", "lines_per_year", "increased_reimbursement_pct", "deaths_per_1000_female",
    "deaths_per_1000_male", "imaging_per_1000_female", "imaging_per_1000_male",
)  # fmt: skip
_FERTILITY = ("age", "deliveries_per_1000_women", "caesarean_pct")
_PYRAMID = ("age_from", "sex", "inhabitants")
_SERVICES = ("service", "provider", "repeats", "probability_pct", "first_day", "last_day")
_WEIGHTS = ("list", "code", "weight", "provider")


def _rows(
    folder: Traversable, name: str, columns: tuple[str, ...], understand: Callable[[Row], Value]
) -> Iterator[Value]:
    file = f"synthetic/{name}"
    for line, row in read_csv(folder, file, columns):
        try:
            yield understand(row)
        except ValueError as error:
            raise InputError(f"{file}, line {line}: {error}.") from None


def _inhabitants(row: Row) -> tuple[tuple[int, str], int]:
    if row["sex"] not in SEXES:
        raise ValueError(f"the sex must be one of {', '.join(SEXES)}")
    return (int(row["age_from"]), row["sex"]), int(row["inhabitants"])


def _service(row: Row) -> PregnancyService:
    first_day, last_day = int(row["first_day"]), int(row["last_day"])
    if last_day < first_day:
        raise ValueError("last_day is before first_day")
    probability = float(row["probability_pct"]) / 100
    return PregnancyService(row["service"], row["provider"], int(row["repeats"]), probability, first_day, last_day)


def _weight(row: Row) -> tuple[tuple[str, int], CodeWeight]:
    return (row["list"], int(row["code"])), CodeWeight(int(row["weight"]), row["provider"])


def _yearly(bands: dict[int, Row], column: str, unit: float) -> Ages:
    """Bands of five years to single years: straight lines between the middles of the bands."""
    middles = [(first + BAND // 2, float(row[column]) * unit) for first, row in sorted(bands.items())]
    values = []
    for age in range(OLDEST + 1):
        after = next((pair for pair in middles if pair[0] >= age), middles[-1])
        before = next((pair for pair in reversed(middles) if pair[0] <= age), middles[0])
        way = (age - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0.0
        values.append(before[1] + way * (after[1] - before[1]))
    return tuple(values)


def _at_year_end(by_age: dict[int, Row], column: str, unit: float) -> Ages:
    """Rates by completed age at delivery to rates by age on 31 December.

    Of the women who are ``n`` on that day half deliver at ``n`` and half, before their birthday, at
    ``n - 1``; the first and last ages are left out where that would reach outside the table.
    """
    youngest, eldest = min(by_age), max(by_age)
    rate = {age: float(row[column]) * unit for age, row in by_age.items()}
    return tuple((rate[age] + rate[age - 1]) / 2 if youngest < age <= eldest else 0.0 for age in range(OLDEST + 1))


def _survivors(deaths: Ages) -> Ages:
    shares = [1.0]
    for age in range(OLDEST):
        shares.append(shares[-1] * (1 - deaths[age]))
    return (*shares, 0.0)


def _death_ages(survivors: Ages) -> tuple[int, ...]:
    """Who is at share ``x`` of the survivors dies at the age at which the survivors fall to ``x``."""
    steps = [(step + 0.5) / SURVIVAL_STEPS for step in range(SURVIVAL_STEPS)]
    return tuple(next(age for age in range(OLDEST + 1) if survivors[age + 1] <= share) for share in steps)
