"""Explain one published cell: its run, its flow from claim lines, its members."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from claimatlas.cells.status import NOT_COMPUTABLE, observes_until, why_not_computable
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.snapshot import restored
from claimatlas.deliveries import delivery_marker
from claimatlas.errors import InputError
from claimatlas.explanations.cell import (
    AROUND_THE_MEDIAN,
    Cell,
    CellKey,
    Counted,
    count_deliveries,
    find_cell,
    run_behind,
)
from claimatlas.ingest.silver_marker import facts_of_silver
from claimatlas.runs.archive import PastRun, find_runs, past_run
from claimatlas.sheets.facts import gather
from claimatlas.tables.reader import Reader, named
from claimatlas.tables.releases import AnyReader, Published
from claimatlas.tables.schemas import ALL, COMPARISONS, deliveries_table

CountBeneficiaries = Callable[[Configuration, Indicator, Mapping[str, Any]], Counted]
"""Counts the beneficiary-years of a published cell again."""


def explain_cell(reader: Reader, key: CellKey, count_beneficiaries: CountBeneficiaries | None = None) -> dict[str, Any]:
    """Explain a cell by its run's record and by counting its members again. Counts only, no person's data.

    ``count_beneficiaries``: what counts a cell of beneficiary-years again; without it they are not counted.

    Raises:
        InputError: there is no such cell.
    """
    published = Published.now(reader)
    run = past_run(reader, run_behind(published, key))
    with restored(run.configuration) as configuration:
        cell = find_cell(published, key, configuration)
        indicator = next(found for found in configuration.indicators if found.id == key.indicator)
        runs = find_runs(reader, _runs_before(run, key.year))
        ingest = runs.get(run.silver["run_id"])
        formed_by = None
        if indicator.population == "deliveries":
            formed_by = runs.get(run.record["deliveries_run"][str(key.year)])
        again, why_not = _recounted(reader, _Origin(configuration, indicator, cell, run), count_beneficiaries)
        return {
            "cell": cell.row,
            "table": cell.table.name,
            "indicator": {
                "names": indicator.names.by_language,
                "unit": indicator.unit,
                "observed_until": observes_until(indicator, key.year, configuration).isoformat(),
            },
            "standard": _standard(indicator, configuration),
            "no_value_because": _why_no_value(indicator, cell.row),
            "comparison": _comparison(published, cell, configuration),
            "run": {name: run.record[name] for name in ("run_id", "job", "started_at", "package_version")},
            "claims": {
                "ingest_run": run.silver["run_id"],
                "input": ingest.record.get("input") if ingest else None,
                "input_versions": ingest.record.get("input_versions") if ingest else None,
                "as_of": ingest.record.get("as_of") if ingest else None,
                "first_service_date": run.silver["first_service_date"],
                "last_service_date": run.silver["last_service_date"],
                "complete_through": run.record["complete_through"],
                "versions": run.silver["versions"],
            },
            "configuration": {
                "hashes": run.record["hashes"],
                "settings": run.record["settings"],
                "code_lists": {used.codes.name: used.sha256 for used in gather(indicator, configuration).code_lists},
            },
            "not_computable_because": why_not_computable(
                indicator, configuration, has_stays="hospital_stays" in run.silver["tables"]
            ),
            "flow": [*_read(runs, run), *_formed(key.year, indicator, run, formed_by), *_counted(cell)],
            "in_this_cell": again,
            "no_recount_because": why_not,
            "other_readings": _other_readings(key.year, configuration, formed_by),
            "warnings": run.record["warnings"],
        }


def _standard(indicator: Indicator, configuration: Configuration) -> dict[str, Any] | None:
    """The population that the cell is standardised to; ``None`` of another indicator."""
    if indicator.standardised is None:
        return None
    standard = configuration.standards[indicator.standardised]
    return {
        "name": indicator.standardised,
        "names": standard.names.by_language,
        "source": standard.source,
        "dimension": standard.dimension,
        "weights": standard.weights,
    }


def _why_no_value(indicator: Indicator, row: Mapping[str, Any]) -> str | None:
    """Why a cell has no value; ``None`` when it has one."""
    if row["value"] is not None:
        return None
    if row["status"] == NOT_COMPUTABLE:
        return "it is not computable"
    if row["denominator"] and indicator.standardised is not None:
        return f"nobody is in one of the strata of {indicator.standardised} that have a weight"
    return "nobody is counted in it"


def _runs_before(run: PastRun, year: int) -> set[str]:
    """The runs that took its silver in and formed its deliveries of a year."""
    formed_by = run.record.get("deliveries_run", {}).get(str(year))
    return {run.silver["run_id"], *_batches(run)} | ({formed_by} if formed_by else set())


def _batches(run: PastRun) -> list[str]:
    """The runs that brought the data of its silver, in order."""
    found: list[str] = run.silver.get("batches", [run.silver["run_id"]])
    return found


@dataclass(frozen=True)
class _Origin:
    """What a published cell comes from: its run, with the run's configuration and the indicator in it."""

    configuration: Configuration
    indicator: Indicator
    cell: Cell
    run: PastRun


