"""Write one input table to silver: one pass over the keys of the raw rows, then one over the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.errors import ClaimatlasError
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.read.rows import SOURCE_FILE
from claimatlas.ingest.validate.duplicates import RANK, rank_duplicates
from claimatlas.ingest.validate.rows import ODDITIES, OPEN, REASONS, REPEATED, ROW
from claimatlas.runs.context import RunContext
from claimatlas.tables.spark_types import SPARK_TYPES
from claimatlas.tables.store import MAX_HELD

_CARRIED = T.StructType(
    [
        T.StructField("source_file", T.StringType()),
        T.StructField("reasons", T.ArrayType(T.StringType())),
        T.StructField("row", T.StringType()),
        T.StructField("first", T.StringType()),
        T.StructField("year", T.IntegerType()),
    ]
)
"""The JSON that a row to be judged later carries in its first column."""


@dataclass
class Loaded:
    """What became of the rows of one input table; ``accepted + rejected = read``.

    ``facts``: the aggregates that were asked for, of the rows written at once and of those added afterwards.
    ``oddities``: how many rows are odd in each way, rejected ones among them; more where Spark ran a task twice.
    ``words``: for a column of text the words of it that programs write for no value, with their rows.
    ``late``: for a column of dates the rows whose time is 22:00 or 23:00 without a zone.
    ``examples``: for a reason of ``reasons`` a value that was not understood and is no person's.
    """

    table: str
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    rejected_rows: DataFrame | None = None
    facts: list[dict[str, Any]] = field(default_factory=list)
    oddities: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, int]] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)

    @property
    def rejected_share(self) -> float:
        """Rejected rows over rows read, those left out by a declaration aside; 0 for an empty table."""
        declared = sum(count for reason, count in self.reasons.items() if reason.startswith(OPEN))
        return max(0, self.rejected - declared) / self.read if self.read else 0.0


def load_table(
    context: RunContext,
    validated: DataFrame,
    table: InputTable,
    facts: Callable[[Column], Mapping[str, Column]] | None = None,
    *,
    some_repeated: bool,
) -> Loaded:
    """Replace a silver table by the accepted rows of ``validated`` and give back the rejected ones.

    Every row is written once. Rows that were rejected, and the few whose key may stand more than once, travel in
    the same write, in a partition of their own (``year`` null) that is taken out again before the function
    returns: a second write of all rows, or a second reading of the raw files, would cost as much as the first.

    Args:
        context: where silver is, and the run that rejects.
        validated: the result of ``validate_rows``, told which keys are repeated.
        table: which table it is.
        facts: aggregates to take of the rows as they are written, given which of them are accepted.
        some_repeated: whether a key may stand on more than one row.

    Raises:
        ClaimatlasError: rows were lost or made on the way, which must not be.
    """
    store, run_id, silver = context.store, context.record.run_id, table.silver
    observed = Observation()
    written_at_once = facts((F.size(REASONS) == 0) & ~F.col(REPEATED)) if facts else {}
    counts = {**{name: F.count_if(name) for name in ODDITIES}, **written_at_once}
    counting = validated.observe(observed, *[value.alias(name) for name, value in counts.items()])
    store.replace(_in_order(_setting_aside(counting, table), table), silver, None, {"run_id": run_id})
    found = [{name: observed.get[name] for name in written_at_once}] if facts else []
    oddities = {name: int(observed.get[name]) for name in ODDITIES}
    written = store.rows_by_year(silver)
    read = sum(written.values())
    judged = _Judged()
    if aside := written.get(None, 0):
        judged = _judge_aside(context, table, aside, facts, some_repeated=some_repeated)
        found += judged.facts
        written = store.rows_by_year(silver)
    loaded = Loaded(
        table=table.name,
        read=read,
        accepted=sum(written.values()),
        rejected=judged.number,
        reasons=judged.reasons,
        rejected_rows=None if judged.rejected is None else rejected_rows(judged.rejected, table, run_id),
        facts=found,
        oddities=oddities,
    )
    if loaded.accepted + loaded.rejected != loaded.read:
        raise ClaimatlasError(
            f"{table.name}: {loaded.accepted} accepted and {loaded.rejected} rejected rows do not add up to the "
            f"{loaded.read} rows read. Nothing was published; please report this."
        )
    return loaded


@dataclass
class _Judged:
    """The rejected ones among the rows that were set aside, their number and reasons, and facts of the rest."""

    rejected: DataFrame | None = None
    number: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=list)


def _judge_aside(
    context: RunContext,
    table: InputTable,
    aside: int,
    facts: Callable[[Column], Mapping[str, Column]] | None,
    *,
    some_repeated: bool,
) -> _Judged:
    """Take the ``aside`` rows without a year out of silver, and put back those that are not duplicates."""
    store, silver = context.store, table.silver
    rows, stays = store.without_year(silver, aside)
    # Materialise them if deleting from the table would remove them.
    rows = _set_aside(rows if stays else store.materialise(rows, f"aside_{table.name}"), table)
    rejected = rows.where(F.size(REASONS) > 0).select(SOURCE_FILE, REASONS, ROW)
    ranked = None
    if some_repeated:
        ranked = rank_duplicates(rows.where(F.size(REASONS) == 0), table)
        reason = F.array(F.lit(table.duplicate_reason)).alias(REASONS)
        rejected = rejected.unionByName(ranked.where(F.col(RANK) > 1).select(SOURCE_FILE, reason, ROW))
    judged = _Judged(rejected, *count_rejected(rejected, REASONS))
    store.delete(silver, "year IS NULL")
    if ranked is not None and judged.number < aside:
        staying = ranked.where(F.col(RANK) == 1)
        metadata = {"run_id": context.record.run_id}
        store.append(staying.select(*silver.column_names), silver, metadata, is_few=aside <= MAX_HELD)
        if facts:
            added = [value.alias(name) for name, value in facts(F.lit(True)).items()]
            judged.facts = [row.asDict() for row in staying.agg(*added).collect()]
    return judged


def count_rejected(rows: DataFrame, reasons: str) -> tuple[int, dict[str, int]]:
    """The number of rows, and the number of rows with each reason. ``reasons``: the column with a row's reasons."""
    by_reasons = rows.groupBy(reasons).agg(F.count(F.lit(1)).alias("rows")).collect()
    counts: Counter[str] = Counter()
    for row in by_reasons:
        counts.update(dict.fromkeys(row[reasons], row["rows"]))
    return sum(row["rows"] for row in by_reasons), dict(sorted(counts.items()))


