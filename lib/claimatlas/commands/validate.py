"""``validate``: check a whole configuration. It needs neither Spark nor Java."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.configuration.validation import judge
from claimatlas.errors import InputError
from claimatlas.messages import Event, say

DESCRIPTION = (
    "Check a configuration folder: settings, services, code lists, mappings, indicators, geography, publication. "
    "Every mistake is named by file, line and key (exit code 2). No data is read."
)
EXAMPLE = "--conf DIR"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give back its exit code: 2 when there are mistakes; notes end with 0."""
    parser = options.CommandParser("validate", DESCRIPTION, EXAMPLE)
    options.add_configuration(parser)
    arguments = parser.parse_args(argv)
    return guarded(lambda: _validate(arguments))


def _validate(arguments: argparse.Namespace) -> None:
    verdict = judge(arguments.conf, arguments.overrides, arguments.mapping)
    for note in verdict.notes:
        say(Event.NOTE, note)
    if verdict.mistakes:
        raise InputError("\n".join(verdict.mistakes))
    for sentence in verdict.found:
        print(sentence)
    print("The configuration is right: no mistake was found.")
