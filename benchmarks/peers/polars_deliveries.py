"""Deliveries with Polars: episodes, what was billed around them, their stay, and the mother.

The order of the joins keeps them small: the few lines with a delivery code give the episodes; only lines of the women
who delivered, within reach of a delivery, are netted and joined with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl
from claimatlas.configuration import Configuration
from claimatlas.configuration.services import ContactGroup
from claimatlas.configuration.settings import Settings

from benchmarks.facts import Facts
from benchmarks.peers.polars_rules import (
    UNKNOWN,
    Files,
    age_category,
    codes_of,
    completed_years,
    in_lists,
    increased_reimbursement,
    scan,
    services,
    with_domicile,
)

DELIVERY = ("beneficiary_id", "delivery_date")
"""What tells deliveries apart."""
OFFSET = "_days_after_delivery"
FAR = date(2000, 1, 1)
"""Stands for a date when there is no delivery."""


def compute_deliveries(files: Files, configuration: Configuration, facts: Facts, years: Sequence[int]) -> pl.DataFrame:
    """The deliveries of the years, with the columns of ``silver/deliveries`` except its id."""
    names = configuration.services.delivery_flags
    episodes = _episodes(files, configuration, facts).filter(pl.col("year").is_in(list(years)))
    age = completed_years(pl.col("birth_date"), pl.col("delivery_date"))
    joined = (
        episodes.join(_mothers(files, configuration, facts, episodes), on=["beneficiary_id", "year"], how="left")
        .join(_flags(files, configuration, facts, episodes), on=DELIVERY, how="left")
        .join(_nights(files, episodes), on=DELIVERY, how="left")
        .with_columns(
            pl.when(age >= 0).then(age).alias("age"),
            age_category(age, configuration.settings.age_categories.deliveries).alias("age_category"),
            increased_reimbursement(),
            pl.col("domicile_source").fill_null(UNKNOWN),
            *[_seen(name, configuration) for name in names],
        )
    )
    after = [name for name, flag in names.items() if flag.window == "postnatal"]
    before = [name for name, flag in names.items() if flag.window == "prenatal"]
    columns = [*episodes.columns, "age", "age_category", "increased_reimbursement", "municipality", "domicile_source"]
    return joined.select(*columns, *after, "first_contact_date", *before, "nights_after_delivery").sort(DELIVERY)


def _seen(flag: str, configuration: Configuration) -> pl.Expr:
    """Without any service a flag is false; null when its code lists are empty, as nobody could see one."""
    if configuration.empty_code_lists_of_flag(flag):
        return pl.when(pl.col(flag)).then(pl.lit(value=True)).alias(flag)
    return pl.col(flag).fill_null(value=False)


def _episodes(files: Files, configuration: Configuration, facts: Facts) -> pl.DataFrame:
    """Chains of delivery days over all claims; type and hospital are those of the first day."""
    settings, kinds = configuration.settings, configuration.services.delivery_types
    lists = [kind.code_list for kind in kinds.values()]
    lines = scan(files, "claims").filter(pl.col("nomenclature_code").is_in(codes_of(facts, lists)))
    found = services(lines.filter(in_lists(facts, lists))).collect(engine="streaming")
    # The condition of the priority that wins comes first.
    by_priority = sorted(kinds.items(), key=lambda item: item[1].priority)
    is_kind = {name: in_lists(facts, [kind.code_list]) for name, kind in by_priority}
    day, start = pl.col("delivery_date"), pl.col("start")
    cuts = (day - day.shift() > timedelta(days=settings.episode_gap_days)).over("beneficiary_id").fill_null(value=True)
    near = timedelta(days=settings.implausible_interval_days)
    to_last, to_next = day - day.shift(), day.shift(-1) - day
    return (
        found.with_columns(
            pl.coalesce(pl.when(holds).then(pl.lit(kinds[name].priority)) for name, holds in is_kind.items()).alias(
                "priority"
            ),
            pl.coalesce(pl.when(holds).then(pl.lit(name)) for name, holds in is_kind.items()).alias("delivery_type"),
        )
        .rename({"service_date": "delivery_date"})
        .sort(*DELIVERY, "priority", "hospital_id", "nomenclature_code", nulls_last=True)
        .unique(DELIVERY, keep="first", maintain_order=True)
        .with_columns(pl.when(cuts).then(day).alias("start"))
        .with_columns(start.forward_fill().over("beneficiary_id"))
        .group_by("beneficiary_id", "start", maintain_order=True)
        .agg(
            pl.col("delivery_type", "hospital_id").first(),
            pl.len().cast(pl.Int32).alias("billings"),
            day.max().alias("last_billing_date"),
        )
        .rename({"start": "delivery_date"})
        .with_columns(
            ((to_last < near).fill_null(value=False) | (to_next < near).fill_null(value=False))
            .over("beneficiary_id")
            .alias("implausible_interval"),
            day.dt.year().alias("year"),
        )
    )


def _mothers(files: Files, configuration: Configuration, facts: Facts, episodes: pl.DataFrame) -> pl.DataFrame:
    """The population rows of the women who delivered, each in the year of her delivery."""
    delivered = episodes.lazy().select("beneficiary_id", "year").unique()
    rows = (
        scan(files, "population")
        .filter(pl.col("year").is_in(episodes["year"].unique().to_list()))
        .join(delivered, on=["beneficiary_id", "year"], how="semi")
    )
    columns = ["birth_date", "increased_reimbursement", "municipality", "domicile_source"]
    domiciled = with_domicile(rows, facts, configuration.settings.geography)
    return domiciled.select("beneficiary_id", "year", *columns).collect(engine="streaming")


def _window(settings: Settings, window: str) -> tuple[int, int]:
    """First and last day of a window, in days after the delivery (negative: before); both included."""
    found = settings.all_windows[window]
    return found.first_day, found.last_day


def _provider(group: ContactGroup) -> pl.Expr:
    """Whether the provider of a line is one of the group's; null when it is unknown."""
    met = pl.lit(value=True)
    for attribute, words in group.where.items():
        met &= pl.col(attribute).is_in([int(word) for word in words])
    for attribute, words in group.where_not.items():
        met &= ~pl.col(attribute).is_in([int(word) for word in words])
    return met


