"""``generate``: nothing in, synthetic claims and the truth about them out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.configuration import Configuration
from claimatlas.configuration.weights import has_weights
from claimatlas.console.messages import Event, say
from claimatlas.errors import InputError
from claimatlas.spark.session import LocalSpark, get_session
from claimatlas.spark.settings import Work
from claimatlas.synthetic import Output, Parameters, generate, parse_years
from claimatlas.synthetic.parameters import FIRST_YEAR, LAST_YEAR
from claimatlas.synthetic.weighted_output import MAPPING, generate_by_weights, needs_mapping

DESCRIPTION = "Make synthetic claims, population and hospital stays, and the truth about them."
EXAMPLE = "--output DIR --beneficiaries 10000 --years 2022-2023 --seed 1"
_LIGHT_BENEFICIARY_YEARS = 30_000
"""Up to so many, code that takes Java long to compile does not pay."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--output", metavar="DIR", type=options.path, required=True, help="folder to fill")
    parser.add_argument(
        "--beneficiaries", metavar="N", type=int, required=True, help="persons insured in the first year"
    )
    parser.add_argument(
        "--years", metavar="YEARS", required=True, help=f"such as 2022-2024, from {FIRST_YEAR} to {LAST_YEAR}"
    )
    parser.add_argument(
        "--seed",
        metavar="S",
        type=int,
        required=True,
        help="any whole number; the same one gives the same rows",
    )
    parser.add_argument(
        "--dirty",
        metavar="SHARE",
        type=float,
        default=0.0,
        help="add rows that must be rejected, about this share of all, such as 0.002 (default: none)",
    )
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="default: parquet")
    parser.add_argument("--overwrite", action="store_true", help="replace the tables of a folder that is not empty")
    parser.add_argument(
        "--counts",
        action="store_true",
        help="draw the cells of gold as counts, without claims, and publish them as release 1 (without Spark; needs "
        "claimatlas[publish])",
    )
    parser.add_argument("--json", action="store_true", help="print generate.json on standard output")
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    return guarded(lambda: _draw(arguments) if arguments.counts else _generate(arguments))


def _draw(arguments: argparse.Namespace) -> None:
    try:
        from claimatlas.synthetic.counts import drawn_indicators, write_counts  # noqa: PLC0415 - numpy is not needed for claims
    except ModuleNotFoundError as error:
        raise InputError(f"--counts: there is no package {error.name} here: install claimatlas[publish].") from None
    if arguments.beneficiaries < 1:
        raise InputError(f"--beneficiaries {arguments.beneficiaries}: give at least one.")
    first, last = parse_years(arguments.years)
    years = range(first, last + 1)
    configuration = options.configuration_of(arguments)
    number = write_counts(configuration, arguments.output, years, arguments.beneficiaries, arguments.seed)
    drawn = drawn_indicators(configuration)
    left_out = [indicator.id for indicator in configuration.indicators if indicator not in drawn]
    if left_out:
        say(
            Event.MESSAGE, f"Not drawn, as medians and standardised rates follow from no counts: {', '.join(left_out)}."
        )
    say(
        Event.SUMMARY,
        f"{number:,} cells of gold in {arguments.output}, release 1",
        {"rows": {"gold": number}, "output": arguments.output},
    )


def _generate(arguments: argparse.Namespace) -> None:
    first_year, last_year = parse_years(arguments.years)
    parameters = Parameters(
        beneficiaries=arguments.beneficiaries,
        first_year=first_year,
        last_year=last_year,
        seed=arguments.seed,
        dirty=arguments.dirty,
        format=arguments.format,
    )
    configuration = options.configuration_of(arguments, "claimatlas generate")
    if has_weights(configuration.folder):
        _generate_by_weights(arguments, parameters, configuration)
        return
    number = parameters.beneficiaries * (last_year - first_year + 1)
    local = LocalSpark(work=Work.LIGHT if number <= _LIGHT_BENEFICIARY_YEARS else Work.MUCH)
    output = Output(get_session("claimatlas generate", local), arguments.output, overwrite=arguments.overwrite)
    _say_what_was_written(
        generate(output, parameters, configuration, lambda message: say(Event.MESSAGE, message)), arguments
    )


def _generate_by_weights(arguments: argparse.Namespace, parameters: Parameters, configuration: Configuration) -> None:
    record = generate_by_weights(
        arguments.output,
        parameters,
        configuration,
        overwrite=arguments.overwrite,
        progress=lambda message: say(Event.MESSAGE, message),
    )
    _say_what_was_written(record, arguments, are_spans=configuration.settings.population.are_spans)
    if needs_mapping(configuration):
        say(
            Event.MESSAGE,
            f"The tables have the names of claimatlas, not those of the configuration's sender: read them with "
            f"--mapping {Path(arguments.output) / MAPPING}",
        )


def _say_what_was_written(record: Mapping[str, Any], arguments: argparse.Namespace, *, are_spans: bool = False) -> None:
    rows = record["rows"]
    of_population = "spans of enrolment" if are_spans else "beneficiary-years"
    say(
        Event.SUMMARY,
        f"{rows['claims']:,} claim lines, {rows['population']:,} {of_population}, "
        f"{rows['hospital_stays']:,} hospital stays, {rows['truth/deliveries']:,} deliveries in {arguments.output}",
        {"rows": rows, "output": arguments.output},
    )
    if arguments.json:
        print(json.dumps(record, indent=2))
