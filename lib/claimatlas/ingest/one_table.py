"""One input table of an ingest: its rows judged, written to its silver table, and counted."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.ingest.contract import CLAIMS_INPUT, InputTable
from claimatlas.ingest.duplicates import repeated_key_hashes
from claimatlas.ingest.inputs import IngestOptions
from claimatlas.ingest.load import Loaded, load_table
from claimatlas.ingest.sources import Source, is_of_a_file, read, unreadable
from claimatlas.ingest.validation import validate_rows, values_of
from claimatlas.ingest.warnings import claims_facts
from claimatlas.runs.record import RunRecord
from claimatlas.spark_errors import SPARK_ERRORS
from claimatlas.tables.schemas import DATA_DELIVERY
from claimatlas.tables.store import Store


def validated(
    store: Store,
    source: Source,
    table: InputTable,
    configuration: Configuration,
    options: IngestOptions,
    repeated: DataFrame | None = None,
    *,
    keep_every_row: bool = False,
) -> DataFrame:
    """The rows of a source, judged (``validate_rows``), and which delivery of data brought them.

    Raises:
        InputError: a column is missing or of a wrong type, or the source cannot be read.
    """
    rows = validate_rows(
        read(store.spark, source),
        table,
        configuration.mapping,
        first_service_date=configuration.settings.first_service_date,
        as_of=options.as_of,
        repeated=repeated,
        keep_every_row=keep_every_row,
        key=options.key,
    )
    return rows.withColumn(DATA_DELIVERY, F.lit(options.data_delivery))


def take_in(
    store: Store,
    source: Source | None,
    table: InputTable,
    configuration: Configuration,
    options: IngestOptions,
    record: RunRecord,
) -> Loaded:
    """Replace the table's silver by the accepted rows of the source; by nothing when there is none.

    Raises:
        InputError: a file cannot be read.
    """
    if source is None:
        store.delete(table.silver, "true")
        return Loaded(table.name)
    record.progress(f"ingest: reading {table.name}", table=table.name)
    try:
        repeated = _repeated(source, table, store, configuration) if table.key else None
        rows = validated(store, source, table, configuration, options, repeated)
        facts = claims_facts() if table.name == CLAIMS_INPUT.name else None
        return load_table(rows, table, store, record.run_id, facts, some_repeated=repeated is not None)
    except SPARK_ERRORS as error:
        raise as_input_error(error, source) from error


def as_input_error(error: Exception, source: Source) -> Exception:
    """A file that Spark could not read is the input's fault; anything else stays what it is."""
    return unreadable(source) if is_of_a_file(error) else error


def _repeated(source: Source, table: InputTable, store: Store, configuration: Configuration) -> DataFrame | None:
    """Which keys may stand on more than one row; ``None`` when each stands once."""
    keys = values_of(read(store.spark, source), table, table.key, configuration.mapping)
    hashes = store.keep(repeated_key_hashes(keys, table), f"repeated_{table.name}")
    return None if hashes.isEmpty() else hashes
