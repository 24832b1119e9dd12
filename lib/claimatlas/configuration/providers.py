"""Who provided a service: the declared columns of the claims that say it, and the rules that read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from claimatlas.configuration.codes import PREFIX, RANGE, Entry
from claimatlas.configuration.model import Declaration

_DIGITS = 9
"""A whole number of so many digits is held by every engine."""


class ProviderAttribute(Declaration):
    """A column of the claims that says who provided a service: whole numbers or text; ``meaning``: for readers."""

    holds: Literal["integer", "text"]
    meaning: str = ""

    def entry(self, text: str) -> Entry:
        """What a word of a rule names: a value, the texts that begin so (``A*``), or a range (``50..55``).

        Raises:
            ValueError: it names none; the end of a sentence says why.
        """
        first, is_range, last = text.partition(RANGE)
        if is_range:
            return Entry.between(self._value(first), self._value(last), text)
        if self.holds == "text" and text.endswith(PREFIX):
            if text == PREFIX:
                raise ValueError(f"{PREFIX} alone would be every value")
            return Entry(text.removesuffix(PREFIX), "prefix")
        return Entry(self._value(text))

    def _value(self, text: str) -> int | str:
        if self.holds == "text":
            if not text:
                raise ValueError("a value is empty")
            return text
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS):
            raise ValueError(f"{text[:40]!r} is no whole number of at most {_DIGITS} digits")
        return int(text)


ATTRIBUTES_BEFORE: Mapping[str, ProviderAttribute] = {
    "provider_profession": ProviderAttribute(
        holds="integer", meaning="First two digits of the provider's INAMI number"
    ),
    "provider_competence": ProviderAttribute(holds="integer", meaning="Competence code of the provider"),
}
"""The attributes of a configuration from before they were declared."""
KEYS_BEFORE = {
    "competences": ("where", "provider_competence"),
    "competences_except": ("where_not", "provider_competence"),
    "professions": ("where", "provider_profession"),
}
"""The keys that rules had before attributes were declared: what is written in their place, and of which attribute."""


def in_former_words(group: Mapping[str, Any]) -> dict[str, Any]:
    """The dump of a contact group under the keys of before, as far as these could say it: it has the same hash."""
    rules = {name: dict(group[name]) for name in ("where", "where_not")}
    former: dict[str, list[int]] = {}
    for key, (rule, attribute) in KEYS_BEFORE.items():
        words = rules[rule].get(attribute, ())
        former[key] = [int(word) for word in words if word.isascii() and word.isdigit()]
        if len(former[key]) == len(words):
            rules[rule].pop(attribute, None)
        else:
            former[key] = []
    others = {name: value for name, value in group.items() if name not in rules}
    return {**others, **former, **{name: rule for name, rule in rules.items() if rule}}


@dataclass(frozen=True)
class ProviderRule:
    """One attribute of a rule: the values that meet it, or with ``is_except`` those that do not.

    A provider of whom the attribute is unknown meets neither.
    """

    attribute: str
    entries: tuple[Entry, ...]
    is_except: bool
