"""A command as a task of a scheduler that calls a function, as Databricks does with a Python wheel.

Such a scheduler ignores what the function gives back and takes every ``SystemExit`` for a failure. And it fills every
parameter of a task, so that one without a value comes as an empty text.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from claimatlas import cli

_WITHOUT_VALUE = re.compile(r"--[a-z][a-z-]*=")


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command of ``claimatlas``; options of the form ``--name=`` count as not given.

    Raises:
        SystemExit: the command failed, with its exit code.
    """
    arguments = sys.argv[1:] if argv is None else argv
    code = cli.main([argument for argument in arguments if not _WITHOUT_VALUE.fullmatch(argument)])
    if code:
        raise SystemExit(code)
