"""``publication.yaml``: what may be published, and how it is protected. No run reads it."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, model_validator

from claimatlas.configuration.dimensions import DELIVERY_TYPE, Dimensions, Population
from claimatlas.configuration.documents import Document, read_yaml, validate
from claimatlas.configuration.hospitals import FILE as HOSPITALS
from claimatlas.configuration.indicators import MEDIAN, Indicator, values_of_members
from claimatlas.configuration.load import Configuration
from claimatlas.configuration.model import Declaration, KeyMistakeError, Share, Whole
from claimatlas.configuration.published_counts import mixed_counts
from claimatlas.configuration.rates_and_medians import values_that_tell_more
from claimatlas.configuration.reserved import LABELS
from claimatlas.configuration.rounding import HIDDEN_BELOW, bounds_of
from claimatlas.configuration.settings import HOSPITAL, SECTOR
from claimatlas.errors import InputError

FILE = "publication.yaml"
Side = Literal["numerator", "complement", "none"]
Splits = Whole | Literal["all"]


class Difference(Declaration):
    """A count that follows from two published ones: ``whole`` minus ``part``, of their numerators or denominators."""

    whole: str
    part: str
    of: Literal["numerator", "denominator"]


class Dominance(Declaration):
    """When one member could give too much of a sum of nights or services."""

    share: Share = Field(gt=0, le=1)
    least_of_member: Whole = Field(ge=0)


class Reliability(Declaration):
    """When a figure says little: a numerator below a count, an interval wider than so many points."""

    numerator_below: Whole = Field(ge=0)
    interval_wider_than: float = Field(gt=0)


class RevisionBound(Declaration):
    """How far a revised count may be from its former value: the larger of the two."""

    count: Whole = Field(ge=0)
    share: Share = Field(ge=0, le=1)


class Publication(Declaration):
    """``publication.yaml``: see the comments there for what each key does."""

    method: Literal["suppressed", "rounded"]
    country_exact: bool = False
    k: Whole = Field(ge=2)
    plan: dict[str, Splits] = Field(min_length=1)
    provisional_plan: dict[str, Splits]
    published_as: dict[str, dict[str, str]] = Field(default_factory=dict)
    sensitive_sides: dict[str, Side]
    not_published: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    known_within: dict[Population, Share] = Field(default_factory=dict)
    dominance: Dominance
    reliability: Reliability
    revision_bound: RevisionBound
    budget_seconds: Whole = Field(gt=0)

    @model_validator(mode="after")
    def _splits_are_counts(self) -> Publication:
        for key in ("plan", "provisional_plan"):
            for level, splits in getattr(self, key).items():
                if splits != "all" and splits < 0:
                    raise KeyMistakeError((key, level), "a number of dimensions, or all")
        for dimension, names in self.published_as.items():
            for name in names.values():
                if name in LABELS:
                    message = f"{name!r} has a meaning of its own in the tables"
                    raise KeyMistakeError(("published_as", dimension), message)
        if self.country_exact and not self.is_rounded:
            raise KeyMistakeError(("country_exact",), "true is for the method rounded: suppressed rounds nothing")
        return self

    @property
    def is_rounded(self) -> bool:
        """Whether counts are rounded, and only few of them hidden."""
        return self.method == "rounded"

    @property
    def hidden_below(self) -> int:
        """A count of 1 to one less is hidden."""
        return HIDDEN_BELOW if self.is_rounded else self.k

    def is_exact(self, level: str, country_level: str) -> bool:
        """Whether the counts of a level are shown as they are."""
        return not self.is_rounded or (self.country_exact and level == country_level)

    def sure_count(self, shown: int) -> int:
        """The least that a count is which is shown so."""
        return bounds_of(shown)[0] if self.is_rounded else shown

    @property
    def has_hospitals(self) -> bool:
        """Whether figures by hospital are published, in whichever year."""
        return HOSPITAL in self.plan or HOSPITAL in self.provisional_plan

    def splits(self, level: str, *, provisional: bool) -> int:
        """The largest number of dimensions that a cell of the level is split by; -1 when none is published."""
        splits = (self.provisional_plan if provisional else self.plan).get(level, -1)
        return 99 if splits == "all" else splits

    @property
    def depths(self) -> dict[str, int]:
        """Of each level of a plan, final or provisional, the largest number of dimensions that a cell is split by."""
        return {
            level: max(self.splits(level, provisional=False), self.splits(level, provisional=True))
            for level in (*self.plan, *self.provisional_plan)
        }


def published_values(
    configuration: Configuration, publication: Publication, population: Population, dimension: str
) -> tuple[str, ...]:
    """The values of a dimension as they are published, each once."""
    merged = publication.published_as.get(dimension, {})
    values = configuration.dimensions.values(dimension, population)
    return tuple(dict.fromkeys(merged.get(value, value) for value in values))


def published_values_of_members(
    configuration: Configuration, publication: Publication, indicator: Indicator, dimension: str
) -> frozenset[str]:
    """Those that a member of an indicator's denominator can have: see ``values_of_members``."""
    merged = publication.published_as.get(dimension, {})
    return frozenset(
        merged.get(value, value) for value in values_of_members(indicator, dimension, configuration.dimensions)
    )


