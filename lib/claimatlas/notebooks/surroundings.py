"""The names ``spark``, ``dbutils`` and ``display``: Databricks' own, or local stand-ins.

So a notebook runs unchanged on Databricks, in Jupyter, and as a program: ``python notebooks/NAME.py year=2023``.
"""

from __future__ import annotations

import builtins
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession

from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.remote import fetch
from claimatlas.errors import ClaimatlasError, InputError
from claimatlas.spark.session import get_session

FIGURES = ".notebooks"
"""The folder in which a notebook that runs as a program leaves its figures."""
_MAX_ROWS = 1000


class Surroundings(NamedTuple):
    """The three names that Databricks gives to a notebook."""

    spark: SparkSession
    dbutils: Any
    display: Callable[[Any], object]


def surroundings(given: Mapping[str, Any]) -> Surroundings:
    """Return what is around a notebook whose names are ``given`` (its ``globals()``).

    Raises:
        InputError: as ``get_session``, where a session has to be made.
    """
    display = given.get("display") or getattr(builtins, "display", None)
    if display is None:
        display = LocalDisplay(Path(FIGURES), Path(given.get("__file__", "notebook")).stem)
        if given.get("__name__") == "__main__":
            sys.excepthook = say_what_is_wrong
    elif str(getattr(display, "__module__", "")).startswith("IPython"):
        display = _in_jupyter(display)
    spark = given["spark"] if given.get("spark") is not None else get_session("claimatlas notebook")
    dbutils = given["dbutils"] if given.get("dbutils") is not None else LocalUtilities(sys.argv[1:])
    return Surroundings(spark, dbutils, display)


class LocalUtilities:
    """Of ``dbutils`` what the notebooks use: ``widgets``."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Take the values of widgets from the arguments of the form NAME=VALUE; others are somebody else's."""
        self.widgets = LocalWidgets(dict(_pair(argument) for argument in arguments if _is_value(argument)))


class LocalWidgets:
    """Parameters of a notebook: the value that was given by name, else the default."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """Take the values by name."""
        self._given = dict(given)
        self._values: dict[str, str] = {}

    def text(self, name: str, default: str, label: str = "") -> None:
        """Declare a parameter; ``label`` is what Databricks shows."""
        del label
        self._values[name] = self._given.get(name, default)

    def dropdown(self, name: str, default: str, choices: Sequence[str], label: str = "") -> None:
        """Declare a parameter with one of ``choices``.

        Raises:
            InputError: another value was given.
        """
        self.text(name, default, label)
        if self._values[name] not in choices:
            raise InputError(f"{name}={self._values[name]}: choose one of {', '.join(choices)}.")

    def get(self, name: str) -> str:
        """The value of a declared parameter; all are declared before the first is asked for.

        Raises:
            InputError: a value was given for a parameter that the notebook does not have.
        """
        unknown = sorted(self._given.keys() - self._values.keys())
        if unknown:
            raise InputError(f"There is no parameter {unknown[0]}; there are {', '.join(self._values)}.")
        return self._values[name]


class LocalDisplay:
    """Tables as text; figures as files in a folder, named by the notebook and numbered."""

    def __init__(self, folder: Path, name: str) -> None:
        """Say where figures go."""
        self._folder, self._name, self._figures = folder, name, 0

    def __call__(self, shown: Any) -> None:  # noqa: ANN401 - Databricks' own takes anything
        """Show a Spark table, a figure, or anything as its text."""
        if isinstance(shown, DataFrame):
            shown.show(_MAX_ROWS, truncate=False)
        elif hasattr(shown, "savefig"):
            self._figures += 1
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._folder / f"{self._name}_{self._figures}.png"
            shown.savefig(file, dpi=120)
            print(f"Figure: {file}")
        else:
            print(shown)


def configuration_of(spark: SparkSession, conf: str) -> Configuration:
    """The configuration of a folder, a path or a URI; the shipped one where ``conf`` is empty.

    Raises:
        InputError: it cannot be read, or is wrong.
    """
    return load_configuration(conf or None, fetch=partial(fetch, spark))


def whole_number(dbutils: Any, name: str) -> int:  # noqa: ANN401 - Databricks' own, or a stand-in
    """The value of a parameter that is a number.

    Raises:
        InputError: it is none.
    """
    text = dbutils.widgets.get(name)
    if not (text.isascii() and text.isdecimal()):
        raise InputError(f"{name}={text}: a whole number is expected.")
    return int(text)


def say_what_is_wrong(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End a program: a failure with a message for people by that message, others as Python does."""
    if not isinstance(error, ClaimatlasError):
        sys.__excepthook__(kind, error, trace)
        return
    print(f"claimatlas: {error}", file=sys.stderr)
    raise SystemExit(error.exit_code)


def _in_jupyter(display: Callable[[Any], object]) -> Callable[[Any], object]:
    """Jupyter knows neither a figure that was made without pyplot, nor a Spark table."""

    def show(shown: Any) -> object:  # noqa: ANN401 - as Jupyter's own
        if hasattr(shown, "savefig"):
            from IPython.display import Image  # noqa: PLC0415 - there is one: it gave the display

            data = io.BytesIO()
            shown.savefig(data, format="png", dpi=120)
            return display(Image(data=data.getvalue()))
        if isinstance(shown, DataFrame):
            shown.show(_MAX_ROWS, truncate=False)
            return None
        return display(shown)

    return show


def _is_value(argument: str) -> bool:
    return argument.partition("=")[0].isidentifier() and "=" in argument


def _pair(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    return name, value
