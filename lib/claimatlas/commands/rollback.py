"""``rollback``: publish an earlier release of gold again."""

from __future__ import annotations

from collections.abc import Sequence

from claimatlas.commands import options
from claimatlas.commands.job import guarded
from claimatlas.commands.sessions import session_for
from claimatlas.messages import Event, say
from claimatlas.runs.lock import exclusive
from claimatlas.tables.releases import roll_back
from claimatlas.tables.store import Store

DESCRIPTION = "Publish an earlier release of the tables of gold again, all of them together; nothing is lost."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give back its exit code."""
    parser = options.CommandParser(prog="rollback", description=DESCRIPTION)
    options.add_tables(parser)
    parser.add_argument(
        "--release", metavar="N", type=int, help="release to go back to (default: the one before the newest)"
    )
    arguments = parser.parse_args(argv)

    def action() -> None:
        store = Store.at(session_for("rollback", arguments), arguments.output)
        with exclusive(store):
            earlier, number = roll_back(store, arguments.release)
        say(
            Event.MESSAGE, f"release {number} publishes what release {earlier} did.", {"release": number, "as": earlier}
        )

    return guarded(action)
