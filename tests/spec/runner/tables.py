"""Small text tables: a line of names, then a line a row, fields between bars."""

import json

Row = dict[str, str | None]

NOTE = "note"
"""A column for remarks: it may stand in every table and is never read."""


def parse_table(text: str, allowed: tuple[str, ...], where: str) -> list[Row]:
    """The rows of a table. An empty field is null; text in double quotes keeps its spaces.

    Lines that are empty or start with # are left out.

    Raises:
        ValueError: an unknown or repeated column, or a row with another number of fields.
    """
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise ValueError(f"{where}: the table has no line of column names")
    names = [name.strip() for name in lines[0].split("|")]
    unknown = [name for name in names if name not in (*allowed, NOTE)]
    if unknown:
        raise ValueError(f"{where}: unknown column {', '.join(map(repr, unknown))}; there are {', '.join(allowed)}")
    if len(set(names)) != len(names):
        raise ValueError(f"{where}: a column stands twice")
    rows: list[Row] = []
    for line in lines[1:]:
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != len(names):
            raise ValueError(f"{where}: {len(fields)} fields instead of {len(names)} in the row {line!r}")
        values = {name: _value(field) for name, field in zip(names, fields, strict=True)}
        values.pop(NOTE, None)
        rows.append(values)
    return rows


def _value(field: str) -> str | None:
    if field.startswith('"'):
        return str(json.loads(field))
    return field or None


def show_table(rows: list[Row]) -> str:
    """Rows as such a table again, for messages."""
    if not rows:
        return "    (no rows)"
    names = list(rows[0])
    lines = [names, *[[_shown(row.get(name)) for name in names] for row in rows]]
    widths = [max(len(line[position]) for line in lines) for position in range(len(names))]
    return "\n".join(
        "    " + " | ".join(field.ljust(width) for field, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _shown(value: str | None) -> str:
    return "" if value is None else value
