"""Account for every row of every file: the rows that were read must be the rows that the files hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from claimatlas.configuration.mappings import Mapping
from claimatlas.errors import QualityGateError
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.discover.source import Source
from claimatlas.ingest.load.warnings import MAX_LENGTH_SHOWN, MIN_SHOWN
from claimatlas.ingest.read.rows import read, rows_of_files
from claimatlas.ingest.validate.parsing import Understanding
from claimatlas.ingest.validate.shape import is_kept, kept_by, number_of_lines

OTHERS = "other values"


@dataclass(frozen=True)
class Account:
    """What the files of a table hold.

    files: how many rows each has. lines: how many rows to judge these give: all of them, unless a mapping leaves rows
    out or makes several lines of one. left_out: the rows that it leaves out, by column and value.
    """

    files: dict[str, int]
    lines: int
    left_out: dict[str, int] = field(default_factory=dict)


def account_of(
    spark: SparkSession, source: Source, table: InputTable, mapping: Mapping, understanding: Understanding
) -> Account:
    """Count what the files of a table hold."""
    files = rows_of_files(spark, source)
    declared = mapping.table(table.name)
    if not (declared.keep or declared.unpivot):
        return Account(files, sum(files.values()))
    raw = read(spark, source)
    lines = raw.agg(F.coalesce(F.sum(number_of_lines(raw, table, mapping, understanding)), F.lit(0)).alias("lines"))
    left_out: dict[str, int] = {}
    for name in declared.keep:
        value = kept_by(raw, name, understanding)
        out = raw.where(~is_kept(raw, table, mapping, understanding)).where(
            ~F.coalesce(value.isin(*declared.keep[name]), F.lit(False))
        )
        for row in out.groupBy(value.alias("value")).count().orderBy(F.desc("count"), "value").collect():
            text = "no value" if row["value"] is None else row["value"]
            shown = text if row["count"] >= MIN_SHOWN and len(text) <= MAX_LENGTH_SHOWN else OTHERS
            key = f"{name}: {shown}"
            left_out[key] = left_out.get(key, 0) + row["count"]
    return Account(files, int(lines.collect()[0]["lines"]), left_out)


def require_all_read(table: str, read_rows: int, account: Account) -> None:
    """Stop when the rows that were judged are not those of the files.

    Raises:
        QualityGateError: with both numbers.
    """
    if read_rows == account.lines:
        return
    raise QualityGateError(
        f"{table}: {read_rows:,} rows were read, and the {len(account.files)} files hold {account.lines:,}. Nothing "
        "was published. A file may have changed meanwhile: run again; else please report this."
    )
