"""``spark-submit jobs/publish.py``: see ``claimatlas.commands.publish``."""

import sys

try:
    from claimatlas.cli import submitted
except ImportError:
    sys.stderr.write(
        "claimatlas: " + sys.executable + " does not have the package claimatlas: name a Python that has it in "
        "PYSPARK_PYTHON or spark.pyspark.python, or give the package to spark-submit with --py-files.\n"
    )
    sys.exit(2)

if __name__ == "__main__":
    submitted("publish")
