"""A published cell as a page shows it: the same texts in tables, profiles and the first page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from claimatlas.atlas.cells import Cell, State
from claimatlas.atlas.words import Words
from claimatlas.configuration.indicators import Indicator


@dataclass(frozen=True)
class Figure:
    """The texts of a cell; ``state`` is the name of its look. ``bounds``: where a hidden value lies."""

    text: str
    state: str
    interval: str
    bounds: str
    numerator: str
    denominator: str
    comparison: str
    trend: str
    is_uncertain: bool
    title: str
    """The one sentence on a hidden figure, or what its state means."""


def figure(cell: Cell | None, indicator: Indicator, words: Words, k: int) -> Figure:
    """The texts of a cell; of no cell, those of a figure that is not published."""
    if cell is None:
        absent = words.say("state.absent")
        return Figure(absent, "absent", "", "", "", "", "", "", is_uncertain=False, title=words.say(_meaning("absent")))
    interval = ""
    if cell.ci_low is not None and cell.ci_high is not None:
        interval = words.interval(indicator, cell.ci_low, cell.ci_high)
    if cell.state is State.HIDDEN:
        title = words.hidden(indicator, cell, k)
    else:
        title = "" if cell.state is State.VALUE else words.say(_meaning(cell.state_said))
    return Figure(
        text=words.cell(indicator, cell),
        state=cell.state.value.replace("_", "-"),
        interval=interval,
        bounds=words.bounds(indicator, cell),
        numerator=_count(cell.numerator, words),
        denominator=_count(cell.denominator, words),
        comparison=words.name("comparison", cell.comparison) if cell.comparison else "",
        trend=words.name("trend", cell.trend) if cell.trend else "",
        is_uncertain=cell.reliability == "low",
        title=title,
    )


def said_of_hidden(cells: Iterable[Cell | None], key: str, words: Words, k: int, **more: object) -> dict[str, str]:
    """What a page says of how many of the cells are hidden, and why; ``key``: of the texts, ``more``: named there."""
    there = [cell for cell in cells if cell is not None]
    hidden, planned = sum(cell.state is State.HIDDEN for cell in there), len(there)
    values = {"hidden": words.count(hidden), "planned": words.count(planned), **more}
    if not hidden:
        return {"hidden_said": words.say(f"{key}.hidden_none", **values), "hidden_sentence": ""}
    said = words.say(f"{key}.hidden_share", share=words.share(hidden, planned), **values)
    return {"hidden_said": said, "hidden_sentence": words.say("hidden", k=k)}


def _count(number: int | None, words: Words) -> str:
    return "" if number is None else words.count(number)


def _meaning(state: str) -> str:
    return f"state_meaning.{state}"
