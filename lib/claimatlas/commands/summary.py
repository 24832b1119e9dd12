"""The short summary at the end of a run: national values, rejected rows, where the tables are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tabulate import tabulate

from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import UNIT_SIGNS
from claimatlas.ingest.inputs import INPUT_TABLE_NAMES
from claimatlas.ingest.load.warnings import reasons_as_text
from claimatlas.runs.record import RunRecord
from claimatlas.tables.published import of_country, rows_by_table
from claimatlas.tables.releases import Published
from claimatlas.tables.schemas import COMPARISONS, RUNS
from claimatlas.tables.store import Store


@dataclass(frozen=True)
class Summary:
    """The summary of a run: ``text`` for a person, ``message`` with ``fields`` for a program."""

    text: str
    message: str
    fields: dict[str, Any]


def summary(store: Store, configuration: Configuration, years: Sequence[int], record: RunRecord) -> Summary:
    """The summary, in English. Values are unrounded in the fields."""
    values = _national_values(store, configuration, years) if years else []
    seconds = record.as_dict("done")["duration_seconds"]
    lines = ["", *_as_table(values, configuration), ""] if years else [""]
    lines += _rejected(record)
    lines += [f"Note: {sentence}" for sentence in record.warnings]
    lines += [
        "",
        f"Tables in {store.root}: {', '.join(map(store.called, (*store.cell_tables, COMPARISONS, RUNS)))}; "
        f"single records in {store.location.called('silver/*')}.",
    ]
    end = f"Run {record.run_id}, {seconds:.0f} s."
    fields = {
        "seconds": seconds,
        "years": list(years),
        "output": str(store.root),
        "national_values": values,
        "input_rows": {
            table: counts for table in INPUT_TABLE_NAMES if (counts := record.counts.get(f"ingest.{table}"))
        },
        "rejected_by_reason": {
            table: reasons
            for table in INPUT_TABLE_NAMES
            if (reasons := record.counts.get(f"ingest.{table}.rejected_by_reason"))
        },
        "warnings": record.warnings,
    }
    return Summary("\n".join([*lines, end]), end, fields)


def _national_values(store: Store, configuration: Configuration, years: Sequence[int]) -> list[dict[str, Any]]:
    level = configuration.settings.geography.country_level
    tables = rows_by_table(Published.now(store), years).values()
    rows = [row for cells in tables for row in of_country(cells, level).to_pylist()]
    units = {indicator.id: indicator.unit for indicator in configuration.indicators}
    return [
        {
            "indicator_id": row["indicator_id"],
            "year": row["year"],
            "unit": units[row["indicator_id"]],
            **{name: row[name] for name in ("value", "ci_low", "ci_high", "numerator", "denominator", "status")},
        }
        for row in sorted(rows, key=lambda row: (row["indicator_id"], row["year"]))
        if row["indicator_id"] in units
    ]


def _as_table(values: Sequence[dict[str, Any]], configuration: Configuration) -> list[str]:
    header = ("indicator", "year", "value", "", "95 % interval", "numerator", "denominator", "status")
    cells = [
        (
            row["indicator_id"],
            str(row["year"]),
            _number(row["value"], row["unit"]),
            UNIT_SIGNS[row["unit"]],
            "" if row["ci_low"] is None else f"{row['ci_low']:.3f} - {row['ci_high']:.3f}",
            _count(row["numerator"]),
            _count(row["denominator"]),
            row["status"],
        )
        for row in values
    ]
    sides = ("left", "left", "right", "left", "right", "right", "right", "left")
    lines = tabulate([header, *cells], tablefmt="plain", colalign=sides, disable_numparse=True).splitlines()
    language = configuration.settings.main_language
    names = {indicator.id: indicator.names.of(language) for indicator in configuration.indicators}
    return ["National values", *lines, "", *[f"  {name}: {title}" for name, title in sorted(names.items())]]


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if unit == "count" else f"{value:.3f}"


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _rejected(record: RunRecord) -> list[str]:
    lines = []
    for table in INPUT_TABLE_NAMES:
        counts = record.counts.get(f"ingest.{table}")
        if counts is None:
            continue
        share = 100 * counts["rejected"] / counts["read"] if counts["read"] else 0.0
        line = f"{table}: {counts['read']:,} rows read, {counts['rejected']:,} rejected ({share:.3f} %)"
        if "resent" in counts:
            line += f", {counts['resent']:,} sent before, {counts['superseded']:,} corrected"
        reasons = record.counts.get(f"ingest.{table}.rejected_by_reason", {})
        if reasons:
            examples = record.notes.get("rejected_examples", {}).get(table, {})
            line += f": {reasons_as_text(reasons, examples)}"
        lines.append(line)
        left_out = record.counts.get(f"ingest.{table}.left_out", {})
        if left_out:
            by_value = ", ".join(f"{value} {count:,}" for value, count in left_out.items())
            lines.append(f"  left out by the mapping: {by_value}")
    return lines
