"""Check a whole configuration folder, every file of it: a run would stop at the first wrong one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import ParamSpec, TypeVar

from claimatlas.configuration.codelists import CodeList, code_list_names, find_empty, find_mistakes, load_code_list
from claimatlas.configuration.codes import ANY_CODE
from claimatlas.configuration.dimensions import Dimensions, load_dimensions
from claimatlas.configuration.documents import is_there, read_csv, read_yaml, validate
from claimatlas.configuration.geography import Geography, load_geography
from claimatlas.configuration.hospitals import load_hospitals
from claimatlas.configuration.indicators import Declared, Indicator, indicator_files, load_indicator, load_indicators
from claimatlas.configuration.load import (
    Configuration,
    configuration_folder,
    find_mapping,
    load_configuration,
    load_services,
    load_settings,
)
from claimatlas.configuration.mappings import load_mapping, mapping_names
from claimatlas.configuration.model import Declaration
from claimatlas.configuration.publication import FILE as PUBLICATION
from claimatlas.configuration.publication import Publication, load_publication
from claimatlas.configuration.reserved import NAME_OF_PLACE, YEARS_OF_PLACES
from claimatlas.configuration.settings import Settings
from claimatlas.configuration.standards import Standard, load_standards, standard_files
from claimatlas.configuration.weights import FILE as WEIGHTS
from claimatlas.configuration.weights import SyntheticWeights, has_weights, load_weights
from claimatlas.errors import InputError

Arguments = ParamSpec("Arguments")
Loaded = TypeVar("Loaded")

_PLACE_FILES = {
    "geography/names.csv": (("level", "code", *YEARS_OF_PLACES), YEARS_OF_PLACES),
    "geography/tiles.csv": (("level", "code", "column", "row"), ("column", "row")),
}
"""The files of places that a configuration may have: their columns, and which of these hold whole numbers."""


@dataclass(frozen=True)
class Verdict:
    """The result of a check: what a configuration holds, and its mistakes.

    mistakes: each with its file and, where there is one, its line and key; a run refuses them, or would count wrongly.
    notes: what a run accepts, but a reader should know. found: what there is, a sentence each. configuration: as a run
    loads it; nothing when a run would refuse it.
    """

    mistakes: tuple[str, ...]
    notes: tuple[str, ...]
    found: tuple[str, ...]
    configuration: Configuration | None


@dataclass
class _Parts:
    """The parts that could be loaded, and the mistakes of the others."""

    mistakes: list[str] = field(default_factory=list)

    def load(
        self, loader: Callable[Arguments, Loaded], *given: Arguments.args, **named: Arguments.kwargs
    ) -> Loaded | None:
        """The result of ``loader``; ``None`` if it refuses, and its mistakes are kept."""
        try:
            return loader(*given, **named)
        except InputError as error:
            self.mistakes += [line for line in str(error).splitlines() if line not in self.mistakes]
            return None


def judge(conf: str | None, overrides: Sequence[str] = (), mapping: str | None = None) -> Verdict:
    """Judge a configuration folder (the shipped one by default), without Spark.

    ``overrides``: ``NAME=VALUE`` assignments over the settings. ``mapping``: the path of a mapping beside the folder.

    Raises:
        InputError: there is no such folder, or it is a URI, which only Spark reaches.
    """
    folder = configuration_folder(conf)
    parts = _Parts()
    settings = parts.load(load_settings, folder, overrides)
    names = code_list_names(folder)
    languages = settings.languages if settings else ()
    codes = settings.codes if settings else ANY_CODE
    loaded = {name: parts.load(load_code_list, folder, name, languages, codes) for name in names}
    lists = {name: found for name, found in loaded.items() if found is not None}
    parts.mistakes += find_mistakes(lists, codes)
    for name in mapping_names(folder):
        parts.load(load_mapping, folder, name)
    if mapping is not None:
        parts.load(find_mapping, folder, mapping)
    services = None if settings is None else parts.load(load_services, folder, settings, names)
    declared = None
    if settings is not None and services is not None:
        dimensions = parts.load(load_dimensions, folder, settings, services)
        standards = None if dimensions is None else parts.load(load_standards, folder, languages, dimensions)
        if dimensions is not None and standards is not None:
            declared = Declared(settings, services, dimensions, standards)
    if declared is None:
        for file in standard_files(folder):
            parts.load(_validated, Standard, folder, file)
    if settings is not None:
        parts.load(load_geography, folder, settings.geography)
        for file in _PLACE_FILES:
            parts.load(_look_at_places, folder, file, settings)
        parts.load(load_hospitals, folder, settings.languages)
    _judge_indicators(parts, folder, declared)
    # Load it as a run does: nothing may pass here that a run refuses.
    configuration = parts.load(load_configuration, conf, overrides, mapping=mapping)
    return _verdict(parts, folder, lists, configuration)


def _verdict(
    parts: _Parts, folder: Traversable, lists: dict[str, CodeList], configuration: Configuration | None
) -> Verdict:
    if configuration is None:
        if is_there(folder.joinpath(PUBLICATION)):
            parts.load(_validated, Publication, folder, PUBLICATION)
        if has_weights(folder):
            parts.load(_validated, SyntheticWeights, folder, WEIGHTS)
        notes = ["Whether the files fit together is judged when each is right by itself."]
        return Verdict(tuple(parts.mistakes), tuple(notes), (), None)
    notes = list(find_empty(lists))
    used = configuration.services.used_code_lists()
    notes += [f"codelists/{name}.csv: nothing in services.yaml reads this list." for name in lists if name not in used]
    standardised = {indicator.standardised for indicator in configuration.indicators}
    unused = [name for name in configuration.standards if name not in standardised]
    notes += [f"standards/{name}.yaml: no indicator is standardised to it." for name in unused]
    found = list(_found(configuration))
    if is_there(folder.joinpath(PUBLICATION)):
        publication = parts.load(load_publication, configuration)
        if publication is not None:
            told = {*publication.sensitive_sides, *publication.not_published}
            unnamed = [one.id for one in configuration.indicators if one.id not in told]
            notes += [f"{PUBLICATION}: sensitive_sides does not name {name}: protect refuses it." for name in unnamed]
            found.append(f"{PUBLICATION}: levels {', '.join(publication.plan)}")
    else:
        notes.append(f"There is no {PUBLICATION}: figures can be computed, and protect and audit refuse them.")
    if has_weights(folder) and parts.load(load_weights, configuration) is not None:
        found.append(f"{WEIGHTS}: generate can draw claims")
    return Verdict(tuple(parts.mistakes), tuple(notes), tuple(found), configuration)


def _judge_indicators(parts: _Parts, folder: Traversable, declared: Declared | None) -> None:
    if declared is None:
        for file in indicator_files(folder):
            parts.load(_validated, Indicator, folder, file)
        return
    found = [parts.load(load_indicator, folder, name, declared) for name in indicator_files(folder)]
    if None not in found:
        # Each file is right by itself: check that they fit together.
        parts.load(load_indicators, folder, declared)


def _validated(model: type[Declaration], folder: Traversable, file: str) -> Declaration:
    return validate(model, read_yaml(folder, file))


def _look_at_places(folder: Traversable, file: str, settings: Settings) -> None:
    """Read a file of names or tiles of places, where there is one.

    Raises:
        InputError: the first mistake in it.
    """
    if not is_there(folder.joinpath(*file.split("/"))):
        return
    columns, numbers = _PLACE_FILES[file]
    for line, row in read_csv(folder, file, columns, also=NAME_OF_PLACE):
        if row["level"] not in settings.geography.levels:
            raise InputError(f"{file}, line {line}: level: there is no level {row['level'][:40]!r} in settings.yaml.")
        for column in numbers:
            if not (row[column].isascii() and row[column].isdigit()):
                raise InputError(f"{file}, line {line}: {column}: {row[column][:40]!r} is no whole number.")


def _found(configuration: Configuration) -> Iterator[str]:
    services, lists = configuration.services, configuration.code_lists
    of_population = Counter(indicator.population for indicator in configuration.indicators)
    counted = ", ".join(f"{count} of {population}" for population, count in sorted(of_population.items()))
    yield f"indicators: {len(configuration.indicators)} ({counted})"
    yield (
        f"services.yaml: delivery types {len(services.delivery_types)}, contact groups {len(services.contact_groups)}, "
        f"delivery flags {len(services.delivery_flags)}, services of beneficiaries {len(services.beneficiary_services)}"
    )
    yield from _dimensions_found(configuration.dimensions)
    for name, standard in configuration.standards.items():
        yield f"standard population {name}: {len(standard.weights)} values of {standard.dimension}"
    empty = sum(not code_list.rows for code_list in lists.values())
    codes = sum(len(code_list.rows) for code_list in lists.values())
    yield f"code lists: {len(lists)} with {codes:,} codes" + (f", {empty} empty" if empty else "")
    yield f"mappings: {', '.join(mapping_names(configuration.folder))}"
    for years, places in places_by_year(configuration.geography, configuration.settings.first_reference_year):
        yield f"places {years}: {places}"


def _dimensions_found(dimensions: Dimensions) -> Iterator[str]:
    for name, dimension in dimensions.declared.items():
        said = [
            f"{population} {len(dimensions.values(name, population))} values" for population in dimension.populations
        ]
        yield f"dimension {name}: from {dimension.source}, {', '.join(said)}"


def places_by_year(geography: Geography, first_year: int) -> Iterator[tuple[str, str]]:
    """The number of places of each level, for each span of years in which it stays the same.

    ``first_year``: the first reference year. Years after the last change are one open span.
    """
    changes = {place.first_year for place in geography.places.values()}
    changes |= {place.last_year + 1 for place in geography.places.values()}
    starts = [first_year, *sorted(year for year in changes if first_year < year < 9999)]
    spans: list[tuple[int, int | None, str]] = []
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        counts = Counter(level for level, _ in geography.units(start))
        said = ", ".join(f"{counts[level]:,} {level}" for level in geography.levels)
        end = None if following is None else following - 1
        if spans and spans[-1][2] == said:
            spans[-1] = (spans[-1][0], end, said)
        else:
            spans.append((start, end, said))
    for first, last, said in spans:
        yield f"{first} on" if last is None else f"{first}" if last == first else f"{first}-{last}", said
