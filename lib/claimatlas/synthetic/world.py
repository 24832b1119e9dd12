"""Everything that is fixed before Spark starts: parameters, chance, rates, places, hospitals, services."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.configuration.documents import is_there
from claimatlas.configuration.weights import FILE as WEIGHTS_FILE
from claimatlas.errors import InputError
from claimatlas.synthetic.country import FILE as COUNTRY
from claimatlas.synthetic.country import Country, load_country
from claimatlas.synthetic.dice import Dice
from claimatlas.synthetic.offers import Offers, load_offers
from claimatlas.synthetic.parameters import Parameters
from claimatlas.synthetic.places import WEIGHTS, Hospitals, Places, load_places
from claimatlas.synthetic.rates import FILES, Rates, load_rates

LINES_PER_PERSON_YEAR = 35
LINES_PER_FILE = 2_000_000


@dataclass(frozen=True)
class World:
    """A synthetic country, before anybody lives in it."""

    parameters: Parameters
    dice: Dice
    country: Country
    rates: Rates
    places: Places
    hospitals: Hospitals
    offers: Offers

    @property
    def expected_lines(self) -> int:
        """About how many claim lines there will be."""
        return self.parameters.beneficiaries * len(self.parameters.years) * LINES_PER_PERSON_YEAR

    def files(self, share: float = 1.0) -> int:
        """How many files a share of the claim lines fills. It depends on the size, not on the cluster."""
        fewest = 2 if share == 1 else 1
        return max(fewest, math.ceil(self.expected_lines * share / LINES_PER_FILE))

    def persons(self, spark: SparkSession, share: float) -> DataFrame:
        """One row per person, ``person`` (bigint, from 0), in as many parts as ``share`` of the lines fills files."""
        return spark.range(0, self.parameters.persons, 1, self.files(share)).withColumnRenamed("id", "person")

    def in_years(self, day: Column) -> Column:
        """Whether a date is one of the years that are generated."""
        return day.between(F.lit(self.parameters.first_day), F.lit(self.parameters.last_day))

    def years_since(self, year: Column) -> Column:
        """Years since the year before the first one: the year's number in claim ids."""
        return year - F.lit(self.parameters.first_year - 1)


def make_world(parameters: Parameters, configuration: Configuration) -> World:
    """Read what the generator needs from the configuration.

    Raises:
        InputError: a table of the configuration that cannot be used.
    """
    _require_weights(configuration.folder)
    rates = load_rates(configuration.folder)
    country = load_country(configuration.folder)
    places, hospitals = load_places(configuration.folder, country, configuration.geography, parameters.years)
    return World(
        parameters=parameters,
        dice=Dice(parameters.seed),
        country=country,
        rates=rates,
        places=places,
        hospitals=hospitals,
        offers=load_offers(configuration, country, rates, parameters),
    )


def _require_weights(folder: Traversable) -> None:
    """Stop when a configuration lacks tables that claims are drawn from.

    Raises:
        InputError: naming every one of them.
    """
    needed = [*(f"synthetic/{name}" for name in FILES), WEIGHTS, COUNTRY]
    missing = [name for name in needed if not is_there(folder.joinpath(*name.split("/")))]
    if missing:
        raise InputError(
            f"generate draws claims by weights, and the configuration has no {WEIGHTS_FILE}: write it (the reference "
            f"says what it holds). Nor has it {', '.join(missing)}, by which the shipped configuration is drawn."
        )
