"""The classes of a map, and the colours that they are drawn in."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from claimatlas.atlas.cells import Cell
from claimatlas.atlas.classes import COLOURS, HIDING, classes_of, rounded

CSS = Path(__file__).parents[2] / "web/src/charts.css"

# What people without one kind of cone see, in linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
BLINDNESS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def cell(value, confidentiality="F"):
    bounds = (None,) * 6
    counts = (1, 2, value)
    return Cell("x", 2023, "municipality", "1", 2023, ("all",), *counts, *bounds, confidentiality, "normal", "final", 1)


def linear(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(colour):
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    x, y, z = (
        sum(weight * part for weight, part in zip(row, rgb, strict=True)) / white
        for row, white in (
            ((0.4124, 0.3576, 0.1805), 0.9505),
            ((0.2126, 0.7152, 0.0722), 1.0),
            ((0.0193, 0.1192, 0.9505), 1.089),
        )
    )
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(colour, blindness):
    rgb = linear(colour)
    if blindness:
        rgb = [max(0, sum(w * p for w, p in zip(row, rgb, strict=True))) for row in BLINDNESS[blindness]]
    return lab(rgb)


class TestColours:
    def test_hidden_contrasts_with_every_class(self):
        assert all(contrast(colour, HIDING) >= 3 for colour in COLOURS)

    @pytest.mark.parametrize("blindness", [None, *BLINDNESS])
    def test_neighbouring_classes_differ_and_darken_for_everybody(self, blindness):
        colours = [seen(colour, blindness) for colour in COLOURS]
        for first, second in pairwise(colours):
            assert first[0] - second[0] > 4
            assert sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5 > 8

    def test_the_style_sheet_has_these_colours_on_light_paper_and_reversed_on_dark(self):
        light, dark = CSS.read_text(encoding="utf-8").split("@media screen and (prefers-color-scheme: dark)")
        assert tuple(re.findall(r"--c\d: (#\w+);", light)) == COLOURS
        dark = dark.split("@media print")[0]
        assert tuple(re.findall(r"--c\d: (#\w+);", dark)) == COLOURS[::-1]
        assert f"--hatch-line: {HIDING[:4]};" in light
        assert f"--hatch-ground: {HIDING[:4]};" in dark


class TestClasses:
    def test_classes_hold_about_equally_many_values(self):
        classes = classes_of([cell(number / 10) for number in range(700)])
        assert classes.breaks == (10, 20, 30, 40, 50, 60)
        assert [classes.index(value) for value in (0, 9.9, 10, 69.9)] == [0, 0, 1, 6]
        assert [classes.css(value) for value in (0, 69.9)] == ["c0", "c6"]

    def test_a_value_is_classed_as_it_is_shown(self):
        classes = classes_of([cell(number / 10) for number in range(700)])
        assert classes.index(9.95) == 1  # Shown as 10.0.
        assert classes.index(9.9499) == 0

    def test_the_bounds_tell_every_value_that_a_class_shows(self):
        classes = classes_of([cell(number / 10) for number in range(700)])
        assert [classes.bounds(index) for index in (0, 1, 6)] == [(0.0, 9.9), (10, 19.9), (60, 69.9)]

    def test_close_values_get_more_decimals(self):
        classes = classes_of([cell(1 + number / 1000) for number in range(100)])
        assert classes.decimals == 2
        assert classes.number >= 5

    def test_few_values_get_few_classes_spread_over_the_colours(self):
        classes = classes_of([cell(value) for value in (1.0, 1.0, 2.0, 3.0)])
        assert classes.number == 3
        assert [classes.css(value) for value in (1, 2, 3)] == ["c0", "c3", "c6"]

    def test_one_value_is_one_class_in_the_middle(self):
        assert classes_of([cell(5.0)]).css(5.0) == "c3"

    def test_what_is_not_shown_makes_no_class(self):
        assert classes_of([cell(None, "C")]) is None
        assert classes_of([cell(number / 10) for number in range(700)] + [cell(None, "C")]).low == 0

    @pytest.mark.parametrize(("value", "shown"), [(0.05, 0.1), (0.25, 0.3), (1.0449, 1.0), (12.35, 12.4)])
    def test_values_are_rounded_half_up(self, value, shown):
        assert rounded(value, 1) == shown
