"""The raw claims that every engine reads: generated once for a size, with defects planted in them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.defects import plant

YEARS = "2022-2024"
LINES_PER_PERSON = 104.7
"""Claim lines that the generator makes for a person over these three years."""
DEFECT_SHARE = 0.0001
"""Lines with each kind of defect, over all lines."""
_DONE = "complete"


def make_input(folder: Path, million_lines: float, seed: int = 7) -> Path:
    """Make the input of a size, unless it is there; gives back its folder."""
    raw = folder / f"raw-{million_lines:g}m"
    if (raw / _DONE).exists():
        return raw
    shutil.rmtree(raw, ignore_errors=True)
    lines = int(million_lines * 1e6)
    beneficiaries = str(round(lines / LINES_PER_PERSON))
    command = [str(Path(sys.executable).with_name("claimatlas")), "generate", "--output", str(raw)]
    command += ["--beneficiaries", beneficiaries, "--years", YEARS, "--seed", str(seed)]
    subprocess.run(command, check=True)
    plant(raw, max(10, int(lines * DEFECT_SHARE)))
    (raw / _DONE).touch()
    return raw


def claim_lines(raw: Path) -> int:
    """How many claim lines the input has."""
    return sum(pq.ParquetFile(path).metadata.num_rows for path in (raw / "claims").glob("*.parquet"))
