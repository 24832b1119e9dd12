"""The page of a place: its profile, beside the larger places it lies in. An ended code leads to its successor."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from claimatlas.atlas import links
from claimatlas.atlas.cells import Cell
from claimatlas.atlas.charts import sparkline_svg
from claimatlas.atlas.data_files import scripts_of
from claimatlas.atlas.figures import Figure, figure, said_of_hidden
from claimatlas.atlas.indicator_pages import country_name_of
from claimatlas.atlas.page import App, Page, page_text
from claimatlas.atlas.places import sort_key
from claimatlas.atlas.rendering import made
from claimatlas.atlas.site import Site
from claimatlas.configuration.indicators import Indicator

Trail = list[tuple[str, str | None]]


@dataclass(frozen=True)
class Profiled:
    """The place of a profile, and the larger places it lies in: their codes by level."""

    level: str
    code: str
    larger: dict[str, str]


@dataclass(frozen=True)
class ProfileRow:
    """An indicator in a profile: the place's figure and those of the larger places, in the same year."""

    indicator: str
    title: str
    page: str
    year: int
    figure: Figure
    cell_comparison: str | None
    cell_trend: str | None
    larger: list[tuple[str, Figure]]
    spark: Markup


def place_page(site: Site, level: str, code: str, language: str) -> str:
    """The page of a place of the newest year's geography."""
    words, places, vintage = site.words[language], site.places, site.vintage
    title = places.name(level, code, language, vintage)
    country = country_name_of(site, language, vintage)
    parents = {at: of for at, of in places.parents(level, code, vintage).items() if at in site.levels}
    shown = [indicator for indicator in site.indicators if level in site.levels_of(indicator)]
    themes = [
        (
            theme.names[language] if theme else words.say("start.other"),
            [profile_row(site, indicator, Profiled(level, code, parents), language) for indicator in indicators],
        )
        for theme, indicators in site.settings.by_theme(tuple(shown))
    ]
    cells = [_cell(site, indicator, level, code) for indicator in shown]
    former = places.former(code, vintage) if level == site.domicile_level else []
    others = [name for name in places.all_names(level, code) if name != title]
    values = {
        "path_items": [*_trail(site, parents, language), (title, None)],
        "level_name": words.capital(words.name("level", level)),
        "code": code,
        "country": country,
        "other_names": ", ".join(others),
        "former": _former(site, former, language),
        **said_of_hidden(cells, "place", words, site.publication.hidden_below),
        "themes": themes,
        "larger": [_short(site, at, of, language) for at, of in reversed(parents.items())],
        "has_comparison": level != site.country_level,
        "has_trend": any(row.cell_trend for _, rows in themes for row in rows),
        "children": _children(site, level, code, language),
    }
    app = App("place", scripts_of(site, "place", f"{level}/{code}", language), level=level, code=code)
    path = links.place_page(language, level, code)
    return page_text(site, Page(path, "place", title, app), values)


def ended_page(site: Site, code: str, successor: str, language: str) -> str:
    """The page of a code that is no longer valid: it names the place's new code."""
    words, places, level = site.words[language], site.places, site.domicile_level
    last = places.last_year(code)
    name = places.name(level, code, language, last)
    now = places.name(level, successor, language, site.vintage)
    values = {
        "path_items": [*_trail(site, {}, language), (name, None)],
        "ended": words.say("place.ended", name=name, code=code, level=words.name("level", level), year=last),
        "now": words.say("place.ended_now", name=now),
        "successor": f"{now} ({successor})",
        "successor_page": links.place_page(language, level, successor),
        "data_page": links.about_page(language, "data"),
    }
    return page_text(site, Page(links.place_page(language, level, code), "ended", name), values)


def _cell(site: Site, indicator: Indicator, level: str, code: str) -> Cell | None:
    return site.totals.get((indicator.id, site.release.final_years[indicator.id], level, code))


def profile_row(site: Site, indicator: Indicator, place: Profiled, language: str) -> ProfileRow:
    """The line of an indicator in the profile of a place."""
    level, code = place.level, place.code
    words, k = site.words[language], site.publication.hidden_below
    title = indicator.names.of(language)
    cell = _cell(site, indicator, level, code)
    years = sorted(site.years_of[indicator.id])
    found = (site.totals.get((indicator.id, year, level, code)) for year in years)
    chart = words.chart(indicator, title, indicator.id, is_synthetic=site.release.is_synthetic)
    larger = [
        (
            site.places.name(at, of, language, site.vintage),
            figure(_cell(site, indicator, at, of), indicator, words, k),
        )
        for at, of in reversed(place.larger.items())
    ]
    return ProfileRow(
        indicator=indicator.id,
        title=title,
        page=f"{links.indicator_page(language, indicator.id)}#l={level}&p={code}",
        year=site.release.final_years[indicator.id],
        figure=figure(cell, indicator, words, k),
        cell_comparison=cell.comparison if cell else None,
        cell_trend=cell.trend if cell else None,
        larger=larger,
        spark=made(sparkline_svg([point for point in found if point is not None], chart)),
    )


def _short(site: Site, level: str, code: str, language: str) -> tuple[str, str]:
    """The name of a column, and the level where the name alone does not tell it."""
    short = site.places.short_name(level, code, language, site.vintage)
    is_short = short != site.places.name(level, code, language, site.vintage)
    return short, site.words[language].name("level", level) if is_short else ""


def _trail(site: Site, parents: dict[str, str], language: str) -> Trail:
    items: Trail = [(site.words[language].say("page.start"), links.start_page(language))]
    for level, code in parents.items():
        name = site.places.name(level, code, language, site.vintage)
        items.append((name, links.place_page(language, level, code)))
    return items


def _former(site: Site, codes: list[str], language: str) -> str:
    level = site.domicile_level
    names = [f"{site.places.name(level, old, language, site.places.last_year(old))} ({old})" for old in codes]
    words = site.words[language]
    return words.say("place.former", places=words.and_(names)) if names else ""


def _children(site: Site, level: str, code: str, language: str) -> list[tuple[str, str]]:
    found = site.places.children(level, code, site.vintage)
    if found is None or found[0] not in site.levels:
        return []
    smaller, codes = found
    named = [(site.places.name(smaller, of, language, site.vintage), of) for of in codes]
    return [(name, links.place_page(language, smaller, of)) for name, of in sorted(named, key=lambda p: sort_key(p[0]))]
