"""``spark-submit jobs/run_year.py``: see ``claimatlas.commands.run_year``."""

from __future__ import annotations

from claimatlas.commands.run_year import main

if __name__ == "__main__":
    code = main()
    # Only a failure raises: Databricks takes any SystemExit, even with 0, for one.
    if code:
        raise SystemExit(code)
