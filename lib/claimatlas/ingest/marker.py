"""Whether silver is whole: a mark on ``silver/claims`` that an ingest takes off first and puts back last.

It is a table property, so that restoring an earlier version of the table brings back its mark too, and
an ingest that died leaves silver unmarked: nothing is then computed from it.
"""

from __future__ import annotations

import json
from typing import Any

from claimatlas.errors import InputError
from claimatlas.tables.schemas import CLAIMS
from claimatlas.tables.store import Store

PROPERTY = "claimatlas.ingest"


def take_off(store: Store) -> None:
    """Say that silver is being replaced."""
    store.set_properties(CLAIMS, {PROPERTY: "{}"})


def put_on(store: Store, facts: dict[str, Any]) -> None:
    """Say that silver is whole, with the facts of its ingest that later stages need."""
    store.set_properties(CLAIMS, {PROPERTY: json.dumps(facts, sort_keys=True)})


def facts_of_silver(store: Store) -> dict[str, Any]:
    """The facts of the ingest that made silver.

    Raises:
        InputError: there is no silver, or its ingest did not finish.
    """
    if not store.exists(CLAIMS):
        raise InputError(f"There is no silver in {store.root}: give --input, or run the ingest first.")
    facts: dict[str, Any] = json.loads(store.properties(CLAIMS).get(PROPERTY, "{}"))
    if not facts:
        raise InputError(f"The last ingest into {store.root} did not finish: run it again with its input.")
    return facts
