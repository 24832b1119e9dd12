"""Blocks of the command line, the environment and make, from what reads them."""

import argparse
import re
from pathlib import Path

from claimatlas.cli import COMMANDS, parser_of

from scripts.documents.keys import described, descriptions
from scripts.documents.markdown import anchor, code, table

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\bCLAIMATLAS_[A-Z_]*[A-Z]\b")
OTHER_VARIABLES = ("SPARK_MASTER", "SPARK_REMOTE", "SPARK_LOCAL_DIRS", "JAVA_HOME", "PYSPARK_PYTHON")
"""Variables of others that a command reads or passes on, and that a user may want to set."""


def commands() -> str:
    """Every command with all of its options."""
    return "\n\n".join(_command(name, what) for name, what in COMMANDS.items())


def _command(name: str, what: str) -> str:
    parser = parser_of(name)
    rows = [_option(action, parser) for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    said = (parser.description or what).strip()
    head = f"{anchor(name)}\n\n## `claimatlas {name}`"
    return "\n\n".join([head, said, f"```sh\n{parser.example}\n```", table(("option", "required", "meaning"), rows)])


def _option(action: argparse.Action, parser: argparse.ArgumentParser) -> tuple[str, str, str]:
    value = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else "")
    names = " ".join([", ".join(action.option_strings), str(value)]).strip()
    # Where the checkout is says nothing to a reader.
    known = {**vars(action), "prog": parser.prog, "default": _plain(action.default)}
    said = (action.help or "") % known
    return code(names), "yes" if action.required else "no", said


def _plain(default: object) -> object:
    return default.name if isinstance(default, Path) else default


def variables(kind: str) -> str:
    """The environment variables of a kind: ``user``, ``tests`` or ``benchmarks``."""
    rows = [
        (code(name), described("variables", name)["meaning"], code(described("variables", name).get("example", "")))
        for name, said in descriptions()["variables"].items()
        if said["for"] == kind
    ]
    return table(("variable", "meaning", "example"), rows)


def variables_in_use() -> set[str]:
    """The project's variables that any program here names, and those of others that are described."""
    files = [
        file
        for folder in ("lib", "jobs", "scripts", "tests", "benchmarks", "deploy")
        for file in (ROOT / folder).rglob("*.py")
        if file != Path(__file__)
    ]
    found = {name for file in files for name in VARIABLE.findall(file.read_text(encoding="utf-8"))}
    return found | set(OTHER_VARIABLES)


def make_targets() -> str:
    """The targets of make."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.findall(r"^([a-z-]+):.*?## (.*)$", text, re.MULTILINE)
    return table(("command", "does"), [(code(f"make {name}"), what) for name, what in found])
