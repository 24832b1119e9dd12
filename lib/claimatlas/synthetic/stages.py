"""Keep each step of a long plan where it is written.

Spark pushes ``where`` below the columns that it reads, and works them out once for the filter and
again for the result; of steps that build on each other the plan doubles each time. Rows that an
``explode`` makes are a border that nothing is pushed across.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def only(df: DataFrame, condition: Column) -> DataFrame:
    """The rows for which the condition holds, as by ``where``."""
    # An array that is null has no elements: the row is gone.
    return df.withColumn("_kept", F.explode(F.when(condition, F.array(F.lit(True))))).drop("_kept")


def repeat(df: DataFrame, name: str, first: Column, last: Column) -> DataFrame:
    """Each row as often as there are whole numbers from ``first`` to ``last``, which ``name`` (int) holds."""
    numbers = F.when(first <= last, F.sequence(first.cast("int"), last.cast("int")))
    return df.withColumn(name, F.explode(numbers))
