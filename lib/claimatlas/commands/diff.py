"""``diff``: why a published number changed."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.commands.sessions import session_for
from claimatlas.errors import InputError
from claimatlas.explanations.changes import Difference, compare_runs, resolve_run
from claimatlas.explanations.changes_text import as_dict, as_text
from claimatlas.paths import is_remote
from claimatlas.runs.lock import workspace
from claimatlas.tables.store import Store

DESCRIPTION = "Compare two runs on one output: the cells that differ, and the causes of the national difference."
EXAMPLE = "--output OUT --from 3 --to 4 --cells changed.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_tables(parser)
    run = "a run's id, or a version of the table of deliveries' cells"
    parser.add_argument("--from", metavar="RUN", required=True, dest="earlier", help=run)
    parser.add_argument("--to", metavar="RUN", required=True, dest="later", help=run)
    parser.add_argument(
        "--cells", metavar="FILE", type=options.path, help="write every cell that differs to this new CSV file"
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    return guarded(lambda: _diff(arguments))


def _diff(arguments: argparse.Namespace) -> None:
    if arguments.cells and is_remote(arguments.cells):
        raise InputError(f"--cells {arguments.cells}: the file of cells is written on this machine; give a path here.")
    if arguments.cells and Path(arguments.cells).exists():
        raise InputError(f"The file {arguments.cells} is there already.")
    store = Store.at(session_for("diff", arguments), arguments.output)
    with workspace(store):
        earlier, later = (resolve_run(store, text) for text in (arguments.earlier, arguments.later))
        difference = compare_runs(store, earlier, later)
        found = as_dict(difference)
        if arguments.cells:
            _write_cells(difference, Path(arguments.cells))
    print(json.dumps(found, ensure_ascii=False, indent=2) if arguments.json else as_text(found))


def _write_cells(difference: Difference, file: Path) -> None:
    try:
        with file.open("x", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(difference.cells.columns)
            writer.writerows(difference.cells.orderBy(*difference.key).collect())
    except OSError as error:
        raise InputError(f"The file {file} cannot be written ({error.strerror}).") from None
