"""Mappings: the format of a sender's files, and the source of each of our columns.

``docs/mappings.md`` has every key with an example.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from claimatlas.configuration.documents import is_there, read_text, read_yaml, validate
from claimatlas.configuration.model import Declaration, Whole, Word
from claimatlas.errors import InputError

FILE_NAME = "$file"
"""Named as a source column: the name of the file that a row came from, without its folder and its ending."""
DAY_NUMBERS = {"excel": "1899-12-30", "excel_1904": "1904-01-01", "sas": "1960-01-01", "stata": "1960-01-01"}
"""Formats of a date that is a number of days: the day that has the number 0."""
SECONDS = {"sas_datetime": "1960-01-01", "spss": "1582-10-14"}
"""Formats of a date that is a number of seconds, of a clock without a zone, since the start of this day."""
INSTANTS = {"unix": 1, "unix_ms": 1_000, "unix_us": 1_000_000, "unix_ns": 1_000_000_000}
"""Formats of an instant since 1970 in UTC: how many of its units are a second."""
ISO = "iso"
"""The format that is understood without any: YYYY-MM-DD, perhaps with a time of day and a zone."""

_FIELDS = {
    "yyyy": "[0-9]{4}",
    "MMM": "[A-Za-z]{3}",
    "MM": "[0-9]{2}",
    "M": "[0-9]{1,2}",
    "dd": "[0-9]{2}",
    "d": "[0-9]{1,2}",
    "HH": "[0-9]{2}",
    "mm": "[0-9]{2}",
    "ss": "[0-9]{2}",
}
_FIELD = re.compile("|".join(_FIELDS) + r"|(?P<other>[A-Za-z])(?P=other)*")
_BYTES_OF_ASCII = "".join(map(chr, range(128)))


class Reading(Declaration):
    """How the files of a table are written; all but ``null_texts`` and ``decimal`` is for CSV alone.

    delimiter: between two fields. encoding: of the text. decimal: before the digits of a fraction. quote: the sign
    around a field; empty when quotes have no meaning. compression: ``by_name`` goes by the ending of each file's name.
    null_texts: texts that mean no value.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    quote: str = '"'
    compression: Literal["by_name", "none", "gzip", "bzip2"] = "by_name"
    null_texts: tuple[Word, ...] = ()

    @field_validator("delimiter")
    @classmethod
    def _one_sign(cls, text: str) -> str:
        if len(text) != 1 or ord(text) > 127 or text.isalnum() or text in "\n\r\"'\\":
            raise ValueError(
                "the delimiter is one sign of ASCII, such as ; or | or a tab, and no letter, digit or quote"
            )
        return text

    @field_validator("quote")
    @classmethod
    def _one_quote(cls, text: str) -> str:
        if text not in ("", '"', "'"):
            raise ValueError("the quote is \", ' or empty")
        return text

    @field_validator("encoding")
    @classmethod
    def _holds_ascii(cls, name: str) -> str:
        try:
            found = codecs.lookup(name)
            holds_ascii = _BYTES_OF_ASCII.encode(name) == _BYTES_OF_ASCII.encode("ascii")
        except (LookupError, UnicodeError):
            raise ValueError(f"there is no encoding {name!r}") from None
        if not holds_ascii:
            # A line or a field could not be told from the bytes of another letter.
            raise ValueError(f"{name} does not write ASCII as it is: convert the files to UTF-8")
        return {"utf-8-sig": "utf-8", "ascii": "us-ascii", "iso8859-1": "iso-8859-1"}.get(found.name, found.name)

    @property
    def is_utf_8(self) -> bool:
        """Whether the text is UTF-8, as Spark reads it."""
        return self.encoding in ("utf-8", "us-ascii")


