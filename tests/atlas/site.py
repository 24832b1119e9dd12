"""The whole site of an invented country, as the command writes it: every type of page, in a folder."""

from dataclasses import replace
from datetime import date

import pyarrow as pa
from claimatlas.atlas import building
from claimatlas.atlas.changes import Change, History
from claimatlas.atlas.places import places_of
from claimatlas.atlas.reading import PublishedCells, Withdrawal
from claimatlas.atlas.site import ReleaseInfo, Site
from claimatlas.atlas.words import words_of
from claimatlas.configuration.atlas import load_atlas
from claimatlas.configuration.publication import load_publication

from atlas.invented import Country

RELEASE = 3
"""The release that is shown; the first was withdrawn, the second is told apart from it."""

DAYS = {1: date(2024, 1, 15), 2: date(2025, 1, 15), RELEASE: date(2026, 1, 15)}


class Invented(PublishedCells):
    """The same columns and types as the published table has, without a table."""

    def __init__(self, dimensions):
        self.dimensions = dimensions

    def table_of_cells(self, cells):
        columns = {name: [] for name in self.columns}
        for cell in cells:
            split = dict(zip(self.dimensions, cell.split, strict=True))
            for name, column in columns.items():
                column.append(split[name] if name in split else getattr(cell, name))
        return pa.table(columns, self._schema)


def site_of(country: Country, *, is_synthetic=True) -> Site:
    configuration = country.configuration
    settings = load_atlas(configuration)
    cells = {name: [replace(cell, release=RELEASE) for cell in of] for name, of in country.cells.items()}
    totals = {
        (cell.indicator_id, cell.year, cell.geo_level, cell.geo_code): cell
        for of in cells.values()
        for cell in of
        if set(cell.split) == {"all"}
    }
    final = max(cell.year for of in cells.values() for cell in of if cell.status == "final")
    years = tuple(country.years)
    table = Invented(configuration.dimensions.names)
    return Site(
        configuration=configuration,
        settings=settings,
        publication=load_publication(configuration),
        release=ReleaseInfo(
            number=RELEASE,
            published_on=DAYS[RELEASE],
            years=years,
            final_years=dict.fromkeys(cells, final),
            data_changed=dict.fromkeys(cells, DAYS[RELEASE]),
            is_synthetic=is_synthetic,
            is_draft=False,
        ),
        places=places_of(configuration, settings),
        words={language: words_of(language, locale, configuration) for language, locale in settings.locales.items()},
        indicators=country.indicators,
        levels=tuple(configuration.settings.geography.levels),
        years_of=dict.fromkeys(cells, years),
        cells_of=lambda name: cells[name],
        table_of=lambda name: table.table_of_cells(cells[name]),
        totals=totals,
        audits=tuple(audit_of(cells, year) for year in years),
        dimensions=configuration.dimensions.names,
        columns=table.columns,
        has_hospitals=any(cell.geo_level == "hospital" for of in cells.values() for cell in of),
    )


def audit_of(cells, year):
    """What an audit of the year would have counted."""
    counts = {}
    for cell in (cell for of in cells.values() for cell in of if cell.year == year):
        depth = sum(value != "all" for value in cell.split)
        row = counts.setdefault((cell.indicator_id, cell.geo_level, depth), {"shown": 0, "hidden": 0})
        row["hidden" if cell.confidentiality == "C" else "shown"] += 1
    rows = [{"indicator_id": n, "geo_level": at, "splits": d, **row} for (n, at, d), row in sorted(counts.items())]
    shown, hidden = (sum(row[name] for row in rows) for name in ("shown", "hidden"))
    return {
        **{"release": RELEASE, "year": year, "settings_hash": "0" * 64},
        **{"planned": shown + hidden, "shown": shown, "hidden": hidden, "record": {"cells": rows}},
    }


def history_of(site: Site) -> History:
    """A release that was withdrawn, one before, and what changed since it."""
    changes = tuple(
        Change(indicator.id, year, {"changed": 1234, "newly_hidden": 1, "added": 20})
        for indicator in site.indicators
        for year in site.release.years[:2]
    )
    withdrawn = {1: Withdrawal(1, date(2024, 2, 1), "Claims of one fund twice")}
    return History(DAYS, withdrawn, 2, changes, ("claims", "code lists"))


def write_site(folder, site: Site) -> None:
    """The site, and below ``withdrawn/`` the site of the same release when it is withdrawn."""
    building.write_site(folder, site, history_of(site), None, lambda said: None)
    gone = replace(site, release=replace(site.release, is_withdrawn=True))
    (folder / "withdrawn").mkdir()
    building.write_site(folder / "withdrawn", gone, history_of(site), None, lambda said: None)
