"""Rows that must be rejected, planted beside generated input: typed, as a warehouse would deliver them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Change = Callable[[pa.Table], pa.Table]
FILE = "planted.snappy.parquet"
AFTER_EVERYTHING = date(2099, 1, 1)


def plant(folder: Path, rows_per_defect: int) -> int:
    """Add one file of rows with defects to each input table; gives back the number of lines among the claims.

    The claims get lines that are missing what they must have, that lie outside every limit, and lines whose
    id another line has: as they are, booked later, and without a booking date.
    """
    _write(folder / "claims", _CLAIMS, rows_per_defect)
    fewer = max(1, rows_per_defect // 5)  # These tables are small: a gate closes above one percent.
    _write(folder / "population", _POPULATION, fewer)
    _write(folder / "hospital_stays", _STAYS, fewer)
    return len(_CLAIMS) * rows_per_defect


def _write(folder: Path, defects: list[Change], rows: int) -> None:
    first = min(path for path in folder.glob("*.parquet") if path.name != FILE)
    batch = next(pq.ParquetFile(first).iter_batches(rows * len(defects)))
    sound = pa.Table.from_batches([batch])
    sound = sound.cast(pa.schema([field.with_nullable(True) for field in sound.schema]))
    parts = [defect(sound.slice(position * rows, rows)) for position, defect in enumerate(defects)]
    pq.write_table(pa.concat_tables(parts), folder / FILE, compression="snappy")


def _with(name: str, value: object) -> Change:
    def change(rows: pa.Table) -> pa.Table:
        position = rows.schema.get_field_index(name)
        column = pa.array([value] * rows.num_rows, rows.schema.field(name).type)
        return rows.set_column(position, name, column)

    return change


def _under_new_ids(name: str, value: object) -> Change:
    """One value changed and an id of its own, so that the row has no other defect."""

    def change(rows: pa.Table) -> pa.Table:
        ids = pc.binary_join_element_wise(pa.scalar(f"{name}={value}"), rows["claim_id"], "-")
        rows = rows.set_column(rows.schema.get_field_index("claim_id"), "claim_id", ids)
        return _with(name, value)(rows)

    return change


def _booked_later(rows: pa.Table) -> pa.Table:
    later = pc.add(rows["booking_date"], pa.scalar(timedelta(days=1)))
    return rows.set_column(rows.schema.get_field_index("booking_date"), "booking_date", later.cast(pa.date32()))


def _as_they_are(rows: pa.Table) -> pa.Table:
    return rows


_CLAIMS: list[Change] = [
    _as_they_are,
    _booked_later,
    _with("booking_date", None),
    _with("claim_id", None),
    *[
        _under_new_ids(name, value)
        for name, value in (
            ("beneficiary_id", None),
            ("service_date", None),
            ("nomenclature_code", 99999),
            ("quantity", 0),
            ("service_date", date(2004, 12, 31)),
            ("service_date", AFTER_EVERYTHING),
            ("booking_date", date(2005, 1, 1)),
        )
    ],
]
_POPULATION: list[Change] = [_as_they_are, _with("year", None), _with("beneficiary_id", None)]
_STAYS: list[Change] = [_with("stay_id", None), _with("discharge_date", date(2000, 1, 1))]
