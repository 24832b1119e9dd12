"""Settings given by `--set`: each changes what the reference says it changes."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from comparison import CONF, DELIVERIES, GOLD, assert_cells_equal, assert_deliveries_equal, last_record, read
from integration.conftest import YEARS, Run
from integration.console import Console
from reference import Result, compute

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

SETTINGS: dict[str, Any] = {
    "episode_rule": "anchored",
    "episode_type": "highest_priority",
    "midwife_codes": "source_and_postnatal",
    "postnatal_window.first_day": 2,
    "postnatal_window.last_day": 41,
    "prenatal_window.first_day": 200,
    "prenatal_window.last_day": 2,
    "episode_gap_days": 29,
    "implausible_interval_days": 365,
}


def all_but(name: str) -> dict[str, Any]:
    return {other: value for other, value in SETTINGS.items() if other != name}


@pytest.fixture(scope="module")
def expected(submitted: Run) -> Result:
    return compute(submitted.tables, YEARS, conf_dir=CONF, settings=SETTINGS)


@pytest.fixture(scope="module")
def output(console: Console, submitted: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The years of `submitted` computed again with every setting changed."""
    folder = Path(shutil.copytree(submitted.output, tmp_path_factory.mktemp("settings") / "output"))
    changed = [text for name, value in SETTINGS.items() for text in ("--set", f"{name}={value}")]
    said = console.run("run-year", "--output", folder, "--year", *YEARS, *changed)
    assert said.code == 0, said.err
    return folder


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_matters_here(submitted: Run, expected: Result, name: str) -> None:
    without_it = compute(submitted.tables, YEARS, conf_dir=CONF, settings=all_but(name))
    assert (without_it.deliveries, without_it.cells) != (expected.deliveries, expected.cells)


def test_all_of_them_together(output: Path, expected: Result) -> None:
    assert_deliveries_equal(read(output, DELIVERIES), expected.deliveries)
    for table in GOLD:
        assert_cells_equal(read(output, table), expected, table, YEARS)


def test_the_record_has_them_and_both_readings(output: Path, submitted: Run, expected: Result) -> None:
    record, plain = last_record(output), last_record(submitted.output)
    for name, value in SETTINGS.items():
        found = record["settings"]
        for part in name.split("."):
            found = found[part]
        assert found == value
    assert record["hashes"]["settings"] != plain["hashes"]["settings"]
    assert record["hashes"]["code_lists"] == plain["hashes"]["code_lists"]
    for year in YEARS:
        counts = {rule: record["counts"][f"deliveries.episodes_{rule}"][str(year)] for rule in ("chained", "anchored")}
        assert counts == expected.flow["episodes"][year]
