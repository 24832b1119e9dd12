"""Options that several commands share."""

from __future__ import annotations

import argparse
import codecs
import locale
import os
import re
from datetime import UTC, date, datetime
from importlib.resources.abc import Traversable
from pathlib import Path

from claimatlas.commands.pseudonym_key import key_of_environment
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.console.messages import say_message
from claimatlas.errors import InputError
from claimatlas.ingest.inputs import INPUT_TABLE_NAMES, IngestOptions, InputPaths
from claimatlas.processes import Workers, cores


def add_known(parser: argparse.ArgumentParser) -> None:
    """``--known``."""
    parser.add_argument(
        "--known", metavar="FILE", type=path, help="CSV of denominators that readers know from elsewhere, within bounds"
    )


def add_processes(parser: argparse.ArgumentParser) -> None:
    """In how many processes years are worked on."""
    parser.add_argument(
        "--processes",
        metavar="N",
        type=at_least_one,
        default=cores(),
        help="work on so many years at once, each in a process of its own with memory of its own (default: the cores)",
    )


def workers_of(arguments: argparse.Namespace) -> Workers:
    """Who works on the years of a release, by ``--processes``."""
    return Workers(say_message, arguments.processes)


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """``--conf`` and ``--set``."""
    parser.add_argument(
        "--conf", metavar="DIR", type=path, help="configuration folder, or its URI (default: the shipped one)"
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="override one setting, for instance episode_rule=anchored; may be repeated",
    )
    parser.add_argument(
        "--mapping",
        metavar="FILE",
        help="how the sender's files are written: a mapping file, or the name of one in mappings/ of the configuration "
        "(default: the setting mapping)",
    )


