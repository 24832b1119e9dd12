"""``explain``: where a published number comes from."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.commands.looking import look, store_of
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.explanations.cell import CellKey, Counted
from claimatlas.explanations.explain import CountBeneficiaries, explain_cell
from claimatlas.explanations.text import as_text
from claimatlas.runs.lock import workspace

APP_NAME = "claimatlas explain"
DESCRIPTION = "Explain one published cell: its value, how it was formed, and from what."
EXAMPLE = "--output OUT --indicator cube_007_008a --year 2022 --geo 10000 --geo-level province"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_tables(parser)
    parser.add_argument("--indicator", metavar="ID", required=True)
    parser.add_argument("--year", metavar="YEAR", type=options.one_year, required=True)
    parser.add_argument("--geo", metavar="CODE", required=True, help="code of the place or hospital")
    parser.add_argument("--geo-level", metavar="LEVEL", help="its level, where several have the code")
    parser.add_argument(
        "--split",
        metavar="DIMENSION=VALUE",
        action="append",
        default=[],
        type=_split,
        help="the cell's value in a dimension, such as sex=female; any number of times",
    )
    parser.add_argument(
        "--recount",
        action="store_true",
        help="count the beneficiaries of a cell again too, in all of silver: by Spark, it takes minutes",
    )
    parser.add_argument("--json", action="store_true", help="print the explanation as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    return guarded(lambda: _explain(arguments))


def _explain(arguments: argparse.Namespace) -> None:
    key = CellKey(arguments.indicator, arguments.year, arguments.geo, arguments.geo_level, dict(arguments.split))
    count = _count_beneficiaries(arguments.output) if arguments.recount else None
    explanation = look(arguments.output, APP_NAME, lambda reader: explain_cell(reader, key, count))
    if arguments.json:
        print(json.dumps(explanation, ensure_ascii=False, indent=2, sort_keys=True))
    else:
        print(as_text(explanation))


def _split(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise argparse.ArgumentTypeError(f"{text!r}: expected DIMENSION=VALUE")
    return name, value


def _count_beneficiaries(output: str) -> CountBeneficiaries:
    """The function that counts the beneficiaries of a cell with Spark."""

    def count(configuration: Configuration, indicator: Indicator, row: Mapping[str, Any]) -> Counted:
        # Imported only here: without `--recount` nothing needs Spark.
        from claimatlas.explanations.beneficiaries import count_beneficiaries  # noqa: PLC0415

        store = store_of(output, APP_NAME)
        # Tables that a run is replacing at this moment cannot be counted.
        with workspace(store):
            return count_beneficiaries(store, configuration, indicator, row)

    return count
