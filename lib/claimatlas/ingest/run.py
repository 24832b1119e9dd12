"""The ingest stage: every input table, the gates, and silver as it was when a gate closes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError, QualityGateError
from claimatlas.ingest import marker
from claimatlas.ingest.contract import CLAIMS_INPUT, INPUT_TABLES, POPULATION_INPUT, InputTable
from claimatlas.ingest.duplicates import repeated_key_hashes
from claimatlas.ingest.inputs import IngestOptions, InputPaths
from claimatlas.ingest.load import Loaded, load_table
from claimatlas.ingest.sources import Source, is_of_a_file, locate, pinned, read, unreadable
from claimatlas.ingest.validation import check_mapping, validate_rows, values_of
from claimatlas.ingest.warnings import claims_facts, inspect_population
from claimatlas.runs.record import RunRecord
from claimatlas.tables.schemas import CLAIMS, POPULATION, REJECTED, Table
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
    check_mapping(configuration.mapping, INPUT_TABLES)
    sources = {table.name: locate(paths.folder, table.name, getattr(paths, table.name)) for table in INPUT_TABLES}
    for table in INPUT_TABLES:
        source = sources[table.name]
        if source is None and table.name != "hospital_stays":
            raise InputError(f"The input has no table {table.name}: {_expected_places(paths, table)}.")
        if source is not None:
            sources[table.name] = source = pinned(spark, source)
            # A column that is missing or of a wrong type shows here.
            _validated(spark, source, table, configuration, options)
    if population := sources[POPULATION_INPUT.name]:
        _require_years(spark, population, configuration, options.years)
    record.note("input", {name: source.location if source else None for name, source in sources.items()})
    versions = {name: source.version for name, source in sources.items() if source and source.version is not None}
    record.note("input_versions", versions)
    record.note("as_of", options.as_of.isoformat())
    record.note("pseudonym_key", options.key_fingerprint)

    silver = [table.silver for table in INPUT_TABLES] + [REJECTED]
    made_here = [table for table in silver if not store.exists(table)]
    for silver_table in silver:
        store.create(silver_table)
    before = {table.name: 0 if table in made_here else store.version(table) for table in silver}
    if CLAIMS not in made_here and marker.key_of_silver(store) != options.key_fingerprint:
        record.warn(marker.FORMER_IDS)
    marker.take_off(store)
    years_before = {table.name: _years(store, table) for table in (CLAIMS, POPULATION) if table not in made_here}
    try:
        loaded = []
        for table in INPUT_TABLES:
            loaded.append(_load(spark, sources[table.name], table, store, configuration, options, record))
            if table is POPULATION_INPUT:
                # Every row of a year may have been rejected.
                population_years = _years(store, POPULATION)
                _refuse_missing(options.years, population_years)
        _require_former_years(store, years_before, options)
    except BaseException:
        # Silver as it was, for a mistake in the input and for Ctrl-C alike.
        _put_back(store, silver, before, made_here)
        raise
    rejected = [table.rejected_rows for table in loaded if table.rejected_rows is not None]
    if rejected:
        store.replace(reduce(DataFrame.unionByName, rejected), REJECTED, None, {"run_id": record.run_id})
    else:
        store.delete(REJECTED, "true")
    too_many = [table for table in loaded if table.rejected_share > configuration.settings.max_rejected_share]
    if too_many:
        _put_back(store, [table for table in silver if table is not REJECTED], before, made_here)
        raise QualityGateError(_gate_message(too_many, configuration, store))
    facts = {
        "run_id": record.run_id,
        marker.KEY: options.key_fingerprint,
        "tables": sorted(name for name, source in sources.items() if source),
        "population_years": sorted(population_years),
        **_inspect(store, loaded[-1], configuration, record),
    }
    marker.put_on(store, facts)


def _validated(
    spark: SparkSession,
    source: Source,
    table: InputTable,
    configuration: Configuration,
    options: IngestOptions,
    repeated: DataFrame | None = None,
) -> DataFrame:
    return validate_rows(
        read(spark, source),
        table,
        configuration.mapping,
        first_service_date=configuration.settings.first_service_date,
        as_of=options.as_of,
        repeated=repeated,
        key=options.key,
    )


def _load(
    spark: SparkSession,
    source: Source | None,
    table: InputTable,
    store: Store,
    configuration: Configuration,
    options: IngestOptions,
    record: RunRecord,
) -> Loaded:
    if source is None:
        store.delete(table.silver, "true")
        return Loaded(table.name)
    record.progress(f"ingest: reading {table.name}")
    try:
        repeated = _repeated(spark, source, table, store, configuration) if table.key else None
        validated = _validated(spark, source, table, configuration, options, repeated)
        facts = claims_facts() if table is CLAIMS_INPUT else None
        loaded = load_table(validated, table, store, record.run_id, facts, some_repeated=repeated is not None)
    except (PySparkException, Py4JError) as error:
        raise _as_input_error(error, source) from error
    record.count(
        f"ingest.{table.name}",
        {"read": loaded.read, "accepted": loaded.accepted, "rejected": loaded.rejected},
    )
    record.count(f"ingest.{table.name}.rejected_by_reason", loaded.reasons)
    record.progress(
        f"ingest: {table.name}: {loaded.read:,} rows read, {loaded.accepted:,} accepted, {loaded.rejected:,} rejected"
    )
    return loaded


def _repeated(
    spark: SparkSession, source: Source, table: InputTable, store: Store, configuration: Configuration
) -> DataFrame | None:
    """Which keys may stand on more than one row; ``None`` when each stands once."""
    keys = values_of(read(spark, source), table, table.key, configuration.mapping)
    hashes = store.keep(repeated_key_hashes(keys, table), f"repeated_{table.name}")
    return None if hashes.isEmpty() else hashes


def _as_input_error(error: Exception, source: Source) -> Exception:
    """A file that Spark could not read is the input's fault; anything else stays what it is."""
    return unreadable(source) if is_of_a_file(error) else error


