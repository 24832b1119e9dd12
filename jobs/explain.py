"""``spark-submit jobs/explain.py``: see ``claimatlas.commands.explain``."""

from __future__ import annotations

from claimatlas.commands.explain import main

if __name__ == "__main__":
    code = main()
    # Only a failure raises: Databricks takes any SystemExit, even with 0, for one.
    if code:
        raise SystemExit(code)
