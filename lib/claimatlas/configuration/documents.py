"""Read YAML and CSV files so that every mistake is named by file, line and key."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from claimatlas.configuration.model import LANGUAGE, KeyMistakeError
from claimatlas.configuration.scalars import disagreement
from claimatlas.errors import InputError

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str | int, ...]

_MESSAGES = {
    "extra_forbidden": "unknown key",
    "missing": "this key is missing",
}


_TAG = "tag:yaml.org,2002:"
_READ_BY_KIND = {f"{_TAG}{kind}" for kind in ("bool", "float", "int", "null", "timestamp")}


class _Untagged(yaml.ScalarNode):
    """A plain scalar without a tag: its characters alone decide its type."""


class _Loader(yaml.SafeLoader):
    """Loads values only: it refuses aliases of aliases, and reports every value that cannot be read with its line.

    Plain keys are text as they are written, whatever they would be as values.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._open: list[str] = []
        self._with_alias: set[str] = set()

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            # A few lines of nested aliases can mean more values than fit into memory.
            self._with_alias.update(self._open)
            if event.anchor in self._with_alias:
                said = "an alias of something that holds an alias: write out what it stands for"
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                raise yaml.MarkedYAMLError(None, None, said, mark)
            return super().compose_node(parent, index)
        anchor = getattr(event, "anchor", None)
        self._open += [anchor] if anchor else []
        node = super().compose_node(parent, index)
        if anchor:
            self._open.pop()
        return node

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        untagged = self.peek_event().implicit[0]  # type: ignore[no-untyped-call]
        node = super().compose_scalar_node(anchor)
        if untagged:
            node = _Untagged(node.tag, node.value, node.start_mark, node.end_mark, style=node.style)
            if anchor is not None:
                self.anchors[anchor] = node
        return node

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        node.value = [(_as_text(key), value) for key, value in node.value]
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, TypeError, AttributeError):
            # The 30th of February, a number of five thousand digits, !!bool maybe.
            said = f"the value {str(node.value)[:40]!r} cannot be read"
            raise yaml.MarkedYAMLError(None, None, said, node.start_mark) from None


def _as_text(key: yaml.Node) -> yaml.Node:
    # A node of its own: an anchor may make a value of the same one elsewhere.
    if isinstance(key, _Untagged) and key.tag != f"{_TAG}merge":
        return yaml.ScalarNode(f"{_TAG}str", key.value, key.start_mark, key.end_mark, style=key.style)
    return key


@dataclass(frozen=True)
class Document:
    """A YAML file: its data, and the line on which each key stands."""

    name: str
    data: dict[str, Any]
    lines: Mapping[Path, int]

    def position(self, path: Path) -> str:
        """File, line and key of ``path``, as far as they are known."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        where = f"{self.name}, line {self.lines[known]}" if known else self.name
        return f"{where}: {'.'.join(map(str, path))}" if path else where


def read_text(folder: Traversable, name: str) -> str:
    """The text of a UTF-8 file of the configuration folder.

    Raises:
        InputError: the file is not there or is not UTF-8.
    """
    file = folder.joinpath(*name.split("/"))
    try:
        return file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, KeyError):
        raise InputError(f"The configuration folder has no file {name}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{name} is not a UTF-8 text file.") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror}).") from None


def is_there(path: Traversable, *, folder: bool = False) -> bool:
    """Whether there is such a file, or folder; a name that no file can have is not there."""
    try:
        return path.is_dir() if folder else path.is_file()
    except OSError:
        return False


def read_yaml(folder: Traversable, name: str) -> Document:
    """Read a YAML mapping, refusing a key that stands twice and a value that versions of YAML read differently.

    Raises:
        InputError: not YAML, not a mapping, a repeated key, or every value that is not the same to all.
    """
    text = read_text(folder, name)
    try:
        node, data, traps = _load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{name}{line}: this is not valid YAML ({getattr(error, 'problem', 'syntax')}).") from None
    if not isinstance(data, dict):
        raise InputError(f"{name}: expected keys and values.")
    document = Document(name, data, dict(_lines(node, (), name)))
    if traps:
        raise InputError("\n".join(f"{document.position(path)}: {said}." for path, said in traps))
    return document


def read_value(text: str, name: str) -> object:
    """A single YAML value; ``name``: what messages call it.

    Raises:
        InputError: it cannot be read, or versions of YAML read it differently.
    """
    try:
        _, data, traps = _load(text)
    except yaml.YAMLError:
        raise InputError(f"{name}: the value cannot be read.") from None
    if traps:
        raise InputError("\n".join(f"{'.'.join(map(str, (name, *path)))}: {said}." for path, said in traps))
    return data


def _load(text: str) -> tuple[yaml.Node | None, Any, list[tuple[Path, str]]]:
    """The node of a text, its value, and where versions of YAML read a value in it differently."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, None, []
        return node, loader.construct_document(node), list(_traps(loader, node, ()))
    except RecursionError:
        raise yaml.YAMLError("nested too deep") from None
    finally:
        loader.dispose()


