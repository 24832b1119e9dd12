"""What every peer has in common: how it is started, and where it leaves silver."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from claimatlas.configuration.load import load_configuration
from claimatlas.ingest.contract import input_tables

INPUT_TABLES = input_tables(load_configuration())
"""The tables of the shipped configuration's input."""

_NEEDED = {
    "silver": ("raw", "silver", "as_of"),
    "gold": ("silver_files", "gold", "years"),
    "whole": ("raw", "silver", "as_of", "gold", "years"),
}


def stage_arguments(given: Sequence[str] | None, description: str | None) -> argparse.Namespace:
    """Read the stage and its options; those that the stage does not need are ``None``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("stage", choices=_NEEDED)
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--silver", type=Path)
    parser.add_argument("--silver-files", type=Path)
    parser.add_argument("--gold", type=Path)
    parser.add_argument("--years", type=int, nargs="+")
    parser.add_argument("--as-of", type=date.fromisoformat)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="6GB")
    parser.add_argument("--temp", type=Path, default=Path(tempfile.gettempdir()))
    arguments = parser.parse_args(given)
    for name in _NEEDED[arguments.stage]:
        if getattr(arguments, name) is None:
            parser.error(f"{arguments.stage} needs --{name.replace('_', '-')}")
    return arguments


def silver_files(silver: Path) -> dict[str, list[str]]:
    """The files that a peer's silver stage wrote, by table."""
    return {table.name: sorted(map(str, (silver / table.name).glob("year=*/*.parquet"))) for table in INPUT_TABLES}
