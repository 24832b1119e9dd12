"""How each engine is started for a stage, and where it leaves its result."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable

from benchmarks.peers.interface import INPUT_TABLES

STAGES = ("silver", "gold", "whole")
"""Raw to silver; silver to gold, all from the silver that claimatlas wrote; raw to gold."""
YEAR = 2023
AS_OF = "2026-01-01"
THREADS = 2
_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Folders:
    """Where an engine finds its input and leaves its result in one run of a stage."""

    raw: Path
    given_silver: Path
    result: Path


@dataclass(frozen=True)
class Engine:
    """An engine: the command of a stage, and what is set around it."""

    name: str
    command: Callable[[str, Folders], list[str]]
    environment: dict[str, str]


def _claimatlas(stage: str, folders: Folders) -> list[str]:
    command, output = {"silver": "ingest", "gold": "run-year", "whole": "run-year"}[stage], folders.result
    options = ["--output", str(output)]
    if stage != "gold":
        options += ["--input", str(folders.raw), "--as-of", AS_OF]
    if stage != "silver":
        options += ["--year", str(YEAR)]
    return [str(_BIN / "claimatlas"), command, *options]


def _peer(name: str) -> Callable[[str, Folders], list[str]]:
    def command(stage: str, folders: Folders) -> list[str]:
        options = {"silver": ["--raw", str(folders.raw), "--silver", str(folders.result / "silver")]}
        options["gold"] = ["--silver-files", str(folders.given_silver), "--gold", str(folders.result / "gold")]
        options["whole"] = [*options["silver"], "--gold", str(folders.result / "gold")]
        common = ["--threads", str(THREADS), "--memory", "6GB", "--temp", str(folders.result / "temp")]
        dated = [] if stage == "gold" else ["--as-of", AS_OF]
        years = [] if stage == "silver" else ["--years", str(YEAR)]
        module = f"benchmarks.peers.{name}_peer"
        return [sys.executable, "-m", module, stage, *options[stage], *dated, *years, *common]

    return command


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("claimatlas", _claimatlas, {"SPARK_MASTER": f"local[{THREADS}]"}),
        Engine("duckdb", _peer("duckdb"), {}),
        Engine("polars", _peer("polars"), {"POLARS_MAX_THREADS": str(THREADS)}),
    )
}


def silver_files(output: Path) -> dict[str, list[str]]:
    """The live files of the silver tables that claimatlas wrote below ``output``."""
    found = {}
    for table in INPUT_TABLES:
        delta = DeltaTable(output / table.silver.name)
        found[table.name] = sorted(uri.removeprefix("file://") for uri in delta.file_uris())
    return found


def write_silver_files(output: Path, to: Path) -> None:
    """Write the list of the live files for the peers."""
    to.write_text(json.dumps(silver_files(output)), encoding="utf-8")
