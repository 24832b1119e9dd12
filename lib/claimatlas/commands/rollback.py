"""``rollback``: publish an earlier release of gold again, or list the releases."""

from __future__ import annotations

import argparse
import json
from typing import Any

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.commands.looking import look, store_of
from claimatlas.console.messages import Event, say
from claimatlas.errors import InputError
from claimatlas.runs.lock import exclusive
from claimatlas.tables.releases import earlier_release, releases, roll_back

APP_NAME = "claimatlas rollback"
DESCRIPTION = "Publish an earlier release of the tables of gold again, all of them together; nothing is lost."
EXAMPLE = "--output OUT --release 3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_tables(parser)
    parser.add_argument(
        "--release", metavar="N", type=int, help="release to go back to (default: the one before the newest)"
    )
    parser.add_argument("--list", action="store_true", help="list the releases, the newest first, and change nothing")
    parser.add_argument("--json", action="store_true", help="with --list: print them as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    return guarded(lambda: _list(arguments) if arguments.list else _roll_back(arguments))


def _list(arguments: argparse.Namespace) -> None:
    found = [_shown(release) for release in look(arguments.output, APP_NAME, releases)]
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=2, sort_keys=True))
        return
    for release in found:
        print("{release:>5}  {published_at}  {run_id}  {note}".format(**release))
    if not found:
        say(Event.NOTE, f"There is no release in {arguments.output}.")


def _shown(release: dict[str, Any]) -> dict[str, Any]:
    return {**release, "published_at": release["published_at"].isoformat(timespec="seconds")}


def _roll_back(arguments: argparse.Namespace) -> None:
    if arguments.json:
        raise InputError("--json goes with --list.")
    # Refuse an unknown release at once, before Spark starts and the output is locked.
    look(arguments.output, APP_NAME, lambda reader: earlier_release(reader, arguments.release))
    store = store_of(arguments.output, APP_NAME)
    with exclusive(store):
        earlier, number = roll_back(store, arguments.release)
    say(Event.MESSAGE, f"release {number} publishes what release {earlier} did.", {"release": number, "as": earlier})
