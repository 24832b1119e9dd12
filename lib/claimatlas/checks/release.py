"""Decide whether the cells that a run wrote may replace the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from claimatlas.checks.drift import judge_drift
from claimatlas.checks.findings import Finding, out_of_bounds
from claimatlas.checks.gold import check_sums, national_values
from claimatlas.checks.past import STEPS, counted_members
from claimatlas.checks.sums import Counted
from claimatlas.errors import QualityGateError
from claimatlas.runs.archive import find_run
from claimatlas.runs.context import RunContext
from claimatlas.tables.published import newest_rows, rows_by_table
from claimatlas.tables.releases import Published
from claimatlas.tables.store import Store


def require_publishable(context: RunContext, counts: Mapping[str, Mapping[str, int]], *, allow_drift: bool) -> None:
    """Judge the cells of the years that were just written, before they are published.

    ``counts``: what the run counted, by step of its record. Counts of cells must add up across levels and dimensions,
    to the members that the run counted. And no national value may move further than
    ``checks.largest_drift_between_runs`` from the published one, unless its denominator was below
    ``checks.least_denominator_of_jump``, another configuration had given it, or ``allow_drift`` says that it is meant.

    Raises:
        QualityGateError: naming the first of what is wrong.
    """
    configuration, years = context.configuration, context.years
    context.record.progress("indicators: checking what is to be published")
    cells = newest_rows(context.store, configuration, years)
    wrong = out_of_bounds(check_sums(cells, configuration, years, _counted(counts, years)))
    if wrong:
        raise QualityGateError(_said("do not add up", wrong))
    if allow_drift:
        return
    wrong = out_of_bounds(_jumps(context, cells))
    if wrong:
        raise QualityGateError(
            _said("moved further than checks.largest_drift_between_runs allows, with the same configuration", wrong)
            + " Look into it; --allow-drift publishes them."
        )


def _jumps(context: RunContext, cells: pa.Table) -> list[Finding]:
    store, configuration, years = context.store, context.configuration, context.years
    least = configuration.settings.checks.least_denominator_of_jump
    published = Published.now(store)
    tables = rows_by_table(published, years).values() if published.release else []
    large = [rows.filter(pc.greater_equal(rows["denominator"], least)) for rows in tables]
    earlier = {key: value for rows in large for key, value in national_values(rows, configuration).items()}
    # Another configuration explains any difference.
    runs = {value.run_id for value in earlier.values()}
    comparable = {run_id for run_id in runs if _has_configuration(store, run_id, configuration.hashes)}
    earlier = {key: value for key, value in earlier.items() if value.run_id in comparable}
    if not earlier:
        return []
    now = national_values(cells, configuration)
    # Judge each year separately: `claimatlas check` compares it with the year before.
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


def _has_configuration(store: Store, run_id: str, hashes: Mapping[str, str]) -> bool:
    """Whether a known run used the configuration of these hashes."""
    run = find_run(store, run_id)
    return run is not None and run.record["hashes"] == hashes


def _counted(counts: Mapping[str, Mapping[str, int]], years: Sequence[int]) -> Counted:
    """The members of the populations that this run counted."""
    found = {(population, year): counted_members(counts, population, year) for population in STEPS for year in years}
    return {key: members for key, members in found.items() if members is not None}


def _said(what: str, wrong: Sequence[Finding]) -> str:
    others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"Nothing was published: figures {what}: {wrong[0].sentence}{others}"
