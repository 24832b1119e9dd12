"""Pieces of SVG as escaped text: classes and presentation attributes only, as the site's policy allows no style."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

Number = float | int


def short(number: Number) -> str:
    """A coordinate with at most one decimal."""
    text = f"{number:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"


def tag(name: str, *content: str, **attributes: str | Number | None) -> str:
    """An element; ``class_`` is ``class``, other underscores are hyphens; content is markup, given escaped."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value) if isinstance(value, str) else short(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(content)
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def label(x: Number, y: Number, text: str, class_: str = "t-label", anchor: str = "start") -> str:
    """A text at a point."""
    return tag("text", escape(text), x=x, y=y, class_=class_, text_anchor=anchor if anchor != "start" else None)


def picture(size: tuple[Number, Number], ids: str, class_: str, title: str, description: str, *content: str) -> str:
    """A whole SVG with its title and description."""
    width, height = size
    return tag(
        "svg",
        tag("title", escape(title), id=f"{ids}-title"),
        tag("desc", escape(description), id=f"{ids}-desc"),
        *content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {short(width)} {short(height)}",
        width=width,
        height=height,
        class_=class_,
        role="img",
        aria_labelledby=f"{ids}-title {ids}-desc",
    )


def hatching(ids: str) -> str:
    """The pattern of hidden figures and the one of figures that cannot be computed."""
    lines = tag("rect", width=7, height=7, class_="hatch-ground") + tag(
        "path", d="M-1,1l2,-2M0,7l7,-7M6,8l2,-2", class_="hatch-line"
    )
    dots = tag("rect", width=6, height=6, class_="hatch-ground") + tag("circle", cx=3, cy=3, r=1.1, class_="hatch-dot")
    return tag(
        "defs",
        tag("pattern", lines, id=f"{ids}-hidden", width=7, height=7, patternUnits="userSpaceOnUse"),
        tag("pattern", dots, id=f"{ids}-dots", width=6, height=6, patternUnits="userSpaceOnUse"),
    )


def path(points: Iterable[tuple[Number, Number]], *, closed: bool = False) -> str:
    """The ``d`` of a line through points."""
    text = "".join(f"{'L' if position else 'M'}{short(x)},{short(y)}" for position, (x, y) in enumerate(points))
    return text + ("Z" if closed else "")


def outline(rings: Sequence[Sequence[tuple[int, int]]]) -> str:
    """The ``d`` of closed rings in whole coordinates, as steps; repeated points are left out."""
    text: list[str] = []
    for ring in rings:
        steps, (x, y) = [], ring[0]
        for next_x, next_y in ring[1:-1]:
            if (next_x, next_y) != (x, y):
                steps.append(f"{next_x - x},{next_y - y}")
                x, y = next_x, next_y
        text.append(f"M{ring[0][0]},{ring[0][1]}l{' '.join(steps)}z" if len(steps) > 1 else "")
    return "".join(text)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from at or below ``low`` to at or above ``high``."""
    span = (high - low) or abs(high) or 1.0
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((power * factor for factor in (1, 2, 5) if power * factor >= raw), power * 10)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(position * step, 10) for position in range(first, max(last, first + 1) + 1)]
