"""``codelists``: check the code lists for typing errors."""

from __future__ import annotations

import argparse

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.configuration.codelists import find_empty, find_mistakes
from claimatlas.console.messages import Event, say
from claimatlas.errors import InputError

DESCRIPTION = "Check the code lists: check digits, duplicate rows, overlapping validities, empty lists."
EXAMPLE = "--conf DIR"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code: 2 when there are mistakes; empty lists are only noted."""
    return guarded(lambda: _check(arguments))


def _check(arguments: argparse.Namespace) -> None:
    configuration = options.configuration_of(arguments)
    code_lists = configuration.code_lists
    for name, code_list in code_lists.items():
        by_status: dict[str, int] = {}
        for row in code_list.rows:
            by_status[row.status] = by_status.get(row.status, 0) + 1
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(by_status.items()))
        print(f"{name}: {len(code_list.rows)} rows" + (f" ({statuses})" if statuses else ""))
    for sentence in find_empty(code_lists):
        say(Event.NOTE, sentence)
    mistakes = list(find_mistakes(code_lists, configuration.settings.codes))
    if mistakes:
        raise InputError("\n".join(mistakes))
