"""Drawn tables of three towns, their published rows, and figures hidden at random: nothing is protected here."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from claimatlas.tables.schemas import ALL

from publication.country import YEAR, K, atoms, units
from publication.enumeration import Figure, all_worlds, columns

TOWNS = {"a": "north", "b": "north", "c": "north"}
COUNTS = ("births", "no_midwife", "nobody")
"""Each lies within the one before."""
Tables = dict[str, dict[tuple[str, str, str], int]]
_BIMS = {"yes": ("yes",), "other": ("no", "unknown"), ALL: ("yes", "no", "unknown")}


def drawn(seed: int, most: int = 12) -> Tables:
    """Births, the part of them without a midwife, and the part of these without anybody."""
    dice = random.Random(seed)
    births = {
        atom: dice.randint(0, most) * (atom[2] == "vaginal")
        for atom in atoms(TOWNS)
        if atom[0] and atom[1] != "unknown"
    }
    no_midwife = {atom: sum(dice.random() < 0.4 for _ in range(count)) for atom, count in births.items()}
    nobody = {atom: sum(dice.random() < 0.5 for _ in range(count)) for atom, count in no_midwife.items()}
    return {"births": births, "no_midwife": no_midwife, "nobody": nobody}


def truth(table: Mapping[tuple[str, str, str], int], level: str, code: str, value: str) -> int:
    """A figure of a table."""
    inside = next(towns for name, place, towns in units(TOWNS) if (name, place) == (level, code))
    return sum(table.get((town, bim, "vaginal"), 0) for town in inside for bim in _BIMS[value])


def published(tables: Tables) -> list[dict[str, Any]]:
    """The rows of every planned cell, all of them shown."""
    rows = []
    for name in COUNTS:
        for level, code, _ in units(TOWNS):
            for value in _BIMS:
                place = (level, code, value)
                row: dict[str, Any] = {
                    **{"indicator_id": name, "year": YEAR, "geo_level": level, "geo_code": code, "release": 1},
                    **{"age_category": ALL, "increased_reimbursement": value, "delivery_type": ALL, "sex": ALL},
                    **{"numerator": truth(tables[name], *place), "denominator": truth(tables["births"], *place)},
                    **{"status": "final", "confidentiality": "F"},
                }
                rows.append(row)
    return rows


def hidden_at_random(rows: Sequence[dict[str, Any]], dice: random.Random, share: float = 0.5) -> list[dict[str, Any]]:
    """The same with a share of the counts hidden; a count is hidden wherever it stands."""
    gone = {(row["indicator_id"], place_of(row)) for row in rows if dice.random() < share}
    return hide(rows, gone)


def hide(rows: Sequence[dict[str, Any]], gone: set[tuple[str, tuple[str, str, str]]]) -> list[dict[str, Any]]:
    """Hide counts by name and place."""
    found = []
    for row in rows:
        place = place_of(row)
        numerator = None if (row["indicator_id"], place) in gone else row["numerator"]
        denominator = None if ("births", place) in gone else row["denominator"]
        is_hidden = numerator is None or denominator is None
        found.append(
            {**row, "numerator": numerator, "denominator": denominator, "confidentiality": "C" if is_hidden else "F"}
        )
    return found


def place_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Level, code and value of the dimension."""
    return row["geo_level"], row["geo_code"], row["increased_reimbursement"]


def figures(rows: Sequence[Mapping[str, Any]], tables: Tables) -> list[Figure]:
    """Every published figure with its truth."""
    return [
        Figure(
            row["indicator_id"], *place_of(row), row["numerator"], truth(tables[row["indicator_id"]], *place_of(row))
        )
        for row in rows
    ]


def world_bounds(found: Sequence[Figure]) -> dict[tuple[str, str, str, str, str], tuple[int, int]]:
    """The least and the most of each count, and of each gap to the counts that it lies within, over all worlds."""
    every = all_worlds(found, TOWNS, COUNTS, K + 1)
    bounds = {}
    for figure in found:
        number = COUNTS.index(figure.count)
        sums = every[:, :, columns(TOWNS, figure.level, figure.code, figure.value)].sum(axis=2)
        place = (figure.count, figure.level, figure.code, figure.value)
        bounds["count", *place] = (int(sums[:, number].min()), int(sums[:, number].max()))
        for larger in range(number):
            gap = sums[:, larger] - sums[:, number]
            bounds[f"gap {COUNTS[larger]}", *place] = (int(gap.min()), int(gap.max()))
    return bounds
