"""``explain``: where a published number comes from."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from claimatlas.commands import options
from claimatlas.commands.job import guarded
from claimatlas.commands.sessions import session_for
from claimatlas.explanations.cell import CellKey
from claimatlas.explanations.explain import explain_cell
from claimatlas.explanations.text import as_text
from claimatlas.runs.lock import workspace
from claimatlas.tables.schemas import ALL, CELL_DIMENSIONS
from claimatlas.tables.store import Store

DESCRIPTION = "Explain one published cell: its value, how it was formed, and from what."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give back its exit code."""
    parser = options.CommandParser(prog="explain", description=DESCRIPTION)
    options.add_tables(parser)
    parser.add_argument("--indicator", metavar="ID", required=True)
    parser.add_argument("--year", metavar="YEAR", type=options.one_year, required=True)
    parser.add_argument("--geo", metavar="CODE", required=True, help="code of the place or hospital")
    parser.add_argument("--geo-level", metavar="LEVEL", help="its level, where several have the code")
    for dimension in CELL_DIMENSIONS:
        parser.add_argument(f"--{dimension.replace('_', '-')}", metavar="VALUE", default=ALL)
    parser.add_argument("--json", action="store_true", help="print the explanation as JSON")
    arguments = parser.parse_args(argv)
    return guarded(lambda: _explain(arguments))


def _explain(arguments: argparse.Namespace) -> None:
    dimensions = {name: getattr(arguments, name) for name in CELL_DIMENSIONS}
    key = CellKey(arguments.indicator, arguments.year, arguments.geo, arguments.geo_level, dimensions)
    store = Store.at(session_for("explain", arguments), arguments.output)
    # Tables that a run is just replacing cannot be counted.
    with workspace(store):
        explanation = explain_cell(store, key)
    if arguments.json:
        print(json.dumps(explanation, ensure_ascii=False, indent=2, sort_keys=True))
    else:
        print(as_text(explanation))
