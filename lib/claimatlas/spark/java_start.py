"""Find why Java ended before Spark started, from its output.

Java has read no data by then, so its output may be shown.
"""

from __future__ import annotations

import os
import re
import shlex

from claimatlas.errors import InputError

SUBMIT_ARGUMENTS = "PYSPARK_SUBMIT_ARGS"
DRIVER_MEMORY_VARIABLE = "CLAIMATLAS_DRIVER_MEMORY"
_SHELL = "pyspark-shell"
_MAX_LENGTH = 300

_SIGNS_OF_MEMORY = (
    "insufficient memory",
    "Could not reserve enough space",
    "Invalid maximum heap size",
    "Too small maximum heap",
    "exceeds the maximum representable size",
    "larger than the maximum heap size",
    "error='Not enough space'",
    "error='Cannot allocate memory'",
)
_SIGNS_OF_PACKAGES = ("unresolved dependency", "Provided Maven Coordinates must be in the form")
_REASONS = (
    re.compile(r"^Error: (?!Could not create|A fatal)(.+)$", re.MULTILINE),
    re.compile(r'^Exception in thread "main" (?:[\w.$]+: )?(.+)$', re.MULTILINE),
    re.compile(r"^(Unrecognized .+|Invalid .+|Conflicting .+)$", re.MULTILINE),
)


def complete_submit_arguments() -> None:
    """Put the word that must end them to options that `PYSPARK_SUBMIT_ARGS` gives, as a notebook may have left them.

    Raises:
        InputError: what is given are no options.
    """
    given = os.environ.get(SUBMIT_ARGUMENTS)
    if given is None:
        return
    try:
        words = shlex.split(given)
    except ValueError as error:
        raise InputError(f"The options in {SUBMIT_ARGUMENTS} cannot be read ({error}). {_remedy()}") from error
    if _SHELL not in words:
        os.environ[SUBMIT_ARGUMENTS] = f"{given} {_SHELL}".strip()


def why_java_ended(said: str) -> str | None:
    """One sentence with the remedy; ``None`` when Java's output has no known cause."""
    given = os.environ.get(SUBMIT_ARGUMENTS, _SHELL)
    if any(sign in said for sign in _SIGNS_OF_MEMORY):
        asked = "driver-memory" in given or "spark.driver.memory" in given
        variable = SUBMIT_ARGUMENTS if asked else DRIVER_MEMORY_VARIABLE
        return (
            "Java cannot have the driver memory that it is to start with: ask for an amount that the machine has, such "
            f"as 4g, in {variable}."
        )
    where = SUBMIT_ARGUMENTS if "--packages" in given or "spark.jars.packages" in given else "spark.jars.packages"
    if any(sign in said for sign in _SIGNS_OF_PACKAGES):
        return (
            f"Spark cannot fetch a package that {where} asks for: correct its name, see that its repository can be "
            "reached, or take it out."
        )
    found = next((match for match in (reason.search(said) for reason in _REASONS) if match), None)
    if found is None:
        return None
    reason = found[1].strip().rstrip(".")[:_MAX_LENGTH]
    remedy = f" {_remedy()}" if given.strip() != _SHELL else ""
    return f"Java ended before Spark was up: {reason}.{remedy}"


def unknown_cause() -> str:
    """The message when Java's output, which is shown above it, has no known cause."""
    remedy = f" {_remedy()}" if os.environ.get(SUBMIT_ARGUMENTS, _SHELL).strip() != _SHELL else ""
    return f"Java ended before Spark was up, for the reason it gives above.{remedy}"


def _remedy() -> str:
    return f"The variable {SUBMIT_ARGUMENTS} is set: correct the options in it, or unset it."
