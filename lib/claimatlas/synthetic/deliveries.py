"""Bill a delivery: one line or several, on one day or over weeks."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import below, bits, chance, lookup_text
from claimatlas.synthetic.lines import Billed, bill
from claimatlas.synthetic.offers import DELIVERY_TYPES
from claimatlas.synthetic.pregnancies import CAESAREAN, HOME, VAGINAL
from claimatlas.synthetic.stages import only, repeat
from claimatlas.synthetic.world import World

# The lines that a delivery can have: each has its own reason, day and code.
MAIN, SECOND, TRANSFER, MISTAKE, EARLY, LATE, CHAIN_25, CHAIN_50 = range(8)
FIRST_LINE = 1000
"""Number of the first of these lines in claim ids; the other services of the year come before."""
CHAIN = {CHAIN_25: 25, CHAIN_50: 50}

SECOND_SHARE = 0.35
"""Vaginal deliveries that gynaecologist and midwife both bill, on one day."""
TRANSFER_SHARE = 0.03
"""Caesareans on the day of a billing for a vaginal delivery, a quarter of them at home."""
MISTAKE_SHARE = 0.005
"""Vaginal deliveries that were billed as caesareans first, and taken back."""
EARLY_SHARE, EARLY_DAYS = 0.04, (1, 3)
LATE_SHARE, LATE_DAYS = 0.03, (10, 30)
CHAIN_SHARE = 0.003
OTHER_TYPE_LATER = 0.05
"""Late billings of a vaginal delivery that say caesarean: the first day's type stands."""
PARTLY_TAKEN_BACK = 0.005
NO_HOSPITAL = 0.03
"""Second lines that name no hospital."""


def make_delivery_lines(world: World, pregnancies: DataFrame) -> DataFrame:
    """Bill the deliveries of the generated years.

    Grain in: one row per delivery. Grain out: one row per claim line, inside the generated years, with
    the columns of ``claims``, ``net_quantity``, ``delivery_date`` and ``billed_type`` (what the code says).
    """
    role = F.col("role")
    rows = repeat(
        only(pregnancies, world.in_years(F.col("delivery_date"))).withColumn(
            "_events", world.dice.roll("delivery events", F.col("person"), F.col("year"))
        ),
        "role",
        F.lit(MAIN),
        F.lit(CHAIN_50),
    )
    lines = (
        only(rows, _is_billed())
        .withColumn("_roll", world.dice.roll("delivery line", F.col("person"), F.col("year"), role))
        .withColumn("billed_type", _type())
        .withColumn("_code_roll", world.dice.roll("delivery code", F.col("person"), F.col("year"), role))
        .withColumn("service_date", F.date_add("delivery_date", _offset().cast("int")))
        .withColumn("nomenclature_code", _code(world))
    )
    billable = world.in_years(F.col("service_date")) & F.col("nomenclature_code").isNotNull()
    lines = only(lines, billable).withColumn("_by_midwife", _by_midwife(world))
    gynaecologist, midwife = world.offers.providers["gynaecologist"], world.offers.providers["midwife"]
    roll = F.col("_roll")
    profession = F.when(F.col("_by_midwife"), midwife.profession(roll, 0)).otherwise(gynaecologist.profession(roll, 0))
    competence = F.when(F.col("_by_midwife"), midwife.competence(roll, 6)).otherwise(gynaecologist.competence(roll, 6))
    taken_back = (role == MISTAKE) | ~F.col("happened")
    billed = Billed(
        line=F.lit(FIRST_LINE) + role,
        number=F.col("home") * 20_000 + bits(roll, 12, 14),
        profession=profession,
        competence=competence,
        hospital_id=_hospital_id(world),
        taken_back=taken_back,
        partly_taken_back=~taken_back & chance(F.col("_code_roll"), 40, 16, PARTLY_TAKEN_BACK),
    )
    return bill(world, lines, billed, "delivery_date", "billed_type")


def _event(start: int, share: float) -> Column:
    return chance(F.col("_events"), start, 12, share)


def _has_chain() -> Column:
    return _event(48, CHAIN_SHARE)


def _is_billed() -> Column:
    """Whether the delivery has the line of this role."""
    role, kind = F.col("role"), F.col("delivery_type")
    vaginal = kind == VAGINAL
    further = (
        F.when(role == SECOND, vaginal & _event(0, SECOND_SHARE))
        .when(role == TRANSFER, (kind == CAESAREAN) & _event(0, TRANSFER_SHARE))
        .when(role == MISTAKE, vaginal & _event(12, MISTAKE_SHARE))
        .when(role == EARLY, ~_has_chain() & _event(24, EARLY_SHARE))
        .when(role == LATE, ~_has_chain() & _event(36, LATE_SHARE))
        .otherwise(_has_chain())
    )
    # A delivery that was billed by mistake is one line and its correction.
    return (role == MAIN) | (F.col("happened") & further)


def _type() -> Column:
    """The type that the line's code says."""
    role, kind = F.col("role"), F.col("delivery_type")
    at_home = chance(F.col("_roll"), 40, 8, 0.25)
    is_other = (kind == VAGINAL) & chance(F.col("_roll"), 40, 8, OTHER_TYPE_LATER)
    return (
        F.when(role == TRANSFER, F.when(at_home, F.lit(HOME)).otherwise(F.lit(VAGINAL)))
        .when((role == MISTAKE) | ((role == LATE) & is_other), F.lit(CAESAREAN))
        .otherwise(kind)
    )


def _offset() -> Column:
    """Days after the delivery."""
    role, roll = F.col("role"), F.col("_roll")
    offset = F.lit(0).cast("long")
    for late, (first, last) in ((EARLY, EARLY_DAYS), (LATE, LATE_DAYS)):
        offset = F.when(role == late, F.lit(first) + below(roll, 26, 14, last - first + 1)).otherwise(offset)
    for chained, days in CHAIN.items():
        offset = F.when(role == chained, F.lit(days)).otherwise(offset)
    return offset


def _code(world: World) -> Column:
    day, roll = F.col("service_date"), F.col("_code_roll")
    code = F.lit(None).cast("int")
    for name in DELIVERY_TYPES:
        offer = world.offers.deliveries[name]
        by_midwife = F.col("role").isin(SECOND, EARLY)
        here = F.when(by_midwife, offer.midwife_codes.draw(day, roll, 0)).otherwise(offer.codes.draw(day, roll, 0))
        code = F.when(F.col("billed_type") == name, here).otherwise(code)
    return code


def _by_midwife(world: World) -> Column:
    codes = [code for name in DELIVERY_TYPES for code in world.offers.deliveries[name].billed_by_midwives]
    return F.col("nomenclature_code").isin(*codes) if codes else F.lit(False)


def _hospital_id(world: World) -> Column:
    """The delivery's hospital; a second line may name another or none, a home delivery never one."""
    roll = F.col("_code_roll")
    other = below(roll, 14, 14, len(world.hospitals.ids))
    is_second = F.col("role") == SECOND
    number = F.when(is_second & F.col("second_elsewhere"), other).otherwise(F.col("hospital"))
    named = F.col("hospital_known") & (F.col("billed_type") != HOME) & ~(is_second & chance(roll, 34, 6, NO_HOSPITAL))
    return F.when(named, lookup_text(world.hospitals.ids, number))