def _traps(loader: _Loader, node: yaml.Node, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _traps(loader, value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _traps(loader, value, (*path, index))
    elif isinstance(node, yaml.ScalarNode) and (
        isinstance(node, _Untagged) or (node.style is None and node.tag in _READ_BY_KIND)
    ):
        said = disagreement(node.value, loader.construct_object(node))
        if said:
            yield path, said


def _lines(node: yaml.Node | None, path: Path, name: str) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise InputError(f"{name}, line {line}: {key.value}: this key stands twice.")
            seen.add(key.value)
            yield (*path, key.value), line
            yield from _lines(value, (*path, key.value), name)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _lines(value, (*path, index), name)


def validate(model: type[Model], document: Document) -> Model:
    """Build ``model`` from a document.

    Raises:
        InputError: every mistake, each with its file, line and key.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise InputError("\n".join(_sentences(error, document))) from None


def _sentences(error: ValidationError, document: Document) -> Iterator[str]:
    for mistake in error.errors():
        message = _MESSAGES.get(mistake["type"], mistake["msg"].removeprefix("Value error, "))
        cause = mistake.get("ctx", {}).get("error")
        below = cause.path if isinstance(cause, KeyMistakeError) else ()
        yield f"{document.position((*mistake['loc'], *below))}: {message}."


def read_csv(
    folder: Traversable, name: str, columns: Sequence[str], also: str | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with just these columns, each with its line number; text is trimmed.

    ``also``: how the names of further columns start that may be there, with a language after it.

    Raises:
        InputError: other columns, or a row with another number of fields.
    """
    reader = csv.reader(io.StringIO(read_text(folder, name)), strict=True)
    try:
        header = [field.strip() for field in next(reader, [])]
        unknown = [field for field in header if field not in columns and not is_of_a_language(field, also)]
        missing = [field for field in columns if field not in header]
        if unknown or missing or len(set(header)) != len(header):
            raise InputError(
                f"{name}, line 1: the columns must be {', '.join(columns)}"
                + (f"; unknown: {', '.join(unknown)}" if unknown else "")
                + (f"; missing: {', '.join(missing)}" if missing else "")
                + "."
            )
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                raise InputError(f"{name}, line {reader.line_num}: {len(fields)} fields, expected {len(header)}.")
            yield reader.line_num, {key: value.strip() for key, value in zip(header, fields, strict=True)}
    except csv.Error as error:
        raise InputError(f"{name}, line {reader.line_num}: this is not valid CSV ({error}).") from None


def is_of_a_language(column: str, start: str | None) -> bool:
    """Whether a column's name is ``start`` with a language after it, such as ``label_fr``."""
    return start is not None and re.fullmatch(re.escape(start) + LANGUAGE, column) is not None
