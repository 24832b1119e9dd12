"""``validate``: check a whole configuration. It needs neither Spark nor Java."""

from __future__ import annotations

import argparse

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.configuration import Configuration
from claimatlas.configuration.validation import judge
from claimatlas.console.messages import Event, say
from claimatlas.errors import InputError
from claimatlas.sheets.texts import texts_for

DESCRIPTION = (
    "Check a configuration folder: settings, services, code lists, mappings, indicators, geography, publication, names "
    "of the sheets. Every mistake is named by file, line and key (exit code 2). No data is read."
)
EXAMPLE = "--conf DIR"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code: 2 when there are mistakes; notes end with 0."""
    return guarded(lambda: _validate(arguments))


def _validate(arguments: argparse.Namespace) -> None:
    verdict = judge(arguments.conf, arguments.overrides, arguments.mapping)
    for note in verdict.notes:
        say(Event.NOTE, note)
    mistakes = [*verdict.mistakes, *(_mistakes_of_sheets(verdict.configuration) if verdict.configuration else ())]
    if mistakes:
        raise InputError("\n".join(mistakes))
    for sentence in verdict.found:
        print(sentence)
    print("The configuration is right: no mistake was found.")


def _mistakes_of_sheets(configuration: Configuration) -> list[str]:
    """What is wrong with the names and texts of the methodology sheets, each mistake once."""
    mistakes: dict[str, None] = {}
    for language in configuration.settings.languages:
        try:
            texts_for(configuration, language)
        except InputError as error:
            mistakes |= dict.fromkeys(str(error).splitlines())
    return list(mistakes)
