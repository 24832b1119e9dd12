"""The names of declared groups, flags and services in each language: ``sheets/names.yaml``. No run reads it."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping

from claimatlas.configuration import Configuration
from claimatlas.configuration.documents import Document, is_there, read_yaml
from claimatlas.configuration.settings import HOSPITAL, SECTOR
from claimatlas.errors import InputError
from claimatlas.sheets.markdown import plain

FOLDER = "sheets"
FILE = f"{FOLDER}/names.yaml"

_KEYS = {"source": "source.known", "choice": "choices.lists"}
"""The kinds whose texts have another key than the kind's name."""
_PLACEHOLDERS: Mapping[str, frozenset[str]] = {"choice": frozenset({"group"})}
"""The kinds whose texts have placeholders."""


def load_names(configuration: Configuration) -> dict[str, dict[str, str]]:
    """The texts of ``sheets/names.yaml`` and ``dimensions.yaml`` by language of the settings and dotted key.

    Each is plain text: what would be Markdown in it is shown as it is. Without a file there are none of it.

    Raises:
        InputError: every mistake in it, with its line and key.
    """
    languages = configuration.settings.languages
    texts: dict[str, dict[str, str]] = {language: _of_dimensions(configuration, language) for language in languages}
    if not is_there(configuration.folder.joinpath(*FILE.split("/"))):
        return texts
    document = read_yaml(configuration.folder, FILE)
    mistakes = list(_mistakes(document, configuration))
    if mistakes:
        raise InputError("\n".join(mistakes))
    for kind, named in document.data.items():
        for name, by_language in named.items():
            for language in languages:
                texts[language][f"{_KEYS.get(kind, kind)}.{name}"] = plain(by_language[language])
    return texts


def _of_dimensions(configuration: Configuration, language: str) -> dict[str, str]:
    """What the dimensions and their values are called: ``dimension.<name>`` and ``value.<name>.<value>``."""
    texts: dict[str, str] = {}
    for name, dimension in configuration.dimensions.declared.items():
        if dimension.names is not None:
            texts[f"dimension.{name}"] = plain(dimension.names.of(language))
        for value, names in (*dimension.values.items(), *dimension.published_names.items()):
            # A value without a name is shown as it is, and so is an age class.
            texts[f"value.{name}.{value}"] = plain(names.of(language) if names is not None else value)
    return texts


def _mistakes(document: Document, configuration: Configuration) -> Iterator[str]:
    declared = _declared(configuration)
    for kind, named in document.data.items():
        if kind not in declared:
            yield f"{document.position((kind,))}: unknown key; there are {', '.join(declared)}."
            continue
        if not isinstance(named, dict):
            yield f"{document.position((kind,))}: expected names with a text for each language."
            continue
        for name, by_language in named.items():
            if name not in declared[kind]:
                yield f"{document.position((kind, name))}: the configuration declares no such {kind}."
            if isinstance(by_language, dict):
                yield from _mistakes_of_texts(document, (kind, name), by_language, configuration.settings.languages)
            else:
                yield f"{document.position((kind, name))}: expected a text for each language."


def _mistakes_of_texts(
    document: Document, path: tuple[str, str], by_language: Mapping[str, object], languages: tuple[str, ...]
) -> Iterator[str]:
    for language in languages:
        text = by_language.get(language)
        where = document.position((*path, language))
        if not isinstance(text, str) or not text.strip():
            yield f"{where}: {'this key is missing' if text is None else 'expected a text'}."
        elif (found := placeholders_in(text)) is None or not found <= _PLACEHOLDERS.get(path[0], frozenset()):
            yield f"{where}: braces {{}} are for the placeholders that this kind of text has."


def placeholders_in(text: str) -> set[str] | None:
    """The named placeholders of a text; ``None`` when its braces cannot be read."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        return None


def _declared(configuration: Configuration) -> dict[str, set[str]]:
    """The names of each kind that the configuration declares."""
    services = configuration.services
    return {
        "level": {*configuration.settings.geography.levels, SECTOR, HOSPITAL},
        "delivery_type": set(services.delivery_types),
        "group": set(services.contact_groups),
        "group_with": set(services.contact_groups),
        "provider": set(configuration.settings.provider_attributes),
        "flag": set(services.delivery_flags),
        "service": set(services.beneficiary_services),
        "list_title": set(configuration.code_lists),
        "source": {indicator.source_page for indicator in configuration.indicators},
        "choice": {name for group in services.contact_groups.values() for name in group.code_lists_by_setting},
    }
