"""The checks of cells. They need tables of cells only, so cells can be checked before they are published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from claimatlas.checks.drift import National, NationalValue
from claimatlas.checks.findings import SUMS, Finding, Subject
from claimatlas.checks.sums import FIGURES, MEMBERS, PLACES, WITH_UNKNOWN, Counted, measure_sums
from claimatlas.configuration import Configuration
from claimatlas.configuration.settings import HOSPITAL, SECTOR
from claimatlas.tables.published import of_country
from claimatlas.tables.schemas import ALL


def check_sums(
    cells: pa.Table,
    configuration: Configuration,
    years: Sequence[int],
    counted: Counted | None = None,
) -> list[Finding]:
    """Check whether the cells of ``years`` add up. One finding per indicator, year, level and kind of sum.

    ``cells``: one row per cell, the columns of the tables of cells. ``counted``: the members by population
    (``deliveries``, ``beneficiary_years``) and year, where they are known.
    """
    found = measure_sums(cells, configuration, years, counted or {})
    found.sort(key=lambda row: (row["indicator_id"], row["year"], row["geo_level"], row["sum"]))
    return [judge_sum(row, configuration) for row in found]


def judge_sum(row: Mapping[str, Any], configuration: Configuration) -> Finding:
    """The finding of a row of ``measure_sums``: any cell that does not add up is beyond the bound."""
    subject: Subject = {name: row[name] for name in ("indicator_id", "year", "geo_level", "sum")}
    parts = _parts(row["sum"], configuration)
    name = f"{row['indicator_id']} {row['year']}, {row['geo_level']}"
    if not row["wrong"]:
        return Finding(
            SUMS, subject, 0.0, 0.0, ok=True, sentence=f"{name}: all add up with {parts}.", cases=row["compared"]
        )
    example = row["example"]
    split = [example[name] for name in configuration.dimensions.names if example[name] != ALL]
    place = " ".join([example["geo_code"], *split])
    sides = [" / ".join(f"{example[f'{side}_{figure}']:,}" for figure in FIGURES) for side in ("published", "summed")]
    must = "not" if example["exact"] else "less than"
    sentence = (
        f"{name}: {row['wrong']:,} of {row['compared']:,} cells do not add up with {parts}, the first {place}: "
        f"numerator / denominator {sides[0]} is {must} the sum, {sides[1]}."
    )
    return Finding(SUMS, subject, float(row["wrong"]), 0.0, ok=False, sentence=sentence, cases=row["compared"])


def national_values(cells: pa.Table, configuration: Configuration) -> National:
    """The country's values in cells, as ``judge_drift`` takes them."""
    national = of_country(cells, configuration.settings.geography.country_level)
    names = ["indicator_id", "geo_code", "year", "value", "status", "run_id", "denominator"]
    return {
        (row["indicator_id"], row["geo_code"], row["year"]): NationalValue(
            row["value"], row["status"], row["run_id"], has_members=bool(row["denominator"])
        )
        for row in national.select(names).to_pylist()
    }


def _parts(kind: str, configuration: Configuration) -> str:
    named = {
        PLACES: "their smallest places",
        WITH_UNKNOWN: f"each {configuration.settings.geography.domicile_level} and the unknown domiciles",
        MEMBERS: "the members that the run counted",
        HOSPITAL: "the hospitals",
        SECTOR: "the sectors",
    }
    return named.get(kind, f"the values of {kind}")
