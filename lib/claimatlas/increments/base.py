"""Which published run a computation can start from, so that only what changed since is computed anew."""

from __future__ import annotations

from collections.abc import Sequence

from claimatlas import __version__
from claimatlas.configuration import Configuration
from claimatlas.deliveries import delivery_marker
from claimatlas.runs.archive import PastRun, find_run
from claimatlas.runs.record import RunRecord
from claimatlas.tables.releases import newest_release
from claimatlas.tables.schemas import deliveries_table
from claimatlas.tables.store import Store

JOB = "run_year"
"""The job whose record counts everything that is carried on from it."""


def find_base(store: Store) -> PastRun | None:
    """The run that computed what is published."""
    release = newest_release(store)
    return find_run(store, release["run_id"]) if release else None


def why_not(
    base: PastRun | None, store: Store, configuration: Configuration, years: Sequence[int], record: RunRecord
) -> str | None:
    """Why the published figures cannot be carried on from ``base``, as the end of a sentence; nothing when they can."""
    if base is None:
        return "nothing is published"
    silver, known = record.notes["silver"], base.silver.get("batches", [])
    formed_by = base.record.get("deliveries_run", {})
    origins = delivery_marker.origins(store, deliveries_table(configuration), years)
    reasons = {
        "what is published last was computed by another job, or for other years": (
            base.record["job"] != JOB or base.record["years"] != sorted(set(years))
        ),
        "what is published was computed by another version, or with another configuration": (
            base.record["package_version"] != __version__ or base.record["hashes"] != record.hashes
        ),
        "what is published was not computed from this silver before it was added to": (
            silver["batches"][: len(known)] != known
        ),
        "nothing was added since what is published was computed": silver["batches"] == known,
        "a table came that was not there before": silver["tables"] != base.silver["tables"],
        "silver/deliveries is not that of what is published": any(
            origin.get("run") != formed_by.get(str(year)) for year, origin in origins.items()
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def added_since(base: PastRun, record: RunRecord) -> list[str]:
    """The runs that brought data since."""
    runs: list[str] = record.notes["silver"]["batches"]
    return runs[len(base.silver["batches"]) :]
