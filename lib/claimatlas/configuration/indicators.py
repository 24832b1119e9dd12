"""Indicator declarations: one YAML file each; the engine computes every one that is declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import Literal

from pydantic import Field, model_validator

from claimatlas.configuration.dimensions import AGE, SEX, Dimensions, Population
from claimatlas.configuration.documents import Document, read_yaml, validate
from claimatlas.configuration.model import Declaration, InLanguages, KeyMistakeError, Number, Whole
from claimatlas.configuration.services import Services
from claimatlas.configuration.settings import HOSPITAL, SECTOR, Settings
from claimatlas.configuration.standards import FOLDER as STANDARDS
from claimatlas.configuration.standards import Standard, misfits
from claimatlas.errors import InputError

UNIT_SIGNS = {
    **{"percent": "%", "per_100": "per 100", "per_1000": "per 1,000", "per_100000": "per 100,000"},
    **{"mean": "on average", "mean_nights": "nights", "median": "(median)", "count": ""},
}
"""How the unit of an indicator is written after its value."""


SCALES = {
    "percent": 100,
    "per_100": 100,
    "per_1000": 1_000,
    "per_100000": 100_000,
    "mean": 1,
    "mean_nights": 1,
    "median": 1,
    "count": 1,
}
"""What a numerator over its denominator is multiplied by, by unit."""

MEDIAN = "median"
RATES = ("percent", "per_100", "per_1000", "per_100000")
"""The units of a share of the members; the only ones that can be standardised."""


class Ages(Declaration):
    """Ages in completed years, both ends included; no ``to`` means open."""

    from_: Whole = Field(default=0, alias="from", ge=0)
    to: Whole | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Ages:
        if self.to is not None and self.to < self.from_:
            raise ValueError("to must not be below from")
        return self


class Enrolled(Declaration):
    """Days before and after the delivery on which the mother must be enrolled, as on the day itself, without a gap."""

    days_before: Whole = Field(default=0, ge=0)
    days_after: Whole = Field(default=0, ge=0)


class Denominator(Declaration):
    """Which members are counted, when not all are.

    ages: those of these ages, at delivery or on 31 December; nobody of unknown age. sexes: those beneficiaries.
    Of deliveries alone: delivery_types: those of these types. with_known_stay: those with a known hospital stay.
    with_flag, without_flag: those that have, or have not, a flag. enrolled: those whose mother is enrolled around them.
    """

    delivery_types: tuple[str, ...] = Field(default=(), min_length=1)
    with_known_stay: bool = False
    ages: Ages | None = None
    sexes: tuple[Literal["female", "male"], ...] = Field(default=(), min_length=1)
    with_flag: str | None = None
    without_flag: str | None = None
    enrolled: Enrolled | None = None

    @property
    def name(self) -> str:
        """A name that two indicators share when they count the same members."""
        parts = [*sorted(self.delivery_types), *(["with_known_stay"] if self.with_known_stay else [])]
        if self.ages is not None:
            parts.append(f"aged_{self.ages.from_}_{'on' if self.ages.to is None else self.ages.to}")
        parts += sorted(set(self.sexes))
        parts += [f"with_{self.with_flag}"] if self.with_flag else []
        parts += [f"without_{self.without_flag}"] if self.without_flag else []
        if self.enrolled is not None:
            parts.append(f"enrolled_{self.enrolled.days_before}_{self.enrolled.days_after}")
        return "_".join(parts)

    @property
    def flags(self) -> tuple[str, ...]:
        """The delivery flags that it reads."""
        return tuple(name for name in (self.with_flag, self.without_flag) if name)

    @property
    def of_deliveries(self) -> bool:
        """Whether only deliveries can be chosen among so."""
        return bool(self.delivery_types or self.with_known_stay or self.flags or self.enrolled)

    @property
    def restriction(self) -> Denominator | None:
        """What it asks of its members beyond a delivery type and a known stay; nothing where that is nothing."""
        if not (self.ages or self.sexes or self.flags or self.enrolled):
            return None
        return self.model_copy(update={"delivery_types": (), "with_known_stay": False})

    @property
    def meaning(self) -> tuple[object, ...]:
        """What it says, whatever the order of its lists."""
        ages = None if self.ages is None else (self.ages.from_, self.ages.to)
        enrolled = None if self.enrolled is None else (self.enrolled.days_before, self.enrolled.days_after)
        flags = (self.with_flag, self.without_flag)
        return frozenset(self.delivery_types), self.with_known_stay, ages, frozenset(self.sexes), flags, enrolled


class Numerator(Declaration):
    """What is counted; exactly one of these.

    all: every member of the population.
    with_any, without_any: deliveries with at least one, or with none, of these flags.
    delivery_types: deliveries of these types.
    nights_after_delivery: the nights from delivery to discharge.
    with_service: beneficiary-years with the service.
    quantity_of_service: the net quantity of the service.
    """

    all: Literal[True] | None = None
    with_any: tuple[str, ...] | None = Field(default=None, min_length=1)
    without_any: tuple[str, ...] | None = Field(default=None, min_length=1)
    delivery_types: tuple[str, ...] | None = Field(default=None, min_length=1)
    nights_after_delivery: Literal[True] | None = None
    with_service: str | None = None
    quantity_of_service: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Numerator:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def flags(self) -> tuple[str, ...]:
        """The delivery flags that it reads."""
        return self.with_any or self.without_any or ()

    @property
    def service(self) -> str | None:
        """The beneficiary service that it reads."""
        return self.with_service or self.quantity_of_service

    @property
    def counts_members(self) -> bool:
        """Whether it counts some of the members, each once: no sum of nights or services, and not all of them."""
        return bool(self.flags or self.delivery_types or self.with_service)

    @property
    def of_deliveries(self) -> bool:
        """Whether only a delivery has it."""
        return bool(self.flags or self.delivery_types or self.nights_after_delivery)


class Indicator(Declaration):
    """One published indicator.

    unit: percent = 100 x numerator / denominator, with a Wilson interval; per_100, per_1000 and per_100000 so many
    times the same without an interval, for a volume or what is rare; mean and mean_nights = numerator / denominator;
    median = the middle one of what the members have, of nights or services; count = the numerator itself.
    standardised: the file of ``standards/`` whose population a share is standardised to.
    related: the indicators that its methodology sheet points to.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    names: InLanguages
    description: InLanguages
    population: Population
    denominator: Denominator | None = None
    numerator: Numerator
    unit: Literal["percent", "per_100", "per_1000", "per_100000", "mean", "mean_nights", "median", "count"]
    standardised: str | None = None
    dimensions: tuple[str, ...]
    levels: tuple[str, ...] = Field(min_length=1)
    first_year: Number
    source_page: str
    related: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits_its_population(self) -> Indicator:
        of_deliveries = self.population == "deliveries"
        if (self.numerator.of_deliveries and not of_deliveries) or (self.numerator.service and of_deliveries):
            raise KeyMistakeError(("numerator",), f"this one does not go with the population {self.population}")
        if self.denominator is not None and not of_deliveries and self.denominator.of_deliveries:
            raise KeyMistakeError(("denominator",), "of beneficiary-years only ages and sexes can be chosen")
        if self.denominator is not None and of_deliveries and self.denominator.sexes:
            raise KeyMistakeError(("denominator", "sexes"), "deliveries are of women: sexes are for beneficiary-years")
        if self.numerator.quantity_of_service is not None and self.unit == "percent":
            raise KeyMistakeError(("unit",), "a quantity is no share of its population: per_100, mean or count")
        nights = bool(self.numerator.nights_after_delivery)
        if self.unit == MEDIAN and not nights and self.numerator.quantity_of_service is None:
            message = "median goes with the numerators nights_after_delivery and quantity_of_service, and with no other"
            raise KeyMistakeError(("unit",), message)
        if self.unit != MEDIAN and nights != (self.unit == "mean_nights"):
            raise KeyMistakeError(
                ("unit",), "mean_nights goes with the numerator nights_after_delivery, and with no other"
            )
        if self.unit == "mean" and self.numerator.quantity_of_service is None:
            raise KeyMistakeError(("unit",), "mean goes with the numerator quantity_of_service, and with no other")
        if nights and not self.needs_stays:
            raise KeyMistakeError(("denominator",), "nights_after_delivery needs with_known_stay")
        if len(set(self.dimensions)) != len(self.dimensions):
            raise KeyMistakeError(("dimensions",), "a dimension stands twice")
        if SECTOR in self.levels and (of_deliveries or self.dimensions):
            raise KeyMistakeError(("levels",), "the sector is for beneficiary-years without dimensions")
        if HOSPITAL in self.levels and not of_deliveries:
            raise KeyMistakeError(("levels",), "the hospital is for deliveries")
        if self.standardised is not None:
            self._can_be_standardised()
        return self

    def _can_be_standardised(self) -> None:
        where = ("standardised",)
        if self.unit not in RATES:
            raise KeyMistakeError(where, f"only a share is standardised: the unit must be one of {', '.join(RATES)}")
        if not self.numerator.counts_members:
            raise KeyMistakeError(where, "only a share is standardised: the numerator must count some of the members")
        if SECTOR in self.levels:
            raise KeyMistakeError(where, "figures by sector are split by nothing, so they have no strata")

    @property
    def flags(self) -> tuple[str, ...]:
        """The delivery flags that it reads, each once."""
        own = self.denominator.flags if self.denominator else ()
        return tuple(dict.fromkeys((*self.numerator.flags, *own)))

    @property
    def scale(self) -> int:
        """What the numerator over the denominator is multiplied by; a count is not divided."""
        return SCALES[self.unit]

    @property
    def needs_stays(self) -> bool:
        """Whether it cannot be computed without hospital stays."""
        return self.denominator is not None and self.denominator.with_known_stay

    @property
    def follows_from_its_counts(self) -> bool:
        """Whether its value follows from its numerator and denominator: not that of a median or a standardised rate."""
        return self.unit != MEDIAN and self.standardised is None

    @property
    def has_interval(self) -> bool:
        """Whether its value has an interval: that of Wilson, or that of a standardised rate."""
        return self.unit == "percent" or self.standardised is not None

    @property
    def may_exceed_100(self) -> bool:
        """Whether its interval may end above 100: that of a standardised rate per 1,000 or more."""
        return self.standardised is not None and self.scale > 100


