"""Figures of published values: rows in, a matplotlib figure out; no file, no screen, no Spark.

A row is a published cell as a dictionary, with ``value``, ``ci_low``, ``ci_high`` (null without an interval) and
``denominator``. Every figure has its numbers in its title, axes or labels, so that it can be read alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import cos, radians
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from claimatlas.conventions import HIGHER, LOWER, SIMILAR, Z
from claimatlas.notebooks.outlines import Polygon, Ring

Rows = Sequence[Mapping[str, Any]]

BLUE, ORANGE, GREY = "#1b6ca8", "#c4621d", "#8a8a8a"
COLOURS = {LOWER: BLUE, SIMILAR: GREY, HIGHER: ORANGE}
"""Of a place beside the country; blue and orange are told apart by colour-blind people too."""
SCALE = "viridis"
NOT_SHOWN = "#e4e4e4"
MAX_PLACES = 60
_WIDTH_OF_TILE = 11
"""How many letters of the usual size fit into a tile."""
_Z_OF_FUNNEL = {"95 %": Z, "99.8 %": 3.090232306167813}


def series(rows: Rows, x: str, title: str, unit: str) -> Figure:
    """Values with their intervals along an axis of few values, such as years or age classes."""
    figure, axes = _figure(title, height=3.6)
    shown = [row for row in rows if row["value"] is not None]
    positions = range(len(shown))
    axes.errorbar(
        positions, [row["value"] for row in shown], yerr=_intervals(shown), fmt="o", color=BLUE, ecolor=GREY, capsize=3
    )
    axes.set_xticks(list(positions), [str(row[x]) for row in shown])
    axes.set_ylabel(unit)
    axes.margins(x=0.1, y=0.2)
    for position, row in zip(positions, shown, strict=True):
        axes.annotate(f"{row['value']:.2f}", (position, row["value"]), xytext=(6, 4), textcoords="offset points")
    return figure


def ranked(rows: Rows, names: Mapping[str, str], national: float | None, title: str, unit: str) -> Figure:
    """Places from the lowest value to the highest, each with its interval and what it is beside the country."""
    known = sorted((row for row in rows if row["value"] is not None), key=lambda row: (row["value"], row["geo_code"]))
    # Show only both ends of a longer list: it would be unreadable.
    shown = known if len(known) <= MAX_PLACES else [*known[: MAX_PLACES // 2], *known[-MAX_PLACES // 2 :]]
    if len(shown) < len(known):
        title += f" (the {MAX_PLACES // 2} lowest and the {MAX_PLACES // 2} highest of {len(known)})"
    figure, axes = _figure(title, height=1.2 + 0.19 * len(shown))
    for position, row in enumerate(shown):
        colour = COLOURS.get(row.get("comparison") or SIMILAR, GREY)
        axes.errorbar(row["value"], position, xerr=_intervals([row]), fmt="o", markersize=4, color=colour)
    axes.set_yticks(range(len(shown)), [names.get(row["geo_code"], row["geo_code"]) for row in shown], fontsize=7)
    axes.set_ylim(-1, max(len(shown), 1))
    axes.set_xlabel(unit)
    _national_line(axes, national, vertical=True)
    return figure


def funnel_limits(national: float, denominator: float, z: float) -> tuple[float, float]:
    """The limits of the percentage of a place of this size if only chance makes it differ from the country.

    By the normal approximation of the binomial distribution around ``national`` (in %), cut at 0 and 100.
    """
    share = national / 100
    half_width = 100 * z * (share * (1 - share) / denominator) ** 0.5
    return max(0.0, national - half_width), min(100.0, national + half_width)


def funnel(rows: Rows, national: float, title: str) -> Figure:
    """Each place's percentage against its denominator, between the limits of chance."""
    figure, axes = _figure(title, height=4.2)
    shown = [row for row in rows if row["value"] is not None and row["denominator"]]
    for row in shown:
        colour = COLOURS.get(row.get("comparison") or SIMILAR, GREY)
        axes.plot(row["denominator"], row["value"], "o", markersize=4, color=colour)
    if shown:
        least, greatest = (of(row["denominator"] for row in shown) for of in (min, max))
        sizes = [least + (greatest - least) * step / 200 for step in range(201)]
        for (name, z), style in zip(_Z_OF_FUNNEL.items(), ("--", ":"), strict=True):
            limits = [funnel_limits(national, size, z) for size in sizes]
            axes.plot(sizes, [low for low, _ in limits], style, color=GREY, linewidth=1, label=name)
            axes.plot(sizes, [high for _, high in limits], style, color=GREY, linewidth=1)
        axes.legend(fontsize=7)
    _national_line(axes, national, vertical=False)
    axes.set_xlabel("denominator")
    axes.set_ylabel("%")
    return figure


