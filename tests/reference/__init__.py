"""The specification a second time, in plain Python: what tests compare the Spark pipeline with.

Dull on purpose: loops over lists of dicts, no Spark, nothing imported from the product. It reads
the same configuration data (settings, code lists, geography); every rule is written here anew.

    from reference import compute
    result = compute(tables, [2023], conf_dir="conf")
"""

from reference.compute import compute
from reference.model import CELL_KEY, DELIVERY_COLUMNS, InputError, Malformed, Result, Tables

__all__ = ["CELL_KEY", "DELIVERY_COLUMNS", "InputError", "Malformed", "Result", "Tables", "compute"]
