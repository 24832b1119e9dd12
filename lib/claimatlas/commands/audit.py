"""``audit``: what a reader could work out of a published folder. It knows nothing of how cells are hidden."""

from __future__ import annotations

import argparse
import json

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.commands.looking import without_spark
from claimatlas.configuration.publication import load_publication
from claimatlas.console.messages import Event, say
from claimatlas.errors import InputError, QualityGateError

DESCRIPTION = "Attack published figures as a reader could, and name every hidden one that can be worked out."
_MAX_NAMED = 50
EXAMPLE = "FOLDER"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("folder", metavar="FOLDER", type=options.path, help="folder with published/ in it")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON on standard output")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="fail for every hidden figure with fewer than k possible values too, though nothing tells that it is "
        "sensitive",
    )
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code: 3 when something can be worked out."""
    return guarded(lambda: _audit(arguments))


def _audit(arguments: argparse.Namespace) -> None:
    try:
        from claimatlas.auditing.run import audit  # noqa: PLC0415 - numpy may be missing
    except ModuleNotFoundError as error:
        raise InputError(f"There is no package {error.name} here: install claimatlas[publish].") from None
    configuration = options.configuration_of(arguments, "")
    publication = load_publication(configuration)
    with without_spark():
        found = audit(arguments.folder, configuration, publication, lambda message: say(Event.MESSAGE, message))
    named = found.texts(strict=arguments.strict)
    if arguments.json:
        record = {"hidden": found.hidden, "programs": found.programs, "narrow": found.narrow, "findings": named}
        print(json.dumps(record, indent=2))
    elif named:
        print("\n".join(named[:_MAX_NAMED]))
    if named:
        raise QualityGateError(f"{len(named)} hidden figures can be worked out, or bounded too closely.")
    say(
        Event.SUMMARY,
        f"nothing sensitive can be worked out of {found.hidden:,} hidden figures ({found.programs:,} programs); "
        f"{found.narrow:,} of them, or of their differences, have fewer than {publication.k} possible values, and "
        "nothing tells whether those are sensitive.",
    )
