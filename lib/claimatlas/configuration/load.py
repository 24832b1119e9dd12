"""Load a whole configuration folder, check that its parts fit, and name it by hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from claimatlas.configuration.codelists import CodeList, load_code_lists
from claimatlas.configuration.codes import SIX_DIGITS
from claimatlas.configuration.dimensions import Dimensions, load_dimensions
from claimatlas.configuration.documents import Document, is_there, read_text, read_yaml, validate
from claimatlas.configuration.geography import CHANGES, FILE, Geography, load_geography
from claimatlas.configuration.hospitals import Hospitals, load_hospitals
from claimatlas.configuration.indicators import Declared, Indicator, load_indicators
from claimatlas.configuration.mappings import Mapping, MappingFile, load_mapping, load_mapping_file
from claimatlas.configuration.names import check_names
from claimatlas.configuration.providers import ATTRIBUTES_BEFORE, in_former_words
from claimatlas.configuration.sectors import SectorTable, load_sector_table
from claimatlas.configuration.services import Services
from claimatlas.configuration.settings import PopulationSettings, Settings, override
from claimatlas.configuration.standards import Standard, load_standards, used_standards
from claimatlas.errors import InputError
from claimatlas.paths import is_remote

FOLDERS = ("codelists", "indicators", "mappings", "geography")
"""The folders that every configuration has."""


@dataclass(frozen=True)
class Configuration:
    """Everything that a run reads from the configuration folder."""

    folder: Traversable
    settings: Settings
    services: Services
    dimensions: Dimensions
    code_lists: dict[str, CodeList]
    indicators: tuple[Indicator, ...]
    geography: Geography
    mapping_file: MappingFile
    sector_table: SectorTable | None
    standards: dict[str, Standard] = field(default_factory=dict)

    @cached_property
    def hospitals(self) -> Hospitals | None:
        """The register of hospitals, if there is one; read when it is asked for, as no run needs it.

        Raises:
            InputError: a row of it that cannot be understood.
        """
        return load_hospitals(self.folder, self.settings.languages)

    @property
    def mapping(self) -> Mapping:
        """How the sender's files are read."""
        return self.mapping_file.mapping

    def all_empty(self, lists: Sequence[str]) -> tuple[str, ...]:
        """``lists`` if all of them are empty, else none."""
        return () if any(self.code_lists[name].rows for name in lists) else tuple(lists)

    def empty_code_lists_of_flag(self, flag: str) -> tuple[str, ...]:
        """The empty code lists that make a delivery flag impossible to compute."""
        groups = self.services.flag_code_lists(flag, self.settings)
        return tuple(name for lists in groups for name in self.all_empty(lists))

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of the settings as used, the services, the indicators, the code lists, the geography.

        The bounds of the checks, the languages and all names are left out: a figure is the same under any of them. So
        are the dimensions where they are those that every configuration once had, and the standard populations where
        no indicator is standardised.
        """
        meaning = self.dimensions.meaning
        used = used_standards([indicator.standardised for indicator in self.indicators], self.standards)
        return {
            **({} if meaning is None else {"dimensions": _hash(meaning)}),
            **({} if not used else {"standards": _hash({name: one.meaning for name, one in used.items()})}),
            "settings": _hash(
                _said(self.settings.model_dump(mode="json", by_alias=True, exclude={"checks", "languages"}))
            ),
            "services": _hash(_said(_in_former_words(self.services.model_dump(mode="json")))),
            "indicators": _hash([_said(indicator.model_dump(mode="json")) for indicator in self.indicators]),
            "code_lists": _hash({name: self.code_list_hash(name) for name in self.code_lists}),
            "geography": _hash([read_text(self.folder, FILE), read_text(self.folder, CHANGES)]),
            "mapping": _hash(self.mapping.model_dump(mode="json", by_alias=True)),
            "sector_table": _hash(self.sector_table.rows if self.sector_table else None),
        }

    def code_list_hash(self, name: str) -> str:
        """SHA-256 of a code list's file."""
        return _hash(read_text(self.folder, self.code_lists[name].file))


def shipped_folder() -> Traversable:
    """The configuration that comes with the package: inside the wheel, or beside it in a checkout."""
    inside = resources.files("claimatlas").joinpath("conf")
    if inside.is_dir():
        return inside
    return Path(__file__).resolve().parents[3] / "conf"


def _no_uri(uri: str) -> Traversable:
    raise InputError(f"{uri} can only be read with a Spark.")


def load_configuration(
    conf: str | None = None,
    overrides: Sequence[str] = (),
    fetch: Callable[[str], Traversable] = _no_uri,
    *,
    mapping: str | None = None,
) -> Configuration:
    """Read and check a configuration folder (the shipped one by default).

    ``fetch``: how to get the files below a URI, for a folder, or a table of sectors, that only Spark reaches.
    ``mapping``: the name of a mapping of the folder, or the path of a file, in place of the setting.

    Raises:
        InputError: the first file that is wrong, with every mistake in it.
    """
    folder = configuration_folder(conf, fetch)
    settings = load_settings(folder, overrides)
    mapping_file = load_mapping(folder, settings.mapping) if mapping is None else find_mapping(folder, mapping)
    settings = settings.model_copy(update={"mapping": mapping_file.name})
    code_lists = load_code_lists(folder, settings.languages, settings.codes)
    services = load_services(folder, settings, code_lists)
    dimensions = load_dimensions(folder, settings, services)
    standards = load_standards(folder, settings.languages, dimensions)
    return Configuration(
        folder=folder,
        settings=settings,
        services=services,
        dimensions=dimensions,
        code_lists=code_lists,
        indicators=load_indicators(folder, Declared(settings, services, dimensions, standards)),
        geography=load_geography(folder, settings.geography),
        mapping_file=mapping_file,
        sector_table=load_sector_table(settings.geography.sector_table, fetch),
        standards=standards,
    )


