"""The first page, and the pages on method, confidentiality, accessibility, releases and data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimatlas.atlas import links
from claimatlas.atlas.cells import State
from claimatlas.atlas.changes import KINDS, History
from claimatlas.atlas.charts import sparkline_svg
from claimatlas.atlas.data_files import scripts_of
from claimatlas.atlas.downloads import AUDIT, BAND, FORMATS, SUMS, everything
from claimatlas.atlas.figures import figure
from claimatlas.atlas.indicator_pages import IndicatorTotals, country_name_of
from claimatlas.atlas.maps import LevelFigures, small_map_svg
from claimatlas.atlas.metadata import CATALOGUE, CSVW
from claimatlas.atlas.page import CONTENT_SECURITY_POLICY, App, Page, page_text
from claimatlas.atlas.places import sort_key
from claimatlas.atlas.rendering import made, render
from claimatlas.atlas.site import Site
from claimatlas.atlas.topology import Topology
from claimatlas.atlas.words import Words
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.settings import HOSPITAL


def languages_page(site: Site) -> str:
    """The page at the top of the site: a list of languages, without an automatic choice."""
    first = next(iter(site.words))
    return render(
        "languages",
        {
            "language": first,
            "csp": CONTENT_SECURITY_POLICY,
            "site": site,
            "page_title": site.settings.title[first],
            "alternates": [
                (language, words.say("page.language_name"), links.start_page(language))
                for language, words in site.words.items()
            ],
        },
    )


@dataclass(frozen=True)
class Drawn:
    """What the maps of the first page are drawn from: the totals of each indicator, and the outlines if any."""

    totals: Mapping[str, IndicatorTotals]
    topology: Topology | None


def start_page(site: Site, drawn: Drawn, language: str) -> str:
    """The first page of a language: search of a place, indicators by theme, each with its map."""
    words = site.words[language]
    by_level: dict[str, list[tuple[str, str]]] = {}
    for level, code in sorted(site.pages_of_places, key=lambda unit: (site.levels.index(unit[0]), unit[1])):
        name = site.places.name(level, code, language, site.vintage)
        by_level.setdefault(level, []).append((name, links.place_page(language, level, code)))
    values = {
        "summary": words.say(
            "start.what",
            indicators=len(site.indicators),
            years=words.years(site.release.years),
            places=words.count(len(site.pages_of_places)),
        ),
        "places_by_level": [
            (words.capital(words.names("level", level, 2)), sorted(places, key=lambda place: sort_key(place[0])))
            for level, places in by_level.items()
        ],
        "hospitals": sorted(
            ((site.hospital_name(code, language), links.hospital_page(language, code)) for code in site.hospitals),
            key=lambda hospital: sort_key(hospital[0]),
        ),
        "themes": [
            (
                theme.names[language] if theme else words.say("start.other"),
                [_card(site, indicator, drawn, language) for indicator in indicators],
            )
            for theme, indicators in site.settings.by_theme(site.indicators)
        ],
    }
    app = App("start", scripts_of(site, "start", "", language))
    title = site.settings.title[language]
    path = links.start_page(language)
    page = Page(path, "start", title, app, description=site.settings.subtitle[language])
    return page_text(site, page, values)


def about_pages(site: Site, history: History, folder: Path, language: str) -> Mapping[str, str]:
    """The other pages of a language by their paths; ``folder``: the site's, where the downloads are by now."""
    values = {
        "method": _method(site, language),
        "confidentiality": _confidentiality(site, language),
        "accessibility": _accessibility(site),
        "releases": _releases(site, history, folder, language),
        "data": _data(site, history, folder, language),
    }
    return _pages(site, values, language)


def withdrawn_pages(site: Site, history: History, folder: Path, language: str) -> Mapping[str, str]:
    """The pages of a site without a release in force: that there is none, the releases, accessibility."""
    releases = _releases(site, history, folder, language)
    start = links.start_page(language)
    others = {"releases": {**releases, "changes": None}, "accessibility": _accessibility(site)}
    return {
        start: page_text(site, Page(start, "withdrawn", site.settings.title[language]), releases),
        **_pages(site, others, language),
    }


