"""What a notebook finds around it, on Databricks and on this machine."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from claimatlas.errors import InputError
from claimatlas.notebooks.surroundings import LocalDisplay, LocalUtilities, configuration_of, surroundings, whole_number
from matplotlib.figure import Figure
from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]


def test_what_databricks_gives_is_taken_as_it_is() -> None:
    given = {"spark": object(), "dbutils": object(), "display": print}
    assert tuple(surroundings(given)) == tuple(given.values())


def test_on_this_machine_there_are_stand_ins(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["tour.py", "year=2023"])
    found = surroundings({"__file__": "notebooks/tour.py", "__name__": "tour"})
    assert found.spark is spark
    found.dbutils.widgets.text("year", "", "Year")
    assert found.dbutils.widgets.get("year") == "2023"
    assert isinstance(found.display, LocalDisplay)


def test_a_parameter_has_its_default_or_what_was_given() -> None:
    widgets = LocalUtilities(["output=s3a://b/o=1", "empty=", "-f", "kernel-1.json", "--x=3"]).widgets
    widgets.text("output", ".demo/output", "Root")
    widgets.text("empty", "something", "")
    widgets.text("year", "2023", "Year")
    assert [widgets.get(name) for name in ("output", "empty", "year")] == ["s3a://b/o=1", "", "2023"]


def test_the_configuration_is_that_of_a_path_or_a_uri(spark: SparkSession, tmp_path: Path) -> None:
    own = tmp_path / "conf"
    shutil.copytree(ROOT / "conf", own)
    settings = own / "settings.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("episode_gap_days: 30", "episode_gap_days: 45"), encoding="utf-8")
    found = [configuration_of(spark, conf) for conf in ("", str(own), own.as_uri())]
    assert [configuration.settings.episode_gap_days for configuration in found] == [30, 45, 45]


def test_a_choice_is_one_of_its_values() -> None:
    widgets = LocalUtilities(["language=de"]).widgets
    with pytest.raises(InputError, match="language=de: choose one of en, fr"):
        widgets.dropdown("language", "en", ["en", "fr"], "Language")
    widgets = LocalUtilities([]).widgets
    widgets.dropdown("language", "en", ["en", "fr"], "Language")
    assert widgets.get("language") == "en"


def test_a_parameter_that_there_is_not_is_refused() -> None:
    widgets = LocalUtilities(["yaer=2023"]).widgets
    widgets.text("year", "", "Year")
    widgets.text("output", "", "Root")
    with pytest.raises(InputError, match="There is no parameter yaer; there are year, output"):
        widgets.get("year")


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "²"])
def test_a_number_is_a_whole_number(text: str) -> None:
    dbutils = LocalUtilities([f"least={text}"])
    dbutils.widgets.text("least", "20", "Least")
    with pytest.raises(InputError, match=f"least={text}: a whole number"):
        whole_number(dbutils, "least")


def test_tables_are_shown_as_text_and_figures_as_files(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    display = LocalDisplay(tmp_path / "figures", "tour")
    display(spark.createDataFrame([("a" * 40, 1)], "name string, number int"))
    for _ in range(2):
        display(Figure())
    display("a sentence")
    said = capsys.readouterr().out
    assert "a" * 40 in said
    assert said.endswith("a sentence\n")
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["tour_1.png", "tour_2.png"]
    assert (tmp_path / "figures" / "tour_1.png").read_bytes().startswith(b"\x89PNG")


def run_as_program(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """A program whose surroundings have all but a display, so that no Spark is started."""
    program = folder / "notebook.py"
    head = "from claimatlas.errors import InputError\nfrom claimatlas.notebooks.surroundings import surroundings\n"
    names = "spark, dbutils, display = surroundings({**globals(), 'spark': 1})\n"
    program.write_text(head + names + body, encoding="utf-8")
    environment: dict[str, Any] = {"PYTHONPATH": str(ROOT / "lib")}
    command = [sys.executable, str(program)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_program_ends_with_one_sentence(tmp_path: Path) -> None:
    done = run_as_program(tmp_path, "raise InputError('There is no table.')\n")
    assert (done.returncode, done.stderr) == (2, "claimatlas: There is no table.\n")


def test_a_failure_of_another_kind_keeps_its_trace(tmp_path: Path) -> None:
    done = run_as_program(tmp_path, "raise ValueError('x')\n")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
