"""``run_year``: raw claims in, indicator tables out."""

from __future__ import annotations

import argparse

from claimatlas.commands import options
from claimatlas.commands.job import Job, run_job
from claimatlas.commands.stages import (
    form_deliveries,
    ingest_input,
    publish_indicators,
    read_source,
    require_fitting_deliveries,
    use_silver,
)
from claimatlas.configuration import Configuration
from claimatlas.errors import InputError
from claimatlas.ingest.look import Found, look_at_input
from claimatlas.runs.context import RunContext

DESCRIPTION = "Ingest raw claims and compute every declared indicator of the given reference years."
EXAMPLE = "--input DIR --output OUT --year 2023"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_input(parser, required=False)
    options.add_output(parser)
    options.add_years(parser)
    options.add_complete_through(parser)
    options.add_allow_drift(parser)
    parser.add_argument(
        "--full-refresh",
        action="store_true",
        help="with --add: recompute all beneficiaries, not only those whom the batch affects",
    )
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    paths = options.input_of(arguments)

    found: Found = {}

    def before(configuration: Configuration) -> None:
        if arguments.full_refresh and not arguments.add:
            raise InputError("--full-refresh goes with --add: without it everything is computed anyway.")
        if paths.given:
            options.ingest_options_of(arguments, ())
            found.update(look_at_input(paths, configuration, is_added=arguments.add))

    def body(context: RunContext) -> None:
        require_fitting_deliveries(context)
        if paths.given:
            with context.record.stage("ingest"):
                ingest_input(context, paths, found, options.ingest_options_of(arguments, context.years))
        silver = use_silver(context)
        source = read_source(context, silver, only_changes=arguments.add and not arguments.full_refresh)
        form_deliveries(context, silver, source)
        publish_indicators(context, silver, source, arguments.complete_through, allow_drift=arguments.allow_drift)

    stages = 4 if paths.given else 3
    job = Job("run_year", stages, lambda configuration: options.years_of(arguments, configuration), body, before)
    return run_job(job, arguments)
