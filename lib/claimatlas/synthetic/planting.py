"""Plant rows that an ingest must reject beside the sound ones, which stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claimatlas.ingest.contract import InputTable
from claimatlas.synthetic.defects import Defect, claims_defects, hospital_stays_defects, population_defects
from claimatlas.synthetic.planted_rows import (
    losing_claims,
    losing_population,
    sound_claims,
    sound_hospital_stays,
    sound_population,
)
from claimatlas.synthetic.stays import EVERYDAY_STAY_SHARE, EVERYDAY_STAYS
from claimatlas.synthetic.world import LINES_PER_PERSON_YEAR, World

MALFORMED = "malformed_row"
LINE = "line"
"""The only column of malformed rows: a whole line of the file."""
_FIELDS_LEFT_OUT = 2


@dataclass(frozen=True)
class Planted:
    """What is planted in one table.

    Attributes:
        rows: all text; rows with one defect each, and rows that share a key with a sound row and lose to it.
        malformed: lines with too few or too many fields; for CSV only.
        reasons: number of rows by the reason to reject them.
    """

    rows: DataFrame
    malformed: DataFrame | None
    reasons: dict[str, int]


@dataclass(frozen=True)
class _Kind:
    sound: Callable[[World, DataFrame], DataFrame]
    defects: Callable[[], list[Defect]]
    losing: Callable[[SparkSession, World, int], DataFrame] | None
    rows_per_person_year: float


_KINDS = {
    "claims": _Kind(sound_claims, claims_defects, losing_claims, LINES_PER_PERSON_YEAR),
    "population": _Kind(sound_population, population_defects, losing_population, 1),
    "hospital_stays": _Kind(sound_hospital_stays, hospital_stays_defects, None, EVERYDAY_STAYS * EVERYDAY_STAY_SHARE),
}


def plant(spark: SparkSession, world: World, table: InputTable) -> Planted:
    """The rows to be rejected of an input table: of every kind alike, together about the share ``dirty``."""
    kind, defects = _KINDS[table.name], _KINDS[table.name].defects()
    names = [column.name for column in table.columns]
    in_lines = world.parameters.format == "csv"
    kinds = len(defects) + (kind.losing is not None) + in_lines
    person_years = world.parameters.beneficiaries * len(world.parameters.years)
    each = max(1, round(world.parameters.dirty * person_years * kind.rows_per_person_year / kinds))
    spoiled = each * len(defects)
    files = world.files(world.parameters.dirty)
    rows = _spoil(as_text(kind.sound(world, spark.range(0, spoiled, 1, files)), names, "id"), defects, names)
    reasons = {defect.reason: each for defect in defects}
    if kind.losing is not None:
        losers = as_text(kind.losing(spark, world, each), names)
        reasons[table.duplicate_reason] = losers.count()
        rows = rows.unionByName(losers)
    malformed = None
    if in_lines:
        # Their numbers go on where the others end, so that their ids are new too.
        sound = kind.sound(world, spark.range(spoiled, spoiled + each, 1, files))
        malformed = _break_lines(as_text(sound, names, "id"), names)
        reasons[MALFORMED] = each
    return Planted(rows, malformed, reasons)


def as_text(df: DataFrame, names: Sequence[str], *kept: str) -> DataFrame:
    """The columns ``names`` as text, as a CSV file would have them."""
    return df.select(*kept, *[F.col(name).cast("string").alias(name) for name in names])


def _spoil(rows: DataFrame, defects: Sequence[Defect], names: Sequence[str]) -> DataFrame:
    """Give row after row the next defect, and every time round the next way to have it."""
    number, turn = F.col("id") % len(defects), F.floor(F.col("id") / len(defects))

    def spoiled(name: str) -> Column:
        column = F.col(name)
        for index, defect in enumerate(defects):
            for way, changes in enumerate(defect.ways):
                if name in changes:
                    has_it = (number == index) & (turn % len(defect.ways) == way)
                    column = F.when(has_it, changes[name]).otherwise(column)
        return column.alias(name)

    return rows.select(*[spoiled(name) for name in names])


def _break_lines(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """Lines that lack the last fields or have one too many, in turn."""
    fields = [F.coalesce(F.col(name), F.lit("")) for name in names]
    short = F.concat_ws(",", *fields[:-_FIELDS_LEFT_OUT])
    long = F.concat_ws(",", *fields, F.lit("surplus"))
    return rows.select(F.when(F.col("id") % 2 == 0, short).otherwise(long).alias(LINE))
