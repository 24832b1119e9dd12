"""``check``: the quality of silver and gold over time."""

from __future__ import annotations

import argparse
import json

from claimatlas.checks.checks_stage import check_store
from claimatlas.checks.findings import out_of_bounds
from claimatlas.checks.report import as_dict, as_text, verdict
from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.commands.sessions import session_for
from claimatlas.errors import QualityGateError
from claimatlas.tables.store import Store

DESCRIPTION = (
    "Check an output: whether published counts add up, how far national values move, whether months of claims are "
    "missing, how many domiciles are unknown, how late lines arrive. It reads only."
)
EXAMPLE = "--output OUT --year 2020-2023"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    options.add_tables(parser)
    options.add_years(parser, required=False)
    parser.add_argument("--json", action="store_true", help="print every finding as JSON")
    options.add_configuration(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code: 3 when a figure is beyond its bound."""
    return guarded(lambda: _check(arguments))


def _check(arguments: argparse.Namespace) -> None:
    configuration = options.configuration_of(arguments, "claimatlas check")
    years = options.years_of(arguments, configuration)
    store = Store.at(session_for("check", arguments), arguments.output)
    checked = check_store(store, configuration, years)
    if arguments.json:
        print(json.dumps(as_dict(checked), ensure_ascii=False, indent=2, sort_keys=True))
    else:
        print(as_text(checked, configuration.settings.checks))
    wrong = out_of_bounds(checked.findings)
    if wrong:
        raise QualityGateError(f"{verdict(checked.findings)} The first: {wrong[0].sentence}")
