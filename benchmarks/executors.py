"""Two executors of one core against one: raw claims to gold on a standalone cluster on this machine's loopback."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from statistics import median
from typing import Any

from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.schemas import COMPARISONS, dimensions_among
from deltalake import DeltaTable

from benchmarks import report
from benchmarks.engines import AS_OF, YEAR
from benchmarks.inputs import claim_lines, make_input
from benchmarks.measure import Measured, measure

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run with one executor and with two, in turns; 1 when the cells differ, so that no time is printed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("million_lines", type=float, metavar="N", help="size of the input, in millions of claim lines")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--memory", default="3g", help="of an executor (default: 3g)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench", help="where inputs and results are kept")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    raw = make_input(folder, arguments.million_lines)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    cells: dict[str, Any] = {}
    for _ in range(arguments.repeats):
        for executors in (2, 1):
            result = folder / "results" / f"executors-{executors}"
            shutil.rmtree(result, ignore_errors=True)
            result.mkdir(parents=True)
            measured = _run(executors, raw, result, folder, arguments.memory)
            if measured.failure:
                raise SystemExit(f"{executors} executors: {measured.failure}; see {folder / 'executors.log'}.")
            seconds[executors].append(measured.seconds)
            for table in (*DeltaReader(str(result)).cell_tables, COMPARISONS):
                content = _content(result / table.name)
                if content != cells.setdefault(table.name, content):
                    print(f"{table.name} differs between runs, so no time is printed.", file=sys.stderr)
                    return 1
    figures = {
        "date": report.today(),
        "machine": report.machine(),
        "lines": claim_lines(raw),
        "executor_memory": arguments.memory,
        "seconds": {str(executors): values for executors, values in seconds.items()},
        "ratio": median(seconds[1]) / median(seconds[2]),
    }
    arguments.results.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1) + "\n"
    (arguments.results / "executors.json").write_text(text, encoding="utf-8")
    print(text)
    return 0


def _run(executors: int, raw: Path, result: Path, folder: Path, memory: str) -> Measured:
    """One run; the time is that of the submit with the start and the end of the cluster."""
    command = [sys.executable, "deploy/standalone/cluster.py", "--workers", str(executors), "--cores", "1"]
    command += ["--memory", memory, "--folder", str(result / "cluster"), "--", "jobs/run_year.py"]
    command += ["--input", str(raw), "--output", str(result), "--year", str(YEAR), "--as-of", AS_OF]
    return measure(command, environment={}, log=folder / "executors.log", memory_limit=2**50)


def _content(table: Path) -> object:
    """Every row of a table of gold without the run's name, in order."""
    rows = DeltaTable(table).to_pyarrow_table().drop_columns("run_id")
    order = [
        name
        for name in ("indicator_id", "year", "geo_level", "geo_code", *dimensions_among(rows.schema.names))
        if name in rows.schema.names
    ]
    return rows.sort_by([(name, "ascending") for name in order]).to_pylist()


if __name__ == "__main__":
    sys.exit(main())
