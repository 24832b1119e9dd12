"""Find one published cell, and count again what is in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.cube import places
from claimatlas.cells.members import beneficiary_counts, delivery_counts
from claimatlas.cells.numerators import denominator_column, numerator_column
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import DIMENSIONS, Indicator
from claimatlas.configuration.settings import HOSPITAL, SECTOR
from claimatlas.errors import InputError
from claimatlas.tables.published import cells_by_table
from claimatlas.tables.releases import Published
from claimatlas.tables.schemas import ALL, CELL_DIMENSIONS, CLAIMS, Table, deliveries_table
from claimatlas.tables.store import Store


@dataclass(frozen=True)
class CellKey:
    """Which cell: ``geo_level`` may be left open when the code says enough; dimensions not named are ``all``."""

    indicator: str
    year: int
    geo_code: str
    geo_level: str | None = None
    dimensions: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The key as a sentence names it."""
        split = [f"{name}={value}" for name, value in self.dimensions.items() if value != ALL]
        place = f"{self.geo_level} {self.geo_code}" if self.geo_level else self.geo_code
        return ", ".join([self.indicator, str(self.year), place, *split])


@dataclass(frozen=True)
class Cell:
    """A published row, and the table that it stands in."""

    table: Table
    row: dict[str, Any]


def find_cell(published: Published, key: CellKey) -> Cell:
    """The published row of a cell.

    Raises:
        InputError: no such cell, with what there is; or its code is one of several levels.
    """
    found: list[Cell] = []
    years: set[int] = set()
    for table, cells in cells_by_table(published).items():
        of_indicator = cells.where(F.col("indicator_id") == key.indicator)
        in_place = of_indicator.where((F.col("year") == key.year) & (F.col("geo_code") == key.geo_code))
        if key.geo_level is not None:
            in_place = in_place.where(F.col("geo_level") == key.geo_level)
        for dimension in CELL_DIMENSIONS:
            in_place = in_place.where(F.col(dimension) == key.dimensions.get(dimension, ALL))
        found += [Cell(table, row.asDict()) for row in in_place.collect()]
        if not found:
            years |= {row["year"] for row in of_indicator.select("year").distinct().collect()}
    if not found:
        there = f"it has the years {', '.join(map(str, sorted(years)))}" if years else "it has no such indicator"
        raise InputError(f"There is no cell {key} in the gold of {published.store.root} ({there}).")
    if len(found) > 1:
        levels = ", ".join(sorted(cell.row["geo_level"] for cell in found))
        raise InputError(f"The code {key.geo_code} is one of several levels ({levels}): say which by --geo-level.")
    return found[0]


def recount(
    store: Store, configuration: Configuration, indicator: Indicator, row: dict[str, Any]
) -> dict[str, int | None]:
    """Count the members of a cell again, from the silver that is there.

    Gives ``numerator``, ``denominator``, and what is counted beside them: where domiciles come from,
    flags, carried codes. What rests on a flag that is null of a member is null: it was not computed.
    """
    if indicator.population == "deliveries":
        finest = delivery_counts(store.read(deliveries_table(configuration)), configuration, [indicator], [row["year"]])
    else:
        finest = beneficiary_counts(store, configuration, [indicator], [row["year"]], store.read(CLAIMS)).finest
    inside = _in_place(finest, configuration, row)
    for dimension in DIMENSIONS[indicator.population]:
        if row[dimension] != ALL:
            inside = inside.where(F.col(dimension) == row[dimension])
    numerator, denominator = numerator_column(indicator), denominator_column(indicator)
    keys = {"year", SECTOR, "hospital_id", configuration.settings.geography.domicile_level}
    beside = [
        name
        for name in finest.columns
        if name not in {numerator, denominator, *keys, *DIMENSIONS[indicator.population]}
    ]
    sums = {"numerator": numerator, "denominator": denominator, **{name: name for name in beside}}
    total = inside.agg(*[_sum_of_known(name).alias(alias) for alias, name in sums.items()])
    counted = total.collect()[0].asDict()
    return {name: None if value is None else int(value) for name, value in counted.items()}


def _sum_of_known(name: str) -> Column:
    """The sum; 0 of nothing, and null where a part is."""
    return F.when(F.count_if(F.col(name).isNull()) == 0, F.coalesce(F.sum(name), F.lit(0)))


def _in_place(finest: DataFrame, configuration: Configuration, row: dict[str, Any]) -> DataFrame:
    level, code = row["geo_level"], row["geo_code"]
    if level == SECTOR:
        return finest.where(F.col(SECTOR) == code)
    if level == HOSPITAL:
        return finest.where(F.col("hospital_id") == code)
    inside = places(finest.sparkSession, configuration, [row["year"]]).where(
        (F.col("geo_level") == level) & (F.col("geo_code") == code)
    )
    of_domicile = configuration.settings.geography.domicile_level
    return finest.join(
        F.broadcast(inside.select("_place")), on=F.col(of_domicile).eqNullSafe(F.col("_place")), how="left_semi"
    )
