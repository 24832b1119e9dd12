"""The published versions of the tables of gold, as the newest row of ``gold/releases`` names them.

Delta has no transaction over several tables. A run therefore writes its tables first, and publishes them all at once by
appending one row here. Readers that use it never see half a year, or tables of different runs. Readers of the newest
versions may, while a run writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from claimatlas.errors import InputError
from claimatlas.tables.reader import Reader, Row, Where
from claimatlas.tables.schemas import (
    COMPARISONS,
    RELEASES,
    Table,
    releases_table,
    version_column,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from claimatlas.tables.store import Store

AnyReader = TypeVar("AnyReader", bound=Reader)


def released(store: Reader) -> tuple[Table, ...]:
    """The tables that are published together."""
    return (*store.cell_tables, COMPARISONS)


def newest_release(store: Reader) -> dict[str, Any] | None:
    """The newest row of ``gold/releases``; nothing before the first one."""
    return next(iter(releases(store)), None)


def releases(store: Reader) -> list[dict[str, Any]]:
    """Every release, the newest first."""
    if not store.exists(RELEASES):
        return []
    return sorted(store.rows(releases_table(store.cell_tables)), key=lambda row: int(row["release"]), reverse=True)


@dataclass(frozen=True)
class Published(Generic[AnyReader]):
    """The tables of gold as published at one moment: all of one release, even if another one is published meanwhile.

    ``release``: the row of ``gold/releases``; nothing before the first one. ``has_releases``: false for tables that
    are computed for a moment only, of which the newest versions are taken.
    """

    store: AnyReader
    release: Mapping[str, Any] | None
    has_releases: bool

    @classmethod
    def now(cls, store: AnyReader) -> Published[AnyReader]:
        """The tables that are published at this moment."""
        return cls(store, newest_release(store), store.exists(RELEASES))

    def has(self, table: Table) -> bool:
        """Whether a table is published."""
        return self.store.exists(table) and (not self.has_releases or self.version(table) is not None)

    def version(self, table: Table) -> int | None:
        """The version of a table that is published; nothing where there are no releases, or not of this table."""
        version: int | None = self.release[version_column(table)] if self.release else None
        return version

    def read(self: Published[Store], table: Table) -> DataFrame | None:
        """A table of the release; nothing when it is not published."""
        if not self.has(table):
            return None
        version = self.version(table)
        return self.store.read(table) if version is None else self.store.read_version(table, version)

    def rows(
        self,
        table: Table,
        columns: Mapping[str, str] | None = None,
        where: Where | None = None,
        *,
        distinct: bool = False,
    ) -> list[Row]:
        """A few rows of a table of the release, as ``Reader.rows``; none when it is not published."""
        if not self.has(table):
            return []
        return self.store.rows(table, columns, where, version=self.version(table), distinct=distinct)

    def arrow(self: Published[Store], table: Table, years: Sequence[int] | None = None) -> pa.Table | None:
        """All rows of a published table in the driver, of all years or of some; nothing where it is not published."""
        return self.store.arrow(table, self.version(table), years) if self.has(table) else None


def begin(store: Store) -> None:
    """Restore the published versions of the tables before a run writes to them.

    A killed run, or one whose checks failed, may have left unpublished rows, which the next release must not include.
    """
    if not store.exists(RELEASES):
        store.create(releases_table(store.cell_tables))
        return
    restore(store)


def restore(store: Store) -> None:
    """Bring each table of gold back to its published version; without one it is emptied."""
    _restore(store, newest_release(store) or {})


def publish(store: Store, run_id: str, note: str) -> int:
    """Publish the newest versions of the tables of gold, in one commit; gives back the number of the release."""
    last = newest_release(store)
    number = last["release"] + 1 if last else 1
    versions = [store.version(table) if store.exists(table) else None for table in released(store)]
    values = (number, run_id, datetime.now(UTC), *versions, note)
    store.append_row(values, releases_table(store.cell_tables), {"run_id": run_id})
    return number


def roll_back(store: Store, to: int | None) -> tuple[int, int]:
    """Publish an earlier release again, by default the one before the newest; gives back its number and the new one.

    Raises:
        InputError: there is no such release.
    """
    found = earlier_release(store, to)
    _restore(store, found)
    wanted = int(found["release"])
    return wanted, publish(store, found["run_id"], f"rollback to release {wanted}")


def earlier_release(store: Reader, number: int | None) -> dict[str, Any]:
    """The release of this number, by default the one before the newest.

    Raises:
        InputError: there is no such release.
    """
    known = releases(store)
    if number is None and len(known) < 2:
        raise InputError(f"There is no release before the newest in {store.root}.")
    wanted = known[1]["release"] if number is None else number
    found = next((release for release in known if release["release"] == wanted), None)
    if found is None:
        there = ", ".join(str(release["release"]) for release in reversed(known)) or "none"
        raise InputError(f"There is no release {wanted} in {store.root}; there are {there}.")
    return found


def _restore(store: Store, release: Mapping[str, Any]) -> None:
    for table in released(store):
        version = release.get(version_column(table))
        if version is not None:
            store.restore(table, version)
        elif store.exists(table):
            store.delete(table, "true")
