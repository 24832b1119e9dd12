"""The page of a hospital: its indicators beside the country. An id that ended leads to the hospital that goes on."""

from __future__ import annotations

from dataclasses import replace

from claimatlas.atlas import links
from claimatlas.atlas.cells import Cell
from claimatlas.atlas.figures import Figure, figure, said_of_hidden
from claimatlas.atlas.indicator_pages import country_name_of
from claimatlas.atlas.page import Page, page_text
from claimatlas.atlas.place_pages import Profiled, ProfileRow, profile_row
from claimatlas.atlas.site import Site
from claimatlas.atlas.words import Words
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.tables.schemas import ALL

Groups = list[tuple[str, Figure]]


def hospital_page(site: Site, code: str, language: str) -> str:
    """The page of a hospital of the newest year's register; there must be one."""
    words = site.words[language]
    title = site.hospital_name(code, language)
    shown = tuple(one for one in site.indicators if (one.id, code) in site.cells_of_hospitals)
    themes = [
        (
            theme.names[language] if theme else words.say("start.other"),
            [_row(site, indicator, code, language) for indicator in indicators],
        )
        for theme, indicators in site.settings.by_theme(shown)
    ]
    # With its groups, which stand on the same page.
    cells = [cell for one in shown for cell in site.cells_of_hospitals[one.id, code]]
    values = {
        "path_items": [(words.say("page.start"), links.start_page(language)), (title, None)],
        "code": code,
        "country": country_name_of(site, language, site.vintage),
        "former": _former(site, code, language),
        **said_of_hidden(cells, "place", words, site.publication.hidden_below),
        "themes": themes,
        "has_trend": any(row.cell_trend for _, rows in themes for row, _ in rows),
    }
    return page_text(site, Page(links.hospital_page(language, code), "hospital", title), values)


def ended_page(site: Site, code: str, successor: str, language: str) -> str:
    """The page of an id that is no longer valid: it names the hospital that goes on."""
    words = site.words[language]
    name, now = site.hospital_name(code, language), site.hospital_name(successor, language)
    last = site.register.by_id[code].last_year if site.register else 0
    values = {
        "path_items": [(words.say("page.start"), links.start_page(language)), (name, None)],
        "ended": words.say("hospital.ended", name=name, code=code, year=last),
        "now": words.say("hospital.ended_now"),
        "successor": f"{now} ({successor})",
        "successor_page": links.hospital_page(language, successor),
        "data_page": links.about_page(language, "data"),
    }
    return page_text(site, Page(links.hospital_page(language, code), "ended", name), values)


def _row(site: Site, indicator: Indicator, code: str, language: str) -> tuple[ProfileRow, Groups]:
    """The line of an indicator, and its groups in the same year."""
    country = next(at for level, at in site.places.units(site.vintage) if level == site.country_level)
    row = profile_row(site, indicator, Profiled(HOSPITAL, code, {site.country_level: country}), language)
    # The script of an indicator's page knows places alone.
    row = replace(row, page=links.indicator_page(language, indicator.id))
    words, k = site.words[language], site.publication.hidden_below
    split = [cell for cell in site.cells_of_hospitals[indicator.id, code] if cell.split != site.not_split]
    return row, [(_group(site, cell, words), figure(cell, indicator, words, k)) for cell in split]


def _group(site: Site, cell: Cell, words: Words) -> str:
    """The values that a cell is split by."""
    values = zip(site.dimensions, cell.split, strict=True)
    return words.and_([words.value_name(name, value) for name, value in values if value != ALL])


def _former(site: Site, code: str, language: str) -> str:
    """The hospitals that this one goes on with."""
    ended = site.register.ended(site.vintage) if site.register else []
    names = [f"{site.hospital_name(old, language)} ({old})" for old, now in ended if now == code]
    words = site.words[language]
    return words.say("place.former", places=words.and_(names)) if names else ""
