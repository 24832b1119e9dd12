"""The user's own table of statistical sectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from claimatlas.configuration.documents import is_there, read_csv
from claimatlas.errors import InputError


@dataclass(frozen=True)
class SectorTable:
    """Rows of (sector, municipality, first_year, last_year): the years on whose 1 January it is valid."""

    rows: tuple[tuple[str, str, int, int], ...]

    def sectors(self, year: int) -> set[str]:
        """The sectors of the vintage of ``year``."""
        return {sector for sector, _, first_year, last_year in self.rows if first_year <= year <= last_year}


def load_sector_table(path: str | None) -> SectorTable | None:
    """Read the CSV file that the setting ``geography.sector_table`` names.

    Raises:
        InputError: the file cannot be read or a row cannot be understood.
    """
    if path is None:
        return None
    file = Path(path)
    if not is_there(file):
        raise InputError(f"geography.sector_table: there is no file {path}.")
    rows = []
    for line, row in read_csv(file.parent, file.name, ("sector", "municipality", "first_year", "last_year")):
        years = (row["first_year"], row["last_year"])
        if not row["sector"] or not all(year.isascii() and year.isdigit() and len(year) <= 4 for year in years):
            raise InputError(f"{file.name}, line {line}: expected a sector and two years.")
        rows.append((row["sector"], row["municipality"], int(years[0]), int(years[1])))
    return SectorTable(tuple(rows))
