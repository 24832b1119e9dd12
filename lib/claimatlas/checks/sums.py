"""Check that published counts add up across levels of place and across dimensions.

It runs in the driver on Arrow columns: cells are few, and as a Spark query it was the most expensive one of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from claimatlas.checks.nesting import parts_and_sums
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.settings import HOSPITAL, SECTOR
from claimatlas.tables.published import aligned, summed_where_null
from claimatlas.tables.schemas import ALL

PUBLISHED, PLACES, WITH_UNKNOWN, MEMBERS = "published", "places", "places_and_unknown", "members"
"""The kinds of parts: the cell itself; its smallest places; these with the members of unknown domicile; all members
that were counted before cells were formed.
"""
FIGURES = ("numerator", "denominator")
_PLACE = ("geo_level", "geo_code")
_PARTS = (PUBLISHED, PLACES, HOSPITAL, SECTOR)


class Members(NamedTuple):
    """How many members a population has in a year, and how many of them have an unknown domicile."""

    number: int
    unknown_domicile: int


Counted = Mapping[tuple[str, int], Members]
"""The members that were counted, by the population's name and the year."""


@dataclass(frozen=True)
class _Sum:
    """A sum that cells are compared with: its name, the cells, its two figures, and the cells that must equal it."""

    name: str
    applies: pa.Array
    numerator: pa.Array
    denominator: pa.Array
    exact: pa.Array


def measure_sums(
    cells: pa.Table, configuration: Configuration, years: Sequence[int], counted: Counted
) -> list[dict[str, Any]]:
    """Compare every published count with the sums that it must be.

    Grain in: one row per cell, as in gold; indicators that the configuration does not declare are left out. Grain
    out: one row per ``indicator_id``, ``year``, ``geo_level`` and ``sum``, with ``compared`` and ``wrong`` (how many
    cells), and ``example``: the first wrong cell with its ``published_`` and ``summed_numerator`` and
    ``_denominator``, and ``exact``: whether they had to be equal; null without a wrong one.

    ``sum`` is ``places`` (a larger place is its smallest places; the country may be more, as it counts unknown
    domiciles), ``places_and_unknown`` (the country's denominator is its smallest places and the unknown domiciles of
    ``counted``), ``members`` (it is the number of ``counted``, where there is one country), ``hospital`` or ``sector``
    (together not more than the country), or a dimension (``all`` is its values, ``unknown`` too; not in a year in which
    it was not computed; of a column of the claim lines each value has the denominator of ``all``). What is not
    computable counts as 0 on both sides.
    """
    declared = pc.is_in(cells["indicator_id"], pa.array([i.id for i in configuration.indicators], pa.string()))
    judged = aligned(cells.filter(declared), configuration.dimensions.names)
    found: list[dict[str, Any]] = []
    for year in sorted(set(years)):
        of_year = judged.filter(pc.equal(judged["year"], year))
        if of_year.num_rows:
            found += _OneYear(configuration, year, of_year).measured(counted)
    return found


