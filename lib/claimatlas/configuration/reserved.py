"""Reserved names: the tables and the run record use them, so no flag, level, service or label may have one.

The tables' own schemas need the configuration, so the names stand here; a test compares them with the schemas.
"""

from __future__ import annotations

LABELS = ("all", "unknown")
"""Of a dimension: the value that is summed over, and the one that is not known."""

YEARS_OF_PLACES = ("first_year", "last_year")
NAME_OF_PLACE = "name_"
"""The columns of ``geography/municipalities.csv`` beside the levels; after ``name_`` stands a language."""

TEXTS_OF_POPULATION = ("sex",)
"""The columns that every population has and that a dimension may be read from."""
TYPED_OF_POPULATION = (
    *("beneficiary_id", "birth_date", "year", "batch"),
    *("municipality_31_december", "municipality_30_june", "sector_31_december", "sector_30_june"),
)
"""The others, which rules of their own read."""

_PERSON = {
    *TEXTS_OF_POPULATION,
    *TYPED_OF_POPULATION,
    *("sector", "domicile_source", "code_given", "code_carried", "code_unknown"),
    *("sector_given", "sector_refused", "age_implausible"),
}
"""Columns of a beneficiary-year, once its domicile is known, beside its dimensions."""

_COUNTED = {"numerator", "denominator", "domicile_31_december", "domicile_30_june", "domicile_unknown"}
"""Counts of members, in addition to the declared ones."""

_DELIVERY = {
    *("delivery_id", "delivery_date", "delivery_type", "delivery_kind", "hospital_id", "billings", "last_billing_date"),
    *(
        "age",
        "age_as_given",
        "recorded_sex",
        "first_contact_date",
        "nights_after_delivery",
        "implausible_interval",
        "in_population",
        "enrolled_days_before",
        "enrolled_days_after",
    ),
}
"""Columns of a delivery, beside those of its mother."""

_COUNTS_OF_DELIVERIES = {
    "deliveries",
    "not_in_population",
    "mother_recorded_as_male",
    "age_outside_plausible",
    "with_stay",
}
"""Counts of the deliveries of a year in a run record, in addition to the flags."""

_CELL = {
    *("indicator_id", "year", "geo_level", "geo_code", "geo_vintage"),
    *("numerator", "denominator", "value", "ci_low", "ci_high", "status", "run_id"),
}
"""Columns of a cell, beside its dimensions."""

_PUBLISHED = {
    *("value_low", "value_high", "comparison", "trend", "confidentiality", "reliability", "release"),
    *("note", "split", "national_value", "trend_z", "total", "names", "exact", "sum"),
}
"""Further columns of what is published, and of its downloads; the name of the group that is split by nothing."""

_SUMS = {"published", "places", "places_and_unknown", "members"}
"""What the checks call the sums of cells, beside those of dimensions."""

OF_A_FLAG = frozenset({*_PERSON, *_DELIVERY, *_COUNTED, *_COUNTS_OF_DELIVERIES, *LABELS})
"""Names that a delivery flag must not have."""
OF_A_SERVICE = frozenset(
    {
        *("beneficiary_id", "service_date", "nomenclature_code", "provider_id", "year"),
        *("net_quantity", "hospital_id", "lines", "lines_given", *LABELS),
    }
)
"""Names that a service of beneficiaries must not have: the columns of a service."""
OF_A_DIMENSION = frozenset({*OF_A_FLAG, *_CELL, *_PUBLISHED, *_SUMS, "service_lines"})
"""Names that a dimension must not have, unless it is read from a column of that name."""
OF_AN_ATTRIBUTE = frozenset(
    {
        *OF_A_SERVICE,
        *("claim_id", "code_system", "quantity", "booking_date", "batch"),
        *("delivery_id", "delivery_date", "days_after_delivery"),
    }
)
"""Names that an attribute of providers must not have: the other columns of a claim line, also around a delivery."""
OF_A_LEVEL = frozenset({*OF_A_FLAG, *_CELL, "service_lines", *YEARS_OF_PLACES})
"""Names that a level of place must not have."""

STARTS_OF_COUNTS = ("numerator_", "denominator_")
"""Prefixes of columns of counts; an indicator's id, or the deliveries that it counts, follows."""
START_OF_WORKING = "_"
"""Prefixes of temporary columns."""
STARTS_OF_SUMS = ("domicile_", "code_", "sector_", "beneficiaries_with_", "quantity_")
"""Prefixes of columns that are summed for the run record's counts of beneficiaries."""


def is_label(text: str) -> bool:
    """Whether a reader takes it for one of ``LABELS``."""
    return text.strip().lower() in LABELS
