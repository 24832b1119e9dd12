"""The figure of the way of the data, as SVG: boxes in columns, and arrows between them."""

from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 960, 400
BOX_WIDTH = 168
_FONT = "font-family='system-ui, Segoe UI, Helvetica, Arial, sans-serif'"
_COLOURS = {
    "input": ("#f4f1ea", "#8a7f66"),
    "silver": ("#e8eef4", "#5b7792"),
    "gold": ("#fbf0d3", "#a8821f"),
    "gate": ("#fbe5e1", "#b0503c"),
    "reader": ("#e9f3e8", "#5a8a55"),
}


@dataclass(frozen=True)
class Font:
    """What a text looks like."""

    size: int
    colour: str
    weight: str


_COLUMN, _NAME = Font(13, "#777", "600"), Font(15, "#222", "600")
_LINE, _LABEL = Font(13, "#444", "400"), Font(13, "#222", "500")


@dataclass(frozen=True)
class Box:
    """A box: what it is, its name, the lines below the name, its left upper corner and its height."""

    kind: str
    name: str
    lines: tuple[str, ...]
    left: int
    top: int
    height: int = 84


BOXES = {
    "claims": Box(
        "input", "raw input", ("claims, population,", "hospital stays: CSV,", "Parquet or Delta"), 16, 64, 100
    ),
    "conf": Box("input", "conf/", ("settings, code lists,", "indicators: read by", "every stage"), 16, 288, 100),
    "silver": Box("silver", "silver", ("accepted rows, typed,", "by year"), 262, 64),
    "rejected": Box("silver", "silver/rejected", ("every other row, whole,", "with all its reasons"), 262, 176),
    "deliveries": Box("silver", "silver/deliveries", ("one row per episode,", "contacts around it"), 508, 64),
    "cells": Box("gold", "gold", ("one row per cell: place,", "age, BIM, sex; value,", "95 % interval"), 754, 64, 100),
    "gate": Box(
        "gate", "checks", ("sums, jumps, odd input;", "beyond a bound:", "nothing is published"), 754, 288, 100
    ),
    "releases": Box("gold", "gold/releases", ("one row publishes all", "tables of a run at once"), 508, 288),
    "readers": Box("reader", "readers", ("explain, diff, check,", "notebooks, your tools"), 262, 288),
}
ARROWS = (
    ("claims", "right", "silver", "left", "ingest"),
    ("claims", "right", "rejected", "left", ""),
    ("silver", "right", "deliveries", "left", "deliveries"),
    ("deliveries", "right", "cells", "left", "indicators"),
    ("cells", "bottom", "gate", "top", ""),
    ("gate", "left", "releases", "right", "publish"),
    ("releases", "left", "readers", "right", "read"),
)
"""From which side of which box to which side of which other one, and the stage that does it."""


def flow() -> str:
    """The way of the data from raw input to readers."""
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}' "
        "role='img' aria-label='Raw claims become silver, deliveries, gold and a release'>",
        "<defs><marker id='tip' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' markerHeight='7' orient='auto'>"
        "<path d='M0 0 L10 5 L0 10 z' fill='#555'/></marker></defs>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='#ffffff'/>",
        *(
            _column(title, left)
            for title, left in (("given", 16), ("single records", 262), ("single records", 508), ("counts", 754))
        ),
        *(_arrow(*arrow) for arrow in ARROWS),
        *(_box(box) for box in BOXES.values()),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _column(title: str, left: int) -> str:
    return _text(left + BOX_WIDTH // 2, 36, title.upper(), _COLUMN) if title else ""


def _box(box: Box) -> str:
    fill, line = _COLOURS[box.kind]
    middle = box.left + BOX_WIDTH // 2
    shape = (
        f"<rect x='{box.left}' y='{box.top}' width='{BOX_WIDTH}' height='{box.height}' rx='8' fill='{fill}' "
        f"stroke='{line}' stroke-width='1.5'/>"
    )
    texts = [_text(middle, box.top + 26, box.name, _NAME)]
    texts += [_text(middle, box.top + 47 + 17 * position, line, _LINE) for position, line in enumerate(box.lines)]
    return "\n".join([shape, *texts])


def _arrow(start: str, side: str, end: str, other_side: str, label: str) -> str:
    (x1, y1), (x2, y2) = _point(BOXES[start], side), _point(BOXES[end], other_side)
    line = f"<path d='M{x1} {y1} L{x2} {y2}' fill='none' stroke='#555' stroke-width='1.5' marker-end='url(#tip)'/>"
    if not label:
        return line
    return line + "\n" + _text((x1 + x2) // 2, min(y1, y2) - 8, label, _LABEL)


def _point(box: Box, side: str) -> tuple[int, int]:
    across, down = box.left + BOX_WIDTH // 2, box.top + 42
    return {
        "left": (box.left, down),
        "right": (box.left + BOX_WIDTH, down),
        "top": (across, box.top),
        "bottom": (across, box.top + box.height),
    }[side]


def _text(x: int, y: int, text: str, font: Font) -> str:
    return (
        f"<text x='{x}' y='{y}' {_FONT} font-size='{font.size}' font-weight='{font.weight}' fill='{font.colour}' "
        f"text-anchor='middle'>{escape(text)}</text>"
    )
