"""Published cells of a whole country, invented from fixed seeds: all states, mergers, splits and a provisional year."""

import math
import random
from collections import defaultdict
from itertools import product

from claimatlas.atlas.cells import Cell
from claimatlas.configuration.hospitals import Hospital, Hospitals
from claimatlas.configuration.load import load_configuration

YEARS = (2018, 2019, 2020, 2021, 2022, 2023, 2024)
PROVISIONAL = 2024
INDICATORS = ("cube_007_008a", "cube_007_007a")
VALUES = {
    "age_category": ("15-24", "25-29", "30-34", "35-49"),
    "increased_reimbursement": ("yes", "no_or_unknown"),
    "delivery_type": ("caesarean", "vaginal"),
    "sex": ("female", "male"),
}
DIMENSIONS = ("age_category", "increased_reimbursement", "delivery_type", "sex")
MAX_SPLITS = {"country": 4, "region": 4, "province": 4, "arrondissement": 2, "municipality": 1}
LEVELS = tuple(MAX_SPLITS)


def wilson(numerator, denominator):
    z, share = 1.959964, numerator / denominator
    middle = share + z * z / (2 * denominator)
    spread = z * math.sqrt(share * (1 - share) / denominator + z * z / (4 * denominator**2))
    ends = ((middle + sign * spread) / (1 + z * z / denominator) for sign in (-1, 1))
    return tuple(round(100 * max(0, min(1, end)), 4) for end in ends)


class Country:
    """Cells by indicator, each list sorted by year, level, code and split."""

    def __init__(self, years=YEARS, indicators=INDICATORS, seed=1):
        self.configuration = load_configuration()
        declared = {indicator.id: indicator for indicator in self.configuration.indicators}
        self.indicators = tuple(declared[name] for name in indicators)
        self.years = tuple(years)
        self.seed = seed
        self.cells = {indicator.id: self._of(indicator) for indicator in self.indicators}

    def _of(self, indicator):
        geography = self.configuration.geography
        dice = random.Random(f"{self.seed} {indicator.id}")
        usual = {"percent": 0.2, "mean_nights": 3.0}[indicator.unit]
        sizes = {
            code: dice.lognormvariate(5, 0.9) * (8 if "013" in indicator.id else 1) / 8 for code in geography.places
        }
        tendencies = {code: usual * dice.lognormvariate(0, 0.25) for code in geography.places}
        splits = self._splits(indicator)
        found = []
        for position, year in enumerate(self.years):
            base = defaultdict(lambda: [0, 0])
            for code, place in geography.vintage(year).items():
                for split in (split for split in splits if "all" not in self._own(indicator, split)):
                    n = self._poisson(dice, sizes[code])
                    x = self._events(dice, indicator, n, tendencies[code] * (1 + 0.04 * position))
                    for level in (level for level in LEVELS if place.parents[level]):
                        base[level, place.parents[level], split][0] += x
                        base[level, place.parents[level], split][1] += n
            counts = self._summed(indicator, base, year)
            for level, code in sorted(geography.units(year), key=lambda unit: (LEVELS.index(unit[0]), unit[1])):
                planned = (split for split in splits if self._planned(indicator, level, split, year))
                found += [self._cell(indicator, year, level, code, split, counts) for split in planned]
        return found

    def _summed(self, indicator, base, year):
        """Each planned cell from the cells that are split by everything."""
        counts = defaultdict(lambda: [0, 0])
        for (level, code, split), (x, n) in base.items():
            for shown in self._shown(split):
                if self._planned(indicator, level, shown, year):
                    counts[level, code, shown][0] += x
                    counts[level, code, shown][1] += n
        return counts

    def _events(self, dice, indicator, n, mean):
        if indicator.unit != "percent":
            return round(n * mean * dice.uniform(0.9, 1.1))
        share = min(0.95, mean)
        return sum(dice.random() < share for _ in range(n)) if n < 60 else round(n * share)

    def _planned(self, indicator, level, split, year):
        used = sum(value != "all" for value in split)
        if year == PROVISIONAL:
            return not used and LEVELS.index(level) <= 2
        return used <= MAX_SPLITS[level]

    def _splits(self, indicator):
        options = [("all", *VALUES[d]) if d in indicator.dimensions else ("all",) for d in DIMENSIONS]
        return list(product(*options))

    def _own(self, indicator, split):
        return [value for name, value in zip(DIMENSIONS, split, strict=True) if name in indicator.dimensions]

    def _shown(self, split):
        return product(*[("all", value) if value != "all" else ("all",) for value in split])

    def _poisson(self, dice, mean):
        if mean > 20:
            return max(0, round(dice.gauss(mean, math.sqrt(mean))))
        return sum(dice.random() < mean / 40 for _ in range(40))

    def _cell(self, indicator, year, level, code, split, counts):
        numerator, denominator = counts[level, code, split]
        base = {"indicator_id": indicator.id, "year": year, "geo_level": level, "geo_code": code, "geo_vintage": year}
        base |= {"split": split, "release": 1, "trend": None, "comparison": None, "value_low": None, "value_high": None}
        empty = {"value": None, "ci_low": None, "ci_high": None}
        base["status"] = "provisional" if year == PROVISIONAL else "final"
        base["reliability"] = "low" if numerator < 20 else "normal"
        if code == "21001" and year == 2021:
            status = {"status": "not_computable", "confidentiality": "F", "numerator": None, "denominator": denominator}
            return Cell(**base | empty | status)
        if denominator == 0:
            return Cell(**base | empty, numerator=0, denominator=0, confidentiality="F")
        if 0 < numerator < 5 or (0 < denominator - numerator < 5 and indicator.unit == "percent"):
            high = round(100 * 6 / denominator, 4) if denominator > 6 else None
            bounds = {"value_low": 0.0 if high else None, "value_high": high}
            return Cell(
                **base | empty | bounds | {"numerator": None, "denominator": denominator, "confidentiality": "C"}
            )
        factor = 100 if indicator.unit == "percent" else 1
        low, high = wilson(numerator, denominator) if indicator.unit == "percent" else (None, None)
        country = counts["country", "01000", split]
        of_country = factor * country[0] / country[1]
        if low is not None and level != "country":
            base["comparison"] = "lower" if high < of_country else "higher" if low > of_country else "similar"
        if not any(value != "all" for value in split) and year >= 2021:
            base["trend"] = ("rising", "none", "falling")[int(code) % 3]
        value = {"value": round(factor * numerator / denominator, 4), "ci_low": low, "ci_high": high}
        return Cell(**base | value, numerator=numerator, denominator=denominator, confidentiality="F")


