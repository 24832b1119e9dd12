"""``atlas.yaml``: owner, title and look of the atlas. Only ``publish`` reads it."""

from __future__ import annotations

from datetime import date
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from claimatlas.configuration.documents import Document, is_there, read_yaml, validate
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.load import Configuration
from claimatlas.configuration.model import Declaration, Whole
from claimatlas.errors import InputError

FILE = "atlas.yaml"
ALL_INDICATORS = "all"
CLASSES = 7
"""The most classes of a map."""

_LOGOS = (".png", ".svg")


def _address(text: str) -> str:
    """An address that a page may link to: no script, no file of a machine."""
    if not text.startswith(("https://", "http://", "mailto:")):
        raise ValueError("an address starts with https://, http:// or mailto:")
    return text


Address = Annotated[str, AfterValidator(_address)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
ByLanguage = dict[str, str]


class Licence(Declaration):
    """The licence of the figures: its name, and where its text is."""

    name: str
    url: Address


class Colours(Declaration):
    """The accent, and the classes of a map from the lowest to the highest, on light and on dark paper."""

    accent: Colour
    accent_dark: Colour
    classes: tuple[Colour, ...] = Field(min_length=CLASSES, max_length=CLASSES)
    classes_dark: tuple[Colour, ...] = Field(min_length=CLASSES, max_length=CLASSES)


class Outlines(Declaration):
    """Outlines of places: a GeoJSON file of the configuration, the property with the code, the level of the codes."""

    file: str
    code: str
    level: str


class Update(Declaration):
    """When the figures of a year come: the quarter of a year so many years after it."""

    quarter: Literal[1, 2, 3, 4]
    years_after: Whole = Field(ge=0)


class Theme(Declaration):
    """Indicators that are shown together on the first page, with search words."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    names: ByLanguage
    keywords: dict[str, tuple[str, ...]]
    indicators: tuple[str, ...] = Field(min_length=1)


class SourceVariable(Declaration):
    """A variable of the source, and the indicators that are made from it."""

    name: str
    label: ByLanguage
    indicators: tuple[str, ...] = Field(min_length=1)


class AtlasSettings(Declaration):
    """``atlas.yaml``: see the comments there for what each key does."""

    owner: ByLanguage
    title: ByLanguage
    subtitle: ByLanguage
    logo: str | None
    contact: Address
    base_url: Address | None
    licence: Licence
    attribution: str
    locales: dict[str, str] = Field(min_length=1)
    place_names: dict[str, dict[str, str]] = Field(default_factory=dict)
    local_languages: dict[str, str] = Field(default_factory=dict)
    dropped_from_names: tuple[str, ...] = ()
    colours: Colours
    outlines: Outlines | None
    update: Update
    method_changed: dict[str, date]
    themes: tuple[Theme, ...] = ()
    source_variables: tuple[SourceVariable, ...] = ()

    @model_validator(mode="after")
    def _every_language_has_its_texts(self) -> AtlasSettings:
        texts = {"owner": self.owner, "title": self.title, "subtitle": self.subtitle}
        texts |= {f"themes: {theme.id}": theme.names for theme in self.themes}
        texts |= {f"source_variables: {variable.name}": variable.label for variable in self.source_variables}
        for key, by_language in texts.items():
            for language in self.locales:
                if language not in by_language:
                    raise ValueError(f"{key}: there is no text in {language}, a language of locales")
        if ALL_INDICATORS not in self.method_changed:
            raise ValueError(f"method_changed: give a date for {ALL_INDICATORS}")
        if self.logo is not None and not self.logo.endswith(_LOGOS):
            raise ValueError(f"logo: a file that ends with {' or '.join(_LOGOS)}")
        return self

    def theme_of(self, indicator: str) -> Theme | None:
        """The theme that an indicator belongs to."""
        return next((theme for theme in self.themes if indicator in theme.indicators), None)

    def variables_of(self, indicator: str) -> tuple[SourceVariable, ...]:
        """The variables of the source that an indicator is made from."""
        return tuple(variable for variable in self.source_variables if indicator in variable.indicators)

    def method_changed_on(self, indicator: str) -> date:
        """When the definition of an indicator last changed."""
        return self.method_changed.get(indicator, self.method_changed[ALL_INDICATORS])

    def by_theme(self, indicators: tuple[Indicator, ...]) -> list[tuple[Theme | None, list[Indicator]]]:
        """The indicators in the order of the themes; those without one last."""
        known = {indicator.id: indicator for indicator in indicators}
        found: list[tuple[Theme | None, list[Indicator]]] = []
        for theme in self.themes:
            if inside := [known.pop(name) for name in theme.indicators if name in known]:
                found.append((theme, inside))
        return [*found, (None, list(known.values()))] if known else found


def load_atlas(configuration: Configuration) -> AtlasSettings:
    """Read ``atlas.yaml`` of the configuration's folder, and check that it fits what is declared there.

    Raises:
        InputError: there is none, or every mistake in it with its line and key.
    """
    document = read_yaml(configuration.folder, FILE)
    settings = validate(AtlasSettings, document)
    _check_indicators(settings, document, configuration)
    for key, name in (("logo", settings.logo), ("outlines", settings.outlines.file if settings.outlines else None)):
        if name is not None and not is_there(file_of(configuration.folder, name)):
            raise InputError(f"{document.position((key,))}: the configuration folder has no file {name}.")
    if settings.outlines and settings.outlines.level not in configuration.settings.geography.levels:
        raise InputError(f"{document.position(('outlines', 'level'))}: settings.yaml has no such level.")
    return settings


def file_of(folder: Traversable, name: str) -> Traversable:
    """A file of the configuration folder by its name there."""
    return folder.joinpath(*name.split("/"))


def _check_indicators(settings: AtlasSettings, document: Document, configuration: Configuration) -> None:
    declared = {indicator.id for indicator in configuration.indicators}
    lists: list[tuple[tuple[str | int, ...], tuple[str, ...]]] = [
        (("method_changed",), tuple(name for name in settings.method_changed if name != ALL_INDICATORS))
    ]
    lists += [(("themes", position, "indicators"), theme.indicators) for position, theme in enumerate(settings.themes)]
    for position, variable in enumerate(settings.source_variables):
        lists.append((("source_variables", position, "indicators"), variable.indicators))
    for path, names in lists:
        for name in names:
            if name not in declared:
                raise InputError(f"{document.position(path)}: indicators/ declares no {name!r}.")
