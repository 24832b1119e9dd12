"""What the published figures count: which figures are one and the same count, and which count lies within which.

It all follows from the indicators' declarations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.indicators import MEDIAN, Denominator, Indicator
from claimatlas.configuration.publication import Publication
from claimatlas.configuration.settings import HOSPITAL

EVERY = "all"
"""The members of a population, whatever happened to them."""
MAGNITUDES = frozenset({"nights", "quantity"})


@dataclass(frozen=True, order=True)
class Members:
    """Those of a population that a restricted denominator counts, by its name; no name: everybody.

    by_claims: what it asks is read from claims or enrolment, so that no register tells how many they are.
    """

    name: str = ""
    by_claims: bool = False


EVERYBODY = Members()


@dataclass(frozen=True, order=True)
class Quantity:
    """A count of members of a population, or a sum of nights or services over them.

    kind: all, with_any, without_any, service (members with it), quantity (of the service), nights. names: the flags, or
    the service. types: the delivery types that count; empty when all do. with_stay: only with a known stay.
    by: the level that it is counted by, where its places are no parts of larger places; empty: by domicile.
    members: those of whom it is counted, where not of everybody.
    """

    population: Population
    kind: str
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    with_stay: bool = False
    by: str = ""
    members: Members = EVERYBODY

    @property
    def is_magnitude(self) -> bool:
        """Whether one member may count for more than one."""
        return self.kind in MAGNITUDES

    @property
    def label(self) -> str:
        """What messages call it."""
        return "_".join((self.kind, *self.names, *self.types, *filter(None, [self.members.name])))

    @property
    def bare(self) -> Quantity:
        """The same of every delivery type."""
        return replace(self, types=())

    @property
    def of_everybody(self) -> Quantity:
        """The same of everybody."""
        return replace(self, members=EVERYBODY)

    @property
    def everywhere(self) -> Quantity:
        """The same whatever it is counted by: where both are counted they are one count."""
        return replace(self, by="")

    def lies_within(self, other: Quantity) -> bool:
        """Whether it can never be above ``other``, wherever both are counted."""
        if self.everywhere == other.everywhere or self.population != other.population:
            return False
        if other.types and not (self.types and set(self.types) <= set(other.types)):
            return False
        if other.with_stay and not self.with_stay:
            return False
        if other.members not in (EVERYBODY, self.members):
            return False
        return self._implies(other)

    def _implies(self, other: Quantity) -> bool:
        if self.is_magnitude:
            return False
        if other.kind == EVERY or (self.kind, self.names) == (other.kind, other.names):
            return True
        if (self.kind, other.kind) == ("service", "quantity"):
            return self.names == other.names
        if self.kind == other.kind == "with_any":
            return set(self.names) <= set(other.names)
        if self.kind == other.kind == "without_any":
            return set(self.names) >= set(other.names)
        return False


@dataclass(frozen=True)
class Reading:
    """How indicators are read. delivery_types: all that are declared.

    apart: the levels with places that are no parts of larger places, of which figures are published: what is counted by
    such a level has a table of its own.
    """

    delivery_types: tuple[str, ...]
    apart: tuple[str, ...] = ()

    @classmethod
    def of(cls, configuration: Configuration, publication: Publication) -> Reading:
        """As a plan asks."""
        apart = (HOSPITAL,) if publication.has_hospitals else ()
        return cls(tuple(configuration.services.delivery_types), apart)

    def by(self, indicator: Indicator) -> str:
        """The level that an indicator is counted by; empty: by domicile."""
        return next((level for level in self.apart if level in indicator.levels), "")

    def denominator(self, indicator: Indicator) -> Quantity:
        """What an indicator's denominator counts."""
        return self.part(indicator, "denominator")

    def numerator(self, indicator: Indicator) -> Quantity | None:
        """What an indicator's numerator counts; nothing of a median, whose sum is not published."""
        return None if indicator.unit == MEDIAN else self.part(indicator, "numerator")

    def part(self, indicator: Indicator, of: Literal["numerator", "denominator"]) -> Quantity:
        """What one part of an indicator counts."""
        count = numerator_of if of == "numerator" else denominator_of
        return replace(count(indicator, self.delivery_types), by=self.by(indicator))


def denominator_of(indicator: Indicator, delivery_types: Sequence[str]) -> Quantity:
    """What an indicator's denominator counts, by domicile; ``delivery_types``: all that are declared."""
    own = indicator.denominator
    types = _some(own.delivery_types if own else (), delivery_types)
    members = _members(own.restriction) if own and own.restriction else EVERYBODY
    return Quantity(indicator.population, EVERY, (), types, bool(own and own.with_known_stay), members=members)


def _members(restriction: Denominator) -> Members:
    return Members(restriction.name, by_claims=bool(restriction.flags or restriction.enrolled))


def numerator_of(indicator: Indicator, delivery_types: Sequence[str]) -> Quantity:
    """What an indicator's numerator counts, by domicile."""
    whole = denominator_of(indicator, delivery_types)
    numerator = indicator.numerator
    kind: str = EVERY
    names: tuple[str, ...] = ()
    types = whole.types
    if numerator.delivery_types is not None:
        counted = whole.types or tuple(delivery_types)
        types = _some(tuple(name for name in numerator.delivery_types if name in counted), delivery_types)
    elif numerator.nights_after_delivery:
        kind = "nights"
    elif numerator.service is not None:
        kind = "service" if numerator.with_service is not None else "quantity"
        names = (numerator.service,)
    elif numerator.flags:
        kind = "with_any" if numerator.with_any is not None else "without_any"
        names = tuple(sorted(numerator.flags))
    return Quantity(indicator.population, kind, names, types, whole.with_stay, members=whole.members)


def _some(types: Sequence[str], every: Sequence[str]) -> tuple[str, ...]:
    """The types in order; empty when they are all that there are."""
    return () if set(types) == set(every) else tuple(sorted(types))


def parents_of(quantities: Sequence[Quantity]) -> dict[Quantity, tuple[Quantity, ...]]:
    """For each the smallest ones that it lies within: those with no other between."""
    parents = {}
    for quantity in quantities:
        above = [other for other in quantities if quantity.lies_within(other)]
        parents[quantity] = tuple(
            sorted(one for one in above if not any(other.lies_within(one) for other in above if other != one))
        )
    return parents
