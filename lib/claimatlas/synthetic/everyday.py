"""The ordinary claim lines of all people, year by year.

They are nine tenths of all lines, so they must be cheap to make.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.booking import booking_date
from claimatlas.synthetic.dice import Dice, below, bits, lookup, lookup_text
from claimatlas.synthetic.everyday_codes import CONTACTS, NO_COMPETENCE, OTHERS
from claimatlas.synthetic.identifiers import EVERYDAY, claim_id, provider_id
from claimatlas.synthetic.pregnancies import may_deliver_around
from claimatlas.synthetic.stages import repeat
from claimatlas.synthetic.world import World

MAX_LINES = 600
CONTACT_SHARE = 0.25
"""Share of lines that are consultations; women who deliver around the year have none here."""
TAKEN_BACK, PARTLY_TAKEN_BACK = 0.003, 0.002
"""Share of lines that are billed +1 and -1, or +1, +1 and -1."""

_FACTOR_STEPS, _FACTOR_UNIT = 64, 64
_LINE_UNIT = 16


def _factors() -> list[int]:
    """How many times the mean lines of the age, in 64ths: many have few lines, a few have very many."""
    raw = [
        0.1 + 0.55 * rank + 1.9 * rank**6 for rank in ((step + 0.5) / _FACTOR_STEPS for step in range(_FACTOR_STEPS))
    ]
    mean = sum(raw) / len(raw)
    return [round(value / mean * _FACTOR_UNIT) for value in raw]


def make_everyday_lines(world: World, person_years: DataFrame) -> DataFrame:
    """Bill services on days on which the person is insured.

    Grain in: one row per person and year. Grain out: one row per claim line, the columns of ``claims``.
    Lines 0 and 1 of a year may be followed by corrections, which share all but id, quantity and booking.
    """
    roll = F.col("_year_roll")
    lines = F.col("_lines")
    yearly = (
        person_years.withColumn("_year_roll", world.dice.roll("lines", F.col("person"), F.col("year")))
        .withColumn("_days", (F.datediff("present_to", "present_from") + 1).cast("long"))
        .withColumn("_lines", _number_of_lines(world))
        .withColumn("_taken_back", (bits(roll, 8, 16) < lines * round(TAKEN_BACK * 65536)) & (lines > 1))
        .withColumn("_partly", (bits(roll, 24, 16) < lines * round(PARTLY_TAKEN_BACK * 65536)) & (lines > 1))
        .withColumn("_end", lines + F.col("_taken_back").cast("int") + F.col("_partly").cast("int") * 2)
        .withColumn("_contacts", ~may_deliver_around(world))
        .withColumn("_hospital", _usual_hospital(world))
    )
    yearly = repeat(yearly, "_line", F.lit(0), F.col("_end") - 1)
    is_first = F.col("_line") < F.col("_lines")
    takes_back = F.col("_taken_back") & (F.col("_line") == F.col("_lines"))
    service = F.when(is_first, F.col("_line")).when(takes_back, F.lit(0)).otherwise(F.lit(1))
    last_of_partly = F.col("_partly") & (F.col("_line") == F.col("_end") - 1)
    return (
        yearly.withColumn("_service", service)
        .withColumn("_copy", F.col("_line") - F.when(is_first, F.col("_line")).otherwise(F.col("_lines") - 1))
        .withColumn("_sign", F.when(~is_first & (takes_back | last_of_partly), F.lit(-1)).otherwise(F.lit(1)))
        .withColumn("_roll", service_roll(world.dice, F.col("person"), F.col("year"), F.col("_service")))
        .withColumn("_entry", _entry(world))
        .select(*_line_columns(world))
    )


def service_roll(dice: Dice, person: Column, year: Column, service: Column) -> Column:
    """The chance of one service of a person in a year."""
    return dice.roll("everyday", person, year.cast("long") * 4096 + service.cast("long"))


def _number_of_lines(world: World) -> Column:
    """Mean of the age, times the person's factor of the year, times the share of the year insured."""
    mean = lookup([round(lines * _LINE_UNIT) for lines in world.rates.lines], F.col("age")).cast("long")
    factor = lookup(_factors(), below(F.col("_year_roll"), 0, 8, _FACTOR_STEPS))
    # Half a line more or less, by chance, so that short stays do not lose all by rounding.
    rounding = below(F.col("_year_roll"), 40, 16, 365 * _LINE_UNIT * _FACTOR_UNIT)
    exact = mean * factor * F.least(F.col("_days"), F.lit(365).cast("long"))
    return F.least(F.floor((exact + rounding) / (365 * _LINE_UNIT * _FACTOR_UNIT)), F.lit(MAX_LINES)).cast("int")


def _usual_hospital(world: World) -> Column:
    """Each person has one hospital for everything but deliveries, in the province of origin."""
    first = lookup([span[0] for span in world.hospitals.around], F.col("home"))
    number = lookup([span[1] for span in world.hospitals.around], F.col("home"))
    return lookup_text(world.hospitals.ids, first + below(F.col("_year_roll"), 56, 8, number))


def _entry(world: World) -> Column:
    """The line's place in the table of codes: a consultation, or skewed towards the most frequent codes."""
    contacts = CONTACTS if world.offers.everyday.has_contacts else 0
    draw = bits(F.col("_roll"), 20, 14)
    other = F.shiftright(draw * draw, 28 - OTHERS.bit_length() + 1) + contacts
    if not contacts:
        return other
    is_contact = F.col("_contacts") & (bits(F.col("_roll"), 14, 6) < round(CONTACT_SHARE * 64))
    return F.when(is_contact, F.shiftright(draw, 14 - CONTACTS.bit_length() + 1)).otherwise(other)


def _line_columns(world: World) -> list[Column]:
    codes = world.offers.everyday
    roll, entry = F.col("_roll"), F.col("_entry")
    day = F.date_add(F.col("present_from"), below(roll, 0, 14, F.col("_days")).cast("int"))
    profession = lookup(codes.professions, entry)
    competence = F.nullif(lookup(codes.competences, entry), F.lit(NO_COMPETENCE))
    number = F.col("home") * 20_000 + bits(roll, 34, 14)
    odd = bits(roll, 58, 6)
    quantity = F.when(odd == 0, F.lit(2)).when(odd == 1, F.lit(3)).when(odd == 2, F.lit(10)).otherwise(F.lit(1))
    return [
        claim_id(F.col("person"), world.years_since(F.col("year")), EVERYDAY, F.col("_service"), F.col("_copy")).alias(
            "claim_id"
        ),
        F.col("beneficiary_id"),
        day.alias("service_date"),
        lookup(codes.codes, entry).alias("nomenclature_code"),
        (quantity * F.col("_sign")).cast("int").alias("quantity"),
        F.when(odd != 63, provider_id(profession, number, competence)).alias("provider_id"),
        profession.alias("provider_profession"),
        competence.alias("provider_competence"),
        F.when(lookup(codes.inpatient, entry) == 1, F.col("_hospital")).alias("hospital_id"),
        booking_date(day, roll, 48, F.col("_copy")).alias("booking_date"),
    ]
