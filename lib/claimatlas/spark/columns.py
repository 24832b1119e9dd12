"""Conditions on columns, put together."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F


def any_of(conditions: Iterable[Column]) -> Column:
    """Whether at least one holds; false when there is none."""
    return reduce(lambda left, right: left | right, conditions, F.lit(False))


def all_of(conditions: Iterable[Column]) -> Column:
    """Whether every one holds; true when there is none."""
    return reduce(lambda left, right: left & right, conditions, F.lit(True))
