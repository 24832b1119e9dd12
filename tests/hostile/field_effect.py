"""How far what a run accepted moves the national figures, by the computation of another hand."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from claimatlas.configuration.load import shipped_folder
from reference.compute import compute
from statsmodels.stats.proportion import proportion_confint

from hostile.field import AS_OF, TABLES, YEARS, Values, meaning, world

Figure = tuple[str, int]
"""An indicator and a year."""
LARGE = 0.05
"""The relative change of a national figure above which a run may not end with exit code 0."""
ALL = ("all",) * 4


@dataclass(frozen=True)
class Cell:
    """A national figure: what it counts, of how many, and its value."""

    numerator: int
    denominator: int
    value: float | None


@dataclass(frozen=True)
class Effect:
    """By how much of itself a national figure changed, and on how many cases it stands."""

    share: float
    cases: int

    @property
    def is_large(self) -> bool:
        """Whether it changed by more than 5 %, and chance did not do it: one delivery of twenty is 5 %."""
        odd = min(round(self.share * self.cases), self.cases)
        return self.share > LARGE and proportion_confint(odd, self.cases, method="wilson")[0] > LARGE


def national(tables: dict[str, Counter[Values]]) -> dict[Figure, Cell]:
    """The national figures of all indicators and years, from accepted rows as silver has them; no dimension apart."""
    raw = {name: _texts(name, rows) for name, rows in tables.items() if rows}
    cells = compute(raw, YEARS, conf_dir=shipped_folder(), as_of=AS_OF).cells
    return {
        (indicator, year): Cell(cell["numerator"] or 0, cell["denominator"] or 0, cell["value"])
        for (indicator, year, level, _, *dimensions), cell in cells.items()
        if level == "country" and tuple(dimensions) == ALL
    }


@cache
def of_sound() -> dict[Figure, Cell]:
    """The national figures of the sound world."""
    return national({name: meaning(name, rows) for name, rows in world().items()})


def effects_of(table: str, accepted: Counter[Values]) -> dict[Figure, Effect]:
    """How far each national figure changed that did, when one table of the sound world has these rows.

    A figure that is gone changed by all of itself; one that was zero, by the new numerator over its denominator.
    """
    sound = {name: meaning(name, rows) for name, rows in world().items()}
    if accepted == sound[table]:
        return {}
    now = national(sound | {table: accepted})
    found = {}
    for figure, before in of_sound().items():
        after = now.get(figure, Cell(0, 0, None))
        if before.value == after.value:
            continue
        cases = min(before.numerator, before.denominator) or before.denominator or after.denominator
        if before.value and after.value is not None:
            share = abs(after.value - before.value) / before.value
        elif before.value is not None and after.value is not None:
            share = after.numerator / (after.denominator or 1)
        else:
            share = 1.0
        found[figure] = Effect(share, cases)
    return found


def _texts(table: str, rows: Counter[Values]) -> list[dict[str, str | None]]:
    names = [*TABLES[table].values, "year"]
    columns = {column.name for column in TABLES[table].columns}
    return [
        {name: _text(value) for name, value in zip(names, row, strict=True) if name in columns}
        for row in rows.elements()
    ]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)