def load_publication(configuration: Configuration) -> Publication:
    """Read ``publication.yaml`` of the configuration's folder, and check that it fits what is declared there.

    Raises:
        InputError: there is none, or every mistake in it with its line and key.
    """
    document = read_yaml(configuration.folder, FILE)
    publication = validate(Publication, document)
    _check_levels(publication, document, configuration)
    _check_dimensions(publication, document, configuration.dimensions)
    _check_that_cells_can_be_protected(publication, document, configuration)
    _check_indicators(publication, document, configuration)
    return publication


def _check_levels(publication: Publication, document: Document, configuration: Configuration) -> None:
    known = configuration.settings.geography.levels
    for key, plan in (("plan", publication.plan), ("provisional_plan", publication.provisional_plan)):
        for level in plan:
            where = document.position((key, level))
            if level == SECTOR:
                raise InputError(f"{where}: figures by {level} cannot be protected yet; leave this level out.")
            if level == HOSPITAL:
                _check_hospitals(where, publication, configuration)
            elif level not in known:
                raise InputError(f"{where}: there is no level {level!r} in settings.yaml.")


def _check_hospitals(where: str, publication: Publication, configuration: Configuration) -> None:
    """Figures by hospital need the register, and indicators that count hospitals and the country alone."""
    if configuration.hospitals is None:
        raise InputError(
            f"{where}: there is no register of hospitals ({HOSPITALS}), and a hospital that is absent would tell that "
            "nobody gave birth there: add the register, or leave this level out."
        )
    allowed = {configuration.settings.geography.country_level, HOSPITAL}
    for indicator in configuration.indicators:
        of_hospitals = HOSPITAL in indicator.levels and indicator.id in publication.sensitive_sides
        if of_hospitals and not set(indicator.levels) <= allowed:
            raise InputError(
                f"{where}: {indicator.id} counts hospitals and places smaller than the country, which cannot be "
                "protected together yet: declare two indicators, or leave this level out."
            )


def _check_dimensions(publication: Publication, document: Document, dimensions: Dimensions) -> None:
    for name, merged in publication.published_as.items():
        if name not in dimensions.declared:
            there = ", ".join(dimensions.names) or "none"
            raise InputError(
                f"{document.position(('published_as', name))}: there is no dimension {name!r}; there are {there}."
            )
        values = {value for of in dimensions.declared[name].populations for value in dimensions.values(name, of)}
        for value in merged:
            if value not in values:
                raise InputError(f"{document.position(('published_as', name, value))}: there is no value {value!r}.")


def _check_that_cells_can_be_protected(
    publication: Publication, document: Document, configuration: Configuration
) -> None:
    """Refuse figures of which a reader knows more than the protection does."""
    dimensions = configuration.dimensions.declared
    for population in get_args(Population):
        by_source: dict[str, str] = {}
        published = [i for i in configuration.indicators if i.id in publication.sensitive_sides]
        for indicator in [i for i in published if i.population == population]:
            where = document.position(("sensitive_sides", indicator.id))
            for name in indicator.dimensions:
                source = dimensions[name].source
                if dimensions[name].is_of_lines:
                    # Its numerators are parts of one sum, its denominators are one figure in several rows.
                    raise InputError(
                        f"{where}: figures by {name}, a column of the claim lines, cannot be protected yet. Name "
                        f"{indicator.id} in not_published."
                    )
                if dimensions[name].is_of_delivery and source != DELIVERY_TYPE:
                    # Its values count what numerators count: one figure under two names.
                    raise InputError(f"{where}: figures by {name}, a delivery flag, cannot be protected yet.")
                if (other := by_source.setdefault(source, name)) != name:
                    # The classes of the one are sums of those of the other.
                    raise InputError(f"{where}: figures by {name} and by {other} cannot be protected together yet.")


def _refusal(document: Document, name: str, said: str) -> str:
    return f"{document.position(('sensitive_sides', name))}: {said}"


def _check_indicators(publication: Publication, document: Document, configuration: Configuration) -> None:
    declared = {indicator.id: indicator for indicator in configuration.indicators}
    for position, name in enumerate(publication.not_published):
        where = document.position(("not_published", position))
        if name not in declared:
            raise InputError(f"{where}: indicators/ declares no {name!r}.")
        if name in publication.sensitive_sides:
            raise InputError(f"{where}: sensitive_sides names {name} too: it is published, or it is not.")
    published = [one for one in configuration.indicators if one.id in publication.sensitive_sides]
    mixed = dict.fromkeys(mixed_counts(published, configuration, with_hospitals=publication.has_hospitals))
    refused = [f"{_refusal(document, name, said)}, which cannot be protected yet. Name {name}" for name, said in mixed]
    values = values_that_tell_more(published, configuration, publication.published_as, publication.depths)
    refused += [f"{_refusal(document, name, said)}, or name {name}" for name, said in values]
    if refused:
        raise InputError("\n".join(f"{one} in not_published." for one in refused))
    for name in publication.sensitive_sides:
        if name not in declared:
            raise InputError(f"{document.position(('sensitive_sides', name))}: indicators/ declares no {name!r}.")
    for position, difference in enumerate(publication.differences):
        where = document.position(("differences", position))
        for name in (difference.whole, difference.part):
            if name not in declared:
                raise InputError(f"{where}: indicators/ declares no {name!r}.")
            if name in publication.not_published:
                raise InputError(f"{where}: {name} is in not_published.")
            if difference.of == "numerator" and declared[name].unit == MEDIAN:
                raise InputError(f"{where}: {name} is a median, whose numerator is not published.")
