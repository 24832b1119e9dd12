"""Inspect the input before Spark starts: find each table and check that its columns are there."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from pathlib import Path

from claimatlas.configuration import Configuration
from claimatlas.configuration.mappings import FILE_NAME, Mapping
from claimatlas.errors import InputError
from claimatlas.ingest.contract import CLAIMS_INPUT, HOSPITAL_STAYS_INPUT, POPULATION_INPUT, InputTable, input_tables
from claimatlas.ingest.discover.examine import examined
from claimatlas.ingest.discover.source import Source, is_catalog_schema, listed, locate, similar_names
from claimatlas.ingest.inputs import InputPaths
from claimatlas.ingest.shortfall import Shortfall, distinguishing_columns, missing_provider_columns
from claimatlas.ingest.validate.columns import check_mapping, columns_among
from claimatlas.paths import is_remote

Found = dict[str, Source | None]
"""For each input table its source, or ``None`` when it is absent."""


def look_at_input(paths: InputPaths, configuration: Configuration, *, is_added: bool = False) -> Found:
    """Find every input table and inspect its files, as far as this machine can without Spark.

    ``is_added``: the input is a further batch, so a table may be empty.

    Raises:
        InputError: everything that is wrong, a sentence for each table.
    """
    mapping = configuration.mapping
    tables = input_tables(configuration)
    check_mapping(mapping, tables)
    found: Found = {}
    wrong = []
    for table in tables:
        try:
            source = locate(paths.folder, table.name, getattr(paths, table.name), mapping.table(table.name).read)
            needs_rows = not is_added and table is not HOSPITAL_STAYS_INPUT
            found[table.name] = None if source is None else _looked_into(source, table, mapping, needs_rows=needs_rows)
        except InputError as error:
            wrong.append(str(error))
    if wrong:
        raise InputError("\n".join(dict.fromkeys(wrong)))
    return found


def _looked_into(source: Source, table: InputTable, mapping: Mapping, *, needs_rows: bool) -> Source:
    wanted = [name for column in table.columns for name in mapping.table(table.name).source(column.name).names]
    source = examined(source, wanted)
    if source.names is None:
        return source
    # The first line of a CSV file may be a person's row.
    columns = columns_among(source.names, table, mapping, has_header=source.format != "csv")
    for names in columns.values():
        for name in names or ():
            outside = source.file_outside_partition(name) if name.lower() in source.partitions else None
            if outside:
                raise InputError(
                    f"{source.table}: folders of {source.location} are named {name}=…, and {outside} lies in none of "
                    f"them: nobody can tell its {name}. Put it into such a folder."
                )
    if needs_rows and source.rows and not any(rows is None or rows for rows in source.rows.values()):
        files = f"none of its {len(source.rows)} files has one" if len(source.rows) > 1 else f"see {source.location}"
        raise InputError(f"{source.table}: the input has no row; {files}.")
    return source


def require_tables(found: Found, paths: InputPaths) -> None:
    """Refuse an input without claims or population.

    Raises:
        InputError: naming each table, and what lies under a name like it.
    """
    missing = [
        f"The input has no table {table.name}: {_expected_places(paths, table)}{_beside(paths, table.name)}."
        for table in (POPULATION_INPUT, CLAIMS_INPUT)
        if found[table.name] is None
    ]
    if missing:
        raise InputError("\n".join(missing))


def notes_on_input(
    found: Found, paths: InputPaths, configuration: Configuration, asked: Map[str, Sequence[str]] | None = None
) -> list[str]:
    """Notes on the input before it is read: files that are not read, columns that are missing.

    ``asked``: the names of the columns of the tables that only Spark knows.
    """
    notes = []
    mapping = configuration.mapping
    for table in input_tables(configuration):
        source = found[table.name]
        if getattr(paths, table.name) is None:
            beside = similar_names(paths.folder, table.name, is_there_too=source is not None)
            there = "is not there" if source is None else f"is read from {source.location} alone"
            notes += [f"{table.name} {there}; beside it lies {listed(beside, 5)}, which is not read."] if beside else []
        if source is None:
            continue
        names = source.names or (asked or {}).get(table.name)
        declared = mapping.table(table.name)
        for name, of in declared.columns.items():
            if of.constant is not None and (names is None or _is_constant(names, of.names)):
                notes.append(f"{table.name}: {name} is {of.constant} in every row, as the mapping says.")
        if names is not None:
            columns = columns_among(names, table, mapping, has_header=source.format != "csv")
            if absent := [name for name, own in columns.items() if own is None]:
                notes.append(f"{table.name}: the input has no column {', '.join(absent)}: unknown in every row.")
            notes += _columns_of_some_files(source, columns)
    return notes


def shortfalls_of_input(
    found: Found, paths: InputPaths, configuration: Configuration, asked: Map[str, Sequence[str]] | None = None
) -> list[Shortfall]:
    """The shortfalls of figures through files that are not read, and through missing columns that tell contacts apart.

    ``asked``: as for ``notes_on_input``.
    """
    shortfalls = []
    for table in input_tables(configuration):
        source = found[table.name]
        if source is None:
            continue
        if getattr(paths, table.name) is None and paths.folder is not None:
            shortfalls += _not_read(source, similar_names(paths.folder, table.name, is_there_too=True), paths.folder)
        names = source.names or (asked or {}).get(table.name)
        if table.name == CLAIMS_INPUT.name and names is not None:
            columns = columns_among(names, table, configuration.mapping, has_header=source.format != "csv")
            for column, groups in distinguishing_columns(configuration).items():
                # A column that no file has is allowed: a note says so, and the sender has no such column.
                if (own := columns[column]) is not None:
                    shortfalls += _without_column(source, column, own, groups)
    return shortfalls


def _not_read(source: Source, beside: Sequence[str], folder: str) -> list[Shortfall]:
    """The share of files that are not read, by size: nobody has counted their rows."""
    if not beside or is_remote(source.location) or source.format == "table":
        return []
    odd, own = (sum(map(_bytes_of, paths)) for paths in ([Path(folder, name) for name in beside], [source.location]))
    if not odd:
        return []
    return [
        Shortfall(
            "files_not_read",
            odd,
            odd + own,
            f"{source.table}: {listed(beside, 5)} lies beside {source.location} and is not read, "
            f"{100 * odd / (odd + own):.2f} % of the bytes of both. Take it away, put it into one folder with the "
            f"rest, or give --{source.table.replace('_', '-')}.",
        )
    ]


def _bytes_of(path: str | Path) -> int:
    location = Path(path)
    files = [location] if location.is_file() else [entry for entry in location.rglob("*") if entry.is_file()]
    return sum(file.stat().st_size for file in files)


def _without_column(source: Source, column: str, names: tuple[str, ...], groups: Sequence[str]) -> list[Shortfall]:
    """The number of rows in files that lack a column, if the inspection has counted them."""
    if None in source.rows.values():
        return []
    rows = {file: number or 0 for file, number in source.rows.items()}
    lacking = [file for name in names for file in _files_without(source, name)]
    odd = sum(rows.get(file, 0) for file in dict.fromkeys(lacking))
    return [missing_provider_columns(source.table, column, odd, sum(rows.values()), groups)] if odd else []


def _files_without(source: Source, name: str) -> list[Path]:
    return [
        file
        for layout in source.layouts
        for file in layout.files
        if name.lower() not in {own.lower() for own in (*layout.columns, *source.partitions)}
    ]


def _columns_of_some_files(source: Source, columns: Map[str, tuple[str, ...] | None]) -> list[str]:
    """A note on each column that some Parquet files have and others do not."""
    notes = []
    for column, names in columns.items():
        for name in names or ():
            lacking = _files_without(source, name)
            if lacking and name != FILE_NAME:
                notes.append(
                    f"{source.table}: {column} is unknown in the rows of {len(lacking)} of {len(source.files)} files, "
                    f"which have no column {name}: {listed(lacking)}."
                )
    return notes


def _is_constant(columns: Sequence[str], names: tuple[str, ...]) -> bool:
    there = {name.lower() for name in columns}
    return not names or any(name.lower() not in there for name in names)


def _beside(paths: InputPaths, table: str) -> str:
    beside = similar_names(paths.folder, table) if getattr(paths, table) is None else []
    return f"; there is {listed(beside, 5)}, which has another name" if beside else ""


def _expected_places(paths: InputPaths, table: InputTable) -> str:
    if paths.folder is None:
        return f"give --{table.name.replace('_', '-')} or --input"
    if is_catalog_schema(paths.folder):
        return (
            f"there is no table {paths.folder}.{table.name} in the catalogs of this Spark, and no folder {paths.folder}"
        )
    if is_remote(paths.folder):
        return f"looked for {paths.folder.rstrip('/')}/{table.name}, as a Delta table or Parquet files"
    return f"looked for {table.name}/, {table.name}.parquet, {table.name}.csv and {table.name}.csv.gz in {paths.folder}"
