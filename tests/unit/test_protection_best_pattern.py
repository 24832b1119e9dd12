"""How much is hidden beside the best pattern that enumeration finds, on small drawn tables.

A thousand tables: python -m publication.compare 1000, from tests/; docs/confidentiality.md states what it found.
"""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

from claimatlas.errors import QualityGateError
from claimatlas.protection import choosing
from claimatlas.protection.audit import Audit
from publication.best import Table, best_pattern
from publication.compare import compare
from publication.country import atoms
from publication.drawing import EVERYTHING, SHAPES, Country, drawn_table

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
    assert sum(row.ours for row in found) <= 1.2 * sum(row.best for row in found)
    assert [row for row in found if row.is_far] == []


@pytest.mark.parametrize(
    ("shape", "seed"),
    [
        ("three towns", 51),
        ("two parts with a dimension", 106),
        ("two parts with a dimension", 135),
        ("two dimensions", 39),
        ("two dimensions", 120),
    ],
)
def test_a_small_table_is_looked_at_with_other_costs_too(shape: str, seed: int, tmp_path: Path) -> None:
    """The first pattern of these hides four to nine cells more than the best of all."""
    table = drawn_table(shape, seed)
    rows = Country(tmp_path).hidden(shape, table)
    best = best_pattern(table, totals_last=False)
    assert sum(row["confidentiality"] == "C" for row in rows) <= max(best + 2, 1.3 * best)


def test_what_costs_lead_to_no_proof_the_first_pattern_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    country, table = Country(tmp_path), drawn_table("three towns", 51)
    with monkeypatch.context() as patched:
        patched.setattr(choosing, "FEW", -1)
        first = country.hidden("three towns", table)
    found = choosing._one_pattern

    def failing(audit: Audit, *given: Any) -> choosing.Pattern:
        if audit.costs_by.are_alike:
            for measure in audit.measures.values():
                measure.hidden[:] = False
            raise QualityGateError("open")
        return found(audit, *given)

    monkeypatch.setattr(choosing, "_one_pattern", failing)
    assert country.hidden("three towns", table) == first
    monkeypatch.undo()
    assert country.hidden("three towns", table) != first
