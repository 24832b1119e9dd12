"""Services around a delivery: ambulatory contacts after it, prenatal services before it.

Source page: cube_007_008a_At (groups, provider rules, 42 days). A contact counts for every delivery
whose window holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.claims.netting import code_columns, has_any_code, in_code_lists, net_services, provider_rule
from claimatlas.configuration import Configuration
from claimatlas.configuration.services import DeliveryFlag
from claimatlas.configuration.settings import POSTNATAL, Settings
from claimatlas.spark.columns import any_of

_OFFSET = "days_after_delivery"


def code_lists_around(configuration: Configuration) -> list[str]:
    """All code lists that any flag of a delivery may read, whichever value the settings have."""
    services = configuration.services
    lists: list[str] = []
    for flag in services.delivery_flags.values():
        lists += flag.code_lists
        for name in flag.contact_groups:
            group = services.contact_groups[name]
            lists += group.code_lists
            for by_value in group.code_lists_by_setting.values():
                for chosen in by_value.values():
                    lists += chosen
    return list(dict.fromkeys(lists))


def window_bounds(settings: Settings, window: str) -> tuple[int, int]:
    """First and last day of a window, in days after the delivery (negative: before); both included."""
    found = settings.all_windows[window]
    return found.first_day, found.last_day


def _reach(settings: Settings) -> tuple[int, int]:
    """First and last day of all windows together."""
    windows = settings.all_windows.values()
    first = min((window.first_day for window in windows), default=0)
    return first, max((window.last_day for window in windows), default=0)


def years_of_windows(settings: Settings, years: Sequence[int]) -> list[int]:
    """The years that the windows of deliveries of ``years`` reach into: these and some beside them."""
    first, last = _reach(settings)
    near = set(years)
    for year in years:
        begin, end = date(year, 1, 1) + timedelta(days=first), date(year, 12, 31) + timedelta(days=last)
        near.update(range(begin.year, end.year + 1))
    return sorted(near)


def services_around(
    claims: DataFrame, deliveries: DataFrame, configuration: Configuration, years: Sequence[int]
) -> DataFrame:
    """The services of the windows of the deliveries of ``years``, services that were taken back included.

    Grain in: one row per accepted claim line; one row per delivery. Grain out: one row per delivery,
    date, code and provider: ``delivery_id``, ``days_after_delivery``, ``service_date``, ``net_quantity``,
    ``lines``, and a boolean for each contact group (``group_<name>``, and ``group_<name>_<value>`` for
    each value of a setting that chooses its code lists) and for each flag with code lists of its own
    (``list_<flag>``).

    The few deliveries are sent to every task, so that no line of anyone else is exchanged.
    """
    settings = configuration.settings
    first, last = _reach(settings)
    windows = F.broadcast(deliveries.select(F.col("beneficiary_id").alias("_mother"), "delivery_id", "delivery_date"))
    in_reach = (
        (F.col("beneficiary_id") == F.col("_mother"))
        & (F.col("service_date") >= F.date_add("delivery_date", first))
        & (F.col("service_date") <= F.date_add("delivery_date", last))
    )
    lists = code_lists_around(configuration)
    # Other partitions are not read.
    lines = (
        claims.where(F.col("year").isin(years_of_windows(settings, years)))
        .where(has_any_code(configuration, lists) & in_code_lists(configuration, lists))
        .join(windows, on=in_reach, how="inner")
        .withColumn(_OFFSET, F.datediff("service_date", "delivery_date"))
    )
    codes = code_columns(configuration)
    key = ("delivery_id", _OFFSET, "service_date", *codes, "provider_id")
    return net_services(lines, key, _rules(configuration)).drop("hospital_id", "provider_id", *codes)


def _rules(configuration: Configuration) -> dict[str, Column]:
    rules: dict[str, Column] = {}
    for name, group in configuration.services.contact_groups.items():
        by = provider_rule(group, configuration.settings)
        rules[f"group_{name}"] = by & in_code_lists(configuration, group.code_lists_for(configuration.settings))
        for by_value in group.code_lists_by_setting.values():
            for value, lists in by_value.items():
                rules[f"group_{name}_{value}"] = by & in_code_lists(configuration, lists)
    for name, flag in configuration.services.delivery_flags.items():
        if flag.code_lists:
            rules[f"list_{name}"] = in_code_lists(configuration, flag.code_lists)
    return rules


def flag_condition(name: str, flag: DeliveryFlag, settings: Settings) -> Column:
    """Whether a service of ``services_around`` is one that the flag looks for."""
    first, last = window_bounds(settings, flag.window)
    columns = [f"group_{group}" for group in flag.contact_groups] or [f"list_{name}"]
    return any_of(F.col(column) for column in columns) & F.col(_OFFSET).between(first, last)


def is_raised(name: str, flag: DeliveryFlag, settings: Settings) -> Column:
    """Whether the services of a delivery raise the flag: an aggregate over rows of ``services_around`` that count."""
    condition = flag_condition(name, flag, settings)
    if flag.least_days == 1:
        return F.max(condition)
    return F.size(F.collect_set(F.when(condition, F.col(_OFFSET)))) >= flag.least_days


def flags_of_deliveries(services: DataFrame, configuration: Configuration) -> DataFrame:
    """The flags of each delivery that has any service around it.

    Grain in: the result of ``services_around``. Grain out: one row per ``delivery_id``, with a boolean
    for each declared flag, ``first_contact_date`` (first day with a contact of any group in the
    postnatal window; null without one) and, for each value of a setting that chooses code lists,
    ``contact_<group>_<value>``.
    """
    settings = configuration.settings
    flags = {name: is_raised(name, flag, settings) for name, flag in configuration.services.delivery_flags.items()}
    postnatal = settings.all_windows.get(POSTNATAL)
    after = F.col(_OFFSET).between(postnatal.first_day, postnatal.last_day) if postnatal else F.lit(False)
    contact = any_of(F.col(f"group_{name}") for name in configuration.services.contact_groups) & after
    readings = {
        f"contact_{name}_{value}": F.max(F.col(f"group_{name}_{value}") & after)
        for name, group in configuration.services.contact_groups.items()
        for by_value in group.code_lists_by_setting.values()
        for value in by_value
    }
    return (
        services.where(F.col("net_quantity") > 0)
        .groupBy("delivery_id")
        .agg(
            *[seen.alias(name) for name, seen in (flags | readings).items()],
            F.min(F.when(contact, F.col("service_date"))).alias("first_contact_date"),
        )
    )
