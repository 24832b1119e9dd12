"""Compare what was found with what a scenario expects."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from spec.runner.scenario import CELL_KEY, CELL_MEASURES, Case
from spec.runner.tables import Row, show_table

Cells = dict[tuple[str, ...], dict[str, Any]]
"""Cells by the text of their key."""


@dataclass
class Found:
    """The results of one case, in Python values. ``None``: this engine does not give it."""

    deliveries: list[dict[str, Any]] = field(default_factory=list)
    persons: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    cells: Cells = field(default_factory=dict)
    record: dict[str, dict[str, int]] | None = None
    warnings: list[str] | None = None


def by_key(cells: list[dict[str, Any]]) -> Cells:
    """Cells by their key, of which none may stand twice."""
    found = {tuple(str(cell[column]) for column in CELL_KEY): cell for cell in cells}
    assert len(found) == len(cells), "a cell stands twice"
    return found


def check(case: Case, found: Found) -> None:
    """Raise AssertionError unless everything that the case expects was found, and nothing beside it."""
    for part in ("deliveries", "persons", "rejected"):
        if part in case.expected:
            _check_all(case, part, getattr(found, part))
    if "cells" in case.expected:
        _check_cells(case, found.cells)
    if "no_cells" in case.expected:
        _check_no_cells(case, found.cells)
    if "record" in case.expected and found.record is not None:
        _check_record(case, found.record)
    if case.warnings is not None and found.warnings is not None:
        _check_warnings(case, found.warnings)


def text_of(value: Any) -> str | None:
    """A value as a table shows it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _check_all(case: Case, part: str, rows: list[dict[str, Any]]) -> None:
    expected = case.expected[part]
    # Without a row the columns do not matter: there must be none.
    columns = list(expected[0]) if expected else list(rows[0] if rows else ())
    actual = [{column: text_of(row[column]) for column in columns} for row in rows]
    if part == "rejected":
        expected, actual = _with_sorted_reasons(expected), _with_sorted_reasons(actual)
    assert _counted(expected) == _counted(actual), _message(
        case, f"{part}: expected\n{show_table(expected)}\n  found\n{show_table(actual)}"
    )


def _with_sorted_reasons(rows: list[Row]) -> list[Row]:
    # The specification does not say in which order the reasons of a row stand.
    return [
        {**row, **({"reasons": ", ".join(sorted(part.strip() for part in (row["reasons"] or "").split(",")))})}
        if "reasons" in row
        else row
        for row in rows
    ]


def _counted(rows: list[Row]) -> Counter[tuple[tuple[str, str | None], ...]]:
    return Counter(tuple(sorted(row.items())) for row in rows)


def _check_cells(case: Case, cells: Cells) -> None:
    for expected in case.expected["cells"]:
        key = tuple(str(expected[column]) for column in CELL_KEY)
        assert key in cells, _message(case, f"cells: there is no cell {' '.join(key)}")
        cell = cells[key]
        shown = {name: text_of(cell[name]) for name in expected}
        for column, wanted in expected.items():
            number = column in CELL_MEASURES
            fits = _same_number(wanted, cell[column]) if number else wanted == shown[column]
            assert fits, _message(case, f"cells: expected\n{show_table([expected])}\n  found\n{show_table([shown])}")


def _same_number(wanted: str | None, value: float | None) -> bool:
    """Equal to as many decimals as the scenario gives."""
    if wanted is None or value is None:
        return wanted is None and value is None
    decimals = len(wanted.partition(".")[2])
    if not decimals:
        return float(wanted) == value
    return abs(float(wanted) - value) <= 0.5 * 10**-decimals + 1e-12


def _check_no_cells(case: Case, cells: Cells) -> None:
    for expected in case.expected["no_cells"]:
        named = [(CELL_KEY.index(column), value) for column, value in expected.items() if value is not None]
        for key in cells:
            there = all(key[position] == value for position, value in named)
            assert not there, _message(case, f"no_cells: there is {' '.join(key)}")


def _check_record(case: Case, record: dict[str, dict[str, int]]) -> None:
    for expected in case.expected["record"]:
        step, count = expected["step"] or "", expected["count"] or ""
        found = record.get(step, {}).get(count)
        assert expected["value"] == text_of(found), _message(
            case, f"record: {step}, {count}: expected {expected['value']}, found {found}; there are {record.get(step)}"
        )


def _check_warnings(case: Case, warnings: list[str]) -> None:
    """Each expected text is the beginning of one warning, and there are no others."""
    expected = sorted(case.warnings or ())
    same = len(warnings) == len(expected)
    fits = same and all(found.startswith(start) for found, start in zip(sorted(warnings), expected, strict=True))
    assert fits, _message(case, f"warnings: expected {expected}, found {warnings}")


def _message(case: Case, what: str) -> str:
    return f"\n{case.id}: {case.title}\n  {case.rule}\n  {what}"
