"""A configuration folder that only Spark can read: its files, held in memory."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import IO, Any, Literal

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from claimatlas.errors import InputError
from claimatlas.paths import LITERAL_PATH
from claimatlas.spark.errors import SPARK_ERRORS


class MemoryFolder(Traversable):
    """Files by their name below a folder, such as ``codelists/midwife.csv``, read as a folder is."""

    def __init__(self, uri: str, files: Mapping[str, bytes], inside: str = "") -> None:
        """``uri``: what messages call the folder; ``inside``: the file or folder in it that this is."""
        self.uri = uri
        self.files = files
        self.inside = inside

    @property
    def name(self) -> str:
        """The last part of the name."""
        return (self.inside or self.uri).rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.uri}/{self.inside}" if self.inside else self.uri

    def is_dir(self) -> bool:
        """Whether there is any file below it."""
        return any(name.startswith(self._start) for name in self.files)

    def is_file(self) -> bool:
        """Whether it is a file."""
        return self.inside in self.files

    def iterdir(self) -> Iterator[MemoryFolder]:
        """The files and folders in it, in order of their names."""
        below = {name.removeprefix(self._start).partition("/")[0] for name in self.files if self._is_below(name)}
        return (self.joinpath(name) for name in sorted(below))

    def joinpath(self, *descendants: Any) -> MemoryFolder:  # noqa: ANN401 - as other folders take them
        """A file or folder below it."""
        return MemoryFolder(self.uri, self.files, "/".join([*filter(None, [self.inside]), *map(str, descendants)]))

    def __truediv__(self, child: Any) -> MemoryFolder:  # noqa: ANN401 - as other folders take it
        return self.joinpath(child)

    def read_bytes(self) -> bytes:
        """The file's content.

        Raises:
            FileNotFoundError: there is no such file.
        """
        try:
            return self.files[self.inside]
        except KeyError:
            raise FileNotFoundError(str(self)) from None

    def read_text(self, encoding: str | None = None) -> str:
        """The file's content as text."""
        return self.read_bytes().decode(encoding or "utf-8")

    def open(self, mode: Literal["r", "rb"] = "r", *args: Any, **kwargs: Any) -> IO[Any]:  # noqa: ANN401 - as others
        """The file as a stream."""
        stream = io.BytesIO(self.read_bytes())
        return stream if mode == "rb" else io.TextIOWrapper(stream, *args, **kwargs)

    @property
    def _start(self) -> str:
        return f"{self.inside}/" if self.inside else ""

    def _is_below(self, name: str) -> bool:
        return name.startswith(self._start)


def fetch(spark: SparkSession, uri: str) -> MemoryFolder:
    """The files below a folder; of a file, the folder of that file alone. Names that start with ``_`` or ``.`` not.

    Raises:
        InputError: Spark cannot read it.
    """
    files = spark.read.format("binaryFile").options(**LITERAL_PATH, recursiveFileLookup="true")
    try:
        rows = files.load(uri).select("path", "content").collect()
    except SPARK_ERRORS as error:
        condition = error.getCondition() if isinstance(error, PySparkException) else None
        why = condition or "this Spark does not reach it: it needs a client of that store, and the right to read"
        raise InputError(f"The configuration {uri} cannot be read ({why}).") from error
    root = _plain(uri)
    return MemoryFolder(uri.rstrip("/"), {_below(root, _plain(row["path"])): bytes(row["content"]) for row in rows})


def _plain(uri: str) -> str:
    """A URI with as many slashes as Spark writes: ``file:///a`` and ``file:/a`` are one location."""
    scheme, _, rest = uri.partition(":")
    return f"{scheme}:{re.sub('/+', '/', rest).rstrip('/')}"


def _below(root: str, path: str) -> str:
    return path.rpartition("/")[2] if path == root else path.removeprefix(f"{root}/")
