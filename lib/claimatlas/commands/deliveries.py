"""``deliveries``: silver claims in, ``silver/deliveries`` out."""

from __future__ import annotations

import argparse

from claimatlas.commands import options
from claimatlas.commands.job import Job, run_job
from claimatlas.commands.stages import form_deliveries, read_source, require_fitting_deliveries, use_silver
from claimatlas.runs.context import RunContext

DESCRIPTION = "Form the delivery episodes of the given years, with the contacts around them, from silver."
EXAMPLE = "--output OUT --year 2022-2023"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_output(parser)
    options.add_years(parser)
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""

    def body(context: RunContext) -> None:
        require_fitting_deliveries(context)
        silver = use_silver(context)
        form_deliveries(context, silver, read_source(context, silver))

    job = Job("deliveries", 2, lambda configuration: options.years_of(arguments, configuration), body)
    return run_job(job, arguments)