def tile_map(
    values: Mapping[str, float], tiles: Mapping[str, tuple[int, int]], names: Mapping[str, str], title: str, unit: str
) -> Figure:
    """A square of the same size for each place, near where it lies; grey where there is no value to show."""
    figure, axes = _figure(title, height=5.5)
    colour = _scale(values, figure, axes, unit)
    for code, (column, row) in tiles.items():
        value = values.get(code)
        face = mpl.colors.to_rgb(NOT_SHOWN if value is None else colour(value))
        axes.add_patch(Rectangle((column, -row), 0.94, 0.94, facecolor=face))
        text = f"{_short(names.get(code, code))}\n{'-' if value is None else f'{value:.1f}'}"
        ink = "white" if _is_dark(face) else "black"
        size = min(6.0, 6.0 * _WIDTH_OF_TILE / max(map(len, text.split("\n"))))
        axes.text(column + 0.47, -row + 0.47, text, ha="center", va="center", fontsize=size, color=ink)
    columns, rows = ([place[axis] for place in tiles.values()] or [0] for axis in (0, 1))
    axes.set_xlim(min(columns) - 0.1, max(columns) + 1.1)
    axes.set_ylim(-max(rows) - 0.1, -min(rows) + 1.1)
    return _as_map(figure, axes)


def outline_map(
    values: Mapping[str, float], outlines: Mapping[str, Sequence[Polygon]], title: str, unit: str
) -> Figure:
    """The territory of each place in the colour of its value; grey where there is no value to show.

    Longitudes are shortened as on the middle latitude, so that shapes are as they are known.
    """
    figure, axes = _figure(title, height=5.5)
    colour = _scale(values, figure, axes, unit)
    for code, polygons in outlines.items():
        face = NOT_SHOWN if values.get(code) is None else colour(values[code])
        for polygon in polygons:
            corners = [Path(_turned(ring, left=ring is polygon[0]), closed=True) for ring in polygon]
            axes.add_patch(
                PathPatch(Path.make_compound_path(*corners), facecolor=face, edgecolor="white", linewidth=0.2)
            )
    axes.autoscale_view()
    middle = sum(axes.get_ylim()) / 2
    axes.set_aspect(1 / max(0.05, cos(radians(middle))))
    axes.set_axis_off()
    return figure


def lines(curves: Mapping[str, Sequence[tuple[float, float]]], marked: float, title: str, x: str, y: str) -> Figure:
    """Several curves of the same axes, with a line where the rule stands today."""
    figure, axes = _figure(title, height=3.8)
    for (name, points), style in zip(curves.items(), ("-", "--", ":", "-."), strict=False):
        axes.step([point[0] for point in points], [point[1] for point in points], style, where="post", label=name)
    axes.axvline(marked, color=ORANGE, linewidth=1)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.legend(fontsize=7)
    return figure


