"""History behind published cells: the values they replaced, and the population totals of their runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from claimatlas.checks.drift import National, NationalKey, NationalValue
from claimatlas.checks.gold import national_values
from claimatlas.checks.sums import Members
from claimatlas.configuration import Configuration
from claimatlas.runs.archive import PastRun, find_run
from claimatlas.spark.errors import SPARK_ERRORS, is_no_longer_kept
from claimatlas.tables.schemas import RUNS, Table
from claimatlas.tables.store import Store

STEPS = {"beneficiary_years": "beneficiaries", "deliveries": "deliveries"}
"""For each population, the step of a run record that counts its members, and the name of the count."""


def replaced_values(
    store: Store, table: Table, configuration: Configuration, now: National, years: Sequence[int]
) -> tuple[dict[NationalKey, NationalValue], list[str]]:
    """The country's values that the runs behind ``now`` replaced in ``years``; none for a year's first run.

    Gives notes too: of versions that are no longer kept.
    """
    runs = store.runs_by_version(table)
    first_version = {run: version for version, run in sorted(runs.items(), reverse=True)}
    years_before: dict[int, set[int]] = defaultdict(set)
    for (_, _, year), value in now.items():
        if year in years and any(version < first_version.get(value.run_id, 0) for version in runs):
            years_before[first_version[value.run_id] - 1].add(year)
    found: dict[NationalKey, NationalValue] = {}
    notes = []
    for version, replaced in sorted(years_before.items()):
        try:
            found |= national_values(store.arrow(table, version, sorted(replaced)), configuration)
        except SPARK_ERRORS as error:
            if not is_no_longer_kept(error):
                raise
            there = ", ".join(map(str, sorted(replaced)))
            notes.append(f"{table.name} version {version} is no longer kept: {there} cannot be compared with it.")
    return found, notes


def counted_members(counts: Mapping[str, Mapping[str, int]], population: str, year: int) -> Members | None:
    """The members of a population and year by a run record; ``None`` where the run did not count them."""
    step = STEPS[population]
    of_year = counts.get(f"{step}.{year}", {})
    if "domicile_unknown" not in of_year:
        return None
    return Members(of_year[step], of_year["domicile_unknown"])


def recorded_counts(store: Store, now: National, years: Sequence[int]) -> dict[int, PastRun]:
    """For each year the run behind its cells, with the counts of the run that formed its deliveries beside its own."""
    if not store.exists(RUNS):
        return {}
    found: dict[int, PastRun] = {}
    for (_, _, year), value in sorted(now.items()):
        if year not in years or year in found:
            continue
        run = find_run(store, value.run_id)
        if run is None:
            continue
        formed_by = run.record.get("deliveries_run", {}).get(str(year))
        other = find_run(store, formed_by) if formed_by and formed_by != value.run_id else None
        found[year] = run if other is None else replace(run, record={**run.record, "counts": other.counts | run.counts})
    return found


def recorded_members(
    store: Store, configuration: Configuration, now: National, years: Sequence[int]
) -> dict[tuple[str, int], Members]:
    """The members of each population and year when they were counted, by the run records."""
    if not store.exists(RUNS):
        return {}
    populations = {indicator.id: indicator.population for indicator in configuration.indicators}
    records: dict[str, PastRun | None] = {}

    def record(run_id: str) -> PastRun | None:
        if run_id not in records:
            records[run_id] = find_run(store, run_id)
        return records[run_id]

    found: dict[tuple[str, int], Members] = {}
    for (indicator, _, year), value in now.items():
        population = populations.get(indicator)
        if population is None or year not in years or (population, year) in found:
            continue
        run = record(value.run_id)
        if population == "deliveries":
            # The deliveries that an indicators job counts may come from another run.
            formed_by = run.record.get("deliveries_run", {}).get(str(year)) if run else None
            run = record(formed_by) if formed_by else None
        members = counted_members(run.counts, population, year) if run else None
        if members is not None:
            found[population, year] = members
    return found
