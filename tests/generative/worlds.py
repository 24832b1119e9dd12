"""Many small random worlds put together, so that one run of the pipeline judges all of them."""

import os
import random
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from reference.generators import random_tables, settings_strategy, years_of
from reference.model import Malformed, Tables

AS_OF = date(2026, 11, 22)
EXAMPLES = int(os.environ.get("CLAIMATLAS_EXAMPLES", "1"))
"""More of them find rarer mistakes: CLAIMATLAS_EXAMPLES=100 for a night."""
_IDS = ("beneficiary_id", "claim_id", "stay_id")


def randomly(test: Callable[..., None]) -> Callable[..., None]:
    """Give a test the arguments ``seed`` and ``overrides`` (random settings), as often as ``EXAMPLES`` says."""
    chosen = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize="CLAIMATLAS_EXAMPLES" not in os.environ,
        # A failing example is narrowed by hand: a run is too slow for Hypothesis to try hundreds.
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    return chosen(given(seed=st.integers(0, 2**32 - 1), overrides=settings_strategy())(test))


def random_worlds(rng: random.Random, number: int) -> tuple[tuple[int, ...], Tables]:
    """Two neighbouring years, and in one input those of so many random worlds that have one of them.

    Two years are enough for both edges of a year, and half the time of all years.
    """
    worlds = [random_tables(rng, max_rows=40) for _ in range(number)]
    years = rng.choice([years_of(world) for world in worlds if years_of(world)])
    return years, combine([world for world in worlds if set(years) & set(years_of(world))])


def combine(worlds: Sequence[Tables]) -> Tables:
    """One input of many worlds: ids get their world's number, so that no two worlds meet.

    White space before an id stays before it, and a missing id stays missing.
    """
    combined: Tables = {}
    for number, world in enumerate(worlds):
        for table, rows in world.items():
            combined.setdefault(table, []).extend(_numbered(row, number) for row in rows)
    return combined


def _numbered(row: Any, number: int) -> Any:
    if isinstance(row, Malformed):
        return row
    return {column: _prefixed(text, number) if column in _IDS else text for column, text in row.items()}


def _prefixed(text: str | None, number: int) -> str | None:
    if text is None or not text.strip():
        return text
    start = len(text) - len(text.lstrip())
    return f"{text[:start]}w{number}.{text[start:]}"
