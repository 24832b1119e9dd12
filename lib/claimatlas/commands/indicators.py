"""``indicators``: silver in, gold out."""

from __future__ import annotations

import argparse

from claimatlas.commands import options
from claimatlas.commands.job import Job, run_job
from claimatlas.commands.stages import publish_indicators, read_source, require_deliveries, use_silver
from claimatlas.runs.context import RunContext

DESCRIPTION = "Compute every declared indicator of the given years from silver; run deliveries first."
EXAMPLE = "--output OUT --year 2022-2023 --complete-through 2024-06-30"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_output(parser)
    options.add_years(parser)
    options.add_complete_through(parser)
    options.add_allow_drift(parser)
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""

    def body(context: RunContext) -> None:
        silver = use_silver(context)
        require_deliveries(context, silver)
        lines = read_source(context, silver)
        publish_indicators(context, silver, lines, arguments.complete_through, allow_drift=arguments.allow_drift)

    job = Job("indicators", 2, lambda configuration: options.years_of(arguments, configuration), body)
    return run_job(job, arguments)
