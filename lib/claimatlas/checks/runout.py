"""Measure run-out: the share of lines that the fund books months after the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from claimatlas.checks.claims import MONTHS_OF_RUN_OUT
from claimatlas.checks.findings import RUN_OUT, Finding
from claimatlas.configuration.settings import Checks

ALL_YEARS = "all years"
Booked = Mapping[str, int]
"""``lines``, ``booked``, and ``after_<months>`` of a year of service."""


def judge_run_out(counts: Mapping[int, Booked], years: Sequence[int], bounds: Checks) -> Iterator[Finding]:
    """Judge each year of service, and all of them together.

    The shares are of the lines with a booking date; lines without one are counted separately. Only the share after the
    last of the months has a bound. Lines that have not arrived yet are not in the data, so a recent year looks more
    complete than it is.
    """
    judged: dict[int | str, Booked] = {year: counts[year] for year in sorted(set(years)) if year in counts}
    if judged:
        names = next(iter(judged.values()))
        judged[ALL_YEARS] = {name: sum(of_year[name] for of_year in judged.values()) for name in names}
    for year, of_year in judged.items():
        lines, booked = of_year["lines"], of_year["booked"]
        without = (lines - booked) / lines
        yield Finding(
            RUN_OUT,
            {"year": year, "share": "without_booking_date"},
            without,
            None,
            ok=True,
            sentence=f"{year}: {100 * without:.2f} % of {lines:,} lines have no booking date.",
            cases=lines,
        )
        if not booked:
            continue
        for months in MONTHS_OF_RUN_OUT:
            share = of_year[f"after_{months}"] / booked
            bound = bounds.largest_share_after_12_months if months == MONTHS_OF_RUN_OUT[-1] else None
            allowed = "" if bound is None else f", where {100 * bound:g} % is allowed"
            yield Finding(
                RUN_OUT,
                {"year": year, "share": f"after_{months}_months"},
                share,
                bound,
                ok=bound is None or share <= bound,
                sentence=f"{year}: {100 * share:.2f} % of {booked:,} lines were booked more than {months} months "
                f"after the service{allowed}.",
                cases=booked,
            )
