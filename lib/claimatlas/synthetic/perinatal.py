"""The other services around a delivery: contacts, ultrasounds, and lines that only look like contacts."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.country import Country
from claimatlas.synthetic.dice import below, bits, chance, lookup
from claimatlas.synthetic.lines import Billed, bill
from claimatlas.synthetic.offers import NEAR_MISS, Offers
from claimatlas.synthetic.stages import only, repeat
from claimatlas.synthetic.world import World

TAKEN_BACK, PARTLY_TAKEN_BACK = 0.004, 0.003


def make_perinatal_lines(world: World, pregnancies: DataFrame) -> DataFrame:
    """Bill the services of ``pregnancy_services.csv`` around each delivery.

    Grain in: one row per delivery. Grain out: one row per claim line, inside the generated years, with
    the columns of ``claims``, ``net_quantity`` and ``slot`` (the number of the service in the table).
    """
    slots = world.offers.slots
    slot = F.col("slot")
    roll, more = F.col("_roll"), F.col("_more")
    probability = lookup([round(one.probability * 65536) for one in slots], slot)
    span = lookup([one.last_day - one.first_day + 1 for one in slots], slot)
    offset = lookup([one.first_day for one in slots], slot) + below(roll, 16, 14, span)
    every = repeat(pregnancies, "slot", F.lit(0), F.lit(len(slots) - 1)).withColumn(
        "_roll", world.dice.roll("perinatal", F.col("person"), F.col("year"), slot)
    )
    given = (
        only(every, bits(roll, 0, 16) < probability * F.col("care"))
        .withColumn("service_date", F.date_add("delivery_date", offset.cast("int")))
        .withColumn("_more", world.dice.roll("perinatal provider", F.col("person"), F.col("year"), slot))
        .withColumn("nomenclature_code", _code(world.offers, roll))
    )
    billable = only(given, world.in_years(F.col("service_date")) & F.col("nomenclature_code").isNotNull())
    profession, competence = _provider(world.country, world.offers, more)
    near_miss = _is(world.offers, NEAR_MISS)
    taken_back = chance(more, 12, 16, TAKEN_BACK)
    billed = Billed(
        line=slot,
        # A near miss must never share a provider with a contact.
        number=F.col("home") * 20_000 + bits(more, 28, 14) + F.when(near_miss, F.lit(500_000)).otherwise(F.lit(0)),
        profession=profession,
        competence=competence,
        hospital_id=F.lit(None).cast("string"),
        taken_back=taken_back,
        partly_taken_back=~taken_back & chance(more, 44, 16, PARTLY_TAKEN_BACK),
        always_named=near_miss,
    )
    return bill(world, billable, billed, "slot")


def _is(offers: Offers, service: str) -> Column:
    numbers = [number for number, slot in enumerate(offers.slots) if slot.service == service]
    return F.col("slot").isin(*numbers) if numbers else F.lit(False)


def _code(offers: Offers, roll: Column) -> Column:
    """A code of the service's lists that is valid on the day, null when there is none."""
    code = F.lit(None).cast("int")
    for name, codes in offers.codes.items():
        code = F.when(_is(offers, name), codes.draw(F.col("service_date"), roll, 30)).otherwise(code)
    return code


def _provider(country: Country, offers: Offers, roll: Column) -> tuple[Column, Column]:
    """Somebody who meets the rule; for a near miss a physician or nurse without competence."""
    profession = F.when(chance(roll, 0, 6, 0.5), F.lit(country.physicians[0])).otherwise(F.lit(country.nurse))
    competence = F.lit(None).cast("int")
    for name, provider in offers.providers.items():
        numbers = [
            number for number, slot in enumerate(offers.slots) if slot.service != NEAR_MISS and slot.provider == name
        ]
        if numbers:
            here = F.col("slot").isin(*numbers)
            profession = F.when(here, provider.profession(roll, 0)).otherwise(profession)
            competence = F.when(here, provider.competence(roll, 6)).otherwise(competence)
    return profession, competence


def contact_group(offers: Offers) -> Column:
    """The contact group of a line, by its slot; null when it is no contact."""
    group = F.lit(None).cast("string")
    for name, found in offers.contact_group.items():
        if found is not None:
            group = F.when(_is(offers, name), F.lit(found)).otherwise(group)
    return group


def listed_service(offers: Offers) -> Column:
    """The code list of a line that is no contact, by its slot; null for the others."""
    service = F.lit(None).cast("string")
    for name, found in offers.contact_group.items():
        if found is None and name != NEAR_MISS:
            service = F.when(_is(offers, name), F.lit(name)).otherwise(service)
    return service
