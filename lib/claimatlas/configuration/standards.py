"""Standard populations: ``standards/<name>.yaml``, the weights of directly standardised rates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import Annotated, Any

from pydantic import Field, model_validator

from claimatlas.configuration.dimensions import Dimensions, Population
from claimatlas.configuration.documents import Document, Path, is_there, read_yaml, validate
from claimatlas.configuration.model import Declaration, InLanguages, KeyMistakeError, Word
from claimatlas.configuration.reserved import LABELS
from claimatlas.errors import InputError

FOLDER = "standards"
_UNKNOWN = LABELS[1]
_NAME = re.compile("[a-z][a-z0-9_]*")

Weight = Annotated[float, Field(strict=True, ge=0, le=1e12, allow_inf_nan=False)]


class Standard(Declaration):
    """One standard population, by the name of its file.

    names: what it is called. source: where the weights come from; the methodology sheet quotes it. dimension: the
    dimension whose values are the strata. weights: how much each value of it weighs, as people or as shares. A stratum
    without weight counts for nothing.
    """

    names: InLanguages
    source: str = Field(min_length=1)
    dimension: str
    weights: dict[Word, Weight] = Field(min_length=1)

    @model_validator(mode="after")
    def _weighs_something(self) -> Standard:
        if not self.strata:
            raise KeyMistakeError(("weights",), "one weight at least must be above 0")
        return self

    @property
    def strata(self) -> dict[str, float]:
        """The strata that count, each with its weight."""
        return {value: weight for value, weight in self.weights.items() if weight > 0}

    @property
    def meaning(self) -> dict[str, Any]:
        """What figures depend on."""
        return {"dimension": self.dimension, "weights": self.weights}


def standard_files(folder: Traversable) -> tuple[str, ...]:
    """The files of the standard populations, below the configuration folder; a configuration may have none."""
    if not is_there(folder.joinpath(FOLDER), folder=True):
        return ()
    files = (file.name for file in folder.joinpath(FOLDER).iterdir())
    return tuple(sorted(f"{FOLDER}/{name}" for name in files if name.endswith(".yaml")))


def load_standards(folder: Traversable, languages: Sequence[str], dimensions: Dimensions) -> dict[str, Standard]:
    """Read every standard population, by its name.

    Raises:
        InputError: every mistake, with its file, line and key.
    """
    found, mistakes = {}, []
    for file in standard_files(folder):
        document = read_yaml(folder, file)
        standard = validate(Standard, document)
        name = file.removeprefix(f"{FOLDER}/").removesuffix(".yaml")
        if not _NAME.fullmatch(name):
            mistakes.append(f"{file}: the file's name must be lower-case letters, digits and _.")
        mistakes += [
            f"{document.position(('names', language))}: this key is missing."
            for language in languages
            if language not in standard.names.by_language
        ]
        mistakes += _mistakes(standard, document, dimensions)
        found[name] = standard
    if mistakes:
        raise InputError("\n".join(mistakes))
    return found


def _mistakes(standard: Standard, document: Document, dimensions: Dimensions) -> Iterator[str]:
    where = document.position(("dimension",))
    declared = dimensions.declared.get(standard.dimension)
    if declared is None:
        there = ", ".join(dimensions.names) or "none"
        yield f"{where}: dimensions.yaml has no {standard.dimension!r}; there are {there}."
    elif declared.is_of_lines:
        yield f"{where}: {standard.dimension} is a column of the claim lines: nobody is in one stratum of it."
    else:
        # The classes of an age may be others for deliveries: the weights must be those of one population.
        by_population = [list(misfits(standard, population, dimensions)) for population in declared.populations]
        for path, said in min(by_population, key=len):
            yield f"{document.position(path)}: {said}."


def misfits(standard: Standard, population: Population, dimensions: Dimensions) -> Iterator[tuple[Path, str]]:
    """Where the weights are not those of just the values of a population, each with its key below the file."""
    values = [value for value in dimensions.values(standard.dimension, population) if value != _UNKNOWN]
    of = f"{standard.dimension} of the population {population}"
    for value in values:
        if value not in standard.weights:
            yield ("weights",), f"the value {value!r} of {of} has no weight"
    for value in standard.weights:
        if value not in values:
            yield ("weights", value), f"{of} has no value {value!r}; it has {', '.join(values)}"


def used_standards(names: Sequence[str | None], standards: Mapping[str, Standard]) -> dict[str, Standard]:
    """The standard populations among ``names``, in the order of their names."""
    return {name: standard for name, standard in sorted(standards.items()) if name in names}
