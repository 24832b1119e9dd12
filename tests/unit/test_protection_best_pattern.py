"""How much is hidden beside the best pattern that enumeration finds, on small drawn tables.

A thousand tables: python -m publication.compare 1000, from tests/; docs/confidentiality.md states what it found.
"""

from pathlib import Path

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

from publication.best import Table, best_pattern
from publication.compare import compare
from publication.country import atoms
from publication.drawing import EVERYTHING, SHAPES

TOWNS = {"a": "n", "b": "n", "c": "n"}


def table_of(a: int, b: int, c: int) -> Table:
    births = dict.fromkeys(atoms(TOWNS), 0) | {
        (town, "no", "vaginal"): count for town, count in (("a", a), ("b", b), ("c", c))
    }
    return Table(TOWNS, (), {"births": births}, EVERYTHING)


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ((5, 6, 7), 0),
        # One town is small, so another goes with it.
        ((1, 6, 7), 2),
        # Two small towns of which the sum is no secret hide each other.
        ((2, 2, 7), 2),
        # Who is the one would know the other.
        ((1, 2, 7), 3),
        ((0, 0, 0), 0),
    ],
)
def test_the_best_pattern_by_hand(counts: tuple[int, int, int], hidden: int) -> None:
    assert best_pattern(table_of(*counts), totals_last=True) == hidden


def test_little_more_is_hidden_than_must_be(tmp_path: Path) -> None:
    found = compare(30, tmp_path)
    # The enumeration asks more for somebody who knows one record: other counts, where the product asks for algebra. So
    # the product can be below its best.
    assert {row.shape for row in found} == set(SHAPES)
    assert any(row.best > 0 for row in found)
    assert sum(row.ours for row in found) <= 1.2 * sum(row.best_with_totals_last for row in found)
    assert [row for row in found if row.is_far] == []
