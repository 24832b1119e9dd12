"""The status of each indicator and year: final, provisional or not computable."""

from __future__ import annotations

from datetime import date, timedelta

from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator

FINAL, PROVISIONAL, NOT_COMPUTABLE = "final", "provisional", "not_computable"


def observes_until(indicator: Indicator, year: int, configuration: Configuration) -> date:
    """The last day whose claims the indicator needs.

    31 December, or the end of the windows that it looks into, of a delivery on that day (11 February with 42 days).
    """
    flags, windows = configuration.services.delivery_flags, configuration.settings.all_windows
    last = max((windows[flags[name].window].last_day for name in indicator.flags), default=0)
    return date(year, 12, 31) + timedelta(days=max(last, 0))


def missing_code_lists(indicator: Indicator, configuration: Configuration) -> list[str]:
    """The empty code lists for which the indicator cannot be computed.

    A service cannot be seen when all code lists of its contact group, or of its own, are empty: without
    the midwives' codes, "no contact with anyone" would be wrong too. A list with rows that are not valid
    in the year is not empty.
    """
    empty = {name for flag in indicator.flags for name in configuration.empty_code_lists_of_flag(flag)}
    for name in indicator.numerator.delivery_types or ():
        empty.update(configuration.all_empty((configuration.services.delivery_types[name].code_list,)))
    if indicator.numerator.service is not None:
        lists = configuration.services.beneficiary_services[indicator.numerator.service].code_lists
        empty.update(configuration.all_empty(lists))
    return sorted(empty)


def why_not_computable(indicator: Indicator, configuration: Configuration, *, has_stays: bool) -> str | None:
    """What is missing, as a sentence, or ``None``; ``has_stays``: the input had a table of hospital stays."""
    if indicator.needs_stays and not has_stays:
        return f"{indicator.id} is not computable: the input has no table hospital_stays."
    empty = missing_code_lists(indicator, configuration)
    if empty:
        lists = "the code list {} is" if len(empty) == 1 else "the code lists {} are"
        return f"{indicator.id} is not computable: {lists.format(', '.join(empty))} empty."
    return None


def status_of(
    indicator: Indicator,
    year: int,
    configuration: Configuration,
    complete_through: date | None,
    *,
    has_stays: bool,
) -> str:
    """The status; ``complete_through`` is the last day that the claims reach, ``None`` without any claim."""
    if why_not_computable(indicator, configuration, has_stays=has_stays):
        return NOT_COMPUTABLE
    if complete_through is None or complete_through < observes_until(indicator, year, configuration):
        return PROVISIONAL
    return FINAL
