"""Which restricted denominators can be published together: those of which a reader knows that they are a part, no more.

A denominator that is restricted by ages, sexes, a flag or enrolment counts some members of a population. Beside a
figure of everybody it is a part of it. Where other figures tell more (the age classes that it is made of, the members
that two such groups share), no rule covers what follows from all together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from claimatlas.configuration.dimensions import AGE, SEX, Population
from claimatlas.configuration.indicators import Denominator, Indicator
from claimatlas.configuration.load import Configuration
from claimatlas.configuration.settings import HOSPITAL

Mixed = tuple[str, str]
"""An indicator, and what a reader would know of it: the beginning of a sentence."""


def mixed_members(
    published: Sequence[Indicator], configuration: Configuration, *, with_hospitals: bool
) -> Iterator[Mixed]:
    """The indicators whose restricted denominators cannot be protected beside the others.

    ``with_hospitals``: whether figures by hospital are published.
    """
    for population in get_args(Population):
        members = [indicator for indicator in published if indicator.population == population]
        restricted = [indicator for indicator in members if restriction_of(indicator) is not None]
        if not restricted:
            continue
        first = restricted[0]
        for other in restricted[1:]:
            if restriction_of(other) != restriction_of(first):
                yield other.id, f"its denominator and that of {first.id} restrict members in two ways"
        everybody = [indicator for indicator in members if restriction_of(indicator) is None]
        yield from _told_by_flags(first, members, configuration)
        if everybody:
            yield from _told_by_everybody(first, restricted, everybody, configuration)
            if with_hospitals and any(HOSPITAL in indicator.levels for indicator in members):
                yield first.id, "its denominator is restricted, and figures by hospital are of the same population"


def restriction_of(indicator: Indicator) -> Denominator | None:
    """What a denominator asks of its members beyond a delivery type and a known stay; nothing where that is nothing."""
    return indicator.denominator.restriction if indicator.denominator else None


def _told_by_everybody(
    first: Indicator, restricted: Sequence[Indicator], everybody: Sequence[Indicator], configuration: Configuration
) -> Iterator[Mixed]:
    own, dimensions = restriction_of(first), configuration.dimensions.declared
    sources = {AGE: "ages", SEX: "sexes"}
    for other in everybody:
        for name in other.dimensions:
            key = sources.get(dimensions[name].source)
            if key and getattr(own, key):
                yield first.id, f"its denominator is restricted by {key}, and {other.id} is split by {name}"
        for one in restricted:
            magnitude = _magnitude(one)
            if magnitude is not None and magnitude == _magnitude(other):
                yield one.id, f"its sum is a part of that of {other.id}"
    for other in (*restricted, *everybody):
        beside = other.denominator
        if other.numerator.delivery_types or (beside and (beside.delivery_types or beside.with_known_stay)):
            yield first.id, f"its denominator is restricted, and {other.id} counts some types or known stays"


def _magnitude(indicator: Indicator) -> tuple[bool, str | None] | None:
    """The sum that a numerator is: of nights, or of a service; nothing of a number of members."""
    found = (bool(indicator.numerator.nights_after_delivery), indicator.numerator.quantity_of_service)
    return None if found == (False, None) else found


def _told_by_flags(first: Indicator, members: Sequence[Indicator], configuration: Configuration) -> Iterator[Mixed]:
    """A flag that restricts, and numerators of the same services: the one may follow from the other."""
    own = restriction_of(first)
    restricting = _lists_of(own.flags if own else (), configuration)
    for other in members:
        if restricting & _lists_of(other.numerator.flags, configuration):
            yield first.id, f"its denominator is restricted by a service that {other.id} counts"


def _lists_of(flags: Sequence[str], configuration: Configuration) -> set[str]:
    """The code lists behind flags."""
    services, settings = configuration.services, configuration.settings
    return {name for flag in flags for lists in services.flag_code_lists(flag, settings) for name in lists}