def _recounted(
    reader: Reader, origin: _Origin, count_beneficiaries: CountBeneficiaries | None
) -> tuple[Counted | None, str | None]:
    """Count the cell again today. Gives ``None`` and the reason if the tables are no longer those of the run."""
    configuration, indicator, cell = origin.configuration, origin.indicator, origin.cell
    why_not = _why_not_counted(reader, origin)
    if why_not is not None:
        return None, why_not
    if indicator.population == "deliveries":
        counted = count_deliveries(reader, configuration, indicator, cell.row)
    elif count_beneficiaries is not None:
        counted = count_beneficiaries(configuration, indicator, cell.row)
    else:
        return (
            None,
            "beneficiaries are counted in all of silver, which takes Spark and minutes: ask for it by --recount",
        )
    return _checked(origin, counted)


def _why_not_counted(reader: Reader, origin: _Origin) -> str | None:
    """Why silver is no longer that of the run; ``None`` if it is."""
    indicator = origin.indicator
    try:
        ingest = facts_of_silver(reader)["run_id"]
    except InputError:
        return "silver is not whole: an ingest did not finish"
    if ingest != origin.run.silver["run_id"]:
        return "another ingest has replaced silver or added to it since"
    year = origin.cell.row["year"]
    if (
        indicator.population != "deliveries"
        or delivery_marker.origins(reader, deliveries_table(origin.configuration), [year])[year]
    ):
        return None
    return f"silver/deliveries of {year} is not whole: a run replaces it, or died in it"


def _checked(origin: _Origin, counted: Counted) -> tuple[Counted | None, str | None]:
    """Compare today's count with the published one. Gives ``None`` and the reason if they differ."""
    configuration, indicator, cell = origin.configuration, origin.indicator, origin.cell
    published = {name: cell.row[name] for name in ("numerator", "denominator")}
    not_computed = [flag for flag in indicator.numerator.flags if counted[flag] is None]
    if published["numerator"] is not None and counted["numerator"] is None:
        what = f"{', '.join(not_computed)} {'is' if len(not_computed) == 1 else 'are'} not computed"
        return None, f"{what} in silver/deliveries, which another configuration has formed since"
    if any(value is not None and counted[name] != value for name, value in published.items()):
        changed = (
            "silver/deliveries has been computed" if indicator.population == "deliveries" else "the program was changed"
        )
        return None, f"{changed} since, and a count of today differs"
    below, _, above = (counted.get(name) or 0 for name in AROUND_THE_MEDIAN)
    if 2 * max(below, above) > (counted["denominator"] or 0):
        return None, "the published value is no median of the members any more"
    # A count that could not be computed is not zero.
    unknown = [name for name, value in published.items() if value is None]
    unknown += [flag for flag in configuration.services.delivery_flags if configuration.empty_code_lists_of_flag(flag)]
    return counted | {name: None for name in unknown if name in counted}, None


_Steps = list[tuple[str, int | None]]


