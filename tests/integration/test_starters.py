"""The small configuration that ``init`` writes is computed as it stands."""

from pathlib import Path

import pytest
from comparison import read
from integration.console import Console

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CLAIMS = """\
claim_id,beneficiary_id,service_date,nomenclature_code,quantity
1,p,2022-03-01,300020,1
2,p,2022-03-15,100015,1
3,q,2022-04-01,300016,1
4,q,2022-05-20,100026,1
5,r,2022-05-01,200012,2
"""
PEOPLE = """\
beneficiary_id,year,birth_date,sex,municipality_31_december
p,2022,1995-01-01,f,N1
q,2022,1985-01-01,f,S1
r,2022,2015-01-01,m,S2
s,2022,1950-01-01,m,
"""


def test_the_small_configuration_runs(console: Console, tmp_path: Path) -> None:
    conf, source, output = tmp_path / "conf", tmp_path / "input", tmp_path / "output"
    assert console.run("init", conf, "--from", "minimal").code == 0
    source.mkdir()
    (source / "claims.csv").write_text(CLAIMS, encoding="utf-8")
    (source / "population.csv").write_text(PEOPLE, encoding="utf-8")

    said = console.run("run-year", "--input", source, "--output", output, "--year", "2022", "--conf", conf)

    assert said.code == 0, said.err
    without = {
        (row["geo_code"], row["age_category"], row["delivery_type"]): (row["numerator"], row["denominator"])
        for row in read(output, "gold/deliveries")
    }
    # p saw a doctor on day 14, q on day 49.
    assert without["XX", "all", "all"] == (1, 2)
    assert without["N1", "<30", "vaginal"] == (0, 1)
    assert without["S1", "30+", "caesarean"] == (1, 1)
    scanned = {
        (row["geo_code"], row["age_category"], row["sex"]): (row["numerator"], row["denominator"])
        for row in read(output, "gold/beneficiary_years")
    }
    assert scanned["XX", "all", "all"] == (1, 4)
    assert scanned["S", "0-17", "male"] == (1, 1)
    assert scanned["S1", "all", "all"] == (0, 1)
