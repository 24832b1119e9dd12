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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimatlas.atlas.cells import State
from claimatlas.atlas.classes import classes_of_values
from claimatlas.atlas.places import Places
from claimatlas.atlas.site import Site
from claimatlas.atlas.topology import Topology
from claimatlas.atlas.words import Words
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.tables.schemas import ALL

FACTOR = 10_000
"""Values and bounds are written as whole numbers of the fourth decimal."""

NONE = -1
"""Written where there is no number: a count, a value or a bound is never below 0."""

TOTAL = "total"
STATES = {State.VALUE: "v", State.HIDDEN: "h", State.NOBODY: "0", State.NOT_COMPUTABLE: "n"}
SIGNS = ("comparison", "trend", "reliability", "status")
ABSENT = "-"
"""In the place of each sign of a cell that is not published."""

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
"""Positions of cells in the columns."""

TEXTS = (
    "app.", "chart.", "state.", "state_meaning.", "comparison.", "comparison_long.", "trend.", "status.",
    "reliability.", "level.", "level_plural.", "value.", "dimension.", "unit_value.", "column.", "band.", "range",
    "bounds_from", "hidden", "indicator.few", "indicator.no_map",
    "indicator.map", "indicator.series", "indicator.ranking", "indicator.distribution", "indicator.funnel",
)  # fmt: skip
"""The prefixes of the text keys that the script reads."""


def write_data(folder: Path, site: Site, topology: Topology | None) -> None:
    """Write every data file of the site below ``folder``, which must be empty or absent."""
    head = _head(site)
    codes = {year: _codes(site, year) for year in site.release.years}
    values: set[tuple[str, str]] = set()
    for indicator in site.indicators:
        columns = columns_of(site.table_of(indicator.id), site.dimensions)
        values |= {(name, value) for name, names in zip(site.dimensions, columns.names, strict=True) for value in names}
        _write_indicator(Target(folder / indicator.id, head), site, indicator, columns, codes)
    for language, words in site.words.items():
        _write(folder / f"texts-{language}.js", head, "texts", _texts(site, words, values, topology))
        _write(folder / f"places-{language}.js", head, "places", _places(site, language))
    if topology is not None:
        _write(folder / "topology.js", head, "topology", topology.as_document())


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


def _texts(site: Site, words: Words, values: set[tuple[str, str]], topology: Topology | None) -> dict[str, Any]:
    """``values``: each published value of each dimension."""
    release = site.release
    levels = (*site.places.levels, *[HOSPITAL] * site.has_hospitals)
    names = {"level": levels, "dimension": site.dimensions}
    more = {f"{kind}.{name}": words.name(kind, name) for kind, all_names in names.items() for name in all_names}
    more |= {f"value.{name}.{value}": words.value_name(name, value) for name, value in sorted(values)}
    return {
        "language": words.language,
        "decimal": words.decimal_mark,
        "group": words.group_mark,
        "release": release.number,
        "draft": release.is_draft,
        "synthetic": release.is_synthetic,
        "k": site.publication.hidden_below,
        "outlines": topology is not None,
        "indicators": {i.id: {"title": i.names.of(words.language), "unit": i.unit} for i in site.indicators},
        "texts": more | {key: text for key, text in words.by_key.items() if key.startswith(TEXTS)},
    }


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
        "hospitals": _hospitals(site, language),
    }


def _hospitals(site: Site, language: str) -> dict[str, Any]:
    """The hospitals that have a page, with id and names, and the ended ids with successor, last year and names."""
    if site.register is None:
        return {"open": [], "ended": {}}
    register = site.register

    def names(code: str) -> list[str]:
        own = site.hospital_name(code, language)
        return [own, *sorted({name for name in register.by_id[code].names.values() if name not in (own, "")})]

    ended = {old: [new, register.by_id[old].last_year, *names(old)] for old, new in register.ended(site.vintage)}
    return {"open": [[code, *names(code)] for code in site.hospitals], "ended": ended}


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


