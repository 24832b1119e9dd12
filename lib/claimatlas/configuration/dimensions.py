"""``dimensions.yaml``: what the cells of gold are split by, beside year and place.

Gold has a column for each dimension, in the order of the file. What a member has in it comes from its age, from a
column of the population, or from its delivery. A dimension of the claim lines splits services in place of members.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, Literal

from pydantic import Field, RootModel, field_validator, model_validator

from claimatlas.configuration.codes import Entry
from claimatlas.configuration.documents import Path, is_there, read_yaml, validate
from claimatlas.configuration.former_dimensions import FORMER
from claimatlas.configuration.model import Declaration, InLanguages, KeyMistakeError, Word
from claimatlas.configuration.providers import ProviderAttribute
from claimatlas.configuration.reserved import (
    LABELS,
    OF_A_DIMENSION,
    START_OF_WORKING,
    STARTS_OF_COUNTS,
    STARTS_OF_SUMS,
    TEXTS_OF_POPULATION,
    TYPED_OF_POPULATION,
    is_label,
)
from claimatlas.configuration.services import Services
from claimatlas.configuration.settings import HOSPITAL, SECTOR, AgeCategories, AgeClass, Settings
from claimatlas.errors import InputError

Population = Literal["beneficiary_years", "deliveries"]
"""Who is counted."""

FILE = "dimensions.yaml"
AGE, OF_POPULATION, OF_DELIVERY, OF_LINES = "age", "population.", "delivery.", "claims."
"""Sources: the age; a column of the population, of the deliveries, of the claim lines: with its name behind the dot."""
SEX = f"{OF_POPULATION}sex"
DELIVERY_TYPE = f"{OF_DELIVERY}delivery_type"
"""The source whose values are the ``dimension`` of the delivery types in ``services.yaml``."""
YES, NO = "yes", "no"
"""The values of what is true or false."""
_UNKNOWN = LABELS[1]
_COLUMN = re.compile("[a-z][a-z0-9_]*")


class Dimension(Declaration):
    """One dimension, by its name: the column of gold.

    names: what it is called. source: ``age``, ``population.<column>``, ``delivery.<column>`` or
    ``claims.<attribute>``. values: each value with what it is called; those of an age are its classes, those of
    ``delivery.delivery_type`` stand in services.yaml and have their names here; those of the claim lines are written as
    a provider rule writes them, such as ``10..19``. type: of a column of the population that is true or false,
    ``boolean``. classes: age classes other than those of the settings. populations: whose members have it.
    published_names: what the values are called that ``publication.yaml`` puts in place of others.
    """

    names: InLanguages | None = None
    source: str
    type: Literal["text", "boolean"] = "text"
    values: dict[Word, InLanguages | None] = Field(default_factory=dict)
    classes: AgeCategories | None = None
    populations: tuple[Population, ...] = Field(default=("beneficiary_years", "deliveries"), min_length=1)
    published_names: dict[Word, InLanguages] = Field(default_factory=dict)

    @field_validator("values", mode="before")
    @classmethod
    def _may_have_no_names(cls, values: Any) -> Any:  # noqa: ANN401 - what stands in a file, before it is checked
        if not isinstance(values, list):
            return values
        words = [str(value) for value in values]
        if len(set(words)) != len(words):
            raise ValueError("a value stands twice")
        return dict.fromkeys(words)

    @field_validator("values")
    @classmethod
    def _can_be_told_apart(cls, values: dict[str, InLanguages | None]) -> dict[str, InLanguages | None]:
        for value in values:
            if is_label(value):
                raise KeyMistakeError((value,), f"the value {value!r} has a meaning of its own in the tables")
            # The ledger of what was published writes the values of a cell with / between.
            if not value or value != value.strip() or "/" in value or not value.isprintable():
                raise KeyMistakeError((value,), f"{value!r} cannot be a value: no / and no space at its ends")
        return values

    @model_validator(mode="after")
    def _fits(self) -> Dimension:
        has_column = self.is_of_population or self.is_of_delivery or self.is_of_lines
        if self.source != AGE and not (has_column and _COLUMN.fullmatch(self.column or "")):
            message = "a source is age, population.<column>, delivery.<column> or claims.<attribute>"
            raise KeyMistakeError(("source",), message)
        if self.source != AGE and self.classes is not None:
            raise KeyMistakeError(("classes",), "classes are those of an age")
        if len(set(self.populations)) != len(self.populations):
            raise KeyMistakeError(("populations",), "a population stands twice")
        if self.is_of_delivery and self.populations != ("deliveries",):
            raise KeyMistakeError(("populations",), "a column of the deliveries is for [deliveries]")
        if self.is_of_lines and self.populations != ("beneficiary_years",):
            raise KeyMistakeError(("populations",), "a column of the claim lines is for [beneficiary_years]")
        if self.source == AGE:
            if self.values:
                raise KeyMistakeError(("values",), "the values of an age are its classes")
        elif not self.values and self.source != DELIVERY_TYPE:
            raise KeyMistakeError(("values",), "this key is missing")
        if self.type == "boolean":
            if not self.is_of_population:
                raise KeyMistakeError(("type",), "boolean is for a column of the population")
            if set(self.values) != {YES, NO}:
                raise KeyMistakeError(("values",), f"what is true or false has the values {YES} and {NO}")
        return self

    @property
    def is_of_population(self) -> bool:
        """Whether a column of the population says it."""
        return self.source.startswith(OF_POPULATION)

    @property
    def is_of_delivery(self) -> bool:
        """Whether a column of the deliveries says it."""
        return self.source.startswith(OF_DELIVERY)

    @property
    def is_of_lines(self) -> bool:
        """Whether a column of the claim lines says it: it splits services, not members."""
        return self.source.startswith(OF_LINES)

    @property
    def column(self) -> str | None:
        """The column that it is read from; none of an age."""
        return self.source.partition(".")[2] or None


@dataclass(frozen=True)
class PopulationColumn:
    """A column of the population that a dimension is read from and no other rule: its name, and how it is parsed."""

    name: str
    type: Literal["text", "boolean"]


@dataclass(frozen=True)
class LineValue:
    """A value of a dimension of the claim lines: which one, and the names of the columns that count its services.

    entry: what the attribute must be; none of the unknown value. position: of the dimension and of the value in it: it
    keeps columns of different ids apart.
    """

    dimension: str
    value: str
    attribute: str
    entry: Entry | None
    position: str

    @property
    def is_met(self) -> str:
        """The column of a service: whether one of its lines has the value."""
        return f"{START_OF_WORKING}has_{self.position}"

    def quantity(self, service: str) -> str:
        """The column of a beneficiary: the net quantity of the services with this value."""
        return f"{START_OF_WORKING}quantity_{self.position}_{service}"

    def numerator(self, indicator: str) -> str:
        """The column of counts: the numerator of an indicator in cells of this value."""
        return f"{START_OF_WORKING}numerator_{self.position}_{indicator}"


@dataclass(frozen=True)
class Dimensions:
    """The dimensions of a configuration, in their order.

    age_categories: the age classes of the settings; delivery_classes: the values of the delivery types; attributes: the
    columns of the claims that say who provided a service.
    """

    declared: Mapping[str, Dimension]
    age_categories: AgeCategories
    delivery_classes: tuple[str, ...]
    attributes: Mapping[str, ProviderAttribute]

    @property
    def names(self) -> tuple[str, ...]:
        """Every dimension: the columns of gold, in their order."""
        return tuple(self.declared)

    def of(self, population: Population) -> tuple[str, ...]:
        """The dimensions that the members of a population have: all that it can be split by but those of lines."""
        return tuple(
            name for name, found in self.declared.items() if population in found.populations and not found.is_of_lines
        )

    @property
    def of_lines(self) -> tuple[str, ...]:
        """The dimensions that the services of beneficiaries have: columns of the claim lines."""
        return tuple(name for name, found in self.declared.items() if found.is_of_lines)

    def line_values(self, name: str) -> tuple[LineValue, ...]:
        """The values of a dimension of the claim lines in their order, the unknown one last."""
        dimension, at = self.declared[name], self.names.index(name)
        attribute = str(dimension.column)
        entries = [self.attributes[attribute].entry(value) for value in dimension.values]
        return tuple(
            LineValue(name, value, attribute, entry, f"{at}_{position}")
            for position, (value, entry) in enumerate(
                zip(self.values(name, "beneficiary_years"), [*entries, None], strict=True)
            )
        )

    def classes(self, name: str, population: Population) -> tuple[AgeClass, ...]:
        """The age classes of a dimension; none of one that is no age."""
        dimension = self.declared[name]
        if dimension.source != AGE:
            return ()
        categories = dimension.classes or self.age_categories
        return categories.deliveries if population == "deliveries" else categories.beneficiaries

    def values(self, name: str, population: Population) -> tuple[str, ...]:
        """The values that gold may have in a dimension, in their order, without ``all``."""
        dimension = self.declared[name]
        if dimension.source == AGE:
            return (*(one.label for one in self.classes(name, population)), _UNKNOWN)
        if dimension.source == DELIVERY_TYPE:
            return self.delivery_classes
        return (*dimension.values, _UNKNOWN)

    @property
    def of_delivery_type(self) -> str | None:
        """The dimension that the delivery types are; none where they are no dimension."""
        return next((name for name, one in self.declared.items() if one.source == DELIVERY_TYPE), None)

    def split(self, named: Mapping[str, str]) -> tuple[str, ...]:
        """The value of every dimension, in their order; one that is not named is summed over."""
        return tuple(named.get(name, LABELS[0]) for name in self.declared)

    @property
    def population_columns(self) -> tuple[PopulationColumn, ...]:
        """The columns that the population has for a dimension alone, each once."""
        found: dict[str, PopulationColumn] = {}
        for dimension in self.declared.values():
            if dimension.is_of_population and dimension.column and dimension.column not in TEXTS_OF_POPULATION:
                found.setdefault(dimension.column, PopulationColumn(dimension.column, dimension.type))
        return tuple(found.values())

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """For each of these columns that is text the values that a dimension declares of it."""
        found: dict[str, tuple[str, ...]] = {}
        for own in self.population_columns:
            if own.type == "text":
                of = [one.values for one in self.declared.values() if one.is_of_population and one.column == own.name]
                found[own.name] = tuple(dict.fromkeys(value for values in of for value in values))
        return found

    @property
    def meaning(self) -> list[dict[str, Any]] | None:
        """What figures depend on, without the names; nothing where it is what every configuration once had."""
        return None if _meaning(self.declared) == _meaning(_former()) else _meaning(self.declared)


def load_dimensions(folder: Traversable, settings: Settings, services: Services) -> Dimensions:
    """Read ``dimensions.yaml``; a configuration from before there was this file has the dimensions of that time.

    Raises:
        InputError: every mistake in it, with its file, line and key.
    """
    kinds = tuple(dict.fromkeys(kind.dimension for kind in services.delivery_types.values()))
    if not is_there(folder.joinpath(FILE)):
        return Dimensions(_former(), settings.age_categories, kinds, settings.provider_attributes)
    document = read_yaml(folder, FILE)
    declared = validate(_File, document).root
    dimensions = Dimensions(declared, settings.age_categories, kinds, settings.provider_attributes)
    mistakes = [f"{document.position(path)}: {said}." for path, said in _mistakes(dimensions, settings, services)]
    if mistakes:
        raise InputError("\n".join(mistakes))
    return dimensions


class _File(RootModel[dict[str, Dimension]]):
    """The file: each dimension under its name."""


def _former() -> dict[str, Dimension]:
    return {name: Dimension.model_validate(found) for name, found in FORMER.items()}


def _meaning(declared: Mapping[str, Dimension]) -> list[dict[str, Any]]:
    without = {"names", "published_names"}
    return [
        {
            "name": name,
            **found.model_dump(mode="json", by_alias=True, exclude={*without, "values"}),
            "values": [] if found.source == DELIVERY_TYPE else list(found.values),
        }
        for name, found in declared.items()
    ]


def _mistakes(dimensions: Dimensions, settings: Settings, services: Services) -> Iterator[tuple[Path, str]]:
    for name, dimension in dimensions.declared.items():
        if why := _why_not(name, dimension, settings, services):
            yield (name,), f"the name {name!r} cannot be used: {why}"
        yield from _of_source(name, dimension, dimensions, services)
        yield from _of_texts(name, dimension, settings)


def _why_not(name: str, dimension: Dimension, settings: Settings, services: Services) -> str | None:
    """Why a dimension cannot be called so; two columns of one name end a run, or one takes the place of the other."""
    if not _COLUMN.fullmatch(name):
        return "use lower-case letters, digits and _"
    if name in {*settings.geography.levels, SECTOR, HOSPITAL}:
        return "a level of place is called so"
    if name in services.delivery_flags:
        return "a delivery flag is called so"
    # What it is read from may have its name: the dimension then stands in its place.
    if name in OF_A_DIMENSION and (dimension.is_of_lines or name != dimension.column):
        return "a table has a column, or the run record a count, called so"
    if name.startswith((*STARTS_OF_COUNTS, *STARTS_OF_SUMS, START_OF_WORKING)):
        return "columns of the computation begin so"
    return None


def _of_source(
    name: str, dimension: Dimension, dimensions: Dimensions, services: Services
) -> Iterator[tuple[Path, str]]:
    column = dimension.column or ""
    if dimension.is_of_delivery:
        if dimension.source == DELIVERY_TYPE:
            if name != dimensions.of_delivery_type:
                yield (name, "source"), f"{dimensions.of_delivery_type} has this source"
            there = ", ".join(dimensions.delivery_classes)
            for value in set(dimension.values) - set(dimensions.delivery_classes):
                yield (name, "values", value), f"the delivery types of services.yaml have the classes {there}"
        elif column not in services.delivery_flags:
            there = ", ".join(("delivery_type", *services.delivery_flags))
            yield (name, "source"), f"the deliveries have no column {column!r} to split by; there are {there}"
        elif set(dimension.values) != {YES, NO}:
            yield (name, "values"), f"a delivery flag has the values {YES} and {NO}"
    elif dimension.is_of_lines:
        yield from _of_attribute(name, dimension, dimensions)
    elif dimension.is_of_population:
        if column in TYPED_OF_POPULATION:
            yield (name, "source"), f"{column} is no column to split by"
        elif column in TEXTS_OF_POPULATION and dimension.type != "text":
            yield (name, "type"), f"{column} is text"
        elif column.startswith((*STARTS_OF_SUMS, *STARTS_OF_COUNTS, "municipality_")):
            yield (name, "source"), f"{column!r} cannot name a column: columns of the computation begin so"
        elif any(own.name == column and own.type != dimension.type for own in dimensions.population_columns):
            yield (name, "type"), f"another dimension reads {column} as something else"


def _of_attribute(name: str, dimension: Dimension, dimensions: Dimensions) -> Iterator[tuple[Path, str]]:
    attribute = dimensions.attributes.get(dimension.column or "")
    if attribute is None:
        there = ", ".join(dimensions.attributes) or "none"
        yield (name, "source"), f"provider_attributes of settings.yaml has no {dimension.column!r}; there are {there}"
        return
    for value in dimension.values:
        try:
            attribute.entry(value)
        except ValueError as error:
            yield (name, "values", value), str(error)


def _of_texts(name: str, dimension: Dimension, settings: Settings) -> Iterator[tuple[Path, str]]:
    texts: list[tuple[Path, InLanguages | None]] = [((name, "names"), dimension.names)]
    texts += [((name, "values", value), found) for value, found in dimension.values.items()]
    texts += [((name, "published_names", value), found) for value, found in dimension.published_names.items()]
    for path, found in texts:
        by_language = found.by_language if found is not None else dict.fromkeys(settings.languages)
        for language in settings.languages:
            if language not in by_language:
                yield (*path, language), "this key is missing"
