"""The console command ``claimatlas``: one parser, with a subcommand for each job and each check."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from claimatlas import __version__
from claimatlas.console.interruption import end_at_once_from_now_on, ends_at_once
from claimatlas.errors import NO_SPARK, InputError

MIN_PYTHON = (3, 11)

COMMANDS = {
    "run-year": "ingest raw claims and compute the indicators of a year (the main job)",
    "ingest": "replace silver by the accepted rows of the input, or add to it",
    "deliveries": "form delivery episodes from silver",
    "indicators": "compute the indicators from silver",
    "generate": "make synthetic claims",
    "init": "write a configuration to start from",
    "validate": "check a configuration folder",
    "codelists": "check the code lists",
    "explain": "explain where a published number comes from",
    "diff": "explain why a published number changed between two runs",
    "rollback": "publish an earlier release of gold again",
    "protect": "choose what of a release may be published, and prove that the rest is safe",
    "audit": "attack published figures as a reader could",
    "publish": "publish a protected release: downloads and the atlas, a static site",
    "withdraw": "withdraw a published release, and tell readers why",
    "check": "check the quality of silver and gold over time",
    "describe": "write the indicators' methodology sheets",
    "jars": "fetch Delta's JARs",
    "class-archive": "let further commands on this machine start sooner",
}
"""Each command with what it does; its module in ``claimatlas.commands`` has the command's name."""
_ELSEWHERE = {"jars": "claimatlas.spark.jars"}

_OF_SPARK = {"pyspark", "delta", "py4j"}
_OF_PACKAGE = {"babel", "jinja2", "markdown_it", "pydantic", "tabulate", "yaml", "tqdm"}


class Command(argparse.ArgumentParser):
    """The parser of one command, which imports the command's module when its arguments are to be read.

    So the help of the program, and a command that only looks, load nothing that another command needs. The module gives
    ``DESCRIPTION``, ``EXAMPLE`` (arguments that a person may give it), ``add_arguments(parser)`` and
    ``run(arguments) -> int``.
    """

    def __init__(self, *, command: str, **settings: Any) -> None:  # noqa: ANN401 - as argparse has them
        """``command``: its name."""
        super().__init__(**settings, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.command = command
        self.example = ""
        self._is_loaded = False

    def load(self) -> None:
        """Import the module, once, and take over its options."""
        if self._is_loaded:
            return
        self._is_loaded = True
        module = importlib.import_module(_ELSEWHERE.get(self.command) or f"claimatlas.commands.{_job(self.command)}")
        self.description = module.DESCRIPTION
        self.example = f"{self.prog} {module.EXAMPLE}".rstrip()
        self.epilog = f"example:\n  {self.example}"
        if self.command not in _ELSEWHERE:
            _messages().add_option(self)
        module.add_arguments(self)
        self.set_defaults(run=module.run)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - as argparse has them
        """As the parser's own, of a command that is loaded; it has no arguments that are not known."""
        given = list(sys.argv[1:] if args is None else args)
        with ends_at_once():
            from claimatlas.commands.old_names import notes_on_old_names, with_new_names  # noqa: PLC0415 - see above

            messages = _messages()
            messages.set_up(messages.asked_format(given), _job(self.command))
            self.load()
        for note in notes_on_old_names(given):
            messages.say(messages.Event.NOTE, note)
        found, unknown = super().parse_known_args(with_new_names(given), namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """End with exit code 2, in the format that the arguments ask for."""
        messages = _messages()
        if not messages.is_json():
            super().error(message)
        messages.complain(message, InputError.exit_code)
        self.exit(InputError.exit_code)


def program() -> int:
    """Run the command that the program's arguments name, as all that the program does; give back its exit code."""
    code = main()
    end_at_once_from_now_on()
    return code


def submitted(name: str) -> None:
    """Run a command as the program that ``spark-submit`` starts.

    Raises:
        SystemExit: the command failed, with its exit code. Databricks takes any other one, even with 0, for a failure.
    """
    code = main([name, *sys.argv[1:]])
    if code:
        raise SystemExit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command by its name and give back its exit code.

    Raises:
        SystemExit: the arguments are wrong.
    """
    # A Python that spark-submit was given may be an old one: everything else here needs a newer.
    if sys.version_info < MIN_PYTHON:
        found, needed = (".".join(map(str, version[:2])) for version in (sys.version_info, MIN_PYTHON))
        print(
            f"claimatlas: {sys.executable} is Python {found}, but Python {needed} or newer is needed: name one in "
            "PYSPARK_PYTHON, or in spark.pyspark.python where spark-submit is given that.",
            file=sys.stderr,
        )
        return 2
    given = list(sys.argv[1:] if argv is None else argv)
    # A job has the name of its module under spark-submit.
    name = given[0].replace("_", "-") if given else ""
    if name not in COMMANDS and not name.startswith("-"):
        said = f"there is no command {given[0]!r}." if given else "say which command."
        print(f"claimatlas: {said}\n\n{_parser()[0].format_help()}", end="", file=sys.stderr)
        return 2
    try:
        arguments = _parser()[0].parse_args([name, *given[1:]])
    except SystemExit as end:
        # Help was printed. A scheduler that calls a function takes any such end for a failure.
        if end.code:
            raise
        return 0
    except ModuleNotFoundError as error:
        if error.name in _OF_SPARK:
            said = NO_SPARK
        elif error.name in _OF_PACKAGE:
            said = (
                f"{sys.executable} has no package {error.name}, which claimatlas needs: install claimatlas into it, "
                "or name another Python in PYSPARK_PYTHON."
            )
        else:
            raise
        print(f"claimatlas: {said}", file=sys.stderr)
        return 2
    code: int = arguments.run(arguments)
    return code


def parser_of(name: str) -> Command:
    """The parser of a command, with all of its options."""
    command = _parser()[1][name]
    command.load()
    return command


def _parser() -> tuple[argparse.ArgumentParser, dict[str, Command]]:
    """The parser of the program, and those of its commands by name."""
    parser = argparse.ArgumentParser(prog="claimatlas", usage="claimatlas COMMAND [options]", formatter_class=_Aligned)
    parser.add_argument("--version", action="version", version=f"claimatlas {__version__}")
    commands = parser.add_subparsers(
        title="commands (COMMAND --help shows its options)",
        dest="command",
        metavar="COMMAND",
        prog="claimatlas",
        parser_class=Command,
        required=True,
    )
    return parser, {name: commands.add_parser(name, command=name, help=what) for name, what in COMMANDS.items()}


class _Aligned(argparse.HelpFormatter):
    """Puts what a command does beside its name, also beside a long one."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=18, width=100)
        self._action_max_length = 18  # It leaves the commands' indent out of account.


def _job(command: str) -> str:
    return command.replace("-", "_")


def _messages() -> Any:  # noqa: ANN401 - a module
    # What it needs may be missing.
    from claimatlas.console import messages  # noqa: PLC0415

    return messages
