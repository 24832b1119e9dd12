"""Load one input table: judge its rows, write the accepted ones to its silver table, and count them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError, QualityGateError
from claimatlas.ingest.contract import CLAIMS_INPUT, InputTable
from claimatlas.ingest.discover.source import Source
from claimatlas.ingest.inputs import IngestOptions
from claimatlas.ingest.load.accounting import account_of, require_all_read
from claimatlas.ingest.load.gate import midnights_in_utc, null_words_as_ids
from claimatlas.ingest.load.warnings import (
    SourceTable,
    claims_facts,
    examples_of_rejected,
    late_times,
    notes_of_words,
    words_for_no_value,
)
from claimatlas.ingest.load.write import Loaded, count_rejected, load_table
from claimatlas.ingest.read.rows import is_of_a_file, read, unreadable
from claimatlas.ingest.shortfall import require_enough
from claimatlas.ingest.validate.duplicates import repeated_key_hashes
from claimatlas.ingest.validate.parsing import Understanding
from claimatlas.ingest.validate.rows import (
    LATE,
    NO_EXTRAS,
    NULL_WORD,
    REASONS,
    UNLISTED,
    RowExtras,
    RowRules,
    validate_rows,
    values_of,
)
from claimatlas.runs.context import RunContext
from claimatlas.spark.errors import SPARK_ERRORS
from claimatlas.tables.schemas import BATCH
from claimatlas.tables.store import Store

MAX_INSTANTS = 0.01
"""The largest share of rows that may be rejected as instants of unknown day. Above it the run asks for a time zone."""
ROWS_AT_START = 10_000
"""The first rows of a table that is not read yet: they show whether it has the same fault."""


def validated(
    context: RunContext,
    options: IngestOptions,
    source: Source,
    table: InputTable,
    extras: RowExtras = NO_EXTRAS,
) -> DataFrame:
    """The rows of a source, judged (``validate_rows``), with the number of their batch.

    Raises:
        InputError: a column is missing or of a wrong type, or the source cannot be read.
    """
    configuration = context.configuration
    rules = RowRules(
        configuration.mapping,
        configuration.settings.first_service_date,
        options.as_of,
        Understanding.of(configuration, table.name),
        options.key,
    )
    rows = validate_rows(read(context.store.spark, source), table, rules, replace(extras, oddities=True))
    return rows.withColumn(BATCH, F.lit(options.batch))


def load_source(
    context: RunContext,
    options: IngestOptions,
    source: Source | None,
    table: InputTable,
    following: Iterable[tuple[Source, InputTable]] = (),
) -> Loaded:
    """Replace the table's silver by the accepted rows of the source; by nothing when there is none.

    ``following``: the tables that come after it. A fault that stops the run is looked for in them too.

    Raises:
        InputError: a file cannot be read, or dates are instants of unknown day.
        QualityGateError: not every row of every file was read.
    """
    store, configuration, record = context.store, context.configuration, context.record
    if source is None:
        store.delete(table.silver, "true")
        return Loaded(table.name)
    understanding = Understanding.of(configuration, table.name)
    record.progress(f"ingest: reading {table.name}", table=table.name)
    try:
        repeated = _repeated(source, table, store, configuration) if table.key else None
        rows = validated(context, options, source, table, RowExtras(repeated=repeated))
        is_claims = table.name == CLAIMS_INPUT.name
        facts = partial(claims_facts, codes=configuration.settings.codes) if is_claims else None
        loaded = load_table(context, rows, table, facts, some_repeated=repeated is not None)
        account = account_of(store.spark, source, table, configuration.mapping, understanding)
        given_table = SourceTable(store.spark, source, table, configuration.mapping, understanding)
        if loaded.oddities.get(NULL_WORD):
            loaded.words = words_for_no_value(given_table)
        if loaded.oddities.get(LATE):
            loaded.late = late_times(given_table)
        notes = notes_of_words(given_table, loaded)
        if any(reason.startswith("unparseable_") for reason in loaded.reasons) and loaded.rejected_rows is not None:
            loaded.examples = examples_of_rejected(loaded.rejected_rows, table, configuration.mapping)
    except SPARK_ERRORS as error:
        raise as_input_error(error, source) from error
    record.add_to_note("input_files", {table.name: account.files})
    if account.left_out:
        record.count(f"ingest.{table.name}.left_out", account.left_out)
    record.count(f"ingest.{table.name}.oddities", {name.removeprefix("_"): n for name, n in loaded.oddities.items()})
    require_all_read(table.name, loaded.read, account)
    if found := instants_of(loaded):
        others = [instants_at_start(context, options, later, of) for later, of in following]
        refuse_instants([found, *filter(None, others)])
    for note in notes:
        record.warn(note)
    require_enough([*null_words_as_ids(loaded), *midnights_in_utc(loaded)], configuration)
    refuse_unlisted(loaded, configuration)
    return loaded


def refuse_unlisted(loaded: Loaded, configuration: Configuration) -> None:
    """Stop if most words of a column are in no table of values.

    Raises:
        QualityGateError: with the share and the setting.
    """
    bounds = configuration.settings.checks.input
    # Spark counts the rows of a task twice when it runs the task twice.
    odd = min(loaded.oddities.get(UNLISTED, 0), loaded.read)
    if loaded.read >= bounds.least_counted and odd > bounds.unknown_sex_word.stop * loaded.read:
        raise QualityGateError(
            f"{loaded.table}: in {odd:,} of {loaded.read:,} rows the word for the sex is in no table of values, more "
            "than checks.input.unknown_sex_word.stop allows. Nothing was published. A mapping says what a word means: "
            "sex: {column: …, values: {female: […], male: […]}}."
        )


def instants_of(loaded: Loaded) -> str:
    """A phrase that names the columns with too many instants of unknown day; empty when there is none."""
    return _said_of_instants(loaded.table, loaded.reasons, loaded.read)


def instants_at_start(context: RunContext, options: IngestOptions, source: Source, table: InputTable) -> str:
    """What ``instants_of`` would say of the first rows of a table that is not read yet.

    Raises:
        InputError: a file cannot be read.
    """
    rows = validated(context, options, source, table).select(REASONS).limit(ROWS_AT_START)
    try:
        number, reasons = count_rejected(rows, REASONS)
    except SPARK_ERRORS as error:
        raise as_input_error(error, source) from error
    return _said_of_instants(table.name, reasons, number, "first ")


def _said_of_instants(table: str, reasons: Mapping[str, int], read_rows: int, which: str = "") -> str:
    columns = [
        f"{reason.removeprefix('instant_')} in {count:,} of {'the ' if which else ''}{which}{read_rows:,} rows"
        for reason, count in sorted(reasons.items())
        if reason.startswith("instant_") and count > MAX_INSTANTS * read_rows
    ]
    return f"{table}: the days of {', '.join(columns)}" if columns else ""


def refuse_instants(found: Sequence[str]) -> None:
    """Stop: columns hold instants, and no time zone says which day they are. ``found``: the columns, by table.

    Raises:
        InputError: naming the tables, the columns and the setting.
    """
    raise InputError(
        f"{'; '.join(found)} are instants, not midnights in UTC, so their day depends on the time zone. Give the "
        "sender's, for example --set time_zone=Europe/Brussels."
    )


def as_input_error(error: Exception, source: Source) -> Exception:
    """The error to raise: an ``InputError`` if Spark could not read a file, else the error itself."""
    return unreadable(source) if is_of_a_file(error) else error


def _repeated(source: Source, table: InputTable, store: Store, configuration: Configuration) -> DataFrame | None:
    """The hashes of keys that may occur on more than one row; ``None`` when every key occurs once."""
    understanding = Understanding.of(configuration, table.name)
    keys = values_of(read(store.spark, source), table, table.key, configuration.mapping, understanding)
    hashes = store.materialise(repeated_key_hashes(keys, table), f"repeated_{table.name}")
    return None if hashes.isEmpty() else hashes