HOSPITALS = {f"7100{number:04d}": f"Hôpital {number}" for number in range(1, 31)}
OF_HOSPITALS = "cube_007_008b"


def country_with_hospitals(years=(2021, 2022, 2023)):
    """A country with one indicator, by hospital and type; cells of every state, and an id that another goes on with."""
    country = Country(years, ())
    declared = {indicator.id: indicator for indicator in country.configuration.indicators}
    country.indicators = (declared[OF_HOSPITALS],)
    open_until = {code: Hospital(code, {"fr": name}, 2006, 9999, "") for code, name in HOSPITALS.items()}
    ended = Hospital("71009999", {"fr": "Ancien hôpital"}, 2006, 2021, next(iter(HOSPITALS)))
    # As if the configuration had a file of them.
    country.configuration.__dict__["hospitals"] = Hospitals({**open_until, ended.id: ended}, "")
    dice = random.Random(1)
    counts = {}
    for year, code, value in product(country.years, HOSPITALS, ("caesarean", "vaginal")):
        n = 0 if code.endswith("30") else dice.randint(*((3, 20) if int(code) % 3 else (100, 400)))
        counts[year, code, value] = (sum(dice.random() < 0.1 for _ in range(n)), n)
    country.cells = {OF_HOSPITALS: []}
    for year in country.years:
        split = {"all": ("caesarean", "vaginal"), "caesarean": ("caesarean",), "vaginal": ("vaginal",)}
        by_cell = {}
        for value, inside in split.items():
            of = {code: [counts[year, code, one] for one in inside] for code in HOSPITALS}
            shown = ("all", "all", value, "all")
            every = [one for parts in of.values() for one in parts]
            by_cell["country", "01000", shown] = [sum(part) for part in zip(*every, strict=True)]
            for code, parts in of.items():
                by_cell["hospital", code, shown] = [sum(part) for part in zip(*parts, strict=True)]
        for level, code, shown in sorted(by_cell):
            cell = country._cell(country.indicators[0], year, level, code, shown, by_cell)
            country.cells[OF_HOSPITALS].append(cell)
    return country
