"""Sections 1 and 8: from persons and deliveries to cells of counts, ratios and intervals."""

import itertools
import math
from datetime import date, timedelta
from typing import Any

from reference import declared, dimensions
from reference.dimensions import Dimension
from reference.episodes import DIMENSION
from reference.model import Indicator, Row, Settings

Z = 1.959963984540054
CONTACT_FLAGS = (
    "contact_gp",
    "contact_gynaecologist",
    "contact_midwife",
    "contact_physiotherapist",
    "contact_specialist",
)
Cells = dict[tuple[Any, ...], Row]


def completed_years(birth: date | None, day: date) -> int | None:
    """Age in completed years; born on 29 February, a year older on 1 March of a common year (section 8).

    None when the birth date is unknown or after the day.
    """
    if birth is None:
        return None
    age = day.year - birth.year
    if (day.month, day.day) < (birth.month, birth.day):
        age -= 1
    return age if age >= 0 else None


age_category = dimensions.age_class


def wilson(numerator: int, denominator: int) -> tuple[float, float]:
    """The Wilson 95 % interval of a proportion, in % (section 8)."""
    share = numerator / denominator
    scale = 1 + Z * Z / denominator
    centre = (share + Z * Z / (2 * denominator)) / scale
    half = Z * math.sqrt(share * (1 - share) / denominator + Z * Z / (4 * denominator**2)) / scale
    return 100 * max(0.0, centre - half), 100 * min(1.0, centre + half)


def measures(unit: str, numerator: int, denominator: int) -> tuple[float | None, float | None, float | None]:
    """value, ci_low, ci_high (section 8)."""
    if unit == "count":
        return float(numerator), None, None
    if denominator == 0:
        return None, None, None
    if unit == "mean":
        return numerator / denominator, None, None
    if unit != "percent":
        return {"per_100": 100, "per_1000": 1000, "per_100000": 100_000}[unit] * numerator / denominator, None, None
    value = 100 * numerator / denominator
    return value, *wilson(numerator, denominator)


def records(
    indicator: Indicator, persons: list[Row], deliveries: list[Row], declared_dimensions: tuple[Dimension, ...]
) -> list[Row]:
    """One record per unit of the indicator's population: dimensions, places, numerator (section 1).

    `persons` and `deliveries` are those of the year; they hold their `places` by domicile.
    """
    found: list[Row] = []
    if indicator.population == "beneficiary_years":
        for person in persons:
            volume = indicator.id == "stat_013_024" or indicator.volume
            found.append(
                {
                    **person["said"],
                    "places": person["places"],
                    "numerator": person["exams"] if volume else int(person["exams"] > 0),
                }
            )
        return found
    for delivery in deliveries:
        hospital_delivery = delivery["delivery_type"] in ("caesarean", "vaginal_hospital")
        if indicator.population.startswith("hospital_deliveries") and not hospital_delivery:
            continue
        with_stay = delivery["nights_after_delivery"] is not None
        if indicator.population == "hospital_deliveries_with_stay" and not with_stay:
            continue
        places = delivery["places"]
        if "hospital" in indicator.levels and delivery["hospital_id"] is not None:
            places = [*places, ("hospital", delivery["hospital_id"])]
        found.append(
            {
                **{
                    one.name: dimensions.of_delivery(one, delivery, DIMENSION)
                    for one in declared_dimensions
                    if "deliveries" in one.populations
                },
                "places": places,
                "numerator": declared.numerator(indicator, delivery)
                if indicator.flags
                else delivery_numerator(indicator.id, delivery),
            }
        )
    return found


def delivery_numerator(indicator_id: str, delivery: Row) -> int:
    """What one delivery adds to the numerator (section 1)."""
    no_contact = not any(delivery[flag] for flag in CONTACT_FLAGS)
    counted = {
        "cube_007_001a_denom": True,
        "cube_007_008a": no_contact,
        "cube_007_008b": no_contact,
        "cube_007_009a": not delivery["contact_midwife"],
        "cube_007_003a": delivery["prenatal_contact"],
        "cube_007_004a": delivery["prenatal_gdm_test"] or False,
        "cube_007_005a": delivery["prenatal_technical"],
        "cube_007_006b": delivery["delivery_type"] == "caesarean",
        "cube_007_007a": delivery["nights_after_delivery"] or 0,
    }
    return int(counted[indicator_id])


def status_of(indicator: Indicator, year: int, settings: Settings, reach: date | None) -> str:
    """final, or provisional when claims do not reach the end of what the indicator observes (section 8)."""
    end = date(year, 12, 31)
    if indicator.postnatal:
        end += timedelta(settings["postnatal_window"]["last_day"])
    end += timedelta(max(0, indicator.last_day))
    return "final" if reach is not None and reach >= end else "provisional"


def cube(
    indicator: Indicator,
    found: list[Row],
    units: list[tuple[str, str]],
    split_by: tuple[Dimension, ...],
    of: tuple[int, str],
    *,
    denominator_known: bool = True,
) -> Cells:
    """The indicator's cells of the year (section 8).

    `split_by` are all dimensions, in the order of the cells' key; `of` is year and status. `units` are the geographic
    units that have a row even without a denominator. A status of not_computable blanks the numerator;
    without a known denominator only the units' rows are left.
    """
    year, status = of
    names = tuple(one.name for one in split_by)
    counts: dict[tuple[Any, ...], list[int]] = {}
    for level, code in units:
        if level in indicator.levels:
            counts[level, code, *["all"] * len(names)] = [0, 0]
    for record in found if denominator_known else []:
        choices = []
        for dimension in names:
            choices.append(("all", record[dimension]) if dimension in indicator.dimensions else ("all",))
        for values in itertools.product(*choices):
            for level, code in record["places"]:
                if level in indicator.levels:
                    count = counts.setdefault((level, code, *values), [0, 0])
                    count[0] += record["numerator"]
                    count[1] += 1
    cells: Cells = {}
    for key, (numerator, denominator) in counts.items():
        value, low, high = measures(indicator.unit, numerator, denominator)
        cell: Row = {
            "numerator": numerator,
            "denominator": denominator if denominator_known else None,
            "value": value,
            "ci_low": low,
            "ci_high": high,
            "status": status,
            "geo_vintage": year,
        }
        if status == "not_computable":
            cell.update(numerator=None, value=None, ci_low=None, ci_high=None)
        cells[indicator.id, year, *key] = cell
    return cells
