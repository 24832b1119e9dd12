"""The stages that several jobs have: which silver they use, the deliveries, the indicators."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.indicators_stage import compute_indicators
from claimatlas.checks.findings import beyond
from claimatlas.checks.input import judge_input, strays_said
from claimatlas.checks.people import count_people, examples_of_places
from claimatlas.checks.release import require_publishable
from claimatlas.claims.netting import indicator_lines
from claimatlas.commands.job import Job
from claimatlas.comparisons.comparisons_stage import compare_places
from claimatlas.deliveries import delivery_marker
from claimatlas.deliveries.deliveries_stage import compute_deliveries, warn_of_years_without_flags
from claimatlas.errors import InputError, QualityGateError
from claimatlas.increments.increment_stage import Increment, find_increment, move_indicators, replace_deliveries
from claimatlas.ingest.inputs import IngestOptions, InputPaths
from claimatlas.ingest.look import Found
from claimatlas.ingest.merge.batch import add
from claimatlas.ingest.replace_silver import ingest
from claimatlas.ingest.silver_marker import facts_of_silver
from claimatlas.tables import releases
from claimatlas.tables.schemas import CLAIMS, SILVER_INPUTS, deliveries_table


def take_in_input(job: Job, paths: InputPaths, found: Found, ingest_options: IngestOptions) -> None:
    """Replace silver by the input, or merge it as a further batch; ``found``: what ``look_at_input`` found."""
    take = add if ingest_options.add else ingest
    take(job.store, paths, found, job.configuration, ingest_options, job.record)


def require_fitting_deliveries(job: Job) -> None:
    """Refuse an output whose deliveries have other columns before anything is read: it costs minutes to find out later.

    Raises:
        InputError: they have, and not only other flags.
    """
    job.store.require_fitting(deliveries_table(job.configuration))


def use_silver(job: Job) -> None:
    """Note which silver the job computes from.

    Raises:
        InputError: there is none, its ingest did not finish, or it has no population of a year.
    """
    facts = facts_of_silver(job.store)
    missing = sorted(set(job.years) - set(facts["population_years"]))
    if missing:
        raise InputError(f"The population in silver has no row for {', '.join(map(str, missing))}.")
    versions = {table.name: job.store.version(table) for table in SILVER_INPUTS}
    job.record.note("silver", {**facts, "versions": versions})


def read_source(job: Job, *, only_changes: bool = False) -> DataFrame | Increment:
    """The stage that reads out of silver, once, what the later ones compute from.

    Gives back the claim lines of deliveries and of services counted per beneficiary; or, with ``only_changes``, what
    the batches since the published run changed, unless everything must be computed.
    """
    with job.record.stage("reading"):
        change = find_increment(job.store, job.configuration, job.years, job.record) if only_changes else None
        if change is not None:
            return change
        job.record.progress("reading: the claim lines that deliveries and services are counted from")
        return job.store.materialise(indicator_lines(job.store.read(CLAIMS), job.configuration), "indicator_lines")


def form_deliveries(job: Job, source: DataFrame | Increment) -> None:
    """The stage that replaces the deliveries of the job's years.

    ``source``: the lines of ``read_source``, or what changed since they were formed.
    """
    table = deliveries_table(job.configuration)
    of_job = (job.configuration, job.years, job.record)
    with job.record.stage("deliveries"):
        delivery_marker.clear(job.store, table, job.years)
        if isinstance(source, Increment):
            replace_deliveries(job.store, source, *of_job)
        else:
            compute_deliveries(job.store, *of_job, source)
        flags = sorted(job.configuration.services.delivery_flags)
        delivery_marker.mark_complete(
            job.store, table, job.years, {**_origin(job), "run": job.record.run_id, delivery_marker.FLAGS: flags}
        )
        warn_of_years_without_flags(job.store, job.configuration, job.record)
    job.record.note("deliveries_run", {str(year): job.record.run_id for year in job.years})


def require_deliveries(job: Job) -> None:
    """Refuse to count deliveries that were not computed from the silver that is there: none is not zero.

    Raises:
        InputError: naming the years.
    """
    table = deliveries_table(job.configuration)
    origins = delivery_marker.origins(job.store, table, job.years)
    expected = _origin(job)
    missing = [
        str(year)
        for year, origin in origins.items()
        if any(origin.get(name) != value for name, value in expected.items())
    ]
    if missing:
        raise InputError(
            f"{table.name} in {job.store.root} is missing or out of date for {', '.join(missing)} (made from other "
            "silver or with another configuration): run `claimatlas deliveries` first."
        )
    job.record.note("deliveries_run", {str(year): origin["run"] for year, origin in origins.items()})


def _origin(job: Job) -> dict[str, str]:
    """What deliveries depend on: the ingest, and the parts of the configuration that they are formed by."""
    hashes = job.record.hashes
    return {"ingest": job.record.notes["silver"]["run_id"]} | {
        part: hashes[part] for part in ("settings", "services", "code_lists", "geography", "sector_table")
    }


def publish_indicators(job: Job, given: date | None, source: DataFrame | Increment, *, allow_drift: bool) -> None:
    """The stage that replaces the cells of the job's years.

    ``given``: the last day that the claims reach; ``source``: the lines of ``read_source``, or what changed since
    the cells were published; ``allow_drift``: values may move as far as they do.

    Raises:
        QualityGateError: what was written may not be published; gold is as it was.
    """
    with job.record.stage("indicators"):
        through = complete_through(job, given)
        releases.begin(job.store)
        try:
            if isinstance(source, Increment):
                move_indicators(job.store, source, job.configuration, job.years, job.record, through)
            else:
                compute_indicators(job.store, job.configuration, job.years, job.record, through, source)
            require_sound_input(job, given)
            compare_places(job.store, job.configuration, job.years, job.record)
            require_publishable(job.store, job.configuration, job.years, job.record, allow_drift=allow_drift)
        except BaseException:
            # Nothing of it was published: who reads the newest versions shall not find it either.
            releases.restore(job.store)
            raise
        job.record.publishes = True


def require_sound_input(job: Job, given: date | None) -> None:
    """Warn of what is odd in the input of the years, and stop where it is too much to publish.

    ``given``: the last day that the claims are said to reach.

    Raises:
        QualityGateError: naming every share beyond its bound.
    """
    silver = job.record.notes["silver"]
    count_people(job.store, job.configuration, job.years, job.record)
    for sentence in strays_said(silver):
        job.record.warn(sentence)
    if given and silver["last_service_date"] and date.fromisoformat(silver["last_service_date"]) > given:
        after = job.store.read(CLAIMS).where(F.col("service_date") > F.lit(given)).count()
        job.record.warn(f"claims: {after:,} lines lie after {given}, when the claims are said to end; they count.")
    findings = judge_input(job.record.counts, silver, job.years, job.configuration)
    examples = examples_of_places(job.store, job.configuration, findings)
    for finding in findings:
        example = examples.get((str(finding.subject["share"]), finding.subject.get("year")))
        job.record.warn(finding.sentence + (f" The commonest is {example!r}." if example else ""))
    if wrong := beyond(findings):
        said = " ".join(finding.sentence for finding in wrong)
        names = ", ".join(dict.fromkeys(f"checks.input.{finding.subject['share']}.stop" for finding in wrong))
        raise QualityGateError(f"Nothing was published: {said} The bounds are the settings {names}.")


def complete_through(job: Job, given: date | None) -> date | None:
    """The last day that the claims reach: as given, else the latest accepted service date."""
    last = job.record.notes["silver"]["last_service_date"]
    day = given or (date.fromisoformat(last) if last else None)
    job.record.note("complete_through", day.isoformat() if day else None)
    return day
