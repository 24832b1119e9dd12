"""The console command ``claimatlas``: the jobs and the checks by name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from claimatlas import __version__
from claimatlas.console.interruption import end_at_once_from_now_on, ends_at_once
from claimatlas.errors import NO_SPARK

MIN_PYTHON = (3, 11)

COMMANDS = {
    "run-year": ("run_year", "ingest raw claims and compute the indicators of a year (the main job)"),
    "ingest": ("ingest", "replace silver by the accepted rows of the input, or add to it"),
    "deliveries": ("deliveries", "form delivery episodes from silver"),
    "indicators": ("indicators", "compute the indicators from silver"),
    "generate": ("generate", "make synthetic claims"),
    "codelists": ("codelists", "check the code lists"),
    "explain": ("explain", "tell where a published number comes from"),
    "diff": ("diff", "tell why a published number changed between two runs"),
    "rollback": ("rollback", "publish an earlier release of gold again"),
    "protect": ("protect", "choose what of a release may be published, and prove that the rest is safe"),
    "audit": ("audit", "attack published figures as a reader could"),
    "publish": ("publish", "publish a protected release: downloads and the atlas, a static site"),
    "withdraw": ("withdraw", "withdraw a published release, and tell readers why"),
    "check": ("check", "check the quality of silver and gold over time"),
    "describe": ("describe", "write the indicators' methodology sheets"),
    "jars": ("jars", "fetch Delta's JARs"),
}

_OF_SPARK = {"pyspark", "delta", "py4j"}
_OF_PACKAGE = {"babel", "jinja2", "markdown_it", "pydantic", "yaml", "tqdm"}


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
    """Run a command by its name and give back its exit code."""
    # A Python that spark-submit was given may be an old one: everything else here needs a newer.
    if sys.version_info < MIN_PYTHON:
        found, needed = (".".join(map(str, version[:2])) for version in (sys.version_info, MIN_PYTHON))
        print(
            f"claimatlas: {sys.executable} is Python {found}, but Python {needed} or newer is needed: name one in "
            "PYSPARK_PYTHON, or in spark.pyspark.python where spark-submit is given that.",
            file=sys.stderr,
        )
        return 2
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] == "--version":
        print(f"claimatlas {__version__}")
        return 0
    if arguments and arguments[0] in ("-h", "--help"):
        print(_usage())
        return 0
    name = arguments[0].replace("_", "-") if arguments else ""
    if name not in COMMANDS:
        said = f"there is no command {arguments[0]!r}." if arguments else "say which command."
        print(f"claimatlas: {said}\n\n{_usage()}", file=sys.stderr)
        return 2
    module_name = COMMANDS[name][0]
    package = "claimatlas" if module_name == "jars" else "claimatlas.commands"
    try:
        with ends_at_once():
            from claimatlas.console import messages  # noqa: PLC0415 - what it needs may be missing

            messages.set_up(messages.asked_format(arguments[1:]), module_name)
            module = importlib.import_module(f"{package}.{module_name}")
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
    code: int = module.main(arguments[1:])
    return code


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name.ljust(width)}  {what}" for name, (_, what) in COMMANDS.items()]
    return "usage: claimatlas COMMAND [options]   (COMMAND --help tells its options)\n\n" + "\n".join(lines)
