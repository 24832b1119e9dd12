"""The whole configuration of a run as text. The run record keeps it, so that the run can be repeated years later."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from claimatlas.configuration.dimensions import FILE as DIMENSIONS
from claimatlas.configuration.documents import is_there, read_text
from claimatlas.configuration.geography import CHANGES, FILE
from claimatlas.configuration.load import Configuration, load_configuration
from claimatlas.configuration.providers import KEYS_BEFORE
from claimatlas.configuration.scalars import NUMBER_OF_1_2
from claimatlas.configuration.standards import standard_files

SETTINGS, SERVICES = "settings.yaml", "services.yaml"
_SECTORS = "geography/sectors.csv"
_SECTOR_COLUMNS = ("sector", "municipality", "first_year", "last_year")


class _Dumper(yaml.SafeDumper):
    """Text that any version of YAML would take for something else stands in quotes."""


# Of a text that has the look of a number or a boolean PyYAML writes no plain scalar.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER_OF_1_2, list("-+.0123456789"))


def snapshot(configuration: Configuration) -> dict[str, str]:
    """Every file that the configuration was read from, by name; the settings are those that were used."""
    folder = configuration.folder
    names = [SERVICES, FILE, CHANGES]
    # Where there is none, the dimensions are those of configurations from before there was this file.
    names += [DIMENSIONS] if is_there(folder.joinpath(DIMENSIONS)) else []
    names += [*_names(folder, "indicators", ".yaml"), *_names(folder, "codelists", ".csv")]
    names += standard_files(folder)
    files = {name: read_text(folder, name) for name in names}
    # It may have been read from a file beside the folder.
    files[f"mappings/{configuration.mapping_file.name}.yaml"] = configuration.mapping_file.text
    settings = configuration.settings.model_dump(mode="json", by_alias=True)
    if configuration.sector_table is not None:
        settings["geography"]["sector_table"] = _SECTORS
        files[_SECTORS] = _sectors_as_text(configuration)
    files[SETTINGS] = _as_yaml(settings)
    return dict(sorted(files.items()))


@contextmanager
def restored(files: Mapping[str, str]) -> Iterator[Configuration]:
    """The configuration of a snapshot, as long as its files are in a temporary folder.

    Raises:
        InputError: the files do not fit together, for example because they come from two snapshots.
    """
    with tempfile.TemporaryDirectory(prefix="claimatlas-") as name:
        folder = Path(name)
        for file, text in files.items():
            path = folder.joinpath(*file.split("/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_in_todays_words(file, text), encoding="utf-8")
        own_sectors = [f"geography.sector_table={folder / _SECTORS}"] if _SECTORS in files else []
        yield load_configuration(str(folder), own_sectors)


def _in_todays_words(file: str, text: str) -> str:
    """A file of a snapshot, with today's keys in place of those that rules on providers had before."""
    if file != SERVICES or not any(key in text for key in KEYS_BEFORE):
        return text
    data: dict[str, Any] = yaml.safe_load(text)
    for group in data["contact_groups"].values():
        for former, (key, attribute) in KEYS_BEFORE.items():
            if former in group:
                group.setdefault(key, {})[attribute] = group.pop(former)
    return _as_yaml(data)


def _as_yaml(settings: Mapping[str, Any]) -> str:
    text = io.StringIO()
    dumper = _Dumper(text, allow_unicode=True, sort_keys=False)
    dumper.open()
    dumper.represent(settings)
    dumper.close()
    return text.getvalue()


def _names(folder: Traversable, inside: str, suffix: str) -> list[str]:
    return [f"{inside}/{file.name}" for file in folder.joinpath(inside).iterdir() if file.name.endswith(suffix)]


def _sectors_as_text(configuration: Configuration) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_SECTOR_COLUMNS)
    writer.writerows(configuration.sector_table.rows if configuration.sector_table else ())
    return text.getvalue()