def _services_around(
    files: Files, configuration: Configuration, facts: Facts, episodes: pl.DataFrame, lists: Sequence[str]
) -> pl.LazyFrame:
    """The services of the lists that a woman had within reach of a delivery of hers, with one rule per group."""
    windows = [_window(configuration.settings, window) for window in ("prenatal", "postnatal")]
    first = min(window[0] for window in windows)
    last = max(window[1] for window in windows)
    days = episodes["delivery_date"].to_list() or [FAR]
    from_date, to_date = min(days) + timedelta(days=first), max(days) + timedelta(days=last)
    lines = (
        scan(files, "claims")
        .filter(
            pl.col("year").is_between(from_date.year, to_date.year),
            pl.col("nomenclature_code").is_in(codes_of(facts, lists)),
            pl.col("service_date").is_between(from_date, to_date),
        )
        .join(episodes.lazy().select("beneficiary_id").unique(), on="beneficiary_id", how="semi")
        .filter(in_lists(facts, lists))
    )
    groups = configuration.services.contact_groups
    around = services(lines, {f"by_{name}": _provider(group) for name, group in groups.items()})
    offset = (pl.col("service_date") - pl.col("delivery_date")).dt.total_days().alias(OFFSET)
    return (
        around.join(episodes.lazy().select(DELIVERY), on="beneficiary_id")
        .with_columns(offset)
        .filter(pl.col(OFFSET).is_between(first, last))
    )


def _flags(files: Files, configuration: Configuration, facts: Facts, episodes: pl.DataFrame) -> pl.DataFrame:
    """The flags of each delivery that has any service around it, and the day of its first contact."""
    settings, declared = configuration.settings, configuration.services.delivery_flags
    groups = configuration.services.contact_groups
    group_lists = {name: group.code_lists_for(settings) for name, group in groups.items()}
    contact = {name: pl.col(f"by_{name}") & in_lists(facts, lists) for name, lists in group_lists.items()}
    lists = [*sum(group_lists.values(), ()), *sum((flag.code_lists for flag in declared.values()), ())]
    flags = {}
    for name, flag in declared.items():
        services_seen = [contact[group] for group in flag.contact_groups] or [in_lists(facts, flag.code_lists)]
        in_window = pl.col(OFFSET).is_between(*_window(settings, flag.window))
        flags[name] = (pl.any_horizontal(services_seen) & in_window).any()
    after = pl.col(OFFSET).is_between(*_window(settings, "postnatal"))
    first_contact = pl.col("service_date").filter(pl.any_horizontal(contact.values()) & after).min()
    return (
        _services_around(files, configuration, facts, episodes, lists)
        .group_by(DELIVERY)
        .agg(first_contact.alias("first_contact_date"), **flags)
        .collect(engine="streaming")
    )


def _nights(files: Files, episodes: pl.DataFrame) -> pl.DataFrame:
    """Nights from a delivery to the discharge of its stay: one in its hospital before others, then the latest."""
    day, discharge = pl.col("delivery_date"), pl.col("discharge_date")
    return (
        scan(files, "hospital_stays")
        .select("beneficiary_id", "admission_date", "discharge_date", pl.col("hospital_id").alias("_hospital"))
        .join(episodes.lazy().select(*DELIVERY, "hospital_id"), on="beneficiary_id")
        .filter(day.is_between(pl.col("admission_date"), discharge))
        .with_columns((pl.col("_hospital") == pl.col("hospital_id")).fill_null(value=False).alias("_in_its_hospital"))
        .sort("_in_its_hospital", "discharge_date", descending=True)
        .unique(DELIVERY, keep="first", maintain_order=True)
        .select(*DELIVERY, (discharge - day).dt.total_days().cast(pl.Int32).alias("nights_after_delivery"))
        .collect(engine="streaming")
    )
