"""Which counts can be published together: those of which a reader knows no more than that one is a part of another.

A restricted denominator (by ages, sexes, flags, enrolment, known stays, delivery types) counts a part of a population.
Beside a figure of everybody, a figure of the part lies within it, and so does what is left of both. Where other figures
tell more (the age classes that the part is made of, members that two parts share, who of the part has another service),
no rule covers what follows from all together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from typing import get_args

from claimatlas.configuration.codelists import CodeList, CodeListRow
from claimatlas.configuration.dimensions import AGE, SEX, Population
from claimatlas.configuration.indicators import Denominator, Indicator, Numerator
from claimatlas.configuration.load import Configuration
from claimatlas.configuration.settings import HOSPITAL

Mixed = tuple[str, str]
"""An indicator, and what a reader would know of it: the beginning of a sentence."""


def mixed_counts(
    published: Sequence[Indicator], configuration: Configuration, *, with_hospitals: bool
) -> Iterator[Mixed]:
    """The indicators that cannot be protected beside the others.

    ``with_hospitals``: whether figures by hospital are published.
    """
    for population in get_args(Population):
        members = [indicator for indicator in published if indicator.population == population]
        yield from _opposite(members)
        for part, whole in permutations(_by_denominator(members), 2):
            if _lies_within(part[0].denominator, whole[0].denominator):
                yield from _told_by_numerators(part, whole, configuration)
        restricted = [indicator for indicator in members if restriction_of(indicator) is not None]
        if not restricted:
            continue
        first = restricted[0]
        for other in restricted[1:]:
            if not _is_same(restriction_of(other), restriction_of(first)):
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


def _is_same(one: Denominator | None, other: Denominator | None) -> bool:
    return (one.meaning if one else None) == (other.meaning if other else None)


def _by_denominator(members: Sequence[Indicator]) -> list[list[Indicator]]:
    """The indicators that count the same members."""
    groups: dict[object, list[Indicator]] = {}
    for indicator in members:
        groups.setdefault(indicator.denominator.meaning if indicator.denominator else None, []).append(indicator)
    return list(groups.values())


def _lies_within(part: Denominator | None, whole: Denominator | None) -> bool:
    """Whether every member of the one is one of the other, by what is declared."""
    if part is None or whole is None:
        return whole is None
    types = set(whole.delivery_types)
    return (
        (not types or (bool(part.delivery_types) and set(part.delivery_types) <= types))
        and part.with_known_stay >= whole.with_known_stay
        and (whole.restriction is None or _is_same(part.restriction, whole.restriction))
    )


def _opposite(members: Sequence[Indicator]) -> Iterator[Mixed]:
    """Those with and those without a service: together they are everybody."""
    for one, other in combinations(members, 2):
        for first, second in ((one, other), (other, one)):
            both = set(first.numerator.with_any or ()) & set(second.numerator.without_any or ())
            for flag in sorted(both):
                yield second.id, f"{first.id} counts members with {flag}, and it those without"


def _told_by_numerators(
    part: Sequence[Indicator], whole: Sequence[Indicator], configuration: Configuration
) -> Iterator[Mixed]:
    """What is counted of a part must be counted of everybody in the same way, or not at all."""
    met: list[Indicator] = []
    for one in part:
        beside = [other for other in whole if is_related(one, other, configuration)]
        if not beside:
            continue
        if not any(_counts_same(one.numerator, other.numerator) for other in beside):
            yield one.id, f"it counts of a part what {beside[0].id} counts of more members in another way"
        for other in met:
            if not _counts_same(one.numerator, other.numerator):
                yield one.id, f"it and {other.id} count of a part what {beside[0].id} counts of more members"
        met.append(one)


def _counts_same(one: Numerator, other: Numerator) -> bool:
    """Whether two numerators count members with, or without, the same; a sum is never the same."""
    if one.with_service:
        return one.with_service == other.with_service
    flags = [(set(numerator.with_any or ()), set(numerator.without_any or ())) for numerator in (one, other)]
    return bool(one.flags) and flags[0] == flags[1]


def is_related(one: Indicator, other: Indicator, configuration: Configuration) -> bool:
    """Whether two numerators are of services that have a code in common, or are nights both."""
    if one.numerator.nights_after_delivery or other.numerator.nights_after_delivery:
        return bool(one.numerator.nights_after_delivery and other.numerator.nights_after_delivery)
    some, others = (_lists_of(indicator.numerator, configuration) for indicator in (one, other))
    return _have_a_code_in_common(some, others, configuration)


def _lists_of(numerator: Numerator, configuration: Configuration) -> set[str]:
    """The code lists behind what a numerator counts."""
    if numerator.service is not None:
        return set(configuration.services.beneficiary_services[numerator.service].code_lists)
    return _lists_of_flags(numerator.flags, configuration)


def _lists_of_flags(flags: Sequence[str], configuration: Configuration) -> set[str]:
    services, settings = configuration.services, configuration.settings
    return {name for flag in flags for lists in services.flag_code_lists(flag, settings) for name in lists}


def _have_a_code_in_common(some: set[str], others: set[str], configuration: Configuration) -> bool:
    """Whether two sets of code lists share a list, or two of them a code."""
    lists = configuration.code_lists
    return bool(some & others) or any(
        _share_a_code(lists[one], lists[other]) for one in sorted(some) for other in sorted(others)
    )


def _share_a_code(one: CodeList, other: CodeList) -> bool:
    return any(
        first.system == second.system and (_names_end(first, second) or _names_end(second, first))
        for first in one.rows
        for second in other.rows
    )


def _names_end(one: CodeListRow, other: CodeListRow) -> bool:
    """Whether a row names the first code of another, or its last: of two that overlap one does."""
    return any(one.entry.names(code) for code in (other.code, other.last) if code is not None)


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
    for other in (*restricted, *everybody):
        beside = other.denominator
        if other.numerator.delivery_types or (beside and (beside.delivery_types or beside.with_known_stay)):
            yield other.id, f"it counts some types or known stays, and the denominator of {first.id} is restricted"


def _told_by_flags(first: Indicator, members: Sequence[Indicator], configuration: Configuration) -> Iterator[Mixed]:
    """A flag that restricts, beside what is counted of the same services or of deliveries that these are."""
    own = restriction_of(first)
    restricting = _lists_of_flags(own.flags if own else (), configuration)
    for other in members:
        if _have_a_code_in_common(restricting, _lists_of(other.numerator, configuration), configuration):
            yield first.id, f"its denominator is restricted by a service that {other.id} counts"
    types = {kind.code_list for kind in configuration.services.delivery_types.values()}
    if _have_a_code_in_common(restricting, types, configuration):
        yield first.id, "its denominator is restricted by a code of a delivery type"
