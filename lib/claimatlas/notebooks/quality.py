"""The quality of the data for a notebook: counts of rows, and the findings of the checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.checks.checks_stage import Checked
from claimatlas.checks.findings import Finding, out_of_bounds
from claimatlas.ingest.inputs import INPUT_TABLE_NAMES
from claimatlas.ingest.silver_marker import facts_of_silver
from claimatlas.runs.archive import find_run
from claimatlas.tables.schemas import BATCH
from claimatlas.tables.store import Store

RECEIVED = (
    "batch int, run_id string, table string, read long, accepted long, rejected long, resent long, superseded long"
)
"""The columns of ``rows_received``."""
MEASURED = "what string, percent double, allowed double, within boolean, cases long"
"""The columns of ``measured``."""


def rows_received(store: Store) -> list[dict[str, Any]]:
    """What became of the rows of each batch into silver: one row per batch and table, from its record.

    ``resent`` and ``superseded`` are of later batches; a batch whose run failed after it has left no record.

    Raises:
        InputError: there is no silver, or it is not whole.
    """
    facts = facts_of_silver(store)
    received = []
    for number, run_id in enumerate(facts.get("batches", [facts["run_id"]]), start=1):
        run = find_run(store, run_id)
        for table in INPUT_TABLE_NAMES:
            counts = run.counts.get(f"ingest.{table}") if run else None
            if counts is not None:
                names = ("read", "accepted", "rejected", "resent", "superseded")
                figures = {name: counts.get(name, 0) for name in names}
                received.append({"batch": number, "run_id": run_id, "table": table, **figures})
    return received


def rejected_by_reason(rejected: DataFrame) -> DataFrame:
    """How many rows of ``silver/rejected`` have each reason: one row per ``table`` and ``reason``, with ``rows``.

    A row with several reasons counts for each.
    """
    reasons = rejected.select("table", F.explode("reasons").alias("reason"))
    return reasons.groupBy("table", "reason").agg(F.count(F.lit(1)).alias("rows")).orderBy("table", F.desc("rows"))


def lines_by_batch(claims: DataFrame) -> DataFrame:
    """How many accepted claim lines of each year of service each batch brought."""
    lines = claims.groupBy("year", BATCH).agg(F.count(F.lit(1)).alias("lines"))
    return lines.orderBy("year", BATCH)


def by_month(findings: Iterable[Finding], year: int | None) -> dict[tuple[str, int], float]:
    """The judged months of a year: each code group's lines as a share of what they were in the earlier years."""
    return {
        (str(finding.subject["group"]), int(finding.subject["month"] or 0)): finding.measured or 0.0
        for finding in findings
        if finding.subject["year"] == year
    }


def measured(findings: Iterable[Finding], check: str, named_by: Iterable[str]) -> list[dict[str, Any]]:
    """The figures of a check, in %, with what is allowed; ``named_by``: the parts of their subject that name them."""
    names = list(named_by)
    return [
        {
            "what": ", ".join(str(finding.subject[name]) for name in names),
            "percent": None if finding.measured is None else 100 * finding.measured,
            "allowed": None if finding.bound is None else 100 * finding.bound,
            "within": finding.ok,
            "cases": finding.cases,
        }
        for finding in findings
        if finding.check == check
    ]


def sentences(checked: Checked) -> list[tuple[str, str]]:
    """What is beyond its bound, in a sentence each, with its check; then what could not be checked."""
    wrong = [(finding.check, finding.sentence) for finding in out_of_bounds(checked.findings)]
    return wrong + [("not checked", note) for note in checked.notes]
