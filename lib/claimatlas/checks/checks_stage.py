"""All checks on an output: measure its tables, and judge the figures by the bounds of the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from claimatlas.cells.standardised import rates_not_known
from claimatlas.checks.claims import ALL_LINES, MONTHS_OF_RUN_OUT, code_groups, lines_by_month
from claimatlas.checks.completeness import judge_completeness
from claimatlas.checks.domicile import beneficiaries_by_domicile, by_domicile, judge_domicile
from claimatlas.checks.drift import NationalKey, NationalValue, judge_drift
from claimatlas.checks.findings import Finding
from claimatlas.checks.gold import check_sums, national_values
from claimatlas.checks.input import judge_input
from claimatlas.checks.past import recorded_counts, recorded_members, replaced_values
from claimatlas.checks.runout import judge_run_out
from claimatlas.configuration import Configuration
from claimatlas.errors import InputError
from claimatlas.ingest.silver_marker import facts_of_silver
from claimatlas.runs.context import SilverFacts
from claimatlas.tables.published import rows_by_table
from claimatlas.tables.releases import Published
from claimatlas.tables.schemas import CLAIMS, POPULATION, Table, deliveries_table
from claimatlas.tables.store import Store

Months = dict[tuple[int, int], dict[str, Any]]
"""The rows of ``lines_by_month``, by year and month."""
NationalByTable = dict[Table, dict[NationalKey, NationalValue]]


@dataclass(frozen=True)
class Checked:
    """The findings on an output in some years, and what could not be checked."""

    years: tuple[int, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def check_store(store: Store, configuration: Configuration, years: Sequence[int]) -> Checked:
    """Judge the silver and gold of ``years``; without years, of every year that they hold. Reads only.

    Raises:
        InputError: there is no table, a year is in none, or an ingest did not finish.
    """
    cells = rows_by_table(Published.now(store))
    has_silver = store.exists(CLAIMS)
    if not (cells or has_silver):
        raise InputError(f"There are no tables to check in {store.root}: run the main job first.")
    facts = facts_of_silver(store) if has_silver else {}
    months = _months(store, configuration) if has_silver else {}
    national: NationalByTable = {table: dict(national_values(found, configuration)) for table, found in cells.items()}
    in_gold = {year for values in national.values() for (_, _, year) in values}
    there = in_gold | {year for year, _ in months}
    missing = sorted(set(years) - there)
    if missing:
        raise InputError(
            f"There are neither claims nor cells of {', '.join(map(str, missing))} in {store.root}; it holds "
            f"{', '.join(map(str, sorted(there))) or 'no year'}."
        )
    judged = tuple(sorted(set(years) or there))
    findings, notes = _check_gold(store, configuration, cells, national, [year for year in judged if year in in_gold])
    if has_silver:
        findings += _check_silver(store, configuration, months, facts, judged)
    else:
        notes.append("There is no silver: completeness, domiciles and run-out are not checked.")
    return Checked(judged, tuple(findings), tuple(notes))


def _check_gold(
    store: Store,
    configuration: Configuration,
    cells: Mapping[Table, pa.Table],
    national: NationalByTable,
    years: Sequence[int],
) -> tuple[list[Finding], list[str]]:
    if not years:
        return [], ["There are no cells of these years: sums and drift are not checked."]
    findings: list[Finding] = []
    drift: list[Finding] = []
    notes: list[str] = []
    everywhere = {key: value for values in national.values() for key, value in values.items()}
    for year, run in recorded_counts(store, everywhere, years).items():
        findings += judge_input(run.counts, SilverFacts.of(run.silver), [year], configuration)
    for table, values in national.items():
        counted = recorded_members(store, configuration, values, years)
        findings += check_sums(cells[table], configuration, years, counted)
        replaced, not_kept = replaced_values(store, table, configuration, values, years)
        drift += judge_drift(values, replaced, years, configuration.settings.checks)
        notes += not_kept
        notes += rates_not_known(cells[table], configuration, years)
    published = {indicator for values in national.values() for (indicator, _, _) in values}
    undeclared = sorted(published - {indicator.id for indicator in configuration.indicators})
    if undeclared:
        notes.append(f"The configuration does not declare {', '.join(undeclared)}: their sums are not checked.")
    return findings + drift, notes


def _check_silver(
    store: Store, configuration: Configuration, months: Months, facts: dict[str, Any], years: Sequence[int]
) -> list[Finding]:
    bounds = configuration.settings.checks
    findings: list[Finding] = []
    if facts["first_service_date"] and facts["last_service_date"]:
        span = date.fromisoformat(facts["first_service_date"]), date.fromisoformat(facts["last_service_date"])
        groups = [ALL_LINES, *code_groups(configuration)]
        by_group = {month: row["groups"] for month, row in months.items()}
        findings += judge_completeness(by_group, groups, span, years, bounds)
    beneficiaries = beneficiaries_by_domicile(store.read(POPULATION), configuration, years)
    counted = {"beneficiaries": beneficiaries}
    deliveries = deliveries_table(configuration)
    if store.exists(deliveries):
        counted["deliveries"] = by_domicile(store.read(deliveries))
    for population, by_year in counted.items():
        counts = {row["year"]: (row["members"], row["unknown"]) for row in by_year.collect()}
        findings += judge_domicile(population, counts, years, bounds)
    findings += judge_run_out(_by_year(months), years, bounds)
    return findings


def _months(store: Store, configuration: Configuration) -> Months:
    rows = lines_by_month(store.read(CLAIMS), configuration).collect()
    return {(row["year"], row["month"]): row.asDict() for row in rows}


def _by_year(months: Months) -> dict[int, dict[str, int]]:
    """The counts of each year of service that the run-out is judged by."""
    names = ("booked", *[f"after_{months_after}" for months_after in MONTHS_OF_RUN_OUT])
    found: dict[int, dict[str, int]] = {}
    for (year, _), row in months.items():
        of_year = found.setdefault(year, {"lines": 0, **dict.fromkeys(names, 0)})
        of_year["lines"] += row["groups"][ALL_LINES]
        for name in names:
            of_year[name] += row[name]
    return found