def values_of_members(indicator: Indicator, name: str, dimensions: Dimensions) -> tuple[str, ...]:
    """The values of a dimension that a member of an indicator's denominator can have: of an age or a sex not all.

    Delivery types are left out of account.
    """
    values = dimensions.values(name, indicator.population)
    own, dimension = indicator.denominator, dimensions.declared[name]
    if own is None:
        return values
    if own.ages is not None and dimension.source == AGE:
        first, last = own.ages.from_, own.ages.to
        return tuple(
            one.label
            for one in dimensions.classes(name, indicator.population)
            if (last is None or one.from_ <= last) and (one.to is None or one.to >= first)
        )
    if own.sexes and dimension.source == SEX:
        # Of a sex that the dimension does not name a member is unknown.
        return tuple(dict.fromkeys(sex if sex in values else values[-1] for sex in own.sexes))
    return values


@dataclass(frozen=True)
class Declared:
    """What an indicator may refer to."""

    settings: Settings
    services: Services
    dimensions: Dimensions
    standards: Mapping[str, Standard] = field(default_factory=dict)


def load_indicators(folder: Traversable, declared: Declared) -> tuple[Indicator, ...]:
    """All declared indicators, in the order of their ids.

    Raises:
        InputError: a declaration that is wrong or refers to something that is not there.
    """
    files = indicator_files(folder)
    if not files:
        raise InputError("indicators/ declares no indicator.")
    documents = [read_yaml(folder, file) for file in files]
    indicators = tuple(_indicator(document, declared) for document in documents)
    names = {indicator.id for indicator in indicators}
    for document, indicator in zip(documents, indicators, strict=True):
        _check_related(document, indicator, names)
    _check_denominators(documents, indicators)
    return tuple(sorted(indicators, key=lambda indicator: indicator.id))


