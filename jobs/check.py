"""``spark-submit jobs/check.py``: see ``claimatlas.commands.check``."""

from __future__ import annotations

from claimatlas.commands.check import main

if __name__ == "__main__":
    code = main()
    # Only a failure raises: Databricks takes any SystemExit, even with 0, for one.
    if code:
        raise SystemExit(code)
