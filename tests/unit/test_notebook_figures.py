"""The figures of the notebooks: what stands in them, what they leave out, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claimatlas.configuration import load_configuration
from claimatlas.errors import InputError
from claimatlas.notebooks import episodes, figures, places
from claimatlas.notebooks.outlines import read_outlines
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

CONFIGURATION = load_configuration()


def cell(code: str, value: float | None, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    return {"geo_code": code, "value": value, "ci_low": low, "ci_high": high, "denominator": 100, **more}


def shapes(figure: Figure, kind: type) -> list[Any]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, kind)]


# --- Plots ----------------------------------------------------------------------------------------------


def test_a_series_has_each_value_and_leaves_out_what_is_not_known() -> None:
    rows = [cell("a", 7.056, 5.6, 8.8, year=2022), cell("a", None, year=2023), cell("a", 8.2, 7.0, 9.0, year=2024)]
    texts = figures.texts_of(figures.series(rows, "year", "No contact", "%"))
    assert {"No contact", "%", "2022", "2024", "7.06", "8.20"} <= set(texts)
    assert "2023" not in texts


def test_places_are_ranked_by_name_with_their_colour() -> None:
    rows = [cell("2", 9.0, 8.0, 9.9, comparison="higher"), cell("1", 1.0, 0.5, 1.5), cell("3", None)]
    figure = figures.ranked(rows, {"1": "One", "2": "Two", "3": "Three"}, 5.0, "Places", "%")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["One", "Two"]
    markers = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_color() for line in markers] == [figures.GREY, figures.ORANGE]


def test_of_many_places_the_ends_are_shown_and_the_title_says_so() -> None:
    figure = figures.ranked([cell(f"{n:03}", float(n)) for n in range(200)], {}, None, "Places", "%")
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [f"{n:03}" for n in [*range(30), *range(170, 200)]]
    assert "30 lowest and the 30 highest of 200" in figure.axes[0].get_title(loc="left")


def test_the_limits_of_the_funnel() -> None:
    low, high = figures.funnel_limits(50.0, 100, 2.0)
    assert (low, high) == pytest.approx((40.0, 60.0))
    assert figures.funnel_limits(1.0, 4, 3.0)[0] == 0.0
    assert figures.funnel_limits(99.0, 4, 3.0)[1] == 100.0


def test_the_funnel_has_every_place_and_the_country() -> None:
    rows = [cell("1", 4.0, denominator=50), cell("2", 6.0, denominator=5000), cell("3", None, denominator=0)]
    figure = figures.funnel(rows, 5.0, "Funnel")
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert points == [(50, 4.0), (5000, 6.0)]
    assert figures.funnel([], 5.0, "No place").axes[0].get_title(loc="left") == "No place"


def test_bars_are_in_the_given_order_with_their_numbers() -> None:
    figure = figures.bars({"1-5": 12, "6-10": 1234567}, "Gaps", "times", ["6-10"])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["6-10", "1-5"]
    assert {"12", "1,234,567"} <= set(figures.texts_of(figure))


def test_months_that_are_wrong_have_a_frame() -> None:
    figure = figures.months({("all lines", 1): 1.02, ("all lines", 2): 0.4}, {("all lines", 2)}, "Months")
    widths = [tile.get_linewidth() for tile in shapes(figure, Rectangle)]
    assert widths[1] == 2 > widths[0]
    assert {"102", "40", "all lines"} <= set(figures.texts_of(figure))


def test_curves_are_steps_named_in_the_legend() -> None:
    figure = figures.lines({"chained": [(20, 5), (30, 4)], "anchored": [(20, 6), (30, 5)]}, 30, "Rule", "days", "n")
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["chained", "anchored"]


# --- Maps -----------------------------------------------------------------------------------------------


def test_a_map_of_tiles_has_a_tile_for_each_place_grey_without_a_value() -> None:
    tiles = {"1": (0, 0), "2": (1, 0), "3": (0, 1)}
    names = {"1": "Ath", "2": "Arrondissement de Mons", "3": "Arrondissement de Tournai-Mouscron"}
    figure = figures.tile_map({"1": 3.0, "2": 7.5}, tiles, names, "Map", "%")
    drawn = {(tile.get_x(), tile.get_y()): tile.get_facecolor()[:3] for tile in shapes(figure, Rectangle)}
    assert set(drawn) == {(0, 0), (1, 0), (0, -1)}
    assert drawn[0, -1] == pytest.approx((228 / 255,) * 3)
    assert drawn[0, 0] != drawn[1, 0]
    assert {"Ath\n3.0", "Mons\n7.5", "Tournai-\nMouscron\n-"} <= set(figures.texts_of(figure))


@pytest.mark.parametrize(("level", "year", "number"), [("province", 2023, 10), ("arrondissement", 2023, 43)])
def test_every_place_has_a_tile_of_its_own(level: str, year: int, number: int) -> None:
    tiles = places.tiles_of(CONFIGURATION, level, year)
    there = {code for found, code in CONFIGURATION.geography.units(year) if found == level}
    assert set(tiles) == there
    assert len(set(tiles.values())) == len(tiles) == number


@pytest.mark.parametrize("year", range(2006, 2027))
def test_no_year_has_two_places_on_one_tile_or_one_without(year: int) -> None:
    tiles = places.tiles_of(CONFIGURATION, "arrondissement", year)
    assert set(tiles) == {code for level, code in CONFIGURATION.geography.units(year) if level == "arrondissement"}
    assert len(set(tiles.values())) == len(tiles)


def test_a_level_without_tiles_has_none() -> None:
    assert places.tiles_of(CONFIGURATION, "municipality", 2023) == {}


def test_places_have_names_of_their_year_and_language() -> None:
    assert places.names_of(CONFIGURATION, "region", 2023, "nl")["04000"] == "Brussels Hoofdstedelijk Gewest"
    assert places.names_of(CONFIGURATION, "arrondissement", 2018, "fr")["57000"] == "Arrondissement de Tournai"
    assert places.names_of(CONFIGURATION, "arrondissement", 2019, "fr")["57000"].endswith("Tournai-Mouscron")
    assert places.names_of(CONFIGURATION, "municipality", 2023, "nl")["44021"] == "Gent"
    # English has no names of its own; hospitals have none at all.
    assert places.names_of(CONFIGURATION, "province", 2023, "en")["90000"] == "Province de Namur"
    assert places.names_of(CONFIGURATION, "hospital", 2023, "fr") == {}


# --- Boundaries of the user's ---------------------------------------------------------------------------


def square(x: float, y: float, side: float = 1.0) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def feature(code: object, kind: str, coordinates: object) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"code": code}, "geometry": {"type": kind, "coordinates": coordinates}}


def geojson(folder: Path, *features: dict[str, Any]) -> str:
    file = folder / "boundaries.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return str(file)


def colour_at(figure: Figure, x: float, y: float) -> tuple[int, ...]:
    """The colour that is drawn at a point of the first axes."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    column, row = figure.axes[0].transData.transform((x, y))
    image = np.asarray(canvas.buffer_rgba())
    return tuple(int(part) for part in image[len(image) - 1 - round(row), round(column), :3])


