"""Find the published run that an incremental run can start from."""

from __future__ import annotations

from claimatlas import __version__
from claimatlas.deliveries import delivery_marker
from claimatlas.runs.archive import PastRun, find_run
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.tables.releases import newest_release
from claimatlas.tables.schemas import deliveries_table
from claimatlas.tables.store import Store

JOB = "run_year"
"""The job whose record has every count that an incremental run continues."""


def find_base(store: Store) -> PastRun | None:
    """The run that computed the published figures."""
    release = newest_release(store)
    return find_run(store, release["run_id"]) if release else None


def why_not(base: PastRun | None, context: RunContext, silver: SilverFacts) -> str | None:
    """Why an incremental run cannot start from ``base``, as the end of a sentence; ``None`` when it can."""
    if base is None:
        return "nothing is published"
    known = SilverFacts.of(base.silver)
    formed_by = base.record.get("deliveries_run", {})
    origins = delivery_marker.origins(context.store, deliveries_table(context.configuration), context.years)
    reasons = {
        "what is published last was computed by another job, or for other years": (
            base.record["job"] != JOB or base.record["years"] != sorted(set(context.years))
        ),
        "what is published was computed by another version, or with another configuration": (
            base.record["package_version"] != __version__ or base.record["hashes"] != context.configuration.hashes
        ),
        "what is published was not computed from this silver before it was added to": (
            silver.batches[: len(known.batches)] != known.batches
        ),
        "an indicator is a median or a standardised rate, which published counts do not give": any(
            not indicator.follows_from_its_counts for indicator in context.configuration.indicators
        ),
        "nothing was added since what is published was computed": silver.batches == known.batches,
        "a table came that was not there before": silver.tables != known.tables,
        "silver/deliveries is not that of what is published": any(
            origin.get("run") != formed_by.get(str(year)) for year, origin in origins.items()
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def added_since(base: PastRun, silver: SilverFacts) -> tuple[str, ...]:
    """The runs that have brought data to ``silver`` since."""
    return silver.batches[len(SilverFacts.of(base.silver).batches) :]
