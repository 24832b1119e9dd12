"""``python -m claimatlas.java``: look for a Java that fits, as the environment's scripts do before they start Spark.

The work is done in ``claimatlas.spark.java``.
"""

from __future__ import annotations

import sys

from claimatlas.spark.java import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
