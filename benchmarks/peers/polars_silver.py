"""The silver stage with Polars: every input row is accepted or rejected, in one pass over the files.

Nearly every row needs no cleaning and has no defect. A cheap test finds these *ordinary* rows (text of visible ASCII
at both ends, no reason to reject); only the rest pays for trimming, for the list of reasons and for JSON. Both ways
leave one shared scan, so that each file is decoded once.

Duplicates are found before that from 64-bit hashes of the key, eight bytes a row, sorted in memory: a streaming
group-by over as many keys as rows would need several times that. Only rows whose hash stands twice are looked at
closely, and the few that lose are left out of the pass by their row number.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
from claimatlas.configuration.codes import SIX_DIGITS
from claimatlas.ingest.contract import REPLACEMENT, WHITESPACE, InputTable, Kind
from polars.io.partition import FileProviderArgs

from benchmarks.peers.interface import INPUT_TABLES

SEXES = {"1": "male", "m": "male", "male": "male", "2": "female", "f": "female", "female": "female"}

FILE, NUMBER, HASH, ORDINARY, RAW = "_source_file", "_row_number", "_hash", "_ordinary", "_raw_"
"""Columns beside those of the input."""

TYPES: dict[Kind, type[pl.DataType]] = {
    "text": pl.String,
    "date": pl.Date,
    "integer": pl.Int32,
    "code": pl.Int32,
    "boolean": pl.Boolean,
    "sex": pl.String,
}


REJECTED = pl.Schema(
    {"table": pl.String(), "source_file": pl.String(), "reasons": pl.List(pl.String()), "row": pl.String()}
)


@dataclass(frozen=True)
class Dates:
    """The first service date, the first plausible date of any other column, and the last of all."""

    first_service: date
    earliest: date
    last: date


@dataclass(frozen=True)
class Source:
    """An input table as it lies on disk: a scan, and the columns that the files have."""

    table: InputTable
    scan: pl.LazyFrame
    given: tuple[str, ...]
    dates: Dates

    @property
    def columns(self) -> dict[str, Kind]:
        """The columns of the table that the files have."""
        return {column.name: column.kind for column in self.table.columns if column.name in self.given}

    @property
    def texts(self) -> list[str]:
        """Those of them that hold text."""
        return [name for name, kind in self.columns.items() if kind in ("text", "sex")]


def run_silver(raw: Path, silver: Path, temp: Path, dates: Dates) -> dict[str, dict[str, int]]:
    """Validate every input table and write silver anew; gives back the counts of each table.

    Raises:
        RuntimeError: accepted and rejected rows do not add up to the rows read.
    """
    counts: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory(dir=temp) as folder:
        parts: list[Path] = []
        for table in INPUT_TABLES:
            source = _source(raw / table.name, table, dates)
            losers, part = _duplicates(source), Path(folder) / table.name
            accepted = _write(source, losers, silver / table.name, part)
            if losers is not None:
                losers.drop(NUMBER).write_parquet(part / "duplicates.parquet")
            parts += sorted(part.glob("*.parquet"))
            read = source.scan.select(pl.len()).collect(engine="streaming").item()
            rejected = _count(sorted(part.glob("*.parquet")))
            if accepted + rejected != read:
                raise RuntimeError(f"{table.name}: {accepted} accepted + {rejected} rejected rows, {read} read")
            counts[table.name] = {"read": read, "accepted": accepted, "rejected": rejected}
        rejected_rows = pl.scan_parquet(parts) if parts else pl.LazyFrame(schema=REJECTED)
        rejected_rows.sink_parquet(silver / "rejected.parquet", compression="snappy")
    return counts


def _source(folder: Path, table: InputTable, dates: Dates) -> Source:
    files = sorted(folder.glob("*.parquet"))
    given = tuple(pl.scan_parquet(files).collect_schema().names())
    scan = pl.scan_parquet(files, glob=False, include_file_paths=FILE, row_index_name=NUMBER)
    return Source(table, scan, given, dates)


def _count(files: list[Path]) -> int:
    return pl.scan_parquet(files).select(pl.len()).collect().item() if files else 0


def _is_plain(name: str) -> pl.Expr:
    """Whether there is nothing to trim and nothing lost in a text: ASCII, with a visible character at both ends."""
    text = pl.col(name)
    ascii_only = text.str.len_chars() == text.str.len_bytes()
    return (ascii_only & (text >= "!") & (text.str.slice(-1) >= "!")).fill_null(value=True)


def _cleaned(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars(WHITESPACE)
    return pl.when(text != "").then(text).alias(name)


def _value(name: str, kind: Kind) -> pl.Expr:
    """The typed value of a column that is clean; null where it cannot be had."""
    if kind == "sex":
        return pl.col(name).str.to_lowercase().replace_strict(SEXES, default=None, return_dtype=pl.String)
    return pl.col(name).cast(TYPES[kind], strict=False)


def _reasons(source: Source, *, plain: bool) -> dict[str, pl.Expr]:
    """Each reason with the condition under which a clean row has it; never null.

    ``plain``: the texts are known to be free of U+FFFD.
    """
    reasons = {f"missing_{name}": pl.col(name).is_null() for name in source.table.required}
    for name, kind in source.columns.items():
        if kind == "text" and not plain:
            reasons[f"unparseable_{name}"] = pl.col(name).str.contains(REPLACEMENT, literal=True)
        elif kind == "integer":
            reasons[f"unparseable_{name}"] = pl.col(name).is_not_null() & _value(name, kind).is_null()
    if source.table.name == "claims":
        day = _value("service_date", "date")
        outside = (day < source.dates.first_service) | (day > source.dates.last)
        if "booking_date" in source.given:
            outside |= (day > _value("booking_date", "date")).fill_null(value=False)
        reasons["service_date_out_of_range"] = outside
        reasons["invalid_nomenclature_code"] = ~pl.col("nomenclature_code").is_between(*SIX_DIGITS.bounds)
        reasons["zero_quantity"] = pl.col("quantity") == 0
    for name in ("booking_date", "admission_date", "discharge_date"):
        if name in source.given:
            reasons[f"{name}_out_of_range"] = ~_value(name, "date").is_between(source.dates.earliest, source.dates.last)
    if source.table.name == "hospital_stays":
        reasons["discharge_before_admission"] = _value("discharge_date", "date") < _value("admission_date", "date")
    return {name: condition.fill_null(value=False) for name, condition in sorted(reasons.items())}


def _silver(source: Source) -> list[pl.Expr]:
    """The columns of silver, typed, and the year that a row is filed under."""
    table = source.table
    columns = [
        (_value(of.name, of.kind) if of.name in source.given else pl.lit(None, TYPES[of.kind])).alias(of.name)
        for of in table.columns
        if of.name != "year"
    ]
    year = _value("year", "integer") if table.year_of == "year" else _value(table.year_of, "date").dt.year()
    return [*columns, year.alias("year")]


def _judged(source: Source, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Clean the texts of each row and list its reasons, with the row as it came beside them."""
    listed = pl.concat_list(
        pl.when(condition).then(pl.lit(reason)) for reason, condition in _reasons(source, plain=False).items()
    )
    return (
        rows.with_columns(pl.struct(source.given).alias(RAW))
        .with_columns(_cleaned(name) for name in source.texts)
        .with_columns(listed.list.drop_nulls().alias("reasons"))
    )


