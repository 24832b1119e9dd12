"""The notebooks, executed as they are on the tables of a run: what they show, and what they never show."""

import contextlib
import io
import json
import os
import runpy
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from claimatlas.errors import InputError
from claimatlas.notebooks import figures
from comparison import last_record, read
from integration.conftest import Run
from integration.console import ROOT
from integration.test_gold import identifiers
from matplotlib.figure import Figure
from pyspark.sql import DataFrame, SparkSession
from reference.model import Row

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TOUR, EPISODES, QUALITY = "tour_of_the_result", "delivery_episodes", "data_quality"
FIGURES = ("value", "ci_low", "ci_high", "denominator", "status")
OVER_ALL = "age_category = 'all' AND increased_reimbursement = 'all' AND delivery_type = 'all' AND sex = 'all'"


class Widgets:
    """Parameters as Databricks has them: a value that a job gives wins over the default."""

    def __init__(self, given: dict[str, str]) -> None:
        self.given, self.values = given, {}

    def text(self, name: str, default: str, _label: str) -> None:
        self.values[name] = self.given.get(name, default)

    def dropdown(self, name: str, default: str, choices: list[str], label: str) -> None:
        assert default in choices
        self.text(name, default, label)

    def get(self, name: str) -> str:
        return self.values[name]


@dataclass
class Utilities:
    widgets: Widgets


@dataclass
class Seen:
    """What a person sees of a notebook."""

    tables: list[list[Row]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    printed: str = ""

    def table(self, *columns: str) -> list[Row]:
        """The one table that has exactly these columns."""
        (found,) = [rows for rows in self.tables if rows and list(rows[0]) == list(columns)]
        return found

    def figure(self, start: str) -> Figure:
        """The one figure whose title starts so."""
        (found,) = [shown for shown in self.figures if shown.axes[0].get_title(loc="left").startswith(start)]
        return found

    def everything(self) -> str:
        """All of it as one text."""
        rows = [str(value) for table in self.tables for row in table for value in [*row, *row.values()]]
        return "\n".join([*rows, *(text for shown in self.figures for text in figures.texts_of(shown)), self.printed])


Open = Callable[..., Seen]


@pytest.fixture(scope="module")
def run_notebook(spark: SparkSession) -> Open:
    """Run a notebook with parameters, and keep what it shows."""

    def run(name: str, **given: object) -> Seen:
        seen = Seen()

        def display(shown: object) -> None:
            if isinstance(shown, DataFrame):
                seen.tables.append([row.asDict() for row in shown.collect()])
            else:
                assert isinstance(shown, Figure), f"Databricks does not display a {type(shown)}"
                # Drawn, so that a figure that cannot be is found.
                shown.savefig(io.BytesIO())
                seen.figures.append(shown)

        dbutils = Utilities(Widgets({key: str(value) for key, value in given.items()}))
        names = {"spark": spark, "dbutils": dbutils, "display": display}
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(ROOT / "notebooks" / f"{name}.py"), init_globals=names)
        assert given.keys() <= dbutils.widgets.values.keys(), "a parameter that the notebook does not have"
        seen.printed = printed.getvalue()
        return seen

    return run


def cells(run: Run, where: str) -> list[Row]:
    return read(run.output, "gold/postnatal", "*", f"{OVER_ALL} AND indicator_id = 'cube_007_008a' AND {where}")


# --- A tour of the result -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tour(run_notebook: Open, submitted: Run) -> Seen:
    return run_notebook(TOUR, output=submitted.output, year="2022", level="province", least_denominator="1")


def test_the_tour_shows_what_is_published(tour: Seen, submitted: Run) -> None:
    (release,) = tour.table("release", "run_id", "published_at", "note")
    assert (release["release"], release["run_id"]) == (1, last_record(submitted.output)["run_id"])
    shown = tour.table("year", "value", "ci_low", "ci_high", "denominator", "status")
    published = sorted(cells(submitted, "geo_level = 'country'"), key=lambda row: row["year"])
    assert shown == [{name: row[name] for name in shown[0]} for row in published]
    texts = figures.texts_of(tour.figures[0])
    assert {"2022", "2023", *(f"{row['value']:.2f}" for row in published)} <= set(texts)


