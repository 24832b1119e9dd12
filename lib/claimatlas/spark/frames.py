"""Force analysis now, so that a missing table or column fails here under Spark Connect too."""

from __future__ import annotations

from pyspark.sql import DataFrame


def analyse_now(df: DataFrame) -> DataFrame:
    """Return the frame after Spark has resolved its table and columns.

    A classic session has done so already. Spark Connect would do it at the first use of the rows, where the cause of a
    failure is no longer clear.
    """
    df.schema  # noqa: B018 - asked for, and kept, by the session
    return df
