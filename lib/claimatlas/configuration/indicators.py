"""Indicator declarations: one YAML file each; the engine computes every one that is declared."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from typing import Literal

from pydantic import Field, model_validator

from claimatlas.configuration.documents import read_yaml, validate
from claimatlas.configuration.model import Declaration
from claimatlas.configuration.services import Services
from claimatlas.configuration.settings import SECTOR, Settings
from claimatlas.errors import InputError

Population = Literal["beneficiary_years", "deliveries"]

DIMENSIONS: dict[Population, tuple[str, ...]] = {
    "beneficiary_years": ("age_category", "increased_reimbursement", "sex"),
    "deliveries": ("age_category", "increased_reimbursement", "delivery_type"),
}
"""The dimensions that each population can be split by."""


class Names(Declaration):
    """An indicator's title in each language."""

    fr: str
    nl: str
    en: str


class Numerator(Declaration):
    """What is counted; exactly one of these.

    all: every member of the population.
    with_any, without_any: deliveries with at least one, or with none, of these flags.
    with_service: beneficiary-years with the service.
    quantity_of_service: the net quantity of the service.
    """

    all: Literal[True] | None = None
    with_any: tuple[str, ...] | None = None
    without_any: tuple[str, ...] | None = None
    with_service: str | None = None
    quantity_of_service: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Numerator:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def flags(self) -> tuple[str, ...]:
        """The delivery flags that it reads."""
        return self.with_any or self.without_any or ()

    @property
    def service(self) -> str | None:
        """The beneficiary service that it reads."""
        return self.with_service or self.quantity_of_service


class Indicator(Declaration):
    """One published indicator.

    unit: percent = 100 x numerator / denominator, with a Wilson interval; per_100 the same without
    an interval, for a volume; count = the numerator itself.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    names: Names
    population: Population
    numerator: Numerator
    unit: Literal["percent", "per_100", "count"]
    dimensions: tuple[str, ...]
    levels: tuple[str, ...] = Field(min_length=1)
    first_year: int
    source_page: str

    @model_validator(mode="after")
    def _fits_its_population(self) -> Indicator:
        of_deliveries = self.population == "deliveries"
        if (self.numerator.flags and not of_deliveries) or (self.numerator.service and of_deliveries):
            raise ValueError(f"numerator: this one does not go with the population {self.population}")
        for dimension in self.dimensions:
            if dimension not in DIMENSIONS[self.population]:
                raise ValueError(f"dimensions: the population {self.population} has no {dimension!r}")
        if SECTOR in self.levels and (of_deliveries or self.dimensions):
            raise ValueError("levels: the sector is for beneficiary-years without dimensions")
        return self


def load_indicators(folder: Traversable, settings: Settings, services: Services) -> tuple[Indicator, ...]:
    """All declared indicators, in the order of their ids.

    Raises:
        InputError: a declaration that is wrong or refers to something that is not there.
    """
    files = sorted(file.name for file in folder.joinpath("indicators").iterdir() if file.name.endswith(".yaml"))
    if not files:
        raise InputError("indicators/ declares no indicator.")
    indicators = tuple(_load(folder, f"indicators/{name}", settings, services) for name in files)
    return tuple(sorted(indicators, key=lambda indicator: indicator.id))


def _load(folder: Traversable, name: str, settings: Settings, services: Services) -> Indicator:
    document = read_yaml(folder, name)
    indicator = validate(Indicator, document)
    if name != f"indicators/{indicator.id}.yaml":
        raise InputError(f"{document.place(('id',))}: the file must be named {indicator.id}.yaml.")
    known = (*settings.geography.levels, SECTOR)
    for level in indicator.levels:
        if level not in known:
            raise InputError(f"{document.place(('levels',))}: there is no level {level!r} in settings.yaml.")
    for flag in indicator.numerator.flags:
        if flag not in services.delivery_flags:
            raise InputError(f"{document.place(('numerator',))}: services.yaml has no delivery flag {flag!r}.")
    service = indicator.numerator.service
    if service and service not in services.beneficiary_services:
        raise InputError(f"{document.place(('numerator',))}: services.yaml has no beneficiary service {service!r}.")
    return indicator
