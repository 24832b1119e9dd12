"""The table, the chart and the figures of a comparison."""

from __future__ import annotations

import json
import os
import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

STAGE_NAMES = {"silver": "raw → silver", "gold": "silver → gold", "whole": "raw → gold, whole"}
COLOURS = {"claimatlas": "#1b6ca8", "duckdb": "#d9a404", "polars": "#7a5195"}


def medians(runs: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Of each stage and engine: the median, least and greatest time and the greatest memory of its runs."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for stage, engine in dict.fromkeys((run["stage"], run["engine"]) for run in runs):
        of_pair = [run for run in runs if (run["stage"], run["engine"]) == (stage, engine)]
        seconds = [run["seconds"] for run in of_pair]
        found[stage, engine] = {
            "median": statistics.median(seconds),
            "least": min(seconds),
            "greatest": max(seconds),
            "cpu": statistics.median(run["cpu_seconds"] for run in of_pair),
            "memory": max(run["peak_memory"] for run in of_pair),
            "runs": len(of_pair),
            "failure": next((run["failure"] for run in of_pair if run["failure"]), ""),
        }
    return found


def as_markdown(figures: dict[str, Any]) -> str:
    """The comparison as a page."""
    found = medians(figures["runs"])
    lines = [
        f"# {_millions(figures)} million claim lines",
        "",
        f"{figures['date']}, {figures['machine']}; `{figures['command']}`.",
        "",
        "Each engine in a process of its own with 2 threads, one after the other in turns; times from the start of the "
        "process to its end, the median of the runs (least to greatest); memory is the greatest sum of resident "
        "memory of all its processes at one moment. Results were equal before any time was taken down: "
        f"{'; '.join(figures['compared'])}.",
        "",
        "| stage | engine | seconds | of claimatlas' | processor seconds | memory, GiB |",
        "|---|---|---|---|---|---|",
    ]
    for (stage, engine), of_pair in found.items():
        ours = found.get((stage, "claimatlas"))
        ratio = f"{of_pair['median'] / ours['median']:.2f}" if ours and not of_pair["failure"] else ""
        seconds = f"{of_pair['median']:.1f} ({of_pair['least']:.1f} to {of_pair['greatest']:.1f})"
        lines.append(
            f"| {STAGE_NAMES[stage]} | {engine} | {of_pair['failure'] or seconds} | {ratio} | {of_pair['cpu']:.0f} | "
            f"{of_pair['memory'] / 2**30:.1f} |"
        )
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    notes = [figures["note"], ""] if "note" in figures else []
    return "\n".join([*lines, "", *notes, f"Versions: {versions}.", ""])


def draw(figures: dict[str, Any], to: Path) -> None:
    """The comparison as a bar chart."""
    found = medians(figures["runs"])
    stages = list(dict.fromkeys(stage for stage, _ in found))
    engines = list(dict.fromkeys(engine for _, engine in found))
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.9 * len(stages)), layout="constrained")
    height = 0.8 / len(engines)
    for number, engine in enumerate(engines):
        for row, stage in enumerate(stages):
            of_pair = found.get((stage, engine))
            if of_pair is None:
                continue
            position = row + number * height
            shown = 0 if of_pair["failure"] else of_pair["median"]
            axes.barh(position, shown, height * 0.9, color=COLOURS[engine], label=engine if row == 0 else None)
            axes.text(shown, position, f" {of_pair['failure'] or f'{shown:.0f} s'}", va="center", fontsize=8)
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(stages))], [STAGE_NAMES[stage] for stage in stages])
    axes.invert_yaxis()
    axes.set_xlabel("seconds (median)")
    axes.set_title(f"{_millions(figures)} million claim lines, 2 threads, equal results", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(to)
    plt.close(figure)


def write(figures: dict[str, Any], folder: Path) -> None:
    """Write figures, page and chart."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{_millions(figures)}m"
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(as_markdown(figures), encoding="utf-8")
    draw(figures, folder / f"{name}.svg")


def _millions(figures: dict[str, Any]) -> str:
    return f"{figures['lines'] / 1e6:.3g}"


def machine() -> str:
    """What the figures were measured on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = next(line for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines() if "MemTotal" in line)
    cores = len(os.sched_getaffinity(0))
    return f"{platform.system()} {platform.machine()}, {model}, {cores} cores, {int(memory.split()[1]) / 2**20:.0f} GiB"


def today() -> str:
    """The date of a measurement."""
    return datetime.now(UTC).date().isoformat()
