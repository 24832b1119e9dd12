"""One input table into silver: a single pass over the raw rows, then everything from silver itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.errors import ClaimatlasError
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.duplicates import RANK, key_hash, rank_duplicates, repeated_key_hashes
from claimatlas.ingest.sources import SOURCE_FILE
from claimatlas.ingest.validation import REASONS, ROW, sound_rows
from claimatlas.tables.schemas import SPARK_TYPES
from claimatlas.tables.store import Store

_CARRIED = T.StructType(
    [
        T.StructField("source_file", T.StringType()),
        T.StructField("reasons", T.ArrayType(T.StringType())),
        T.StructField("row", T.StringType()),
    ]
)


@dataclass
class Loaded:
    """What became of the rows of one input table; ``accepted + rejected = read``."""

    table: str
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    rejected_rows: DataFrame | None = None

    @property
    def rejected_share(self) -> float:
        """Rejected rows over rows read; 0 for an empty table."""
        return self.rejected / self.read if self.read else 0.0


def load_table(
    validated: DataFrame, table: InputTable, store: Store, run_id: str, reread: Callable[[], DataFrame]
) -> Loaded:
    """Replace a silver table by the accepted rows of ``validated`` and give back the rejected ones.

    The raw rows are read once. Rejected rows travel in the same write, in a partition of their own
    (``year`` null) that is taken out again before the function returns: a second write of all rows, or
    a second reading of the raw files, would cost as much as the first. Only when keys stand more than
    once are the raw rows read again (``reread``), to keep the duplicates as they came.

    Args:
        validated: the result of ``validate_rows``.
        table: which table it is.
        store: where silver is.
        run_id: the run that rejects.
        reread: gives ``validated`` anew.

    Raises:
        ClaimatlasError: rows were lost or made on the way, which must not be.
    """
    metadata = {"run_id": run_id}
    silver = table.silver
    store.replace(_with_carriers(validated, table), silver, None, metadata)
    read = int(_rows_written(store.history(silver)))
    carriers = store.read(silver).where(F.col("year").isNull())
    carried = F.from_json(table.key[0] if table.key else table.columns[0].name, _CARRIED)
    rejected = store.keep(carriers.select(carried.alias("_c")).select("_c.*"), f"rejected_{table.name}")
    duplicates = _take_out_duplicates(table, store, run_id, reread) if table.key else None
    store.delete(silver, "year IS NULL")
    if duplicates is not None:
        rejected = rejected.unionByName(duplicates)
    by_reasons = rejected.groupBy("reasons").agg(F.count(F.lit(1)).alias("rows")).collect()
    reasons: Counter[str] = Counter()
    for row in by_reasons:
        reasons.update(dict.fromkeys(row["reasons"], row["rows"]))
    loaded = Loaded(
        table=table.name,
        read=read,
        accepted=store.read(silver).count(),
        rejected=sum(row["rows"] for row in by_reasons),
        reasons=dict(sorted(reasons.items())),
        rejected_rows=rejected.select(
            "source_file", "reasons", "row", F.lit(run_id).alias("run_id"), F.lit(table.name).alias("table")
        ),
    )
    if loaded.accepted + loaded.rejected != loaded.read:
        raise ClaimatlasError(
            f"{table.name}: {loaded.accepted} accepted and {loaded.rejected} rejected rows do not add up to the "
            f"{loaded.read} rows read. Nothing was published; please report this."
        )
    return loaded


def _with_carriers(validated: DataFrame, table: InputTable) -> DataFrame:
    """Sound rows as they are; a rejected row as JSON in the first column, with no year."""
    sound = F.size(REASONS) == 0
    carrier = F.to_json(
        F.struct(F.col(SOURCE_FILE).alias("source_file"), F.col(REASONS).alias("reasons"), F.col(ROW).alias("row"))
    )
    first, *others = [name for name in table.silver.column_names if name != "year"]
    types = {column.name: SPARK_TYPES[column.type] for column in table.silver.columns}
    columns = [F.when(sound, F.col(first)).otherwise(carrier).alias(first)]
    columns += [F.when(sound, F.col(name)).cast(types[name]).alias(name) for name in others]
    shaped = validated.select(*columns, "year")
    if "nomenclature_code" in others:
        # Within each file by code: a later reading skips the row groups without a code it needs.
        return shaped.sortWithinPartitions("year", "nomenclature_code")
    return shaped


def _take_out_duplicates(
    table: InputTable, store: Store, run_id: str, reread: Callable[[], DataFrame]
) -> DataFrame | None:
    silver = table.silver
    sound = store.read(silver).where(F.col("year").isNotNull())
    hashes = store.keep(repeated_key_hashes(sound, table), f"repeated_{table.name}")
    if hashes.isEmpty():
        return None
    suspects = sound_rows(reread()).join(hashes, on=key_hash(table) == F.col("_key_hash"), how="left_semi")
    ranked = store.keep(rank_duplicates(suspects, table), f"duplicates_{table.name}")
    losers = ranked.where(F.col(RANK) > 1)
    keys = ranked.where(F.col(RANK) == 1)
    # Rows of one key may be equal in every column: take all of them out, then put back the one that stays.
    keys.select(*table.key).createOrReplaceTempView("claimatlas_repeated_keys")
    same_key = " AND ".join(f"t.`{name}` = k.`{name}`" for name in table.key)
    store.spark.sql(
        f"MERGE INTO {store.identifier(silver)} t USING claimatlas_repeated_keys k "
        f"ON t.year IS NOT NULL AND {same_key} WHEN MATCHED THEN DELETE"
    )
    store.spark.catalog.dropTempView("claimatlas_repeated_keys")
    store.append(keys.select(*silver.column_names), silver, {"run_id": run_id})
    return losers.select(
        F.col(SOURCE_FILE).alias("source_file"),
        F.array(F.lit(table.duplicate_reason)).alias("reasons"),
        F.col(ROW).alias("row"),
    )


def _rows_written(commit: dict[str, object]) -> str:
    metrics = commit["operationMetrics"]
    if not isinstance(metrics, dict):
        raise ClaimatlasError("Internal error: the commit does not say how many rows were written.")
    return str(metrics["numOutputRows"])
