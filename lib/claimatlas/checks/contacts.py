"""Count the lines with a code of contacts, and those that lack what their group tells providers apart by."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.claims.netting import in_code_lists, provider_rule
from claimatlas.configuration import Configuration
from claimatlas.spark.columns import any_of

ALL_GROUPS = "contacts"
WITHOUT_PROVIDER = "_without_provider"


def judged_groups(configuration: Configuration) -> list[str]:
    """The groups of contacts that have codes and a rule on the provider."""
    settings = configuration.settings
    return [
        name
        for name, group in configuration.services.contact_groups.items()
        if (group.where or group.where_not) and group.code_lists_for(settings)
    ]


def contacts_by_year(claims: DataFrame, configuration: Configuration) -> DataFrame:
    """Count the lines of each judged group, and those that count nowhere as an attribute of the provider is missing.

    What a rule asks of a missing attribute is never met: where a column is empty, contacts are missing. Of a value that
    no rule takes nobody can tell whether it is right.

    Grain in: one row per accepted claim line. Grain out: one row per ``year``; for each group, and for ``contacts`` of
    any, ``<group>`` and ``<group>_without_provider``.
    """
    settings, groups = configuration.settings, configuration.services.contact_groups
    rules = {name: group.provider_rules(settings) for name, group in groups.items()}
    attributes = sorted({rule.attribute for of_group in rules.values() for rule in of_group})
    # Whether a code is in a list is asked once a line: the conditions below are of these columns.
    lines = claims.select(
        "year",
        *attributes,
        *[
            in_code_lists(configuration, group.code_lists_for(settings)).alias(f"_of_{name}")
            for name, group in groups.items()
        ],
    )
    is_of = {name: F.col(f"_of_{name}") for name in groups}
    counts = any_of(is_of[name] & provider_rule(group, settings) for name, group in groups.items())
    judged = judged_groups(configuration)
    lacks = {
        name: is_of[name] & ~counts & any_of(F.col(rule.attribute).isNull() for rule in rules[name]) for name in judged
    }
    conditions = {name: is_of[name] for name in judged} | {name + WITHOUT_PROVIDER: lacks[name] for name in judged}
    conditions |= {
        ALL_GROUPS: any_of(is_of[name] for name in judged),
        ALL_GROUPS + WITHOUT_PROVIDER: any_of(lacks.values()),
    }
    return lines.groupBy("year").agg(*[F.count_if(has).alias(name) for name, has in conditions.items()])
