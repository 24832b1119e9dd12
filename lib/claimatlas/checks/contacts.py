"""Count the lines with a code of contacts, and those whose provider no group of contacts counts."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.claims.netting import in_code_lists, provider_rule
from claimatlas.configuration import Configuration
from claimatlas.spark.columns import any_of

ALL_GROUPS = "contacts"
OF_NO_GROUP = "_of_no_group"


def judged_groups(configuration: Configuration) -> list[str]:
    """The groups of contacts that have a rule on the provider and codes."""
    settings = configuration.settings
    return [
        name
        for name, group in configuration.services.contact_groups.items()
        if (group.where or group.where_not) and group.code_lists_for(settings)
    ]


def contacts_by_year(claims: DataFrame, configuration: Configuration) -> DataFrame:
    """Count the lines of each judged group, and those that count in no group, as no rule takes their provider.

    Such a line counts nowhere. Some are right, as a code may be given by others too; many are a column of the provider
    that is empty, or written in another way.

    Grain in: one row per accepted claim line. Grain out: one row per ``year``; for each group, and for ``contacts`` of
    any, ``<group>`` and ``<group>_of_no_group``.
    """
    settings, groups = configuration.settings, configuration.services.contact_groups
    is_of = {name: in_code_lists(configuration, group.code_lists_for(settings)) for name, group in groups.items()}
    counts_somewhere = any_of(is_of[name] & provider_rule(group, settings) for name, group in groups.items())
    judged = judged_groups(configuration)
    columns = {name: is_of[name] for name in judged} | {ALL_GROUPS: any_of(is_of[name] for name in judged)}
    marked = claims.select(
        "year", counts_somewhere.alias("_counts"), *[has.alias(f"_{name}") for name, has in columns.items()]
    )
    return marked.groupBy("year").agg(
        *[F.count_if(f"_{name}").alias(name) for name in columns],
        *[F.count_if(F.col(f"_{name}") & ~F.col("_counts")).alias(name + OF_NO_GROUP) for name in columns],
    )
