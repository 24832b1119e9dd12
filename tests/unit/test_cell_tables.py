"""The names of the tables of cells: declared, told by the releases, and kept by an output."""

import shutil
from pathlib import Path

import pytest
from claimatlas import cli
from claimatlas.configuration import load_configuration
from claimatlas.configuration.settings import CellTables
from claimatlas.errors import InputError
from claimatlas.tables.cell_tables import require_names
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.releases import Published
from comparison import CONF

EXAMPLE = CONF / "examples" / "text_codes"


def names_in(output: Path) -> list[str]:
    return [table.name for table in DeltaReader(str(output)).cell_tables]


def draw(output: Path, conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--output", str(output), "--beneficiaries", "3000", "--years", "2022", "--seed", "4"]
    assert cli.main(["generate", "--counts", *options, "--conf", str(conf)]) == 0, capsys.readouterr().err


def test_a_country_that_names_none_has_neutral_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(tmp_path / "output", EXAMPLE, capsys)
    assert names_in(tmp_path / "output") == ["gold/beneficiary_years", "gold/deliveries"]
    assert {path.name for path in (tmp_path / "output" / "gold").iterdir()} >= {"beneficiary_years", "deliveries"}


def test_declared_names_are_those_of_the_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf, output = tmp_path / "conf", tmp_path / "output"
    shutil.copytree(EXAMPLE, conf)
    with (conf / "settings.yaml").open("a", encoding="utf-8") as file:
        file.write("\ntables: {beneficiary_years: scans, deliveries: births}\n")
    draw(output, conf, capsys)
    assert names_in(output) == ["gold/scans", "gold/births"]
    # Who reads an output asks it, whatever the settings say by now.
    published = Published.now(DeltaReader(str(output)))
    assert all(published.rows(table) for table in published.store.cell_tables)
    require_names(published.store, CellTables(beneficiary_years="scans", deliveries="births"))
    with pytest.raises(InputError, match=r"are in gold/scans and gold/births, and the settings name gold/scans and "):
        require_names(published.store, CellTables(beneficiary_years="scans"))
    assert cli.main(["explain", "--output", str(output), "--indicator", "births", "--year", "2023", "--geo", "XX"]) == 2
    assert "There is no cell births" in capsys.readouterr().err


def test_what_ships_has_the_names_of_its_pages() -> None:
    assert load_configuration().settings.tables == CellTables(beneficiary_years="imaging", deliveries="postnatal")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("tables.deliveries=releases", "tables.deliveries: gold has another table releases"),
        ("tables.deliveries=imaging", "tables.deliveries: both populations have the same table"),
        ("tables.deliveries=a/b", "tables.deliveries: "),
    ],
)
def test_names_that_are_taken_are_refused(given: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        load_configuration(None, [given])
    assert told in str(caught.value)
