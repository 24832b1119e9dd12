"""``synthetic/weights.yaml``: how often things are in the invented claims of ``generate``. No run reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from claimatlas.configuration.codelists import CodeListRow
from claimatlas.configuration.codes import Code, Codes
from claimatlas.configuration.documents import Path, is_there, read_yaml, validate
from claimatlas.configuration.load import Configuration
from claimatlas.configuration.model import Declaration, Share, Whole, Word
from claimatlas.errors import InputError

FILE = "synthetic/weights.yaml"
UNKNOWN = ""
"""Named as a value: nothing is given."""


def _some(weights: Mapping[object, float]) -> Mapping[object, float]:
    if not any(weights.values()):
        raise ValueError("give at least one weight above 0")
    return weights


def _from_birth(by_age: dict[int, float]) -> dict[int, float]:
    """Classes of ages by the first age of each."""
    if 0 not in by_age or list(by_age) != sorted(by_age) or max(by_age) > 100:
        raise ValueError("give the first age of each class in order, the first one 0 and the last at most 100")
    return by_age


Weight = Annotated[float, Field(ge=0, le=1e9)]
Weights = Annotated[dict[Word, Weight], AfterValidator(_some)]
Rate = Annotated[float, Field(ge=0, le=1000)]
ByAge = Annotated[dict[int, Rate], AfterValidator(_from_birth)]
Part = Annotated[Share, Field(ge=0, le=1)]


class People(Declaration):
    """Who is insured.

    ages: by the first age of a class, how many people are in it in the first year; the last class is of ten years.
    places: by code of the smallest level; left out, all alike. columns: the values of a column that a dimension reads,
    ``""`` for none. move, leave: share of people who move in a year, or are not insured for a part of one.
    """

    ages: Annotated[dict[int, Weight], AfterValidator(_some), AfterValidator(_from_birth)]
    sexes: Annotated[dict[Literal["female", "male"], Weight], AfterValidator(_some)]
    places: Weights | None = None
    columns: dict[str, Weights] = Field(default_factory=dict)
    move: Part = 0.0
    leave: Part = 0.0


class Deliveries(Declaration):
    """Who delivers: so many of a thousand women by first age of a class, and as which type.

    billed_again: share of deliveries that have a second line some days later, within the gap of an episode.
    """

    per_1000_women: ByAge
    types: Weights
    billed_again: Part = 0.0


class AroundDelivery(Declaration):
    """With what share of deliveries a service is given, ``repeats`` times, each on a day of these relative to it."""

    share: Part
    first_day: Whole
    last_day: Whole
    repeats: Whole = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _in_order(self) -> AroundDelivery:
        if self.last_day < self.first_day:
            raise ValueError("last_day is before first_day")
        return self


class WeightedService(Declaration):
    """A service: a code of a list, by a provider, so often a year (by first age of a class) or around deliveries."""

    code_list: str
    provider: str | None = None
    per_person_year: ByAge | None = None
    around_delivery: AroundDelivery | None = None

    @model_validator(mode="after")
    def _is_given_once(self) -> WeightedService:
        if (self.per_person_year is None) == (self.around_delivery is None):
            raise ValueError("give either per_person_year or around_delivery")
        return self


class SyntheticWeights(Declaration):
    """``synthetic/weights.yaml``.

    providers: by a name, for each declared attribute its values, ``""`` for none. codes: for a list which codes are
    drawn; a list that is not here has all of its codes, alike. taken_back: share of services, but for deliveries, that
    a negative line takes back.
    """

    people: People
    deliveries: Deliveries | None = None
    services: tuple[WeightedService, ...] = ()
    providers: dict[str, dict[str, Weights]] = Field(default_factory=dict)
    codes: dict[str, Weights] = Field(default_factory=dict)
    taken_back: Part = 0.0


@dataclass(frozen=True)
class DrawnCode:
    """A code to draw, on the days on which a row of its list has it; ``system``: its code system, where there are."""

    code: Code
    system: str | None
    weight: float
    valid_from: date | None
    valid_to: date | None

    def is_valid(self, day: date) -> bool:
        """Whether the list has the code on a day."""
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


def has_weights(folder: Traversable) -> bool:
    """Whether a configuration has the file."""
    return is_there(folder.joinpath(*FILE.split("/")))


def load_weights(configuration: Configuration) -> SyntheticWeights:
    """Read the file, and check that it fits what the configuration declares.

    Raises:
        InputError: every mistake, with its line and key.
    """
    document = read_yaml(configuration.folder, FILE)
    weights = validate(SyntheticWeights, document)
    if mistakes := [
        f"{document.position(path)}: {said}." for find in _CHECKS for path, said in find(weights, configuration)
    ]:
        raise InputError("\n".join(mistakes))
    for name in lists_of(weights, configuration):
        drawn_codes(weights, configuration, name)
    return weights


def drawn_codes(weights: SyntheticWeights, configuration: Configuration, name: str) -> tuple[DrawnCode, ...]:
    """The codes of a list that are drawn.

    Raises:
        InputError: there are none, a code is not of the list, or a row names many codes and none of them is named.
    """
    code_list, codes = configuration.code_lists[name], configuration.settings.codes
    found: list[DrawnCode] = []
    if name in weights.codes:
        for text, weight in weights.codes[name].items():
            of_list = [pair for row in code_list.rows if (pair := _met(row, text, codes))]
            if not of_list:
                raise InputError(f"{FILE}: codes.{name}: {code_list.file} has no {text[:40]!r}.")
            found += [_drawn(row, code, weight) for row, code in of_list]
    else:
        for row in code_list.rows:
            if row.match != "exact":
                raise InputError(
                    f"{code_list.file}, line {row.line}: {row.written} names many codes: say in {FILE}, under "
                    f"codes.{name}, which of them are drawn."
                )
            found.append(_drawn(row, row.code, 1))
    if not any(one.weight for one in found):
        raise InputError(f"{FILE}: {code_list.file} has no code to draw.")
    return tuple(found)


def _drawn(row: CodeListRow, code: Code, weight: float) -> DrawnCode:
    return DrawnCode(code, row.system, weight, row.valid_from, row.valid_to)


def _met(row: CodeListRow, text: str, codes: Codes) -> tuple[CodeListRow, Code] | None:
    """The row with the code that a text is, if the row names it."""
    try:
        entry = codes.entry(text, row.system)
    except ValueError:
        return None
    return (row, entry.code) if entry.match == "exact" and row.entry.names(entry.code) else None


Mistakes = Iterator[tuple[Path, str]]


def _check_people(weights: SyntheticWeights, configuration: Configuration) -> Mistakes:
    declared = {column.name: column.type for column in configuration.dimensions.population_columns}
    given = weights.people.columns
    for name in declared:
        if name not in given:
            yield ("people", "columns"), f"a dimension reads the column {name}: say how often it has each value"
    for name, values in given.items():
        if name not in declared:
            yield ("people", "columns", name), "no dimension reads such a column"
        elif declared[name] == "boolean" and set(values) - {"yes", "no", UNKNOWN}:
            yield ("people", "columns", name), 'the values are "yes", "no" and "" for none'
    for code in weights.people.places or ():
        if code not in configuration.geography.places:
            yield ("people", "places", code), "geography/municipalities.csv has no such place"


def _check_providers(weights: SyntheticWeights, configuration: Configuration) -> Mistakes:
    attributes = configuration.settings.provider_attributes
    for provider, given in weights.providers.items():
        for name, values in given.items():
            path: Path = ("providers", provider, name)
            if name not in attributes:
                yield path, f"settings.yaml declares no such attribute; there are: {', '.join(attributes) or 'none'}"
                continue
            for value in values:
                try:
                    is_one = value == UNKNOWN or attributes[name].entry(value).match == "exact"
                except ValueError as error:
                    yield (*path, value), str(error)
                else:
                    if not is_one:
                        yield (*path, value), "name one value: a claim line has one"


def _check_services(weights: SyntheticWeights, configuration: Configuration) -> Mistakes:
    of_deliveries = {kind.code_list for kind in configuration.services.delivery_types.values()}
    for number, service in enumerate(weights.services):
        path: Path = ("services", number)
        if service.code_list not in configuration.code_lists:
            yield (*path, "code_list"), f"there is no code list {service.code_list!r} in codelists/"
        elif service.code_list in of_deliveries:
            yield (*path, "code_list"), "deliveries are drawn by the key deliveries"
        if service.provider is not None and service.provider not in weights.providers:
            yield (*path, "provider"), f"there is no provider {service.provider!r} under providers"
        if service.around_delivery is not None and weights.deliveries is None:
            yield (*path, "around_delivery"), "there are no deliveries: give the key deliveries"
    for name in weights.codes:
        if name not in configuration.code_lists:
            yield ("codes", name), f"there is no code list {name!r} in codelists/"
    for kind in weights.deliveries.types if weights.deliveries else ():
        if kind not in configuration.services.delivery_types:
            there = ", ".join(configuration.services.delivery_types)
            yield ("deliveries", "types", kind), f"services.yaml has no such delivery type; there are: {there}"


_CHECKS: tuple[Callable[[SyntheticWeights, Configuration], Mistakes], ...] = (
    _check_people,
    _check_providers,
    _check_services,
)


def lists_of(weights: SyntheticWeights, configuration: Configuration) -> tuple[str, ...]:
    """The code lists that codes are drawn of, each once."""
    types = configuration.services.delivery_types
    of_deliveries = [types[kind].code_list for kind in (weights.deliveries.types if weights.deliveries else ())]
    return tuple(dict.fromkeys([*of_deliveries, *(service.code_list for service in weights.services)]))