def add_tables(parser: argparse.ArgumentParser) -> None:
    """``--output``."""
    parser.add_argument(
        "--output", metavar="DIR", type=path, required=True, help="root folder of the tables, or catalog.schema"
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """``--output`` and ``--json``."""
    add_tables(parser)
    parser.add_argument("--json", action="store_true", help="print the run record as JSON on standard output")
    parser.add_argument(
        "--java-options",
        metavar="TEXT",
        help="options of the Java that this command starts; they replace those for the size of the work. "
        "spark-submit has --driver-java-options",
    )


def add_input(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """The options of the input: where it is, and how it is loaded."""
    note = "" if required else " (without any input: compute from the silver that is there)"
    tables = ", ".join(INPUT_TABLE_NAMES)
    parser.add_argument("--input", metavar="DIR", type=path, help=f"folder or catalog.schema with {tables}{note}")
    for table in INPUT_TABLE_NAMES:
        parser.add_argument(
            f"--{table.replace('_', '-')}",
            metavar="PATH",
            type=path,
            help=f"path or catalog table of {table}, instead of the folder's",
        )
    parser.add_argument(
        "--as-of", metavar="DATE", type=date_of, help="last service date that is accepted (default: today)"
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--replace", action="store_true", help="allow the input to drop years that silver holds, and replace silver"
    )
    way.add_argument(
        "--add",
        action="store_true",
        help="merge the input into silver as a further batch, instead of replacing silver by it",
    )
    parser.add_argument(
        "--allow-schema-change",
        action="store_true",
        help="with --add: accept columns that differ from those of the batch before",
    )


def add_years(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """``--year``."""
    note = "" if required else " (default: every year that is there)"
    parser.add_argument(
        "--year",
        metavar="YEAR",
        action="extend",
        nargs="+",
        type=years_in,
        required=required,
        default=None if required else [],
        dest="year_groups",
        help=f"reference year, a range such as 2019-2023, or several with commas; may be repeated{note}",
    )


def add_complete_through(parser: argparse.ArgumentParser) -> None:
    """``--complete-through``."""
    parser.add_argument(
        "--complete-through",
        metavar="DATE",
        type=date_of,
        help="last day that the claims cover, which decides the status (default: the latest accepted service date)",
    )


def add_allow_drift(parser: argparse.ArgumentParser) -> None:
    """``--allow-drift``."""
    parser.add_argument(
        "--allow-drift",
        action="store_true",
        help="publish national values that moved further from the published ones than the settings allow",
    )


def years_of(arguments: argparse.Namespace, configuration: Configuration) -> tuple[int, ...]:
    """The reference years, each once and in order.

    Raises:
        InputError: a year before the first one that there is.
    """
    years = sorted({year for group in arguments.year_groups for year in group})
    first = configuration.settings.first_reference_year
    if years and years[0] < first:
        raise InputError(f"The year {years[0]} is before {first}, the first reference year.")
    return tuple(years)


def configuration_of(arguments: argparse.Namespace, app_name: str = "claimatlas") -> Configuration:
    """Load what ``--conf`` and ``--set`` say; ``app_name``: of the Spark that a URI in them needs."""

    def fetch_by_spark(uri: str) -> Traversable:
        # Imported only here: without a URI, the configuration needs neither Spark nor Java.
        from claimatlas.configuration.remote import fetch  # noqa: PLC0415
        from claimatlas.spark.session import get_session  # noqa: PLC0415

        return fetch(get_session(app_name), uri)

    return load_configuration(arguments.conf, arguments.overrides, fetch_by_spark, mapping=arguments.mapping)


def input_of(arguments: argparse.Namespace) -> InputPaths:
    """Where the input is."""
    return InputPaths(arguments.input, arguments.claims, arguments.population, arguments.hospital_stays)


def ingest_options_of(arguments: argparse.Namespace, years: tuple[int, ...]) -> IngestOptions:
    """How the input is taken in.

    Raises:
        InputError: the environment gives a key of pseudonyms that cannot be used.
    """
    as_of = arguments.as_of or datetime.now(UTC).date()
    if arguments.allow_schema_change and not arguments.add:
        raise InputError("--allow-schema-change goes with --add: an ingest that replaces silver takes any columns.")
    return IngestOptions(
        as_of=as_of,
        replace=arguments.replace,
        years=years,
        add=arguments.add,
        allow_schema_change=arguments.allow_schema_change,
        key=key_of_environment(),
    )


def path(text: str) -> str:
    """A path with ``~`` at its start replaced by the home folder: the shell does not replace it after ``=``.

    Raises:
        ArgumentTypeError: there is no such home folder, or the locale cannot name the path.
    """
    named = os.path.expanduser(text)  # noqa: PTH111 - a path may be a URI too, which is left as it is
    if text.startswith("~") and named == text and (text == "~" or "/" in text or not Path(text).exists()):
        raise argparse.ArgumentTypeError(f"{text!r} names a home folder that is not known here")
    if not _can_be_named(named):
        raise argparse.ArgumentTypeError(
            f"the locale cannot name the path {named!a}: set LC_ALL=C.UTF-8, and give it again"
        )
    return named


def _can_be_named(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # Bytes that are no text in this locale.
        return False
    # Java has already put a question mark for what it could not read, and cannot name what is not ASCII either.
    is_submitted = "PYSPARK_GATEWAY_PORT" in os.environ and "DATABRICKS_RUNTIME_VERSION" not in os.environ
    is_ascii_only = codecs.lookup(locale.getencoding()).name == "ascii"
    return not (is_submitted and is_ascii_only and ("?" in text or not text.isascii()))


def date_of(text: str) -> date:
    """A day as ``YYYY-MM-DD``."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a date YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date of the calendar") from None


def at_least_one(text: str) -> int:
    """A whole number above zero."""
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 9999")
    return int(text)


def one_year(text: str) -> int:
    """A year of four digits, for a command that takes one."""
    years = set(years_in(text))
    if len(years) > 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not one year")
    return years.pop()


def years_in(text: str) -> list[int]:
    """Years and ranges of years, with commas between."""
    return [year for part in text.split(",") for year in _range(part)]


def _range(text: str) -> list[int]:
    match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a year or a range such as 2019-2023")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise argparse.ArgumentTypeError(f"the range {text!r} ends before it starts")
    return list(range(first, last + 1))
