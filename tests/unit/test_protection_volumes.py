"""Sums of services: hidden where few have the service, or one of those who have it could give nearly all."""

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

from claimatlas.configuration import load_configuration
from claimatlas.configuration.publication import load_publication
from claimatlas.protection.candidate import PublishingRules
from claimatlas.protection.run import prepare
from claimatlas.protection.tables import indicator_years

YEAR = 2023
PERSONS, VOLUME = "stat_013_023", "stat_013_024"


def is_hidden(method: str, persons: int, volume: int) -> bool:
    """Whether the volume of a country is hidden in which so many of 10,000 have the service; nobody has a domicile."""
    conf = load_configuration()
    publication = load_publication(conf).model_copy(update={"method": method})
    names = conf.dimensions.names
    rows = [
        {
            **{"indicator_id": name, "geo_level": "country", "geo_code": "01000", "status": "final"},
            **{"numerator": numerator, "denominator": 10_000, "value": None},
            **dict.fromkeys(names, "all"),
        }
        for name, numerator in ((PERSONS, persons), (VOLUME, volume))
    ]
    cells, audit = prepare(indicator_years(rows, conf), PublishingRules(conf, publication), YEAR)
    country = next(cell for cell in cells if (cell.indicator, cell.level) == (VOLUME, "country"))
    assert country.numerator is not None
    quantity, unit, split = country.numerator
    assert audit.measures[quantity].cells[unit, split] == volume
    return bool(audit.measures[quantity].hidden[unit, split])


@pytest.mark.parametrize("method", ["suppressed", "rounded"])
def test_what_one_member_could_give(method: str) -> None:
    """Of ten who have the service nine have it once at least: one has 91 of 100 at most, or 51 of 60, which is 85 %."""
    assert is_hidden(method, 10, 100)
    assert not is_hidden(method, 10, 60)
    assert is_hidden(method, 10, 61)


@pytest.mark.parametrize(("method", "fewest"), [("suppressed", 5), ("rounded", 8)])
def test_few_who_have_the_service(method: str, fewest: int) -> None:
    assert is_hidden(method, fewest - 1, 20)
    assert not is_hidden(method, fewest, 20)
