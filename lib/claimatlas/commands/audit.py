"""``audit``: find what a reader could work out from a published folder. It does not know how cells are hidden."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.commands.looking import require_packages, without_spark
from claimatlas.configuration.known_counts import read_known_counts
from claimatlas.configuration.publication import load_publication
from claimatlas.console.messages import Event, say
from claimatlas.errors import QualityGateError

if TYPE_CHECKING:
    from claimatlas.auditing.run import Findings

DESCRIPTION = "Attack published figures as a reader could, and name every hidden one that can be worked out."
_MAX_NAMED = 50
_COUNTS = ("hidden", "determined", "unplanned", "programs", "undecided", "unsettled")
KINDS = ("shown", "small", "full", "determined", "narrow", "insider")
EXAMPLE = "FOLDER"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "folder", metavar="FOLDER", type=options.path, help="folder with published/, or with the downloaded CSV files"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON on standard output")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="name and fail for every hidden figure with one value, or with fewer than k that may be sensitive, too",
    )
    options.add_known(parser)
    options.add_processes(parser)
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code: 3 when something can be worked out."""
    return guarded(lambda: _audit(arguments))


def _audit(arguments: argparse.Namespace) -> None:
    require_packages("highspy", "numpy")
    from claimatlas.auditing.run import Attempt, audit  # noqa: PLC0415 - numpy may be missing

    configuration = options.configuration_of(arguments, "")
    publication = load_publication(configuration)
    known = read_known_counts(arguments.known, configuration, publication)
    with without_spark():
        attempt = Attempt(known, is_strict=arguments.strict)
        found = audit(arguments.folder, configuration, publication, options.workers_of(arguments), attempt)
    named = found.texts(strict=arguments.strict)
    if arguments.json:
        print(json.dumps(_record(found, named), indent=2))
    elif named:
        print("\n".join(named[:_MAX_NAMED]))
        print(f"and {len(named) - _MAX_NAMED:,} more: --json has all") if len(named) > _MAX_NAMED else None
    left = found.undecided + (found.unsettled if arguments.strict else 0)
    if left:
        raise QualityGateError(f"The programs left {left:,} figures undecided.")
    if named:
        raise QualityGateError(f"{len(named):,} figures can be worked out, or bounded too closely.")
    unsettled = f" It settles {found.unsettled:,} more too." if found.unsettled else ""
    say(
        Event.SUMMARY,
        f"nothing sensitive can be worked out of {found.hidden:,} hidden figures ({found.programs:,} programs); "
        f"{found.determined:,} of them have one value, and {found.number('narrow'):,} figures or differences fewer "
        f"than {publication.k}; whether those are sensitive is not known, and --strict names them.{unsettled}",
    )


def _record(found: Findings, named: list[str]) -> dict[str, Any]:
    """The findings as plain data. remarks: what can be worked out, but is not proved to be sensitive."""
    counts = {name: getattr(found, name) for name in _COUNTS}
    kinds = {kind: found.number(kind) for kind in KINDS}
    seconds = {step: round(value, 1) for step, value in found.seconds.items()}
    return {**counts, "kinds": kinds, "seconds": seconds, "findings": named, "remarks": found.remarks()}
