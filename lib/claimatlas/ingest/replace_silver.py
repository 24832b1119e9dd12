"""The ingest stage: load every input table, apply the gates, restore silver when a gate stops the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError, QualityGateError
from claimatlas.ingest import silver_marker
from claimatlas.ingest.contract import (
    HOSPITAL_STAYS_INPUT,
    POPULATION_INPUT,
    InputTable,
    input_tables,
    population_input,
)
from claimatlas.ingest.discover.source import Source
from claimatlas.ingest.inputs import IngestOptions, InputPaths, are_synthetic
from claimatlas.ingest.load.gate import (
    gate_message,
    refuse_missing,
    rejected_together,
    too_many_rejected,
    years_listed,
    years_of_population,
)
from claimatlas.ingest.load.table import as_input_error, load_source, validated
from claimatlas.ingest.load.warnings import inspect_population, notes_of_undeclared, span_of
from claimatlas.ingest.load.write import Loaded
from claimatlas.ingest.look import Found, notes_on_input, require_tables, shortfalls_of_input
from claimatlas.ingest.read.rows import columns_of, confirmed, names_asked, read
from claimatlas.ingest.shortfall import require_enough
from claimatlas.ingest.validate.parsing import Understanding
from claimatlas.ingest.validate.rows import values_of
from claimatlas.runs.context import RunContext
from claimatlas.runs.record import RunRecord
from claimatlas.spark.errors import SPARK_ERRORS
from claimatlas.tables.schemas import CHANGED, CLAIMS, POPULATION, REFUSED, REJECTED, Table
from claimatlas.tables.store import MAX_HELD, Store


def ingest(context: RunContext, paths: InputPaths, found: Found, options: IngestOptions) -> None:
    """Replace silver by the input, rejected rows included.

    ``found``: the result of ``look_at_input``.

    Raises:
        InputError: the input cannot be used, or years that silver holds would go: silver is as before.
        QualityGateError: too many rows of a table were rejected: ``silver/rejected`` holds them, the
            other tables are as before.
    """
    store, configuration, record = context.store, context.configuration, context.record
    tables = input_tables(configuration)
    sources = _sources(context, options, paths, found)
    if population := sources[POPULATION_INPUT.name]:
        require_years(store.spark, population, configuration, options.years, options.as_of)
    _note_input(record, sources, options)
    asked = names_asked(store.spark, sources)
    for note in notes_on_input(sources, paths, configuration, asked):
        record.warn(note)
    require_enough(shortfalls_of_input(sources, paths, configuration, asked), configuration)

    silver_marker.recover(store, from_replacing=True)
    there = [table for table in silver_marker.ADDED_TO if store.exists(table)]
    made_here = [table for table in silver_marker.SILVER if table not in there]
    tables = input_tables(configuration)
    declared = {table.silver.name: table.silver for table in tables}
    for silver_table in silver_marker.SILVER:
        store.create(declared.get(silver_table.name, silver_table))
    # Finding a version costs a Spark job unless the output is a local folder.
    before = {table.name: 0 for table in made_here} | {table.name: store.version(table) for table in there}
    if CLAIMS not in made_here and silver_marker.key_of_silver(store) != options.key_fingerprint:
        record.warn(silver_marker.FORMER_IDS)
    silver_marker.begin(store, before, replacing=True)
    years_before = {table.name: _years(store, table) for table in (CLAIMS, POPULATION) if table not in made_here}
    # A refused input leaves silver unchanged. Only the rejected rows are kept, if they are the reason.
    restore_to = before
    but_rejected = {name: version for name, version in before.items() if name != REJECTED.name}
    loaded: list[Loaded] = []
    try:
        for position, table in enumerate(tables):
            following = [(source, of) for of in tables[position + 1 :] if (source := sources[of.name])]
            loaded.append(load_source(context, options, sources[table.name], table, following))
            if sources[table.name]:
                _count(loaded[-1], record)
                _require_rows(loaded[-1], table)
            if table.name == POPULATION_INPUT.name:
                population_years = _years_of_population(store, table, options.as_of)
                if set(options.years) - population_years and loaded[-1].rejected:
                    # Every row of a year was rejected.
                    _keep_rejected(store, loaded, record)
                    restore_to = but_rejected
                refuse_missing(options.years, population_years, loaded[-1], store.path(REJECTED.name))
        _require_former_years(store, years_before, options)
        _keep_rejected(store, loaded, record)
        try:
            _require_few_rejected(store, loaded, configuration)
        except QualityGateError:
            restore_to = but_rejected
            raise
        facts = {
            "run_id": record.run_id,
            silver_marker.KEY: options.key_fingerprint,
            # A table without rows is as one that was not sent.
            "tables": sorted(table.table for table in loaded if sources[table.table] and table.read),
            "population_years": sorted(population_years),
            "batches": [record.run_id],
            "columns": {
                table.name: columns_of(store.spark, source, table, configuration.mapping)
                for table in tables
                if (source := sources[table.name])
            },
            **_inspect(store, loaded, configuration, record),
        }
    except BaseException:
        # Restore silver after a mistake in the input, and after Ctrl-C too.
        _restore(store, restore_to, made_here)
        raise
    _forget_batches(store)
    silver_marker.mark_complete(store, facts)


def _note_input(record: RunRecord, sources: Mapping[str, Source | None], options: IngestOptions) -> None:
    locations = {name: source.location if source else None for name, source in sources.items()}
    record.note("input", locations)
    versions = {name: source.version for name, source in sources.items() if source and source.version is not None}
    record.note("input_versions", versions)
    record.note("is_synthetic", are_synthetic(locations.values()))
    record.note("as_of", options.as_of.isoformat())
    record.note("pseudonym_key", options.key_fingerprint)


def _sources(context: RunContext, options: IngestOptions, paths: InputPaths, found: Found) -> Found:
    """The input tables as Spark finds them."""
    spark = context.store.spark
    sources: Found = {name: None if source is None else confirmed(spark, source) for name, source in found.items()}
    require_tables(sources, paths)
    for table in input_tables(context.configuration):
        if (source := sources[table.name]) is not None:
            # A column that is missing or of a wrong type shows here.
            validated(context, options, source, table)
    return sources


def _keep_rejected(store: Store, loaded: Sequence[Loaded], record: RunRecord) -> None:
    rejected = [table.rejected_rows for table in loaded if table.rejected_rows is not None]
    if rejected:
        is_few = sum(table.rejected for table in loaded) <= MAX_HELD
        rows = reduce(DataFrame.unionByName, rejected)
        store.replace(rows, REJECTED, None, {"run_id": record.run_id}, is_few=is_few)
    else:
        store.delete(REJECTED, "true")


def _require_few_rejected(store: Store, loaded: Sequence[Loaded], configuration: Configuration) -> None:
    """Apply the gate of rejected rows to each table, and to each year and group of codes.

    Raises:
        QualityGateError: with the shares.
    """
    if too_many := too_many_rejected(loaded, configuration):
        raise QualityGateError(gate_message(too_many, configuration, store.path(REJECTED.name)))
    for table, of in zip(input_tables(configuration), loaded, strict=True):
        if of.rejected:
            by_year = {year: rows for year, rows in store.rows_by_year(table.silver).items() if year is not None}
            accepted = store.read(table.silver)
            found = rejected_together(of, table, accepted, by_year, configuration)
            require_enough(found, configuration, store.path(REJECTED.name))


def _require_rows(loaded: Loaded, table: InputTable) -> None:
    """Refuse claims or a population without any row: no figure can be computed from them.

    Raises:
        InputError: naming the table.
    """
    if not loaded.read and table.name != HOSPITAL_STAYS_INPUT.name:
        raise InputError(f"{table.name}: the input has no row.")


def _count(loaded: Loaded, record: RunRecord) -> None:
    step = f"ingest.{loaded.table}"
    counts = {"read": loaded.read, "accepted": loaded.accepted, "rejected": loaded.rejected}
    record.count(step, counts)
    record.count(f"{step}.rejected_by_reason", loaded.reasons)
    if loaded.examples:
        record.add_to_note("rejected_examples", {loaded.table: loaded.examples})
    record.progress(
        f"ingest: {loaded.table}: {loaded.read:,} rows read, {loaded.accepted:,} accepted, "
        f"{loaded.rejected:,} rejected",
        table=loaded.table,
        counts=counts,
    )


def require_years(
    spark: SparkSession, source: Source, configuration: Configuration, years: Sequence[int], as_of: date
) -> None:
    """Refuse years without a row in the population, before anything is written.

    Only the columns of the years are read and parsed; ``as_of``: until when an open span goes on.
    """
    if not years:
        return
    try:
        understanding = Understanding.of(configuration, POPULATION_INPUT.name)
        table = population_input(configuration)
        needed = ["year"] if table.year_of == "year" else ["start_date", "end_date"]
        values = values_of(read(spark, source), table, needed, configuration.mapping, understanding)
        found = years_of_population(values, table, as_of) - {None}
    except SPARK_ERRORS as error:
        raise as_input_error(error, source) from error
    refuse_missing(years, found)


def _years_of_population(store: Store, table: InputTable, as_of: date) -> set[int]:
    # Of person-years the log of the table knows them.
    if table.year_of == "year":
        return _years(store, POPULATION)
    return years_of_population(store.read(POPULATION), table, as_of)


def _require_former_years(store: Store, before: dict[str, set[int]], options: IngestOptions) -> None:
    if options.replace:
        return
    for table in (CLAIMS, POPULATION):
        gone = sorted(before[table.name] - _years(store, table)) if table.name in before else []
        if gone:
            raise InputError(
                f"Silver has {table.name.removeprefix('silver/')} of {years_listed(gone)}, the input does not, and an "
                "ingest replaces silver. Add those years to the input, or pass --replace to drop them."
            )


def _years(store: Store, table: Table) -> set[int]:
    return {year for year, rows in store.rows_by_year(table).items() if year is not None and rows}


def _restore(store: Store, before: dict[str, int], made_here: Sequence[Table]) -> None:
    silver_marker.restore(store, before)
    for table in made_here:
        if table.name in before:
            store.drop(table)


def _forget_batches(store: Store) -> None:
    """Empty the tables that describe batches merged into the former silver: changed people, refused rows."""
    for table in (CHANGED, REFUSED):
        if store.exists(table):
            store.delete(table, "true")


def _inspect(store: Store, loaded: Sequence[Loaded], configuration: Configuration, record: RunRecord) -> dict[str, Any]:
    """Count what is odd in silver but kept; gives the facts of the claims' span."""
    wrong = sum(facts["wrong_check_digit"] for table in loaded for facts in table.facts)
    warnings = inspect_population(store.read(POPULATION), configuration)
    record.count("ingest.warnings", {"wrong_check_digit": wrong, **warnings})
    for note in notes_of_undeclared(warnings):
        record.warn(note)
    return span_of(store.read(CLAIMS), configuration.settings.checks.input).as_facts()