def indicator_files(folder: Traversable) -> tuple[str, ...]:
    """The files of the declarations, below the configuration folder."""
    files = (file.name for file in folder.joinpath("indicators").iterdir())
    return tuple(sorted(f"indicators/{name}" for name in files if name.endswith(".yaml")))


def load_indicator(folder: Traversable, file: str, declared: Declared) -> Indicator:
    """One declaration, by its file below the configuration folder.

    Raises:
        InputError: it is wrong, or refers to something that is not there.
    """
    return _indicator(read_yaml(folder, file), declared)


def _indicator(document: Document, declared: Declared) -> Indicator:
    settings, services = declared.settings, declared.services
    indicator = validate(Indicator, document)
    if document.name != f"indicators/{indicator.id}.yaml":
        raise InputError(f"{document.position(('id',))}: the file must be named {indicator.id}.yaml.")
    _check_languages(document, indicator, settings.languages)
    known = (*settings.geography.levels, SECTOR, HOSPITAL)
    for level in indicator.levels:
        if level not in known:
            raise InputError(f"{document.position(('levels',))}: there is no level {level!r} in settings.yaml.")
    _check_dimensions(document, indicator, declared.dimensions)
    _check_standard(document, indicator, declared)
    own = indicator.denominator
    for key, flags in (("numerator", indicator.numerator.flags), ("denominator", own.flags if own else ())):
        for flag in flags:
            if flag not in services.delivery_flags:
                raise InputError(f"{document.position((key,))}: services.yaml has no delivery flag {flag!r}.")
    if own is not None and own.enrolled is not None and not settings.population.are_spans:
        where = document.position(("denominator", "enrolled"))
        raise InputError(
            f"{where}: only spans of enrolment tell it; settings.yaml has population.given_as: person_years."
        )
    chosen = {"numerator": indicator.numerator.delivery_types or ()}
    chosen["denominator"] = own.delivery_types if own else ()
    for key, types in chosen.items():
        for delivery_type in types:
            if delivery_type not in services.delivery_types:
                raise InputError(f"{document.position((key,))}: services.yaml has no delivery type {delivery_type!r}.")
    service = indicator.numerator.service
    if service and service not in services.beneficiary_services:
        raise InputError(f"{document.position(('numerator',))}: services.yaml has no beneficiary service {service!r}.")
    return indicator


