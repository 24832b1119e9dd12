"""Charts as SVG, complete without a script: series, ranking, distribution, funnel plot and a small series for profiles.

Each takes published cells and draws nothing else. A hidden figure leaves a gap that is marked; it never has a place on
a scale, and no chart is drawn where it would be empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

from claimatlas.atlas.cells import Cell
from claimatlas.atlas.classes import Classes
from claimatlas.atlas.maps import LOOKS, LevelFigures, fill, has_value, says
from claimatlas.atlas.svg import Number, hatching, label, path, picture, tag, ticks
from claimatlas.atlas.words import ChartWords
from claimatlas.conventions import Z

WIDTH = 480
HEIGHT = 270
LEFT, RIGHT, TOP, BOTTOM = 54, 26, 14, 30
"""Room for the numbers of the axes."""

MANY = 60
"""With more places than this, a ranking has points instead of named bars."""

BINS = 24

LONGEST_TICK = 8
"""More characters than this are too many for a number below a chart."""

WIDTH_OF_CHARACTER = 7.5
"""Of a value beside a bar, on average: such texts are mostly digits."""

LEAST_SPAN = 0.02
"""The least that an axis spans, as a part of the greatest value."""

LIMITS = ((Z, "limit-95"), (3.090232, "limit-998"))
"""The limits of a funnel plot: 95 % and 99.8 % of places would lie within, if chance alone made them differ."""


@dataclass(frozen=True)
class Scale:
    """Maps values to coordinates along a line."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The coordinate of a value."""
        return self.start + (value - self.low) / ((self.high - self.low) or 1) * (self.end - self.start)


def value_of(cell: Cell) -> float:
    """The figure of a cell that has one."""
    if cell.value is None:
        raise ValueError(f"{cell.indicator_id} {cell.year} {cell.geo_code} has no value")
    return cell.value


def series_svg(points: Sequence[Cell], words: ChartWords, *, country: Sequence[Cell] = ()) -> str:
    """One place over the years with its interval, and the country beside it.

    ``points``: the cells of one place and one split, a year at most once. The line breaks at a year without a figure;
    a provisional year has an open mark.
    """
    ordered = sorted(points, key=lambda cell: cell.year)
    if not any(map(has_value, ordered)):
        return ""
    within = range(ordered[0].year, ordered[-1].year + 1)
    beside = sorted((cell for cell in country if cell.year in within), key=lambda cell: cell.year)
    years = Scale(ordered[0].year, ordered[-1].year, LEFT + 12, WIDTH - RIGHT - 12)
    if ordered[0].year == ordered[-1].year:
        years = Scale(ordered[0].year - 1, ordered[0].year + 1, years.start, years.end)
    marks = _domain([*_extent(ordered), *(value_of(cell) for cell in beside if has_value(cell))])
    values = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    drawn = [_horizontal_lines(marks, values, words), _year_labels(ordered, years)]
    drawn += [_gap(cell, years, words.id) for cell in ordered if not has_value(cell)]
    for run in runs(ordered):
        bounds = [cell for cell in run if cell.ci_low is not None and cell.ci_high is not None]
        if len(bounds) == len(run) > 1:
            upper = [(years(cell.year), values(cell.ci_high or 0)) for cell in run]
            lower = [(years(cell.year), values(cell.ci_low or 0)) for cell in reversed(run)]
            drawn.append(tag("path", d=path([*upper, *lower], closed=True), class_="interval"))
        elif bounds:
            drawn += [_interval(years(cell.year), cell, values) for cell in bounds]
    for run in runs(beside):
        drawn.append(tag("path", d=path((years(c.year), values(value_of(c))) for c in run), class_="line-country"))
    for run in runs(ordered):
        line = [(years(cell.year), values(value_of(cell))) for cell in run]
        drawn.append(tag("path", d=path(line), class_="line") if len(run) > 1 else "")
        for cell, (x, y) in zip(run, line, strict=True):
            css = "dot-open" if cell.status == "provisional" else "dot"
            said = tag("title", escape(f"{cell.year}: {says(cell, words)}"))
            drawn.append(tag("circle", said, cx=x, cy=y, r=3.5, class_=css))
    shown = [cell for cell in ordered if has_value(cell)]
    told = words.say(
        "chart.series_desc",
        first=shown[0].year,
        first_value=says(shown[0], words),
        last=shown[-1].year,
        last_value=says(shown[-1], words),
        missing=len(ordered) - len(shown),
    )
    return _chart(words, told, drawn)


