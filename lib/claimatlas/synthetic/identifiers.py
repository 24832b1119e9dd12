"""Ids that look like a sender's: unique, short, and the same in every run."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import Dice

_HALF, _ROUNDS = 32, 4

EVERYDAY, PERINATAL, EXAMS, PLANTED = range(4)
"""What a claim line comes from: a part of its id, so that ids never meet."""

_BITS = {"person": 28, "year": 5, "stream": 2, "line": 12, "copy": 2}
"""The parts of a claim id, 49 bits together."""


def beneficiary_id(dice: Dice, person: Column) -> Column:
    """A pseudonym of 16 hexadecimal signs, different for every person.

    A Feistel network turns the person's number into another of 64 bits and can be run backwards, so
    two persons never meet, which a hash alone could not promise.
    """
    left = F.shiftrightunsigned(person.cast("long"), _HALF)
    right = person.cast("long").bitwiseAND(F.lit(0xFFFFFFFF).cast("long"))
    for number in range(_ROUNDS):
        mixed = F.shiftrightunsigned(dice.roll(f"pseudonym {number}", right), _HALF)
        left, right = right, left.bitwiseXOR(mixed)
    return F.lower(F.concat(F.lpad(F.hex(left), 8, "0"), F.lpad(F.hex(right), 8, "0")))


def claim_id(person: Column, years_since: Column, stream: int, line: Column, copy: Column) -> Column:
    """A claim id from the parts that make a line unique.

    ``years_since`` counts from the year before the first; ``line`` is a number of the person's year
    in its stream, below 4096; ``copy`` counts the lines of one service.
    """
    packed = person.cast("long")
    for name, part in (("year", years_since), ("stream", F.lit(stream)), ("line", line), ("copy", copy)):
        packed = F.shiftleft(packed, _BITS[name]) + part.cast("long")
    return F.hex(packed)


def provider_id(profession: Column, number: Column, competence: Column) -> Column:
    """Profession, number and competence in one, as an INAMI number has them.

    A provider has one profession and one competence; ``number`` is below 1,000,000.
    """
    packed = (profession.cast("long") * 1_000_000 + number.cast("long")) * 1_000 + F.coalesce(competence, F.lit(0))
    return packed.cast("string")
