"""The services that can be billed and their providers: codes of the configuration's lists, and others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.configuration.codelists import CodeListRow
from claimatlas.configuration.providers import ATTRIBUTES_BEFORE
from claimatlas.configuration.services import ContactGroup
from claimatlas.configuration.weights import FILE
from claimatlas.errors import InputError
from claimatlas.synthetic.country import Country
from claimatlas.synthetic.dice import below, lookup
from claimatlas.synthetic.everyday_codes import EverydayCodes, make_everyday_codes
from claimatlas.synthetic.parameters import Parameters
from claimatlas.synthetic.rates import PregnancyService, Rates

NEAR_MISS = "near_miss"
"""A code of a contact group, billed by a provider with whom it is no contact."""
DELIVERY_TYPES = ("caesarean", "vaginal_hospital", "home")
"""The types of delivery that are generated, the highest priority first."""
IMAGING = "imaging_therapeutic"

PROFESSION, COMPETENCE = ATTRIBUTES_BEFORE
"""The attributes of providers that are generated."""
_CODE_BITS = 14


@dataclass(frozen=True)
class Provider:
    """Who may bill: a profession, and a competence where the profession has them."""

    professions: tuple[int, ...]
    competences: tuple[int, ...]

    def profession(self, roll: Column, start: int) -> Column:
        """A profession (int); takes 6 bits."""
        return lookup(self.professions, below(roll, start, 6, len(self.professions)))

    def competence(self, roll: Column, start: int) -> Column:
        """A competence (int) or null; takes 6 bits."""
        if not self.competences:
            return F.lit(None).cast("int")
        return lookup(self.competences, below(roll, start, 6, len(self.competences)))


@dataclass(frozen=True)
class Codes:
    """Codes as they are valid over time: from each first day on, each code as often as its weight."""

    segments: tuple[tuple[date, tuple[int, ...]], ...]

    def draw(self, day: Column, roll: Column, start: int) -> Column:
        """A code (int) that is valid on the day, null when there is none; takes 14 bits."""
        nothing = F.lit(None).cast("int")
        code = nothing
        for first_day, codes in self.segments:
            here = lookup(codes, below(roll, start, _CODE_BITS, len(codes))) if codes else nothing
            code = F.when(day >= F.lit(first_day), here).otherwise(code)
        return code


@dataclass(frozen=True)
class Delivery:
    """The codes of a type of delivery: all, and those that a midwife bills."""

    codes: Codes
    midwife_codes: Codes
    billed_by_midwives: tuple[int, ...]


@dataclass(frozen=True)
class Offers:
    """All services.

    Attributes:
        slots: the services around a delivery, each as often as it is repeated.
        codes: by the service's name in the slots.
        providers: by contact group.
        contact_group: by the service's name, the contact group that its lines belong to, if any.
        deliveries: by type.
        imaging: therapeutic imaging.
        everyday: what anybody has billed.
    """

    slots: tuple[PregnancyService, ...]
    codes: dict[str, Codes]
    providers: dict[str, Provider]
    contact_group: dict[str, str | None]
    deliveries: dict[str, Delivery]
    imaging: Codes
    everyday: EverydayCodes


def load_offers(configuration: Configuration, country: Country, rates: Rates, parameters: Parameters) -> Offers:
    """Bring the configuration's lists and rules into the form that lines are drawn from.

    Raises:
        InputError: the configuration lacks a service that the generator knows.
    """
    _refuse_what_is_not_drawn(configuration)
    builder = _Builder(configuration, rates, parameters)
    services, settings = configuration.services, configuration.settings
    groups = {name: group.code_lists_for(settings) for name, group in services.contact_groups.items()}
    names = {slot.service for slot in rates.pregnancy_services}
    lists: dict[str, tuple[str, ...]] = {}
    for name in sorted(names):
        if name == NEAR_MISS:
            lists[name] = tuple(used for group in groups.values() for used in group)
        elif name in groups:
            lists[name] = groups[name]
        elif name in configuration.code_lists:
            lists[name] = (name,)
        else:
            raise InputError(f"synthetic/pregnancy_services.csv: {name} is neither a contact group nor a code list.")
    providers = {name: _provider(group, country) for name, group in services.contact_groups.items()}
    for slot in rates.pregnancy_services:
        if slot.service != NEAR_MISS and slot.provider not in providers:
            raise InputError(f"synthetic/pregnancy_services.csv: there is no contact group {slot.provider!r}.")
    if IMAGING not in services.beneficiary_services or set(DELIVERY_TYPES) - set(services.delivery_types):
        raise InputError(f"services.yaml must have {IMAGING} and the delivery types {', '.join(DELIVERY_TYPES)}.")
    everywhere = frozenset(number_of(row) for code_list in configuration.code_lists.values() for row in code_list.rows)
    everyday_contacts = [
        (builder.always_valid(groups[name]), providers[name].professions, providers[name].competences)
        for name in ("gp", "specialist")
        if name in groups
    ]
    return Offers(
        slots=tuple(slot for slot in rates.pregnancy_services for _ in range(slot.repeats)),
        codes={name: builder.codes(used) for name, used in lists.items()},
        providers=providers,
        contact_group={name: _group_of(name, lists[name], groups) for name in lists},
        deliveries={name: builder.delivery(services.delivery_types[name].code_list) for name in DELIVERY_TYPES},
        imaging=builder.codes(services.beneficiary_services[IMAGING].code_lists),
        everyday=make_everyday_codes(country.everyday, everywhere, everyday_contacts),
    )


def _refuse_what_is_not_drawn(configuration: Configuration) -> None:
    """By tables claims are drawn code by code, and each code is a number.

    Raises:
        InputError: codes are text, the population is given by spans, providers have other attributes, or a list names
            many codes at once.
    """
    settings = configuration.settings
    holds = {name: attribute.holds for name, attribute in settings.provider_attributes.items()}
    many = (
        f"{code_list.file}, line {row.line}, has {row.written}"
        for code_list in configuration.code_lists.values()
        for row in code_list.rows
        if row.match != "exact"
    )
    said = None
    if settings.population.are_spans:
        said = "a population of person-years; settings.yaml declares spans"
    elif not settings.codes.are_numbers:
        said = "codes that are numbers; settings.yaml declares codes of the kind text"
    elif holds != dict.fromkeys((PROFESSION, COMPETENCE), "integer"):
        declared = ", ".join(holds) or "no attribute"
        said = f"providers with {PROFESSION} and {COMPETENCE}, whole numbers both; settings.yaml declares {declared}"
    elif named := next(many, None):
        said = f"codes one by one; {named}"
    if said is not None:
        raise InputError(f"By the tables of synthetic/, generate draws {said}. Write {FILE}, and it draws by that.")


def _group_of(name: str, lists: Sequence[str], groups: dict[str, tuple[str, ...]]) -> str | None:
    if name == NEAR_MISS:
        return None
    if name in groups:
        return name
    return next((group for group, used in groups.items() if lists[0] in used), None)


def _provider(group: ContactGroup, country: Country) -> Provider:
    """A provider who meets the rule of the group."""
    professions = _numbers(group.where.get(PROFESSION, ()))
    competences = _numbers(group.where.get(COMPETENCE, ()))
    if excluded := _numbers(group.where_not.get(COMPETENCE, ())):
        competences = tuple(code for code in competences or country.specialists if code not in excluded)
    elif not professions:
        competences = competences or country.specialists
    excluded = _numbers(group.where_not.get(PROFESSION, ()))
    return Provider(tuple(code for code in professions or country.physicians if code not in excluded), competences)


def _numbers(words: Iterable[str]) -> tuple[int, ...]:
    """The whole numbers that the words of a rule name."""
    entries = [ATTRIBUTES_BEFORE[PROFESSION].entry(word) for word in words]
    return tuple(number for entry in entries for number in range(int(entry.code), int(entry.last or entry.code) + 1))


def number_of(row: CodeListRow) -> int:
    """The code of a row that names one number."""
    return int(row.code)


class _Builder:
    """Turns code lists into tables to draw from."""

    def __init__(self, configuration: Configuration, rates: Rates, parameters: Parameters) -> None:
        self.code_lists = configuration.code_lists
        self.weights = rates.code_weights
        self.first_day, self.last_day = parameters.first_day, parameters.last_day

    def _rows(self, lists: Iterable[str]) -> list[tuple[str, CodeListRow]]:
        return [(name, row) for name in lists for row in self.code_lists[name].rows]

    def _expanded(self, rows: Iterable[tuple[str, CodeListRow]]) -> tuple[int, ...]:
        codes: list[int] = []
        for name, row in rows:
            weight = self.weights.get((name, number_of(row)))
            codes += [number_of(row)] * (weight.weight if weight else 1)
        return tuple(codes)

    def codes(self, lists: Iterable[str]) -> Codes:
        """The codes of the lists, cut where one begins or ends to be valid."""
        return self._segments(self._rows(lists))

    def _segments(self, rows: list[tuple[str, CodeListRow]]) -> Codes:
        cuts = {self.first_day}
        for _, row in rows:
            starts = [row.valid_from] if row.valid_from else []
            starts += [row.valid_to + timedelta(1)] if row.valid_to else []
            cuts.update(day for day in starts if self.first_day < day <= self.last_day)
        return Codes(
            tuple((day, self._expanded(pair for pair in rows if _valid(pair[1], day, day))) for day in sorted(cuts))
        )

    def always_valid(self, lists: Iterable[str]) -> tuple[int, ...]:
        """The codes that are valid on every day of the generated years."""
        return self._expanded(pair for pair in self._rows(lists) if _valid(pair[1], self.first_day, self.last_day))

    def delivery(self, code_list: str) -> Delivery:
        """The codes of a type of delivery."""
        rows = self._rows([code_list])
        by_midwives = [
            pair
            for pair in rows
            if (weight := self.weights.get((pair[0], number_of(pair[1])))) and weight.provider == "midwife"
        ]
        codes = self._segments(rows)
        return Delivery(
            codes=codes,
            midwife_codes=self._segments(by_midwives) if by_midwives else codes,
            billed_by_midwives=tuple(sorted({number_of(row) for _, row in by_midwives})),
        )


def _valid(row: CodeListRow, first: date, last: date) -> bool:
    return (row.valid_from or date.min) <= first and last <= (row.valid_to or date.max)