def sparkline_svg(points: Sequence[Cell], words: ChartWords) -> str:
    """A small series without axes for a row of a table: the line breaks at a year without a figure."""
    ordered = sorted(points, key=lambda cell: cell.year)
    shown = [cell for cell in ordered if has_value(cell)]
    if not shown:
        return ""
    years = Scale(ordered[0].year, max(ordered[-1].year, ordered[0].year + 1), 4, 106)
    values = Scale(*_widened(_extent(shown)), 22, 5)
    lines = [
        tag("path", d=path((years(c.year), values(value_of(c))) for c in run), class_="line") for run in runs(ordered)
    ]
    last = shown[-1]
    dot = tag("circle", cx=years(last.year), cy=values(value_of(last)), r=3, class_="dot")
    told = f"{shown[0].year}: {says(shown[0], words)}; {last.year}: {says(last, words)}"
    return picture((110, 27), words.id, "spark", words.title, told, *lines, dot)


def ranking_svg(figures: LevelFigures, words: ChartWords) -> str:
    """The places in the order of their values, with intervals and the country's value as a line.

    Named bars up to 60 places, beyond that a point for each. Places without a figure are counted, not drawn.
    """
    ordered = sorted(figures.with_figure(), key=lambda cell: (-value_of(cell), cell.geo_code))
    if len(ordered) < 2 or figures.classes is None:
        return ""
    told = words.say(
        "chart.ranking_desc",
        places=len(ordered),
        missing=len(figures.cells) - len(ordered),
        highest=figures.name(ordered[0].geo_code),
        highest_value=says(ordered[0], words),
        lowest=figures.name(ordered[-1].geo_code),
        lowest_value=says(ordered[-1], words),
    )
    draw = _points_in_order if len(ordered) > MANY else _bars
    return draw(ordered, figures, figures.classes, words, told)


