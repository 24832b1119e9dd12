"""``python -m claimatlas.jars``: fetch Delta's JARs. The work is done in ``claimatlas.spark.jars``."""

from __future__ import annotations

import sys

from claimatlas.spark.jars import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
