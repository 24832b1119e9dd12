"""Where people live and give birth: municipalities in every year's codes, and invented hospitals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from claimatlas.configuration.documents import read_csv
from claimatlas.configuration.geography import Geography, Place
from claimatlas.errors import InputError
from claimatlas.synthetic.country import Country
from claimatlas.synthetic.dice import AliasTable

WEIGHTS = "synthetic/municipality_weights.csv"
SECTORS_PER_LETTER, MAX_SECTORS = 40, 1040
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Span = tuple[int, int]
"""A run of neighbouring indices: the first, and how many."""


@dataclass(frozen=True)
class Places:
    """Municipalities of the base year, by province, arrondissement and code.

    Attributes:
        codes: the municipality code of each place, by year.
        base_codes: the same in the base year; sector codes begin with it.
        provinces: for each province (Brussels counts as one) the span of its places.
        province_draw: a province by its inhabitants.
        place_draws: for each province a place in it by inhabitants.
        sectors: for each place how many statistical sectors it has.
    """

    codes: dict[int, tuple[str, ...]]
    base_codes: tuple[str, ...]
    provinces: tuple[Span, ...]
    province_draw: AliasTable
    place_draws: tuple[AliasTable, ...]
    sectors: tuple[int, ...]


@dataclass(frozen=True)
class Hospitals:
    """Invented hospitals, neighbours side by side.

    Attributes:
        ids: of each hospital.
        near: for each place the span of hospitals of its arrondissement, or else of its province.
        around: for each province the span of its hospitals, or else of all.
    """

    ids: tuple[str, ...]
    near: tuple[Span, ...]
    around: tuple[Span, ...]


def load_places(
    folder: Traversable, country: Country, geography: Geography, years: Sequence[int]
) -> tuple[Places, Hospitals]:
    """Build the places, and hospitals near them, from the configuration's geography and inhabitants.

    Raises:
        InputError: no municipality has inhabitants.
    """
    vintage = geography.vintage(country.places.base_year)
    regions = {code: _regions(place, geography.levels) for code, place in vintage.items()}
    base_codes = tuple(sorted(vintage, key=lambda code: (*regions[code], code)))
    inhabitants = _inhabitants(folder, country, geography, base_codes)
    if not sum(inhabitants) > 0:
        raise InputError(f"{WEIGHTS}: no municipality of {country.places.weights_year} has inhabitants.")
    provinces = _spans([regions[code][0] for code in base_codes])
    weights = [inhabitants[first : first + size] for first, size in provinces]
    places = Places(
        codes={year: tuple(_carried(geography, code, year) for code in base_codes) for year in years},
        base_codes=base_codes,
        provinces=tuple(provinces),
        province_draw=AliasTable.of([sum(part) for part in weights]),
        # A province without inhabitants is never drawn; its places only need some table.
        place_draws=tuple(AliasTable.of(part if sum(part) else [1] * len(part)) for part in weights),
        sectors=tuple(min(MAX_SECTORS, max(2, round(n / country.places.inhabitants_per_sector))) for n in inhabitants),
    )
    return places, _hospitals(country.places.hospitals, [regions[code] for code in base_codes], inhabitants)


def sector_suffixes() -> list[str]:
    """The last four signs of invented sector codes: A00-, A01- and so on to A39-, then B00-."""
    return [f"{_LETTERS[index // SECTORS_PER_LETTER]}{index % SECTORS_PER_LETTER:02d}-" for index in range(MAX_SECTORS)]


def _carried(geography: Geography, code: str, year: int) -> str:
    carried = geography.carry(code, year)
    if carried is None:
        raise InputError(f"The municipality {code} has no code in {year}: geography/changes.csv is not complete.")
    return carried


def _regions(place: Place, levels: tuple[str, ...]) -> tuple[str, str]:
    """Province (where there is none the next larger level) and arrondissement."""
    above = [place.parents[level] for level in reversed(levels[:-1])]
    arrondissement = above[0] if above else ""
    return next((code for code in above[1:] if code), arrondissement), arrondissement


def _inhabitants(folder: Traversable, country: Country, geography: Geography, base_codes: Sequence[str]) -> list[float]:
    """Inhabitants by place; those of a merged municipality in equal parts."""
    columns = ("municipality", "inhabitants")
    now = {row["municipality"]: float(row["inhabitants"]) for _, row in read_csv(folder, WEIGHTS, columns)}
    later = [geography.carry(code, country.places.weights_year) for code in base_codes]
    parts = Counter(later)
    return [now.get(code or "", 0.0) / parts[code] for code in later]


def _spans(keys: Sequence[str]) -> list[Span]:
    """The runs of equal keys in sorted data."""
    firsts = [index for index, key in enumerate(keys) if index == 0 or keys[index - 1] != key]
    return [(first, end - first) for first, end in zip(firsts, [*firsts[1:], len(keys)], strict=True)]


def _hospitals(wanted: int, regions: Sequence[tuple[str, str]], inhabitants: Sequence[float]) -> Hospitals:
    """Share the hospitals out over arrondissements by inhabitants (largest remainders)."""
    people = dict.fromkeys(regions, 0.0)
    for region, count in zip(regions, inhabitants, strict=True):
        people[region] += count
    total = sum(people.values())
    exact = {region: wanted * count / total for region, count in people.items()}
    number = {region: int(share) for region, share in exact.items()}
    short = wanted - sum(number.values())
    for region in sorted(exact, key=lambda region: (number[region] - exact[region], region))[:short]:
        number[region] += 1
    spans: dict[tuple[str, str], Span] = {}
    placed = 0
    for region in sorted(number):
        spans[region] = (placed, number[region])
        placed += number[region]
    around: dict[str, Span] = {}
    for province in sorted({province for province, _ in number}):
        own = [spans[region] for region in sorted(number) if region[0] == province]
        size = sum(span[1] for span in own)
        around[province] = (own[0][0], size) if size else (0, placed)
    near = tuple(spans[region] if number[region] else around[region[0]] for region in regions)
    ids = tuple(f"H{101 + index:04d}" for index in range(placed))
    return Hospitals(ids, near, tuple(around[province] for province in sorted(around)))