def bars(counts: Mapping[str, float], title: str, x: str, marked: Sequence[str] = ()) -> Figure:
    """A horizontal bar for each name, with its number; those that are ``marked`` in another colour."""
    figure, axes = _figure(title, height=1.2 + 0.24 * len(counts))
    names = list(counts)[::-1]
    colours = [ORANGE if name in marked else BLUE for name in names]
    drawn = axes.barh(names, [counts[name] for name in names], color=colours)
    axes.bar_label(drawn, fmt="{:,.10g}", fontsize=7, padding=2)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_xlabel(x)
    axes.margins(x=0.15)
    return figure


def months(shares: Mapping[tuple[str, int], float], wrong: set[tuple[str, int]], title: str) -> Figure:
    """A row for each name and a column for each month, coloured by a share of 1; those that are wrong with a frame."""
    names = list(dict.fromkeys(name for name, _ in shares))
    figure, axes = _figure(title, height=1.4 + 0.3 * len(names))
    for (name, month), share in shares.items():
        corner = (month - 0.47, len(names) - 1 - names.index(name) - 0.47)
        edge: dict[str, Any] = {"edgecolor": ORANGE, "linewidth": 2} if (name, month) in wrong else {}
        axes.add_patch(Rectangle(corner, 0.94, 0.94, facecolor=mpl.colormaps[SCALE](min(share, 1.5) / 1.5), **edge))
        ink = "white" if share < 0.75 else "black"
        axes.text(month, corner[1] + 0.47, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=ink)
    axes.set_xlim(0.4, 12.6)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xticks(range(1, 13))
    axes.set_yticks(range(len(names)), names[::-1], fontsize=7)
    axes.set_xlabel("month; % of the mean of the same month in the earlier years")
    return figure


def texts_of(figure: Figure) -> list[str]:
    """Every text in a figure."""
    figure.draw_without_rendering()
    found = [text.get_text() for axes in figure.axes for text in axes.findobj(mpl.text.Text)]
    return [text for text in found if text]


def _figure(title: str, height: float) -> tuple[Figure, Any]:
    # Not by pyplot, which keeps every figure and shows it a second time in a notebook.
    figure = Figure(figsize=(8, min(height, 40)), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _intervals(rows: Rows) -> list[list[float]] | None:
    """Distances from the values to the ends of their intervals; nothing when one has none."""
    if not rows or any(row.get("ci_low") is None or row.get("ci_high") is None for row in rows):
        return None
    return [[row["value"] - row["ci_low"] for row in rows], [row["ci_high"] - row["value"] for row in rows]]


def _national_line(axes: Any, national: float | None, *, vertical: bool) -> None:  # noqa: ANN401 - without types
    if national is not None:
        (axes.axvline if vertical else axes.axhline)(national, color="black", linewidth=0.8)


def _scale(values: Mapping[str, float], figure: Figure, axes: Any, unit: str) -> Any:  # noqa: ANN401 - without types
    """A function from a value to its colour, with its legend beside the map."""
    known = list(values.values()) or [0.0]
    norm = mpl.colors.Normalize(min(known), max(known))
    scale = mpl.cm.ScalarMappable(norm, SCALE)
    figure.colorbar(scale, ax=axes, shrink=0.6, label=unit)
    return scale.to_rgba


def _as_map(figure: Figure, axes: Any) -> Figure:  # noqa: ANN401 - without types
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure


def _turned(ring: Ring, *, left: bool) -> Ring:
    """A ring that goes round to the left, or to the right: a hole must go the other way than what it is cut from."""
    area = sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in pairwise(ring))
    return ring if (area > 0) == left else ring[::-1]


def _short(name: str) -> str:
    """The last word of a long name, which tells it from its neighbours, broken at its last hyphen."""
    word = name if len(name) <= _WIDTH_OF_TILE else name.replace("'", " ").split()[-1]
    return word if len(word) <= _WIDTH_OF_TILE else "-\n".join(word.rsplit("-", 1))


def _is_dark(colour: Sequence[float]) -> bool:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] < 0.5
