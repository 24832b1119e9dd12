"""The cost of merging a batch of a thousandth of the lines, compared with a run of everything.

Raw claims are ingested and computed once. Then a batch of corrections and new lines is added, and what it changes
computed; and, from the same silver, everything. Cells and deliveries of both must be equal before a time is printed.
The first run is a point of growth too (``benchmarks.growth``).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from claimatlas.configuration import load_configuration
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.schemas import COMPARISONS, deliveries_table
from deltalake import DeltaTable

from benchmarks import growth, report
from benchmarks.engines import AS_OF, THREADS, YEAR
from benchmarks.inputs import claim_lines, make_input
from benchmarks.measure import Measured

ROOT = Path(__file__).resolve().parents[1]
SHARE = 1000
"""One line in so many is sent again: half of them corrected, half as a new line of another id."""
KEY = ("indicator_id", "year", "geo_level", "geo_code", *load_configuration().dimensions.names)


def main() -> int:
    """Measure the three runs; 1 when the figures differ, so that no time is printed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("million_lines", type=float, metavar="N", help="size of the input, in millions of claim lines")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench", help="where inputs and results are kept")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    raw = make_input(folder, arguments.million_lines)
    result = folder / "results" / "increment"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir(parents=True)
    batch = result / "batch.parquet"
    lines = write_batch(raw, batch)
    output, log = result / "output", folder / "increment.log"
    whole = _run(["--input", str(raw), "--as-of", AS_OF], output, log)
    # Its tables grow with the next runs; it is taken down once all are known to be equal.
    of_whole = growth.described(whole, raw, output)
    added = _run(["--add", "--claims", str(batch), "--as-of", AS_OF], output, log)
    moved = _content(output)
    again = _run([], output, log)
    if moved != _content(output):
        print("The figures differ from those of a whole run, so no time is printed.", file=sys.stderr)
        return 1
    growth.take_down(of_whole, arguments.results)
    figures: dict[str, Any] = {
        "date": report.today(),
        "machine": report.machine(),
        "lines": claim_lines(raw),
        "lines_in_batch": lines,
        "seconds": {
            "raw claims to gold": round(whole.seconds, 1),
            "the batch added, and what it changes": round(added.seconds, 1),
            "silver to gold, everything": round(again.seconds, 1),
        },
        "ratio": added.seconds / whole.seconds,
        "peak_memory": max(run.peak_memory for run in (whole, added, again)),
    }
    arguments.results.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1) + "\n"
    (arguments.results / f"increment-{figures['lines'] / 1e6:.3g}m.json").write_text(text, encoding="utf-8")
    print(text)
    return 0


def write_batch(raw: Path, to: Path) -> int:
    """Write the batch; gives back how many lines it has.

    Lines that are rejected the first time, or would be a second time, are left out: more than a hundredth of a batch
    may not be rejected.
    """
    chosen = pl.col("claim_id").hash(seed=1) % SHARE == 0
    is_new = pl.col("claim_id").hash(seed=2) % 2 == 0
    lines = (
        pl.scan_parquet(raw / "claims" / "*.parquet")
        .filter(chosen & pl.col("beneficiary_id").is_not_null() & (pl.col("quantity") != 0))
        .unique("claim_id", keep="none")
        .with_columns(
            claim_id=pl.when(is_new).then(pl.concat_str("claim_id", pl.lit("-late"))).otherwise("claim_id"),
            quantity=pl.when(is_new).then("quantity").otherwise(pl.col("quantity") + 1),
            booking_date=pl.col("booking_date").dt.offset_by("60d"),
        )
        .filter(pl.col("booking_date") <= date.fromisoformat(AS_OF))
        .collect()
    )
    lines.write_parquet(to)
    height: int = lines.height
    return height


def _run(options: list[str], output: Path, log: Path) -> Measured:
    command = [str(Path(sys.executable).with_name("spark-submit")), "--master", f"local[{THREADS}]", "jobs/run_year.py"]
    command += ["--output", str(output), "--year", str(YEAR), "--allow-drift", *options]
    return growth.measured_run(command, log)


def _content(output: Path) -> dict[str, Any]:
    """Every row of gold and of the deliveries without the run's name, in order."""
    tables = (*DeltaReader(str(output)).cell_tables, COMPARISONS)
    orders: dict[str, tuple[str, ...]] = {table.name: KEY for table in tables}
    orders[deliveries_table(load_configuration(None, [])).name] = ("delivery_id",)
    found = {}
    for name, order in orders.items():
        rows = DeltaTable(output / name).to_pyarrow_table()
        rows = rows.select([column for column in rows.schema.names if column != "run_id"])
        found[name] = rows.sort_by([(column, "ascending") for column in order if column in rows.schema.names])
    return found


if __name__ == "__main__":
    sys.exit(main())
