"""``describe``: write the indicators' methodology sheets. It needs neither Spark nor Java."""

from __future__ import annotations

import argparse
from pathlib import Path

from claimatlas.commands import options
from claimatlas.console.messages import Event, complain, say
from claimatlas.errors import ClaimatlasError, InputError
from claimatlas.sheets.files import FORMATS, sheet_files

DESCRIPTION = "Write a methodology sheet of each declared indicator, from the configuration that is computed."
EXAMPLE = "--output SHEETS --language en nl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=options.path,
        required=True,
        help="folder of the sheets, one subfolder a language",
    )
    parser.add_argument(
        "--language",
        action="extend",
        nargs="+",
        metavar="LANGUAGE",
        dest="languages",
        help="the sheets' languages (default: all of the setting languages)",
    )
    parser.add_argument(
        "--indicator",
        metavar="ID",
        action="extend",
        nargs="+",
        default=[],
        dest="indicators",
        help="the sheets of these indicators only, without an index (default: all, with an index)",
    )
    parser.add_argument(
        "--format",
        action="extend",
        nargs="+",
        choices=FORMATS,
        dest="formats",
        help="the files' formats (default: all)",
    )
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    try:
        _describe(arguments)
    except ClaimatlasError as error:
        complain(str(error), error.exit_code)
        return error.exit_code
    return 0


def _describe(arguments: argparse.Namespace) -> None:
    configuration = options.configuration_of(arguments)
    # Make all texts before writing: a mistake then leaves nothing half written.
    files = sheet_files(
        configuration,
        arguments.languages or configuration.settings.languages,
        arguments.formats or FORMATS,
        arguments.indicators,
    )
    root = Path(arguments.output)
    try:
        for name, text in files.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{error.filename or root} cannot be written: {error.strerror}.") from None
    say(Event.MESSAGE, f"{len(files)} files written to {root}.", {"files": len(files)})
