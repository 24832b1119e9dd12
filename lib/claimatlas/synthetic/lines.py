"""From a service to its claim lines: one, or with corrections two or three."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.booking import booking_date
from claimatlas.synthetic.dice import chance
from claimatlas.synthetic.identifiers import PERINATAL, claim_id, provider_id
from claimatlas.synthetic.world import World

CLAIM_COLUMNS = (
    "claim_id",
    "beneficiary_id",
    "service_date",
    "nomenclature_code",
    "quantity",
    "provider_id",
    "provider_profession",
    "provider_competence",
    "hospital_id",
    "booking_date",
)
PROVIDER_UNKNOWN = 0.01
"""Share of services whose lines do not name the provider."""


@dataclass(frozen=True)
class Billed:
    """What the lines of a service have beside its date and code.

    Attributes:
        line: number of the service in the person's year and stream.
        number: the provider's number.
        profession: the provider's profession.
        competence: the provider's competence.
        hospital_id: where the service was given.
        taken_back: billed and taken back: it never counts.
        partly_taken_back: billed twice and taken back once: it counts once.
        quantity: of the service; 1 when not given.
        always_named: whether the provider must be named; else that is left to chance.
        stream: part of the claim ids.
    """

    line: Column
    number: Column
    profession: Column
    competence: Column
    hospital_id: Column
    taken_back: Column
    partly_taken_back: Column
    quantity: Column | None = None
    always_named: Column | None = None
    stream: int = PERINATAL


def bill(world: World, services: DataFrame, billed: Billed, *kept: str) -> DataFrame:
    """The claim lines of services.

    Grain in: one row per service, with ``person``, ``beneficiary_id``, ``year``, ``service_date``,
    ``nomenclature_code`` and what ``billed`` reads. Grain out: one row per claim line, with the columns
    of ``claims``, ``net_quantity`` (that of the service, 0 when taken back), ``copy`` (counts the lines
    of the service from 0), ``year`` and the columns ``kept``.
    """
    signs = (
        F.when(F.col("_taken_back"), F.array(F.lit(1), F.lit(-1)))
        .when(F.col("_partly"), F.array(F.lit(1), F.lit(1), F.lit(-1)))
        .otherwise(F.array(F.lit(1)))
    )
    quantity = billed.quantity if billed.quantity is not None else F.lit(1)
    purpose = f"booking {billed.stream}"
    described = services.select(
        "person",
        "beneficiary_id",
        "year",
        "service_date",
        "nomenclature_code",
        quantity.alias("_quantity"),
        billed.line.cast("long").alias("_number"),
        billed.profession.alias("provider_profession"),
        billed.competence.alias("provider_competence"),
        billed.number.alias("_provider_number"),
        billed.hospital_id.alias("hospital_id"),
        billed.taken_back.alias("_taken_back"),
        billed.partly_taken_back.alias("_partly"),
        world.dice.roll(purpose, F.col("person"), F.col("year"), billed.line).alias("_booking"),
        *kept,
    )
    # A service with corrections names its provider: without one, lines of two services on a day could
    # fall into one key, and what is taken back could be either.
    named = F.col("_taken_back") | F.col("_partly") | ~chance(F.col("_booking"), 10, 16, PROVIDER_UNKNOWN)
    if billed.always_named is not None:
        named = named | billed.always_named
    provider = provider_id(F.col("provider_profession"), F.col("_provider_number"), F.col("provider_competence"))
    return described.select("*", F.posexplode(signs).alias("_copy", "_sign")).select(
        claim_id(
            F.col("person"), world.years_since(F.col("year")), billed.stream, F.col("_number"), F.col("_copy")
        ).alias("claim_id"),
        "beneficiary_id",
        "service_date",
        "nomenclature_code",
        (F.col("_quantity") * F.col("_sign")).cast("int").alias("quantity"),
        F.when(named, provider).alias("provider_id"),
        "provider_profession",
        "provider_competence",
        "hospital_id",
        booking_date(F.col("service_date"), F.col("_booking"), 0, F.col("_copy")).alias("booking_date"),
        F.when(F.col("_taken_back"), F.lit(0)).otherwise(F.col("_quantity")).alias("net_quantity"),
        F.col("_copy").alias("copy"),
        "year",
        *kept,
    )
