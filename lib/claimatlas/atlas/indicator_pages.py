"""The page of an indicator, and its full methodology sheet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from markupsafe import Markup

from claimatlas.atlas import links
from claimatlas.atlas.cells import Cell
from claimatlas.atlas.charts import distribution_svg, funnel_svg, ranking_svg, series_svg
from claimatlas.atlas.classes import Classes, classes_of
from claimatlas.atlas.data_files import scripts_of
from claimatlas.atlas.downloads import FORMATS
from claimatlas.atlas.figures import Figure, figure, said_of_hidden
from claimatlas.atlas.maps import LevelFigures, legend_html, map_svg
from claimatlas.atlas.metadata import dataset
from claimatlas.atlas.page import App, Page, page_text
from claimatlas.atlas.places import sort_key
from claimatlas.atlas.rendering import made
from claimatlas.atlas.site import Site
from claimatlas.atlas.topology import Topology
from claimatlas.atlas.words import Words
from claimatlas.configuration.dimensions import AGE
from claimatlas.configuration.indicators import MEDIAN, Indicator
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.sheets.facts import Facts, gather
from claimatlas.sheets.html import converted
from claimatlas.sheets.pages import Written, section, sheet
from claimatlas.sheets.phrases import Phrases

MAX_NAMED = 60


@dataclass(frozen=True)
class Row:
    """A line of the table: a place with its figure; ``page`` is none where the place has no page."""

    name: str
    code: str
    page: str | None
    figure: Figure


@dataclass(frozen=True)
class IndicatorTotals:
    """The totals of an indicator: by year, level and place, with the classes that hold for all years."""

    cells: Mapping[tuple[int, str, str], Cell]
    classes: Mapping[str, Classes | None]
    """By level: larger places lie closer together than smaller ones."""

    @cached_property
    def _by_level(self) -> dict[tuple[int, str], dict[str, Cell]]:
        found: dict[tuple[int, str], dict[str, Cell]] = {}
        for (year, level, code), cell in self.cells.items():
            found.setdefault((year, level), {})[code] = cell
        return found

    def levels(self, year: int) -> list[str]:
        """The levels with a cell in a year, in the order of ``classes``: the country first."""
        return [level for level in self.classes if self.of_level(year, level)]

    def middle_level(self, year: int) -> str | None:
        """The smallest level with so few places that each can be named; none where only the country is published."""
        few = (level for level in reversed(self.levels(year)) if 1 < len(self.of_level(year, level)) <= MAX_NAMED)
        return next(few, None)

    def of_level(self, year: int, level: str) -> Mapping[str, Cell]:
        """The cells of a year and level by place."""
        return self._by_level.get((year, level), {})


def totals_of(site: Site, indicator: Indicator) -> IndicatorTotals:
    """The totals of an indicator."""
    own = {key[1:]: cell for key, cell in site.totals.items() if key[0] == indicator.id}
    by_level = {level: classes_of(cell for key, cell in own.items() if key[1] == level) for level in site.levels}
    return IndicatorTotals(own, by_level)


def indicator_page(
    site: Site, indicator: Indicator, totals: IndicatorTotals, topology: Topology | None, language: str
) -> str:
    """The page of an indicator in a language."""
    words = site.words[language]
    year = site.release.final_years[indicator.id]
    path = links.indicator_page(language, indicator.id)
    smallest = totals.levels(year)[-1]
    country = _country(site, totals, year)
    country_name = country_name_of(site, language, year)
    title = indicator.names.of(language)
    values: dict[str, Any] = {
        "path_items": _trail(site, indicator, language),
        "key": {
            "title": words.say("indicator.figure", country=country_name, year=year),
            "figure": figure(country, indicator, words, site.publication.hidden_below),
            "has_counts": indicator.unit != "count",
        },
        **_hidden(site, words, totals, year, smallest),
        **_table(site, indicator, totals, language),
        **_pictures(site, indicator, totals, topology, language),
        "hospitals": _hospitals(site, indicator, totals, language),
        **_sheet(site, indicator, language),
        "caption": words.say("indicator.caption", level=words.name("level", smallest), year=year),
        "country": country_name,
        "year": year,
        "years_said": words.years(tuple(sorted({key[0] for key in totals.cells}))),
    }
    app = App("indicator", scripts_of(site, "indicator", indicator.id, language), indicator=indicator.id)
    page = Page(
        path,
        "indicator",
        title,
        app,
        description=indicator.description.of(language),
        data=dataset(site, indicator, language),
    )
    return page_text(site, page, values)


def sheet_page(site: Site, indicator: Indicator, language: str) -> str:
    """The full methodology sheet of an indicator in a language."""
    facts = gather(indicator, site.configuration)
    there = frozenset(other.id for other in site.indicators)
    page = sheet(
        facts,
        language,
        Written({language: site.words[language].sheets}, there, has_index=False),
        "html",
        has_footer=False,
    )
    items = _trail(site, indicator, language)
    items[-1] = (items[-1][0], links.indicator_page(language, indicator.id))
    items.append((site.words[language].say("page.method"), None))
    values = {"path_items": items, "body": _body(page.body, site.words[language])}
    return page_text(site, Page(links.sheet_page(language, indicator.id), "sheet", page.title), values)


def _body(markdown: str, words: Words) -> Markup:
    """A sheet as HTML; its wide tables can be scrolled with the keyboard."""
    first, *others = converted(markdown).split('<div class="table">')
    name = escape(words.say("indicator.table"))
    region = '<div class="table" tabindex="0" role="region" aria-label="{} {}">{}'
    return made(first + "".join(region.format(name, number, rest) for number, rest in enumerate(others, 1)))


def country_name_of(site: Site, language: str, year: int) -> str:
    """What the country is called."""
    codes = [code for level, code in site.places.units(year) if level == site.country_level]
    return site.places.name(site.country_level, codes[0], language, year) if codes else ""


def citation(site: Site, indicator: Indicator, words: Words) -> str:
    """How the figures of an indicator are quoted."""
    settings, release, language = site.settings, site.release, words.language
    key = "citation_draft" if release.published_on is None else "citation_text"
    return words.say(
        f"sheet.{key}",
        owner=settings.owner[language],
        date=words.short_date(release.published_on) if release.published_on else "",
        id=indicator.id,
        title=indicator.names.of(language),
        atlas=settings.title[language],
        release=release.number,
    )


def _country(site: Site, totals: IndicatorTotals, year: int) -> Cell | None:
    return next(iter(totals.of_level(year, site.country_level).values()), None)


def _trail(site: Site, indicator: Indicator, language: str) -> list[tuple[str, str | None]]:
    words = site.words[language]
    theme = site.settings.theme_of(indicator.id)
    items: list[tuple[str, str | None]] = [(words.say("page.start"), links.start_page(language))]
    items += [(theme.names[language], links.start_page(language))] if theme else []
    return [*items, (indicator.names.of(language), None)]


def _hidden(site: Site, words: Words, totals: IndicatorTotals, year: int, level: str) -> dict[str, str]:
    cells = totals.of_level(year, level).values()
    provisional = sorted({key[0] for key, cell in totals.cells.items() if cell.status == "provisional"})
    later = words.say("indicator.provisional", years=words.years(tuple(provisional))) if provisional else ""
    return {**_said_of_level(site, words, cells, level, year), "provisional_said": later}


def _said_of_level(site: Site, words: Words, cells: Collection[Cell], level: str, year: int) -> dict[str, str]:
    """How many of the figures of a level and year are hidden."""
    names = words.names("level", level, len(cells))
    return said_of_hidden(cells, "indicator", words, site.publication.hidden_below, level=names, year=year)


def _table(site: Site, indicator: Indicator, totals: IndicatorTotals, language: str) -> dict[str, Any]:
    words, year = site.words[language], site.release.final_years[indicator.id]
    tables = []
    for level in totals.levels(year):
        rows = [
            Row(
                site.places.name(level, code, language, year),
                code,
                links.place_page(language, level, code) if (level, code) in site.pages_of_places else None,
                figure(cell, indicator, words, site.publication.hidden_below),
            )
            for code, cell in totals.of_level(year, level).items()
        ]
        tables.append((words.name("level", level), sorted(rows, key=lambda row: sort_key(row.name))))
    return {
        "tables": tables,
        "has_interval": indicator.has_interval,
        "has_counts": indicator.unit not in ("count", MEDIAN),
        "has_comparison": indicator.has_interval,
        "has_trend": any(row.figure.trend for _, rows in tables for row in rows),
    }


def _hospitals(site: Site, indicator: Indicator, totals: IndicatorTotals, language: str) -> dict[str, Any] | None:
    """The hospitals of an indicator that counts them, or why there are none."""
    if HOSPITAL not in indicator.levels:
        return None
    words, year, register = site.words[language], site.release.final_years[indicator.id], site.register
    cells = [cell for key, cell in totals.cells.items() if key[:2] == (year, HOSPITAL)]
    if register is None or not cells:
        why = "plan" if site.configuration.hospitals else "register"
        return {"why": words.say(f"hospital.none_{why}"), "rows": []}
    rows = [
        Row(
            site.hospital_name(cell.geo_code, language),
            cell.geo_code,
            links.hospital_page(language, cell.geo_code) if cell.geo_code in site.hospitals else None,
            figure(cell, indicator, words, site.publication.hidden_below),
        )
        for cell in cells
    ]
    return {
        "why": "",
        "rows": sorted(rows, key=lambda row: sort_key(row.name)),
        "caption": words.say("indicator.caption", level=words.name("level", HOSPITAL), year=year),
        **_said_of_level(site, words, cells, HOSPITAL, year),
        "has_trend": any(row.figure.trend for row in rows),
    }


def _pictures(
    site: Site,
    indicator: Indicator,
    totals: IndicatorTotals,
    topology: Topology | None,
    language: str,
) -> dict[str, Any]:
    words, year = site.words[language], site.release.final_years[indicator.id]
    level = totals.levels(year)[-1]
    title = indicator.names.of(words.language)

    def chart(name: str) -> Any:  # noqa: ANN401 - the words of a picture
        return words.chart(indicator, title, name, is_synthetic=site.release.is_synthetic)

    def figures(of: str, name: Callable[[str, str, str, int], str]) -> LevelFigures:
        cells = totals.of_level(year, of)
        names = {code: name(of, code, language, year) for code in cells}
        return LevelFigures(of, year, cells, _country(site, totals, year), names, totals.classes[of])

    shown = figures(level, site.places.name)
    ranked = totals.middle_level(year) or level
    points = [cell for key, cell in sorted(totals.cells.items()) if key[1] == site.country_level]
    return {
        "map": made(map_svg(topology, shown, chart("map")) if topology and topology.codes(level, year) else ""),
        "legend": made(legend_html(shown.classes, chart("legend"))),
        "series": made(series_svg(points, chart("series"))),
        "ranking": made(ranking_svg(figures(ranked, site.places.short_name), chart("ranking"))),
        "ranking_caption": words.say("indicator.caption", level=words.name("level", ranked), year=year),
        "distribution": made(distribution_svg(shown, chart("distribution"))),
        "funnel": made(funnel_svg(shown, chart("funnel"))),
    }


def _sheet(site: Site, indicator: Indicator, language: str) -> dict[str, Any]:
    facts = gather(indicator, site.configuration)
    words, texts = site.words[language], site.words[language].sheets
    release = site.release
    theme = site.settings.theme_of(indicator.id)
    unit = Phrases(facts, texts).unit()
    changed = release.data_changed.get(indicator.id, release.published_on)
    rows: list[tuple[str, str | Markup]] = [
        ("code", indicator.id),
        ("unit", unit),
        ("calculation", made(converted(section("calculation", facts, texts)))),
        ("population", made(converted(section("population", facts, texts)))),
        ("dimensions", _dimensions(facts, words)),
        ("smallest_level", words.name("level", _smallest(site, indicator))),
        ("first_year", str(facts.first_year)),
        ("update", _update(site, words)),
        ("keywords", ", ".join(theme.keywords.get(language, ())) if theme else words.say("sheet.none")),
        ("source_variables", _variables(site, indicator, words)),
        ("data_changed", words.date(changed) if changed else words.say("sheet.none")),
        ("method_changed", words.date(site.settings.method_changed_on(indicator.id))),
    ]
    there = {other.id for other in site.indicators}
    related = [
        (
            f"{other.id} – {other.names.of(language)}",
            links.indicator_page(language, other.id) if other.id in there else None,
        )
        for other in facts.related
    ]
    downloads = [(kind.upper(), links.download(release.number, f"{indicator.id}.{kind}")) for kind in FORMATS]
    return {
        "facts": [(words.say(f"sheet.{name}"), text) for name, text in rows],
        "related": related,
        "citation": citation(site, indicator, words),
        "sheet_page": links.sheet_page(language, indicator.id),
        "downloads": downloads,
    }


def _smallest(site: Site, indicator: Indicator) -> str:
    """The smallest published level of an indicator: a hospital where it counts them."""
    return HOSPITAL if site.register and HOSPITAL in indicator.levels else site.levels_of(indicator)[-1]


def _dimensions(facts: Facts, words: Words) -> str:
    names = [words.name("dimension", name) for name in facts.indicator.dimensions]
    if not names:
        return words.say("indicator.no_splits")
    said = words.say("indicator.splits_at", dimensions=words.and_(names))
    for name in facts.indicator.dimensions:
        if facts.dimensions.declared[name].source == AGE:
            said += f" {words.name('dimension', name)}: {Phrases(facts, words.sheets).age_classes(name)}."
    return said.replace("\\", "")


def _update(site: Site, words: Words) -> str:
    update = site.settings.update
    quarter = words.say(f"sheet.quarter.{update.quarter}")
    if not update.years_after:
        return words.say("sheet.update_same", quarter=quarter)
    return words.say("sheet.update_text", quarter=quarter, after=words.duration(update.years_after))


def _variables(site: Site, indicator: Indicator, words: Words) -> str:
    found = [f"{one.name} ({one.label[words.language]})" for one in site.settings.variables_of(indicator.id)]
    return ", ".join(found) or words.say("sheet.none")
