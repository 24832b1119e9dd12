"""Measure the claim lines for the checks, in one pass over them."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.claims.netting import in_code_lists
from claimatlas.configuration import Configuration

MONTHS_OF_RUN_OUT = (3, 6, 12)
"""The numbers of months after which late lines are counted."""
ALL_LINES = "all lines"


def code_groups(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """The families of code lists: delivery types, contact groups, services and flags with lists of their own.

    A name starts with the section of ``services.yaml``, as two sections may share one.
    """
    services, settings = configuration.services, configuration.settings
    groups: dict[str, tuple[str, ...]] = {
        f"delivery_types.{name}": (kind.code_list,) for name, kind in services.delivery_types.items()
    }
    groups |= {
        f"contact_groups.{name}": group.code_lists_for(settings) for name, group in services.contact_groups.items()
    }
    groups |= {f"delivery_flags.{name}": flag.code_lists for name, flag in services.delivery_flags.items()}
    groups |= {f"beneficiary_services.{name}": kind.code_lists for name, kind in services.beneficiary_services.items()}
    return {name: lists for name, lists in groups.items() if lists}


def lines_by_month(claims: DataFrame, configuration: Configuration) -> DataFrame:
    """Count the claim lines of each month of service.

    Grain in: one row per accepted claim line. Grain out: one row per ``year`` and ``month`` with any line:

    - ``groups``: a map from ``all lines`` and each of ``code_groups`` to its lines (a code counts on the dates on
      which its list holds it; who provided the service does not matter);
    - ``booked``: lines with a booking date;
    - ``after_3``, ``after_6``, ``after_12``: those booked more than so many months after the service (on the same
      day of the month, or its last one, it is not more).
    """
    groups = {
        name: F.count_if(in_code_lists(configuration, lists)) for name, lists in code_groups(configuration).items()
    }
    counts = {ALL_LINES: F.count(F.lit(1)), **groups}
    by_group = F.create_map(*[item for name, count in counts.items() for item in (F.lit(name), count)])
    later = [
        F.count_if(F.col("booking_date") > F.add_months("service_date", months)).alias(f"after_{months}")
        for months in MONTHS_OF_RUN_OUT
    ]
    return claims.groupBy("year", F.month("service_date").alias("month")).agg(
        by_group.alias("groups"), F.count("booking_date").alias("booked"), *later
    )
