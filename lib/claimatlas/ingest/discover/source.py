"""Find an input table: the files at its location, each known by name before any is read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from claimatlas.configuration.mappings import Reading
from claimatlas.errors import InputError
from claimatlas.paths import catalog_name, is_remote, is_there

GZIP, BZIP2 = ".gz", ".bz2"
_PACKED = {"gzip": GZIP, "bzip2": BZIP2}
_FORMATS = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv", ".csv.bz2": "csv"}
_FIRST_BYTES = {b"PAR1": ".parquet", b"\x1f\x8b": GZIP, b"BZh": BZIP2, b"PK\x03\x04": ".zip"}
"""The first bytes of a file, and the format that they mean."""
_MARKERS = re.compile(r"_(SUCCESS|started.*|committed.*|metadata|common_metadata)|\..*\.crc|\.DS_Store", re.DOTALL)
"""Files that other programs write beside data and that hold no data."""
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""The value in the name of a folder ``key=…`` where the column is null."""
_MAX_ALIKE = 5
_NO_DATA = (".md", ".log", ".md5", ".sha1", ".sha256", ".pdf", ".json", ".yaml", ".yml", ".html", ".sas", ".r", ".py")
"""Endings of files that describe data and hold none."""


@dataclass(frozen=True)
class Layout:
    """The columns of Parquet files that are alike, by name.

    ``nanoseconds``: columns of timestamps that Spark reads as numbers, and whether they are adjusted to UTC. ``nulls``:
    columns without any value, whose type means nothing.
    """

    files: tuple[Path, ...]
    columns: tuple[str, ...]
    nanoseconds: Mapping[str, bool]
    nulls: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Source:
    """Where an input table is: a path with its format, or a catalog table; of a Delta table also its version.

    ``files``: every file below a path of this machine. ``assumed``: the path where a table of its name would be; only
    Spark can tell whether one is there. ``reading``: how the files are written.

    What a look into the files has told (``examined``): of CSV the ``header`` and whether Spark's own reader may take
    some line for another than it is (``irregular``), of Parquet the ``layouts``; and of each file its ``rows``, none
    where only a reader of rows can tell.
    """

    table: str
    location: str
    format: str
    files: tuple[Path, ...] = ()
    version: int | None = None
    assumed: bool = False
    reading: Reading = field(default_factory=Reading)
    header: tuple[str, ...] = ()
    irregular: bool = False
    layouts: tuple[Layout, ...] = ()
    rows: Mapping[Path, int | None] = field(default_factory=dict)

    @property
    def names(self) -> list[str] | None:
        """The names of the sender's columns as the files have them; empty where only Spark can read them."""
        found = self.header or tuple(dict.fromkeys(name for layout in self.layouts for name in layout.columns))
        return [*found, *self.partitions.values()] if found else None

    @property
    def absolute_location(self) -> str:
        """The absolute path: a Spark Connect server has another working folder than this process."""
        return str(Path(self.location).absolute()) if self.format in ("parquet", "csv", "delta") else self.location

    @property
    def partitions(self) -> dict[str, str]:
        """The names before the = of the folders ``key=value`` that files lie in: in lower case, and as they are."""
        return partitions_of(str(file.relative_to(self.location)) for file in self.files)

    def file_outside_partition(self, name: str) -> Path | None:
        """The first file that is in no folder ``name=…``."""
        for file in self.files:
            if name.lower() not in partitions_of([str(file.relative_to(self.location))]):
                return file
        return None


def partitions_of(paths: Iterable[str]) -> dict[str, str]:
    """The names before the = of the folders ``key=value`` in these relative paths: in lower case, and as they are."""
    folders = {part for path in paths for part in Path(path).parts[:-1]}
    names = [unquote(folder.partition("=")[0]) for folder in sorted(folders) if "=" in folder]
    return {name.lower(): name for name in names if name}


