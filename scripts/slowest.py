"""Write the table of the slowest tests, ``docs/slowest-tests.md``, from what pytest printed.

``python -m pytest --durations=0 | tee LOG``, then ``python -m scripts.slowest LOG --about "which tests, on what"``.
Several logs, of runs of different tests, make one table.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from claimatlas import __version__

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "slowest-tests.md"
NUMBER = 40
_LINE = re.compile(r"^(\d+\.\d+)s (setup|call|teardown) +(tests/\S+?\.py)::(.+?)\s*$", re.MULTILINE)


def main() -> None:
    """Read the logs and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("logs", type=Path, nargs="+", metavar="LOG")
    parser.add_argument("--about", required=True, help="which tests were run, and on what machine")
    arguments = parser.parse_args()
    seconds = durations(log.read_text(encoding="utf-8") for log in arguments.logs)
    TABLE.write_text(as_markdown(seconds, arguments.about), encoding="utf-8")


def durations(logs: Iterable[str]) -> dict[tuple[str, str], dict[str, float]]:
    """Seconds by file and test, and within by phase: ``setup`` has what a test makes for those after it."""
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for log in logs:
        for seconds, phase, file, test in _LINE.findall(log):
            found[file, test][phase] = float(seconds)
    return dict(found)


def as_markdown(seconds: dict[tuple[str, str], dict[str, float]], about: str) -> str:
    """The page: the slowest tests first, all phases of each together."""
    slowest = sorted(seconds.items(), key=lambda item: (-sum(item[1].values()), item[0]))[:NUMBER]
    lines = [
        f"# The {NUMBER} slowest tests, version {__version__}",
        "",
        f"{about} Written by `scripts/slowest.py` from what pytest said of each test. A test's set-up has what it "
        "makes for those after it, such as the one run that a file's tests look at.",
        "",
        "| seconds | of it set-up | test |",
        "|---|---|---|",
    ]
    for (file, test), phases in slowest:
        name = f"{file.removeprefix('tests/')}::{test}".replace("|", "\\|")
        lines.append(f"| {sum(phases.values()):.1f} | {phases.get('setup', 0.0):.1f} | `{name}` |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
