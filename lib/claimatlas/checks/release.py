"""Whether the cells that a run wrote may be published in place of those that are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.checks.drift import judge_drift
from claimatlas.checks.findings import Finding, beyond
from claimatlas.checks.gold import check_sums, national_values
from claimatlas.checks.sums import UnknownDomicile
from claimatlas.configuration import Configuration
from claimatlas.errors import QualityGateError
from claimatlas.runs.archive import find_run
from claimatlas.runs.record import RunRecord
from claimatlas.tables.published import newest_cells, tables_of_cells
from claimatlas.tables.releases import newest_release
from claimatlas.tables.store import Store


def require_publishable(
    store: Store, configuration: Configuration, years: Sequence[int], record: RunRecord, *, accept_jumps: bool
) -> None:
    """Judge the cells of ``years`` that were just written, before they are published.

    Counts must add up across levels and dimensions. And no national value may move further than
    ``checks.largest_drift_between_runs`` from the published one, unless its denominator was below
    ``checks.least_denominator_of_jump``, the configuration was another one, or ``accept_jumps`` says that it is meant.

    Raises:
        QualityGateError: naming the first of what is wrong.
    """
    record.progress("indicators: checking what is to be published")
    cells = reduce(DataFrame.unionByName, newest_cells(store))
    wrong = beyond(check_sums(cells, configuration, years, _unknown_domiciles(record, years)))
    if wrong:
        raise QualityGateError(_said("do not add up", wrong))
    if accept_jumps or _has_other_configuration(store, record):
        return
    wrong = beyond(_jumps(store, cells, configuration, years))
    if wrong:
        raise QualityGateError(
            _said("moved further than checks.largest_drift_between_runs allows, with the same configuration", wrong)
            + " Look into it; --accept-jumps publishes them."
        )


def _jumps(store: Store, cells: DataFrame, configuration: Configuration, years: Sequence[int]) -> list[Finding]:
    least = configuration.settings.checks.least_denominator_of_jump
    published = tables_of_cells(store)
    if not published:
        return []
    large = reduce(DataFrame.unionByName, published).where(F.col("denominator") >= least)
    of_years = F.col("year").isin(list(years))
    now = national_values(cells.where(of_years), configuration)
    earlier = national_values(large.where(of_years), configuration)
    # Each year by itself: how it stands to the year before is for `claimatlas check` to say.
    return [
        finding
        for year in sorted(set(years))
        for finding in judge_drift(
            {key: value for key, value in now.items() if key[2] == year},
            earlier,
            [year],
            configuration.settings.checks,
        )
    ]


def _has_other_configuration(store: Store, record: RunRecord) -> bool:
    """Whether what is published was computed with another configuration: it explains any difference."""
    release = newest_release(store)
    run = find_run(store, release["run_id"]) if release else None
    return run is None or run.record["hashes"] != record.hashes


def _unknown_domiciles(record: RunRecord, years: Sequence[int]) -> UnknownDomicile:
    """Members without a place, of the populations that this run counted."""
    steps = {"beneficiary_years": "beneficiaries", "deliveries": "deliveries"}
    return {
        (population, year): record.counts[f"{step}.{year}"]["domicile_unknown"]
        for population, step in steps.items()
        for year in years
        if "domicile_unknown" in record.counts.get(f"{step}.{year}", {})
    }


def _said(what: str, wrong: Sequence[Finding]) -> str:
    others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"Nothing was published: figures {what}: {wrong[0].sentence}{others}"
