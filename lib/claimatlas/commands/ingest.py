"""``ingest``: raw claims in, silver out."""

from __future__ import annotations

import argparse

from claimatlas.commands import options
from claimatlas.commands.job import Job, run_job
from claimatlas.commands.stages import ingest_input
from claimatlas.configuration import Configuration
from claimatlas.errors import InputError
from claimatlas.ingest.look import Found, look_at_input
from claimatlas.runs.context import RunContext

DESCRIPTION = (
    "Replace silver by the accepted rows of the input, or add to it; rejected rows are kept with their reasons."
)
EXAMPLE = "--input DIR --output OUT"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_input(parser, required=True)
    options.add_output(parser)
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    paths = options.input_of(arguments)

    found: Found = {}

    def before(configuration: Configuration) -> None:
        if not paths.given:
            raise InputError("Give --input, or a path for each table.")
        options.ingest_options_of(arguments, ())
        found.update(look_at_input(paths, configuration, is_added=arguments.add))

    def body(context: RunContext) -> None:
        with context.record.stage("ingest"):
            ingest_input(context, paths, found, options.ingest_options_of(arguments, ()))

    return run_job(Job("ingest", 1, lambda _: (), body, before), arguments)