def test_the_tour_shows_every_place_beside_the_country(tour: Seen, submitted: Run) -> None:
    columns = ("geo_code", "value", "ci_low", "ci_high", "denominator", "status", "comparison", "trend")
    shown = {row["geo_code"]: row for row in tour.table(*columns)}
    published = cells(submitted, "geo_level = 'province' AND year = 2022 AND denominator > 0")
    compared = read(
        submitted.output,
        "gold/comparisons",
        "geo_code, comparison",
        "indicator_id = 'cube_007_008a' AND geo_level = 'province' AND year = 2022",
    )
    assert len(shown) == len(published) > 5
    for row in published:
        assert shown[row["geo_code"]]["value"] == row["value"]
        assert shown[row["geo_code"]]["denominator"] == row["denominator"]
    comparison = {row["geo_code"]: row["comparison"] for row in compared}
    assert {code: row["comparison"] for code, row in shown.items()} == {code: comparison[code] for code in shown}
    by_year = tour.table("year", "comparison", "places")
    in_2022 = {row["comparison"]: row["places"] for row in by_year if row["year"] == 2022}
    assert in_2022 == Counter(value for value in comparison.values() if value)


def test_the_tour_draws_a_plot_a_funnel_a_map_and_each_dimension(tour: Seen, submitted: Run) -> None:
    # cube_007_008a is split by age, increased reimbursement and delivery type.
    assert len(tour.figures) == 4 + 3
    published = cells(submitted, "geo_level = 'province' AND year = 2022 AND denominator > 0")
    by_place = [shown for shown in tour.figures if ", 2022, by province" in shown.axes[0].get_title(loc="left")]
    ranked, funnel, tiles = by_place
    labels = [label.get_text() for label in ranked.axes[0].get_yticklabels()]
    assert len(labels) == len(published)
    assert "Province de Namur" in labels
    assert [line.get_ydata()[0] for line in funnel.axes[0].lines if line.get_marker() == "o"] == [
        row["value"] for row in sorted(published, key=lambda row: row["geo_code"])
    ]
    namur = next(row["value"] for row in published if row["geo_code"] == "90000")
    assert f"Namur\n{namur:.1f}" in figures.texts_of(tiles)
    assert any(text.endswith("\n-") for text in figures.texts_of(tiles)) == (len(published) < 10)
    dimensions = ("age_category", "increased_reimbursement", "delivery_type")
    for dimension, drawn in zip(dimensions, tour.figures[-3:], strict=True):
        values = {row[dimension] for row in tour.table(dimension, *FIGURES)}
        assert len(values) > 1
        assert values <= set(figures.texts_of(drawn))
    assert "Age class" in tour.figures[-3].axes[0].get_title(loc="left")


def test_other_parameters_show_another_result(run_notebook: Open, submitted: Run, tour: Seen) -> None:
    other = run_notebook(
        TOUR,
        output=submitted.output,
        indicator="cube_013_023",
        level="region",
        language="nl",
        least_denominator="1",
    )
    # Without a year the newest.
    assert any(", 2023, by region" in shown.axes[0].get_title(loc="left") for shown in other.figures)
    shown = other.table("year", *FIGURES)
    assert shown != tour.table("year", *FIGURES)
    published = read(
        submitted.output,
        "gold/imaging",
        "value",
        f"{OVER_ALL} AND indicator_id = 'cube_013_023' AND geo_level = 'country' AND year = 2023",
    )
    assert shown[-1]["value"] == published[0]["value"]
    assert "Vlaams Gewest" in other.everything()
    assert "The configuration has no tiles for the level region" in other.printed


