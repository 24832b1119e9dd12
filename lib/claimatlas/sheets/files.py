"""The files of the sheets: which there are, and the text of each."""

from __future__ import annotations

from collections.abc import Sequence

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError
from claimatlas.sheets.facts import gather
from claimatlas.sheets.html import html
from claimatlas.sheets.markdown import blocks, link, plain
from claimatlas.sheets.pages import Page, Written, index, sheet
from claimatlas.sheets.texts import texts_for

FORMATS = ("md", "html")


def sheet_files(
    configuration: Configuration, languages: Sequence[str], formats: Sequence[str], indicators: Sequence[str] = ()
) -> dict[str, str]:
    """The text of every file by its path below the output folder, ``<language>/<name>.<format>``.

    ``indicators``: the sheets of these only, and no index; by default those of all, with an index.

    Raises:
        InputError: an indicator or a language that is not declared, or texts that are missing or wrong.
    """
    declared = {indicator.id: indicator for indicator in configuration.indicators}
    unknown = [name for name in dict.fromkeys(indicators) if name not in declared]
    if unknown:
        raise InputError(f"There is no indicator {', '.join(unknown)}; indicators/ declares {', '.join(declared)}.")
    for language in languages:
        if language not in configuration.settings.languages:
            there = ", ".join(configuration.settings.languages)
            raise InputError(f"There is no language {language!r}; the setting languages has {there}.")
    chosen = [declared[name] for name in declared if name in indicators or not indicators]
    all_facts = [gather(indicator, configuration) for indicator in chosen]
    written = Written(
        {language: texts_for(configuration, language) for language in languages},
        frozenset(indicator.id for indicator in chosen),
        has_index=not indicators,
    )
    files = {}
    for language in written.texts:
        for ending in dict.fromkeys(formats):
            pages = [sheet(facts, language, written, ending) for facts in all_facts]
            if written.has_index:
                pages.append(index(all_facts, language, written, ending))
            for page in pages:
                files[f"{language}/{page.name}.{ending}"] = html(page) if ending == "html" else _markdown(page)
    return files


def _markdown(page: Page) -> str:
    links = " · ".join(link(plain(other.text), f"{other.page}.md") for other in page.navigation)
    return blocks([f"# {plain(page.title)}", links, page.body]) + "\n"
