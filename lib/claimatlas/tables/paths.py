"""Paths as Spark must be told them."""

from __future__ import annotations

ONE_PLACE = {"__globPaths__": "false"}
"""For a reader of files: its path is one place, and no pattern of several when it holds `*`, `?`, `[` or `{`."""
