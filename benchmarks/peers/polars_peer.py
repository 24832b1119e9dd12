"""The same rules with Polars: lazy queries on the streaming engine, as a user of Polars would write them.

``silver`` validates the input, ``gold`` computes deliveries and cells from silver, ``whole`` does both in a process.
The rules of episodes and of midwives are the default ones (chained, type of the first day, codes of the source).

Polars reads its limits when it is imported, so the options are read first. ``--threads`` sets the size of its thread
pool. Polars has no limit of memory that it enforces: ``--memory`` becomes its budget for spilling, a target that the
streaming engine tries to keep by writing intermediate results to ``--temp`` and may pass; a hard limit is for the
caller to impose.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import resource
import sys
import time
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from claimatlas.configuration.load import load_configuration

from benchmarks.peers.interface import silver_files, stage_arguments

_SPILLS_FROM = 0.75
"""The part of the memory from which the engine spills: it does not count all that it uses."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one stage and print one line of JSON."""
    options = stage_arguments(arguments, __doc__)
    options.temp.mkdir(parents=True, exist_ok=True)
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    os.environ["POLARS_TEMP_DIR"] = str(options.temp)
    os.environ["POLARS_OOC_SPILL_DIR"] = str(options.temp)
    os.environ["POLARS_OOC_MEMORY_BUDGET_MB"] = str(int(_bytes(options.memory) * _SPILLS_FROM / 2**20))
    version = importlib.import_module("polars").__version__
    warnings.filterwarnings("ignore", message=".*considered unstable")
    silver = importlib.import_module("benchmarks.peers.polars_silver")
    gold = importlib.import_module("benchmarks.peers.polars_gold")
    started = time.perf_counter()
    result = _run(options, silver, gold)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    record = {"engine": "polars", "version": version, "stage": options.stage, "seconds": round(seconds, 3)}
    print(json.dumps({**record, **result, "threads": options.threads, "peak_bytes": peak}))


def _run(options: argparse.Namespace, silver: ModuleType, gold: ModuleType) -> dict[str, Any]:
    configuration = load_configuration()
    result: dict[str, Any] = {}
    if options.stage != "gold":
        settings = configuration.settings
        dates = silver.Dates(settings.first_service_date, settings.first_plausible_date, options.as_of)
        tables = silver.run_silver(options.raw, options.silver, options.temp, dates)
        result = {"rows_read": sum(counts["read"] for counts in tables.values()), "tables": tables}
        files = silver_files(options.silver)
    else:
        files = json.loads(options.silver_files.read_text(encoding="utf-8"))
    if options.stage != "silver":
        result = gold.run_gold(files, options.gold, configuration, options.years) | result
    return result


def _bytes(text: str) -> int:
    found = re.fullmatch(r"([0-9.]+)\s*([KMGT]?)(i?)B?", text.strip(), re.IGNORECASE)
    if found is None:
        raise SystemExit(f"--memory {text}: expected a size such as 6GB.")
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " KMGT".index(unit.upper() or " "))


if __name__ == "__main__":
    main()
