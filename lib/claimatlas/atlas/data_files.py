"""The data of the atlas as classic scripts: what a page's script reads, from a web server and from a disk alike.

Each file hands one value to the page: ``(self.claimatlas=self.claimatlas||[]).push([key, value]);``. A page loads what
its first view needs; the script loads the rest by more script elements, never by fetch. Only published cells go in.

==========================  ===========================================================================
texts-LANGUAGE.js           texts, number marks, titles and units of the indicators
places-LANGUAGE.js          the places of each vintage with their parents; other and former names; ended codes
topology.js                 outlines (not written where there are none)
ID/index.js                 years, splits and classes of an indicator
ID/total-YEAR.js            its totals of a year, all levels
ID/DIMENSION[+…]-YEAR.js    its cells of a year that are split by these dimensions, all levels
==========================  ===========================================================================
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from claimatlas.atlas.cells import Cell, State
from claimatlas.atlas.classes import classes_of
from claimatlas.atlas.places import Places
from claimatlas.atlas.site import Site
from claimatlas.atlas.topology import Topology
from claimatlas.atlas.words import Words
from claimatlas.configuration.indicators import Indicator
from claimatlas.tables.schemas import ALL

FACTOR = 10_000
"""Values and bounds are written as whole numbers of the fourth decimal."""

NONE = -1
"""Written where there is no number: a count, a value or a bound is never below 0."""

TOTAL = "total"
STATES = {State.VALUE: "v", State.HIDDEN: "h", State.NOBODY: "0", State.NOT_COMPUTABLE: "n"}
ABSENT = "-"
"""In the place of each sign of a cell that is not published."""

TEXTS = (
    "app.", "chart.", "state.", "state_meaning.", "comparison.", "comparison_long.", "trend.", "status.",
    "reliability.", "level.", "level_plural.", "value.", "dimension.", "unit_value.", "column.", "band.", "range",
    "bounds_from", "hidden", "indicator.few",
    "indicator.map", "indicator.series", "indicator.ranking", "indicator.distribution", "indicator.funnel",
)  # fmt: skip
"""The prefixes of the text keys that the script reads."""


def write_data(folder: Path, site: Site, topology: Topology | None) -> None:
    """Write every data file of the site below ``folder``, which must be empty or absent."""
    head = _head(site)
    for language, words in site.words.items():
        _write(folder / f"texts-{language}.js", head, "texts", _texts(site, words, topology))
        _write(folder / f"places-{language}.js", head, "places", _places(site, language))
    if topology is not None:
        _write(folder / "topology.js", head, "topology", topology.as_document())
    codes = {year: _codes(site, year) for year in site.release.years}
    for indicator in site.indicators:
        _write_indicator(folder / indicator.id, head, site, indicator, codes)


def scripts_of(site: Site, page: str, key: str, language: str) -> tuple[str, ...]:
    """The data files that a page names, below the site's folder, in this order; its script loads the outlines itself.

    ``page``: start, indicator or place; ``key``: the indicator's id on its page.
    """
    common = (f"data/texts-{language}.js", f"data/places-{language}.js")
    if page != "indicator":
        return common
    newest = site.release.final_years[key]
    return (*common, f"data/{key}/index.js", f"data/{key}/{TOTAL}-{newest}.js")


def _head(site: Site) -> str:
    release = site.release
    marks = [f"release {release.number}", *["draft"] * release.is_draft, *["synthetic figures"] * release.is_synthetic]
    return ", ".join(marks)


def _write(path: Path, head: str, key: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Two characters that end a line in older JavaScript, but not in JSON.
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    call = f'(self.claimatlas=self.claimatlas||[]).push(["{key}",{text}]);'
    path.write_text(f"/* {head} */\n{call}\n", encoding="utf-8")


def _texts(site: Site, words: Words, topology: Topology | None) -> dict[str, Any]:
    release = site.release
    names = {"level": site.places.levels, "dimension": site.dimensions}
    more = {f"{kind}.{name}": words.name(kind, name) for kind, all_names in names.items() for name in all_names}
    more |= {f"value.{name}.{value}": words.value_name(name, value) for name, value in _values(site)}
    return {
        "language": words.language,
        "decimal": words.decimal_mark,
        "group": words.group_mark,
        "release": release.number,
        "draft": release.is_draft,
        "synthetic": release.is_synthetic,
        "k": site.publication.k,
        "outlines": topology is not None,
        "indicators": {i.id: {"title": i.names.of(words.language), "unit": i.unit} for i in site.indicators},
        "texts": more | {key: text for key, text in words.by_key.items() if key.startswith(TEXTS)},
    }


def _values(site: Site) -> set[tuple[str, str]]:
    """Each published value of each dimension."""
    splits = {cell.split for indicator in site.indicators for cell in site.cells_of(indicator.id)}
    return {pair for split in splits for pair in zip(site.dimensions, split, strict=True)}


def _codes(site: Site, year: int) -> dict[str, list[str]]:
    """The codes of each published level in the vintage of a year, in order."""
    found: dict[str, list[str]] = {level: [] for level in site.levels}
    for level, code in site.places.units(year):
        if level in found:
            found[level].append(code)
    return found


def _places(site: Site, language: str) -> dict[str, Any]:
    """The vintages in the order of their first years; ``of`` gives the vintage of a year by position."""
    vintages: list[dict[str, Any]] = []
    of: dict[str, int] = {}
    for year in site.release.years:
        vintage = {level: _of_level(site.places, level, year, language) for level in site.levels}
        if not vintages or vintages[-1] != vintage:
            vintages.append(vintage)
        of[str(year)] = len(vintages) - 1
    newest = site.vintage
    others: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for level, code in site.places.units(newest):
        if level not in site.levels:
            continue
        own = site.places.short_name(level, code, language, newest)
        names = [name for name in site.places.all_names(level, code) if name != own]
        if names:
            others[level][code] = names
    smallest = site.domicile_level
    ended = {
        old: [new, site.places.last_year(old), *site.places.all_names(smallest, old)]
        for old, new in site.places.ended(newest)
    }
    return {
        "levels": list(site.levels),
        "country": site.country_level,
        "smallest": smallest,
        "vintages": vintages,
        "of": of,
        "others": others,
        "ended": ended,
    }


def _of_level(places: Places, level: str, year: int, language: str) -> list[list[str]]:
    """Code, name, level and code of the next larger place that it lies in; the country has none."""
    above: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for place in places.geography.vintage(year).values():
        for larger in places.levels[: places.levels.index(level)]:
            above[place.parents[level]][larger].add(place.parents[larger])
    found = []
    for own, code in places.units(year):
        if own == level:
            parents = [(larger, *codes) for larger, codes in above[code].items() if len(codes) == 1 and all(codes)]
            found.append([code, places.short_name(level, code, language, year), *(parents[-1] if parents else ())])
    return found


def _write_indicator(
    folder: Path, head: str, site: Site, indicator: Indicator, codes: dict[int, dict[str, list[str]]]
) -> None:
    files: dict[tuple[str, int], dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for cell in site.cells_of(indicator.id):
        files[group_of(cell.split, site.dimensions), cell.year][cell.geo_level].append(cell)
    for (group, year), by_level in files.items():
        positions = [site.dimensions.index(name) for name in _dimensions(group)]
        levels = {level: block(cells, codes[year][level], positions) for level, cells in by_level.items()}
        _write(folder / f"{group}-{year}.js", head, f"{indicator.id}/{group}-{year}", levels)
    _write(folder / "index.js", head, f"{indicator.id}/index", _index(site, indicator, files))


def group_of(split: Sequence[str], dimensions: Sequence[str]) -> str:
    """Which dimensions a cell is split by: their names, or ``total``."""
    return "+".join(name for name, value in zip(dimensions, split, strict=True) if value != ALL) or TOTAL


def _dimensions(group: str) -> list[str]:
    return [] if group == TOTAL else group.split("+")


def block(cells: Sequence[Cell], codes: Sequence[str], positions: Sequence[int]) -> dict[str, Any]:
    """The cells of one level as columns, by split and then by place in the order of ``codes``.

    ``positions``: of the dimensions that they are split by. ``l`` and ``h`` are the interval of a figure that is shown,
    and the bounds of a hidden one.
    """
    by_key = {(tuple(cell.split[at] for at in positions), cell.geo_code): cell for cell in cells}
    splits = list(dict.fromkeys(key[0] for key in by_key))
    ordered = [by_key.get((split, code)) for split in splits for code in codes]
    return {
        "s": splits,
        "n": [NONE if cell is None or cell.numerator is None else cell.numerator for cell in ordered],
        "d": [NONE if cell is None or cell.denominator is None else cell.denominator for cell in ordered],
        "v": _numbers(ordered, lambda cell: cell.value),
        "l": _numbers(ordered, lambda cell: cell.ci_low if cell.confidentiality == "F" else cell.value_low),
        "h": _numbers(ordered, lambda cell: cell.ci_high if cell.confidentiality == "F" else cell.value_high),
        "state": _signs(ordered, lambda cell: STATES[cell.state]),
        "comparison": _signs(ordered, lambda cell: cell.comparison),
        "trend": _signs(ordered, lambda cell: cell.trend),
        "reliability": _signs(ordered, lambda cell: cell.reliability),
        "status": _signs(ordered, lambda cell: cell.status),
    }


def _numbers(cells: Iterable[Cell | None], number: Callable[[Cell], float | None]) -> list[int]:
    """Whole numbers of the fourth decimal."""
    found = []
    for cell in cells:
        value = None if cell is None else number(cell)
        found.append(NONE if value is None else round(value * FACTOR))
    return found


def _signs(cells: Iterable[Cell | None], name: Callable[[Cell], str | None]) -> str:
    """The first letter of a word for each cell."""
    return "".join((name(cell) or ABSENT)[0] if cell is not None else ABSENT for cell in cells)


def _index(site: Site, indicator: Indicator, files: dict[tuple[str, int], dict[str, list[Cell]]]) -> dict[str, Any]:
    """The years of each group with their levels, the values of each dimension, and classes by group and level."""
    groups: dict[str, dict[str, list[str]]] = defaultdict(dict)
    pooled: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for (group, year), by_level in sorted(files.items()):
        groups[group][str(year)] = [level for level in site.levels if level in by_level]
        for level, cells in by_level.items():
            pooled[group, level].extend(cells)
    values: dict[str, list[str]] = {}
    for name in (name for name in site.dimensions if name in indicator.dimensions):
        position = site.dimensions.index(name)
        of = {cell.split[position] for (group, _), cells in pooled.items() if group == name for cell in cells}
        values[name] = sorted(of)
    classes: dict[str, dict[str, Any]] = defaultdict(dict)
    for (group, level), cells in pooled.items():
        found = classes_of(cells, 0 if indicator.unit == "count" else 1)
        if found is not None:
            shown = [found.low, found.high, *found.breaks]
            classes[group][level] = [found.decimals, *(round(number * FACTOR) for number in shown)]
    return {
        "unit": indicator.unit,
        "final": site.release.final_years[indicator.id],
        "values": values,
        "groups": groups,
        "classes": classes,
    }
