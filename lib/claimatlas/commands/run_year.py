"""``run_year``: raw claims in, indicator tables out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from claimatlas.cells.run import compute_indicators
from claimatlas.commands import options
from claimatlas.commands.job import Job, complete_through, mark_deliveries, run_job, unmark_deliveries, use_silver
from claimatlas.comparisons.run import compare_places
from claimatlas.deliveries.run import compute_deliveries
from claimatlas.ingest.run import ingest

DESCRIPTION = "Ingest raw claims and compute every declared indicator of the given reference years."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give back its exit code."""
    parser = argparse.ArgumentParser(prog="run_year", description=DESCRIPTION)
    options.add_input(parser, required=False)
    options.add_output(parser)
    options.add_years(parser)
    options.add_complete_through(parser)
    options.add_configuration(parser)
    arguments = parser.parse_args(argv)

    def body(job: Job) -> None:
        paths = options.input_of(arguments)
        if paths.given:
            with job.record.stage("ingest"):
                ingest_options = options.ingest_options_of(arguments, job.years)
                ingest(job.spark, job.store, paths, job.configuration, ingest_options, job.record)
        use_silver(job)
        with job.record.stage("deliveries"):
            unmark_deliveries(job)
            compute_deliveries(job.store, job.configuration, job.years, job.record)
            mark_deliveries(job)
        with job.record.stage("indicators"):
            through = complete_through(job, arguments.complete_through)
            compute_indicators(job.store, job.configuration, job.years, job.record, through)
            compare_places(job.store, job.configuration, job.years, job.record)

    return run_job("run_year", 3, arguments, lambda configuration: options.years_of(arguments, configuration), body)
