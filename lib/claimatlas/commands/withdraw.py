"""``withdraw``: take a published release out of force. The site shows the release before it, and an erratum."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from claimatlas.commands import options, publish
from claimatlas.commands.guard import guarded
from claimatlas.commands.looking import require_packages, without_spark
from claimatlas.configuration.atlas import load_atlas
from claimatlas.configuration.publication import load_publication
from claimatlas.console.messages import Event, say
from claimatlas.errors import InputError
from claimatlas.tables.schemas import WITHDRAWALS

DESCRIPTION = "Withdraw a published release: write the site anew from the release before it, with an erratum."
EXAMPLE = "--output OUT --site SITE --release 3 --reason 'Doubled claims of one fund' --approved-by NAME"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    publish.add_site(parser)
    parser.add_argument("--release", metavar="N", type=int, required=True, help="the published release")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="why, as readers are told")
    parser.add_argument("--approved-by", metavar="NAME", required=True, help="who decided it")
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    return guarded(lambda: _withdraw(arguments))


def _withdraw(arguments: argparse.Namespace) -> None:
    require_packages(*publish.PACKAGES)
    from claimatlas.atlas.building import check_folder  # noqa: PLC0415 - see require_packages
    from claimatlas.atlas.reading import PublishedCells, first_published, withdrawals_of  # noqa: PLC0415
    from claimatlas.tables.local_table import write_rows  # noqa: PLC0415

    configuration = options.configuration_of(arguments, "")
    target = check_folder(arguments.output, arguments.site)
    output = arguments.output
    if not arguments.reason.strip():
        raise InputError("--reason: say why; readers are told.")
    with without_spark():
        published = first_published(output)
        if arguments.release not in published:
            there = ", ".join(map(str, published)) or "none"
            raise InputError(f"--release {arguments.release}: it was never published; published are {there}.")
        withdrawn = withdrawals_of(output)
        if arguments.release not in withdrawn:
            row = (arguments.release, datetime.now(UTC), arguments.approved_by, arguments.reason.strip())
            write_rows(output, WITHDRAWALS, [row], append=True)
        in_force = [number for number in published if number not in withdrawn and number != arguments.release]
        number = in_force[-1] if in_force else arguments.release
        publishing = publish.Publishing(
            output,
            configuration,
            load_atlas(configuration),
            load_publication(configuration),
            arguments.languages,
            arguments.synthetic or publish.is_synthetic(output, number),
            is_withdrawn=not in_force,
        )
        cells = PublishedCells(output, number)
        publish.write(publishing, target, cells, published[number])
    shows = f"the site shows release {number}" if in_force else "no release is in force, and the site says so"
    say(
        Event.SUMMARY,
        f"release {arguments.release} is withdrawn; {shows}. Gold still has it: `claimatlas rollback` makes a new "
        "release from an earlier one.",
        {"withdrawn": arguments.release, "in_force": number if in_force else None},
    )
