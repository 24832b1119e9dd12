"""Past runs, from their rows in ``gold/runs``."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from claimatlas.errors import InputError
from claimatlas.tables.reader import Reader, named
from claimatlas.tables.schemas import RUNS


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


def find_run(store: Reader, run_id: str) -> PastRun | None:
    """The run of this id, or ``None``. A run that failed has no record, even when some of its stages were done."""
    return find_runs(store, [run_id]).get(run_id)


def find_runs(store: Reader, run_ids: Collection[str]) -> dict[str, PastRun]:
    """The records of these runs, by id. A run without a record is left out."""
    rows = store.rows(RUNS, named("run_id", "record", "configuration"), {"run_id": sorted(set(run_ids))})
    return {
        row["run_id"]: PastRun(row["run_id"], json.loads(row["record"]), json.loads(row["configuration"]))
        for row in rows
    }


def past_run(store: Reader, run_id: str) -> PastRun:
    """The run of this id.

    Raises:
        InputError: there is none.
    """
    run = find_run(store, run_id)
    if run is None:
        raise InputError(f"There is no run {run_id} in {store.root}.")
    return run
