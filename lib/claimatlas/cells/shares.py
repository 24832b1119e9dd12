"""The SQL of each indicator's numerator and denominator for one member of its population, written once.

Every engine that reads the tables runs the same text. Members are deliveries with their flags, or beneficiary-years
with ``quantity_<service>``. Names come from the configuration, which allows only letters, digits and underscores in
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from claimatlas.configuration.indicators import Denominator, Indicator
from claimatlas.paths import quoted
from claimatlas.tables.schemas import ENROLLED_AFTER, ENROLLED_BEFORE

DELIVERY_KIND = "delivery_kind"
"""The type of a delivery, beside the value that it has as a dimension."""


def is_counted(indicator: Indicator, kind: str = DELIVERY_KIND) -> str:
    """Whether the member is in the indicator's denominator.

    ``kind``: the column with the type of a delivery as in ``silver/deliveries``, home births told apart.
    """
    conditions = []
    if indicator.denominator is not None and indicator.denominator.delivery_types:
        conditions.append(one_of(kind, indicator.denominator.delivery_types))
    if indicator.needs_stays:
        conditions.append("`nights_after_delivery` IS NOT NULL")
    if indicator.denominator is not None:
        conditions += _restrictions(indicator.denominator)
    return " AND ".join(["TRUE", *conditions])


def _restrictions(denominator: Denominator) -> Iterator[str]:
    """What is asked of a member beside a delivery type and a stay; what is unknown of one meets nothing."""
    if (ages := denominator.ages) is not None:
        yield f"COALESCE(`age` >= {ages.from_}, FALSE)"
        if ages.to is not None:
            yield f"`age` <= {ages.to}"
    if denominator.sexes:
        yield one_of("recorded_sex", sorted(denominator.sexes))
    if denominator.with_flag:
        yield f"COALESCE({quoted(denominator.with_flag)}, FALSE)"
    if denominator.without_flag:
        yield f"COALESCE(NOT {quoted(denominator.without_flag)}, FALSE)"
    if (enrolled := denominator.enrolled) is not None:
        yield f"COALESCE({quoted(ENROLLED_BEFORE)} >= {enrolled.days_before}, FALSE)"
        yield f"{quoted(ENROLLED_AFTER)} >= {enrolled.days_after}"


def numerator_of_member(indicator: Indicator, kind: str = DELIVERY_KIND) -> str:
    """The member's share in the numerator, a whole number; null outside the denominator.

    It is null inside too where a flag was not computed, unless another flag decides.
    """
    return f"CASE WHEN {is_counted(indicator, kind)} THEN {_share(indicator, kind)} END"


def is_unknown(indicator: Indicator, kind: str = DELIVERY_KIND) -> str:
    """Whether the member's share in the numerator is unknown because a flag was not computed."""
    return f"{is_counted(indicator, kind)} AND {_share(indicator, kind)} IS NULL"


def one_of(column: str, names: Iterable[str]) -> str:
    """Whether the value of a column is one of the names."""
    texts = ", ".join(f"'{name}'" for name in names)
    return f"{quoted(column)} IN ({texts})"


def count_if(condition: str) -> str:
    """The number of rows that a condition holds for."""
    return f"COUNT(CASE WHEN {condition} THEN 1 END)"


def known_count_if(condition: str) -> str:
    """The number of rows that a condition holds for; null when it is null of one of them."""
    return f"CASE WHEN {count_if(f'({condition}) IS NULL')} = 0 THEN {count_if(condition)} END"


def known_sum(indicator: Indicator, kind: str = DELIVERY_KIND) -> str:
    """The numerator of some members: 0 without any member; null where the share of one is unknown."""
    total = f"COALESCE(SUM({numerator_of_member(indicator, kind)}), 0)"
    # Only flags can be null. What is not known of one is not known of the sum.
    if not indicator.numerator.flags:
        return total
    return f"CASE WHEN {count_if(is_unknown(indicator, kind))} = 0 THEN {total} END"


def _share(indicator: Indicator, kind: str) -> str:
    numerator = indicator.numerator
    if numerator.all:
        return "1"
    if numerator.quantity_of_service is not None:
        return quoted(f"quantity_{numerator.quantity_of_service}")
    if numerator.with_service is not None:
        return _as_number(f"{quoted(f'quantity_{numerator.with_service}')} > 0")
    if numerator.nights_after_delivery:
        return "`nights_after_delivery`"
    if numerator.delivery_types is not None:
        return _as_number(one_of(kind, numerator.delivery_types))
    has_any = " OR ".join(map(quoted, numerator.flags))
    return _as_number(has_any if numerator.with_any is not None else f"NOT ({has_any})")


def _as_number(condition: str) -> str:
    """1, 0, or null as the condition is."""
    return f"CAST(({condition}) AS INT)"
