"""Section 5: where a person lives, in the codes of the year."""

import csv
import re
from pathlib import Path
from typing import Any

from reference.model import DOMICILE_LEVELS, InputError, Row, Settings


class Geography:
    """The municipalities with their dates and the table of changes (section 5.3 and 5.5)."""

    def __init__(self, municipalities: list[dict[str, str]], changes: list[dict[str, str]]) -> None:
        self.municipalities = municipalities
        self.changes = changes
        self.vintages: dict[int, dict[str, dict[str, str]]] = {}

    @classmethod
    def read(cls, conf_dir: Path) -> "Geography":
        """Read conf/geography."""
        return cls(
            read_rows(conf_dir / "geography" / "municipalities.csv"),
            read_rows(conf_dir / "geography" / "changes.csv"),
        )

    def vintage(self, year: int) -> dict[str, dict[str, str]]:
        """The municipalities valid on 1 January of the year, by code."""
        if year not in self.vintages:
            self.vintages[year] = {row["municipality"]: row for row in self.municipalities if covers(row, year)}
        return self.vintages[year]

    def carry(self, code: str | None, year: int) -> str | None:
        """The code in the vintage of the year; None: it does not exist or cannot be carried (section 5.5).

        Forward always, through one change after the other; backward only while there is exactly one
        predecessor.
        """
        if code is None:
            return None
        if code in self.vintage(year):
            return code
        # Forward: the code ended at or before 1 January of the year.
        at = code
        for change in sorted(self.changes, key=lambda row: int(row["first_year"])):
            if change["old"] == at and int(change["first_year"]) <= year:
                at = change["new"]
        if at in self.vintage(year):
            return at
        # Backward: the code starts after 1 January of the year.
        at = code
        while at not in self.vintage(year):
            before = {
                change["old"] for change in self.changes if change["new"] == at and int(change["first_year"]) > year
            }
            if len(before) != 1 or before == {at}:
                return None
            at = before.pop()
        return at

    def places(self, municipality: str, year: int) -> list[tuple[str, str]]:
        """(level, code) of everything that holds the municipality in that vintage, itself included."""
        row = self.vintage(year)[municipality]
        return [(level, row[level]) for level in DOMICILE_LEVELS if row[level]]

    def units(self, year: int) -> list[tuple[str, str]]:
        """(level, code) of every geographic unit of the vintage, country to municipality."""
        found = set()
        for municipality in self.vintage(year):
            found.update(self.places(municipality, year))
        return sorted(found)


def read_rows(path: Path) -> list[dict[str, str]]:
    """A CSV file as dicts."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def covers(row: dict[str, str], year: int) -> bool:
    """Does first_year .. last_year (open when empty) hold the year?"""
    return int(row["first_year"] or 0) <= year <= int(row["last_year"] or 9999)


class Sectors:
    """Which sector codes are usable in a year (section 5.4)."""

    def __init__(self, settings: Settings) -> None:
        self.pattern: str = settings["geography"]["sector_pattern"]
        self.first_year: int = settings["geography"]["sector_first_year"]
        path = settings["geography"]["sector_table"]
        if path is not None and not Path(path).is_file():
            raise InputError(f"sector table not found: {path}")
        self.table = read_rows(Path(path)) if path is not None else None

    def listed(self, year: int) -> list[str]:
        """The sectors of the user's own table in the year; none without a table."""
        return [row["sector"] for row in self.table or [] if covers(row, year)]

    def fits(self, code: str, year: int) -> bool:
        """Does the code match the pattern, wholly, and stand in the user's table if there is one?"""
        if re.fullmatch(self.pattern, code) is None:
            return False
        return self.table is None or code in self.listed(year)


def domicile(person: Row | None, year: int, geography: Geography, sectors: Sectors) -> Row:
    """Municipality, sector and domicile_source of a population row (None: not in the population).

    Section 5.1: 31 December; if unknown, 30 June; if both are unknown, national level only. The sector
    is the one of the date that gave the domicile.
    """
    for source in ("31_december", "30_june") if person is not None else ():
        assert person is not None
        municipality = geography.carry(person[f"municipality_{source}"], year)
        if municipality is None:
            continue
        sector = person[f"sector_{source}"]
        if sector is not None and (year < sectors.first_year or not sectors.fits(sector, year)):
            sector = None
        return {"municipality": municipality, "sector": sector, "domicile_source": source}
    return {"municipality": None, "sector": None, "domicile_source": "unknown"}


def places_of(home: Row, year: int, geography: Geography) -> list[tuple[str, str]]:
    """(level, code) of every place where a person with this domicile counts; the country always."""
    if home["municipality"] is None:
        return [("country", country(geography, year))]
    places = geography.places(home["municipality"], year)
    if home["sector"] is not None:
        places.append(("sector", home["sector"]))
    return places


def country(geography: Geography, year: int) -> str:
    """The one country's code."""
    codes: set[Any] = {row["country"] for row in geography.vintage(year).values()}
    (code,) = codes
    return str(code)
