"""Force analysis now, so that a missing table or column fails here under Spark Connect too."""

from __future__ import annotations

from pyspark.sql import DataFrame


def analyse_now(df: DataFrame) -> DataFrame:
    """The same rows, once Spark has looked whether they are there and which columns they have.

    A classic session has done so already. Over Spark Connect it else comes with the first use of the rows, where nobody
    knows any more what a failure means.
    """
    df.schema  # noqa: B018 - asked for, and kept, by the session
    return df
