"""``spark-submit jobs/diff.py``: see ``claimatlas.commands.diff``."""

from __future__ import annotations

from claimatlas.commands.diff import main

if __name__ == "__main__":
    code = main()
    # Only a failure raises: Databricks takes any SystemExit, even with 0, for one.
    if code:
        raise SystemExit(code)
