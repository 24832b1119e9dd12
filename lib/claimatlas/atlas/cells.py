"""Published cells as the atlas reads them: the figure, and which of four states it is in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """The states of a figure; each is drawn differently."""

    VALUE = "value"
    HIDDEN = "hidden"
    NOBODY = "nobody"
    """The denominator is 0, or nobody is in one of the strata of a standardised rate."""
    NOT_COMPUTABLE = "not_computable"


@dataclass(frozen=True)
class Cell:
    """One row of ``published/cells``, its dimensions as one split."""

    indicator_id: str
    year: int
    geo_level: str
    geo_code: str
    geo_vintage: int
    split: tuple[str, ...]
    """The values of the dimensions in the order of the table's columns; ``all`` where a cell is not split."""
    numerator: int | None
    denominator: int | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    value_low: float | None
    value_high: float | None
    comparison: str | None
    trend: str | None
    confidentiality: str
    reliability: str
    status: str
    release: int

    @property
    def state(self) -> State:
        """Which of the four states the figure is in."""
        if self.status == "not_computable":
            return State.NOT_COMPUTABLE
        if self.confidentiality != "F":
            return State.HIDDEN
        if self.value is None:
            return State.NOBODY
        return State.VALUE

    @property
    def state_said(self) -> str:
        """What the texts call the state: of a standardised rate it may be a stratum that nobody is in."""
        return "empty_stratum" if self.state is State.NOBODY and self.denominator else self.state.value
