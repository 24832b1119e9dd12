"""The ingest stage: every input table, the gates, and silver as it was when a gate closes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError, QualityGateError
from claimatlas.ingest import marker
from claimatlas.ingest.contract import INPUT_TABLES, POPULATION_INPUT, InputTable
from claimatlas.ingest.gate import gate_message, too_many_rejected
from claimatlas.ingest.inputs import IngestOptions, InputPaths
from claimatlas.ingest.load import Loaded
from claimatlas.ingest.one_table import as_input_error, take_in, validated
from claimatlas.ingest.sources import Source, columns_of, find, is_catalog_schema, read
from claimatlas.ingest.validation import check_mapping, values_of
from claimatlas.ingest.warnings import inspect_population
from claimatlas.runs.record import RunRecord
from claimatlas.spark_errors import SPARK_ERRORS
from claimatlas.tables.paths import is_remote
from claimatlas.tables.schemas import CHANGED, CLAIMS, POPULATION, REFUSED, REJECTED, Table
from claimatlas.tables.store import Store


def ingest(
    spark: SparkSession,
    store: Store,
    paths: InputPaths,
    configuration: Configuration,
    options: IngestOptions,
    record: RunRecord,
) -> None:
    """Replace silver by the input, rejected rows included.

    Raises:
        InputError: the input cannot be used, or years that silver holds would go: silver is as before.
        QualityGateError: too many rows of a table were rejected: ``silver/rejected`` holds them, the
            other tables are as before.
    """
    sources = _sources(spark, store, paths, configuration, options)
    if population := sources[POPULATION_INPUT.name]:
        require_years(spark, population, configuration, options.years)
    record.note("input", {name: source.location if source else None for name, source in sources.items()})
    versions = {name: source.version for name, source in sources.items() if source and source.version is not None}
    record.note("input_versions", versions)
    record.note("as_of", options.as_of.isoformat())
    record.note("pseudonym_key", options.key_fingerprint)

    marker.recover(store, from_replacing=True)
    there = [table for table in marker.ADDED_TO if store.exists(table)]
    made_here = [table for table in marker.SILVER if table not in there]
    for silver_table in marker.SILVER:
        store.create(silver_table)
    # To ask for a version costs a job, where the output is no folder of this machine.
    before = {table.name: 0 for table in made_here} | {table.name: store.version(table) for table in there}
    if CLAIMS not in made_here and marker.key_of_silver(store) != options.key_fingerprint:
        record.warn(marker.FORMER_IDS)
    marker.begin(store, before, replacing=True)
    years_before = {table.name: _years(store, table) for table in (CLAIMS, POPULATION) if table not in made_here}
    try:
        loaded = []
        for table in INPUT_TABLES:
            loaded.append(take_in(store, sources[table.name], table, configuration, options, record))
            if sources[table.name]:
                _count(loaded[-1], record)
            if table is POPULATION_INPUT:
                # Every row of a year may have been rejected.
                population_years = _years(store, POPULATION)
                refuse_missing(options.years, population_years)
        _require_former_years(store, years_before, options)
    except BaseException:
        # Silver as it was, for a mistake in the input and for Ctrl-C alike.
        _put_back(store, before, made_here)
        raise
    rejected = [table.rejected_rows for table in loaded if table.rejected_rows is not None]
    if rejected:
        store.replace(reduce(DataFrame.unionByName, rejected), REJECTED, None, {"run_id": record.run_id})
    else:
        store.delete(REJECTED, "true")
    if too_many := too_many_rejected(loaded, configuration):
        _put_back(store, {name: version for name, version in before.items() if name != REJECTED.name}, made_here)
        raise QualityGateError(gate_message(too_many, configuration, store.path(REJECTED.name)))
    facts = {
        "run_id": record.run_id,
        marker.KEY: options.key_fingerprint,
        "tables": sorted(name for name, source in sources.items() if source),
        "population_years": sorted(population_years),
        "data_deliveries": [record.run_id],
        "columns": {
            table.name: columns_of(spark, source, table, configuration.mapping)
            for table in INPUT_TABLES
            if (source := sources[table.name])
        },
        **_inspect(store, loaded[-1], configuration, record),
    }
    _forget_deliveries(store)
    marker.put_on(store, facts)


def _sources(
    spark: SparkSession, store: Store, paths: InputPaths, configuration: Configuration, options: IngestOptions
) -> dict[str, Source | None]:
    check_mapping(configuration.mapping, INPUT_TABLES)
    sources = {table.name: find(spark, paths.folder, table.name, getattr(paths, table.name)) for table in INPUT_TABLES}
    for table in INPUT_TABLES:
        source = sources[table.name]
        if source is None and table.name != "hospital_stays":
            raise InputError(f"The input has no table {table.name}: {_expected_places(paths, table)}.")
        if source is not None:
            # A column that is missing or of a wrong type shows here.
            validated(store, source, table, configuration, options)
    return sources


def _count(loaded: Loaded, record: RunRecord) -> None:
    step = f"ingest.{loaded.table}"
    counts = {"read": loaded.read, "accepted": loaded.accepted, "rejected": loaded.rejected}
    record.count(step, counts)
    record.count(f"{step}.rejected_by_reason", loaded.reasons)
    record.progress(
        f"ingest: {loaded.table}: {loaded.read:,} rows read, {loaded.accepted:,} accepted, "
        f"{loaded.rejected:,} rejected",
        table=loaded.table,
        counts=counts,
    )


def require_years(spark: SparkSession, source: Source, configuration: Configuration, years: Sequence[int]) -> None:
    """Refuse years that stand in no row of the population, before anything is written.

    Only the column of the years is read and parsed.
    """
    if not years:
        return
    try:
        values = values_of(read(spark, source), POPULATION_INPUT, ["year"], configuration.mapping)
        found = {row["year"] for row in values.distinct().collect()} - {None}
    except SPARK_ERRORS as error:
        raise as_input_error(error, source) from error
    refuse_missing(years, found)


def refuse_missing(years: Sequence[int], found: set[int]) -> None:
    """Refuse reference years that the population has no row of.

    Raises:
        InputError: naming them.
    """
    missing = sorted(set(years) - found)
    if missing:
        raise InputError(
            f"The population has no row for {_listed(missing)}; it holds {_listed(sorted(found)) or 'no year at all'}."
        )


def _require_former_years(store: Store, before: dict[str, set[int]], options: IngestOptions) -> None:
    if options.replace:
        return
    for table in (CLAIMS, POPULATION):
        gone = sorted(before[table.name] - _years(store, table)) if table.name in before else []
        if gone:
            raise InputError(
                f"The input has no {table.name.removeprefix('silver/')} of {_listed(gone)}, which silver holds now: an "
                "ingest replaces silver whole. Give all years together, or --replace to let them go."
            )


def _years(store: Store, table: Table) -> set[int]:
    years = store.read(table).where(F.col("year").isNotNull()).select("year").distinct().collect()
    return {row["year"] for row in years}


def _put_back(store: Store, before: dict[str, int], made_here: Sequence[Table]) -> None:
    marker.put_back(store, before)
    for table in made_here:
        if table.name in before:
            store.drop(table)


def _forget_deliveries(store: Store) -> None:
    """Empty what there is of deliveries of data into the silver that was replaced: its changes, and refused rows."""
    for table in (CHANGED, REFUSED):
        if store.exists(table):
            store.delete(table, "true")


def _inspect(store: Store, claims: Loaded, configuration: Configuration, record: RunRecord) -> dict[str, str | None]:
    wrong = sum(facts["wrong_check_digit"] for facts in claims.facts)
    warnings = inspect_population(store.read(POPULATION), configuration.settings.geography.sector_pattern)
    record.count("ingest.warnings", {"wrong_check_digit": wrong, **warnings})
    first = min((facts["first"] for facts in claims.facts if facts["first"]), default=None)
    last = max((facts["last"] for facts in claims.facts if facts["last"]), default=None)
    return {
        "first_service_date": first.isoformat() if first else None,
        "last_service_date": last.isoformat() if last else None,
    }


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


def _listed(years: Sequence[int]) -> str:
    return ", ".join(map(str, years))