def test_small_places_are_not_shown(run_notebook: Open, submitted: Run) -> None:
    published = cells(submitted, "geo_level = 'province' AND year = 2022 AND denominator > 0")
    least = sorted(row["denominator"] for row in published)[len(published) // 2]
    seen = run_notebook(TOUR, output=submitted.output, year="2022", level="province", least_denominator=str(least))
    enough = {row["geo_code"] for row in published if row["denominator"] >= least}
    assert 0 < len(enough) < len(published)
    table = seen.table("geo_code", *FIGURES, "comparison", "trend")
    assert {row["geo_code"] for row in table} == enough
    ranked = next(shown for shown in seen.figures if ", by province" in shown.axes[0].get_title(loc="left"))
    assert len(ranked.axes[0].get_yticklabels()) == len(enough)
    assert f"{len(enough)} places with a value and a denominator of {least} or more" in seen.printed


def test_what_is_not_computable_is_shown_without_a_number(run_notebook: Open, submitted: Run) -> None:
    seen = run_notebook(TOUR, output=submitted.output, indicator="cube_007_004a", level="region")
    country = seen.table("year", *FIGURES)
    assert {(row["value"], row["status"]) for row in country} == {(None, "not_computable")}
    assert "0 places with a value" in seen.printed


def test_boundaries_of_the_user_make_a_map(run_notebook: Open, submitted: Run, tmp_path: Path) -> None:
    squares = {"02000": (3.0, 51.0), "03000": (4.0, 50.0), "04000": (4.3, 50.8)}
    features = [
        {
            "type": "Feature",
            "properties": {"region": code},
            "geometry": {"type": "Polygon", "coordinates": [[[x, y], [x + 1, y], [x + 1, y + 1], [x, y]]]},
        }
        for code, (x, y) in squares.items()
    ]
    file = tmp_path / "regions.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    seen = run_notebook(TOUR, output=submitted.output, level="region", boundaries=file, least_denominator="1")
    with_shapes = [shown for shown in seen.figures if len(shown.axes[0].patches) == 3]
    assert len(with_shapes) == 1


# --- Delivery episodes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def episodes(run_notebook: Open, submitted: Run) -> Seen:
    return run_notebook(EPISODES, output=submitted.output, year="2022", least_days="28", most_days="31")


def test_the_study_counts_as_the_run_did(episodes: Seen, submitted: Run) -> None:
    counts = last_record(submitted.output)["counts"]
    (formed,) = episodes.table(
        "claim_lines", "services", "services_taken_back", "negative_lines_without_match", "delivery_days"
    )
    assert formed == {name: counts["deliveries"][name] for name in formed}
    readings = {row["year"]: row for row in episodes.table("year", "chained", "anchored")}
    for reading in ("chained", "anchored"):
        assert readings[2022][reading] == counts[f"deliveries.episodes_{reading}"]["2022"]
    assert readings[2022]["chained"] < readings[2022]["anchored"], "planted: three billings in fifty days"


def test_the_study_shows_what_hangs_on_the_days(episodes: Seen, submitted: Run) -> None:
    tried = {row["gap_days"]: row for row in episodes.table("gap_days", "chained", "anchored")}
    assert list(tried) == [28, 29, 30, 31]
    deliveries = read(submitted.output, "silver/deliveries", "delivery_id", "year = 2022")
    assert tried[30]["chained"] == len(deliveries)
    assert tried[29]["chained"] > tried[30]["chained"], "planted: two billings thirty days apart"
    curve = episodes.figure("Deliveries of 2022 by the days").axes[0].lines[0]
    assert list(curve.get_ydata()) == [tried[days]["chained"] for days in tried]


def test_the_study_shows_gaps_contacts_and_first_contacts(episodes: Seen, submitted: Run) -> None:
    gaps = {row["days_between"]: row["times"] for row in episodes.table("days_between", "times")}
    assert gaps["26-30"] >= 2
    assert gaps["21-25"] >= 2
    contacts = {row["contact"]: row["deliveries"] for row in episodes.table("contact", "deliveries")}
    counts = last_record(submitted.output)["counts"]["deliveries.2022"]
    assert contacts["all deliveries"] == counts["deliveries"]
    assert contacts["gp"] == counts["contact_gp"]
    for value in ("source", "source_and_postnatal"):
        assert contacts[f"midwife, midwife_codes={value}"] == counts[f"contact_midwife_{value}"] > 0
    days = episodes.table("year", "day", "with_contact", "deliveries")
    without = next(row for row in cells(submitted, "geo_level = 'country' AND year = 2022"))
    assert days[-1]["day"] == 42
    assert days[-1]["deliveries"] - days[-1]["with_contact"] == without["numerator"]
    assert len(episodes.figures) == 4


# --- Data quality ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quality(run_notebook: Open, submitted: Run) -> Seen:
    return run_notebook(QUALITY, output=submitted.output)


def test_the_rows_that_came_in_add_up(quality: Seen, submitted: Run) -> None:
    counts = last_record(submitted.output)["counts"]
    columns = ("batch", "run_id", "table", "read", "accepted", "rejected", "resent", "superseded")
    received = {row["table"]: row for row in quality.table(*columns)}
    assert set(received) == {"claims", "population", "hospital_stays"}
    for table, row in received.items():
        assert {name: row[name] for name in ("read", "accepted", "rejected")} == counts[f"ingest.{table}"]
    lines = quality.table("year", "batch", "lines")
    assert sum(row["lines"] for row in lines) == counts["ingest.claims"]["accepted"]


def test_the_reasons_are_those_of_the_record(quality: Seen, submitted: Run) -> None:
    counts = last_record(submitted.output)["counts"]
    shown: dict[str, dict[str, int]] = {}
    for row in quality.table("table", "reason", "rows"):
        shown.setdefault(row["table"], {})[row["reason"]] = row["rows"]
    assert shown
    for table in ("claims", "population", "hospital_stays"):
        assert shown.get(table, {}) == counts[f"ingest.{table}.rejected_by_reason"]
    reason, number = next(iter(shown["claims"].items()))
    assert {f"claims: {reason}", f"{number:,}"} <= set(figures.texts_of(quality.figure("Rejected rows by reason")))


def test_the_checks_are_those_of_the_command(quality: Seen, submitted: Run) -> None:
    assert "bounds: " in quality.printed
    measured = [rows for rows in quality.tables if rows and "percent" in rows[0]]
    by_name = {row["what"]: row for rows in measured for row in rows}
    counts = last_record(submitted.output)["counts"]
    of_2022 = by_name["deliveries, 2022"]
    assert of_2022["cases"] == counts["deliveries.2022"]["deliveries"]
    share = 100 * counts["deliveries.2022"]["domicile_unknown"] / of_2022["cases"]
    assert of_2022["percent"] == pytest.approx(share)
    assert "cube_007_008a, 2023, 2022" in by_name
    assert "2022, without_booking_date" in by_name
    assert "sums compared, 0 kinds of them wrong" in quality.printed


def test_one_year_is_judged_alone(run_notebook: Open, submitted: Run) -> None:
    seen = run_notebook(QUALITY, output=submitted.output, year="2022")
    names = {row["what"] for rows in seen.tables if rows and "percent" in rows[0] for row in rows}
    assert "deliveries, 2022" in names
    assert not any("2023" in name for name in names)


# --- All of them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("notebook", ["tour", "episodes", "quality"])
def test_nobody_is_in_what_is_shown(notebook: str, request: pytest.FixtureRequest, submitted: Run) -> None:
    everything = request.getfixturevalue(notebook).everything()
    assert len(everything) > 1000
    assert [name for name in identifiers(submitted) if name in everything] == []


@pytest.mark.parametrize(
    ("notebook", "said"),
    [
        (TOUR, "Nothing is published in {output}: run the main job first."),
        (EPISODES, "There is no table silver/claims in {output}: run the job that writes it first."),
        (QUALITY, "There is no silver in {output}: give --input, or run the ingest first."),
    ],
)
def test_a_table_that_is_not_there_is_one_sentence(
    notebook: str, said: str, run_notebook: Open, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        run_notebook(notebook, output=tmp_path)
    assert str(caught.value) == said.format(output=tmp_path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"indicator": "cube_9"}, "The configuration declares no indicator cube_9; it declares cube_007"),
        ({"indicator": "cube_007_006b"}, "cube_007_006b has no level arrondissement; it has country, hospital."),
        ({"year": "1999"}, "There is nothing of 1999 here; the years are 2022, 2023."),
        ({"least_denominator": "few"}, "least_denominator=few: a whole number is expected."),
    ],
)
def test_a_parameter_that_makes_no_sense_is_one_sentence(
    given: dict[str, str], said: str, run_notebook: Open, submitted: Run
) -> None:
    with pytest.raises(InputError) as caught:
        run_notebook(TOUR, output=submitted.output, **given)
    assert str(caught.value).startswith(said)


@pytest.mark.long
@pytest.mark.parametrize("notebook", [TOUR, EPISODES, QUALITY])
def test_it_runs_as_a_program(notebook: str, submitted: Run, tmp_path: Path) -> None:
    environment: dict[str, Any] = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "lib"), os.environ.get("PYTHONPATH", "")]),
        "CLAIMATLAS_DRIVER_MEMORY": "2g",
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "notebooks" / f"{notebook}.py"), f"output={submitted.output}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    drawn = sorted((tmp_path / ".notebooks").glob(f"{notebook}_*.png"))
    assert len(drawn) >= 2
    assert all(f"Figure: .notebooks/{file.name}" in done.stdout for file in drawn)