def _require_years(spark: SparkSession, source: Source, configuration: Configuration, years: Sequence[int]) -> None:
    """Refuse years that stand in no row of the population, before anything is written.

    Only the column of the years is read and parsed.
    """
    if not years:
        return
    try:
        values = values_of(read(spark, source), POPULATION_INPUT, ["year"], configuration.mapping)
        found = {row["year"] for row in values.distinct().collect()} - {None}
    except (PySparkException, Py4JError) as error:
        raise _as_input_error(error, source) from error
    _refuse_missing(years, found)


def _refuse_missing(years: Sequence[int], found: set[int]) -> None:
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


def _put_back(store: Store, tables: Sequence[Table], before: dict[str, int], made_here: Sequence[Table]) -> None:
    # The claims last: their mark says that silver is whole.
    for table in sorted(tables, key=lambda table: table is CLAIMS):
        store.restore(table, before[table.name])
        if table in made_here:
            store.drop(table)


def _gate_message(tables: Sequence[Loaded], configuration: Configuration, store: Store) -> str:
    shares = "; ".join(
        f"{table.table}: {table.rejected:,} of {table.read:,} rows ({100 * table.rejected_share:.2f} %: "
        + ", ".join(f"{reason} {count:,}" for reason, count in table.reasons.items())
        + ")"
        for table in tables
    )
    limit = 100 * configuration.settings.max_rejected_share
    return (
        f"Too many rows were rejected, more than max_rejected_share ({limit:g} %): {shares}. Nothing was published; "
        f"the rejected rows are in {store.path(REJECTED.name)}."
    )


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
    return f"looked for {table.name}/, {table.name}.parquet, {table.name}.csv and {table.name}.csv.gz in {paths.folder}"


def _listed(years: Sequence[int]) -> str:
    return ", ".join(map(str, years))
