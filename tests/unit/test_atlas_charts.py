"""Maps and charts as SVG: what is drawn of which cell, and what must not be."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from claimatlas.atlas.cells import Cell
from claimatlas.atlas.charts import (
    distribution_svg,
    funnel_svg,
    is_outside,
    ranking_svg,
    runs,
    series_svg,
    sparkline_svg,
)
from claimatlas.atlas.classes import classes_of
from claimatlas.atlas.maps import LevelFigures, legend_html, map_svg, small_map_svg
from claimatlas.atlas.svg import ticks
from claimatlas.atlas.topology import Topology
from claimatlas.atlas.words import words_of
from claimatlas.configuration.load import load_configuration

SVG = "{http://www.w3.org/2000/svg}"


def cell(code="62063", year=2023, value=20.0, **other):
    base = {
        "indicator_id": "cube_007_008a", "year": year, "geo_level": "municipality", "geo_code": code,
        "geo_vintage": year, "split": ("all",), "numerator": 20, "denominator": 100, "value": value,
        "ci_low": value - 5, "ci_high": value + 5,
        "value_low": None, "value_high": None, "comparison": "similar", "trend": None, "confidentiality": "F",
        "reliability": "normal", "status": "final", "release": 1,
    }  # fmt: skip
    return Cell(**base | other)


def figures(cells=(), country=None, names=None, classes=None):
    by_code = {found.geo_code: found for found in cells}
    return LevelFigures("municipality", 2023, by_code, country, names or {}, classes)


def without_figure(found, **other):
    empty = {"value": None, "ci_low": None, "ci_high": None, "numerator": None, "comparison": None}
    return replace(found, **empty | other)


HIDDEN = {"confidentiality": "C", "denominator": None, "value_low": 0.0, "value_high": 4.0}
NOBODY = {"denominator": 0}
NOT_COMPUTABLE = {"status": "not_computable"}


@pytest.fixture(scope="module")
def chart_words():
    indicator = next(found for found in load_configuration().indicators if found.id == "cube_007_008a")
    words = words_of("en", "en_GB")

    def chart(ids="x", *, is_synthetic=False, **declared):
        return words.chart(indicator.model_copy(update=declared), "A <title>", ids, is_synthetic=is_synthetic)

    return chart


def read(svg):
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    title, description = (root.find(f"{SVG}{name}") for name in ("title", "desc"))
    assert title.text == "A <title>"
    assert description.text
    assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert "style=" not in svg
    assert "<style" not in svg
    return root


def with_class(root, css):
    return [found for found in root.iter() if css in (found.get("class") or "").split()]


@pytest.fixture
def many():
    return [cell(f"{number:05}", value=10 + number / 10, denominator=50 + 7 * number) for number in range(100)]


class TestMap:
    @pytest.fixture(scope="class")
    @classmethod
    def square(cls):
        """Four unit squares beside each other."""
        document = {
            "attribution": "Somebody & others", "width": 4000, "height": 1000,
            "vintages": {"0": {"municipality": {"codes": ["a", "b", "c", "d"], "of": [0, 1, 1, 1, 2, 1, 3, 1]}}},
            "parts": [[[0]], [[1]], [[2]], [[3]]],
            "arcs": [[at, 0, 1000, 0, 0, 1000, -1000, 0, 0, -1000] for at in range(0, 4000, 1000)],
        }  # fmt: skip
        return Topology.of_document(document)

    def draw(self, square, chart_words, **cells):
        given = list(cells.values())
        shown = figures(given, names={"a": "A & B"}, classes=classes_of(given))
        return read(map_svg(square, shown, chart_words()))

    def test_each_state_has_a_look_of_its_own(self, square, chart_words):
        root = self.draw(
            square,
            chart_words,
            a=cell("a"),
            b=without_figure(cell("b"), **HIDDEN),
            c=without_figure(cell("c"), **NOBODY),
            d=without_figure(cell("d"), **NOT_COMPUTABLE),
        )
        paths = [found for group in with_class(root, "places") for found in group]
        assert [found.get("class") for found in paths] == ["c3", "s-hidden", "s-nobody", "s-not-computable"]
        assert [found.get("fill") for found in paths] == [None, "url(#x-hidden)", None, "url(#x-dots)"]
        assert {pattern.get("id") for pattern in root.iter(f"{SVG}pattern")} == {"x-hidden", "x-dots"}

    def test_a_small_map_has_one_path_for_each_look_and_no_text(self, square, chart_words):
        given = [cell("a"), cell("b"), without_figure(cell("c"), **HIDDEN), without_figure(cell("d"), **HIDDEN)]
        root = read(small_map_svg(square, figures(given, classes=classes_of(given)), chart_words(is_synthetic=True)))
        paths = [found for group in with_class(root, "places") for found in group]
        assert [(found.get("class"), found.get("d").count("z")) for found in paths] == [("c3", 2), ("s-hidden", 2)]
        assert paths[1].get("fill") == "url(#x-hidden)"
        assert not list(root.iter(f"{SVG}text"))
        assert "4 places: 2 with a figure, 2 hidden" in root.find(f"{SVG}desc").text

    def test_each_place_tells_its_name_and_figure(self, square, chart_words):
        root = self.draw(square, chart_words, a=cell("a"), b=without_figure(cell("b"), **HIDDEN))
        said = [found.find(f"{SVG}title").text for group in with_class(root, "places") for found in group]
        assert said == ["A & B: 20.0%", "b: hidden", "c: —", "d: —"]

    def test_the_source_of_the_outlines_stands_below(self, square, chart_words):
        assert [text.text for text in self.draw(square, chart_words, a=cell("a")).iter(f"{SVG}text")] == [
            "Somebody & others"
        ]

    def test_synthetic_figures_carry_the_band(self, square, chart_words):
        svg = map_svg(square, figures(), chart_words(is_synthetic=True))
        assert [text.text for text in with_class(read(svg), "t-band")] == ["Synthetic figures"]

    def test_belgium_fits_a_page(self, chart_words):
        svg = map_svg(Topology.load(), figures(), chart_words())
        assert svg.count("<path") == 581 + 1  # One more within the pattern.
        assert len(svg) < 130_000

    def test_simplified_neighbours_still_share_their_border(self):
        coarse = Topology.load().simplified(12)
        assert sum(map(len, coarse.arcs)) < sum(map(len, Topology.load().arcs)) * 0.75
        assert all(a[0] == b[0] and a[-1] == b[-1] for a, b in zip(coarse.arcs, Topology.load().arcs, strict=True))

    def test_the_legend_has_every_class_and_state(self, chart_words, many):
        html = legend_html(classes_of(many), chart_words("m"))
        texts = re.findall(r"<span>(.*?)</span>", html)
        assert texts == [
            "10.0 – 11.3%", "11.4 – 12.7%", "12.8 – 14.1%", "14.2 – 15.6%", "15.7 – 17.0%", "17.1 – 18.4%",
            "18.5 – 19.9%", "hidden", "nobody", "not computable",
        ]  # fmt: skip


class TestSeries:
    def years(self, *gaps):
        return [
            without_figure(cell(year=year), **HIDDEN) if year in gaps else cell(year=year, value=20.0 + year - 2015)
            for year in range(2015, 2022)
        ]

    def test_the_line_breaks_where_a_year_is_hidden(self, chart_words):
        root = read(series_svg(self.years(2018), chart_words()))
        assert len(with_class(root, "line")) == 2
        assert len(with_class(root, "interval")) == 2
        assert len(with_class(root, "dot")) == 6
        (gap,) = with_class(root, "s-hidden")
        assert gap.get("fill") == "url(#x-hidden)"

    def test_the_line_breaks_where_a_year_is_lacking(self, chart_words):
        points = [found for found in self.years() if found.year != 2018]
        assert [len(run) for run in runs(points)] == [3, 3]
        assert len(with_class(read(series_svg(points, chart_words())), "line")) == 2

    def test_a_hidden_year_has_no_place_on_the_scale(self, chart_words):
        points = self.years(2018)
        far = [replace(found, value_high=900.0) if found.year == 2018 else found for found in points]
        assert series_svg(points, chart_words()) == series_svg(far, chart_words())

    def test_a_provisional_year_is_open(self, chart_words):
        points = [*self.years(), cell(year=2022, status="provisional")]
        assert len(with_class(read(series_svg(points, chart_words())), "dot-open")) == 1

    def test_the_country_stays_within_the_years_of_the_place(self, chart_words):
        country = [cell("01000", year, 22.0) for year in range(2000, 2025)]
        root = read(series_svg(self.years(), chart_words(), country=country))
        (line,) = with_class(root, "line-country")
        assert line.get("d").count("L") == 6

    def test_nothing_is_drawn_of_nothing(self, chart_words):
        hidden = [without_figure(cell(), **HIDDEN)]
        assert series_svg(hidden, chart_words()) == ""
        assert sparkline_svg(hidden, chart_words()) == ""

    def test_one_year_alone_is_a_point_with_its_interval(self, chart_words):
        root = read(series_svg([cell()], chart_words()))
        assert len(with_class(root, "dot")) == len(with_class(root, "whisker")) == 1
        assert not with_class(root, "line")

    def test_a_small_series_is_small_and_breaks_too(self, chart_words):
        svg = sparkline_svg(self.years(2018), chart_words())
        assert len(with_class(read(svg), "line")) == 2
        assert len(svg) <= 1500

    @pytest.mark.parametrize(("last", "rises"), [(20.01, 0.5), (22.0, 6.0)])
    def test_a_small_change_looks_small(self, chart_words, last, rises):
        """Within their intervals two years are nearly level; far beyond one per cent they are not."""
        points = [cell(year=2022, ci_low=None, ci_high=None), cell(year=2023, value=last, ci_low=None, ci_high=None)]
        (line,) = with_class(read(sparkline_svg(points, chart_words())), "line")
        first, second = (float(y) for y in re.findall(r",([0-9.]+)", line.get("d")))
        assert (first - second >= rises) if last > 21 else (first - second <= rises)


class TestRanking:
    def test_intervals_of_small_places_are_cut_at_the_frame(self, chart_words, many):
        wide = [replace(found, ci_low=0.0, ci_high=95.0) for found in many]
        root = read(ranking_svg(figures(wide, classes=classes_of(wide)), chart_words()))
        marks = [float(found.text) for found in with_class(root, "t-tick") if found.text.replace(".", "").isdigit()]
        assert max(marks) == 20
        (whiskers,) = with_class(root, "whiskers")
        ends = [float(y) for pair in re.findall(r",([0-9.]+)V([0-9.]+)", whiskers.get("d")) for y in pair]
        assert (min(ends), max(ends)) == (14, 240)

    def test_few_places_are_named_bars_in_their_order(self, chart_words, many):
        few = many[:3]
        names = {found.geo_code: f"Place {found.geo_code}" for found in few}
        root = read(ranking_svg(figures(few, cell("01000"), names, classes_of(many)), chart_words()))
        assert [text.text for text in with_class(root, "t-label")] == ["Place 00002", "Place 00001", "Place 00000"]
        assert [text.text for text in with_class(root, "t-value")] == ["10.2%", "10.1%", "10.0%"]
        assert len(with_class(root, "bar")) == 3

    def test_many_places_are_points(self, chart_words, many):
        root = read(ranking_svg(figures(many, cell("01000"), classes=classes_of(many)), chart_words()))
        assert len(with_class(root, "point")) == 100
        assert not with_class(root, "bar")

    def test_hidden_places_are_counted_and_not_drawn(self, chart_words, many):
        with_hidden = figures([*many, without_figure(cell("z"), **HIDDEN)], classes=classes_of(many))
        svg = ranking_svg(with_hidden, chart_words())
        root = read(svg)
        assert len(with_class(root, "point")) == 100
        assert root.find(f"{SVG}desc").text.endswith("places without a figure: 1.")


class TestDistribution:
    def test_the_bars_hold_every_place_once(self, chart_words, many):
        root = read(distribution_svg(figures(many, cell("01000", value=15.0), classes=classes_of(many)), chart_words()))
        counts = [int(bar.find(f"{SVG}title").text.rpartition(": ")[2]) for bar in with_class(root, "bar")]
        assert sum(counts) == 100
        assert len(with_class(root, "line-country")) == 1

    def test_equal_values_have_no_distribution(self, chart_words):
        assert distribution_svg(figures([cell("a"), cell("b")], classes=classes_of([cell()])), chart_words()) == ""


class TestFunnel:
    def test_places_beyond_the_limits_stand_out(self, chart_words, many):
        far = [*(replace(found, denominator=60) for found in many), cell("far", value=90.0, denominator=1000)]
        root = read(funnel_svg(figures(far, cell("01000", value=15.0), {"far": "Far <away>"}), chart_words()))
        assert len(with_class(root, "point")) == 101
        said = [point.find(f"{SVG}title").text for point in with_class(root, "outside")]
        assert said == ["Far <away>: 90.0% (1,000)"]
        assert len(with_class(root, "limit-95")) == len(with_class(root, "limit-998")) == 1

    def test_the_limits_are_those_of_a_share(self):
        # 20 % of 400: a standard error of 2 points.
        assert not is_outside(cell(value=26.0, denominator=400), 20.0, 3.0902)
        assert is_outside(cell(value=26.3, denominator=400), 20.0, 3.0902)

    @pytest.mark.parametrize("declared", [{"unit": "mean_nights"}, {"standardised": "some_population"}])
    def test_what_is_no_crude_share_has_no_limits(self, chart_words, many, declared):
        assert with_class(read(funnel_svg(figures(many, cell("01000")), chart_words())), "limit-95")
        root = read(funnel_svg(figures(many, cell("01000")), chart_words(**declared)))
        assert not with_class(root, "limit-95")
        assert not with_class(root, "outside")

    def test_a_count_has_no_funnel(self, chart_words):
        counts = [cell(str(n), value=float(n), denominator=n, ci_low=None, ci_high=None) for n in range(10, 20)]
        assert funnel_svg(figures(counts, cell("01000")), chart_words()) == ""


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 50, [0, 10, 20, 30, 40, 50]),
        (21.3, 27.4, [20, 22, 24, 26, 28]),
        (0, 0, [0, 0.2]),
        (1.01, 1.19, [1, 1.05, 1.1, 1.15, 1.2]),
    ],
)
def test_the_marks_of_an_axis_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)
