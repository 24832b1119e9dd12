"""A new indicator, and another country's claims, are files of configuration: no code."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from comparison import CONF, read
from integration.console import Console
from integration.inputs import write_small
from integration.own_configuration import change, write_indicator, write_list

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]


def cells(output: Path, table: str, *columns: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Numerator, denominator and value of the cells over age and sex, by the given columns."""
    rows = read(
        output, f"gold/{table}", where="age_category = 'all' and sex = 'all' and increased_reimbursement = 'all'"
    )
    return {tuple(row[name] for name in columns): (row["numerator"], row["denominator"], row["value"]) for row in rows}


def test_two_new_indicators(console: Console, tmp_path: Path) -> None:
    """A share of deliveries with a service of an own list and window, and a volume of beneficiary-years."""
    conf = Path(shutil.copytree(CONF, tmp_path / "conf"))
    write_list(conf, "trial_service", 422030)
    write_list(conf, "trial_visits", 101032, 589024)
    change(
        conf / "services.yaml",
        delivery_flags={"trial_flag": {"code_lists": ["trial_service"], "window": "postnatal"}},
        beneficiary_services={"trial_visits": {"code_lists": ["trial_visits"]}},
    )
    write_indicator(
        conf,
        "trial_share",
        population="deliveries",
        numerator={"with_any": ["trial_flag"]},
        unit="percent",
        dimensions=["delivery_type"],
        levels=["country", "region"],
    )
    write_indicator(
        conf,
        "trial_volume",
        population="beneficiary_years",
        numerator={"quantity_of_service": "trial_visits"},
        unit="per_100",
        levels=["country", "municipality", "sector"],
    )
    source, output = write_small(tmp_path / "input"), tmp_path / "output"

    said = console.run("run-year", "--input", source, "--output", output, "--year", "2022-2023", "--conf", conf)

    assert said.code == 0, said.err
    of_deliveries = cells(output, "postnatal", "indicator_id", "year", "geo_level", "geo_code", "delivery_type")
    # Ann and Bea delivered in 2022; Ann had the service on day 19.
    assert of_deliveries["trial_share", 2022, "country", "01000", "all"] == (1, 2, 50.0)
    assert of_deliveries["trial_share", 2022, "region", "02000", "caesarean"] == (1, 1, 100.0)
    assert of_deliveries["trial_share", 2022, "region", "04000", "all"] == (0, 1, 0.0)
    assert of_deliveries["trial_share", 2022, "region", "03000", "all"] == (0, 0, None)
    assert ("trial_share", 2022, "municipality", "11002", "all") not in of_deliveries
    volumes = cells(output, "imaging", "indicator_id", "year", "geo_level", "geo_code")
    # Ann had three visits of the one code and one of the other in 2023.
    assert volumes["trial_volume", 2023, "country", "01000"] == (4, 2, 200.0)
    assert volumes["trial_volume", 2023, "municipality", "11002"] == (4, 1, 400.0)
    assert volumes["trial_volume", 2023, "municipality", "21004"] == (0, 1, 0.0)
    # The shipped ones are there too.
    assert of_deliveries["cube_007_001a_denom", 2022, "country", "01000", "all"] == (2, 2, 2.0)
    assert "trial_share" in said.err
    assert "trial_flag" in read(output, "silver/deliveries")[0]


# --- Another country ----------------------------------------------------------------------------------

PLACES = """\
district,first_year,last_year,nation,name_fr,name_nl,name_de
north,2006,9999,XX,,,
south,2006,9999,XX,,,
"""
CLAIMS = """\
line,patient,day,act,units
1,p,2022-03-01,700001,1
2,p,2022-03-15,700100,1
3,q,2022-04-01,700002,1
4,r,2022-05-01,700200,2
"""
PEOPLE = """\
patient,year,birth_date,sex,district
p,2022,1990-01-01,f,north
q,2022,1985-01-01,f,south
r,2022,2015-01-01,m,south
s,2022,1950-01-01,m,nowhere
"""


