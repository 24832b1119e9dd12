"""Maps as SVG: one path a place, coloured by class or drawn by state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from claimatlas.atlas.cells import Cell, State
from claimatlas.atlas.classes import Classes
from claimatlas.atlas.svg import hatching, label, outline, picture, tag
from claimatlas.atlas.topology import Topology
from claimatlas.atlas.words import ChartWords

SCALE = 10
"""Steps of the topology in a unit of the picture."""

TOLERANCE = 12.0
"""How far a simplified line may be from its points, in steps of the topology: a picture unit and a fifth."""

SMALL_SCALE = 40
SMALL_TOLERANCE = 48.0
"""The same of the small map on a card."""

LOOKS = {State.HIDDEN: "s-hidden", State.NOBODY: "s-nobody", State.NOT_COMPUTABLE: "s-not-computable"}
ABSENT = "s-absent"


@dataclass(frozen=True)
class LevelFigures:
    """The figures of an indicator in the places of one level and year, as a map or a chart draws them.

    ``cells`` and ``names``: by code of the place; ``country``: the country's cell; ``classes``: what colours a figure.
    """

    level: str
    year: int
    cells: Mapping[str, Cell]
    country: Cell | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    classes: Classes | None = None

    def name(self, code: str) -> str:
        """The name of a place; its code where it has no name."""
        return self.names.get(code, code)

    def with_figure(self) -> Sequence[Cell]:
        """The cells whose figure is shown."""
        return [cell for cell in self.cells.values() if has_value(cell)]


def has_value(cell: Cell | None) -> bool:
    """Whether a cell has a figure that is shown."""
    return cell is not None and cell.state is State.VALUE and cell.value is not None


def look(cell: Cell | None, classes: Classes | None) -> str:
    """The CSS class of a cell."""
    if cell is None:
        return ABSENT
    if cell.state is State.VALUE and cell.value is not None and classes is not None:
        return classes.css(cell.value)
    return LOOKS.get(cell.state, ABSENT)


def fill(css: str, ids: str) -> str | None:
    """The fill that a class of the style sheet cannot give: a pattern of this picture."""
    pattern = {"s-hidden": "hidden", "s-not-computable": "dots"}.get(css)
    return f"url(#{ids}-{pattern})" if pattern else None


def says(cell: Cell | None, words: ChartWords) -> str:
    """The figure of a cell as text, or its state in words."""
    if cell is None:
        return words.say("state.absent")
    if cell.state is State.VALUE and cell.value is not None:
        return words.number(cell.value)
    return words.say(f"state.{cell.state_said}")


def map_svg(topology: Topology, figures: LevelFigures, words: ChartWords) -> str:
    """A map of the places of a level, in the codes of the year."""
    level, year, cells = figures.level, figures.year, figures.cells
    coarse = topology.simplified(TOLERANCE)
    width, height = topology.width / SCALE, topology.height / SCALE
    places = []
    for code, rings in coarse.rings(level, year).items():
        css = look(cells.get(code), figures.classes)
        whole = [[(round(x / SCALE), round(y / SCALE)) for x, y in ring] for ring in rings]
        said = tag("title", escape(f"{figures.name(code)}: {says(cells.get(code), words)}"))
        places.append(tag("path", said, d=outline(whole), class_=css, fill=fill(css, words.id)))
    states = [cells[code].state for code in topology.codes(level, year) if code in cells]
    shown = sum(state is State.VALUE for state in states)
    told = words.say(
        "chart.map_desc", shown=shown, hidden=sum(state is State.HIDDEN for state in states), places=len(places)
    )
    foot = [label(8, height + 18, topology.attribution, "t-note")] if topology.attribution else []
    if words.synthetic:
        foot.append(label(width - 8, height + 18, words.synthetic, "t-band", "end"))
    return picture(
        (width, height + 26),
        words.id,
        "map",
        words.title,
        told,
        hatching(words.id),
        tag("g", *places, class_="places", fill_rule="evenodd"),
        *foot,
    )


def small_map_svg(topology: Topology, figures: LevelFigures, words: ChartWords) -> str:
    """A map without texts for a card: one path for all places of a look. The page of the indicator has the figures."""
    coarse = topology.simplified(SMALL_TOLERANCE)
    by_look: dict[str, list[str]] = {}
    for code, rings in coarse.rings(figures.level, figures.year).items():
        whole = [[(round(x / SMALL_SCALE), round(y / SMALL_SCALE)) for x, y in ring] for ring in rings]
        by_look.setdefault(look(figures.cells.get(code), figures.classes), []).append(outline(whole))
    drawn = [
        tag("path", d="".join(paths), class_=css, fill=fill(css, words.id)) for css, paths in sorted(by_look.items())
    ]
    states = [cell.state for cell in figures.cells.values()]
    told = words.say(
        "chart.small_map_desc",
        places=len(states),
        shown=sum(state is State.VALUE for state in states),
        hidden=sum(state is State.HIDDEN for state in states),
    )
    size = (topology.width / SMALL_SCALE, topology.height / SMALL_SCALE)
    places = tag("g", *drawn, class_="places", fill_rule="evenodd")
    return picture(size, words.id, "mini", words.title, told, hatching(words.id), places)


def legend_html(classes: Classes | None, words: ChartWords) -> str:
    """The legend of a map: each class with its bounds, then the states that have no colour."""
    rows = []
    if classes is not None:
        for index in range(classes.number):
            low, high = (words.decimal(bound, classes.decimals) for bound in classes.bounds(index))
            text = low if low == high else words.say("range", low=low, high=high)
            rows.append(_row(f"c{classes.colour(index)}", words.unit(text), words))
    rows += [_row(css, words.say(f"state.{state.value}"), words) for state, css in LOOKS.items()]
    return tag("ul", *rows, class_="legend")


def _row(css: str, text: str, words: ChartWords) -> str:
    ids = f"{words.id}-key"
    swatch = tag("rect", x=1, y=1, width=26, height=16, class_=css, fill=fill(css, ids))
    patterns = hatching(ids) if css == "s-hidden" else ""
    key = tag("svg", patterns, swatch, viewBox="0 0 28 18", width=28, height=18, class_="key", aria_hidden="true")
    return tag("li", key, tag("span", escape(text)))
