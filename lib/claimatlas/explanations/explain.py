"""Everything that is known of one published cell: its run, its flow from claim lines, what is inside it."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F

from claimatlas.cells.status import observes_until
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.snapshot import restored
from claimatlas.explanations.cell import Cell, CellKey, find_cell, recount
from claimatlas.ingest.marker import facts_of_silver
from claimatlas.runs.archive import PastRun, past_run
from claimatlas.sheets.facts import gather
from claimatlas.tables.schemas import ALL, CELL_DIMENSIONS, COMPARISONS
from claimatlas.tables.store import Store


def explain_cell(store: Store, key: CellKey) -> dict[str, Any]:
    """Explain a cell by its run's record and by counting its members again. Counts only, no person's data.

    Raises:
        InputError: there is no such cell.
    """
    cell = find_cell(store, key)
    run = past_run(store, cell.row["run_id"])
    with restored(run.configuration) as configuration:
        indicator = next(found for found in configuration.indicators if found.id == key.indicator)
        ingest = past_run(store, run.silver["run_id"])
        formed_by = None
        if indicator.population == "deliveries":
            formed_by = past_run(store, run.record["deliveries_run"][str(key.year)])
        again, why_not = _recounted(store, configuration, indicator, cell, run)
        return {
            "cell": cell.row,
            "table": cell.table.name,
            "indicator": {
                "names": indicator.names.model_dump(),
                "unit": indicator.unit,
                "observed_until": observes_until(indicator, key.year, configuration).isoformat(),
            },
            "comparison": _comparison(store, cell),
            "run": {name: run.record[name] for name in ("run_id", "job", "started_at", "package_version")},
            "claims": {
                "ingest_run": ingest.run_id,
                "input": ingest.record.get("input"),
                "input_versions": ingest.record.get("input_versions"),
                "as_of": ingest.record.get("as_of"),
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
            "flow": _flow(key.year, cell, run, ingest, formed_by),
            "in_this_cell": again,
            "no_recount_because": why_not,
            "other_readings": _other_readings(key.year, configuration, formed_by),
            "warnings": run.record["warnings"],
        }


def _recounted(
    store: Store, configuration: Configuration, indicator: Indicator, cell: Cell, run: PastRun
) -> tuple[dict[str, int] | None, str | None]:
    """What a count of today finds in the cell; or nothing and the reason, when it would not be of that run."""
    if facts_of_silver(store)["run_id"] != run.silver["run_id"]:
        return None, "silver has been replaced since by another ingest"
    counted = recount(store, configuration, indicator, cell.row)
    published = {name: cell.row[name] for name in ("numerator", "denominator") if cell.row[name] is not None}
    if any(counted[name] != value for name, value in published.items()):
        return None, "silver/deliveries has been computed since with another configuration"
    return counted, None


def _flow(
    year: int, cell: Cell, run: PastRun, ingest: PastRun, formed_by: PastRun | None
) -> list[tuple[str, int | None]]:
    """The counts from the claim lines to the cell, in their order."""
    lines = ingest.counts["ingest.claims"]
    steps: list[tuple[str, int | None]] = [
        ("claim lines read", lines["read"]),
        ("claim lines rejected", lines["rejected"]),
        ("claim lines accepted", lines["accepted"]),
    ]
    if formed_by is not None:
        formed = formed_by.counts["deliveries"]
        around = formed_by.counts["deliveries.services_around"]
        of_year = formed_by.counts.get(f"deliveries.{year}", {})
        steps += [
            ("delivery lines, all years", formed["claim_lines"]),
            ("delivery services, all years (lines added up)", formed["services"]),
            ("delivery services taken back", formed["services_taken_back"]),
            ("days with a delivery, all years", formed["delivery_days"]),
            (f"deliveries of {year}", of_year.get("deliveries", 0)),
            ("of which of nobody in the population of the year", of_year.get("not_in_population", 0)),
            (f"lines in the windows around the deliveries of {_years(formed_by)}", around["claim_lines"]),
            ("services in these windows (lines added up)", around["services"]),
            ("of which taken back", around["services_taken_back"]),
        ]
    else:
        counts = run.counts
        services = counts["beneficiary_services"]
        steps += [
            (f"lines with such a service in {_years(run)}", services["claim_lines"]),
            ("services (lines added up)", services["services"]),
            ("services taken back", services["services_taken_back"]),
            (
                f"lines of services of {year} that count",
                counts.get(f"beneficiary_services.{year}", {}).get("service_lines", 0),
            ),
            (
                "of which of nobody in the population of the year",
                counts.get(f"beneficiary_services.{year}.not_in_population", {}).get("service_lines", 0),
            ),
            (f"beneficiaries of {year}", counts.get(f"beneficiaries.{year}", {}).get("beneficiaries", 0)),
        ]
    return [
        *steps,
        ("denominator of this cell", cell.row["denominator"]),
        ("numerator of this cell", cell.row["numerator"]),
    ]


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


def _comparison(store: Store, cell: Cell) -> dict[str, Any] | None:
    row = cell.row
    if any(row[dimension] != ALL for dimension in CELL_DIMENSIONS) or not store.exists(COMPARISONS):
        return None
    same_place = [F.col(name) == row[name] for name in ("indicator_id", "year", "geo_level", "geo_code")]
    found = store.read(COMPARISONS)
    for condition in same_place:
        found = found.where(condition)
    rows = found.select("national_value", "comparison", "trend", "trend_z").collect()
    return rows[0].asDict() if rows else None