def _rejected(table: InputTable) -> list[pl.Expr]:
    """The columns of the table of rejected rows."""
    return [
        pl.lit(table.name).alias("table"),
        pl.col(FILE).alias("source_file"),
        pl.col("reasons"),
        pl.col(RAW).struct.json_encode().alias("row"),
    ]


def _duplicates(source: Source) -> pl.DataFrame | None:
    """The rows that another row with the same key keeps out, as rejected rows with their row number.

    A key that stands twice has a hash that stands twice; the few keys that share one by chance are told apart after.
    """
    table = source.table
    if not table.key:
        return None
    key = [_cleaned(name) if name in source.texts else pl.col(name) for name in table.key]
    key_hash = key[0].hash() if len(key) == 1 else pl.struct(key).hash()
    keyed = source.scan.filter(pl.all_horizontal(part.is_not_null() for part in key))
    hashes = keyed.select(key_hash.alias(HASH)).collect(engine="streaming")[HASH].sort(in_place=True)
    repeated = hashes.filter(hashes == hashes.shift()).unique()
    del hashes
    if repeated.is_empty():
        return None
    suspects = keyed.filter(key_hash.is_in(repeated.implode()))
    sound = _judged(source, suspects).filter(pl.col("reasons").list.len() == 0)
    order = [name.removeprefix("-") for name in table.preference]
    descending = [name.startswith("-") for name in table.preference]
    # Rows that are equal in every column of the rule are ordered by what they came as.
    as_it_came = pl.col(RAW).struct.json_encode().alias("_row")
    return (
        sound.select(*_silver(source), NUMBER, RAW, FILE, as_it_came)
        .sort(*order, "_row", FILE, descending=[*descending, False, False], nulls_last=True)
        .filter(pl.int_range(pl.len()).over(table.key) > 0)
        .with_columns(pl.lit([table.duplicate_reason], pl.List(pl.String())).alias("reasons"))
        .select(*_rejected(table), NUMBER)
        .collect(engine="streaming")
    )


def _write(source: Source, losers: pl.DataFrame | None, folder: Path, rejected: Path) -> int:
    """Write the accepted rows by year and the rejected ones in one pass; gives back how many were accepted."""
    shutil.rmtree(folder, ignore_errors=True)
    rejected.mkdir(parents=True)
    ordinary = pl.all_horizontal(_is_plain(name) for name in source.texts) & ~pl.any_horizontal(
        _reasons(source, plain=True).values()
    )
    numbers = losers[NUMBER] if losers is not None else pl.Series(dtype=pl.get_index_type())
    stays = ~pl.col(NUMBER).is_in(numbers.implode()) if len(numbers) else pl.lit(value=True)
    rows = source.scan.with_columns((ordinary & stays).alias(ORDINARY))
    others = _judged(source, rows.filter(~pl.col(ORDINARY)).filter(stays))
    is_sound = pl.col("reasons").list.len() == 0
    sinks = [
        _by_year(rows.filter(ORDINARY).select(_silver(source)), folder, "ordinary"),
        _by_year(others.filter(is_sound).select(_silver(source)), folder, "cleaned"),
        others.filter(~is_sound)
        .select(_rejected(source.table))
        .sink_parquet(rejected / "judged.parquet", compression="snappy", lazy=True),
    ]
    pl.collect_all(sinks, engine="streaming")
    return _count(sorted(folder.glob("year=*/*.parquet")))


def _by_year(rows: pl.LazyFrame, folder: Path, prefix: str) -> pl.LazyFrame:
    partition = pl.PartitionBy(
        folder, key="year", include_key=False, file_path_provider=partial(_file_of_year, prefix=prefix)
    )
    return rows.sink_parquet(partition, compression="snappy", mkdir=True, maintain_order=False, lazy=True)


def _file_of_year(part: FileProviderArgs, prefix: str) -> str:
    return f"year={part.partition_keys.item()}/{prefix}-{part.index_in_partition:05}.parquet"
