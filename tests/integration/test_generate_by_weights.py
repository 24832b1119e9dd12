"""Claims that are drawn by weights, from ``generate`` to gold: equal to the reference, and to what was drawn."""

import shutil
from collections import Counter
from pathlib import Path

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
    rejected = {step: counts for step, counts in last_record(output)["counts"].items() if counts.get("rejected")}
    assert rejected == {}