@dataclass(frozen=True)
class Columns:
    """The cells of an indicator by column, in the order of its table.

    ``level`` and ``code``: texts; ``names``: the values of each dimension; ``splits``: a row for each dimension with
    the position of each cell's value among them; ``numbers`` and ``signs``: what a file holds of each cell, by its
    short name; ``values``: the figures that are shown, else not a number.
    """

    year: Array
    level: Array
    code: Array
    names: tuple[tuple[str, ...], ...]
    splits: Array
    numbers: Mapping[str, Array]
    signs: Mapping[str, Array]
    values: Array


def columns_of(table: pa.Table, dimensions: Sequence[str]) -> Columns:
    """The columns of an indicator's published cells."""
    encoded = [table[name].combine_chunks().dictionary_encode() for name in dimensions]
    free = _texts_of(table, "confidentiality") == "F"
    state = np.full(len(table), STATES[State.VALUE])
    # From the weakest to the strongest.
    state[np.isnan(_floats(table, "value"))] = STATES[State.NOBODY]
    state[~free] = STATES[State.HIDDEN]
    state[_texts_of(table, "status") == State.NOT_COMPUTABLE.value] = STATES[State.NOT_COMPUTABLE]
    shown = np.where(state == STATES[State.VALUE], _floats(table, "value"), np.nan)
    return Columns(
        year=_whole_numbers(table, "year"),
        level=_texts_of(table, "geo_level"),
        code=_texts_of(table, "geo_code"),
        names=tuple(tuple(one.dictionary.to_pylist()) for one in encoded),
        splits=np.array([one.indices.to_numpy(zero_copy_only=False) for one in encoded], dtype=np.int64).reshape(
            len(encoded), len(table)
        ),
        numbers={
            "n": _whole_numbers(table, "numerator"),
            "d": _whole_numbers(table, "denominator"),
            "v": _scaled(_floats(table, "value")),
            "l": _scaled(np.where(free, _floats(table, "ci_low"), _floats(table, "value_low"))),
            "h": _scaled(np.where(free, _floats(table, "ci_high"), _floats(table, "value_high"))),
        },
        signs={"state": state, **{name: _initials(table, name) for name in SIGNS}},
        values=shown,
    )


def _texts_of(table: pa.Table, name: str) -> Array:
    return np.asarray(table[name].to_numpy(), dtype=object)


def _whole_numbers(table: pa.Table, name: str) -> Array:
    return np.asarray(pc.fill_null(table[name].cast(pa.int64()), NONE).to_numpy())


def _floats(table: pa.Table, name: str) -> Array:
    return np.asarray(pc.fill_null(table[name].cast(pa.float64()), np.nan).to_numpy())


def _scaled(values: Array) -> Array:
    """Whole numbers of the fourth decimal."""
    return np.where(np.isnan(values), NONE, np.rint(values * FACTOR)).astype(np.int64)


def _initials(table: pa.Table, name: str) -> Array:
    """The first letter of a word for each cell."""
    letters = pc.utf8_slice_codeunits(pc.fill_null(table[name], ABSENT), 0, 1)
    return np.asarray(letters.to_numpy(), dtype="<U1")


@dataclass(frozen=True)
class Target:
    """Where the files of an indicator go, and the line that each begins with."""

    folder: Path
    head: str


def _write_indicator(
    target: Target, site: Site, indicator: Indicator, columns: Columns, codes: dict[int, dict[str, list[str]]]
) -> None:
    files: dict[tuple[str, int], dict[str, Rows]] = defaultdict(dict)
    for (group, year, level), rows in _grouped(columns, site.dimensions).items():
        # Hospitals are no places of the map: their tables are written into the pages.
        if level in site.levels:
            files[group, year][level] = rows
    for (group, year), by_level in files.items():
        positions = [site.dimensions.index(name) for name in _dimensions(group)]
        levels = {level: block(columns, rows, codes[year][level], positions) for level, rows in by_level.items()}
        _write(target.folder / f"{group}-{year}.js", target.head, f"{indicator.id}/{group}-{year}", levels)
    _write(target.folder / "index.js", target.head, f"{indicator.id}/index", _index(site, indicator, columns, files))


