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
KEY = "pseudonym_key"
"""The fact that names the key of the pseudonyms in silver; null: ids are as the sender gave them."""
FORMER_IDS = (
    "Silver held ids of another kind before (of another pseudonym key, or none): its earlier versions, and deliveries "
    "of years not computed since, may still hold them. VACUUM them, or choose a new --output, if they must go."
)


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


def key_of_silver(store: Store) -> str | None:
    """The fingerprint of the key that silver's pseudonyms were made with.

    ``None`` when its ids are as the sender gave them, and when silver is not whole: then nobody knows.
    """
    facts: dict[str, Any] = json.loads(store.properties(CLAIMS).get(PROPERTY, "{}"))
    key: str | None = facts.get(KEY)
    return key


def require_same_key(store: Store, fingerprint: str | None) -> None:
    """Refuse to add rows whose ids are made with another key than those of silver: nobody would be found again.

    For an ingest that keeps a part of silver; one that replaces it whole may change the key.

    Raises:
        InputError: naming both keys by their fingerprints, or there is no silver.
    """
    former = facts_of_silver(store).get(KEY)
    if former != fingerprint:
        names = [
            f"with the pseudonym key {name}" if name else "without a pseudonym key" for name in (former, fingerprint)
        ]
        raise InputError(
            f"Silver in {store.root} was made {names[0]}, and this input comes {names[1]}: the rows of one person "
            "would not be found together. Use the key of silver, or replace silver whole."
        )
