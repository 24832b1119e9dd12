"""Draw the people and claims of any configuration by ``synthetic/weights.yaml``, person by person and without Spark.

What a person has depends on the seed and the person's number alone: of more people the first ones are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate, pairwise
from typing import Any

from claimatlas.configuration import Configuration
from claimatlas.configuration.codelists import SYSTEM
from claimatlas.configuration.weights import UNKNOWN, AroundDelivery, DrawnCode, WeightedService, drawn_codes, lists_of
from claimatlas.configuration.weights import SyntheticWeights as Weights
from claimatlas.errors import InputError
from claimatlas.synthetic.parameters import Parameters

Row = dict[str, Any]

LAST_CLASS = 10
"""The last class of ages has so many years."""
SHORTEST_INTERVAL = 300
"""Days between two deliveries of a woman, at least."""
ENROLLED_BEFORE = 3 * 365
"""The first span of enrolment starts at most so many days before the first year."""
_ABSENT_DAYS = (30, 400)
_BOOKING_DAYS = (3, 90)
_LAST_BILLING = 10
"""A delivery that is billed again is so within so many days."""
_PROVIDERS = 40
"""Of a kind, in each place."""
_HOSPITALS = tuple(f"H{number}" for number in range(1, 7))
"""The hospitals where the configuration has no register of them."""


@dataclass(frozen=True)
class _Choice:
    """One of some values, each as often as its weight."""

    values: tuple[Any, ...]
    until: tuple[float, ...]

    @classmethod
    def of(cls, weights: Mapping[Any, float]) -> _Choice:
        return cls(tuple(weights), tuple(accumulate(weights.values())))

    def draw(self, dice: random.Random) -> Any:  # noqa: ANN401 - what the values are, the caller knows
        return dice.choices(self.values, cum_weights=self.until)[0]


@dataclass(frozen=True)
class _Codes:
    """The codes of a list, of which some may be valid on some days only."""

    all: tuple[DrawnCode, ...]
    by_day: dict[date, _Choice] = field(default_factory=dict)

    def draw(self, dice: random.Random, day: date) -> DrawnCode | None:
        """A code that is valid on a day; none where none is."""
        if day not in self.by_day:
            valid = [code for code in self.all if code.is_valid(day) and code.weight]
            self.by_day[day] = _Choice(tuple(valid), tuple(accumulate(code.weight for code in valid)))
        choice = self.by_day[day]
        found: DrawnCode | None = choice.draw(dice) if choice.values else None
        return found


@dataclass(frozen=True)
class Span:
    """Days of enrolment, both included, with one home. ``end``: none where it goes on."""

    start: date
    end: date | None
    home: str

    def covers(self, day: date) -> bool:
        """Whether a day is one of them."""
        return self.start <= day and (self.end is None or day <= self.end)


@dataclass
class RowsOfPerson:
    """The rows of one person, by table, under the columns that the specification names."""

    population: list[Row] = field(default_factory=list)
    claims: list[Row] = field(default_factory=list)
    hospital_stays: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class _Person:
    """Who a person is, and the rows drawn so far."""

    id: str
    female: bool
    born: date
    spans: tuple[Span, ...]
    columns: Mapping[str, Any]
    dice: random.Random
    drawn: RowsOfPerson

    def is_enrolled(self, day: date) -> bool:
        return self.home(day) is not None

    def home(self, day: date) -> str | None:
        return next((span.home for span in self.spans if span.covers(day)), None)


class WeightedWorld:
    """Everything that is fixed before the first person."""

    def __init__(self, configuration: Configuration, weights: Weights, parameters: Parameters) -> None:
        """``weights``: checked against the configuration, as ``load_weights`` does.

        Raises:
            InputError: nobody can live anywhere in the first year.
        """
        self.configuration, self.weights, self.parameters = configuration, weights, parameters
        self.register = configuration.hospitals
        people = weights.people
        self.age_class = _Choice.of(dict(zip(_classes(people.ages), people.ages.values(), strict=True)))
        self.sex = _Choice.of(people.sexes)
        places = people.places or dict.fromkeys(configuration.geography.vintage(parameters.first_year), 1.0)
        if not places:
            raise InputError(
                f"--years: geography/municipalities.csv has no place of {parameters.first_year}; name later years, or "
                "say in people.places of the weights where people live."
            )
        self.place = _Choice.of(places)
        types = {column.name: column.type for column in configuration.dimensions.population_columns}
        self.columns = {
            name: _Choice.of({_typed(value, types[name]): weight for value, weight in values.items()})
            for name, values in people.columns.items()
        }
        self.codes = {
            name: _Codes(drawn_codes(weights, configuration, name)) for name in lists_of(weights, configuration)
        }
        self.providers = {
            provider: {name: _Choice.of(self._values(name, values)) for name, values in given.items()}
            for provider, given in weights.providers.items()
        }
        self.types = _Choice.of(weights.deliveries.types) if weights.deliveries else None
        # No billing of a delivery is within the gap of another's.
        self.interval = max(SHORTEST_INTERVAL, configuration.settings.episode_gap_days + _LAST_BILLING + 1)

    def _values(self, attribute: str, values: Mapping[str, float]) -> dict[int | str | None, float]:
        declared = self.configuration.settings.provider_attributes[attribute]
        return {None if value == UNKNOWN else declared.entry(value).code: weight for value, weight in values.items()}

    def hospitals(self, year: int) -> tuple[str, ...]:
        """The hospitals of a year: those of the register, where there is one."""
        return (self.register.of(year) if self.register is not None else ()) or _HOSPITALS

    def draw(self, number: int) -> RowsOfPerson:
        """The rows of the person with a number."""
        # Not for secrets: the same rows for the same seed.
        dice = random.Random(f"{self.parameters.seed}:{number}")  # noqa: S311
        first, last = self.age_class.draw(dice)
        born = _day_of(dice, self.parameters.first_year - dice.randint(first, last))
        spans = tuple(self._spans(dice, born))
        columns = {name: choice.draw(dice) for name, choice in self.columns.items()}
        female = self.sex.draw(dice) == "female"
        person = _Person(f"P{number:08d}", female, born, spans, columns, dice, RowsOfPerson())
        person.drawn.population.extend(self._population(person))
        for day in self._deliveries(person):
            self._bill_delivery(person, day)
        for service in self.weights.services:
            if service.per_person_year is not None:
                self._give_by_year(person, service, service.per_person_year)
        return person.drawn

    def _spans(self, dice: random.Random, born: date) -> Iterator[Span]:
        people, parameters = self.weights.people, self.parameters
        start = max(born, parameters.first_day - timedelta(dice.randrange(ENROLLED_BEFORE)))
        home = self.place.draw(dice)
        for year in parameters.years:
            chance, day = dice.random(), _day_of(dice, year)
            if chance >= people.leave + people.move or day <= start:
                continue
            yield Span(start, day, home)
            start = day + timedelta(1)
            if chance < people.leave:
                start += timedelta(dice.randint(*_ABSENT_DAYS))
            else:
                home = self.place.draw(dice)
        yield Span(start, None, home)

    def _population(self, person: _Person) -> Iterator[Row]:
        fixed = {
            "beneficiary_id": person.id,
            "birth_date": person.born,
            "sex": "female" if person.female else "male",
            **person.columns,
        }
        if self.configuration.settings.population.are_spans:
            for span in person.spans:
                yield {**fixed, "start_date": span.start, "end_date": span.end, "municipality": span.home}
            return
        for year in self.parameters.years:
            first, last = date(year, 1, 1), date(year, 12, 31)
            if any(span.start <= last and (span.end is None or span.end >= first) for span in person.spans):
                places = {
                    "municipality_31_december": self._place(person, last),
                    "municipality_30_june": self._place(person, date(year, 6, 30)),
                }
                yield {**fixed, "year": year, **places}

    def _place(self, person: _Person, day: date) -> str | None:
        """Where a person lives on a day, in the codes of its year; nothing for who is not enrolled."""
        home = person.home(day)
        return None if home is None else self.configuration.geography.carry(home, day.year) or home

    def _deliveries(self, person: _Person) -> Iterator[date]:
        deliveries = self.weights.deliveries
        if deliveries is None or not person.female:
            return
        before: date | None = None
        for year in self.parameters.years:
            drawn, day = person.dice.random() * 1000, _day_of(person.dice, year)
            rate = _rate(deliveries.per_1000_women, year - person.born.year)
            is_free = before is None or (day - before).days >= self.interval
            if drawn < rate and is_free and person.is_enrolled(day):
                yield day
                before = day

    def _bill_delivery(self, person: _Person, day: date) -> None:
        deliveries, dice = self.weights.deliveries, person.dice
        if deliveries is None or self.types is None:
            return
        kind = self.types.draw(dice)
        code_list = self.configuration.services.delivery_types[kind].code_list
        code = self.codes[code_list].draw(dice, day)
        if code is None:
            return
        hospital = dice.choice(self.hospitals(day.year))
        self._bill(person, day, code)["hospital_id"] = hospital
        days = [day]
        if dice.random() < deliveries.billed_again:
            last = day + timedelta(dice.randint(0, min(_LAST_BILLING, self.configuration.settings.episode_gap_days)))
            again = self.codes[code_list].draw(dice, last)
            if again is not None and last <= self.parameters.last_day:
                self._bill(person, last, again)["hospital_id"] = hospital
                days.append(last)
        number = len(person.drawn.hospital_stays)
        person.drawn.hospital_stays.append(
            {
                "stay_id": f"{person.id}-{number}",
                "beneficiary_id": person.id,
                "admission_date": day - timedelta(dice.randint(0, 2)),
                "discharge_date": day + timedelta(dice.randint(1, 6)),
                "hospital_id": hospital,
            }
        )
        person.drawn.deliveries.append(
            {
                "beneficiary_id": person.id,
                "delivery_date": day,
                "delivery_type": kind,
                "hospital_id": hospital,
                "billings": len(days),
                "last_billing_date": days[-1],
            }
        )
        for service in self.weights.services:
            if service.around_delivery is not None:
                self._give_around(person, service, service.around_delivery, day)

    def _give_around(self, person: _Person, service: WeightedService, around: AroundDelivery, delivery: date) -> None:
        for _ in range(around.repeats):
            if person.dice.random() < around.share:
                offset = person.dice.randint(around.first_day, around.last_day)
                self._give(person, service, delivery + timedelta(offset))

    def _give_by_year(self, person: _Person, service: WeightedService, rates: Mapping[int, float]) -> None:
        for year in self.parameters.years:
            for _ in range(_count(person.dice, _rate(rates, year - person.born.year))):
                self._give(person, service, _day_of(person.dice, year))

    def _give(self, person: _Person, service: WeightedService, day: date) -> None:
        """Bill a service, if the person is enrolled on the day and a code is valid; a part is taken back."""
        if not (self.parameters.first_day <= day <= self.parameters.last_day and person.is_enrolled(day)):
            return
        code = self.codes[service.code_list].draw(person.dice, day)
        if code is None:
            return
        line = self._bill(person, day, code, service.provider)
        if person.dice.random() < self.weights.taken_back:
            number = len(person.drawn.claims)
            booked = line["booking_date"] + timedelta(25)
            person.drawn.claims.append(
                {**line, "claim_id": f"{person.id}-{number}", "quantity": -1, "booking_date": booked}
            )

    def _bill(self, person: _Person, day: date, code: DrawnCode, provider: str | None = None) -> Row:
        """Add a claim line, and give it back."""
        dice = person.dice
        attributes = self.providers.get(provider or "", {})
        line: Row = {
            "claim_id": f"{person.id}-{len(person.drawn.claims)}",
            "beneficiary_id": person.id,
            "service_date": day,
            "nomenclature_code": code.code,
            SYSTEM: code.system,
            "quantity": 1,
            "provider_id": f"{provider or 'ward'}-{person.home(day)}-{dice.randrange(_PROVIDERS)}",
            **{name: choice.draw(dice) for name, choice in attributes.items()},
            "hospital_id": None,
            "booking_date": day + timedelta(dice.randint(*_BOOKING_DAYS)),
        }
        person.drawn.claims.append(line)
        return line


def _classes(ages: Iterable[int]) -> list[tuple[int, int]]:
    """First and last age of each class."""
    firsts = list(ages)
    return [(first, after - 1) for first, after in pairwise([*firsts, firsts[-1] + LAST_CLASS])]


def _rate(by_age: Mapping[int, float], age: int) -> float:
    return next(rate for first, rate in reversed(list(by_age.items())) if first <= max(age, 0))


def _count(dice: random.Random, mean: float) -> int:
    """A number of events of which there are so many on average (Poisson, by the gaps between them)."""
    count, passed = 0, dice.expovariate(1)
    while passed < mean:
        count, passed = count + 1, passed + dice.expovariate(1)
    return count


def _day_of(dice: random.Random, year: int) -> date:
    first = date(year, 1, 1)
    return first + timedelta(dice.randrange((date(year + 1, 1, 1) - first).days))


def _typed(value: str, kind: str) -> Any:  # noqa: ANN401 - text or a truth
    if value == UNKNOWN:
        return None
    return value == "yes" if kind == "boolean" else value
