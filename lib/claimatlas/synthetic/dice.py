"""Repeatable random draws: every draw is a hash of the seed, its purpose and its person.

A draw depends on nothing else, so rows are the same whatever the number of cores, partitions or
runs. One hash gives 64 bits; each draw takes its own slice of them, as hashing is what costs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F


@dataclass(frozen=True)
class Dice:
    """Source of all draws of one synthetic country."""

    seed: int

    def key(self, purpose: str) -> int:
        """A signed 64-bit number for the seed and a purpose."""
        digest = hashlib.blake2b(f"{self.seed}:{purpose}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)

    def roll(self, purpose: str, *entity: Column) -> Column:
        """64 random bits (bigint) for a purpose and the whole numbers that name an entity."""
        # The type is part of what is hashed: without the casts an int and a bigint would differ.
        parts = [F.lit(self.key(purpose)), *entity]
        return F.xxhash64(*[part.cast("long") for part in parts])


def bits(roll: Column, start: int, count: int) -> Column:
    """A whole number from 0 up to, not including, 2^count: the slice of ``count`` bits from ``start``."""
    return F.shiftrightunsigned(roll, start).bitwiseAND(F.lit((1 << count) - 1).cast("long"))


def below(roll: Column, start: int, count: int, limit: Column | int) -> Column:
    """A whole number (bigint) from 0 up to, not including, ``limit``, all about equally likely."""
    wide = limit.cast("long") if isinstance(limit, Column) else F.lit(limit).cast("long")
    return F.shiftright(bits(roll, start, count) * wide, count)


def chance(roll: Column, start: int, count: int, share: float) -> Column:
    """True for about ``share`` (0 to 1) of all entities."""
    return bits(roll, start, count) < F.lit(round(share * (1 << count))).cast("long")


def day_in(year: Column, roll: Column, start: int) -> Column:
    """A day of the year; takes 14 bits."""
    first = F.make_date(year, F.lit(1), F.lit(1))
    length = F.datediff(F.make_date(year + 1, F.lit(1), F.lit(1)), first)
    return F.date_add(first, below(roll, start, 14, length).cast("int"))


def lookup(values: Sequence[int], index: Column) -> Column:
    """The whole number (int) at ``index``, counted from 0.

    The table travels as one text that Spark turns into an array once, when it plans: a literal for
    each element would cost a call each.
    """
    table = F.split(F.lit(",".join(map(str, values))), ",").cast("array<int>")
    return F.get(table, index.cast("int"))


def lookup_text(values: Sequence[str], index: Column) -> Column:
    """The text at ``index``, counted from 0."""
    return F.get(F.split(F.lit(",".join(values)), ","), index.cast("int"))


ALIAS_BITS = 20


@dataclass(frozen=True)
class AliasTable:
    """Walker's alias method: one of many weighted outcomes from two draws, however many there are.

    Outcome ``i`` stays when the second draw is below ``keep[i]`` (of 2^20), else it is ``other[i]``.
    """

    keep: tuple[int, ...]
    other: tuple[int, ...]

    @staticmethod
    def of(weights: Sequence[float]) -> AliasTable:
        """Build the table; weights must not be negative and need not add up to one."""
        size, total = len(weights), sum(weights)
        scaled = [weight * size / total for weight in weights]
        other = list(range(size))
        small = [index for index in range(size) if scaled[index] < 1]
        large = [index for index in range(size) if scaled[index] >= 1]
        while small and large:
            low, high = small.pop(), large[-1]
            other[low] = high
            scaled[high] -= 1 - scaled[low]
            if scaled[high] < 1:
                small.append(large.pop())
        keep = tuple(min(1 << ALIAS_BITS, round(share * (1 << ALIAS_BITS))) for share in scaled)
        return AliasTable(keep, tuple(other))

    def draw(self, roll: Column, start: int, count: int) -> Column:
        """An outcome (int); takes ``count`` + 20 bits of the roll from ``start``."""
        index = below(roll, start, count, len(self.keep))
        stays = bits(roll, start + count, ALIAS_BITS) < lookup(self.keep, index)
        return F.when(stays, index.cast("int")).otherwise(lookup(self.other, index))
