"""Input folders: one table in many formats, and the smallest input that runs."""

import csv
import gzip
import hashlib
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake
from reference.io import header_of, write_parquet_typed
from reference.model import Row, Tables
from reference.other_hand import CLAIM_COLUMNS

SMALL_CLAIMS = """\
claim_id,beneficiary_id,service_date,nomenclature_code,quantity
c1,ann,2022-03-01,424104,1
c2,ann,2022-03-20,422030,1
c3,bea,2022-05-01,424104,1
c4,bea,2022-05-02,589013,2
c5,bea,2021-05-02,589013,1
c6,bea,2023-05-02,589013,1
c7,ann,2023-05-02,589024,1
c8,ann,2023-06-02,589024,1
c9,ann,2023-07-02,589024,1
c10,ann,2023-08-02,101032,1
"""
SMALL_POPULATION = """\
beneficiary_id,year,birth_date,sex,municipality_31_december
ann,2021,1990-01-01,f,11002
bea,2021,1991-12-31,f,21004
ann,2022,1990-01-01,f,11002
bea,2022,1991-12-31,f,21004
ann,2023,1990-01-01,f,11002
bea,2023,1991-12-31,f,21004
"""


def write_small(folder: Path) -> Path:
    """Two women and three years, in the two tables that must be there, without a mistake."""
    folder.mkdir(parents=True)
    (folder / "claims.csv").write_text(SMALL_CLAIMS, encoding="utf-8")
    (folder / "population.csv").write_text(SMALL_POPULATION, encoding="utf-8")
    return folder


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file and folder below a folder, with what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


def shuffled(rows: list[Row], seed: int) -> list[Row]:
    """The rows in another order."""
    return random.Random(seed).sample(rows, len(rows))


# --- Claims for which the settings matter -------------------------------------------------------------

HOME, VAGINAL, CAESAREAN, MIDWIFE, POSTNATAL_MIDWIFE = "422656", "423021", "424104", "422892", "422995"
#: Each line is one woman: days from 1 June 2022 and codes.
PLANTED = (
    ((0, VAGINAL), (25, VAGINAL), (50, CAESAREAN)),  # one delivery chained, two anchored
    ((0, HOME), (5, CAESAREAN)),  # a caesarean by the highest priority
    ((0, VAGINAL), (30, VAGINAL)),  # one delivery with a gap of 30 days, two with 29
    ((0, VAGINAL), (10, POSTNATAL_MIDWIFE)),
    ((0, VAGINAL), (1, MIDWIFE)),
    ((0, VAGINAL), (42, MIDWIFE)),
    ((0, VAGINAL), (-1, MIDWIFE)),
    ((0, VAGINAL), (-250, MIDWIFE)),
    ((0, VAGINAL), (300, VAGINAL)),  # implausible only with a limit above 300 days
    ((-1, CAESAREAN), (29, VAGINAL), (60, HOME)),
)


def plant(folder: Path, tables: Tables) -> None:
    """Add a file of claims for which each setting matters, of women who have no delivery yet."""
    mothers = {row["beneficiary_id"] for row in tables["claims"] if row["provider_competence"] == "340"}
    women = {
        row["beneficiary_id"] for row in tables["population"] if row["sex"] in ("F", "2") and row["year"] == "2022"
    }
    blank = dict.fromkeys(CLAIM_COLUMNS, "")
    lines: list[Row] = []
    for who, billed in zip(sorted(women - mothers), PLANTED, strict=False):
        for offset, code in billed:
            day = (date(2022, 6, 1) + timedelta(offset)).isoformat()
            line = {"claim_id": f"planted/{len(lines):04d}", "beneficiary_id": who, "quantity": "1"}
            midwife = {"provider_profession": "40"} if code in (MIDWIFE, POSTNATAL_MIDWIFE) else {}
            lines.append({**blank, **line, **midwife, "service_date": day, "nomenclature_code": code})
    with (folder / "claims" / "planted.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CLAIM_COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    tables["claims"].extend(lines)


# --- One table in one format --------------------------------------------------------------------------


def text_table(table: str, rows: list[Row]) -> pa.Table:
    """The rows as Arrow, all text."""
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in header_of(table, rows)})


def csv_text(table: str, rows: list[Row]) -> str:
    """The rows as a CSV file with a header."""
    lines: list[str] = []

    class Lines:
        write = staticmethod(lines.append)

    writer: Any = csv.DictWriter(Lines(), header_of(table, rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return "".join(lines)


def as_one_csv(folder: Path, table: str, rows: list[Row]) -> None:
    """`claims.csv` beside the others, no folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{table}.csv").write_text(csv_text(table, rows), encoding="utf-8", newline="")


def as_nested_gzip(folder: Path, table: str, rows: list[Row]) -> None:
    """Eleven compressed CSV files in folders within folders."""
    for number in range(11):
        lot = folder / table / f"from fund {number % 3}" / f"lot{number % 2}"
        lot.mkdir(parents=True, exist_ok=True)
        data = csv_text(table, rows[number::11]).encode()
        (lot / f"extract {number}.csv.gz").write_bytes(gzip.compress(data))


def as_text_parquet(folder: Path, table: str, rows: list[Row]) -> None:
    """Parquet with text in every column; the rows without a booking date are in a file without that column."""
    (folder / table).mkdir(parents=True)
    part = [row for row in rows if not row.get("booking_date")] if table == "claims" else rows[::2]
    rest = [row for row in rows if row.get("booking_date")] if table == "claims" else rows[1::2]
    first = text_table(table, part)
    if table == "claims":
        first = first.drop_columns(["booking_date"])
    pq.write_table(first, folder / table / "b.parquet")
    pq.write_table(text_table(table, rest), folder / table / "a.parquet")


def as_typed_parquet(folder: Path, table: str, rows: list[Row]) -> None:
    """Parquet with numbers, booleans and dates."""
    write_parquet_typed({table: rows}, folder)


def as_parquet_with_timestamps(folder: Path, table: str, rows: list[Row]) -> None:
    """Parquet with numbers, booleans and timestamps."""
    write_parquet_typed({table: rows}, folder, timestamps=True)


def as_delta(folder: Path, table: str, rows: list[Row]) -> None:
    """A Delta table written in two commits by another program than Spark."""
    for half in (rows[::2], rows[1::2]):
        write_deltalake(folder / table, text_table(table, half), mode="append")


Format = Callable[[Path, str, list[Row]], None]
