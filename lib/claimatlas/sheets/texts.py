"""The words of the sheets in one language, from ``languages/<language>.yaml`` and the names of a configuration.

Every sentence of a sheet is in the file of its language, as Markdown with named placeholders. The names of groups,
services, types and sources come from the configuration (``names.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal

from claimatlas.configuration import Configuration
from claimatlas.configuration.documents import Document, is_there, read_yaml
from claimatlas.errors import InputError
from claimatlas.sheets.markdown import code
from claimatlas.sheets.names import FOLDER, load_names, placeholders_in

_SHIPPED = resources.files("claimatlas.sheets").joinpath("languages")
LANGUAGES = tuple(sorted(file.name.removesuffix(".yaml") for file in _SHIPPED.iterdir()))
"""The languages whose texts ship."""
_INSTEAD = {"group_with": ("group",)}
"""Where a kind of name has no text, that of another kind stands."""
_LOCALES = {"fr": "fr_BE", "nl": "nl_BE", "en": "en_GB", "de": "de_DE"}
_ALL_DIGITS = "0.####################"


class _Counted(int):
    """A number that also formats as the form of a word that goes with it: of ``one|other``, by the locale."""

    locale: str

    def __new__(cls, number: int, locale: str) -> _Counted:
        """A number of a language."""
        counted = super().__new__(cls, number)
        counted.locale = locale
        return counted

    def __format__(self, spec: str) -> str:
        """One of the forms, or the number by itself."""
        one, separator, other = spec.partition("|")
        if not separator:
            return super().__format__(spec)
        return one if Locale.parse(self.locale).plural_form(int(self)) == "one" else other


@dataclass(frozen=True)
class Texts:
    """The texts of one language, by dotted key."""

    language: str
    by_key: dict[str, str]

    def say(self, key: str, **values: object) -> str:
        """The text of a key with its placeholders filled; ``values`` are Markdown already.

        Of a number, ``{days:day|days}`` is the word in the form that the language has for it.
        """
        told = {name: _Counted(value, self.locale) if type(value) is int else value for name, value in values.items()}
        return self.by_key[key].format(**told)

    def name(self, kind: str, name: str) -> str:
        """What a declared name is called; one without a text is shown as it is."""
        for found in (kind, *_INSTEAD.get(kind, ())):
            if text := self.by_key.get(f"{found}.{name}"):
                return text
        return code(name)

    def value(self, dimension: str, value: str) -> str:
        """What a value of a dimension is called."""
        return self.name(f"value.{dimension}", value)

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
        """The parts as an enumeration after "no", which Babel's locales do not have."""
        return self.say("list.nor").join([", ".join(parts[:-1]), *parts[-1:]]) if len(parts) > 1 else "".join(parts)

    def number(self, digits: str) -> str:
        """A number written with a decimal point, as the language writes it."""
        return format_decimal(Decimal(digits), _ALL_DIGITS, self.locale)

    def grouped(self, number: int) -> str:
        """A whole number with its thousands apart, as the language writes it."""
        return format_decimal(number, locale=self.locale)

    def day_and_month(self, day: date) -> str:
        """A day of the year, such as 11 February."""
        number = self.say("date.first_of_month") if day.day == 1 else self.say("date.day", day=day.day)
        return f"{number} {format_date(day, 'MMMM', self.locale)}"

    @property
    def locale(self) -> str:
        """The locale in which lists, numbers and months are written."""
        return _LOCALES.get(self.language, self.language)


@cache
def texts_of(language: str) -> Texts:
    """Read the texts of a language that ships, without the names of any configuration."""
    return Texts(language, dict(flat(read_yaml(_SHIPPED, f"{language}.yaml").data)))


def texts_for(configuration: Configuration, language: str) -> Texts:
    """The texts of a language with the names of a configuration.

    A language that does not ship, or one in other words, is ``sheets/<language>.yaml`` of the configuration.

    Raises:
        InputError: there are no texts in the language, they lack one, or a name is wrong.
    """
    try:
        Locale.parse(_LOCALES.get(language, language))
    except (UnknownLocaleError, ValueError):
        raise InputError(f"settings.yaml: languages: nothing is known of a language {language!r}.") from None
    own = f"{FOLDER}/{language}.yaml"
    if is_there(configuration.folder.joinpath(*own.split("/"))):
        texts = _own_texts(read_yaml(configuration.folder, own))
    elif language in LANGUAGES:
        texts = texts_of(language).by_key
    else:
        raise InputError(
            f"settings.yaml: languages: there are no texts in {language!r}: write {own} (as the shipped ones of "
            f"{', '.join(LANGUAGES)}), or leave the language out."
        )
    return Texts(language, texts | load_names(configuration)[language])


def _own_texts(document: Document) -> dict[str, str]:
    """The texts of a file of the configuration: one for each that ships, with the same placeholders."""
    found = dict(flat(document.data))
    mistakes = []
    for key, text in texts_of(LANGUAGES[0]).by_key.items():
        where = document.position(tuple(key.split(".")))
        if key not in found:
            mistakes.append(f"{where}: this key is missing.")
        elif placeholders_in(found[key]) != placeholders_in(text):
            needed = ", ".join(sorted(f"{{{name}}}" for name in placeholders_in(text) or ())) or "none"
            mistakes.append(f"{where}: the placeholders must be those of the shipped text: {needed}.")
    if mistakes:
        raise InputError("\n".join(mistakes))
    return found


def flat(tree: dict[Any, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The texts of a file by dotted key."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value)