def _pages(site: Site, values: Mapping[str, dict[str, Any]], language: str) -> dict[str, str]:
    """The pages about the atlas, by path; ``values``: what each says, by its name."""
    words = site.words[language]
    paths = {name: links.about_page(language, name) for name in values}
    return {
        path: page_text(site, Page(path, name, words.say(f"page.{name}")), values[name]) for name, path in paths.items()
    }


def _accessibility(site: Site) -> dict[str, Any]:
    return {"contact_said": site.settings.contact.removeprefix("mailto:")}


def _card(site: Site, indicator: Indicator, drawn: Drawn, language: str) -> dict[str, Any]:
    words, year = site.words[language], site.release.final_years[indicator.id]
    cells = {
        key[1]: cell for key, cell in site.totals.items() if key[0] == indicator.id and key[2] == site.country_level
    }
    title = indicator.names.of(language)
    chart = words.chart(indicator, title, indicator.id, is_synthetic=site.release.is_synthetic)
    country = country_name_of(site, language, year)
    return {
        "title": title,
        "page": links.indicator_page(language, indicator.id),
        "figure": figure(cells.get(year), indicator, words, site.publication.hidden_below),
        "note": words.say("start.national", country=country, year=year),
        "spark": made(sparkline_svg([cells[of] for of in sorted(cells)], chart)),
        "map": made(_small_map(site, indicator, drawn, language)),
    }


def _small_map(site: Site, indicator: Indicator, drawn: Drawn, language: str) -> str:
    totals, year = drawn.totals[indicator.id], site.release.final_years[indicator.id]
    level = totals.middle_level(year)
    if drawn.topology is None or level is None or not drawn.topology.codes(level, year):
        return ""
    words = site.words[language]
    title = words.say(
        "app.view_said", title=indicator.names.of(language), level=words.names("level", level, 2), year=year
    )
    chart = words.chart(indicator, title, f"map-{indicator.id}", is_synthetic=site.release.is_synthetic)
    figures = LevelFigures(level, year, totals.of_level(year, level), classes=totals.classes[level])
    return small_map_svg(drawn.topology, figures, chart)


def _method(site: Site, language: str) -> dict[str, Any]:
    words, rules = site.words[language], site.publication.reliability
    reading = [words.say(f"method.{name}") for name in ("interval", "comparison", "trend")]
    reading.append(
        words.say(
            "method.reliability", numerator=rules.numerator_below, width=words.number(rules.interval_wider_than, 0)
        )
    )
    reading += [words.say(f"method.{name}") for name in ("provisional", "codes")]
    looks = [
        (
            state.value.replace("_", "-"),
            words.say(f"state.{state.value}"),
            words.say(f"state_meaning.{state.value}", k=site.publication.hidden_below),
        )
        for state in State
    ]
    sheets = [(indicator.names.of(language), links.sheet_page(language, indicator.id)) for indicator in site.indicators]
    return {"reading": reading, "looks": looks, "sheets": sheets}


def _confidentiality(site: Site, language: str) -> dict[str, Any]:
    words, k = site.words[language], site.publication.hidden_below
    rounded = ("rounded_few", "rounded", "country_exact", "rounded_proved")
    names = rounded if site.publication.is_rounded else ("k", "closed", "proved", "range")
    left_out = () if site.publication.country_exact else ("country_exact",)
    how = [words.say(f"confidentiality.{name}", k=k, last=k - 1) for name in names if name not in left_out]
    counts: dict[tuple[str, str], list[int]] = {}
    for year in site.audits:
        for row in year["record"]["cells"]:
            both = counts.setdefault((row["indicator_id"], row["geo_level"]), [0, 0])
            both[0] += row["hidden"]
            both[1] += row["hidden"] + row["shown"]
    known = {indicator.id: indicator for indicator in site.indicators}
    levels = sorted({level for _, level in counts}, key=lambda level: _position(site, level))
    rows = [
        (
            known[name].names.of(language) if name in known else name,
            [_hidden_of(counts.get((name, level)), words) for level in levels],
        )
        for name in sorted({name for name, _ in counts})
    ]
    before, _, after = words.say("confidentiality.audit", file="\0").partition("\0")
    return {
        "sentence": words.say("hidden" if site.publication.is_rounded else "hidden_between", k=k, bounds="a – b"),
        "how": how,
        "plan": [_planned(site, level, language) for level in (*site.levels, *[HOSPITAL] * site.has_hospitals)],
        "levels": [words.name("level", level) for level in levels],
        "rows": rows,
        "audit_before": before,
        "audit_after": after,
        "audit_file": links.download(site.release.number, AUDIT),
    }


