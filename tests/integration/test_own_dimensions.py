"""A dimension of five values and one of ten, from raw files to a published site; added to an output that is there."""

import json
import random
import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from comparison import CONF, assert_cells_equal, assert_deliveries_equal, read
from integration.console import Console, Said
from integration.own_configuration import change, write_indicator, write_list
from reference import compute
from reference.io import write_csv
from reference.model import Tables

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FUNDS = [f"f{number}" for number in range(10)]
QUINTILES = ["1", "2", "3", "4", "5"]
BEFORE: dict[str, Any] = {
    "gender": {"source": "population.sex", "values": {"male": None, "female": None}},
    "age_band": {"source": "age"},
}
AFTER: dict[str, Any] = {
    "fund": {
        "source": "population.fund",
        "values": {fund: {"fr": f"caisse {fund}", "nl": f"fonds {fund}", "en": f"fund {fund}"} for fund in FUNDS},
    },
    **BEFORE,
    "quintile": {"source": "population.quintile", "values": QUINTILES},
}
AS_OF = date(2026, 11, 22)
LEVELS = ["country", "region"]
SHARE, SCANNED, BIRTHS = "cube_007_share", "stat_013_scanned", "cube_007_births"
PLACES = ("21004", "11002", "62063", "", "21004", "21004")


def write_configuration(folder: Path, dimensions: dict[str, Any], split_by: Sequence[str]) -> Path:
    """Belgium's places and codes, and nothing else of it: dimensions, indicators, plan and themes of the test."""
    conf = Path(shutil.copytree(CONF, folder))
    (conf / "dimensions.yaml").write_text(yaml.safe_dump(dimensions, sort_keys=False), encoding="utf-8")
    for file in (conf / "indicators").iterdir():
        file.unlink()
    (conf / "sheets" / "names.yaml").unlink()
    write_list(conf, "trial_service", 422030)
    change(conf / "services.yaml", delivery_flags={"trial": {"code_lists": ["trial_service"], "window": "postnatal"}})
    checks = {"largest_unknown_domicile": 0.5, "largest_drift_between_years": 0.9}
    settings = yaml.safe_load((conf / "settings.yaml").read_text(encoding="utf-8"))
    change(conf / "settings.yaml", checks={**settings["checks"], **checks})
    common = {"dimensions": list(split_by), "levels": LEVELS}
    write_indicator(conf, SHARE, population="deliveries", numerator={"with_any": ["trial"]}, unit="percent", **common)
    write_indicator(
        conf,
        SCANNED,
        population="beneficiary_years",
        numerator={"with_service": "imaging_therapeutic"},
        unit="percent",
        **common,
    )
    change(
        conf / "publication.yaml",
        k=3,
        differences=[],
        budget_seconds=300,
    )
    rules = yaml.safe_load((conf / "publication.yaml").read_text(encoding="utf-8"))
    rules |= {"plan": {"country": 1, "region": 1}, "provisional_plan": {}, "published_as": {}, "known_within": {}}
    rules["sensitive_sides"] = {SHARE: "numerator", SCANNED: "numerator"}
    (conf / "publication.yaml").write_text(yaml.safe_dump(rules, sort_keys=False), encoding="utf-8")
    theme = {
        "id": "care",
        "names": dict.fromkeys(("fr", "nl", "en"), "Care"),
        "keywords": {},
        "indicators": [SHARE, SCANNED],
    }
    change(conf / "atlas.yaml", themes=[theme], source_variables=[])
    return conf


def random_input(rng: random.Random) -> Tables:
    """Two years of five hundred people, a third of whom deliver or are scanned."""
    population, claims = [], []
    for number in range(500):
        person = f"p{number}"
        born = date(1960, 1, 1) + timedelta(rng.randint(0, 17000))
        for year in (2021, 2022):
            place = rng.choice(PLACES)
            population.append(
                {
                    "beneficiary_id": person,
                    "year": str(year),
                    "birth_date": born.isoformat(),
                    "sex": rng.choice("FFM"),
                    "municipality_31_december": place or None,
                    # A fund that nobody declares, and a number as a program writes it where some are missing.
                    "fund": rng.choice([*FUNDS, "f10", None]),
                    "quintile": rng.choice([*QUINTILES, "1.0", " 2 ", "6", None]),
                }
            )
            day = date(year, 2, 1) + timedelta(rng.randint(0, 200))
            codes = [("424093", 0), ("422030", 20)] if rng.random() < 0.3 else [("589013", 0)]
            for code, after in codes if rng.random() < 0.6 else codes[:1]:
                claims.append(
                    {
                        "claim_id": f"c{len(claims)}",
                        "beneficiary_id": person,
                        "service_date": (day + timedelta(after)).isoformat(),
                        "nomenclature_code": code,
                        "quantity": "1",
                    }
                )
    claims.append({**claims[-1], "claim_id": "last", "service_date": "2023-03-01"})
    return {"claims": claims, "population": population}


def done(console: Console, *command: object) -> Said:
    said = console.run(*command)
    assert said.code == 0, said.everything
    return said


def run_ids(output: Path) -> list[str]:
    return [row["run_id"] for row in sorted(read(output, "gold/runs"), key=lambda row: row["started_at"])]


