"""``spark-submit jobs/rollback.py``: see ``claimatlas.commands.rollback``."""

from __future__ import annotations

from claimatlas.commands.rollback import main

if __name__ == "__main__":
    code = main()
    # Only a failure raises: Databricks takes any SystemExit, even with 0, for one.
    if code:
        raise SystemExit(code)
