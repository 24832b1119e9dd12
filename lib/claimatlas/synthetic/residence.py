"""Where each person lives on a date: people move every few years, mostly within their province."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import ALIAS_BITS, below, bits, chance, lookup, lookup_text
from claimatlas.synthetic.places import sector_suffixes
from claimatlas.synthetic.world import World

PERIODS = (10, 12, 14, 18, 22, 26, 30, 34, 44, 56, 72, 96)
"""Half-years between two moves; each is as frequent as the others."""
STAYS_IN_PROVINCE = 0.9
SECTOR_UNKNOWN, SECTOR_NOT_LOCATABLE = 0.01, 0.002


def add_residence(world: World, df: DataFrame, half: int, prefix: str) -> DataFrame:
    """Add where a person lives on 30 June (``half`` 0) or 31 December (``half`` 1) of ``year``.

    The person moves each time a period of the person's own is over, so that the place of any date
    follows from the date alone, without the moves before it.

    Grain in and out: any, with ``person``, ``home`` and ``year``. Adds ``<prefix>_place`` (number of the
    place) and ``<prefix>_move`` (the same until the person moves).
    """
    habits, period = F.col("_habits"), F.col("_period")
    place, move = f"{prefix}_place", f"{prefix}_move"
    elapsed = (F.col("year") - 2000) * 2 + half + below(habits, 12, 16, period)
    elsewhere = world.places.province_draw.draw(F.col("_roll_elsewhere"), 0, 20)
    stays = chance(F.col("_roll_place"), 0, 8, STAYS_IN_PROVINCE)
    return (
        df.withColumn("_habits", world.dice.roll("moving", F.col("person")))
        .withColumn("_period", lookup(PERIODS, below(habits, 0, 12, len(PERIODS))))
        .withColumn(move, F.floor(elapsed / period).cast("long"))
        .withColumn("_roll_place", world.dice.roll("place", F.col("person"), F.col(move)))
        .withColumn("_roll_elsewhere", world.dice.roll("province", F.col("person"), F.col(move)))
        .withColumn("_province", F.when(stays, F.col("home")).otherwise(elsewhere))
        .withColumn("_candidate", _candidate(world))
        .withColumn(place, _place(world))
        .drop("_habits", "_period", "_roll_place", "_roll_elsewhere", "_province", "_candidate")
    )


def _candidate(world: World) -> Column:
    """A place of the province, each as likely as the others."""
    spans = world.places.provinces
    first = lookup([span[0] for span in spans], F.col("_province"))
    number = lookup([span[1] for span in spans], F.col("_province"))
    return (first + below(F.col("_roll_place"), 8, 20, number)).cast("int")


def _place(world: World) -> Column:
    """That place or another one, by inhabitants: the alias tables of all provinces lie one behind the other."""
    keep = [share for table in world.places.place_draws for share in table.keep]
    other = [
        span[0] + index
        for span, table in zip(world.places.provinces, world.places.place_draws, strict=True)
        for index in table.other
    ]
    stays = bits(F.col("_roll_place"), 28, ALIAS_BITS) < lookup(keep, F.col("_candidate"))
    return F.when(stays, F.col("_candidate")).otherwise(lookup(other, F.col("_candidate")))


def municipality(world: World, place: Column, year: Column) -> Column:
    """The municipality's code in the vintage of the year."""
    tables: list[tuple[int, tuple[str, ...]]] = []
    for first, codes in sorted(world.places.codes.items()):
        if not tables or tables[-1][1] != codes:
            tables.append((first, codes))
    code = lookup_text(tables[0][1], place)
    for first, codes in tables[1:]:
        code = F.when(year >= first, lookup_text(codes, place)).otherwise(code)
    return code


def sector(world: World, place: Column, move: Column, year: Column) -> Column:
    """The code of the sector that a person lives in between two moves.

    Null when it is unknown, and before sectors were known.
    """
    roll = world.dice.roll("sector", F.col("person"), move)
    number = below(roll, 0, 24, lookup(world.places.sectors, place))
    is_renumbered = year >= world.country.places.sectors_renumbered
    before = lookup_text(world.places.base_codes, place)
    prefix = F.when(is_renumbered, municipality(world, place, year)).otherwise(before)
    not_locatable = chance(roll, 24, 16, SECTOR_NOT_LOCATABLE)
    suffix = F.when(not_locatable, F.lit("ZZZZ")).otherwise(lookup_text(sector_suffixes(), number))
    known = (year >= world.country.places.first_sector_year) & ~chance(roll, 40, 16, SECTOR_UNKNOWN)
    return F.when(known, F.concat(prefix, suffix))
