"""Merge a further batch into silver: inserts, corrections and re-sent rows. Idempotent, in any order of batches.

Whatever the order of the batches, silver holds what a single ingest of all of them would hold. A row that silver
has already, equal in every column, is counted and changes nothing; so the same files twice change nothing at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError, QualityGateError
from claimatlas.ingest import silver_marker
from claimatlas.ingest.contract import CLAIMS_INPUT, POPULATION_INPUT, InputTable, input_tables, population_input
from claimatlas.ingest.discover.source import Source
from claimatlas.ingest.inputs import IngestOptions, InputPaths, are_synthetic
from claimatlas.ingest.load.gate import (
    gate_message,
    refuse_missing,
    rejected_together,
    too_many_rejected,
    years_of_population,
)
from claimatlas.ingest.load.table import validated
from claimatlas.ingest.load.warnings import inspect_population, notes_of_undeclared, span_of
from claimatlas.ingest.look import Found, notes_on_input, shortfalls_of_input
from claimatlas.ingest.merge.change import Change, as_rejected, change_of
from claimatlas.ingest.read.rows import columns_of, confirmed, names_asked
from claimatlas.ingest.shortfall import require_enough
from claimatlas.runs.context import RunContext
from claimatlas.runs.record import RunRecord
from claimatlas.tables.schemas import CHANGED, CLAIMS, POPULATION, REFUSED, REJECTED
from claimatlas.tables.store import Store


def add(context: RunContext, paths: InputPaths, found: Found, options: IngestOptions) -> None:
    """Add a batch to silver; ``found``: the result of ``look_at_input``.

    Raises:
        InputError: there is no whole silver, the input cannot be used, or its columns are not those of the batch
            before: silver is as it was.
        QualityGateError: too many rows of a table were rejected: they are in ``silver/refused``, and nothing else
            changed.
    """
    store, configuration, record = context.store, context.configuration, context.record
    silver_marker.recover(store, from_replacing=False)
    facts = silver_marker.facts_of_silver(store)
    silver_marker.require_same_key(store, options.key_fingerprint)
    options = dataclasses.replace(options, batch=len(facts["batches"]) + 1)
    sources, columns = _sources(context, options, found, facts["columns"])
    there: Found = {table.name: sources.get(table.name) for table in input_tables(configuration)}
    asked = names_asked(store.spark, there)
    for note in notes_on_input(there, paths, configuration, asked):
        record.warn(note)
    require_enough(shortfalls_of_input(there, paths, configuration, asked), configuration)
    if POPULATION_INPUT.name not in sources:
        # Check it before the rows are judged, where it is known already; else again afterwards.
        refuse_missing(options.years, set(facts["population_years"]))
    locations = {name: source.location for name, source in sources.items()}
    record.note("input", locations)
    record.note("is_synthetic", are_synthetic(locations.values()))
    record.note("as_of", options.as_of.isoformat())
    record.note("pseudonym_key", options.key_fingerprint)
    tables = [table for table in input_tables(configuration) if table.name in sources]
    changes = []
    for position, table in enumerate(tables):
        following = [(sources[of.name], of) for of in tables[position + 1 :]]
        changes.append(change_of(context, options, sources[table.name], table, following))
    for change in changes:
        _count(change, record)
        _warn(change, configuration, record)
    _stop_at_the_gate(store, changes, configuration, record.run_id)
    refuse_missing(options.years, {*facts["population_years"], *_population_years(changes, options)})
    if all(change.is_empty for change in changes):
        record.progress("ingest: nothing new, silver stays as it is")
        return
    store.create(CHANGED)
    for table in tables:
        # A dimension may read a column that there was not in the batches before.
        if table.silver.has_declared:
            store.create(table.silver)
    before = {table.name: store.version(table) for table in silver_marker.ADDED_TO}
    silver_marker.begin(store, before, replacing=False)
    try:
        for change in changes:
            _apply(store, change, record)
        _note_beneficiaries(store, changes, record.run_id)
        silver_marker.mark_complete(store, _facts(context, facts, changes, columns, options.as_of))
    except BaseException:
        # Restore silver after a failure, and after Ctrl-C too.
        silver_marker.restore(store, before)
        raise
    record.note("batch", options.batch)


def _sources(
    context: RunContext, options: IngestOptions, found: Found, before: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, Source], dict[str, dict[str, str]]]:
    """The tables of the batch, and the columns of each; ``before``: those of the batch before."""
    spark, mapping = context.store.spark, context.configuration.mapping
    sources: dict[str, Source] = {}
    columns: dict[str, dict[str, str]] = {}
    for table in input_tables(context.configuration):
        looked_at = found[table.name]
        source = None if looked_at is None else confirmed(spark, looked_at)
        if source is None:
            continue
        sources[table.name] = source
        columns[table.name] = columns_of(spark, source, table, mapping)
        # A file with none of our columns may have no header, and no message may show its first line. The search for
        # missing columns reports such a file.
        is_known = any(column.name in columns[table.name] for column in table.columns)
        if table.name in before and is_known and not options.allow_schema_change:
            _refuse_other_columns(table, before[table.name], columns[table.name])
        # Fails here if a column is missing or has a wrong type.
        validated(context, options, source, table)
    if not sources:
        raise InputError("The input has no table: a batch has claims, population or hospital_stays.")
    return sources, columns


def _refuse_other_columns(table: InputTable, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse a batch whose columns differ from those of the batch before: the change may be meant, or a mistake."""
    said = [f"{name} is new" for name in now if name not in before]
    said += [f"{name} is gone" for name in before if name not in now]
    said += [
        f"{name} was {before[name]} and is {now[name]}" for name in now if before.get(name, now[name]) != now[name]
    ]
    if said:
        raise InputError(
            f"{table.name}: the columns are not those of the batch before: {'; '.join(said)}. Map the sender's "
            "names in a mapping and choose it with --set mapping=NAME or --mapping FILE; when the change is meant, "
            "give --allow-schema-change."
        )


