"""Claims that are drawn by weights, from ``generate`` to gold: equal to the reference, and to what was drawn."""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from claimatlas.configuration.starters import write_starter
from comparison import CONF, figures_of, last_record, read
from integration.console import Console
from reference.declared_codes import cells
from reference.declared_files import load

pytestmark = [pytest.mark.integration, pytest.mark.slow]

YEARS = (2022, 2023)


@pytest.mark.parametrize("name", ["text_codes", "minimal", pytest.param("joined_keys", marks=pytest.mark.long)])
def test_every_figure_is_that_of_the_reference(console: Console, tmp_path: Path, name: str) -> None:
    conf, source, output = tmp_path / "conf", tmp_path / "input", tmp_path / "output"
    if name == "minimal":
        write_starter(name, conf)
    else:
        shutil.copytree(CONF / "examples" / name, conf, ignore=shutil.ignore_patterns("input"))
    options = ["--beneficiaries", "3000", "--years", "2022-2023", "--seed", "5", "--format", "csv"]
    said = console.run("generate", "--conf", conf, "--output", source, *options)
    assert said.code == 0, said.err
    by_mapping = ["--mapping", source / "mapping.yaml"] if "--mapping" in said.err else []
    assert bool(by_mapping) == (name != "minimal")
    said = console.run(
        "run-year", "--conf", conf, "--input", source, *by_mapping, "--output", output, "--year", "2022-2023"
    )
    assert said.code == 0, said.err
    # The reference reads by the configuration's own mapping.
    shutil.copy(source / "mapping.yaml", conf / "mappings" / "standard.yaml")
    expected = cells(conf, source, YEARS)
    found = figures_of(output, load(conf, source).key)
    assert found.keys() == expected.keys()
    for key, (numerator, denominator, value) in expected.items():
        assert found[key] == (numerator, denominator, None if value is None else pytest.approx(value)), key
    drawn = pq.read_table(source / "truth" / "deliveries").to_pylist()
    same = ("beneficiary_id", "delivery_date", "delivery_type")
    formed = [tuple(row[column] for column in same) for row in read(output, "silver/deliveries")]
    assert Counter(formed) == Counter(tuple(row[column] for column in same) for row in drawn)
    assert len(formed) > 30
    if name == "text_codes":
        _rates_are_published(console, conf, output, expected, load(conf, source).key)
    rejected = {step: counts for step, counts in last_record(output)["counts"].items() if counts.get("rejected")}
    assert rejected == {}


def _rates_are_published(
    console: Console, conf: Path, output: Path, expected: Mapping[tuple[Any, ...], Any], names: Sequence[str]
) -> None:
    """Of some thousands of people the strata are shown, and with them the standardised rates: the reference's."""
    for command in (("protect", "--output", output), ("audit", output)):
        said = console.run(*command, "--conf", conf)
        assert said.code == 0, said.err
    rows = [row for row in read(output, "published/cells") if row["indicator_id"] == "scanned_standardised"]
    rates = {(row["geo_level"], row["sex"]) for row in rows if row["value"] is not None}
    assert rates >= {("country", "all"), ("country", "female"), ("region", "all")}
    # By sex and age class there are no figures of regions, so there are no rates of them by sex.
    assert {row["geo_level"] for row in rows if row["sex"] != "all"} == {"country"}
    for row in rows:
        key = (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"], *(row[name] for name in names))
        if row["value"] is not None:
            assert row["value"] == pytest.approx(expected[key][2], abs=5e-5)
            assert row["ci_low"] < row["value"] < row["ci_high"]
        assert (row["confidentiality"] == "C") == (row["value"] is None and row["denominator"] != 0)