def locate(folder: str | None, table: str, explicit: str | None, reading: Reading | None = None) -> Source | None:
    """Find an input table: the path or catalog table given for it, or what the input folder has of it.

    In the folder, a table is a subfolder or a file of its name: ``claims/``, ``claims.parquet``, ``claims.csv``,
    ``claims.csv.gz``; in ``catalog.schema`` the table of its name. ``None`` when it is not there. ``reading``: how a
    mapping says that the files are written.

    Raises:
        InputError: nothing at a path that was given, several candidates in the folder, or a file that nobody can read.
    """
    reading = reading or Reading()
    if explicit is not None:
        if not is_remote(explicit) and not is_there(Path(explicit)):
            if catalog_name(explicit, 2, 3) and not explicit.lower().endswith(tuple(_FORMATS)):
                return Source(table, explicit, "table", reading=reading)
            raise InputError(f"{table}: there is no file or folder {explicit}.")
        return _source(table, explicit, reading)
    if folder is None:
        return None
    if is_remote(folder):
        return Source(table, f"{folder.rstrip('/')}/{table}", "remote", assumed=True, reading=reading)
    if not (is_there(Path(folder)) and Path(folder).is_dir()):
        if is_catalog_schema(folder):
            return Source(table, f"{folder}.{table}", "table", assumed=True, reading=reading)
        raise InputError(f"There is no input folder {folder}.")
    names = {table + suffix for suffix in ("", *_FORMATS)}
    found = [path for path in sorted(Path(folder).iterdir()) if _with_lower_ending(path.name, table) in names]
    if len(found) > 1:
        raise InputError(f"{table}: found {' and '.join(path.name for path in found)} in {folder}; keep one of them.")
    return _source(table, str(found[0]), reading) if found else None


def _with_lower_ending(name: str, table: str) -> str:
    """The name with its ending in lower case: ``claims.CSV.GZ`` is ``claims.csv.gz``, ``Claims.csv`` stays."""
    return table + name[len(table) :].lower() if name.startswith(table) else name


def is_catalog_schema(folder: str) -> bool:
    """Whether the input folder is ``catalog.schema``: such a name, and no folder or file of it is here."""
    return catalog_name(folder, 2) is not None and not is_there(Path(folder))


def similar_names(folder: str | None, table: str, *, is_there_too: bool = False) -> list[str]:
    """Entries of the input folder with a name like the table's, which are not read: ``claims_2022.csv``, ``stays.csv``.

    ``is_there_too``: the table itself is there, so that only what has its whole name within its own is like it.
    """
    if folder is None or is_remote(folder) or not (is_there(Path(folder)) and Path(folder).is_dir()):
        return []
    exact = {table + suffix for suffix in ("", *_FORMATS)}
    words = [word.rstrip("s") for word in table.split("_")]
    found = []
    for path in sorted(Path(folder).iterdir()):
        name = path.name.lower()
        if name.startswith(("_", ".")) or _with_lower_ending(path.name, table) in exact or name.endswith(_NO_DATA):
            continue
        if (all if is_there_too else any)(word in name for word in words):
            found.append(path.name)
    return found[:_MAX_ALIKE]


def _source(table: str, location: str, reading: Reading) -> Source:
    if is_remote(location):
        return Source(table, location, "remote", reading=reading)
    path = Path(location)
    if path.is_file():
        if path.stat().st_size == 0:
            raise InputError(f"{table}: the file {location} is empty.")
        return Source(table, location, _format(table, path, reading), files=(path,), reading=reading)
    if (path / "_delta_log").is_dir():
        return Source(table, location, "delta", reading=reading)
    entries = _entries(table, path)
    for entry in entries:
        _require_name(table, entry)
        if not entry.is_file() and (entry.is_symlink() or not entry.is_dir()):
            # Spark would skip a link to a folder without a word, or follow one in a circle.
            raise InputError(f"{table}: {entry} is neither a file nor a folder; a link may lead to a file only.")
    files = [entry for entry in entries if entry.is_file() and not _is_marker(table, path, entry)]
    if not files:
        raise InputError(f"{table}: the folder {location} holds no file.")
    for file in files:
        keys = [part.partition("=")[0].lower() for part in file.relative_to(path).parts[:-1] if "=" in part]
        if len(set(keys)) < len(keys):
            raise InputError(f"{table}: {file} lies in two folders of the same name before the =: rename one of them.")
    formats = {_format(table, file, reading) for file in files}
    if len(formats) > 1:
        raise InputError(f"{table}: the folder {location} mixes {' and '.join(sorted(formats))} files.")
    return Source(table, location, formats.pop(), files=tuple(files), reading=reading)


