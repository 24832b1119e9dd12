"""Find the sender's columns for ours, as the mapping names them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from claimatlas.configuration.mappings import FILE_NAME, Mapping
from claimatlas.errors import InputError
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.read.csv_rows import CORRUPT, SOURCE_FILE
from claimatlas.ingest.validate.parsing import WORDS


def check_mapping(mapping: Mapping, tables: tuple[InputTable, ...]) -> None:
    """Refuse a mapping that names an unknown column, or declares for a column what does not suit its kind.

    Raises:
        InputError: naming the column.
    """
    for table in tables:
        declared = mapping.table(table.name)
        kinds: dict[str, str] = {column.name: column.kind for column in table.columns}
        # A code that is text is written as text is.
        kinds |= {column.name: "text" for column in table.columns if column.codes and not column.codes.are_numbers}
        for name in (*declared.columns, *declared.unpivot):
            if name not in kinds:
                raise InputError(f"The mapping's table {table.name} has no column {name!r}.")
        for name, source in declared.columns.items():
            for key, wanted in (("format", ("date",)), ("pad", ("text", "word"))):
                if getattr(source, key) is not None and kinds[name] not in wanted:
                    raise InputError(f"The mapping's {table.name}.{name}: {key} is for a {wanted[0]}, which it is not.")
            if source.values and kinds[name] == "date":
                raise InputError(
                    f"The mapping's {table.name}.{name}: a date has no values; see date_sentinels in settings.yaml."
                )
            words = WORDS.get(kinds[name])
            if words and set(source.values) - set(words):
                raise InputError(f"The mapping's {table.name}.{name}: its values are {' and '.join(sorted(words))}.")


def columns_among(
    names: Sequence[str], table: InputTable, mapping: Mapping, *, has_header: bool = True
) -> dict[str, tuple[str, ...] | None]:
    """The sender's columns for each of ours, ``None`` for an optional one that is absent; none of a constant.

    ``names``: the sender's columns; ``has_header``: whether they are names for certain, and no row of a file.

    Raises:
        InputError: naming every required column that is missing, and what is there instead.
    """
    declared = mapping.table(table.name)
    there = {name.lower(): name for name in names}
    there.setdefault(FILE_NAME, FILE_NAME)
    found: dict[str, tuple[str, ...] | None] = {}
    missing: list[str] = []

    def look_for(wanted: Sequence[str]) -> tuple[str, ...] | None:
        present = tuple(there[name.lower()] for name in wanted if name.lower() in there)
        return present if len(present) == len(wanted) else None

    for column in table.columns:
        if column.name in declared.unpivot:
            wanted = declared.unpivot[column.name]
            found[column.name] = look_for(wanted)
            missing += [name for name in wanted if name.lower() not in there]
            continue
        source = declared.source(column.name)
        present = look_for(source.names)
        if present is None and source.constant is not None:
            present = ()
        found[column.name] = present
        if present is None and (column.required or source.join):
            missing += [name for name in source.names if name.lower() not in there]
    missing += [name for name in declared.keep if name.lower() not in there]
    if missing:
        # Without a header, the first line of a CSV file is a person's row, which no message may show.
        is_header = has_header or any(found.values())
        has = f"it has {', '.join(names)}" if is_header else "is its first line a header?"
        raise InputError(
            f"{table.name}: the input has no column {', '.join(dict.fromkeys(missing))} ({has}); "
            "name the sender's columns in a mapping and choose it with --set mapping=NAME or --mapping FILE."
        )
    return found


def find_columns(raw: DataFrame, table: InputTable, mapping: Mapping) -> dict[str, tuple[str, ...] | None]:
    """The sender's columns for each of ours among those of raw rows, as ``columns_among`` finds them."""
    names = [name for name in raw.columns if name not in (CORRUPT, SOURCE_FILE)]
    return columns_among(names, table, mapping, has_header=CORRUPT not in raw.columns)
