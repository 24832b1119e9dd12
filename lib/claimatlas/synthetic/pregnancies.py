"""Draw pregnancies: who delivers when, how and where."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import below, bits, chance, day_in, lookup
from claimatlas.synthetic.offers import DELIVERY_TYPES
from claimatlas.synthetic.rates import OLDEST
from claimatlas.synthetic.residence import add_residence
from claimatlas.synthetic.stages import only, repeat
from claimatlas.synthetic.world import World

CAESAREAN, VAGINAL, HOME = DELIVERY_TYPES
SHORTEST_INTERVAL = 300
"""Days between two deliveries of a woman, at least: no billing of one is near the other's."""
LOST_TO_INTERVALS = 1.045
"""Rates are raised by this factor, as deliveries too soon after another are dropped."""
HOME_SHARE = 0.011
HOSPITAL_UNKNOWN = 0.005
OTHER_HOSPITAL = 0.01
"""Share of deliveries of which a second billing, if there is one, names another hospital."""
TAKEN_BACK = 0.003
"""Share of deliveries that were billed by mistake: taken back at once, they never happened."""
MIN_CARE, MIN_CARE_SHARE = 0.25, 0.05
"""Some women see far fewer providers: all their services are that much less probable."""
NEAR, AROUND = 0.8, 0.95
"""Share who deliver in the arrondissement, and in it or elsewhere in the province."""
_RATE_BITS = 24


def _draw(world: World, year: Column) -> Column:
    return world.dice.roll("delivery", F.col("person"), year)


def _has_draw(world: World, year: Column) -> Column:
    """Whether the woman would deliver in the year, were it not for her other deliveries."""
    age = F.greatest(F.least(year - F.col("birth_year"), F.lit(OLDEST)), F.lit(0))
    scale = LOST_TO_INTERVALS * (1 << _RATE_BITS)
    rate = lookup([round(share * scale) for share in world.rates.deliveries], age)
    return F.col("female") & (bits(_draw(world, year), 0, _RATE_BITS) < rate)


def _day_of(world: World, year: Column) -> Column:
    return day_in(year, _draw(world, year), _RATE_BITS)


def may_deliver_around(world: World) -> Column:
    """Whether a woman may deliver in ``year``, the year before or the year after.

    Then no everyday line of the year may be a contact: it could fall into a window unknown to the truth.
    """
    year = F.col("year")
    return _has_draw(world, year) | _has_draw(world, year - 1) | _has_draw(world, year + 1)


def make_pregnancies(world: World, people: DataFrame) -> DataFrame:
    """All deliveries of the generated years, and of the years just before and after for their other services.

    Grain in: one row per person. Grain out: one row per delivery, with ``person``, ``beneficiary_id``,
    ``year`` and ``delivery_date``, ``delivery_type``, ``hospital`` (its number, where she delivers),
    ``hospital_known`` (whether claims name it), ``second_elsewhere`` (whether a second billing of the day
    names another), ``happened`` (false: billed by mistake and taken back) and ``care`` (factor on the
    probability of other services).
    """
    parameters = world.parameters
    year = F.col("year")
    too_soon = _has_draw(world, year - 1) & (
        F.datediff(F.col("delivery_date"), _day_of(world, year - 1)) < SHORTEST_INTERVAL
    )
    there = (F.col("entry_year") < year - 1) & (F.col("death_year") > year + 1)
    women = repeat(
        only(people, F.col("female")), "year", F.lit(parameters.first_year - 1), F.lit(parameters.last_year + 1)
    )
    drawn = only(women, _has_draw(world, year) & there).withColumn("delivery_date", _day_of(world, year))
    placed = add_residence(world, only(drawn, ~too_soon), 0, "_june")
    roll, records = F.col("_roll"), F.col("_records")
    known = (F.col("delivery_type") != HOME) & ~chance(records, 0, 16, HOSPITAL_UNKNOWN)
    return (
        placed.withColumn("_roll", world.dice.roll("birth", F.col("person"), year))
        .withColumn("_records", world.dice.roll("birth records", F.col("person"), year))
        .withColumn("hospital", _hospital(world, F.col("_june_place"), roll))
        .withColumn("delivery_type", _type(world, roll))
        .select(
            "person",
            "beneficiary_id",
            "home",
            "year",
            "delivery_date",
            "delivery_type",
            "hospital",
            known.alias("hospital_known"),
            (~chance(records, 16, 16, TAKEN_BACK)).alias("happened"),
            chance(records, 48, 12, OTHER_HOSPITAL).alias("second_elsewhere"),
            F.when(chance(records, 32, 16, MIN_CARE_SHARE), F.lit(MIN_CARE)).otherwise(1.0).alias("care"),
        )
    )


def _hospital(world: World, place: Column, roll: Column) -> Column:
    """The number of a hospital, mostly one nearby; takes 24 bits."""
    hospitals = world.hospitals
    spans = [(NEAR, hospitals.near, place), (AROUND, hospitals.around, F.col("home"))]
    first, number = F.lit(0), F.lit(len(hospitals.ids))
    for share, table, index in reversed(spans):
        here = chance(roll, 0, 10, share)
        first = F.when(here, lookup([span[0] for span in table], index)).otherwise(first)
        number = F.when(here, lookup([span[1] for span in table], index)).otherwise(number)
    return (first + below(roll, 10, 14, number)).cast("int")


def _type(world: World, roll: Column) -> Column:
    """Caesareans rise with age, and some hospitals have more of them; takes bits 24 to 55."""
    age = F.col("year") - F.col("birth_year")
    share = lookup([round(rate * 65536) for rate in world.rates.caesareans], age)
    habit = below(world.dice.roll("hospital habit", F.col("hospital")), 0, 16, 41) + 80
    is_caesarean = bits(roll, 40, 16) * 100 < share * habit
    return (
        F.when(chance(roll, 24, 16, HOME_SHARE), F.lit(HOME))
        .when(is_caesarean, F.lit(CAESAREAN))
        .otherwise(F.lit(VAGINAL))
    )
