"""Find the claim lines of a service, and net corrections.

A code belongs to a list on the dates of its validity, both ends included. A service is the sum of all lines with one
beneficiary, date, code and provider; it counts when the net quantity is above zero.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.configuration.codelists import SYSTEM, CodeListRow
from claimatlas.configuration.services import ContactGroup
from claimatlas.configuration.settings import Settings
from claimatlas.ingest.codes import CODE, among, named_by
from claimatlas.spark.columns import any_of

SERVICE_KEY = ("beneficiary_id", "service_date", "nomenclature_code", "provider_id")
"""Lines with the same key are one service and its corrections; a null provider is a value like any other."""

CODE_COLUMNS = (CODE, SYSTEM)
"""What names a service: its code, and the system of the code where the claims have one."""


def service_key(configuration: Configuration) -> tuple[str, ...]:
    """``SERVICE_KEY``, and the system of the code where the claims have one."""
    return (*SERVICE_KEY, *code_columns(configuration)[1:])


def code_columns(configuration: Configuration) -> tuple[str, ...]:
    """The columns that say which service a line is of: its code, and the code's system where there is one."""
    return CODE_COLUMNS if configuration.settings.codes.systems else CODE_COLUMNS[:1]


WITHOUT_MATCH = "negative_lines_without_match"
"""The count of negative lines that take back no service."""


def in_code_lists(configuration: Configuration, names: Iterable[str]) -> Column:
    """Whether the line's code belongs to one of the lists on its service date; never null."""
    by_validity: dict[tuple[object, object], list[CodeListRow]] = {}
    for name in dict.fromkeys(names):
        for row in configuration.code_lists[name].rows:
            by_validity.setdefault((row.valid_from, row.valid_to), []).append(row)
    conditions = []
    for (valid_from, valid_to), rows in by_validity.items():
        condition = named_by(rows)
        if valid_from is not None:
            condition &= F.col("service_date") >= F.lit(valid_from)
        if valid_to is not None:
            condition &= F.col("service_date") <= F.lit(valid_to)
        conditions.append(condition)
    return any_of(conditions)


def has_any_code(configuration: Configuration, names: Iterable[str]) -> Column:
    """Whether the line's code is in one of the lists at any time: a filter that the scan can use."""
    return named_by(row for name in names for row in configuration.code_lists[name].rows)


def indicator_lines(claims: DataFrame, configuration: Configuration) -> DataFrame:
    """Claim lines that any indicator reads, except contacts around deliveries: a small subset, materialised once.

    Grain in and out: one row per claim line. The code of each line is in one of the lists at some time; the rules check
    whether it is on the line's date.
    """
    return claims.where(has_any_code(configuration, code_lists_of_indicator_lines(configuration)))


def code_lists_of_indicator_lines(configuration: Configuration) -> list[str]:
    """The code lists of deliveries and of the services counted per beneficiary."""
    services = configuration.services
    lists = [kind.code_list for kind in services.delivery_types.values()]
    return lists + [name for service in services.beneficiary_services.values() for name in service.code_lists]


def provider_rule(group: ContactGroup, settings: Settings) -> Column:
    """Whether a line's provider meets the rules of the group; an unknown attribute of a rule does not."""
    met = F.lit(True)
    for rule in group.provider_rules(settings):
        is_named = among(F.col(rule.attribute), rule.entries)
        met &= ~is_named if rule.is_except else is_named
    return F.coalesce(met, F.lit(False))


def net_services(lines: DataFrame, key: tuple[str, ...], rules: dict[str, Column]) -> DataFrame:
    """Net the corrections.

    Grain in: one row per claim line. Grain out: one row per ``key``, services that were taken back
    included, with

    - ``net_quantity``: sum of the quantities;
    - ``hospital_id``: the lowest one of the lines with a positive quantity, null when they have none;
    - one boolean column for each of ``rules``: whether such a line meets it;
    - ``lines``: how many lines it is made of, and ``lines_given``: those with a positive quantity.
    """
    given = F.col("quantity") > 0
    return lines.groupBy(*key).agg(
        F.sum("quantity").alias("net_quantity"),
        F.min(F.when(given, F.col("hospital_id"))).alias("hospital_id"),
        *[F.max(given & rule).alias(name) for name, rule in rules.items()],
        F.count(F.lit(1)).alias("lines"),
        F.count_if(given).alias("lines_given"),
    )


SERVICE_COUNTS = ("claim_lines", "services", "services_taken_back", WITHOUT_MATCH)
"""The columns of ``service_counts``; each is a sum over services."""


def service_counts() -> list[Column]:
    """The counts of services for a run record: their claim lines, services given, and services taken back.

    Negative lines that take back no service are counted separately.
    """
    was_given = F.col("lines_given") > 0
    without_match = F.when(~was_given, F.col("lines")).otherwise(F.lit(0))
    return [
        F.coalesce(F.sum("lines"), F.lit(0)).alias("claim_lines"),
        F.count_if(was_given).alias("services"),
        F.count_if(was_given & (F.col("net_quantity") <= 0)).alias("services_taken_back"),
        F.coalesce(F.sum(without_match), F.lit(0)).alias(WITHOUT_MATCH),
    ]
