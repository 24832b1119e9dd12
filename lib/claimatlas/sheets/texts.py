"""The words of the sheets in one language, from ``languages/<language>.yaml``.

Every sentence of a sheet stands there, as Markdown with named places for what the configuration says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal

from claimatlas.configuration.documents import read_yaml
from claimatlas.sheets.markdown import code

LANGUAGES = ("fr", "nl", "en")
_LOCALES = {"fr": "fr_BE", "nl": "nl_BE", "en": "en_GB"}
_ALL_DIGITS = "0.####################"


@dataclass(frozen=True)
class Texts:
    """The texts of one language, by dotted key."""

    language: str
    by_key: dict[str, str]

    def say(self, key: str, **values: object) -> str:
        """The text of a key with its places filled; ``values`` are Markdown already."""
        return self.by_key[key].format(**values)

    def name(self, kind: str, name: str) -> str:
        """What a declared name is called; one that is not known here is shown as it is.

        Another country's configuration has levels, groups or types of its own.
        """
        return self.by_key.get(f"{kind}.{name}", code(name))

    def quoted(self, kind: str, name: str) -> str:
        """What a declared name is called, in quotation marks."""
        return self.say("quoted", text=self.name(kind, name))

    def and_(self, parts: Sequence[str]) -> str:
        """The parts as an enumeration that ends with "and"."""
        return format_list(parts, "standard", self.locale)

    def or_(self, parts: Sequence[str]) -> str:
        """The parts as an enumeration that ends with "or"."""
        return format_list(parts, "or", self.locale)

    def nor(self, parts: Sequence[str]) -> str:
        """The parts of which there is none; locales have no such enumeration."""
        return self.say("list.nor").join([", ".join(parts[:-1]), *parts[-1:]]) if len(parts) > 1 else "".join(parts)

    def number(self, digits: str) -> str:
        """A number written with a decimal point, as the language writes it."""
        return format_decimal(Decimal(digits), _ALL_DIGITS, self.locale)

    def day_and_month(self, day: date) -> str:
        """A day of the year, such as 11 February."""
        number = self.say("date.first_of_month") if day.day == 1 else str(day.day)
        return f"{number} {format_date(day, 'MMMM', self.locale)}"

    @property
    def locale(self) -> str:
        """Whose lists, numbers and months are written."""
        return _LOCALES[self.language]


@cache
def texts_of(language: str) -> Texts:
    """Read the texts of a language."""
    folder = resources.files("claimatlas.sheets").joinpath("languages")
    return Texts(language, dict(_flat(read_yaml(folder, f"{language}.yaml").data)))


def _flat(tree: dict[Any, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value)
