"""The stages that several jobs have: which silver they use, the deliveries, the indicators."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.indicators_stage import compute_indicators, warn_of_years_without_dimensions
from claimatlas.cells.members import require_columns_of_dimensions
from claimatlas.checks.findings import out_of_bounds
from claimatlas.checks.input import judge_input, stray_lines_as_text
from claimatlas.checks.input_counts import count_input
from claimatlas.checks.people import examples_of_places
from claimatlas.checks.release import require_publishable
from claimatlas.claims.netting import indicator_lines
from claimatlas.comparisons.comparisons_stage import compare_places
from claimatlas.deliveries import delivery_marker
from claimatlas.deliveries.deliveries_stage import compute_deliveries, warn_of_years_without_flags
from claimatlas.errors import InputError, QualityGateError
from claimatlas.increments.increment_stage import Increment, find_increment, replace_deliveries, update_cells
from claimatlas.ingest.inputs import IngestOptions, InputPaths
from claimatlas.ingest.look import Found
from claimatlas.ingest.merge.batch import add
from claimatlas.ingest.replace_silver import ingest
from claimatlas.ingest.silver_marker import facts_of_silver
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.tables import releases
from claimatlas.tables.schemas import CLAIMS, SILVER_INPUTS, deliveries_table


def ingest_input(context: RunContext, paths: InputPaths, found: Found, ingest_options: IngestOptions) -> None:
    """Replace silver by the input, or merge it as a further batch; ``found``: what ``look_at_input`` found."""
    take = add if ingest_options.add else ingest
    take(context, paths, found, ingest_options)


def require_fitting_deliveries(context: RunContext) -> None:
    """Refuse an output whose deliveries have other columns, before anything is read: later it would cost minutes.

    Raises:
        InputError: the columns differ, and not only in flags.
    """
    context.store.require_fitting(deliveries_table(context.configuration))


def use_silver(context: RunContext) -> SilverFacts:
    """The silver that the job computes from, which its record names.

    Raises:
        InputError: there is none, its ingest did not finish, or it has no population of a year.
    """
    facts = facts_of_silver(context.store)
    missing = sorted(set(context.years) - set(facts["population_years"]))
    if missing:
        raise InputError(f"The population in silver has no row for {', '.join(map(str, missing))}.")
    require_columns_of_dimensions(context.store, context.configuration)
    versions = {table.name: context.store.version(table) for table in SILVER_INPUTS}
    noted = {**facts, "versions": versions}
    context.record.note("silver", noted)
    return SilverFacts.of(noted)


def read_source(context: RunContext, silver: SilverFacts, *, only_changes: bool = False) -> DataFrame | Increment:
    """The stage that reads from silver, once, the rows that later stages compute from.

    Gives back the claim lines of deliveries and of services counted per beneficiary; or, with ``only_changes``, the
    change by the batches since the published run, unless a full run is needed.
    """
    with context.record.stage("reading"):
        change = find_increment(context, silver) if only_changes else None
        if change is not None:
            return change
        context.record.progress("reading: the claim lines that deliveries and services are counted from")
        lines = indicator_lines(context.store.read(CLAIMS), context.configuration)
        return context.store.materialise(lines, "indicator_lines")


def form_deliveries(context: RunContext, silver: SilverFacts, source: DataFrame | Increment) -> None:
    """The stage that replaces the deliveries of the job's years.

    ``source``: the lines of ``read_source``, or what changed since they were formed.
    """
    table = deliveries_table(context.configuration)
    with context.record.stage("deliveries"):
        delivery_marker.clear(context.store, table, context.years)
        if isinstance(source, Increment):
            replace_deliveries(context, silver, source)
        else:
            compute_deliveries(context, silver, source)
        flags = sorted(context.configuration.services.delivery_flags)
        origin = {**_origin(context, silver), "run": context.record.run_id, delivery_marker.FLAGS: flags}
        delivery_marker.mark_complete(context.store, table, context.years, origin)
        warn_of_years_without_flags(context.store, context.configuration, context.record)
    context.record.note("deliveries_run", {str(year): context.record.run_id for year in context.years})


def require_deliveries(context: RunContext, silver: SilverFacts) -> None:
    """Refuse to count deliveries that were not computed from the present silver.

    Raises:
        InputError: naming the years.
    """
    table = deliveries_table(context.configuration)
    origins = delivery_marker.origins(context.store, table, context.years)
    expected = _origin(context, silver)
    missing = [
        str(year)
        for year, origin in origins.items()
        if any(origin.get(name) != value for name, value in expected.items())
    ]
    if missing:
        raise InputError(
            f"{table.name} in {context.store.root} is missing or out of date for {', '.join(missing)} (made from other "
            "silver or with another configuration): run `claimatlas deliveries` first."
        )
    context.record.note("deliveries_run", {str(year): origin["run"] for year, origin in origins.items()})


def _origin(context: RunContext, silver: SilverFacts) -> dict[str, str]:
    """The origin of deliveries: the ingest, and the parts of the configuration that form them."""
    hashes = context.record.hashes
    return {"ingest": silver.run_id} | {
        part: hashes[part] for part in ("settings", "services", "code_lists", "geography", "sector_table")
    }


def publish_indicators(
    context: RunContext, silver: SilverFacts, source: DataFrame | Increment, given: date | None, *, allow_drift: bool
) -> None:
    """The stage that replaces the cells of the job's years.

    ``given``: the last day that the claims reach; ``source``: the lines of ``read_source``, or what changed since
    the cells were published; ``allow_drift``: values may move as far as they do.

    Raises:
        QualityGateError: what was written may not be published; gold is as it was.
    """
    with context.record.stage("indicators"):
        through = complete_through(context, silver, given)
        releases.begin(context.store)
        try:
            if isinstance(source, Increment):
                update_cells(context, silver, through, source)
            else:
                compute_indicators(context, silver, through, source)
            require_sound_input(context, silver, given)
            compare_places(context)
            warn_of_years_without_dimensions(context.store, context.configuration, context.record)
            require_publishable(context, context.record.counts, allow_drift=allow_drift)
        except BaseException:
            # Nothing was published: readers of the newest versions must not find it either.
            releases.restore(context.store)
            raise
        context.record.publishes = True


def require_sound_input(context: RunContext, silver: SilverFacts, given: date | None) -> None:
    """Warn about odd input of the years, and stop if there is too much of it to publish.

    ``given``: the last day that the claims are said to reach.

    Raises:
        QualityGateError: naming every share beyond its bound.
    """
    count_input(context, silver)
    for sentence in stray_lines_as_text(silver):
        context.record.warn(sentence)
    if given and silver.last_service_date and silver.last_service_date > given:
        after = context.store.read(CLAIMS).where(F.col("service_date") > F.lit(given)).count()
        context.record.warn(f"claims: {after:,} lines lie after {given}, when the claims are said to end; they count.")
    findings = judge_input(context.record.counts, silver, context.years, context.configuration)
    examples = examples_of_places(context.store, context.configuration, findings)
    for finding in findings:
        example = examples.get((str(finding.subject["share"]), finding.subject.get("year")))
        context.record.warn(finding.sentence + (f" The commonest is {example!r}." if example else ""))
    if wrong := out_of_bounds(findings):
        said = " ".join(finding.sentence for finding in wrong)
        names = ", ".join(dict.fromkeys(f"checks.input.{finding.subject['share']}.stop" for finding in wrong))
        raise QualityGateError(f"Nothing was published: {said} The bounds are the settings {names}.")


def complete_through(context: RunContext, silver: SilverFacts, given: date | None) -> date | None:
    """The last day that the claims reach: as given, else the latest accepted service date."""
    day = given or silver.last_service_date
    context.record.note("complete_through", day.isoformat() if day else None)
    return day
