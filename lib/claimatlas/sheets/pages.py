"""The pages: the sheet of an indicator, and the index of a language; each as Markdown with its links."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from claimatlas.configuration.settings import SECTOR
from claimatlas.sheets import counting, places, publishing
from claimatlas.sheets.choices import choices
from claimatlas.sheets.facts import Facts
from claimatlas.sheets.lists import code_lists
from claimatlas.sheets.markdown import blocks, bullets, code, link, plain, table
from claimatlas.sheets.texts import Texts

INDEX = "index"

Section = Callable[[Facts, Texts], str]


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


def sheet(facts: Facts, language: str, written: Written, ending: str) -> Page:
    """The sheet of an indicator; ``ending`` is that of the pages it links to."""
    texts = written.texts[language]
    indicator = facts.indicator

    def related(facts: Facts, texts: Texts) -> str:
        return _related(facts, texts, written, ending)

    sections: dict[str, Section] = {
        "description": lambda facts, texts: plain(facts.indicator.description.of(texts.language)),
        "brief": _brief,
        "calculation": counting.calculation,
        "population": counting.population,
        "deliveries": counting.deliveries,
        "services": counting.services,
        "stay": counting.stay,
        "corrections": counting.corrections,
        "domicile": places.domicile,
        "hospital": places.hospital,
        "dimensions": publishing.dimensions,
        "levels": places.levels,
        "availability": publishing.availability,
        "uncertainty": publishing.uncertainty,
        "choices": choices,
        "lists": code_lists,
        "related": related,
        "source": _source,
    }
    parts = [_warning(facts, texts)]
    for name, section in sections.items():
        text = section(facts, texts)
        if text:
            title = "choices_of_its_own" if name == "choices" and not indicator.source_page else name
            parts += [f"## {texts.say(f'section.{title}')}", text]
    parts += ["---", texts.say("footer")]
    return Page(
        language,
        indicator.id,
        indicator.names.of(language),
        _navigation(texts, indicator.id, written),
        texts.say("navigation.label"),
        blocks(parts),
    )


def index(all_facts: Sequence[Facts], language: str, written: Written, ending: str) -> Page:
    """The index of the sheets in a language."""
    texts = written.texts[language]
    header = [texts.say(f"index.{column}") for column in ("indicator", "title_column", "unit", "level", "status")]
    rows = [
        [
            code(facts.indicator.id),
            link(_title(facts, language), f"{facts.indicator.id}.{ending}"),
            counting.unit(facts, texts),
            _smallest_level(facts, texts),
            _computable(facts, texts),
        ]
        for facts in all_facts
    ]
    body = blocks([texts.say("index.intro"), table(header, rows)])
    navigation = _navigation(texts, INDEX, written)
    return Page(language, INDEX, texts.say("index.title"), navigation, texts.say("navigation.label"), body)


def _navigation(texts: Texts, name: str, written: Written) -> tuple[Link, ...]:
    links = []
    if written.has_index and name != INDEX:
        links.append(Link(texts.say("index.back"), INDEX, texts.language))
    for language, other in written.texts.items():
        if language != texts.language:
            links.append(Link(other.say("language.name"), f"../{language}/{name}", language))
    return tuple(links)


def _title(facts: Facts, language: str) -> str:
    return plain(facts.indicator.names.of(language))


def _warning(facts: Facts, texts: Texts) -> str:
    if not facts.missing:
        return ""
    return f"> {texts.say('warning', lists=texts.or_([code(name) for name in facts.missing]))}"


def _brief(facts: Facts, texts: Texts) -> str:
    indicator = facts.indicator
    rows = {
        "id": code(indicator.id),
        "unit": counting.unit(facts, texts),
        "population": counting.members(facts, texts),
        "dimensions": ", ".join(texts.name("dimension", name) for name in indicator.dimensions)
        or texts.say("brief.none"),
        "smallest_level": _smallest_level(facts, texts),
        "first_year": str(facts.first_year),
        "observed_until": counting.end_of_observation(facts, texts),
        "computable": _computable(facts, texts),
    }
    if indicator.source_page:
        rows["source_page"] = code(indicator.source_page)
    header = [texts.say("brief.item"), texts.say("brief.content")]
    return table(header, [[texts.say(f"brief.{name}"), value] for name, value in rows.items()])


def _smallest_level(facts: Facts, texts: Texts) -> str:
    level = texts.name("level", facts.smallest_level)
    if facts.smallest_level != SECTOR:
        return level
    return texts.say("brief.sector_from", level=level, year=facts.settings.geography.sector_first_year)


def _computable(facts: Facts, texts: Texts) -> str:
    if facts.missing:
        return texts.say("brief.no", lists=", ".join(map(code, facts.missing)))
    return texts.say("brief.with_stays" if facts.indicator.needs_stays else "brief.yes")


def _related(facts: Facts, texts: Texts, written: Written, ending: str) -> str:
    if not facts.related:
        return texts.say("related.none")
    items = []
    for other in facts.related:
        title = plain(other.names.of(texts.language))
        linked = link(title, f"{other.id}.{ending}") if other.id in written.indicators else title
        items.append(texts.say("related.item", title=linked, id=code(other.id)))
    return bullets(items)


def _source(facts: Facts, texts: Texts) -> str:
    page = facts.indicator.source_page
    if not page:
        return ""
    known = f"source.known.{page}" in texts.by_key
    said = (
        texts.say("source.known_page", page=code(page), meaning=texts.say(f"source.known.{page}"))
        if known
        else texts.say("source.page", page=code(page))
    )
    return blocks([said, texts.say("source.own_words")])
