"""``synthetic/country.yaml``: what the generator knows of a country beside its rates, and no run reads."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from typing import NamedTuple

from pydantic import Field

from claimatlas.configuration.documents import is_there, read_yaml, validate
from claimatlas.configuration.model import Declaration, Number, Share, Whole

FILE = "synthetic/country.yaml"


class Chapter(NamedTuple):
    """Invented codes: every ``step``-th number from the first to the last, less the check digit, and who bills them.

    inpatients: whether the half of them are services in hospital.
    """

    first: int
    last: int
    step: int
    profession: int
    competence: int | None
    inpatients: bool


class PlaceFacts(Declaration):
    """Where people live.

    base_year: everybody lives in a place of its codes, as mergers only ever make fewer of them. weights_year: the
    weights of places are inhabitants on 1 January of it, in its codes. first_sector_year: from then on the sector of a
    domicile is known. sectors_renumbered: from then on its code begins with the place's new code, until then with the
    one of before the mergers.
    """

    base_year: Whole
    weights_year: Whole
    hospitals: Whole = Field(ge=1)
    inhabitants_per_sector: Whole = Field(ge=1)
    first_sector_year: Whole
    sectors_renumbered: Whole


class CountShares(Declaration):
    """What counts are drawn by; left out, a hundredth of the people deliver, and every value is as frequent as others.

    deliveries: in a year, of so many inhabitants. first_value, unknown: by dimension, the share of its first value, and
    of members of whom it is not known.
    """

    deliveries: Whole = 1
    inhabitants: int = 100
    delivery_types: dict[str, Share] = Field(default_factory=dict)
    first_value: dict[str, Share] = Field(default_factory=dict)
    unknown: dict[str, Share] = Field(default_factory=dict)


class Country(Declaration):
    """physicians, nurse: professions of providers. specialists, imaging_competences: competences of physicians."""

    physicians: tuple[Number, ...] = Field(min_length=1)
    specialists: tuple[Number, ...] = Field(min_length=1)
    imaging_competences: tuple[Number, ...] = Field(min_length=1)
    nurse: Whole
    everyday: tuple[Chapter, ...] = Field(min_length=1)
    places: PlaceFacts
    counts: CountShares = CountShares()


def load_country(folder: Traversable) -> Country:
    """Read the file of a configuration folder.

    Raises:
        InputError: there is none, or every mistake in it.
    """
    return validate(Country, read_yaml(folder, FILE))


def count_shares(folder: Traversable) -> CountShares:
    """What counts are drawn by in a configuration that may have no such file.

    Raises:
        InputError: every mistake in it.
    """
    return load_country(folder).counts if is_there(folder.joinpath(*FILE.split("/"))) else CountShares()
