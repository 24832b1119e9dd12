"""Collect from the published tables what the pages need: one release, its places, words, years and changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from claimatlas.atlas.changes import History, changes_between
from claimatlas.atlas.outlines import topology_of_geojson
from claimatlas.atlas.places import places_of
from claimatlas.atlas.reading import PublishedCells, first_published, withdrawals_of
from claimatlas.atlas.site import ReleaseInfo, Site
from claimatlas.atlas.topology import Topology
from claimatlas.atlas.words import words_of
from claimatlas.configuration import Configuration
from claimatlas.configuration.atlas import AtlasSettings, file_of
from claimatlas.configuration.publication import Publication
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.errors import InputError


def languages_of(settings: AtlasSettings, asked: Sequence[str]) -> dict[str, str]:
    """The locale of each language that the site gets: of all that are declared, or of those asked for.

    Raises:
        InputError: a language that atlas.yaml does not declare.
    """
    for language in asked:
        if language not in settings.locales:
            raise InputError(f"--languages {language}: atlas.yaml declares {', '.join(settings.locales)}.")
    chosen = tuple(dict.fromkeys(asked)) or tuple(settings.locales)
    return {language: settings.locales[language] for language in chosen}


@dataclass(frozen=True)
class Declared:
    """The declarations: the configuration, the settings of atlas and publication, the locale of each language."""

    configuration: Configuration
    settings: AtlasSettings
    publication: Publication
    locales: Mapping[str, str]


@dataclass(frozen=True)
class Standing:
    """The dates of a release: its publication (``None`` for a draft), and when its figures changed."""

    published_on: date | None
    data_changed: Mapping[str, date]
    is_synthetic: bool
    is_withdrawn: bool = False


def site_of(declared: Declared, cells: PublishedCells, standing: Standing) -> Site:
    """The site of a release: everything that its pages need.

    Raises:
        InputError: the release has a cell of an indicator that is not declared.
    """
    configuration, settings = declared.configuration, declared.settings
    years_of = cells.years_of_indicators
    known = {indicator.id: indicator for indicator in configuration.indicators}
    for name in years_of:
        if name not in known:
            raise InputError(f"The published cells have an indicator {name!r} that indicators/ does not declare.")
    levels = tuple(level for level in configuration.settings.geography.levels if level in cells.levels)
    release = ReleaseInfo(
        number=cells.release,
        published_on=standing.published_on,
        years=tuple(sorted({year for years in years_of.values() for year in years})),
        final_years=_final_years(cells),
        data_changed=dict(standing.data_changed),
        is_synthetic=standing.is_synthetic,
        is_draft=standing.published_on is None,
        is_withdrawn=standing.is_withdrawn,
    )
    return Site(
        configuration=configuration,
        settings=settings,
        publication=declared.publication,
        release=release,
        places=places_of(configuration, settings),
        words={language: words_of(language, locale, configuration) for language, locale in declared.locales.items()},
        indicators=tuple(known[name] for name in years_of),
        levels=levels,
        years_of=years_of,
        cells_of=cells.cells_of,
        table_of=cells.table_of,
        totals=cells.totals,
        audits=cells.audits,
        dimensions=cells.dimensions,
        columns=cells.columns,
        has_hospitals=HOSPITAL in cells.levels,
    )


def topology_of(site: Site) -> Topology | None:
    """The outlines of the site's places; nothing where none fit their codes, so that there is no map."""
    outlines, level = site.settings.outlines, site.domicile_level
    if outlines is not None:
        vintage = site.places.geography.vintage(site.vintage).values()
        above = site.places.levels[: site.places.levels.index(outlines.level)]
        parents = {larger: {one.parents[outlines.level]: one.parents[larger] for one in vintage} for larger in above}
        file = Path(str(file_of(site.configuration.folder, outlines.file)))
        return topology_of_geojson(file, outlines.code, outlines.level, parents=parents)
    topology = Topology.load(None)
    codes = set(site.places.geography.vintage(site.vintage))
    return topology if codes <= set(topology.codes(level, site.vintage)) else None


def history_of(
    output: str, cells: PublishedCells, published_on: date | None, causes: tuple[str, ...] | None
) -> tuple[History, dict[str, date]]:
    """What was published before, and when the figures of each indicator last changed.

    ``published_on``: the day of this release; none for a draft, which is in no history.
    """
    published = first_published(output)
    withdrawals = withdrawals_of(output)
    if published_on is not None:
        published = {**published, cells.release: published_on}
    earlier = [number for number in published if number < cells.release and number not in withdrawals]
    before = PublishedCells(output, earlier[-1]) if earlier else None
    changes = changes_between(before, cells) if before else ()
    history = History(published, withdrawals, before.release if before else None, changes, causes)
    return history, _data_changed(output, cells, published, earlier, published_on)


def _data_changed(
    output: str,
    cells: PublishedCells,
    published: Mapping[int, date],
    earlier: Sequence[int],
    published_on: date | None,
) -> dict[str, date]:
    """The day of the oldest release since which an indicator's cells have been the same."""
    if not earlier:
        return dict.fromkeys(cells.years_of_indicators, published_on) if published_on else {}
    open_names = {name: cells.digest_of(name) for name in cells.years_of_indicators}
    found = dict.fromkeys(open_names, published_on)
    for number in reversed(earlier):
        former = PublishedCells(output, number)
        for name, digest in list(open_names.items()):
            if name in former.years_of_indicators and former.digest_of(name) == digest:
                found[name] = published[number]
            else:
                del open_names[name]
        if not open_names:
            break
    return {name: day for name, day in found.items() if day is not None}


def _final_years(cells: PublishedCells) -> dict[str, int]:
    found: dict[str, int] = {}
    final = {(cell.indicator_id, cell.year) for cell in cells.totals.values() if cell.status == "final"}
    for name, years in cells.years_of_indicators.items():
        found[name] = max((year for year in years if (name, year) in final), default=years[-1])
    return found