def _hidden_of(counts: list[int] | None, words: Words) -> tuple[str, str]:
    """The share of hidden figures, and both numbers; nothing where none was planned."""
    if counts is None:
        return "", ""
    hidden, planned = map(words.count, counts)
    return words.share(*counts), words.say("confidentiality.hidden_of", hidden=hidden, planned=planned)


def _planned(site: Site, level: str, language: str) -> str:
    words = site.words[language]
    splits = site.publication.plan.get(level, 0)
    key = "all" if splits == "all" else "some" if splits else "totals"
    name = words.capital(words.name("level", level))
    return words.say(f"confidentiality.plan_{key}", level=name, number=splits)


def _position(site: Site, level: str) -> int:
    return site.levels.index(level) if level in site.levels else len(site.levels)


def _releases(site: Site, history: History, folder: Path, language: str) -> dict[str, Any]:
    words, current = site.words[language], site.release.number
    known = {indicator.id: indicator for indicator in site.configuration.indicators}
    rows = [
        {
            "number": number,
            "date": words.date(day),
            "is_current": number == current and not site.release.is_draft,
            "is_withdrawn": number in history.withdrawals,
            "folder": links.download(number, SUMS) if (folder / links.download(number, SUMS)).is_file() else None,
        }
        for number, day in sorted(history.published.items(), reverse=True)
    ]
    changes = [
        {
            "title": known[change.indicator].names.of(language) if change.indicator in known else change.indicator,
            "year": change.year,
            "numbers": [words.count(change.counts.get(kind, 0)) for kind in KINDS],
        }
        for change in history.changes
    ]
    causes = words.say("releases.causes_unknown")
    if history.causes:
        said = [words.say(f"releases.cause.{cause}") for cause in history.causes]
        causes = words.say("releases.causes", causes=words.and_(said))
    return {
        "errata": [
            words.say("releases.erratum", release=one.release, date=words.date(one.on), reason=one.reason)
            for one in history.withdrawals.values()
        ],
        "rows": rows,
        "changes": {"kinds": KINDS, "rows": changes} if history.before is not None else None,
        "changes_title": words.say("releases.changes", number=history.before),
        "causes": causes,
    }


def _meaning(words: Words, column: str) -> str:
    """What a column of the downloads holds; each that has no text of its own is a dimension."""
    key = f"field.{column}"
    return words.say(key) if words.has(key) else words.say("field.dimension", dimension=words.name("dimension", column))


def _data(site: Site, history: History, folder: Path, language: str) -> dict[str, Any]:
    words, number = site.words[language], site.release.number

    def file(name: str) -> dict[str, str]:
        path = links.download(number, name)
        return {"path": path, "size": words.size((folder / path).stat().st_size)}

    rows = [
        {
            "title": indicator.names.of(language),
            "page": links.indicator_page(language, indicator.id),
            "id": indicator.id,
            "files": [{"name": kind.upper(), **file(f"{indicator.id}.{kind}")} for kind in FORMATS],
        }
        for indicator in site.indicators
    ]
    former = [
        (words.say("page.release", number=other, date=words.date(day)), links.download(other, f"release-{other}.zip"))
        for other, day in sorted(history.published.items(), reverse=True)
        if other != number and (folder / links.download(other, f"release-{other}.zip")).is_file()
    ]
    return {
        "everything": file(everything(site)),
        "checksums": links.download(number, SUMS),
        "metadata": links.download(number, CSVW),
        "catalogue": links.download(number, CATALOGUE),
        "rows": rows,
        "columns": [(name, _meaning(words, name)) for name in (*site.columns, *[BAND] * bool(site.release.band))],
        "former": former,
    }