def _entries(table: str, folder: Path) -> list[Path]:
    """Everything below a folder, in order; a folder that cannot be listed is refused."""

    def refuse(error: OSError) -> None:
        raise InputError(f"{table}: {error.filename} cannot be listed ({error.strerror}).")

    walk = os.walk(folder, onerror=refuse)
    return sorted(Path(parent, name) for parent, folders, files in walk for name in (*folders, *files))


def _require_name(table: str, file: Path) -> None:
    try:
        file.name.encode()
    except UnicodeEncodeError:
        raise InputError(f"{table}: {file.parent} holds a name that is not UTF-8, {file.name!r}: rename it.") from None


def _is_marker(table: str, folder: Path, file: Path) -> bool:
    """Whether a file holds no data. A file that may hold data, but that Spark would skip for its name, is refused.

    Spark leaves out names that start with _ or a dot, of files and of folders.
    """
    hidden = any(part.startswith(("_", ".")) for part in file.relative_to(folder).parts)
    if not hidden:
        return False
    holds_data = file.name.lower().endswith(tuple(_FORMATS)) or _kind(file) in (".parquet", GZIP, BZIP2)
    if holds_data and not _MARKERS.fullmatch(file.name):
        raise InputError(
            f"{table}: {file} would be skipped by Spark, as a part of its name begins with _ or a dot: rename it, "
            "or remove it if it holds no data."
        )
    return True


def _format(table: str, file: Path, reading: Reading) -> str:
    name = file.name.lower()
    kind = _kind(file)
    if kind == ".zip" and not name.endswith(".parquet"):
        raise InputError(f"{table}: {file} is a zip archive: unpack it, or compress the file with gzip.")
    if reading.compression in _PACKED and kind != _PACKED[reading.compression]:
        raise InputError(f"{table}: {file} is not compressed with {reading.compression}, as the mapping says.")
    for suffix, found in _FORMATS.items():
        if name.endswith(suffix):
            _require_packing(table, file, suffix, kind, reading)
            return found
    if kind == ".parquet":
        return "parquet"  # As Hive names its files: without an ending.
    if reading.compression in _PACKED:
        return "csv"
    raise InputError(f"{table}: {file} is neither a .parquet nor a .csv file.")


def _require_packing(table: str, file: Path, suffix: str, kind: str | None, reading: Reading) -> None:
    packed = {GZIP: "gzip", BZIP2: "bzip2"}
    if suffix == ".csv" and kind in packed and reading.compression != packed[kind]:
        raise InputError(
            f"{table}: {file} is compressed with {packed[kind]}, which its name does not say: name it "
            f"{file.name}{kind}, or declare read: {{compression: {packed[kind]}}} for {table} in a mapping."
        )


def _kind(file: Path) -> str | None:
    """The format of a file by its first bytes; ``None`` for text, and for a file that cannot be opened."""
    try:
        with file.open("rb") as stream:
            first = stream.read(4)
    except OSError:
        return None
    return next((kind for sign, kind in _FIRST_BYTES.items() if first.startswith(sign)), None)


def packing(file: Path, reading: Reading) -> str | None:
    """The compression of a CSV file, as the ending that Spark knows; ``None`` when it is plain text."""
    if reading.compression == "none":
        return None
    if reading.compression in _PACKED:
        return _PACKED[reading.compression]
    name = file.name.lower()
    return next((ending for ending in (GZIP, BZIP2) if name.endswith(ending)), None)


def listed(names: Sequence[object], most: int = 3) -> str:
    """Names for a message. Of many, the first ones and the number of the rest."""
    shown = ", ".join(map(str, names[:most]))
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
