"""A command as a task of a scheduler that calls a function, as Databricks does with a Python wheel.

Such a scheduler ignores the result of the function and treats every ``SystemExit`` as a failure. It also fills every
parameter of a task, so a parameter without a value arrives as an empty text.
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