@pytest.mark.long
def test_from_raw_files_to_a_site(console: Console, tmp_path: Path) -> None:
    tables = random_input(random.Random(21))
    source, output = tmp_path / "input", tmp_path / "output"
    write_csv(tables, source)
    before = write_configuration(tmp_path / "before", BEFORE, ["gender", "age_band"])
    after = write_configuration(tmp_path / "after", AFTER, ["fund", "gender", "quintile"])
    common = ("--input", source, "--output", output, "--as-of", AS_OF.isoformat())

    # A year by the dimensions of before, then a year by those of now.
    done(console, "run-year", *common, "--year", "2021", "--conf", before)
    told = done(console, "run-year", *common, "--year", "2022", "--conf", after).everything
    assert "gold/imaging: there was no dimension fund when 2021 was computed: it is null (not computed)" in told
    undeclared = sum(row["fund"] == "f10" for row in tables["population"])
    assert f"population: fund holds in {undeclared:,} rows a value that dimensions.yaml does not declare" in told
    assert_year_of_before_is_null(output)
    expected = compute(tables, [2022], conf_dir=after, as_of=AS_OF)
    for name in ("gold/imaging", "gold/postnatal"):
        assert_cells_equal([row for row in read(output, name) if row["year"] == 2022], expected, name, [2022])
    formed = [row for row in read(output, "silver/deliveries") if row["year"] == 2022]
    assert_deliveries_equal(formed, expected.deliveries)
    done(console, "check", "--output", output, "--conf", after)
    assert_explained(console, output)

    # Nothing is published of a year that lacks a dimension; computed anew it equals the reference.
    refused = console.run("protect", "--output", output, "--conf", after, "--years", "2021")
    assert refused.code == 2
    assert "there was no dimension fund" in refused.everything
    done(console, "run-year", "--output", output, "--year", "2021", "--conf", after)
    expected = compute(tables, [2021, 2022], conf_dir=after, as_of=AS_OF)
    for name in ("gold/imaging", "gold/postnatal"):
        assert_cells_equal(read(output, name), expected, name, [2021, 2022])
    assert_compared(console, output, tmp_path / "changed.csv")
    assert_published(console, output, after, tmp_path / "site")


def assert_year_of_before_is_null(output: Path) -> None:
    for name in ("imaging", "postnatal"):
        rows = read(output, f"gold/{name}")
        assert {row["fund"] for row in rows if row["year"] == 2021} == {None}
        assert {*FUNDS, "all", "unknown"} == {row["fund"] for row in rows if row["year"] == 2022}
        assert {row["quintile"] for row in rows if row["year"] == 2022} == {*QUINTILES, "all", "unknown"}


def assert_explained(console: Console, output: Path) -> None:
    """A cell of several dimensions counts as published; a year of before is explained by its own dimensions."""
    of_year = [row for row in read(output, "gold/postnatal") if row["year"] == 2022]
    row = max(
        (row for row in of_year if row["fund"] in FUNDS and row["quintile"] in QUINTILES),
        key=lambda row: (row["denominator"], row["fund"], row["quintile"], row["geo_code"], row["gender"]),
    )
    split = [text for name in ("fund", "quintile", "gender") for text in ("--split", f"{name}={row[name]}")]
    key = ["--indicator", SHARE, "--geo", row["geo_code"], "--geo-level", row["geo_level"], "--json"]
    found = json.loads(done(console, "explain", "--output", output, *key, "--year", "2022", *split).out)
    assert found["in_this_cell"]["denominator"] == found["cell"]["denominator"] == row["denominator"] > 0
    former = json.loads(done(console, "explain", "--output", output, *key, "--year", "2021").out)
    assert former["cell"]["gender"] == "all"
    wrong = console.run("explain", "--output", output, *key, "--year", "2021", "--split", "fund=f1")
    assert wrong.code == 2
    assert "There is no dimension 'fund' in 2021; there are gender, age_band" in wrong.everything


def assert_compared(console: Console, output: Path, cells: Path) -> None:
    """What other dimensions did: cells came and went, and no national figure moved."""
    first, _, third = run_ids(output)
    done(console, "diff", "--output", output, "--from", first, "--to", third, "--cells", cells)
    header, *changed = cells.read_text(encoding="utf-8").splitlines()
    columns = header.split(",")
    assert {"fund", "gender", "age_band", "quintile"} < set(columns)
    rows = [dict(zip(columns, line.split(","), strict=True)) for line in changed]
    assert rows
    assert all(any(row[name] != "all" for name in AFTER) for row in rows), "a total changed"


def assert_published(console: Console, output: Path, conf: Path, site: Path) -> None:
    done(console, "protect", "--output", output, "--conf", conf, "--years", "2021-2022")
    published = read(output, "published/cells")
    assert {row["fund"] for row in published} >= {*FUNDS, "all"}
    assert any(row["confidentiality"] == "C" for row in published)
    audited = json.loads(done(console, "audit", output, "--conf", conf, "--json").out)
    assert audited["hidden"] > 0
    done(console, "publish", "--output", output, "--conf", conf, "--site", site, "--draft")
    (file,) = (site / "downloads").rglob(f"{SCANNED}.csv")
    header = file.read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith("indicator_id,year,geo_level,geo_code,geo_vintage,")
    assert ",quintile," in header
    texts = "".join(path.read_text(encoding="utf-8") for path in (site / "data").rglob("*.js"))
    assert '"value.fund.f3":"caisse f3"' in texts
    assert '"value.quintile.1":"1"' in texts
