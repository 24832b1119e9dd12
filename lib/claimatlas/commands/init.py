"""``init``: write a configuration to start from. It needs neither Spark nor Java."""

from __future__ import annotations

import argparse
from pathlib import Path

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.configuration.starters import STARTERS, write_starter
from claimatlas.console.messages import Event, say

DESCRIPTION = "Write a configuration folder to start from, with comments: that of Belgium, or a small one."
EXAMPLE = "my-conf --from minimal"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("folder", metavar="DIR", type=options.path, help="folder to write: a new one, or an empty one")
    parser.add_argument(
        "--from",
        choices=STARTERS,
        required=True,
        dest="starter",
        help="belgium: a copy of the configuration that ships; minimal: a small commented file of each kind",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    return guarded(lambda: _init(arguments))


def _init(arguments: argparse.Namespace) -> None:
    count = write_starter(arguments.starter, Path(arguments.folder))
    message = f"{count} files written to {arguments.folder}. Check them with: claimatlas validate --conf"
    say(Event.MESSAGE, f"{message} {arguments.folder}", {"files": count})
