"""The types of the tables' columns as Spark understands them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import types as T

if TYPE_CHECKING:
    from claimatlas.tables.schemas import Column

SPARK_TYPES: dict[str, T.DataType] = {
    "string": T.StringType(),
    "int": T.IntegerType(),
    "bigint": T.LongType(),
    "double": T.DoubleType(),
    "boolean": T.BooleanType(),
    "date": T.DateType(),
    "timestamp": T.TimestampType(),
    "array<string>": T.ArrayType(T.StringType()),
    "array<int>": T.ArrayType(T.IntegerType()),
}
"""The SQL types that the tables use."""


def struct_of(columns: Sequence[Column]) -> T.StructType:
    """The schema of these columns; whether nulls may stand is Delta's to enforce."""
    return T.StructType([T.StructField(column.name, SPARK_TYPES[column.type]) for column in columns])
