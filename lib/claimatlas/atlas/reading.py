"""Read the published tables for the atlas. This module opens nothing else of an output, and never gold."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import write_csv

from claimatlas.atlas.cells import Cell
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.reader import named
from claimatlas.tables.schemas import ALL, LEDGER, PUBLISHED_AUDITS, PUBLISHED_CELLS, WITHDRAWALS, dimensions_among

_PLACE = ("indicator_id", "year", "geo_level", "geo_code", "geo_vintage")
_FIGURES = (
    *("numerator", "denominator", "value", "ci_low", "ci_high", "value_low", "value_high"),
    *("comparison", "trend", "confidentiality", "reliability", "status", "release"),
)

_TYPES = {"string": pa.string(), "int": pa.int32(), "bigint": pa.int64(), "double": pa.float64()}
_COLUMNS = {column.name: _TYPES[column.type] for column in PUBLISHED_CELLS.columns}

TotalKey = tuple[str, int, str, str]
"""Indicator, year, level, place."""


@dataclass(frozen=True)
class Withdrawal:
    """A release that was withdrawn: when, and why."""

    release: int
    on: date
    reason: str


class PublishedCells:
    """The published cells of one release of an output."""

    def __init__(self, output: str, release: int) -> None:
        self._reader = DeltaReader(output)
        self.release = release

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that the published table has, in its order."""
        return tuple(dimensions_among(self._reader.columns(PUBLISHED_CELLS)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of every download, in their order."""
        return (*_PLACE, *self.dimensions, *_FIGURES)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell the cells of a release apart."""
        return (*_PLACE, *self.dimensions)

    @property
    def _schema(self) -> pa.Schema:
        return pa.schema([(name, _COLUMNS.get(name, pa.string())) for name in self.columns])

    @cached_property
    def years_of_indicators(self) -> dict[str, tuple[int, ...]]:
        """The years of each indicator of the release, in their order."""
        if not self._reader.exists(PUBLISHED_CELLS):
            return {}
        columns = named("indicator_id", "year")
        rows = self._reader.rows(PUBLISHED_CELLS, columns, {"release": self.release}, distinct=True)
        names = sorted({row["indicator_id"] for row in rows})
        return {name: tuple(sorted(row["year"] for row in rows if row["indicator_id"] == name)) for name in names}

    @cached_property
    def levels(self) -> frozenset[str]:
        """The levels that cells are published for."""
        rows = self._reader.rows(PUBLISHED_CELLS, named("geo_level"), {"release": self.release}, distinct=True)
        return frozenset(row["geo_level"] for row in rows)

    @cached_property
    def _all(self) -> pa.Table:
        """All cells of the release, read once; texts by number, as there are few different ones."""
        rows = pa.table(self._reader.batches(PUBLISHED_CELLS, named(*self.columns), {"release": self.release}))
        keys = ("indicator_id", "year", "geo_level", "geo_code", *self.dimensions)
        rows = (
            _summed_where_null(rows.cast(self._schema), self.dimensions)
            .sort_by([(name, "ascending") for name in keys])
            .combine_chunks()
        )
        for position, field in enumerate(rows.schema):
            if field.type == pa.string():
                rows = rows.set_column(position, field.name, rows.column(position).dictionary_encode())
        return rows

    def table_of(self, indicator: str) -> pa.Table:
        """All cells of an indicator with the columns of the downloads, by year, level, place and split."""
        return self._all.filter(pc.equal(self._all["indicator_id"], indicator)).cast(self._schema).combine_chunks()

    def digest_of(self, indicator: str) -> str:
        """SHA-256 of an indicator's cells without the release: the same for the same figures."""
        stream = io.BytesIO()
        write_csv(self.table_of(indicator).drop_columns(["release"]), stream)
        return hashlib.sha256(stream.getvalue()).hexdigest()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all cells of the release; of nothing where there are none."""
        lines = [f"{name} {self.digest_of(name)}\n" for name in self.years_of_indicators]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def cells_of(self, indicator: str) -> list[Cell]:
        """The same as cells."""
        return list(_as_cells(self.table_of(indicator), self.dimensions))

    @cached_property
    def totals(self) -> dict[TotalKey, Cell]:
        """The cells of all indicators that are split by nothing but place."""
        rows = self._all
        for name in self.dimensions:
            rows = rows.filter(pc.equal(rows[name], ALL))
        return {
            (cell.indicator_id, cell.year, cell.geo_level, cell.geo_code): cell
            for cell in _as_cells(rows, self.dimensions)
        }

    @cached_property
    def audits(self) -> list[dict[str, Any]]:
        """What the audit of each year found, by year."""
        if not self._reader.exists(PUBLISHED_AUDITS):
            return []
        rows = self._reader.rows(PUBLISHED_AUDITS, where={"release": self.release})
        return [{**row, "record": json.loads(row["record"])} for row in sorted(rows, key=lambda row: int(row["year"]))]


def candidates(output: str) -> list[int]:
    """The releases that cells are there of, in their order."""
    reader = DeltaReader(output)
    if not reader.exists(PUBLISHED_CELLS):
        return []
    return sorted(row["release"] for row in reader.rows(PUBLISHED_CELLS, named("release"), distinct=True))


def newest_candidate(output: str) -> int | None:
    """The newest release that cells are there of; nothing without any."""
    return max(candidates(output), default=None)


def first_published(output: str) -> dict[int, date]:
    """The day on which each published release was published first, by the ledger."""
    reader = DeltaReader(output)
    if not reader.exists(LEDGER):
        return {}
    columns = named("release", "published_at")
    found: dict[int, date] = {}
    for row in reader.rows(LEDGER, columns, distinct=True):
        day = row["published_at"].date()
        found[row["release"]] = min(day, found.get(row["release"], day))
    return dict(sorted(found.items()))


def withdrawals_of(output: str) -> dict[int, Withdrawal]:
    """The withdrawn releases."""
    reader = DeltaReader(output)
    if not reader.exists(WITHDRAWALS):
        return {}
    rows = sorted(reader.rows(WITHDRAWALS), key=lambda row: int(row["release"]))
    return {row["release"]: Withdrawal(row["release"], row["withdrawn_at"].date(), row["reason"]) for row in rows}


def _as_cells(table: pa.Table, dimensions: Sequence[str]) -> Iterator[Cell]:
    values: Mapping[str, list[Any]] = {name: table.column(name).to_pylist() for name in table.column_names}
    # Without dimensions every cell has the empty split.
    splits = zip(*(values[name] for name in dimensions), strict=True) if dimensions else [()] * table.num_rows
    others = [name for name in table.column_names if name not in dimensions]
    for split, *row in zip(splits, *(values[name] for name in others), strict=True):
        yield Cell(split=split, **dict(zip(others, row, strict=True)))


def _summed_where_null(table: pa.Table, dimensions: Sequence[str]) -> pa.Table:
    """The cells with ``all`` in a dimension that there was not when they were published."""
    for name in dimensions:
        filled = pc.fill_null(table[name], ALL)
        table = table.set_column(table.schema.get_field_index(name), name, filled)
    return table
