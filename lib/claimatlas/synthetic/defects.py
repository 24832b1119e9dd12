"""The reasons to reject a row, each with ways to make a sound row have it."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

BLANK = "  "
"""Text that is empty once it is trimmed."""
TOO_EARLY, TOO_LATE = "1999-12-31", "2199-01-01"


@dataclass(frozen=True)
class Defect:
    """A reason, and one or more ways to break a sound row: new text for some of its columns."""

    reason: str
    ways: tuple[dict[str, Column], ...]


def claims_defects() -> list[Defect]:
    """What can be wrong with a claim line by itself."""
    day_before = F.date_sub(F.col("service_date").cast("date"), 1).cast("string")
    return [
        *_missing("claim_id", "beneficiary_id", "service_date", "nomenclature_code", "quantity"),
        _unparseable("service_date", "2023-02-30", "31/12/2023", "unknown"),
        _unparseable("nomenclature_code", "42409A", "101-076"),
        _unparseable("quantity", "one", "1.5"),
        _unparseable("provider_profession", "4O"),
        _unparseable("provider_competence", "gp"),
        _unparseable("booking_date", "2023-13-01", "soon"),
        Defect(
            "service_date_out_of_range",
            (
                {"service_date": F.lit(TOO_EARLY)},
                {"booking_date": day_before},
                {"service_date": F.lit(TOO_LATE), "booking_date": _nothing()},
            ),
        ),
        _replaced("invalid_nomenclature_code", "nomenclature_code", "99999", "1000000", "0"),
        _replaced("zero_quantity", "quantity", "0", "-0"),
    ]


def population_defects() -> list[Defect]:
    """What can be wrong with a beneficiary-year by itself."""
    return [
        *_missing("beneficiary_id", "year"),
        _unparseable("year", "20x3", "2023.5"),
        _unparseable("birth_date", "1981-02-29", "?"),
        _unparseable("increased_reimbursement", "maybe", "2"),
    ]


def hospital_stays_defects() -> list[Defect]:
    """What can be wrong with a stay by itself."""
    day_before = F.date_sub(F.col("admission_date").cast("date"), 1).cast("string")
    return [
        *_missing("stay_id", "beneficiary_id", "admission_date", "discharge_date"),
        _unparseable("admission_date", "2023-02-30", "00/00/0000"),
        _unparseable("discharge_date", "2023-06-31", "still there"),
        Defect("discharge_before_admission", ({"discharge_date": day_before},)),
    ]


def _nothing() -> Column:
    return F.lit(None).cast("string")


def _missing(*columns: str) -> list[Defect]:
    return [Defect(f"missing_{column}", ({column: _nothing()}, {column: F.lit(BLANK)})) for column in columns]


def _unparseable(column: str, *texts: str) -> Defect:
    return _replaced(f"unparseable_{column}", column, *texts)


def _replaced(reason: str, column: str, *texts: str) -> Defect:
    return Defect(reason, tuple({column: F.lit(text)} for text in texts))
