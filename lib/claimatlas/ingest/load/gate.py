"""Stop an ingest that rejects too many rows, or that has no population of a reference year."""

from __future__ import annotations

from collections.abc import Sequence

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError
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


def refuse_missing(
    years: Sequence[int], found: set[int], loaded: Loaded | None = None, kept_in: str | None = None
) -> None:
    """Refuse reference years that the population has no row of.

    ``loaded``: what became of the rows of the population, which may all have been rejected; ``kept_in``: where the
    rejected ones are then.

    Raises:
        InputError: naming them, and the reasons for which rows were rejected.
    """
    missing = sorted(set(years) - found)
    if not missing:
        return
    because = ""
    if loaded is not None and loaded.rejected:
        because = (
            f" Of its {loaded.read:,} rows {loaded.rejected:,} were rejected: "
            f"{said_of_reasons(loaded.reasons, loaded.examples)}; the rejected rows are in {kept_in}."
            f"{remedy_of(loaded.examples)}"
        )
    raise InputError(
        f"The population has no row for {years_listed(missing)}; it holds "
        f"{years_listed(sorted(found)) or 'no year at all'}.{because}"
    )


def years_listed(years: Sequence[int]) -> str:
    """Years in a message."""
    return ", ".join(map(str, years))
