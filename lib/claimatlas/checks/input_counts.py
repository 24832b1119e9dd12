"""Count what is odd in silver beyond single rows: for the run record, and for the judgement of the input."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.checks.contacts import contacts_by_year, judged_groups
from claimatlas.checks.people import people_by_year
from claimatlas.checks.spellings import MAX_LINES, RowsLookedAt, hospitals_by_year, is_of_part
from claimatlas.claims.netting import code_lists_of_indicator_lines, has_any_code
from claimatlas.deliveries.contacts import code_lists_around, years_of_windows
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.spark.questions import ask
from claimatlas.tables.schemas import CLAIMS, HOSPITAL_STAYS

OF_PEOPLE, OF_HOSPITALS, OF_CONTACTS = "people", "hospitals", "contact_lines"
"""The steps of a run record, each with a full stop and the year."""


def count_input(context: RunContext, silver: SilverFacts) -> None:
    """Count people, hospitals and contacts by year, in the record as ``people.<year>`` and the like.

    Above a number of claim lines only a sample of the people is looked at.
    """
    rows, configuration = _rows_looked_at(context, silver), context.configuration
    questions: dict[str, DataFrame] = {
        OF_PEOPLE: people_by_year(context, silver, rows),
        OF_HOSPITALS: hospitals_by_year([rows.claims, rows.stays]),
    }
    if judged_groups(configuration):
        questions[OF_CONTACTS] = contacts_by_year(rows.claims, configuration)
    for name, found in ask(questions).items():
        for of_year in found:
            context.record.count(f"{name}.{of_year.pop('year')}", of_year)
    if rows.parts > 1:
        context.record.note("people_looked_at", f"1 of {rows.parts}")


def _rows_looked_at(context: RunContext, silver: SilverFacts) -> RowsLookedAt:
    store, configuration, years = context.store, context.configuration, list(context.years)
    lines, near = silver.lines_by_year or {}, years_of_windows(configuration.settings, years)
    parts = -(-max([lines.get(year, 0) for year in near], default=0) // MAX_LINES) or 1
    lists = [*code_lists_of_indicator_lines(configuration), *code_lists_around(configuration)]
    is_read = F.col("year").isin(near) & has_any_code(configuration, lists)
    claims = store.read(CLAIMS).where(is_read & is_of_part(parts))
    stays = store.read(HOSPITAL_STAYS).where(F.col("year").isin(years) & is_of_part(parts))
    return RowsLookedAt(claims, stays, parts)
