"""Past runs, from their rows in ``gold/runs``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from claimatlas.errors import InputError
from claimatlas.tables.schemas import RUNS
from claimatlas.tables.store import Store


@dataclass(frozen=True)
class PastRun:
    """A run's record, and the files of its configuration by name."""

    run_id: str
    record: dict[str, Any]
    configuration: dict[str, str]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """The counts of its steps."""
        counts: dict[str, dict[str, int]] = self.record["counts"]
        return counts

    @property
    def silver(self) -> dict[str, Any]:
        """The silver that it computed from: its ingest, its span, the versions of its tables."""
        silver: dict[str, Any] = self.record.get("silver", {})
        return silver


def find_run(store: Store, run_id: str) -> PastRun | None:
    """The run of this id; a run that failed has left no record, though it may have done a stage."""
    rows = [row for row in store.few_rows(RUNS) if row["run_id"] == run_id]
    if not rows:
        return None
    return PastRun(run_id, json.loads(rows[0]["record"]), json.loads(rows[0]["configuration"]))


def past_run(store: Store, run_id: str) -> PastRun:
    """The run of this id.

    Raises:
        InputError: there is none.
    """
    run = find_run(store, run_id)
    if run is None:
        raise InputError(f"There is no run {run_id} in {store.root}.")
    return run
