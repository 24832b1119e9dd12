"""The difference of two runs as plain data and as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyspark.sql import functions as F
from tabulate import tabulate

from claimatlas.explanations.changes import Difference, change
from claimatlas.explanations.recomputation import NOTHING, Counts


def as_dict(difference: Difference) -> dict[str, Any]:
    """The difference as plain data: counts of cells that differ, and the national steps of each figure."""
    counted = difference.cells.groupBy("indicator_id", "year", "geo_level").agg(F.count(F.lit(1)).alias("cells"))
    cells = [row.asDict() for row in counted.orderBy("indicator_id", "year", "geo_level").collect()]
    first = difference.steps[0].before if difference.steps else {}
    last = difference.steps[-1].after if difference.steps else {}
    national = [
        {
            "indicator_id": key[0],
            "year": key[1],
            "from": _named(first.get(key, NOTHING)),
            "to": _named(last.get(key, NOTHING)),
            "steps": [
                {"cause": step.cause, **_named(change(step.before, step.after, key))} for step in difference.steps
            ],
        }
        for key in sorted(set(first) | set(last))
        if any(step.before.get(key) != step.after.get(key) for step in difference.steps)
    ]
    return {
        "from": difference.earlier.run_id,
        "to": difference.later.run_id,
        "years": list(difference.years),
        "causes": [step.cause for step in difference.steps],
        "cells_that_differ": cells,
        "national": national,
    }


def _named(counts: Counts) -> dict[str, int | None]:
    numerator, denominator = counts
    return {"numerator": numerator, "denominator": denominator}


def as_text(found: dict[str, Any]) -> str:
    """The difference for a person."""
    return "\n".join(_lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"From {found['from']} to {found['to']}, {', '.join(map(str, found['years']))}"
    yield f"What changed: {', '.join(found['causes']) or 'nothing'}"
    yield ""
    yield f"Cells that differ: {sum(row['cells'] for row in found['cells_that_differ']):,}"
    cells = [
        (row["indicator_id"], row["year"], row["geo_level"], f"{row['cells']:,}") for row in found["cells_that_differ"]
    ]
    yield from _aligned(cells, ("left", "left", "left", "right"))
    yield ""
    yield "The country, numerator / denominator"
    if not found["national"]:
        yield "  no difference"
    for figure in found["national"]:
        yield f"  {figure['indicator_id']} {figure['year']}"
        steps = [_row(step["cause"], step, "+") for step in figure["steps"]]
        rows = [_row("before", figure["from"]), *steps, _row("after", figure["to"])]
        yield from _aligned(rows, ("left", "right", "left", "right"), indent="    ")


def _row(name: str, counts: dict[str, Any], plus: str = "") -> tuple[str, ...]:
    numerator, denominator = (
        "-" if counts[of] is None else f"{counts[of]:{plus},}" for of in ("numerator", "denominator")
    )
    return name, numerator, "/", denominator


def _aligned(rows: Sequence[Sequence[object]], sides: Sequence[str], indent: str = "  ") -> Iterator[str]:
    lines = tabulate(rows, tablefmt="plain", colalign=sides, disable_numparse=True).splitlines() if rows else []
    yield from (indent + line for line in lines)
