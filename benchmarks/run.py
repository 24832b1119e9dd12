"""Compare claimatlas with other engines: the same raw claims, the same rules, the same result.

Every engine computes the same silver, deliveries and cells, each from a process of its own, in turns. The results
are compared before any time is printed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.engines import ENGINES, STAGES, Folders, write_silver_files
from benchmarks.equality import UnequalError, compare
from benchmarks.inputs import claim_lines, make_input
from benchmarks.measure import Measured, measure

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Compare, and write table, chart and figures; 1 when results differ, so that no time is printed."""
    try:
        return _compare()
    except UnequalError as error:
        print(f"The results are not equal, so no time is printed: {error}.", file=sys.stderr)
        return 1


def _compare() -> int:
    arguments = _arguments()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    raw = make_input(folder, arguments.million_lines)
    figures: dict[str, Any] = {
        "lines": claim_lines(raw),
        "date": report.today(),
        "machine": report.machine(),
        "command": f"make bench {_command(arguments)}",
        "versions": {name: importlib.metadata.version(name) for name in ("claimatlas", "pyspark", "duckdb", "polars")},
        "compared": [],
        "runs": [],
    }
    for run, compared in _runs(arguments, folder, raw):
        figures["runs"].append(run)
        if compared and compared not in figures["compared"]:
            figures["compared"].append(compared)
        # As they come: a comparison of large inputs takes hours, and may be stopped.
        (folder / f"figures-{arguments.million_lines:g}m.json").write_text(json.dumps(figures), encoding="utf-8")
    report.write(figures, arguments.results)
    print(report.as_markdown(figures))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--million-lines", type=float, default=5, metavar="N", help="size of the input (default: 5)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each stage and engine, after a warm-up")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--memory-limit", type=float, default=20, metavar="GIB", help="an engine that takes more ends")
    parser.add_argument("--no-warm-up", action="store_true", help="take the first run down too (for very large inputs)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench", help="where inputs and results are kept")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    return parser.parse_args()


def _runs(arguments: argparse.Namespace, folder: Path, raw: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Each run that is taken down, and in words what of it was found equal; those of a turn once all are equal."""
    failed: set[tuple[str, str]] = set()
    names = sorted(arguments.engines, key=lambda name: name != "claimatlas")
    silver_list = folder / "silver-files.json"
    base = folder / f"silver-{arguments.million_lines:g}m"
    for stage in arguments.stages:
        if stage == "gold":
            _make_silver(base, raw, folder, arguments.memory_limit)
            write_silver_files(base, silver_list)
        for turn in range(0 if arguments.no_warm_up else -1, arguments.repeats):
            of_turn = []
            # The others' order changes from turn to turn; claimatlas is first, as its result is what they must equal.
            others = names[1:][::-1] if turn % 2 else names[1:]
            for name in [*names[:1], *others]:
                if (stage, name) in failed:
                    continue
                result = folder / "results" / name
                _prepare(name, stage, base, result)
                measured = _measure(name, stage, Folders(raw, silver_list, result), folder, arguments.memory_limit)
                _progress(f"{stage}, {name}, {'warm-up' if turn < 0 else f'run {turn + 1}'}", measured)
                compared = ""
                if measured.failure:
                    if name == "claimatlas":
                        raise SystemExit(f"claimatlas {measured.failure}; see {folder / 'claimatlas.log'}.")
                    failed.add((stage, name))
                elif name != "claimatlas" and "claimatlas" in names:
                    compared = f"{stage}: {compare(name, stage, folder / 'results' / 'claimatlas', result)}"
                if turn >= 0 or measured.failure:
                    of_turn.append(({"stage": stage, "engine": name, "turn": turn, **asdict(measured)}, compared))
            yield from of_turn
        if stage == "silver" and "claimatlas" in names:
            _keep_silver(base, folder / "results" / "claimatlas")


def _command(arguments: argparse.Namespace) -> str:
    words = [f"SCALE={arguments.million_lines:g}"]
    options = sys.argv[1:]
    if "--million-lines" in options:
        position = options.index("--million-lines")
        del options[position : position + 2]
    if options:
        words.append(f'OPTIONS="{shlex.join(options)}"')
    return " ".join(words)


def _keep_silver(base: Path, result: Path) -> None:
    """The silver that was measured is what the next stage starts from; hard links, as in that stage."""
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(result / "silver", base / "silver", copy_function=_link)
    (base / "complete").touch()


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _make_silver(base: Path, raw: Path, folder: Path, memory_limit: float) -> None:
    """The silver of the stage that starts from it, made once for an input."""
    mark = base / "complete"
    if mark.exists():
        return
    shutil.rmtree(base, ignore_errors=True)
    measured = _measure("claimatlas", "silver", Folders(raw, raw, base), folder, memory_limit)
    if measured.failure:
        raise SystemExit(f"claimatlas made no silver: it {measured.failure}; see {folder / 'claimatlas.log'}.")
    mark.touch()


def _prepare(name: str, stage: str, base: Path, result: Path) -> None:
    """Empty the folder of the result, and put there the silver that a stage starts from."""
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir(parents=True)
    if name == "claimatlas" and stage == "gold":
        # Hard links: the job adds to the tables, and what is there is left as it is.
        shutil.copytree(base / "silver", result / "silver", copy_function=_link)


def _measure(name: str, stage: str, folders: Folders, folder: Path, memory_limit: float) -> Measured:
    engine = ENGINES[name]
    return measure(
        engine.command(stage, folders),
        environment=engine.environment,
        log=folder / f"{name}.log",
        memory_limit=int(memory_limit * 2**30),
    )


def _progress(what: str, measured: Measured) -> None:
    # No time yet: the results of the others have still to be compared.
    print(f"{what}: {measured.failure or 'done'}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
