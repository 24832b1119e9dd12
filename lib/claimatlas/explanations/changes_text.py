"""The difference of two runs as plain data and as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyspark.sql import functions as F

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
    for row in found["cells_that_differ"]:
        yield f"  {row['indicator_id']:<22} {row['year']}  {row['geo_level']:<16} {row['cells']:>9,}"
    yield ""
    yield "The country, numerator / denominator"
    if not found["national"]:
        yield "  no difference"
    for figure in found["national"]:
        yield f"  {figure['indicator_id']} {figure['year']}"
        yield f"    {'before':<32} {_counts(figure['from'], sign=False)}"
        for step in figure["steps"]:
            yield f"    {step['cause']:<32} {_counts(step, sign=True)}"
        yield f"    {'after':<32} {_counts(figure['to'], sign=False)}"


def _counts(counts: dict[str, Any], *, sign: bool) -> str:
    plus = "+" if sign else ""
    parts = ["-" if counts[name] is None else f"{counts[name]:{plus},}" for name in ("numerator", "denominator")]
    return " / ".join(f"{part:>12}" for part in parts)