def _population_years(changes: Sequence[Change], options: IngestOptions) -> set[int]:
    """The population years of the batch; read only when reference years are asked for."""
    found = [change for change in changes if change.table.name == POPULATION_INPUT.name]
    if not found or not options.years:
        return set()
    return years_of_population(found[0].accepted, found[0].table, options.as_of)


def _stop_at_the_gate(store: Store, changes: Sequence[Change], configuration: Configuration, run_id: str) -> None:
    try:
        if too_many := too_many_rejected([change.loaded for change in changes], configuration):
            raise QualityGateError(gate_message(too_many, configuration, store.path(REFUSED.name)))
        for change in changes:
            if change.loaded.rejected:
                by_year = {row["year"]: row["count"] for row in change.batch.groupBy("year").count().collect()}
                found = rejected_together(change.loaded, change.table, change.batch, by_year, configuration)
                require_enough(found, configuration, store.path(REFUSED.name))
    except QualityGateError:
        store.create(REFUSED)
        refused = [change.loaded.rejected_rows for change in changes if change.loaded.rejected_rows is not None]
        store.replace(reduce(DataFrame.unionByName, refused), REFUSED, None, {"run_id": run_id})
        raise


def _count(change: Change, record: RunRecord) -> None:
    step, counts = f"ingest.{change.table.name}", change.counts
    record.count(step, counts)
    record.count(f"{step}.rejected_by_reason", change.reasons)
    record.progress(
        f"ingest: {change.table.name}: {counts['read']:,} rows read, {counts['accepted']:,} new, {counts['resent']:,} "
        f"sent before, {counts['rejected']:,} rejected; {counts['superseded']:,} corrected",
        table=change.table.name,
        counts=dict(counts),
    )


def _warn(change: Change, configuration: Configuration, record: RunRecord) -> None:
    """Count what is odd in the batch but kept."""
    if change.table.name == CLAIMS_INPUT.name:
        wrong = sum(facts["wrong_check_digit"] for facts in change.loaded.facts)
        record.count("ingest.warnings", {"wrong_check_digit": wrong})
    if change.table.name == POPULATION_INPUT.name:
        warnings = inspect_population(change.batch, configuration)
        record.count("ingest.warnings", warnings)
        for note in notes_of_undeclared(warnings):
            record.warn(note)


def _apply(store: Store, change: Change, record: RunRecord) -> None:
    silver, metadata = change.table.silver, {"run_id": record.run_id}
    rejected = change.rejected
    if change.counts["superseded"]:
        rejected = rejected.unionByName(as_rejected(change.superseded, change.table, record.run_id))
        store.delete_rows(change.superseded, silver, (*change.table.identity, "year"), metadata)
    if change.counts["accepted"]:
        store.append(change.accepted, silver, metadata)
    if change.counts["rejected"] or change.counts["superseded"]:
        store.append(rejected, REJECTED, metadata)


def _note_beneficiaries(store: Store, changes: Sequence[Change], run_id: str) -> None:
    """Record the beneficiaries whom the batch changed: their figures must be computed again."""
    rows = [part.select("beneficiary_id") for change in changes for part in (change.accepted, change.superseded)]
    beneficiaries = reduce(DataFrame.unionByName, rows).distinct()
    store.append(beneficiaries.withColumn("run_id", F.lit(run_id)), CHANGED, {"run_id": run_id})


def _facts(
    context: RunContext,
    before: Mapping[str, Any],
    changes: Sequence[Change],
    columns: Mapping[str, Mapping[str, str]],
    as_of: date,
) -> dict[str, Any]:
    """The facts of silver after the batch; ``as_of``: until when an open span of the population goes on."""
    store, run_id = context.store, context.record.run_id
    names = {change.table.name for change in changes if change.counts["accepted"]}
    facts = {
        **before,
        "run_id": run_id,
        "batches": [*before["batches"], run_id],
        "tables": sorted({*before["tables"], *names}),
        "columns": {**before["columns"], **columns},
    }
    if POPULATION_INPUT.name in names:
        table = population_input(context.configuration)
        facts["population_years"] = sorted(years_of_population(store.read(POPULATION), table, as_of))
    if any(change.table.name == CLAIMS_INPUT.name for change in changes):
        facts |= span_of(store.read(CLAIMS), context.configuration.settings.checks.input).as_facts()
    return facts