def configuration_folder(conf: str | None, fetch: Callable[[str], Traversable] = _no_uri) -> Traversable:
    """The folder of a configuration: the shipped one, a path, or what ``fetch`` gets for a URI.

    Raises:
        InputError: there is no such folder, or it lacks one of the folders that every configuration has.
    """
    folder = shipped_folder() if conf is None else fetch(conf) if is_remote(conf) else Path(conf)
    if not is_there(folder, folder=True):
        raise InputError(f"The configuration folder {folder} does not exist.")
    for name in FOLDERS:
        if not folder.joinpath(name).is_dir():
            raise InputError(f"The configuration folder {folder} has no folder {name}/.")
    return folder


def load_settings(folder: Traversable, overrides: Sequence[str]) -> Settings:
    """Read ``settings.yaml``, with ``NAME=VALUE`` assignments put over it.

    Raises:
        InputError: every mistake in it.
    """
    return validate(Settings, override(read_yaml(folder, "settings.yaml"), overrides))


def find_mapping(folder: Traversable, mapping: str) -> MappingFile:
    """A mapping of the folder by its name, or a file by its path.

    Raises:
        InputError: there is no such mapping, or it is wrong.
    """
    if is_there(Path(mapping).expanduser()) or "/" in mapping or mapping.endswith(".yaml"):
        return load_mapping_file(mapping)
    return load_mapping(folder, mapping)


def load_services(folder: Traversable, settings: Settings, code_lists: Collection[str]) -> Services:
    """Read ``services.yaml``; ``code_lists``: the names of the lists that there are.

    Raises:
        InputError: a mistake in it, a name that collides, or a code list that there is not.
    """
    document = read_yaml(folder, "services.yaml")
    services = validate(Services, document)
    check_names(services, settings, document)
    mistakes = [
        f"{document.position(path)}: there is no code list {used!r} in codelists/."
        for used, path in services.used_code_lists().items()
        if used not in code_lists
    ]
    for name, group in services.contact_groups.items():
        for setting, by_value in group.code_lists_by_setting.items():
            if getattr(settings, setting) not in by_value:
                where = document.position(("contact_groups", name, "code_lists_by_setting", setting))
                mistakes.append(f"{where}: no code lists for {setting}: {getattr(settings, setting)}.")
    mistakes += _mistakes_of_rules(services, settings, document)
    for name, flag in services.delivery_flags.items():
        if flag.window not in settings.all_windows:
            there = ", ".join(settings.all_windows) or "none"
            where = document.position(("delivery_flags", name, "window"))
            mistakes.append(f"{where}: settings.yaml has no window {flag.window!r}; there are: {there}.")
    if mistakes:
        raise InputError("\n".join(mistakes))
    return services


def _mistakes_of_rules(services: Services, settings: Settings, document: Document) -> Iterator[str]:
    """Attributes of providers that the settings do not declare, and words that name no value of theirs."""
    there = ", ".join(settings.provider_attributes) or "none"
    for name, group in services.contact_groups.items():
        for key, rules in (("where", group.where), ("where_not", group.where_not)):
            for attribute, words in rules.items():
                path = ("contact_groups", name, key, attribute)
                declared = settings.provider_attributes.get(attribute)
                if declared is None:
                    yield f"{document.position(path)}: settings.yaml declares no such attribute; there are: {there}."
                    continue
                for number, word in enumerate(words):
                    try:
                        declared.entry(word)
                    except ValueError as error:
                        yield f"{document.position((*path, number))}: {error}."


_LATER: dict[str, object] = {
    "windows": {},
    "least_days": 1,
    "codes": SIX_DIGITS.model_dump(mode="json"),
    "population": PopulationSettings().model_dump(mode="json"),
    **{"ages": None, "sexes": [], "with_flag": None, "without_flag": None, "enrolled": None},
    "standardised": None,
    "provider_attributes": {name: one.model_dump(mode="json") for name, one in ATTRIBUTES_BEFORE.items()},
}
"""Keys that were added later, with the value that means the same as no key."""


def _in_former_words(services: dict[str, Any]) -> dict[str, Any]:
    groups = {name: in_former_words(group) for name, group in services["contact_groups"].items()}
    return {**services, "contact_groups": groups}


def _said(tree: object) -> object:
    """A dump without later keys that are not used: a configuration without them keeps its former hash."""
    if not isinstance(tree, dict):
        return tree
    return {key: _said(value) for key, value in tree.items() if key not in _LATER or value != _LATER[key]}


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
