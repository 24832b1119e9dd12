"""The site as data: one release of published cells, with the names and words that describe it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow as pa

from claimatlas.atlas.cells import Cell
from claimatlas.atlas.places import Places
from claimatlas.atlas.words import Words
from claimatlas.configuration import Configuration
from claimatlas.configuration.atlas import AtlasSettings
from claimatlas.configuration.hospitals import Hospitals
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Publication
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.tables.schemas import ALL, PUBLISHED_CELLS, TEXT, Column, configured


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
    is_withdrawn: bool = False
    """Whether no release is in force, and this one was the last: the site then only says so."""

    @property
    def band(self) -> str:
        """The label that every file must carry, in English; empty when none is needed."""
        said = {"synthetic figures": self.is_synthetic, "draft": self.is_draft}
        return ", ".join(text for text, holds in said.items() if holds)


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
    years_of: Mapping[str, tuple[int, ...]]
    """The published years of each indicator."""
    cells_of: Callable[[str], list[Cell]]
    table_of: Callable[[str], pa.Table]
    """The same cells with the columns of the downloads."""
    totals: Mapping[tuple[str, int, str, str], Cell]
    """The cells that are split by nothing but place, by indicator, year, level and code."""
    audits: Sequence[Mapping[str, Any]]
    """What the audit of each year found."""
    dimensions: tuple[str, ...]
    """The dimensions of the cells, in the order of their splits."""
    columns: tuple[str, ...]
    """The columns of the downloads."""
    has_hospitals: bool = False
    """Whether figures by hospital are published."""

    @property
    def not_split(self) -> tuple[str, ...]:
        """The split of a total."""
        return (ALL,) * len(self.dimensions)

    @cached_property
    def fields(self) -> Mapping[str, Column]:
        """The columns of the published table, with their meaning."""
        table = configured(PUBLISHED_CELLS, self.configuration, self.publication.published_as)
        former = [Column(name, TEXT, "No longer published") for name in self.dimensions]
        return {column.name: column for column in (*former, *table.columns)}

    @property
    def vintage(self) -> int:
        """The year whose places have pages."""
        return max(self.release.years)

    @cached_property
    def pages_of_places(self) -> frozenset[tuple[str, str]]:
        """The places that have a page: those of the newest year, of published levels, as (level, code)."""
        return frozenset(unit for unit in self.places.units(self.vintage) if unit[0] in self.levels)

    @property
    def register(self) -> Hospitals | None:
        """The register of hospitals, where figures by hospital are published: else no page names a hospital."""
        return self.configuration.hospitals if self.has_hospitals else None

    @cached_property
    def hospitals(self) -> tuple[str, ...]:
        """The ids of the hospitals that have a page: those of the newest year."""
        return self.register.of(self.vintage) if self.register else ()

    def hospital_name(self, code: str, language: str) -> str:
        """What a hospital is called."""
        return self.register.name(code, language) if self.register else code

    @cached_property
    def cells_of_hospitals(self) -> Mapping[tuple[str, str], Sequence[Cell]]:
        """The cells of each indicator and hospital in the indicator's newest final year, the total first."""
        found: dict[tuple[str, str], list[Cell]] = {}
        for indicator in self.indicators if self.register else ():
            year = self.release.final_years[indicator.id]
            own = [one for one in self.cells_of(indicator.id) if one.geo_level == HOSPITAL and one.year == year]
            for cell in sorted(own, key=lambda one: (one.split != self.not_split, one.split)):
                found.setdefault((indicator.id, cell.geo_code), []).append(cell)
        return found

    def levels_of(self, indicator: Indicator) -> tuple[str, ...]:
        """The published levels of an indicator, from the largest."""
        return tuple(level for level in self.levels if level in indicator.levels)

    @property
    def country_level(self) -> str:
        """The level of the whole country."""
        return self.configuration.settings.geography.country_level

    @property
    def domicile_level(self) -> str:
        """The level of the smallest places."""
        return self.configuration.settings.geography.domicile_level