def distribution_svg(figures: LevelFigures, words: ChartWords) -> str:
    """A histogram of the places by value, in the colours of the classes, with the country's value as a line."""
    shown = sorted(map(value_of, figures.with_figure()))
    country, classes = figures.country, figures.classes
    if len(shown) < 2 or classes is None or shown[0] == shown[-1]:
        return ""
    marks = ticks(shown[0], shown[-1], 6)
    across = Scale(marks[0], marks[-1], LEFT, WIDTH - RIGHT)
    bins = min(BINS, max(6, len(shown) // 3))
    wide = (marks[-1] - marks[0]) / bins
    counts = [0] * bins
    for value in shown:
        counts[min(bins - 1, int((value - marks[0]) / wide))] += 1
    up = ticks(0, max(counts), 4)
    heights = Scale(0, up[-1], HEIGHT - BOTTOM, TOP)
    drawn = [_horizontal_lines(up, heights, words, whole=True)]
    for position, count in enumerate(counts):
        if count:
            low, high = marks[0] + position * wide, marks[0] + (position + 1) * wide
            x, y = across(low), heights(count)
            said = f"{words.number(low)} – {words.number(high)}: {words.count(count)}"
            css = f"bar {classes.css((low + high) / 2)}"
            size = {"width": across(high) - x - 1, "height": HEIGHT - BOTTOM - y}
            drawn.append(tag("rect", tag("title", escape(said)), x=x, y=y, class_=css, **size))
    few = _few(marks)
    texts = [words.number(mark) for mark in few]
    if max(map(len, texts)) > LONGEST_TICK:
        # With a long unit they would run into each other: the legend has it.
        texts = [words.decimal(mark, _decimals_of(marks)) for mark in few]
    drawn += [
        label(across(mark), HEIGHT - BOTTOM + 18, text, "t-tick", "middle")
        for mark, text in zip(few, texts, strict=True)
    ]
    if country is not None and has_value(country):
        drawn.append(_country_line(across(value_of(country)), country, words))
    middle = shown[len(shown) // 2]
    told = words.say(
        "chart.distribution_desc",
        places=len(shown),
        low=words.number(shown[0]),
        middle=words.number(middle),
        high=words.number(shown[-1]),
    )
    return _chart(words, told, drawn)


def funnel_svg(figures: LevelFigures, words: ChartWords) -> str:
    """A funnel plot of value by size: places outside the limits differ from the country by more than chance.

    Limits are drawn for crude percentages only: elsewhere the spread of single people is not known.
    """
    shown, country = [cell for cell in figures.with_figure() if cell.denominator], figures.country
    sizes = [cell.denominator or 1 for cell in shown]
    if len(shown) < 3 or country is None or not has_value(country) or all(c.denominator == c.value for c in shown):
        return ""
    across = Scale(math.log10(min(sizes)), math.log10(max(sizes) + 1), LEFT + 8, WIDTH - RIGHT - 8)
    centre = value_of(country)
    marks = _domain([*(value_of(cell) for cell in shown), centre])
    values = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    drawn = [_horizontal_lines(marks, values, words)]
    powers = [factor * 10**power for power in range(9) for factor in (1, 2, 5)]
    inside = [size for size in powers if min(sizes) <= size <= max(sizes)]
    some = [size for size in inside if str(size)[0] == "1"] if len(inside) > 6 else inside
    drawn += [label(across(math.log10(s)), HEIGHT - BOTTOM + 18, words.count(s), "t-tick", "middle") for s in some]
    is_share = words.has_limits
    outside = 0
    if is_share:
        drawn += [_limit(centre, z, css, across, values) for z, css in LIMITS]
        outside = sum(is_outside(cell, centre, LIMITS[1][0]) for cell in shown)
    drawn.append(
        tag("path", d=path([(across.start, values(centre)), (across.end, values(centre))]), class_="line-country")
    )
    for cell, size in zip(shown, sizes, strict=True):
        said = f"{figures.name(cell.geo_code)}: {says(cell, words)} ({words.count(size)})"
        css = "point plain outside" if is_share and is_outside(cell, centre, LIMITS[1][0]) else "point plain"
        drawn.append(
            tag(
                "circle",
                tag("title", escape(said)),
                cx=across(math.log10(size)),
                cy=values(value_of(cell)),
                r=2.6,
                class_=css,
            )
        )
    told = words.say("chart.funnel_desc" if is_share else "chart.funnel_desc_plain", places=len(shown), outside=outside)
    return _chart(words, told, drawn, words.say("chart.size"))


def is_outside(cell: Cell, centre: float, z: float) -> bool:
    """Whether a percentage differs from ``centre`` by more than ``z`` standard errors of its denominator."""
    spread = math.sqrt(centre * (100 - centre) / (cell.denominator or 1))
    return abs(value_of(cell) - centre) > z * spread


def runs(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Neighbouring years that have a figure and the same codes' place: between two runs the line breaks."""
    found: list[list[Cell]] = []
    for shown, group in groupby(cells, key=has_value):
        if shown:
            found.append([])
            for cell in group:
                if found[-1] and cell.year != found[-1][-1].year + 1:
                    found.append([])
                found[-1].append(cell)
    return found


def _extent(cells: Iterable[Cell]) -> list[float]:
    return [
        bound
        for cell in cells
        if has_value(cell)
        for bound in (cell.value, cell.ci_low, cell.ci_high)
        if bound is not None
    ]


def _domain(values: Sequence[float]) -> list[float]:
    """The marks of an axis. It starts at 0 unless that would hide the differences."""
    low, high = _widened(values)
    return ticks(0 if low < high / 2 else low, high)


def _widened(values: Sequence[float]) -> tuple[float, float]:
    """The least and the greatest, at least ``LEAST_SPAN`` apart, so that a change of next to nothing looks like it."""
    low, high = min(values), max(values)
    lacking = max(0.0, LEAST_SPAN * (abs(high) or 1) - (high - low)) / 2
    return (max(0.0, low - lacking) if low >= 0 else low - lacking), high + lacking


def _chart(words: ChartWords, told: str, drawn: Iterable[str], foot: str = "") -> str:
    extra = [label((LEFT + WIDTH - RIGHT) / 2, HEIGHT + 6, foot, "t-note", "middle")] if foot else []
    if words.synthetic:
        extra.append(label(WIDTH - RIGHT, HEIGHT + 6 + 17 * len(extra), words.synthetic, "t-band", "end"))
    height = HEIGHT + 16 * len(extra)
    return picture((WIDTH, height), words.id, "chart", words.title, told, hatching(words.id), *drawn, *extra)


def _horizontal_lines(marks: Sequence[float], scale: Scale, words: ChartWords, *, whole: bool = False) -> str:
    lines = [tag("path", d=f"M{LEFT},{scale(mark):.1f}H{WIDTH - RIGHT}", class_="grid") for mark in marks]
    decimals = 0 if whole else _decimals_of(marks)
    texts = [label(LEFT - 6, scale(mark) + 4, words.decimal(mark, decimals), "t-tick", "end") for mark in marks]
    return "".join(lines + texts)


def _decimals_of(marks: Sequence[float]) -> int:
    """The decimals that tell marks apart."""
    if all(float(mark).is_integer() for mark in marks):
        return 0
    return max(1, -math.floor(math.log10(min(b - a for a, b in pairwise(marks)) * 1.0000001)))


def _year_labels(cells: Sequence[Cell], scale: Scale) -> str:
    every = math.ceil(len(cells) / 8)
    return "".join(
        label(scale(cell.year), HEIGHT - BOTTOM + 18, str(cell.year), "t-tick", "middle")
        for position, cell in enumerate(reversed(cells))
        if position % every == 0
    )


def _gap(cell: Cell, years: Scale, ids: str) -> str:
    """The mark of a year without a figure: a strip in the look of its state."""
    css = LOOKS.get(cell.state, "s-absent")
    said = tag("title", str(cell.year))
    return tag(
        "rect",
        said,
        x=years(cell.year) - 5,
        y=TOP,
        width=10,
        height=HEIGHT - BOTTOM - TOP,
        class_=css,
        fill=fill(css, ids),
    )


def _interval(x: Number, cell: Cell, values: Scale) -> str:
    return tag("path", d=f"M{x:.1f},{values(cell.ci_low or 0):.1f}V{values(cell.ci_high or 0):.1f}", class_="whisker")


def _country_line(x: float, country: Cell, words: ChartWords) -> str:
    line = tag("path", d=f"M{x:.1f},{TOP}V{HEIGHT - BOTTOM}", class_="line-country")
    side, anchor = (-5, "end") if x > WIDTH / 2 else (5, "start")
    return line + label(x + side, TOP + 9, says(country, words), "t-country", anchor)


def _limit(centre: float, z: float, css: str, across: Scale, values: Scale) -> str:
    """Both limits as one path: the upper one from left to right, the lower one as well."""
    text = ""
    for sign in (1, -1):
        points = []
        for position in range(61):
            size = 10 ** (across.low + (across.high - across.low) * position / 60)
            at = centre + sign * z * math.sqrt(centre * (100 - centre) / size)
            if max(values.low, 0) <= at <= min(values.high, 100):
                points.append((across(math.log10(size)), values(at)))
        text += path(points)
    return tag("path", d=text, class_=css)


def _points_in_order(
    ordered: Sequence[Cell], figures: LevelFigures, classes: Classes, words: ChartWords, told: str
) -> str:
    country = figures.country
    # Intervals of the smallest places reach far: they are cut at the frame, or all points would lie on one line.
    shown = [*ordered, country] if country is not None and has_value(country) else ordered
    marks = _domain([value_of(cell) for cell in shown])
    values = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    across = Scale(0, len(ordered) - 1, WIDTH - RIGHT - 4, LEFT + 4)
    drawn = [_horizontal_lines(marks, values, words)]
    whiskers = "".join(
        f"M{across(rank):.1f},{values(max(cell.ci_low, marks[0])):.1f}V{values(min(cell.ci_high, marks[-1])):.1f}"
        for rank, cell in enumerate(ordered)
        if cell.ci_low is not None and cell.ci_high is not None
    )
    drawn.append(tag("path", d=whiskers, class_="whiskers") if whiskers else "")
    for rank, cell in enumerate(ordered):
        css = f"point {classes.css(value_of(cell))}"
        drawn.append(tag("circle", cx=across(rank), cy=values(value_of(cell)), r=2.2, class_=css))
    if country is not None and has_value(country):
        y = values(value_of(country))
        drawn.append(tag("path", d=f"M{LEFT},{y:.1f}H{WIDTH - RIGHT}", class_="line-country"))
        drawn.append(label(LEFT + 6, y - 5, says(country, words), "t-country"))
    first, last = (figures.name(cell.geo_code) for cell in (ordered[-1], ordered[0]))
    drawn.append(label(LEFT, HEIGHT - BOTTOM + 18, f"{first}: {says(ordered[-1], words)}", "t-tick"))
    drawn.append(label(WIDTH - RIGHT, HEIGHT - BOTTOM + 18, f"{last}: {says(ordered[0], words)}", "t-tick", "end"))
    return _chart(words, told, drawn)


def _bars(ordered: Sequence[Cell], figures: LevelFigures, classes: Classes, words: ChartWords, told: str) -> str:
    country = figures.country
    row, left = 19, 184
    right = max(76.0, WIDTH_OF_CHARACTER * max(len(says(cell, words)) for cell in ordered) + 8)
    high = max(_extent(ordered))
    across = Scale(0, high, left, WIDTH - right)
    bottom = row * len(ordered) + 8
    drawn = []
    for rank, cell in enumerate(ordered):
        y = 8 + rank * row
        value = value_of(cell)
        drawn.append(label(left - 6, y + 13, _cut(figures.name(cell.geo_code)), "t-label", "end"))
        drawn.append(
            tag(
                "rect",
                x=left,
                y=y + 2,
                width=max(1.0, across(value) - left),
                height=row - 5,
                class_=f"bar {classes.css(value)}",
            )
        )
        if cell.ci_low is not None and cell.ci_high is not None:
            middle = y + row / 2
            drawn.append(
                tag("path", d=f"M{across(cell.ci_low):.1f},{middle}H{across(cell.ci_high):.1f}", class_="whisker")
            )
        drawn.append(label(WIDTH - right + 6, y + 13, says(cell, words), "t-value"))
    if country is not None and has_value(country) and value_of(country) <= high:
        x = across(value_of(country))
        drawn.append(tag("path", d=f"M{x:.1f},4V{bottom}", class_="line-country"))
        drawn.append(label(x, bottom + 14, says(country, words), "t-country", "middle"))
    foot = [label(WIDTH - 8, bottom + 32, words.synthetic, "t-band", "end")] if words.synthetic else []
    return picture((WIDTH, bottom + 38), words.id, "chart", words.title, told, *drawn, *foot)


def _few(marks: Sequence[float]) -> Sequence[float]:
    return marks if len(marks) <= 7 else marks[::2]


def _cut(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