def _grouped(columns: Columns, dimensions: Sequence[str]) -> dict[tuple[str, int, str], Rows]:
    """The rows of each group, year and level, in their order."""
    is_split = np.zeros(len(columns.year), dtype=np.int64)
    for at, names in enumerate(columns.names):
        whole = names.index(ALL) if ALL in names else NONE
        is_split |= (columns.splits[at] != whole).astype(np.int64) << at
    levels, of_level = np.unique(columns.level, return_inverse=True)
    key = (is_split * (int(columns.year.max(initial=0)) + 1) + columns.year) * len(levels) + of_level
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=NONE))
    found = {}
    for rows in np.split(order, starts[1:]) if len(order) else []:
        first = rows[0]
        group = "+".join(name for at, name in enumerate(dimensions) if is_split[first] >> at & 1) or TOTAL
        found[group, int(columns.year[first]), str(columns.level[first])] = rows
    return found


def _dimensions(group: str) -> list[str]:
    return [] if group == TOTAL else group.split("+")


def block(columns: Columns, rows: Rows, codes: Sequence[str], positions: Sequence[int]) -> dict[str, Any]:
    """The cells of one level as columns, by split and then by place in the order of ``codes``.

    ``rows``: the cells; ``positions``: of the dimensions that they are split by. ``l`` and ``h`` are the interval of a
    figure that is shown, and the bounds of a hidden one.
    """
    key = np.zeros(len(rows), dtype=np.int64)
    for at in positions:
        key = key * len(columns.names[at]) + columns.splits[at][rows]
    _, firsts, split = np.unique(key, return_index=True, return_inverse=True)
    position = {code: at for at, code in enumerate(codes)}
    place = np.array([position.get(code, NONE) for code in columns.code[rows]], dtype=np.int64)
    there = place != NONE
    target = (split * len(codes) + place)[there]
    size = len(firsts) * len(codes)

    def spread(values: Array, empty: Any) -> Array:  # noqa: ANN401 - a number or a sign
        found = np.full(size, empty, dtype=values.dtype)
        found[target] = values[rows][there]
        return found

    splits = [[columns.names[at][columns.splits[at][rows[first]]] for at in positions] for first in firsts]
    numbers = {name: spread(values, NONE).tolist() for name, values in columns.numbers.items()}
    signs = {name: "".join(spread(values, ABSENT).tolist()) for name, values in columns.signs.items()}
    return {"s": splits, **numbers, **signs}


def _index(
    site: Site, indicator: Indicator, columns: Columns, files: Mapping[tuple[str, int], Mapping[str, Rows]]
) -> dict[str, Any]:
    """The years of each group with their levels, the values of each dimension, and classes by group and level."""
    groups: dict[str, dict[str, list[str]]] = defaultdict(dict)
    pooled: dict[tuple[str, str], list[Rows]] = defaultdict(list)
    for (group, year), by_level in sorted(files.items()):
        groups[group][str(year)] = [level for level in site.levels if level in by_level]
        for level, rows in by_level.items():
            pooled[group, level].append(rows)
    values: dict[str, list[str]] = {}
    for name in (name for name in site.dimensions if name in indicator.dimensions):
        at = site.dimensions.index(name)
        own = [rows for (group, _), parts in pooled.items() if group == name for rows in parts]
        found = {int(one) for rows in own for one in np.unique(columns.splits[at][rows])}
        values[name] = sorted(columns.names[at][one] for one in found)
    classes: dict[str, dict[str, Any]] = defaultdict(dict)
    for (group, level), parts in pooled.items():
        shown = columns.values[np.concatenate(parts)]
        made = classes_of_values(shown[~np.isnan(shown)].tolist(), 0 if indicator.unit == "count" else 1)
        if made is not None:
            bounds = [made.low, made.high, *made.breaks]
            classes[group][level] = [made.decimals, *(round(number * FACTOR) for number in bounds)]
    return {
        "unit": indicator.unit,
        "standardised": indicator.standardised is not None,
        "final": site.release.final_years[indicator.id],
        "values": values,
        "groups": groups,
        "classes": classes,
    }
