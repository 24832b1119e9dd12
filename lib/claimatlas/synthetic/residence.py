"""Where each person lives on a date: people move every few years, mostly within their province."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import ALIAS_BITS, below, bits, chance, lookup, lookup_text
from claimatlas.synthetic.places import sector_suffixes
from claimatlas.synthetic.world import World

PERIODS = (8, 10, 12, 14, 18, 22, 24, 28, 36, 48, 60, 80)
"""Half-years between two moves; each is as frequent as the others."""
STAYS_IN_PROVINCE = 0.8
SECTOR_UNKNOWN, SECTOR_NOT_LOCATABLE = 0.01, 0.002
FIRST_SECTOR_YEAR = 2016
"""The statistical sector of a domicile is known from this year on."""
SECTORS_RENUMBERED = 2025
"""From this year sector codes begin with the municipality's new code; until then with the code of
2018, even where that municipality has merged."""


@dataclass(frozen=True)
class Residence:
    """A place and a sector in it: the number of the place, and the sector's number, as columns."""

    place: Column
    sector: Column
    sector_roll: Column


def residence(world: World, year: Column, half: int) -> Residence:
    """Where ``person``, from the province ``home``, lives on 30 June (``half`` 0) or 31 December (1).

    The person moves each time a period of the person's own is over, so that the place of any date
    follows from the date alone, without the moves before it.
    """
    habits = world.dice.roll("moving", F.col("person"))
    period = lookup(PERIODS, below(habits, 0, 12, len(PERIODS)))
    elapsed = (year - 2000) * 2 + half + below(habits, 12, 16, period)
    move = F.floor(elapsed / period).cast("long")
    roll = world.dice.roll("place", F.col("person"), move)
    elsewhere = world.places.province_draw.draw(world.dice.roll("province", F.col("person"), move), 0, 20)
    province = F.when(chance(roll, 0, 8, STAYS_IN_PROVINCE), F.col("home")).otherwise(elsewhere)
    place = _place_in(world, province, roll)
    sectors_roll = world.dice.roll("sector", F.col("person"), move)
    return Residence(place, below(sectors_roll, 0, 24, lookup(world.places.sectors, place)), sectors_roll)


def _place_in(world: World, province: Column, roll: Column) -> Column:
    """A place of the province: the alias tables of all provinces lie one behind the other."""
    spans = world.places.provinces
    first = lookup([span[0] for span in spans], province)
    index = first + below(roll, 8, 20, lookup([span[1] for span in spans], province))
    keep = [share for table in world.places.place_draws for share in table.keep]
    other = [
        span[0] + index for span, table in zip(spans, world.places.place_draws, strict=True) for index in table.other
    ]
    stays = bits(roll, 28, ALIAS_BITS) < lookup(keep, index)
    return F.when(stays, index.cast("int")).otherwise(lookup(other, index))


def municipality(world: World, place: Column, year: Column) -> Column:
    """The municipality's code in the vintage of the year."""
    return by_vintage(world, place, year)


def by_vintage(world: World, place: Column, year: Column) -> Column:
    """Look the place up in the codes of its year; neighbouring years with the same codes share a table."""
    tables: list[tuple[int, tuple[str, ...]]] = []
    for first, codes in sorted(world.places.codes.items()):
        if not tables or tables[-1][1] != codes:
            tables.append((first, codes))
    code = lookup_text(tables[0][1], place)
    for first, codes in tables[1:]:
        code = F.when(year >= first, lookup_text(codes, place)).otherwise(code)
    return code


def sector(world: World, lives: Residence, year: Column) -> Column:
    """The sector's code, null when unknown or before sectors were known."""
    prefix = F.when(
        year >= SECTORS_RENUMBERED, by_vintage(world, lives.place, year)
    ).otherwise(lookup_text(world.places.base_codes, lives.place))
    suffix = F.when(
        chance(lives.sector_roll, 24, 16, SECTOR_NOT_LOCATABLE), F.lit("ZZZZ")
    ).otherwise(lookup_text(sector_suffixes(), lives.sector))
    known = (year >= FIRST_SECTOR_YEAR) & ~chance(lives.sector_roll, 40, 16, SECTOR_UNKNOWN)
    return F.when(known, F.concat(prefix, suffix))
