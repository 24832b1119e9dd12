"""``spark-submit jobs/generate.py``: see ``claimatlas.commands.generate``."""

from __future__ import annotations

from claimatlas.commands.generate import main

if __name__ == "__main__":
    code = main()
    # Only a failure raises: Databricks takes any SystemExit, even with 0, for one.
    if code:
        raise SystemExit(code)
