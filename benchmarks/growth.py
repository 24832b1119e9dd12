"""How the time of claimatlas grows with the number of claim lines, and what a run needs.

Sizes may be measured one by one: each joins those that stand in the results, in place of an earlier run of its size.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import linear_regression
from typing import Any

from claimatlas.spark.session import temporary_folder

from benchmarks import report
from benchmarks.disk import size_of
from benchmarks.engines import ENGINES, Folders
from benchmarks.inputs import claim_lines, make_input
from benchmarks.measure import Measured, measure

ROOT = Path(__file__).resolve().parents[1]
_COLUMNS = (
    "date",
    "claim lines",
    "seconds",
    "lines a second",
    "processor seconds",
    "memory, GiB",
    "raw claims, GiB",
    "silver, GiB",
    "temporary files, GiB",
)


def main() -> int:
    """Run raw to gold at each size, and fit a straight line to the logarithms."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("million_lines", type=float, nargs="+", metavar="N", help="sizes, in millions of claim lines")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench", help="where inputs and results are kept")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for million_lines in sorted(arguments.million_lines):
        run = _run(folder, million_lines)
        print(json.dumps(run), file=sys.stderr, flush=True)
        # As they come: the largest size takes hours, and may be stopped.
        take_down(run, arguments.results)
    print((arguments.results / "growth.md").read_text(encoding="utf-8"))
    return 0


def take_down(run: dict[str, Any], results: Path) -> None:
    """Add a run to the results; those of another machine are no part of them."""
    machine, file = report.machine(), results / "growth.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    runs = known["runs"] if known.get("machine") == machine else []
    runs = sorted([*(other for other in runs if other["lines"] != run["lines"]), run], key=lambda one: one["lines"])
    figures = {"machine": machine, "runs": runs, "slope": slope(runs)}
    results.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (results / "growth.md").write_text(_as_markdown(figures), encoding="utf-8")


def slope(runs: list[dict[str, Any]]) -> float | None:
    """The exponent with which the time grows: least squares through the logarithms of lines and seconds.

    ``None`` of a single size.
    """
    if len(runs) < 2:
        return None
    return linear_regression([math.log(run["lines"]) for run in runs], [math.log(run["seconds"]) for run in runs]).slope


def _run(folder: Path, million_lines: float) -> dict[str, Any]:
    raw = make_input(folder, million_lines)
    result = folder / "results" / "growth"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir(parents=True)
    log = folder / "growth.log"
    command = ENGINES["claimatlas"].command("whole", Folders(raw, raw, result))
    return described(measured_run(command, log), raw, result)


def measured_run(command: Sequence[str], log: Path) -> Measured:
    """Run claimatlas and measure it, its temporary files too; the program ends when it fails."""
    measured = measure(command, environment={}, log=log, memory_limit=2**50, temporary=Path(temporary_folder()))
    if measured.failure:
        raise SystemExit(f"claimatlas {measured.failure}; see {log}.")
    return measured


def described(measured: Measured, raw: Path, output: Path) -> dict[str, Any]:
    """What a run from raw claims to gold took and left."""
    return {
        "date": report.today(),
        "lines": claim_lines(raw),
        "seconds": round(measured.seconds, 1),
        "cpu_seconds": round(measured.cpu_seconds, 1),
        "peak_memory": measured.peak_memory,
        "peak_temporary": measured.peak_temporary,
        "raw_bytes": size_of(raw / "claims"),
        "silver_bytes": size_of(output / "silver"),
        "gold_bytes": size_of(output / "gold"),
    }


def _as_markdown(figures: dict[str, Any]) -> str:
    lines = [
        "# Growth",
        "",
        f"{figures['machine']}; raw to gold in local mode with 2 threads, one run of each size.{_growth(figures)}",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
    ]
    for run in figures["runs"]:
        gigabytes = [run[name] / 2**30 for name in ("peak_memory", "raw_bytes", "silver_bytes", "peak_temporary")]
        lines.append(
            f"| {run['date']} | {run['lines']:,} | {run['seconds']:.0f} | {run['lines'] / run['seconds']:,.0f} | "
            f"{run['cpu_seconds']:.0f} | {gigabytes[0]:.1f} | {gigabytes[1]:.2f} | {gigabytes[2]:.2f} | "
            f"{gigabytes[3]:.2f} |"
        )
    return "\n".join([*lines, ""])


def _growth(figures: dict[str, Any]) -> str:
    if figures["slope"] is None:
        return ""
    return (
        f" The time grows with the number of lines to the power {figures['slope']:.2f}, between the two largest sizes "
        f"{slope(figures['runs'][-2:]):.2f}: what does not depend on the lines weighs less and less."
    )


if __name__ == "__main__":
    sys.exit(main())
