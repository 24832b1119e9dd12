"""The version of the stored names: every reader refuses tables of another version."""

from __future__ import annotations

from claimatlas.errors import InputError
from claimatlas.tables.reader import Reader
from claimatlas.tables.schemas import CLAIMS, RELEASES, SCHEMA_VERSION, SCHEMA_VERSION_PROPERTY


def require_schema_version(store: Reader) -> None:
    """Refuse an output whose tables have stored names of another version. One table is checked for all.

    Raises:
        InputError: naming the table, both versions and the remedy.
    """
    table = next((table for table in (CLAIMS, RELEASES) if store.exists(table)), None)
    found = None if table is None else store.properties(table).get(SCHEMA_VERSION_PROPERTY)
    if table is not None and found != str(SCHEMA_VERSION):
        raise InputError(
            f"The table {table.name} in {store.root} has the schema version {found or 1}, and this program reads and "
            f"writes {SCHEMA_VERSION}: compute it anew, in another --output."
        )