class _OneYear:
    """The sums of one year's cells, ``aligned``."""

    def __init__(self, configuration: Configuration, year: int, cells: pa.Table) -> None:
        names = configuration.dimensions.names
        self.cell = (*_PLACE, *names)
        self.key = ("indicator_id", *self.cell)
        self.dimensions = [name for name in names if cells[name].null_count < cells.num_rows]
        """Those that were computed: in a year from before one was declared nothing is split by it."""
        self.parts = (*_PARTS, *self.dimensions)
        self.cells = summed_where_null(cells).select([*self.key, *FIGURES])
        self.configuration = configuration
        self.year = year
        self.levels = configuration.settings.geography.levels
        self.country_level = configuration.settings.geography.country_level
        countries = {p.parents[self.country_level] for p in configuration.geography.vintage(year).values()}
        self.country = countries.pop() if len(countries) == 1 else None
        """The code of the country; ``None`` where there are several."""
        self.by_finest: dict[str, list[Indicator]] = {}
        for indicator in configuration.indicators:
            finest = _finest(indicator, self.levels)
            if finest:
                self.by_finest.setdefault(finest, []).append(indicator)
        self.nested = {
            finest: parts_and_sums(configuration.geography, self.country_level, finest, year)
            for finest in self.by_finest
        }
        """By level of the parts: the larger places of each part, and whether a larger place is all of its parts."""

    def measured(self, counted: Counted) -> Iterator[dict[str, Any]]:
        totals = self._totals(self.cells)
        for kind in self._sums(totals, counted):
            yield from self._compared(totals, kind)

    def _totals(self, cells: pa.Table) -> pa.Table:
        """Each cell as published and as the sum of each kind of parts.

        One row per cell that is published or that has a part: ``<part>_numerator`` and ``<part>_denominator`` for
        each of the parts, 0 without any.
        """
        parts = [(PUBLISHED, cells), *self._parts(cells)]
        wide, names = [], self._sum_names()
        for name, rows in parts:
            figures = {f"{name}_{figure}": pc.fill_null(rows[figure], 0) for figure in FIGURES}
            nothing = pa.nulls(rows.num_rows, pa.int64())
            columns = [figures.get(f"{part}_{figure}", nothing) for part in self.parts for figure in FIGURES]
            wide.append(pa.table([*[rows[name] for name in self.key], *columns], names=[*self.key, *names]))
        grouped = pa.concat_tables(wide).group_by(list(self.key)).aggregate([(name, "sum") for name in names])
        sums = [pc.fill_null(grouped[f"{name}_sum"], 0) for name in names]
        has_places = pc.or_(
            pc.is_valid(grouped[f"{PUBLISHED}_numerator_sum"]), pc.is_valid(grouped[f"{PLACES}_numerator_sum"])
        )
        names = [*self.key, *names, "_has_places"]
        return pa.table([*[grouped[name] for name in self.key], *sums, has_places], names=names)

    def _sum_names(self) -> list[str]:
        return [f"{part}_{figure}" for part in self.parts for figure in FIGURES]

    def _parts(self, cells: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        """Cells as parts of other cells, with the key of the cell that they are a part of."""
        for name in self.dimensions:
            yield name, _with(cells.filter(pc.not_equal(cells[name], ALL)), name, ALL)
        if self.country is not None:
            for level in (HOSPITAL, SECTOR):
                rows = cells.filter(pc.equal(cells["geo_level"], level))
                yield level, _with(_with(rows, "geo_level", self.country_level), "geo_code", self.country)
        for finest, indicators in self.by_finest.items():
            yield from ((PLACES, rows) for rows in self._places(cells, finest, indicators))

    def _places(self, cells: pa.Table, finest: str, indicators: Sequence[Indicator]) -> Iterator[pa.Table]:
        """The smallest places, repeated for each larger level of their indicator."""
        nested = self.nested[finest]
        for level in self.levels[: self.levels.index(finest)]:
            ids = [indicator.id for indicator in indicators if level in indicator.levels]
            lies_in = {
                code: parent
                for (part_level, code), (parents, _) in nested.items()
                if part_level == finest
                for parent_level, parent, _ in parents
                if parent_level == level
            }
            is_part = pc.and_(
                pc.and_(pc.equal(cells["geo_level"], finest), _is_in(cells["indicator_id"], ids)),
                _is_in(cells["geo_code"], lies_in),
            )
            rows = cells.filter(is_part)
            place = pc.index_in(rows["geo_code"], pa.array(list(lies_in), pa.string()))
            parents = pa.DictionaryArray.from_arrays(place.combine_chunks(), pa.array(lies_in.values(), pa.string()))
            yield _with(_with(rows, "geo_level", level), "geo_code", parents.cast(pa.string()))

    def _sums(self, totals: pa.Table, counted: Counted) -> Iterator[_Sum]:
        """The sums that the cells are compared with."""
        is_country = pc.equal(totals["geo_level"], self.country_level)
        whole = self._whole(totals)
        yield _sum(totals, PLACES, PLACES, pc.is_valid(whole), pc.fill_null(whole, True))
        for level in (HOSPITAL, SECTOR):
            ids = [i.id for i in self.configuration.indicators if level in i.levels]
            applies = pc.and_(is_country, _is_in(totals["indicator_id"], ids))
            yield _sum(totals, level, level, applies, _all(totals, value=False))
        of_lines = [name for name in self.dimensions if name in self.configuration.dimensions.of_lines]
        yield from (self._of_lines(totals, name) for name in of_lines)
        for name in (name for name in self.dimensions if name not in of_lines):
            ids = [i.id for i in self.configuration.indicators if name in i.dimensions]
            applies = pc.and_(pc.equal(totals[name], ALL), _is_in(totals["indicator_id"], ids))
            yield _sum(totals, name, name, applies, _all(totals, value=True))
        total = is_country
        for name in self.configuration.dimensions.names:
            total = pc.and_(total, pc.equal(totals[name], ALL))
        yield from self._members(totals, total, counted)

    def _of_lines(self, totals: pa.Table, name: str) -> _Sum:
        """The sum over the values of a column of the claim lines: each has the denominator of the cell itself."""
        number = len(self.configuration.dimensions.values(name, "beneficiary_years"))
        ids = [i.id for i in self.configuration.indicators if name in i.dimensions]
        applies = pc.and_(pc.equal(totals[name], ALL), _is_in(totals["indicator_id"], ids))
        whole, summed = totals[f"{PUBLISHED}_denominator"], totals[f"{name}_denominator"]
        is_each = pc.equal(summed, pc.multiply(whole, number))
        return _Sum(
            name, applies, totals[f"{name}_numerator"], pc.if_else(is_each, whole, summed), _all(totals, value=True)
        )

    def _members(self, totals: pa.Table, is_total: pa.Array, counted: Counted) -> Iterator[_Sum]:
        """The country's denominators, compared with the members that were counted before cells were formed."""
        domicile_level = self.configuration.settings.geography.domicile_level
        exact, numerator = _all(totals, value=True), totals[f"{PUBLISHED}_numerator"]
        for (population, year), members in counted.items():
            if year != self.year:
                continue
            of_all = [i for i in self.configuration.indicators if i.population == population and not i.denominator]
            with_domiciles = [i.id for i in of_all if domicile_level in i.levels]
            applies = pc.and_(is_total, _is_in(totals["indicator_id"], with_domiciles))
            summed = pc.add(totals[f"{PLACES}_denominator"], members.unknown_domicile)
            yield _Sum(WITH_UNKNOWN, applies, numerator, summed, exact)
            if self.country is not None:
                applies = pc.and_(is_total, _is_in(totals["indicator_id"], [i.id for i in of_all]))
                yield _Sum(MEMBERS, applies, numerator, pa.repeat(members.number, totals.num_rows), exact)

    def _whole(self, totals: pa.Table) -> pa.Array:
        """Whether the places of a cell cover it completely; null when it is not a sum of places."""
        whole = pa.nulls(totals.num_rows, pa.bool_())
        for finest, indicators in self.by_finest.items():
            of_finest = pc.and_(totals["_has_places"], _is_in(totals["indicator_id"], [i.id for i in indicators]))
            by_level: dict[str, dict[str, bool]] = {}
            for (level, code), (_, is_whole) in self.nested[finest].items():
                if is_whole is not None:
                    by_level.setdefault(level, {})[code] = is_whole
            for level, codes in by_level.items():
                at_level = pc.and_(of_finest, pc.equal(totals["geo_level"], level))
                for value in (True, False):
                    of_value = [code for code, is_whole in codes.items() if is_whole is value]
                    here = pc.and_(at_level, _is_in(totals["geo_code"], of_value))
                    whole = pc.if_else(here, value, whole)
        return whole

    def _compared(self, totals: pa.Table, kind: _Sum) -> Iterator[dict[str, Any]]:
        published = [totals[f"{PUBLISHED}_{figure}"] for figure in FIGURES]
        summed = [kind.numerator, kind.denominator]
        equal = pc.and_(pc.equal(summed[0], published[0]), pc.equal(summed[1], published[1]))
        not_more = pc.and_(pc.less_equal(summed[0], published[0]), pc.less_equal(summed[1], published[1]))
        wrong = pc.invert(pc.if_else(kind.exact, equal, not_more))
        columns = [*[totals[name] for name in self.key], kind.exact, *published, *summed, wrong]
        names = [*self.key, "exact", *[f"{side}_{figure}" for side in ("published", "summed") for figure in FIGURES]]
        rows = pa.table(columns, names=[*names, "_wrong"]).filter(kind.applies)
        examples: dict[tuple[str, str], dict[str, Any]] = {}
        order = [(name, "ascending") for name in self.cell[1:]]
        for row in rows.filter(rows["_wrong"]).sort_by(order).to_pylist():
            examples.setdefault((row["indicator_id"], row["geo_level"]), row)
        counts = rows.group_by(["indicator_id", "geo_level"]).aggregate([("_wrong", "count"), ("_wrong", "sum")])
        for row in counts.to_pylist():
            indicator, level = row["indicator_id"], row["geo_level"]
            found = {"indicator_id": indicator, "year": self.year, "geo_level": level, "sum": kind.name}
            found |= {"compared": row["_wrong_count"], "wrong": row["_wrong_sum"]}
            yield {**found, "example": examples.get((indicator, level))}


def _sum(totals: pa.Table, name: str, part: str, applies: pa.Array, exact: pa.Array) -> _Sum:
    return _Sum(name, applies, totals[f"{part}_numerator"], totals[f"{part}_denominator"], exact)


def _with(rows: pa.Table, name: str, value: str | pa.Array) -> pa.Table:
    values = pa.repeat(value, rows.num_rows) if isinstance(value, str) else value
    return rows.set_column(rows.schema.get_field_index(name), name, values)


def _is_in(column: pa.ChunkedArray, values: object) -> pa.ChunkedArray:
    return pc.is_in(column, pa.array(list(values), pa.string()))  # type: ignore[call-overload]


def _all(totals: pa.Table, *, value: bool) -> pa.Array:
    return pa.repeat(value, totals.num_rows)


def _finest(indicator: Indicator, levels: Sequence[str]) -> str | None:
    """The smallest level of an indicator, not counting sectors."""
    return max((level for level in indicator.levels if level in levels), key=levels.index, default=None)
