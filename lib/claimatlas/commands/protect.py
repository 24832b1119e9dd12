"""``protect``: choose the figures of a release that may be published, and prove the others safe. Without Spark."""

from __future__ import annotations

import argparse

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.commands.looking import require_packages, without_spark
from claimatlas.configuration.known_counts import read_known_counts
from claimatlas.configuration.publication import load_publication
from claimatlas.console.messages import Event, say
from claimatlas.errors import InputError

DESCRIPTION = "Protect the figures of a release: write what may be published as a candidate, once the audit passed."
EXAMPLE = "--output OUT --years 2022-2023"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_tables(parser)
    parser.add_argument("--release", metavar="N", type=int, help="release of gold (default: the newest)")
    parser.add_argument(
        "--years",
        metavar="Y,...",
        dest="year_groups",
        action="extend",
        nargs="+",
        type=options.years_in,
        help="years to protect, such as 2019-2023 (default: all of the release)",
    )
    parser.add_argument(
        "--supersede", metavar="REASON", help="replace a release that was published with other settings"
    )
    options.add_known(parser)
    options.add_processes(parser)
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    return guarded(lambda: _protect(arguments))


def _protect(arguments: argparse.Namespace) -> None:
    require_packages("highspy", "numpy")
    from claimatlas.commands.reviews import ProtectOptions, hash_of, protect_and_review  # noqa: PLC0415 - numpy may be missing
    from claimatlas.protection.candidate import PublishingRules  # noqa: PLC0415
    from claimatlas.protection.gold import release_of, years_of  # noqa: PLC0415

    configuration = options.configuration_of(arguments, "")
    publication = load_publication(configuration)
    known = read_known_counts(arguments.known, configuration, publication)
    with without_spark():
        release = release_of(arguments.output, arguments.release)
        there = years_of(release)
        years = sorted({year for group in arguments.year_groups for year in group}) if arguments.year_groups else there
        for year in years:
            if year not in there:
                others = ", ".join(map(str, there)) or "none"
                raise InputError(f"--years {year}: release {release.number} has no such year; it has {others}.")
        text = protect_and_review(
            arguments.output,
            release,
            years,
            PublishingRules(configuration, publication, known),
            ProtectOptions(options.workers_of(arguments), arguments.supersede),
        )
    print(text)
    say(Event.SUMMARY, f"review report {hash_of(text)}: the candidate is in published/.")
