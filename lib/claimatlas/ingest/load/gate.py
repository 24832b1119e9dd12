"""The gate of an ingest: too many rejected rows stop it."""

from __future__ import annotations

from collections.abc import Sequence

from claimatlas.configuration import Configuration
from claimatlas.ingest.load.warnings import remedy_of, said_of_reasons
from claimatlas.ingest.load.write import Loaded


def too_many_rejected(tables: Sequence[Loaded], configuration: Configuration) -> list[Loaded]:
    """The tables of which a larger share of rows was rejected than ``max_rejected_share``."""
    return [table for table in tables if table.rejected_share > configuration.settings.max_rejected_share]


def gate_message(tables: Sequence[Loaded], configuration: Configuration, kept_in: str) -> str:
    """What to say of them; ``kept_in``: where their rejected rows are."""
    shares = "; ".join(
        f"{table.table}: {table.rejected:,} of {table.read:,} rows ({100 * table.rejected_share:.2f} %: "
        + f"{said_of_reasons(table.reasons, table.examples)})"
        for table in tables
    )
    limit = 100 * configuration.settings.max_rejected_share
    remedy = "".join(dict.fromkeys(remedy_of(table.examples) for table in tables))
    return (
        f"Too many rows were rejected, more than max_rejected_share ({limit:g} %): {shares}. Nothing was published; "
        f"the rejected rows are in {kept_in}.{remedy}"
    )