def write_country(conf: Path) -> None:
    """A configuration without anything Belgian: two levels of place, own codes, types, classes and names."""
    for name in ("codelists", "indicators", "mappings", "geography"):
        (conf / name).mkdir(parents=True)
    shutil.copy(CONF / "settings.yaml", conf)
    change(
        conf / "settings.yaml",
        geography={"levels": ["nation", "district"]},
        mapping="sender",
        age_categories={
            "deliveries": [{"label": "young", "from": 0, "to": 34}, {"label": "older", "from": 35}],
            "beneficiaries": [{"label": "minor", "from": 0, "to": 17}, {"label": "adult", "from": 18}],
        },
    )
    (conf / "geography" / "municipalities.csv").write_text(PLACES, encoding="utf-8")
    (conf / "geography" / "changes.csv").write_text("old,new,first_year\n", encoding="utf-8")
    mapping = {
        "description": "The sender's names",
        "claims": {
            "claim_id": "line",
            "beneficiary_id": "patient",
            "service_date": "day",
            "nomenclature_code": "act",
            "quantity": "units",
        },
        "population": {"beneficiary_id": "patient", "municipality_31_december": "district"},
    }
    (conf / "mappings" / "sender.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
    write_list(conf, "birth_clinic", 700001)
    write_list(conf, "birth_elsewhere", 700002)
    write_list(conf, "visit", 700100)
    write_list(conf, "scan", 700200)
    services = {
        "contact_groups": {"nurse": {"code_lists": ["visit"]}},
        "delivery_flags": {"visited": {"contact_groups": ["nurse"], "window": "postnatal"}},
        "beneficiary_services": {"scan": {"code_lists": ["scan"]}},
        "delivery_types": {
            "clinic": {"code_list": "birth_clinic", "priority": 1, "dimension": "clinic"},
            "elsewhere": {"code_list": "birth_elsewhere", "priority": 2, "dimension": "elsewhere"},
        },
    }
    (conf / "services.yaml").write_text(yaml.safe_dump(services, sort_keys=False), encoding="utf-8")
    write_indicator(
        conf,
        "unvisited",
        population="deliveries",
        numerator={"without_any": ["visited"]},
        unit="percent",
        dimensions=["age_category", "delivery_type"],
        levels=["nation", "district"],
    )
    write_indicator(
        conf,
        "scanned",
        population="beneficiary_years",
        numerator={"with_service": "scan"},
        unit="percent",
        dimensions=["age_category"],
        levels=["nation", "district"],
    )


def test_another_country(console: Console, tmp_path: Path) -> None:
    conf, source, output = tmp_path / "conf", tmp_path / "input", tmp_path / "output"
    write_country(conf)
    source.mkdir()
    (source / "claims.csv").write_text(CLAIMS, encoding="utf-8")
    (source / "population.csv").write_text(PEOPLE, encoding="utf-8")

    said = console.run("run-year", "--input", source, "--output", output, "--year", "2022", "--conf", conf)

    assert said.code == 0, said.err
    rows = read(output, "gold/postnatal")
    assert {(row["geo_level"], row["geo_code"]) for row in rows} == {
        ("nation", "XX"),
        ("district", "north"),
        ("district", "south"),
    }
    found = {
        (row["geo_code"], row["age_category"], row["delivery_type"]): (row["numerator"], row["denominator"])
        for row in rows
    }
    assert found == {
        ("XX", "all", "all"): (1, 2),
        ("XX", "all", "clinic"): (0, 1),
        ("XX", "all", "elsewhere"): (1, 1),
        ("XX", "young", "all"): (0, 1),
        ("XX", "young", "clinic"): (0, 1),
        ("XX", "older", "all"): (1, 1),
        ("XX", "older", "elsewhere"): (1, 1),
        ("north", "all", "all"): (0, 1),
        ("north", "all", "clinic"): (0, 1),
        ("north", "young", "all"): (0, 1),
        ("north", "young", "clinic"): (0, 1),
        ("south", "all", "all"): (1, 1),
        ("south", "all", "elsewhere"): (1, 1),
        ("south", "older", "all"): (1, 1),
        ("south", "older", "elsewhere"): (1, 1),
    }
    imaging = {
        (row["geo_code"], row["age_category"]): (row["numerator"], row["denominator"])
        for row in read(output, "gold/imaging")
    }
    assert imaging == {
        ("XX", "all"): (1, 4),
        ("XX", "minor"): (1, 1),
        ("XX", "adult"): (0, 3),
        ("north", "all"): (0, 1),
        ("north", "adult"): (0, 1),
        ("south", "all"): (1, 2),
        ("south", "minor"): (1, 1),
        ("south", "adult"): (0, 1),
    }
    assert read(output, "silver/deliveries")[0]["district"] in ("north", "south")
    explained = console.run(
        "explain", "--output", output, "--indicator", "unvisited", "--year", "2022", "--geo", "south"
    )
    assert explained.code == 0, explained.err
    assert "district south" in explained.out
