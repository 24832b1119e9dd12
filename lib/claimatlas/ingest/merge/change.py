"""The effect of one table's batch on silver: inserts, superseded rows, rejects."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.discover.source import Source
from claimatlas.ingest.inputs import IngestOptions
from claimatlas.ingest.load.table import load_source, validated
from claimatlas.ingest.load.write import Loaded, count_rejected, rejected_rows
from claimatlas.ingest.merge.match import (
    ACCEPTED,
    ACTION,
    DUPLICATE,
    RESENT,
    SUPERSEDED,
    match_by_key,
    merge_actions,
)
from claimatlas.ingest.read.rows import SOURCE_FILE
from claimatlas.ingest.validate.duplicates import RANK, rank_duplicates
from claimatlas.ingest.validate.rows import REASONS, ROW, RowExtras
from claimatlas.runs.context import RunContext
from claimatlas.tables.locations import WORK
from claimatlas.tables.schemas import REJECTED
from claimatlas.tables.store import Store

_AS_UNDERSTOOD = "_as_understood"


@dataclass(frozen=True)
class Change:
    """What a batch of one table does to silver.

    - ``batch``: its rows that are sound by themselves; ``accepted``: those to add;
    - ``superseded``: rows of silver that a correction takes the place of;
    - ``rejected``: the batch's rows for ``silver/rejected`` that are not there yet;
    - ``counts``: ``read``, and its parts ``accepted``, ``rejected`` and ``resent`` (silver or ``silver/rejected`` has
      the row already); in addition ``superseded``;
    - ``loaded``: the same rows, those that were rejected before counted again, for the gate.
    """

    table: InputTable
    loaded: Loaded
    batch: DataFrame
    accepted: DataFrame
    superseded: DataFrame
    rejected: DataFrame
    counts: Mapping[str, int]
    reasons: Mapping[str, int]

    @property
    def is_empty(self) -> bool:
        """Whether the batch leaves silver unchanged."""
        return not any(self.counts[name] for name in ("accepted", "rejected", "superseded"))


def change_of(
    context: RunContext,
    options: IngestOptions,
    source: Source,
    table: InputTable,
    following: Iterable[tuple[Source, InputTable]] = (),
) -> Change:
    """Load a batch beside silver and compare the two. Silver does not change.

    ``following``: the tables that come after it.

    Raises:
        InputError: a file cannot be read.
    """
    store, record = context.store, context.record
    staged = dataclasses.replace(table, silver=dataclasses.replace(table.silver, name=f"{WORK}/batch_{table.name}"))
    store.create(staged.silver)
    loaded = load_source(context, options, source, staged, following)
    batch, silver = store.read(staged.silver), store.read(table.silver)
    record.progress(f"ingest: comparing {table.name} with silver", table=table.name)
    matches = match_by_key(store, batch, silver, table, loaded.accepted)
    compared = merge_actions(matches.batch, matches.silver, table)
    judged = store.materialise(compared, f"merge_actions_{table.name}")
    found = {row[ACTION]: row["count"] for row in judged.groupBy(ACTION).count().collect()}
    candidates = _rejected_by_itself(store, loaded)
    if found.get(DUPLICATE):
        lost = judged.where(F.col(ACTION) == DUPLICATE)
        candidates.append(_raw_duplicates(context, options, source, table, lost))
    rejected = _newly_rejected(store, candidates, table)
    newly, reasons = count_rejected(rejected, "reasons")
    accepted = loaded.accepted - found.get(RESENT, 0) - found.get(DUPLICATE, 0)
    return Change(
        table=table,
        loaded=dataclasses.replace(
            loaded,
            rejected=loaded.rejected + found.get(DUPLICATE, 0),
            reasons=dict(Counter(loaded.reasons) + Counter({table.duplicate_reason: found.get(DUPLICATE, 0)})),
            rejected_rows=reduce(DataFrame.unionByName, candidates).drop(_AS_UNDERSTOOD),
        ),
        batch=batch,
        accepted=matches.new.unionByName(judged.where(F.col(ACTION) == ACCEPTED).select(*table.silver.column_names)),
        superseded=judged.where(F.col(ACTION) == SUPERSEDED).select(*table.silver.column_names),
        rejected=rejected,
        counts={
            "read": loaded.read,
            "accepted": accepted,
            "rejected": newly,
            "resent": loaded.read - accepted - newly,
            "superseded": found.get(SUPERSEDED, 0),
        },
        reasons=reasons,
    )


def as_rejected(superseded: DataFrame, table: InputTable, run_id: str) -> DataFrame:
    """Superseded rows of silver, as rows of ``silver/rejected``.

    Their raw form is no longer known: ``row`` holds the parsed values, ``source_file`` is null.
    """
    rows = superseded.select(
        F.lit(None).cast("string").alias(SOURCE_FILE),
        F.array(F.lit(table.duplicate_reason)).alias(REASONS),
        _as_json(table).alias(ROW),
    )
    return rejected_rows(rows, table, run_id)


def _rejected_by_itself(store: Store, loaded: Loaded) -> list[DataFrame]:
    empty = store.spark.createDataFrame([], REJECTED.schema)
    rows = empty if loaded.rejected_rows is None else loaded.rejected_rows
    return [rows.withColumn(_AS_UNDERSTOOD, F.lit(None).cast("string"))]


def _raw_duplicates(
    context: RunContext, options: IngestOptions, source: Source, table: InputTable, lost: DataFrame
) -> DataFrame:
    """The batch's rows that duplicate a row of silver, read again: only the source has their raw form."""
    store, record = context.store, context.record
    rows = validated(context, options, source, table, RowExtras(every_row=True))
    # Materialise first. Otherwise Spark pushes the filter below the parsing and repeats each of its expressions.
    rows = store.materialise(rows, f"as_they_came_{table.name}")
    of_keys = rows.where(F.size(REASONS) == 0).join(lost.select(*table.key), on=list(table.key), how="left_semi")
    # Of several rows with one key, the others were rejected already by the same rule.
    first = rank_duplicates(of_keys, table).where(F.col(RANK) == 1)
    duplicates = first.withColumn(REASONS, F.array(F.lit(table.duplicate_reason)))
    return rejected_rows(duplicates, table, record.run_id, _as_json(table).alias(_AS_UNDERSTOOD))


def _newly_rejected(store: Store, candidates: list[DataFrame], table: InputTable) -> DataFrame:
    """The candidates that ``silver/rejected`` does not have yet, neither in raw nor in parsed form."""
    known = store.read(REJECTED).where(F.col("table") == table.name).select(F.col("row").alias("_known"))
    known = store.materialise(known.groupBy("_known").count().drop("count"), f"known_rejected_{table.name}")
    rows = reduce(DataFrame.unionByName, candidates)
    for column in ("row", _AS_UNDERSTOOD):
        rows = rows.join(known, on=F.col(column) == F.col("_known"), how="left_anti")
    return store.materialise(rows.drop(_AS_UNDERSTOOD), f"newly_rejected_{table.name}")


def _as_json(table: InputTable) -> Column:
    columns = [name for name in table.silver.column_names if name in {column.name for column in table.columns}]
    return F.to_json(F.struct(*columns), {"ignoreNullFields": "false"})
