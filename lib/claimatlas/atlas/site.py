"""What the pages, the data files and the downloads are made from: one release of published cells, and what names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from claimatlas.atlas.cells import Cell
from claimatlas.atlas.places import Places
from claimatlas.atlas.words import Words
from claimatlas.configuration import Configuration
from claimatlas.configuration.atlas import AtlasSettings
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Publication
from claimatlas.tables.schemas import ALL, CELL_DIMENSIONS

NOT_SPLIT = (ALL,) * len(CELL_DIMENSIONS)
"""The split of a total."""


@dataclass(frozen=True)
class ReleaseInfo:
    """The release that the site shows.

    published_on: the day of its first publication, or today's; none for a draft. years: every published year.
    final_years: the newest year of each indicator that is final, else its newest year. data_changed: the day on which
    an indicator's figures were last published with another value.
    """

    number: int
    published_on: date | None
    years: tuple[int, ...]
    final_years: dict[str, int]
    data_changed: dict[str, date]
    is_synthetic: bool
    is_draft: bool


@dataclass(frozen=True)
class Site:
    """One release with everything that its pages say; ``cells_of`` gives an indicator's cells in a fixed order."""

    configuration: Configuration
    settings: AtlasSettings
    publication: Publication
    release: ReleaseInfo
    places: Places
    words: dict[str, Words]
    indicators: tuple[Indicator, ...]
    levels: tuple[str, ...]
    """The published levels, from the largest."""
    cells_of: Callable[[str], list[Cell]]
    dimensions: tuple[str, ...] = field(default=tuple(CELL_DIMENSIONS))

    @property
    def vintage(self) -> int:
        """The year whose places have pages."""
        return max(self.release.years)

    @property
    def country_level(self) -> str:
        """The level of the whole country."""
        return self.configuration.settings.geography.country_level

    @property
    def domicile_level(self) -> str:
        """The level of the smallest places."""
        return self.configuration.settings.geography.domicile_level
