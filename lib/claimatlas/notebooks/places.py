"""Names of places, and their positions on a tile map."""

from __future__ import annotations

from claimatlas.configuration import Configuration
from claimatlas.configuration.documents import read_csv
from claimatlas.configuration.geography import FILE
from claimatlas.configuration.reserved import NAME_OF_PLACE
from claimatlas.errors import InputError

NAMES, TILES = "geography/names.csv", "geography/tiles.csv"


def names_of(configuration: Configuration, level: str, year: int, language: str) -> dict[str, str]:
    """The names of the places of a level in a year, by code; empty where the configuration has none.

    ``language``: without a name in it a place has the first one that it has.
    """
    geography = configuration.settings.geography
    if level == geography.domicile_level:
        columns = (level, "first_year", "last_year", *reversed(geography.levels[:-1]))
        rows = [row for _, row in read_csv(configuration.folder, FILE, columns, also=NAME_OF_PLACE)]
        code = level
    elif configuration.folder.joinpath(NAMES).is_file():
        columns = ("level", "code", "first_year", "last_year")
        named = read_csv(configuration.folder, NAMES, columns, also=NAME_OF_PLACE)
        rows = [row for _, row in named if row["level"] == level]
        code = "code"
    else:
        return {}
    valid = [row for row in rows if int(row["first_year"]) <= year <= int(row["last_year"])]
    return {row[code]: _name(row, language) or row[code] for row in valid}


def _name(row: dict[str, str], language: str) -> str:
    names = [text for column, text in row.items() if column.startswith(NAME_OF_PLACE) and text]
    return row.get(f"{NAME_OF_PLACE}{language}") or next(iter(names), "")


def tiles_of(configuration: Configuration, level: str, year: int) -> dict[str, tuple[int, int]]:
    """Column (from the west) and row (from the north) of the places of a level in a year; empty without tiles.

    Raises:
        InputError: a tile whose place is no pair of whole numbers.
    """
    if not configuration.folder.joinpath(TILES).is_file():
        return {}
    there = {code for unit_level, code in configuration.geography.units(year) if unit_level == level}
    tiles = {}
    for line, row in read_csv(configuration.folder, TILES, ("level", "code", "column", "row")):
        if not (row["column"].isdecimal() and row["row"].isdecimal()):
            raise InputError(f"{TILES}, line {line}: column and row must be whole numbers.")
        if row["level"] == level and row["code"] in there:
            tiles[row["code"]] = (int(row["column"]), int(row["row"]))
    return tiles
