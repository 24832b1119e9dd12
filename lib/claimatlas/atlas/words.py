"""The texts of the atlas in one language, and numbers in the format of its locale.

The texts stand in ``languages/<language>.yaml``; another language is one file more, here and beside the sheets' texts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from importlib import resources

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol
from babel.units import format_unit

from claimatlas.atlas.cells import Cell, State
from claimatlas.configuration import Configuration
from claimatlas.configuration.documents import read_yaml
from claimatlas.configuration.indicators import Indicator
from claimatlas.sheets.texts import Texts, flat, texts_for, texts_of

DECIMALS = 1
"""Decimals of a figure on a page; downloads hold four."""


@dataclass(frozen=True)
class ChartWords:
    """What a picture needs of a language.

    number: a value with its unit; decimal: a number with so many decimals; count: a whole number; say: a text of the
    atlas; synthetic: the band that a picture of synthetic figures carries; title: of the picture; id: the start of its
    ids, unique in the page; unit: a written number or range with its unit.
    """

    number: Callable[[float], str]
    decimal: Callable[[float, int], str]
    count: Callable[[int], str]
    say: Callable[..., str]
    synthetic: str | None
    title: str
    id: str
    unit: Callable[[str], str] = str
    has_limits: bool = False


@dataclass(frozen=True)
class Words:
    """The texts of one language by dotted key, its locale, and the texts of the sheets."""

    language: str
    locale: str
    by_key: dict[str, str]
    sheets: Texts

    def say(self, key: str, **values: object) -> str:
        """The text of a key with its placeholders filled; one that the atlas lacks is the sheets'."""
        text = self.by_key.get(key)
        return self.sheets.say(key, **values) if text is None else text.format(**values)

    def has(self, key: str) -> bool:
        """Whether there is a text of this key."""
        return key in self.by_key or key in self.sheets.by_key

    def name(self, kind: str, name: str) -> str:
        """What a declared name is called; one that no file knows is shown as it is, as another country's may be."""
        key = f"{kind}.{name}"
        return self.say(key) if self.has(key) else name

    def value_name(self, dimension: str, value: str) -> str:
        """What a value of a dimension is called; ``all`` and ``unknown`` are called so in each."""
        return (
            self.name(f"value.{dimension}", value)
            if self.has(f"value.{dimension}.{value}")
            else self.name("value", value)
        )

    def names(self, kind: str, name: str, number: int) -> str:
        """The same in the form that goes with a number: ``plural`` where the language has one."""
        key = f"{kind}_plural.{name}"
        return self.say(key) if number != 1 and self.has(key) else self.name(kind, name)

    def capital(self, text: str) -> str:
        """A text that begins a line."""
        return text[:1].upper() + text[1:]

    def number(self, number: float, decimals: int = DECIMALS) -> str:
        """A number with its decimals, rounded half up from the digits that it is written with."""
        return _number(number, decimals, self.locale)

    def count(self, number: int) -> str:
        """A whole number."""
        return self.number(number, 0)

    def share(self, part: int, whole: int) -> str:
        """A part of a whole in percent, without decimals; what is not nothing is never 0 %."""
        if part and 200 * part < whole:
            return self.say("unit_value.below", value=self.say("unit_value.percent", value=self.count(1)))
        return self.say("unit_value.percent", value=self.number(100 * part / whole if whole else 0, 0))

    def value(self, indicator: Indicator, value: float) -> str:
        """A value of an indicator without its unit."""
        return self.number(value, 0 if indicator.unit == "count" else DECIMALS)

    def with_unit(self, indicator: Indicator, value: float) -> str:
        """A value of an indicator with its unit."""
        return self.say(f"unit_value.{indicator.unit}", value=self.value(indicator, value))

    def interval(self, indicator: Indicator, low: float, high: float) -> str:
        """Two bounds and the unit."""
        bounds = self.say("range", low=self.value(indicator, low), high=self.value(indicator, high))
        return self.say(f"unit_value.{indicator.unit}", value=bounds)

    def cell(self, indicator: Indicator, cell: Cell | None) -> str:
        """The text of a cell in each of its states; a dash where nothing is published."""
        if cell is None:
            return self.say("state.absent")
        if cell.state is State.VALUE and cell.value is not None:
            return self.with_unit(indicator, cell.value)
        return self.say(f"state.{cell.state_said}")

    def bounds(self, indicator: Indicator, cell: Cell) -> str:
        """Where a hidden value lies; empty where nothing is known of it."""
        if cell.state is not State.HIDDEN or cell.value_low is None:
            return ""
        if cell.value_high is None:
            return self.say("bounds_from", low=self.with_unit(indicator, cell.value_low))
        return self.interval(indicator, cell.value_low, cell.value_high)

    def hidden(self, indicator: Indicator, cell: Cell, k: int) -> str:
        """The one sentence on a hidden figure."""
        bounds = self.bounds(indicator, cell)
        return self.say("hidden_between" if bounds else "hidden", k=k, bounds=bounds)

    def date(self, day: dt.date) -> str:
        """A day, written out."""
        return format_date(day, format="long", locale=self.locale)

    def short_date(self, day: dt.date) -> str:
        """A day in digits."""
        return format_date(day, format="dd/MM/yyyy", locale=self.locale)

    def duration(self, years: int) -> str:
        """A number of years in words."""
        return format_unit(years, "duration-year", length="long", locale=self.locale)

    def size(self, size: int) -> str:
        """The size of a file."""
        for unit in ("byte", "kilobyte"):
            if size < 1000:
                return format_unit(size, f"digital-{unit}", length="short", format="#,##0", locale=self.locale)
            size = -(-size // 1000)
        return format_unit(size, "digital-megabyte", length="short", format="#,##0", locale=self.locale)

    def and_(self, parts: list[str]) -> str:
        """The parts as an enumeration."""
        return format_list(parts, locale=self.locale)

    def years(self, years: tuple[int, ...]) -> str:
        """Years as one range where none is missing between, else each."""
        if len(years) > 2 and years[-1] - years[0] == len(years) - 1:
            return self.say("range_of_years", first=years[0], last=years[-1])
        return self.and_([str(year) for year in years])

    @property
    def decimal_mark(self) -> str:
        """Between units and decimals."""
        return get_decimal_symbol(self.locale)

    @property
    def group_mark(self) -> str:
        """Between groups of three digits."""
        return get_group_symbol(self.locale)

    def chart(self, indicator: Indicator, title: str, id: str, *, is_synthetic: bool) -> ChartWords:
        """What a picture of an indicator needs."""
        return ChartWords(
            number=lambda value: self.with_unit(indicator, value),
            decimal=self.number,
            count=self.count,
            say=self.say,
            synthetic=self.say("band.synthetic") if is_synthetic else None,
            title=title,
            id=id,
            unit=lambda text: self.say(f"unit_value.{indicator.unit}", value=text),
            has_limits=indicator.unit == "percent" and indicator.standardised is None,
        )


def words_of(language: str, locale: str, configuration: Configuration | None = None) -> Words:
    """The words of a language for a locale such as ``fr_BE``, with the names that a configuration gives."""
    Locale.parse(locale)
    sheets = texts_for(configuration, language) if configuration else texts_of(language)
    return Words(language, locale, _own_texts(language), sheets)


@cache
def _own_texts(language: str) -> dict[str, str]:
    folder = resources.files("claimatlas.atlas").joinpath("languages")
    return dict(flat(read_yaml(folder, f"{language}.yaml").data))


@lru_cache(maxsize=100_000)
def _number(number: float, decimals: int, locale: str) -> str:
    """Kept, as the same figures of larger places stand on many pages."""
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    zeros = "." + "0" * decimals if decimals else ""
    return format_decimal(rounded, format=f"#,##0{zeros}", locale=locale)