class ColumnSource(Declaration):
    """Where the values of one of our columns come from.

    column: the sender's column. constant: the value of every row; with ``column``, only where the file has no such
    column. join: columns whose texts are put together, with ``with`` between them. format: how a date is written. day,
    month: what a date without one has. values: our value, and the sender's words for it. pad: the length that a text is
    filled up to by zeros at its start.
    """

    column: str | None = Field(default=None, min_length=1)
    constant: Word | None = None
    join: tuple[str, ...] = Field(default=(), min_length=2)
    with_: str = Field(default="", alias="with")
    format: str | None = None
    day: Whole | None = Field(default=None, ge=1, le=28)
    month: Whole | None = Field(default=None, ge=1, le=12)
    values: dict[Word, tuple[Word, ...]] = Field(default_factory=dict)
    pad: Whole | None = Field(default=None, ge=2, le=40)

    @model_validator(mode="after")
    def _fits(self) -> ColumnSource:
        if bool(self.join) == (self.column is not None) and not (self.constant is not None and not self.join):
            raise ValueError("give one of column, constant and join")
        if self.with_ and not self.join:
            raise ValueError("with goes with join")
        words = [word.lower() for listed in self.values.values() for word in listed]
        if repeated := sorted({word for word in words if words.count(word) > 1}):
            raise ValueError(f"values: {repeated[0]!r} stands twice")
        if self.format is None and (self.day or self.month):
            raise ValueError("day and month go with a format that has none")
        if self.format is not None:
            self._check_format(self.format)
        return self

    def _check_format(self, text: str) -> None:
        if text in (ISO, *DAY_NUMBERS, *SECONDS, *INSTANTS):
            if self.day or self.month:
                raise ValueError("day and month go with a format that has none")
            return
        fields = [match.group() for match in _FIELD.finditer(text)]
        named = ", ".join((ISO, *DAY_NUMBERS, *SECONDS, *INSTANTS))
        for field in fields:
            if field not in _FIELDS:
                raise ValueError(
                    f"format: {field!r} is not known; write it of yyyy, MM, M, MMM, dd, d, HH, mm and ss, or name one "
                    f"of {named}"
                )
        months = sum(field.startswith("M") for field in fields) + (self.month is not None)
        days = sum(field.startswith("d") for field in fields) + (self.day is not None)
        if fields.count("yyyy") != 1 or months != 1 or days != 1 or len(set(fields)) != len(fields):
            raise ValueError(
                "format: a date needs its year (yyyy), its month (MM, or the key month) and its day (dd, or the key "
                "day), each once"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The sender's columns that it reads."""
        return self.join or ((self.column,) if self.column else ())

    @property
    def parts(self) -> list[tuple[str | None, str]]:
        """The pieces of a format of signs, in order: its field (or none) and the pattern of its text."""
        text = self.format or ""
        found: list[tuple[str | None, str]] = []
        end = 0
        for match in _FIELD.finditer(text):
            found += [(None, re.escape(text[end : match.start()]))] if match.start() > end else []
            found.append((match.group(), _FIELDS[match.group()]))
            end = match.end()
        return found + ([(None, re.escape(text[end:]))] if end < len(text) else [])


_SECTIONS = ("read", "keep", "unpivot")


class TableMapping(Declaration):
    """How one table is read, which of its rows are kept, and where its columns come from.

    keep: for a sender's column the values whose rows are kept. unpivot: for one of our columns the sender's numbered
    columns: each row becomes a line for each of them that has a nomenclature code.
    """

    read: Reading = Reading()
    keep: dict[str, tuple[Word, ...]] = Field(default_factory=dict)
    unpivot: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    columns: dict[str, ColumnSource] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _columns_stand_beside(cls, data: Any) -> Any:  # noqa: ANN401 - what stands in a file, before it is checked
        if not isinstance(data, dict):
            return data
        sections = {name: data[name] for name in _SECTIONS if name in data}
        columns = {name: value for name, value in data.items() if name not in _SECTIONS}
        if set(columns) == {"columns"} and isinstance(columns["columns"], dict):
            columns = columns["columns"]
        sources = {name: {"column": value} if isinstance(value, str) else value for name, value in columns.items()}
        return {**sections, "columns": sources}

    @model_validator(mode="after")
    def _unpivots(self) -> TableMapping:
        if self.unpivot:
            if "nomenclature_code" not in self.unpivot:
                raise ValueError("unpivot: name the columns of nomenclature_code: a row has a line for each code")
            if len({len(names) for names in self.unpivot.values()}) != 1:
                raise ValueError("unpivot: every list must have as many columns as that of nomenclature_code")
            if both := sorted(set(self.unpivot) & set(self.columns)):
                raise ValueError(f"unpivot: {both[0]} has a source of its own too")
        if empty := [name for name, values in self.keep.items() if not values]:
            raise ValueError(f"keep: {empty[0]} keeps no row")
        return self

    def source(self, column: str) -> ColumnSource:
        """Where a column's values come from; one that is not named has our name at the sender too."""
        return self.columns.get(column) or ColumnSource(column=column)


class Mapping(Declaration):
    """How each table of a sender is read."""

    description: str
    claims: TableMapping = TableMapping()
    population: TableMapping = TableMapping()
    hospital_stays: TableMapping = TableMapping()

    def table(self, name: str) -> TableMapping:
        """The mapping of a table."""
        found: TableMapping = getattr(self, name)
        return found

    def source_name(self, table: str, column: str) -> str:
        """The sender's name of a column; where it is put together, the names with a plus sign between them."""
        return "+".join(self.table(table).source(column).names) or column


@dataclass(frozen=True)
class MappingFile:
    """A mapping with the text that it was read from, for the record of a run."""

    name: str
    text: str
    mapping: Mapping


def mapping_names(folder: Traversable) -> tuple[str, ...]:
    """The names of the mappings of a configuration folder."""
    files = (file.name for file in folder.joinpath("mappings").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml")))


def load_mapping(folder: Traversable, name: str) -> MappingFile:
    """Read ``mappings/NAME.yaml`` of a configuration folder.

    Raises:
        InputError: there is no such mapping, or it is wrong.
    """
    files = mapping_names(folder)
    if name not in files:
        raise InputError(
            f"There is no mapping {name!r}; mappings/ has {', '.join(files)}. Give a file elsewhere by --mapping FILE."
        )
    return _read(folder, f"mappings/{name}.yaml", name)


def load_mapping_file(file: str) -> MappingFile:
    """Read a mapping from a file of its own, beside any configuration folder; its name is the file's.

    Raises:
        InputError: there is no such file, or it is wrong.
    """
    path = Path(file).expanduser()
    if not is_there(path):
        raise InputError(f"There is no mapping file {file}.")
    name = re.sub("[^A-Za-z0-9_-]+", "_", path.stem)
    return _read(path.parent, path.name, name)


def _read(folder: Traversable, file: str, name: str) -> MappingFile:
    return MappingFile(name, read_text(folder, file), validate(Mapping, read_yaml(folder, file)))