def _read(runs: Mapping[str, PastRun], run: PastRun) -> _Steps:
    """The claim lines of every batch together; a run may have failed later, and have left no record."""
    deliveries = [runs.get(run_id) for run_id in _batches(run)]
    counts = [found.counts["ingest.claims"] for found in deliveries if found and "ingest.claims" in found.counts]
    if None in deliveries or not counts:
        return []
    lines = Counter[str]()
    for of_delivery in counts:
        lines.update(of_delivery)
    steps: _Steps = [("claim lines read", lines["read"]), ("claim lines rejected", lines["rejected"])]
    if len(deliveries) > 1:
        steps += [("claim lines sent before", lines["resent"]), ("claim lines corrected later", lines["superseded"])]
    return [*steps, ("claim lines accepted", lines["accepted"] - lines["superseded"])]


def _formed(year: int, indicator: Indicator, run: PastRun, formed_by: PastRun | None) -> _Steps:
    if indicator.population != "deliveries":
        return _formed_beneficiaries(year, run)
    return _formed_deliveries(year, formed_by) if formed_by else []


def _formed_deliveries(year: int, formed_by: PastRun) -> _Steps:
    formed = formed_by.counts["deliveries"]
    around = formed_by.counts["deliveries.services_around"]
    of_year = formed_by.counts.get(f"deliveries.{year}", {})
    return [
        ("delivery lines, all years", formed["claim_lines"]),
        ("delivery services, all years (lines added up)", formed["services"]),
        ("delivery services taken back", formed["services_taken_back"]),
        ("days with a delivery, all years", formed["delivery_days"]),
        (f"deliveries of {year}", of_year.get("deliveries", 0)),
        ("of which of a person not in the population of the year", of_year.get("not_in_population", 0)),
        (f"lines in the windows around the deliveries of {_years(formed_by)}", around["claim_lines"]),
        ("services in these windows (lines added up)", around["services"]),
        ("of which taken back", around["services_taken_back"]),
    ]


def _formed_beneficiaries(year: int, run: PastRun) -> _Steps:
    counts = run.counts
    services = counts["beneficiary_services"]
    of_year = counts.get(f"beneficiary_services.{year}", {})
    ignored = counts.get(f"beneficiary_services.{year}.not_in_population", {})
    return [
        (f"lines with such a service in {_years(run)}", services["claim_lines"]),
        ("services (lines added up)", services["services"]),
        ("services taken back", services["services_taken_back"]),
        (f"lines of services of {year} that count", of_year.get("service_lines", 0)),
        ("of which of a person not in the population of the year", ignored.get("service_lines", 0)),
        (f"beneficiaries of {year}", counts.get(f"beneficiaries.{year}", {}).get("beneficiaries", 0)),
    ]


def _counted(cell: Cell) -> _Steps:
    return [(f"{name} of this cell", cell.row[name]) for name in ("denominator", "numerator")]


def _years(run: PastRun) -> str:
    return ", ".join(map(str, run.record["years"]))


def _other_readings(year: int, configuration: Configuration, formed_by: PastRun | None) -> dict[str, int]:
    """National counts of the year under each reading that the settings choose between."""
    if formed_by is None:
        return {}
    counts = formed_by.counts
    readings = {
        f"deliveries with episode_rule={rule}": counts.get(f"deliveries.episodes_{rule}", {}).get(str(year), 0)
        for rule in ("chained", "anchored")
    }
    of_year = counts.get(f"deliveries.{year}", {})
    for name, group in configuration.services.contact_groups.items():
        for setting, by_value in group.code_lists_by_setting.items():
            readings |= {
                f"deliveries with a contact of the group {name} with {setting}={value}": of_year.get(
                    f"contact_{name}_{value}", 0
                )
                for value in by_value
            }
    return readings


def _comparison(published: Published[AnyReader], cell: Cell, configuration: Configuration) -> dict[str, Any] | None:
    row = cell.row
    if any(row[dimension] != ALL for dimension in configuration.dimensions.names):
        return None
    same_place = {name: row[name] for name in ("indicator_id", "year", "geo_level", "geo_code")}
    rows = published.rows(COMPARISONS, named("national_value", "comparison", "trend", "trend_z"), same_place)
    return rows[0] if rows else None