def test_outlines_by_code_with_several_features_and_holes(tmp_path: Path) -> None:
    file = geojson(
        tmp_path,
        feature("A", "Polygon", [square(0, 0), square(0.4, 0.4, 0.2)]),
        feature("A", "MultiPolygon", [[square(1, 0)], [square(1, 1)]]),
        feature(7, "Polygon", [square(5, 50)]),
        feature(None, "Polygon", [square(9, 9)]),
    )
    outlines = read_outlines(file, "code")
    assert {code: [len(polygon) for polygon in polygons] for code, polygons in outlines.items()} == {
        "A": [2, 1, 1],
        "7": [1],
    }
    figure = figures.outline_map({"A": 3.0}, outlines, "Map", "%")
    drawn = shapes(figure, PathPatch)
    assert len(drawn) == 4
    grey = [patch for patch in drawn if patch.get_facecolor()[:3] == pytest.approx((228 / 255,) * 3)]
    assert [patch.get_path().vertices[0].tolist() for patch in grey] == [[5.0, 50.0]]
    # A hole is cut out, though its corners go round the same way in the file.
    assert colour_at(figure, 0.5, 0.5) == (255, 255, 255)
    assert colour_at(figure, 0.2, 0.2) != (255, 255, 255)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "are no JSON"),
        ("[]", "are no GeoJSON"),
        ('{"features": [{"properties": {"other": "A"}}]}', "has a property code"),
        ('{"features": [{"properties": {"code": "A"}}]}', "hold a feature without geometry"),
        ('{"features": [{"properties": {"code": "A"}, "geometry": {"type": "Point"}}]}', "hold a Point"),
        (
            '{"features": [{"properties": {"code": "A"}, "geometry": {"type": "Polygon", "coordinates": [["x"]]}}]}',
            "coordinates cannot be read",
        ),
    ],
)
def test_boundaries_that_are_none_are_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "boundaries.geojson"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_outlines(str(file), "code")


def test_boundaries_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json cannot be read \(No such file"):
        read_outlines(str(tmp_path / "nowhere.json"), "code")


# --- Rules and steps of days --------------------------------------------------------------------------------------


def test_the_rules_to_try_hold_both_ends() -> None:
    assert list(episodes.rules_to_try(29, 31)) == [29, 30, 31]
    with pytest.raises(InputError, match="no number of days from 31 to 29"):
        episodes.rules_to_try(31, 29)


def test_steps_of_days_start_at_one_and_hold_the_last_day() -> None:
    assert [episodes.step_of(days, 5) for days in (1, 5, 6, 30, 31)] == ["1-5", "1-5", "6-10", "26-30", "31-35"]
    gaps = [{"gap_days": 5, "times": 2}, {"gap_days": 1, "times": 1}, {"gap_days": 30, "times": 4}]
    gaps.append({"gap_days": 400, "times": 9})
    steps = episodes.in_steps(gaps, step=5, most=30)
    assert steps == {"1-5": 3, "6-10": 0, "11-15": 0, "16-20": 0, "21-25": 0, "26-30": 4}


def test_curves_come_in_the_order_of_days_chained_first() -> None:
    rows = [("anchored", 30, 5), ("chained", 31, 3), ("chained", 30, 4)]
    named = [{"reading": reading, "gap_days": days, "deliveries": number} for reading, days, number in rows]
    assert list(episodes.curves(named).items()) == [("chained", [(30, 4), (31, 3)]), ("anchored", [(30, 5)])]
