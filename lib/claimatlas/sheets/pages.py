"""The pages: the sheet of an indicator, and the index of a language; each as Markdown with its links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.settings import HOSPITAL, SECTOR
from claimatlas.conventions import TREND_YEARS
from claimatlas.sheets.facts import TREND_P, WILSON_Z, Facts
from claimatlas.sheets.markdown import code, link, plain, row
from claimatlas.sheets.phrases import Phrases
from claimatlas.sheets.texts import Texts

INDEX = "index"
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Written:
    """Which pages are written together: a page links to no other."""

    texts: Mapping[str, Texts]
    """The texts of each language."""
    indicators: frozenset[str]
    has_index: bool


@dataclass(frozen=True)
class Link:
    """A link to another page: its text, the page without its ending, and the language of that page."""

    text: str
    page: str
    language: str


@dataclass(frozen=True)
class Page:
    """A page before it has a format; ``body`` is Markdown without the title."""

    language: str
    name: str
    title: str
    navigation: tuple[Link, ...]
    navigation_label: str
    body: str


def sheet(facts: Facts, language: str, written: Written, ending: str, *, has_footer: bool = True) -> Page:
    """The sheet of an indicator; ``ending`` is that of the pages it links to.

    ``has_footer``: whether it ends with a note for those who edit the declarations.
    """
    texts, indicator = written.texts[language], facts.indicator

    def title_of(other: Indicator) -> str:
        title = plain(other.names.of(language))
        return link(title, f"{other.id}.{ending}") if other.id in written.indicators else title

    values = {**_values(facts, texts), "title_of": title_of, "has_footer": has_footer}
    body = _tidy(_environment().get_template("sheet.md.j2").render(values))
    navigation = _navigation(texts, indicator.id, written)
    return Page(language, indicator.id, indicator.names.of(language), navigation, texts.say("navigation.label"), body)


def section(name: str, facts: Facts, texts: Texts) -> str:
    """One section of a sheet without its heading: a block of the template, ``calculation`` or ``population``."""
    template = _environment().get_template("sheet.md.j2")
    return _tidy("".join(template.blocks[name](template.new_context(_values(facts, texts)))))


def index(all_facts: Sequence[Facts], language: str, written: Written, ending: str) -> Page:
    """The index of the sheets in a language."""
    texts = written.texts[language]

    def title_of(indicator: Indicator) -> str:
        return link(plain(indicator.names.of(language)), f"{indicator.id}.{ending}")

    values = {**_words(texts), "title_of": title_of, "sheets": [Phrases(facts, texts) for facts in all_facts]}
    body = _tidy(_environment().get_template("index.md.j2").render(values))
    navigation = _navigation(texts, INDEX, written)
    return Page(language, INDEX, texts.say("index.title"), navigation, texts.say("navigation.label"), body)


@cache
def _environment() -> Environment:
    """The templates out of the package, wherever it is installed; a name that is not given is an error."""
    folder = resources.files("claimatlas.sheets").joinpath("templates")
    return Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=False,  # noqa: S701 - Markdown: ``plain`` and ``code`` escape, and HTML in it is never passed on
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _words(texts: Texts) -> dict[str, Any]:
    """The functions with which a template writes its lines."""

    def header(section: str, *columns: str) -> str:
        return f"{row(*(texts.say(f'{section}.{column}') for column in columns))}\n{row(*['---'] * len(columns))}"

    def names(kind: str, of: Iterable[str]) -> list[str]:
        return [texts.name(kind, name) for name in of]

    return {
        **{"say": texts.say, "name": texts.name, "names": names, "number": texts.number},
        **{"and_": texts.and_, "or_": texts.or_, "has": texts.by_key.__contains__},
        **{"header": header, "row": row, "plain": plain, "code": code, "codes": lambda of: [code(name) for name in of]},
    }


def _values(facts: Facts, texts: Texts) -> dict[str, Any]:
    """The values of the template of a sheet."""
    return {
        **_words(texts),
        **{"facts": facts, "phrases": Phrases(facts, texts), "language": texts.language},
        **{"indicator": facts.indicator, "settings": facts.settings, "geography": facts.settings.geography},
        **{"SECTOR": SECTOR, "HOSPITAL": HOSPITAL},
        **{"WILSON_Z": WILSON_Z, "TREND_P": TREND_P, "TREND_YEARS": TREND_YEARS},
    }


def _tidy(text: str) -> str:
    """Several blank lines as one, none at the ends."""
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def _navigation(texts: Texts, name: str, written: Written) -> tuple[Link, ...]:
    links = []
    if written.has_index and name != INDEX:
        links.append(Link(texts.say("index.back"), INDEX, texts.language))
    for language, other in written.texts.items():
        if language != texts.language:
            links.append(Link(other.say("language.name"), f"../{language}/{name}", language))
    return tuple(links)