def _check_dimensions(document: Document, indicator: Indicator, dimensions: Dimensions) -> None:
    there = dimensions.of(indicator.population)
    of_lines = dimensions.of_lines if indicator.population == "beneficiary_years" else ()
    where = document.position(("dimensions",))
    own = [dimension for dimension in indicator.dimensions if dimension in of_lines]
    if own and indicator.numerator.quantity_of_service is None:
        raise InputError(
            f"{where}: {own[0]} is a column of the claim lines, which splits services: only the numerator "
            "quantity_of_service counts them. Somebody with services of two values would count twice."
        )
    if own and indicator.unit == MEDIAN:
        raise InputError(f"{where}: {own[0]} is a column of the claim lines: a median cannot be split by it yet.")
    if len(own) > 1:
        raise InputError(f"{where}: {' and '.join(own)} are columns of the claim lines: give one of them at most.")
    for dimension in (name for name in indicator.dimensions if name not in own):
        if dimension not in there:
            raise InputError(
                f"{where}: the population {indicator.population} has no {dimension!r}; "
                f"it has {', '.join((*there, *of_lines)) or 'none'}."
            )


def _check_standard(document: Document, indicator: Indicator, declared: Declared) -> None:
    if indicator.standardised is None:
        return
    where, file = document.position(("standardised",)), f"{STANDARDS}/{indicator.standardised}.yaml"
    standard = declared.standards.get(indicator.standardised)
    if standard is None:
        there = ", ".join(declared.standards) or "none"
        raise InputError(f"{where}: there is no {file[:80]}; {STANDARDS}/ has {there}.")
    dimension, population = standard.dimension, indicator.population
    if dimension not in declared.dimensions.of(population):
        raise InputError(f"{where}: the population {population} has no {dimension!r}, whose values {file} weighs.")
    if dimension in indicator.dimensions:
        raise InputError(f"{where}: {file} weighs the values of {dimension}: take it out of dimensions.")
    if found := list(misfits(standard, population, declared.dimensions)):
        raise InputError("\n".join(f"{where}: {file}: {'.'.join(map(str, path))}: {said}." for path, said in found))


def _check_languages(document: Document, indicator: Indicator, languages: Sequence[str]) -> None:
    mistakes = [
        f"{document.position((key, language))}: this key is missing."
        for key, texts in (("names", indicator.names), ("description", indicator.description))
        for language in languages
        if language not in texts.by_language
    ]
    if mistakes:
        raise InputError("\n".join(mistakes))


def _check_denominators(documents: Sequence[Document], indicators: Sequence[Indicator]) -> None:
    """Denominators are counted by name: types ``a`` and ``b`` together may not be called as a type ``a_b`` is."""
    first: dict[str, tuple[Indicator, Denominator]] = {}
    for document, indicator in zip(documents, indicators, strict=True):
        if (own := indicator.denominator) is None:
            continue
        other, known = first.setdefault(own.name, (indicator, own))
        if own.meaning != known.meaning:
            raise InputError(
                f"{document.position(('denominator',))}: it would be counted as that of {other.id} is, under the name "
                f"{own.name!r}: give another name to a delivery type."
            )


def _check_related(document: Document, indicator: Indicator, declared: set[str]) -> None:
    for position, name in enumerate(indicator.related):
        where = document.position(("related", position))
        if name not in declared:
            raise InputError(f"{where}: indicators/ declares no {name!r}.")
        if name == indicator.id:
            raise InputError(f"{where}: an indicator is not related to itself.")
        if name in indicator.related[:position]:
            raise InputError(f"{where}: {name!r} stands twice.")