def rejected_rows(rows: DataFrame, table: InputTable, run_id: str, *beside: Column) -> DataFrame:
    """Rows with ``_source_file``, ``_reasons`` and ``_row`` as rows of ``silver/rejected``, with columns ``beside``."""
    return rows.select(
        F.col(SOURCE_FILE).alias("source_file"),
        F.col(REASONS).alias("reasons"),
        F.col(ROW).alias("row"),
        F.lit(run_id).alias("run_id"),
        F.lit(table.name).alias("table"),
        *beside,
    )


def _setting_aside(validated: DataFrame, table: InputTable) -> DataFrame:
    """Sound rows stay as they are. The others get no year, and their first column holds as JSON what was set aside."""
    sound, stays = F.size(REASONS) == 0, (F.size(REASONS) == 0) & ~F.col(REPEATED)
    first, *others = [name for name in table.silver.column_names if name != "year"]
    carried = F.to_json(
        F.struct(
            F.col(SOURCE_FILE).alias("source_file"),
            F.col(REASONS).alias("reasons"),
            F.col(ROW).alias("row"),
            F.when(sound, F.col(first)).alias("first"),
            "year",
        )
    )
    types = {column.name: SPARK_TYPES[column.type] for column in table.silver.columns}
    columns = [F.when(stays, F.col(first)).otherwise(carried).alias(first)]
    columns += [F.when(sound, F.col(name)).cast(types[name]).alias(name) for name in others]
    return validated.select(*columns, F.when(stays, F.col("year")).alias("year"))


def _in_order(shaped: DataFrame, table: InputTable) -> DataFrame:
    """Sort claims by year and, within a year, by code.

    Later reads then skip row groups without the codes that they need.

    A code that is a number forms one number with the year: Spark sorts by one number several times as fast as by two
    columns.
    """
    codes = next((column.codes for column in table.columns if column.codes), None)
    if codes is None:
        return shaped
    year = F.coalesce("year", F.lit(9999))
    if not codes.are_numbers:
        return shaped.sortWithinPartitions(year, "nomenclature_code")
    width = codes.bounds[1] + 1
    return shaped.sortWithinPartitions(year.cast("bigint") * width + F.coalesce("nomenclature_code", F.lit(0)))


def _set_aside(written: DataFrame, table: InputTable) -> DataFrame:
    """The rows without a year, with the values that they had after validation."""
    first, *others = [name for name in table.silver.column_names if name != "year"]
    rows = written.withColumn("_carried", F.from_json(first, _CARRIED))
    return rows.select(
        F.col("_carried.first").alias(first),
        *others,
        F.col("_carried.year").alias("year"),
        F.col("_carried.source_file").alias(SOURCE_FILE),
        F.col("_carried.reasons").alias(REASONS),
        F.col("_carried.row").alias(ROW),
    )
