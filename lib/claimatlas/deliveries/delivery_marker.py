"""Completion markers of ``silver/deliveries``, one per year: what the deliveries of the year were computed from.

A run clears the marker before it writes and sets it when it is done. A run that was killed in between leaves no marker,
and nothing is counted from its incomplete deliveries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claimatlas.tables.reader import Reader
    from claimatlas.tables.schemas import Table
    from claimatlas.tables.store import Store

PROPERTY = "claimatlas.deliveries."
"""Prefix of a table property, followed by the year. The property holds what its deliveries were computed from, and the
run.
"""

FLAGS = "flags"
"""The key of an origin that holds the declared flags, sorted. A cleared marker does not have it."""


def clear(store: Store, table: Table, years: Sequence[int]) -> None:
    """Clear the markers of the years: their deliveries are being replaced."""
    marked = [year for year, origin in origins(store, table, years).items() if origin]
    if marked:
        _write(store, table, marked, {})


def mark_complete(store: Store, table: Table, years: Sequence[int], origin: Mapping[str, Any]) -> None:
    """Mark the deliveries of the years complete, with their origin and, by ``FLAGS``, the flags that they have."""
    _write(store, table, years, origin)


def origins(store: Reader, table: Table, years: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What the deliveries of each year were computed from; empty for a year without a marker."""
    properties = store.properties(table) if store.exists(table) else {}
    return {year: json.loads(properties.get(f"{PROPERTY}{year}", "{}")) for year in years}


def all_origins(store: Store, table: Table) -> dict[int, dict[str, Any]]:
    """What the deliveries of every marked year were computed from; empty where the marker was cleared."""
    marks = {name: text for name, text in store.properties(table).items() if name.startswith(PROPERTY)}
    return {int(name.removeprefix(PROPERTY)): json.loads(text) for name, text in marks.items()}


def _write(store: Store, table: Table, years: Sequence[int], origin: Mapping[str, Any]) -> None:
    text = json.dumps(origin, sort_keys=True)
    store.set_properties(table, {f"{PROPERTY}{year}": text for year in years})
