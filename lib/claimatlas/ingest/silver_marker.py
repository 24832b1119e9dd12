"""Completion marker of silver: a property of ``silver/claims`` that an ingest clears first and sets when it is done.

It is a table property, so restoring an earlier version of the table restores its marker too. While silver changes, the
marker holds the earlier versions. Nothing computes from silver then. If the change is killed, the next one restores
these versions first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from claimatlas.errors import InputError
from claimatlas.tables.schemas import CHANGED, CLAIMS, HOSPITAL_STAYS, POPULATION, REJECTED

if TYPE_CHECKING:
    from claimatlas.tables.reader import Reader
    from claimatlas.tables.store import Store

PROPERTY = "claimatlas.ingest"
SILVER = (POPULATION, HOSPITAL_STAYS, REJECTED, CLAIMS)
"""The tables of an ingest. Claims come last, as they carry the marker."""
ADDED_TO = (CHANGED, *SILVER)
"""The tables that a batch adds to."""
_BEFORE, _REPLACING = "before", "replacing"
_COLUMNS = "columns"
KEY = "pseudonym_key"
"""The fact that identifies the key of the pseudonyms in silver; null: the ids are the sender's own."""
FORMER_IDS = (
    "Silver held ids of another kind before (of another pseudonym key, or none): its earlier versions, and deliveries "
    "of years not computed since, may still hold them. VACUUM them, or choose a new --output, if they must go."
)


def begin(store: Store, before: Mapping[str, int], *, replacing: bool) -> None:
    """Clear the marker: silver is being replaced, or a batch merged; ``before``: the versions of its tables."""
    store.set_properties(CLAIMS, {PROPERTY: json.dumps({_BEFORE: before, _REPLACING: replacing}, sort_keys=True)})


def recover(store: Store, *, from_replacing: bool) -> None:
    """Restore silver after a killed merge and, with ``from_replacing``, after a killed full ingest.

    Only another full ingest asks for the latter: a batch must not be added to a silver that was being replaced.
    """
    if not store.exists(CLAIMS):
        return
    mark = _mark(store)
    if _BEFORE in mark and (from_replacing or not mark[_REPLACING]):
        restore(store, mark[_BEFORE])


def restore(store: Store, before: Mapping[str, int]) -> None:
    """Restore these versions of the tables of silver. The marker comes back with the claims."""
    for table in ADDED_TO:
        if table.name in before:
            store.restore(table, before[table.name])


def mark_complete(store: Store, facts: Mapping[str, Any]) -> None:
    """Mark silver complete, with the facts of its ingest that later stages need.

    ``run_id``: of the last change. ``tables``: those that were given. ``population_years``; ``first_service_date``
    and ``last_service_date`` of the accepted claims. ``batches``: the runs that brought data, in order.
    ``columns``: for each table the sender's columns of the last batch, with their types.
    """
    # Spark redacts properties that look like an address or a secret, such as a column called `token` or `factuurlijn`.
    columns = json.dumps(facts[_COLUMNS], sort_keys=True).encode().hex()
    store.set_properties(CLAIMS, {PROPERTY: json.dumps({**facts, _COLUMNS: columns}, sort_keys=True)})


def facts_of_silver(store: Reader) -> dict[str, Any]:
    """The facts of the ingest that made silver.

    Raises:
        InputError: there is no silver, or its ingest did not finish.
    """
    if not store.exists(CLAIMS):
        raise InputError(f"There is no silver in {store.root}: give --input, or run the ingest first.")
    facts = _mark(store)
    if _BEFORE in facts and not facts[_REPLACING]:
        raise InputError(
            f"The last batch into {store.root} did not finish: give it again with --add. Silver is first "
            "restored to what it was before."
        )
    if not facts or _BEFORE in facts:
        raise InputError(f"The last ingest into {store.root} did not finish: run it again with its input.")
    return facts


def key_of_silver(store: Store) -> str | None:
    """The fingerprint of the key that silver's pseudonyms were made with.

    ``None`` when its ids are the sender's own, or when silver is not complete and the key is unknown.
    """
    key: str | None = _mark(store).get(KEY)
    return key


def require_same_key(store: Store, fingerprint: str | None) -> None:
    """Refuse a batch with another key than silver's: its pseudonyms would match nobody's in silver.

    Only for an ingest that keeps a part of silver. A full ingest may change the key.

    Raises:
        InputError: naming both keys by their fingerprints, or there is no silver.
    """
    former = facts_of_silver(store).get(KEY)
    if former != fingerprint:
        names = [
            f"with the pseudonym key {name}" if name else "without a pseudonym key" for name in (former, fingerprint)
        ]
        raise InputError(
            f"Silver in {store.root} was made {names[0]}, and this input comes {names[1]}: one person would "
            "have two pseudonyms. Use the key of silver, or replace silver by an ingest of all input."
        )


def _mark(store: Reader) -> dict[str, Any]:
    mark: dict[str, Any] = json.loads(store.properties(CLAIMS).get(PROPERTY, "{}"))
    if _COLUMNS in mark:
        mark[_COLUMNS] = json.loads(bytes.fromhex(mark[_COLUMNS]))
    return mark
