"""What became of an input of the field: asked of the product's own functions, without writing anything."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from claimatlas.checks.input import judge_input
from claimatlas.checks.input_counts import count_input
from claimatlas.configuration import Configuration
from claimatlas.errors import InputError, QualityGateError
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.inputs import InputPaths
from claimatlas.ingest.load.accounting import account_of, require_all_read
from claimatlas.ingest.load.gate import (
    gate_message,
    midnights_in_utc,
    null_words_as_ids,
    rejected_together,
    too_many_rejected,
)
from claimatlas.ingest.load.table import as_input_error, instants_of, refuse_instants, refuse_unlisted
from claimatlas.ingest.load.warnings import SourceTable, late_times, notes_of_words, span_of_days, words_for_no_value
from claimatlas.ingest.load.write import Loaded
from claimatlas.ingest.look import look_at_input, notes_on_input, require_tables, shortfalls_of_input
from claimatlas.ingest.read.rows import confirmed, names_asked, read
from claimatlas.ingest.replace_silver import require_years
from claimatlas.ingest.shortfall import require_enough
from claimatlas.ingest.validate.parsing import Understanding
from claimatlas.ingest.validate.rows import LATE, NULL_WORD, ODDITIES, REASONS, ROW, RowExtras, RowRules, validate_rows
from claimatlas.population.services import quantities_of_beneficiaries, services_of_years
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.tables.schemas import CLAIMS, HOSPITAL_STAYS
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from shipped import POPULATION

from hostile.field import AS_OF, TABLES, YEARS, Mutant, Values, meaning, world
from hostile.field_effect import Effect, Figure, effects_of

OF_ALL_TABLES = ("ids", "empty", "providers", "quantities", "hospitals")
"""The kinds that only the tables together show, whether a national figure moves or not."""
SAME, NOTED, REFUSED, SILENT = "same", "noted", "refused", "silent"
SILVER = {"claims": CLAIMS, "population": POPULATION, "hospital_stays": HOSPITAL_STAYS}


@dataclass
class Outcome:
    """What became of the table that is odd.

    ``accepted``: its accepted rows as silver would have them; ``notes``: what a person is told of it, but for the
    reasons of rejected rows; ``refused``: why the run ends; ``effects``: how far national figures moved.
    """

    accepted: Counter[Values] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    refused: str = ""
    effects: dict[Figure, Effect] = field(default_factory=dict)


def sound_tables(spark: SparkSession, configuration: Configuration, folder: Path) -> dict[str, DataFrame]:
    """The accepted rows of the sound world, by table."""
    found = {}
    for name, rows in world().items():
        of = TABLES[name]
        mutant = Mutant("sound", 0, name, [], "csv")
        frame, _ = _validated(spark, configuration, mutant, _written(folder / name, name, rows))
        columns = [*of.values, "year"]
        accepted = frame.where(F.size(REASONS) == 0).select(*columns)
        found[name] = spark.createDataFrame(accepted.collect(), accepted.schema)
        assert Counter(tuple(row) for row in found[name].collect()) == meaning(name, rows)
    return found


def _written(folder: Path, name: str, rows: list[dict[str, str]]) -> Path:
    from hostile.field import Part

    return Mutant("sound", 0, name, [Part(f"{name}.csv", rows)], "csv").write(folder)


def _validated(
    spark: SparkSession, configuration: Configuration, mutant: Mutant, location: Path
) -> tuple[DataFrame, tuple[Any, list[str]]]:
    paths = InputPaths(folder=str(location))
    found = look_at_input(paths, configuration)
    of, source = TABLES[mutant.table], found[mutant.table]
    source = None if source is None else confirmed(spark, source)
    require_tables({**found, mutant.table: source}, paths)
    sources = {**found, mutant.table: source}
    asked = names_asked(spark, {mutant.table: source})
    notes = notes_on_input(sources, paths, configuration, asked)
    require_enough(shortfalls_of_input(sources, paths, configuration, asked), configuration)
    if source is None:
        empty = spark.createDataFrame([], of.silver.schema).withColumn(REASONS, F.array().cast("array<string>"))
        return empty, (None, notes)
    if mutant.table == "population":
        require_years(spark, source, configuration, YEARS, AS_OF)
    understanding = Understanding.of(configuration, of.name)
    rules = RowRules(configuration.mapping, configuration.settings.first_service_date, AS_OF, understanding)
    rows = validate_rows(read(spark, source), of, rules, RowExtras(oddities=True))
    return rows, (source, notes)


def outcome_of(
    spark: SparkSession, configuration: Configuration, mutant: Mutant, location: Path, sound: dict[str, DataFrame]
) -> Outcome:
    """What the product makes of an input; anything but a refusal in words is raised."""
    outcome = Outcome()
    try:
        _judge(spark, configuration, mutant, location, sound, outcome)
    except (InputError, QualityGateError) as error:
        outcome.refused = str(error)
    return outcome


def _judge(
    spark: SparkSession,
    configuration: Configuration,
    mutant: Mutant,
    location: Path,
    sound: dict[str, DataFrame],
    outcome: Outcome,
) -> None:
    of = TABLES[mutant.table]
    frame, (source, outcome.notes) = _validated(spark, configuration, mutant, location)
    if source is None:
        return
    try:
        rows = frame.collect()
        understanding = Understanding.of(configuration, of.name)
        account = account_of(spark, source, of, configuration.mapping, understanding)
    except (PySparkException, Py4JError) as error:
        raise as_input_error(error, source) from error
    require_all_read(of.name, len(rows), account)
    if not rows and mutant.table != "hospital_stays":
        raise InputError(f"{of.name}: the input has no row.")
    names = [*of.values, "year"]
    sound_rows = [tuple(row[name] for name in names) for row in rows if not row[REASONS]]
    reasons: Counter[str] = Counter(reason for row in rows for reason in row[REASONS])
    kept = _first_of_each_key(sound_rows, of.key, names)
    if len(kept) < len(sound_rows):
        reasons[of.duplicate_reason] += len(sound_rows) - len(kept)
    loaded = Loaded(of.name, len(rows), len(kept), len(rows) - len(kept), dict(reasons))
    loaded.oddities = {name: sum(row[name] for row in rows) for name in ODDITIES}
    outcome.accepted, outcome.reasons = Counter(kept), loaded.reasons
    if instants := instants_of(loaded):
        refuse_instants([instants])
    given_table = SourceTable(spark, source, of, configuration.mapping, understanding)
    if loaded.oddities.get(NULL_WORD):
        loaded.words = words_for_no_value(given_table)
    if loaded.oddities.get(LATE):
        loaded.late = late_times(given_table)
    outcome.notes += notes_of_words(given_table, loaded)
    require_enough([*null_words_as_ids(loaded), *midnights_in_utc(loaded)], configuration)
    refuse_unlisted(loaded, configuration)
    if too_many := too_many_rejected([loaded], configuration):
        raise QualityGateError(gate_message(too_many, configuration, "silver/rejected"))
    _require_few_together(spark, configuration, of, frame, kept, loaded)
    outcome.effects = effects_of(mutant.table, outcome.accepted)
    if mutant.kind in OF_ALL_TABLES or outcome.effects:
        findings = _of_people(spark, configuration, mutant.table, frame, kept, sound)
        outcome.notes += [f"{mutant.table}: {finding.sentence}" for finding in findings if finding.ok]
        if stops := [finding.sentence for finding in findings if not finding.ok]:
            raise QualityGateError(f"{mutant.table}: beneficiary_id, year: " + " ".join(stops))


def _require_few_together(
    spark: SparkSession,
    configuration: Configuration,
    of: InputTable,
    frame: DataFrame,
    kept: list[Values],
    loaded: Loaded,
) -> None:
    if not loaded.rejected:
        return
    loaded.rejected_rows = frame.where(F.size(REASONS) > 0).select(
        F.col(REASONS).alias("reasons"), F.col(ROW).alias("row")
    )
    accepted = spark.createDataFrame(kept, frame.select(*of.values, "year").schema)
    by_year = Counter(row[-1] for row in kept)
    require_enough(rejected_together(loaded, of, accepted, by_year, configuration), configuration)


def _first_of_each_key(rows: Iterable[Values], key: tuple[str, ...], names: list[str]) -> list[Values]:
    if not key:
        return list(rows)
    positions = [names.index(name) for name in key]
    first: dict[Values, Values] = {}
    for row in rows:
        first.setdefault(tuple(row[position] for position in positions), row)
    return list(first.values())


def _of_people(
    spark: SparkSession,
    configuration: Configuration,
    table: str,
    frame: DataFrame,
    kept: list[Values],
    sound: dict[str, DataFrame],
) -> list[Any]:
    """What the product finds of people whose tables do not go together, and of years without claims."""
    schema = frame.select(*TABLES[table].values, "year").schema
    tables = {SILVER[name].name: rows for name, rows in sound.items()}
    tables[SILVER[table].name] = spark.createDataFrame(kept, schema)
    service_dates = [row[TABLES["claims"].values.index("service_date")] for row in kept] if table == "claims" else []
    days: Counter[date] = Counter(service_dates)
    span = span_of_days(days, configuration.settings.checks.input) if days else None
    facts = span.as_facts() if span else {"lines_by_year": {str(year): 1 for year in YEARS}}
    counts: dict[str, Any] = {f"beneficiaries.{year}": {} for year in YEARS}
    quantities = quantities_of_beneficiaries(
        services_of_years(tables[CLAIMS.name], configuration, YEARS), configuration
    ).drop("beneficiary_id")
    for row in quantities.groupBy("year").sum().collect():
        sums = {name.removeprefix("sum(").removesuffix(")"): value for name, value in row.asDict().items()}
        counts[f"beneficiary_services.{row['year']}"] = sums
    record = SimpleNamespace(count=counts.__setitem__, note=print)
    store = SimpleNamespace(read=lambda of: tables[of.name], spark=spark)
    silver = SilverFacts.of(facts)
    count_input(RunContext(store, configuration, tuple(YEARS), record), silver)  # type: ignore[arg-type]
    return judge_input(counts, silver, YEARS, configuration)


def verdict_of(mutant: Mutant, outcome: Outcome) -> tuple[str, str]:
    """The verdict, and what is wrong if anything is."""
    if outcome.refused:
        return REFUSED, "" if mutant.table in outcome.refused else f"the message names no {mutant.table}"
    expected = meaning(mutant.table, world()[mutant.table])
    if outcome.accepted == expected:
        return SAME, ""
    told = [note for note in outcome.notes if note.startswith((mutant.table, f"The input has no table {mutant.table}"))]
    # Ids are told of as people; what lies beside a table has no column.
    if mutant.column and mutant.kind not in ("ids", "partitions"):
        told = [note for note in told if mutant.column in note or mutant.column == "year"]
    if told:
        return NOTED, ""
    invented, lost = outcome.accepted - expected, expected - outcome.accepted
    rejected = sum(outcome.reasons.values())
    if not invented and lost.total() <= rejected:
        stem = mutant.column.partition("_")[0]
        names = [reason for reason in outcome.reasons if stem in reason or mutant.kind not in ("sentinels", "instants")]
        return NOTED, "" if names else f"the reasons name no {mutant.column}: {outcome.reasons}"
    shown = f"{invented.total()} rows that nobody wrote, such as {next(iter(invented), None)}; {lost.total()} lost"
    return SILENT, f"{shown}; rejected {outcome.reasons}; notes {outcome.notes}"
