"""``spark-submit jobs/deliveries.py``: see ``claimatlas.commands.deliveries``."""

from __future__ import annotations

from claimatlas.commands.deliveries import main

if __name__ == "__main__":
    code = main()
    # Only a failure raises: Databricks takes any SystemExit, even with 0, for one.
    if code:
        raise SystemExit(code)
