"""Plant rows that an ingest must reject beside the sound ones, which stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claimatlas.ingest.contract import CLAIMS_INPUT, HOSPITAL_STAYS_INPUT, POPULATION_INPUT, InputTable
from claimatlas.synthetic.defects import Defect, claims_defects, hospital_stays_defects, population_defects
from claimatlas.synthetic.dice import below, lookup, lookup_text
from claimatlas.synthetic.everyday import make_everyday_lines
from claimatlas.synthetic.identifiers import PLANTED, beneficiary_id, claim_id
from claimatlas.synthetic.offers import DELIVERY_TYPES
from claimatlas.synthetic.people import make_people, make_person_years
from claimatlas.synthetic.population import make_population
from claimatlas.synthetic.stays import EVERYDAY_STAY_SHARE, EVERYDAY_STAYS
from claimatlas.synthetic.world import World

MALFORMED = "malformed_row"
LINE = "line"
"""The only column of malformed rows: the whole line of the file."""
_FIELDS_LEFT_OUT = 2


@dataclass(frozen=True)
class Planted:
    """What is planted in one table.

    Attributes:
        rows: rows with one defect each, and rows that share a key with a sound row and lose to it; all text.
        malformed: lines with too few or too many fields, for CSV only.
        reasons: how many rows are to be rejected, by reason.
    """

    rows: DataFrame
    malformed: DataFrame | None
    reasons: dict[str, int]


def plant(spark: SparkSession, world: World, table: InputTable) -> Planted:
    """The rows to be rejected of an input table: about the share ``dirty`` of its rows, of every kind."""
    base, defects, duplicates, expected = _KINDS[table.name](spark, world)
    with_lines = world.parameters.format == "csv"
    kinds = len(defects) + (duplicates is not None) + with_lines
    each = max(1, round(world.parameters.dirty * expected / kinds))
    names = [column.name for column in table.columns]
    rows = _spoiled(base(spark.range(0, each * len(defects))), defects, names)
    reasons = {defect.reason: each for defect in defects}
    if duplicates is not None:
        losers = duplicates(each).select(*[F.col(name).cast("string") for name in names])
        reasons[table.duplicate_reason] = losers.count()
        rows = rows.unionByName(losers)
    malformed = None
    if with_lines:
        # Their numbers go on where the others end, so that their ids are new too.
        first = each * len(defects)
        malformed = _malformed(base(spark.range(first, first + each)), names)
        reasons[MALFORMED] = each
    return Planted(rows, malformed, reasons)
