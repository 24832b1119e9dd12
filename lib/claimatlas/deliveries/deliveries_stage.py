"""The deliveries stage: from silver claims to ``silver/deliveries``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.claims.netting import service_counts
from claimatlas.configuration import Configuration
from claimatlas.configuration.settings import PRENATAL
from claimatlas.deliveries import delivery_marker
from claimatlas.deliveries.contacts import flags_of_deliveries, services_around
from claimatlas.deliveries.days import delivery_days, delivery_services
from claimatlas.deliveries.episodes import count_by_reading, form_episodes, with_episode_starts
from claimatlas.deliveries.stays import nights_after_delivery
from claimatlas.population.ages import completed_years
from claimatlas.population.dimensions import dimension_columns
from claimatlas.population.domicile import carrying_table, domicile_counts, sector_years, with_domicile
from claimatlas.population.spans import by_year, enrolment_around
from claimatlas.runs.context import Counts, RunContext, SilverFacts
from claimatlas.runs.record import RunRecord
from claimatlas.spark.questions import ask
from claimatlas.tables.schemas import CLAIMS, HOSPITAL_STAYS, POPULATION, UNKNOWN, configured, deliveries_table
from claimatlas.tables.store import Store


@dataclass(frozen=True)
class FormedDeliveries:
    """Deliveries, and how they were formed.

    ``rows``: one row per delivery, with the columns of ``silver/deliveries`` and others; ``counts``: by step of a run
    record.
    """

    rows: DataFrame
    counts: Counts


def compute_deliveries(context: RunContext, silver: SilverFacts, lines: DataFrame) -> None:
    """Replace the deliveries of the years in ``silver/deliveries``; ``lines`` as for ``deliveries_of``."""
    formed = deliveries_of(context, lines)
    context.record.count_all(formed.counts)
    write_deliveries(context, silver, formed.rows)


def deliveries_of(context: RunContext, lines: DataFrame) -> FormedDeliveries:
    """Form the deliveries of the years.

    ``lines``: claim lines of all years with every line of a delivery (``indicator_lines``). Episodes are formed over
    all of them, so that a chain is followed across New Year and the distance between deliveries is judged over all.
    """
    store, configuration, years, record = context.store, context.configuration, context.years, context.record
    settings = configuration.settings
    record.progress("deliveries: forming episodes")
    services = store.materialise(delivery_services(lines, configuration), "delivery_services")
    days = store.materialise(with_episode_starts(delivery_days(services), settings.episode_gap_days), "delivery_days")
    episodes = form_episodes(
        days,
        episode_rule=settings.episode_rule,
        episode_type=settings.episode_type,
        implausible_interval_days=settings.implausible_interval_days,
    )
    episodes = store.materialise(episodes.where(F.col("year").isin(list(years))), "episodes")
    record.progress("deliveries: joining the services around them")
    around = store.materialise(services_around(store.read(CLAIMS), episodes, configuration, years), "services_around")
    flags = flags_of_deliveries(around, configuration)
    # Without hospital stays in the input the table is empty, and all nights are null.
    nights = nights_after_delivery(episodes, store.read(HOSPITAL_STAYS))
    population = store.read(configured(POPULATION, configuration))
    around_deliveries = [flags, nights]
    if settings.population.are_spans:
        around_deliveries.append(enrolment_around(episodes, population))
    mothers = _mothers(population, episodes, configuration, years)
    joined = store.materialise(_join(episodes, around_deliveries, mothers, configuration), "deliveries")
    counts = _counts(
        {
            "services": services.agg(*service_counts()),
            "days": days.agg(F.count(F.lit(1)).alias("delivery_days")),
            "readings": count_by_reading(days),
            "around": around.agg(*service_counts()),
            "deliveries": _totals(joined, configuration),
        }
    )
    formed = counts["deliveries"]["in_years"]
    record.progress(f"deliveries: {formed:,} deliveries", counts={"deliveries": formed})
    return FormedDeliveries(joined, counts)


def write_deliveries(context: RunContext, silver: SilverFacts, deliveries: DataFrame) -> None:
    """Replace the deliveries of the years in ``silver/deliveries``, and warn where claims start too late for them."""
    table = deliveries_table(context.configuration)
    context.store.create(table)
    order = ("year", "delivery_date", "delivery_id")
    rows = deliveries.select(*table.column_names)
    context.store.replace_years(rows, table, context.years, order, {"run_id": context.record.run_id})
    for sentence in open_edges(silver.first_service_date, context.configuration, context.years):
        context.record.warn(sentence)


def warn_of_years_without_flags(store: Store, configuration: Configuration, record: RunRecord) -> None:
    """Warn about years of ``silver/deliveries`` that were computed before a flag was declared: it is null there."""
    table = deliveries_table(configuration)
    # A flag with an empty code list stays null when the year is computed again.
    flags = [flag.name for flag in table.flags if not configuration.empty_code_lists_of_flag(flag.name)]
    origins = delivery_marker.all_origins(store, table)
    computed = {
        year: set(origin[delivery_marker.FLAGS]) for year, origin in origins.items() if delivery_marker.FLAGS in origin
    }
    unmarked = sorted(set(origins) - set(computed))
    if unmarked and flags:
        # A killed run has cleared their marker, so only the rows can tell. A computed flag is never null.
        rows = store.read(table).where(F.col("year").isin(unmarked)).groupBy("year")
        for row in rows.agg(*[F.count(flag).alias(flag) for flag in flags]).collect():
            computed[row["year"]] = {flag for flag in flags if row[flag]}
    lacking: dict[tuple[int, ...], list[str]] = {}
    for flag in flags:
        years = tuple(year for year in sorted(computed) if flag not in computed[year])
        lacking.setdefault(years, []).append(flag)
    for years, names in lacking.items():
        if years:
            record.warn(f"{store.called(table)}: {_not_computed(names, years)}")


def _not_computed(flags: Sequence[str], years: Sequence[int]) -> str:
    one, one_year = len(flags) == 1, len(years) == 1
    return (
        f"the flag{'' if one else 's'} {', '.join(flags)} {'was' if one else 'were'} not declared when "
        f"{', '.join(map(str, years))} {'was' if one_year else 'were'} computed: {'it is' if one else 'they are'} null "
        f"(not computed) there. Compute {'this year' if one_year else 'these years'} anew to fill "
        f"{'it' if one else 'them'}."
    )


def _mothers(
    population: DataFrame, episodes: DataFrame, configuration: Configuration, years: Sequence[int]
) -> DataFrame:
    """The population rows of the women who delivered, each in the year of her delivery."""
    spark = population.sparkSession
    delivered = F.broadcast(episodes.select("beneficiary_id", "year").distinct())
    rows = (
        by_year(population, configuration, years)
        .where(F.col("year").isin(list(years)))
        .join(delivered, on=["beneficiary_id", "year"], how="left_semi")
    )
    return with_domicile(
        rows,
        carrying_table(spark, configuration, years),
        sector_years(spark, configuration, years),
        configuration,
    ).withColumn("in_population", F.lit(True))


def _join(
    episodes: DataFrame, around: Sequence[DataFrame], mothers: DataFrame, configuration: Configuration
) -> DataFrame:
    """Join all facts of each delivery.

    ``around``: frames by ``delivery_id``: first the flags, then the nights, and of spans the days of enrolment.

    Grain out: one row per delivery; without a population row the mother's are unknown.
    """
    flags, *others = around
    place = configuration.settings.geography.domicile_level
    age = completed_years(F.col("birth_date"), F.col("delivery_date"))
    flag_names = [name for name in flags.columns if name not in ("delivery_id", "first_contact_date")]
    known = episodes.join(mothers, on=["beneficiary_id", "year"], how="left")
    for frame in around:
        known = known.join(frame, on="delivery_id", how="left")
    beside = [name for frame in others for name in frame.columns if name != "delivery_id"]
    return known.select(
        *episodes.columns,
        F.when(age >= 0, age).cast("int").alias("age"),
        age.alias("age_as_given"),
        *dimension_columns(configuration.dimensions, "deliveries", age),
        place,
        F.coalesce("domicile_source", F.lit(UNKNOWN)).alias("domicile_source"),
        *[_flag_or_null(name, configuration).alias(name) for name in flag_names],
        "first_contact_date",
        *beside,
        F.col("sex").alias("recorded_sex"),
        F.coalesce("in_population", F.lit(False)).alias("in_population"),
    )


def _flag_or_null(flag: str, configuration: Configuration) -> Column:
    """The flag of a delivery: false without any service; null when its code lists are empty."""
    if flag in configuration.services.delivery_flags and configuration.empty_code_lists_of_flag(flag):
        return F.when(F.col(flag), F.lit(True))
    return F.coalesce(flag, F.lit(False))


def _counts(questions: Mapping[str, DataFrame]) -> Counts:
    """Counts of how the deliveries were formed and of their kinds, by step of a run record."""
    found = ask(questions)
    formed = sum(total["deliveries"] for total in found["deliveries"])
    counts: Counts = {"deliveries": {**found["services"][0], **found["days"][0], "in_years": formed}}
    for reading in found["readings"]:
        of_reading = counts.setdefault(f"deliveries.episodes_{reading['reading']}", {})
        of_reading[str(reading["year"])] = reading["deliveries"]
    counts["deliveries.services_around"] = found["around"][0]
    counts.update({f"deliveries.{total.pop('year')}": total for total in found["deliveries"]})
    return counts


def _totals(joined: DataFrame, configuration: Configuration) -> DataFrame:
    """The deliveries of each year, and how many of them are of each kind."""
    plausible = configuration.settings.plausible_age_at_delivery
    # A flag that was not computed has no count: that is not zero.
    flags = [name for name in configuration.services.delivery_flags if not configuration.empty_code_lists_of_flag(name)]
    readings = [
        f"contact_{name}_{value}"
        for name, group in configuration.services.contact_groups.items()
        for by_value in group.code_lists_by_setting.values()
        for value in by_value
    ]
    return joined.groupBy("year").agg(
        F.count(F.lit(1)).alias("deliveries"),
        F.count_if(~F.col("in_population")).alias("not_in_population"),
        *domicile_counts(),
        F.count_if("implausible_interval").alias("implausible_interval"),
        F.count_if(F.col("recorded_sex") == "male").alias("mother_recorded_as_male"),
        F.count_if(~F.col("age_as_given").between(plausible.from_, plausible.to)).alias("age_outside_plausible"),
        F.count_if(F.col("nights_after_delivery").isNotNull()).alias("with_stay"),
        *[
            F.count_if(F.col(name) == UNKNOWN).alias(f"{UNKNOWN}_{name}")
            for name in configuration.dimensions.of("deliveries")
            if name in joined.columns
        ],
        *[F.count_if(name).alias(name) for name in (*flags, *readings)],
    )


def open_edges(first: date | None, configuration: Configuration, years: Sequence[int]) -> list[str]:
    """Warnings about claims that start too late to show the start of a chain, or services before a delivery.

    ``first``: the first day of service of the claims.
    """
    settings = configuration.settings
    reach = {"deliveries": settings.episode_gap_days}
    for name, window in settings.all_windows.items():
        if window.first_day < 0 or name == PRENATAL:
            what = "prenatal services" if name == PRENATAL else f"services of the window {name}"
            reach[what] = -window.first_day
    start = f"claims start on {first.isoformat()}" if first else "there are no claims"
    return [
        f"{year}: the left edge is open for {what}: {start}; they would have to start by {needed.isoformat()}."
        for year in sorted(set(years))
        for what, days in reach.items()
        if (needed := date(year, 1, 1) - timedelta(days=days)) < (first or date.max)
    ]
