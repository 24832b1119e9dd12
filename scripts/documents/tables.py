"""Blocks of the input contract and of the tables, from their schemas."""

from claimatlas.configuration.settings import CellTables
from claimatlas.ingest.contract import SPANS_INPUT, InputTable, input_tables, with_sources
from claimatlas.tables import schemas
from claimatlas.tables.schemas import Column, Table, cell_tables, configured, deliveries_table, releases_table

from scripts.documents.markdown import anchor, code, table
from scripts.documents.method import configuration

_KINDS = {
    "text": "text",
    "date": "date",
    "integer": "whole number",
    "code": "whole number of six digits",
    "boolean": "boolean",
    "sex": "sex",
    "word": "text or whole number",
}
_OF_INPUT = {
    "claims": {
        "service_date": "gives the year of the line",
        "booking_date": "decides between lines of one `claim_id`",
        "provider_id": "part of what a correction takes back",
    },
    "population": {"year": "the reference year of the row"},
    "spans": {"end_date": "included"},
    "hospital_stays": {"discharge_date": "gives the year of the stay"},
}
"""What the schema of silver does not say of a column of the input."""


def input_table(name: str) -> str:
    """The columns of an input table: what they hold and whether a row needs them; which of several rows stays.

    ``spans``: those of a population of spans of enrolment.
    """
    declared = {candidate.name: candidate for candidate in input_tables(configuration())}
    found = {"spans": with_sources(SPANS_INPUT, configuration()), **declared}[name]
    meanings = {column.name: column.comment for column in found.silver.columns}
    rows = [
        (
            code(column.name),
            _KINDS[column.kind],
            "yes" if column.required else "no",
            "; ".join(part for part in (meanings.get(column.name, ""), _OF_INPUT[name].get(column.name, "")) if part),
        )
        for column in found.columns
    ]
    return "\n\n".join([table(("column", "holds", "required", "meaning"), rows), _uniqueness(found)])


def _uniqueness(found: InputTable) -> str:
    if not found.key:
        return "Rows are not compared with each other."
    order = ", ".join(
        f"{code(name.removeprefix('-'))} (latest first)" if name.startswith("-") else code(name)
        for name in found.preference
    )
    return (
        f"Key: {', '.join(map(code, found.key))}. Of several sound rows with one key the first stays, in the order of "
        f"{order}; nulls come last. The others are rejected as `{found.duplicate_reason}`."
    )


def tables(layer: str) -> str:
    """Every table of ``silver`` or ``gold``: grain, columns, partitions, constraints."""
    cells = cell_tables(configuration().settings.tables or CellTables())
    renamed = (schemas.BENEFICIARY_CELLS, schemas.DELIVERY_CELLS, schemas.RELEASES)
    bare = [value for value in vars(schemas).values() if isinstance(value, Table) and value not in renamed]
    bare += [*cells, releases_table(cells)]
    found = {table.name: configured(table, configuration()) for table in bare}
    found |= {(deliveries := deliveries_table(configuration())).name: deliveries}
    chosen = [found[name] for name in sorted(found) if name.startswith(f"{layer}/")]
    return "\n\n".join(_table(each) for each in chosen)


def _table(found: Table) -> str:
    rows = [_column(column, found) for column in found.columns]
    parts = [
        f"{anchor(found.name.replace('/', '-'))}\n\n### `{found.name}`",
        found.comment,
        table(("column", "type", "null", "meaning"), rows),
    ]
    if found.partitioned_by:
        parts.append(f"Partitioned by {', '.join(map(code, found.partitioned_by))}.")
    if found.constraints:
        parts.append("Constraints: " + "; ".join(f"`{name}`: `{rule}`" for name, rule in found.constraints) + ".")
    return "\n\n".join(parts)


def _column(column: Column, found: Table) -> tuple[str, str, str, str]:
    is_there = column.required or column.name in found.partitioned_by or column.name in _made_sure_of(found)
    return code(column.name), column.type, "no" if is_there else "yes", column.comment


def _made_sure_of(found: Table) -> set[str]:
    """The columns of a silver table that an ingest fills in every row, although the table would take a null."""
    for given in input_tables(configuration()):
        if given.silver.name == found.name:
            optional = {column.name for column in given.columns if not column.required}
            return set(found.column_names) - optional
    return set()
