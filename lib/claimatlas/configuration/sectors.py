"""The user's own table of statistical sectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from claimatlas.configuration.documents import is_there, read_csv
from claimatlas.errors import InputError
from claimatlas.paths import is_remote


@dataclass(frozen=True)
class SectorTable:
    """Rows of (sector, municipality, first_year, last_year): the years on whose 1 January it is valid."""

    rows: tuple[tuple[str, str, int, int], ...]

    def sectors(self, year: int) -> set[str]:
        """The sectors of the vintage of ``year``."""
        return {sector for sector, _, first_year, last_year in self.rows if first_year <= year <= last_year}


def load_sector_table(path: str | None, fetch: Callable[[str], Traversable]) -> SectorTable | None:
    """Read the CSV file that the setting ``geography.sector_table`` names; ``fetch``: how to get one by its URI.

    Raises:
        InputError: the file cannot be read or a row cannot be understood.
    """
    if path is None:
        return None
    folder, name = (fetch(path), path.rpartition("/")[2]) if is_remote(path) else (Path(path).parent, Path(path).name)
    if not is_there(folder.joinpath(name)):
        raise InputError(f"geography.sector_table: there is no file {path}.")
    rows = []
    for line, row in read_csv(folder, name, ("sector", "municipality", "first_year", "last_year")):
        years = (row["first_year"], row["last_year"])
        if not row["sector"] or not all(year.isascii() and year.isdigit() and len(year) <= 4 for year in years):
            raise InputError(f"{name}, line {line}: expected a sector and two years.")
        rows.append((row["sector"], row["municipality"], int(years[0]), int(years[1])))
    return SectorTable(tuple(rows))
