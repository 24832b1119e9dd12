"""The example configurations, from raw files to gold, against the plain-Python reference."""

import csv
import importlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from comparison import CONF, figures_of, intervals_of, last_record, read
from integration.console import Console
from reference.declared_codes import cells, intervals
from reference.declared_files import load

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EXAMPLES = CONF / "examples"
EXAMPLE = EXAMPLES / "text_codes"
YEARS = (2022, 2023)
SCRIPTS = {"text_codes": "scripts.make_example", "joined_keys": "scripts.make_example_of_keys"}
Figures = dict[tuple[Any, ...], tuple[int, int, float | None]]


@dataclass(frozen=True)
class Computed:
    """An example that was run: its configuration, its tables, and the figures of both."""

    conf: Path
    output: Path
    figures: Figures
    expected: Figures

    def total(self, indicator: str, year: int = 2022) -> tuple[int, int]:
        """Numerator and denominator of the country, not split."""
        (found,) = [
            counts
            for key, counts in self.figures.items()
            if key[:3] == (indicator, year, "country") and set(key[4:]) == {"all"}
        ]
        return found[:2]


@pytest.fixture(scope="module", params=sorted(SCRIPTS))
def computed(request: pytest.FixtureRequest, console: Console, tmp_path_factory: pytest.TempPathFactory) -> Computed:
    conf, output = EXAMPLES / request.param, tmp_path_factory.mktemp(request.param) / "output"
    said = console.run("run-year", "--conf", conf, "--input", conf / "input", "--output", output, "--year", "2022-2023")
    assert said.code == 0, said.err
    return Computed(
        conf, output, figures_of(output, load(conf, conf / "input").key), cells(conf, conf / "input", YEARS)
    )


def test_every_figure_is_that_of_the_reference(computed: Computed) -> None:
    assert computed.figures.keys() == computed.expected.keys()
    for key, (numerator, denominator, value) in computed.expected.items():
        assert computed.figures[key][:2] == (numerator, denominator), key
        assert computed.figures[key][2] == (None if value is None else pytest.approx(value)), key


def test_every_interval_is_that_of_the_reference(computed: Computed) -> None:
    found = intervals_of(computed.output, load(computed.conf, computed.conf / "input").key)
    expected = intervals(computed.conf, computed.conf / "input", YEARS)
    assert found.keys() == expected.keys()
    for key, bounds in expected.items():
        assert found[key] == tuple(None if bound is None else pytest.approx(bound) for bound in bounds), key
    if computed.conf.name == "text_codes":
        of_rates = {bounds[1] for key, bounds in found.items() if key[0] == "scanned_standardised"}
        assert None in of_rates
        assert max(bound for bound in of_rates if bound is not None) > 100


def test_what_an_example_is_there_to_show_is_met(computed: Computed) -> None:
    """An example in which nobody has what it declares would equal any reference."""
    silver = read(computed.output, "silver/claims")
    births = computed.total("births")[1]
    assert 0 < computed.total("not_seen")[0] < computed.total("not_seen")[1] <= births
    assert computed.total("scans")[0] > 0
    if computed.conf.name == "text_codes":
        assert 0 < computed.total("seen_twice_with_diabetes")[1] < births
        assert computed.total("not_seen")[1] < births
        assert 0 < computed.total("scanned_women")[1] < computed.total("scans")[1]
        assert {row["code_system"] for row in silver} == {"icd", "procedure"}
        assert {row["nomenclature_code"] for row in silver} >= {"O801", "CONS002", "E149"}
        assert {row["speciality"] for row in silver} >= {"GYN-A", "MW4"}
        by_provider = {
            key[-1] for key, counts in computed.figures.items() if key[0] == "scans_by_provider" and counts[0]
        }
        # A median that is not that of the whole country, and a rate that is not known as a stratum is empty.
        medians = {counts[2] for key, counts in computed.figures.items() if key[0] == "scans_of_the_middle"}
        assert len(medians) > 2
        unknown = [key for key, counts in computed.figures.items() if key[0] == "scanned_standardised" and counts[1]]
        assert {computed.figures[key][2] is None for key in unknown} == {True, False}
        warned = [text for text in last_record(computed.output)["warnings"] if "the standardised rate of" in text]
        assert [text.split(":")[0] for text in warned] == [f"scanned_standardised {year}" for year in YEARS]
        assert by_provider == {"GP", "GYN*", "MW1..MW3", "unknown", "all"}
        return
    assert 0 < computed.total("seen_by_midwife")[0] < births
    ids = {row["claim_id"] for row in silver}
    assert {"nord-1", "sud-1"} <= ids
    assert {"nord/0", "sud/0"} <= {row["beneficiary_id"] for row in silver}
    splits = {key[4:] for key in computed.figures if key[0] == "scanned"}
    assert {split[2] for split in splits} == {"1", "2", "3", "4", "5", "unknown", "all"}
    assert {split[3] for split in splits} == {"public", "private", "unknown", "all"}
    people = read(computed.output, "silver/population")
    assert {row["municipality_31_december"] for row in people} >= {"01", "11", None}


def test_an_example_is_protected_audited_and_published(computed: Computed, console: Console, tmp_path: Path) -> None:
    options = ["--output", computed.output, "--conf", computed.conf]
    said = console.run("protect", *options)
    assert said.code == 0, said.err
    published = read(computed.output, "published/cells")
    of_codes = {"scanned_women", "scans_by_provider", "scans_of_the_middle", "seen_twice_with_diabetes"}
    left_out = {"text_codes": of_codes}.get(computed.conf.name, set())
    assert {row["indicator_id"] for row in published} == {key[0] for key in computed.figures} - left_out
    assert {row["confidentiality"] for row in published} == {"C", "F"}
    # What is shown is what was computed.
    names = load(computed.conf, computed.conf / "input").key
    for row in published:
        key = (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"], *(row[name] for name in names))
        for name, count in zip(("numerator", "denominator"), computed.figures.get(key, (0, 0)), strict=False):
            assert row[name] in (None, count), key
        if row["confidentiality"] == "F":
            expected = computed.figures[key][2] if key in computed.figures else None
            assert row["value"] == (None if expected is None else pytest.approx(expected, abs=5e-5)), key
    rates = [row for row in published if row["indicator_id"] == "scanned_standardised" and row["denominator"]]
    if computed.conf.name == "text_codes":
        # Few are counted in the strata: a rate is hidden beside counts that are shown.
        assert any(row["confidentiality"] == "C" and row["numerator"] is not None for row in rates)
    said = console.run("audit", computed.output, "--conf", computed.conf, "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["hidden"] > 0
    said = console.run("publish", *options, "--site", tmp_path / "site", "--draft")
    assert said.code == 0, said.err
    files = {path.stem for path in (tmp_path / "site" / "downloads").rglob("*.csv")}
    assert files >= {row["indicator_id"] for row in published}
    assert not files & left_out
    texts = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.html"))
    assert "Belgi" not in texts


def test_a_median_of_an_example_is_published(computed: Computed, console: Console, tmp_path: Path) -> None:
    """It is shown of women of two regions, where nothing else counts their scans."""
    if computed.conf.name != "text_codes":
        pytest.skip("the other example has no median")
    conf = Path(shutil.copytree(computed.conf, tmp_path / "conf"))
    output = Path(shutil.copytree(computed.output, tmp_path / "output"))
    shutil.rmtree(output / "published", ignore_errors=True)
    shutil.rmtree(output / "protection", ignore_errors=True)
    rules = yaml.safe_load((conf / "publication.yaml").read_text(encoding="utf-8"))
    sides = {"births": "none", "not_seen": "numerator", "scans_of_the_middle": "none"}
    others = sorted({key[0] for key in computed.figures} - sides.keys())
    rules |= {"sensitive_sides": sides, "not_published": others, "differences": []}
    rules |= {"plan": {"region": 1}, "provisional_plan": {"region": 0}}
    (conf / "publication.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    options = ["--output", output, "--conf", conf]
    said = console.run("protect", *options)
    assert said.code == 0, said.err
    rows = [row for row in read(output, "published/cells") if row["indicator_id"] == "scans_of_the_middle"]
    shown = {(row["year"], row["geo_level"], row["geo_code"]): row for row in rows if row["value"] is not None}
    assert {key[2] for key in shown} == {"N", "S"}
    for (year, level, code), row in shown.items():
        expected = computed.figures["scans_of_the_middle", year, level, code, "all", "all", "all", "all"]
        assert (row["value"], row["denominator"]) == (expected[2], expected[1])
        assert row["denominator"] >= 2 * rules["k"]
    assert {row["numerator"] for row in rows} == {None}
    assert {row["age_category"] for row in rows} == {"all"}
    said = console.run("audit", output, "--conf", conf)
    assert said.code == 0, said.err
    said = console.run("publish", *options, "--site", tmp_path / "site", "--draft")
    assert said.code == 0, said.err
    assert (tmp_path / "site" / "en" / "indicators" / "scans_of_the_middle.html").is_file()


def test_check_compares_every_sum_of_an_example(computed: Computed, console: Console) -> None:
    # Of a hundred people every drift is chance: only the sums are judged here.
    said = console.run("check", "--output", computed.output, "--conf", computed.conf, "--year", "2022-2023", "--json")
    assert said.code in (0, 3), said.err
    sums = [one for one in json.loads(said.out)["findings"] if one["check"] == "sums"]
    assert {one["subject"]["indicator_id"] for one in sums} == {key[0] for key in computed.figures}
    assert [one["sentence"] for one in sums if not one["ok"]] == []
    is_rated = computed.conf.name == "text_codes"
    assert any("the standardised rate of" in note for note in json.loads(said.out)["notes"]) == is_rated
    split_by = set(load(computed.conf, computed.conf / "input").key)
    assert split_by <= {one["subject"]["sum"] for one in sums}


def test_each_indicator_of_an_example_is_explained(computed: Computed, console: Console) -> None:
    names = load(computed.conf, computed.conf / "input").key
    for indicator in sorted({key[0] for key in computed.figures}):
        # A cell that is split by everything that the indicator has: of those, one that somebody is counted in.
        key = max(
            (key for key in computed.figures if key[:2] == (indicator, 2022)),
            key=lambda key: (sum(value != "all" for value in key[4:]), computed.figures[key][0] or 0, key),
        )
        split = [text for name, value in zip(names, key[4:], strict=True) for text in ("--split", f"{name}={value}")]
        place = ["--geo", key[3], "--geo-level", key[2]]
        said = console.run(
            *("explain", "--output", computed.output, "--indicator", indicator, "--year", "2022"),
            *(*place, *split, "--recount", "--json"),
        )
        assert said.code == 0, said.err
        found = json.loads(said.out)
        assert (found["cell"]["numerator"], found["cell"]["denominator"]) == computed.expected[key][:2]
        assert found["no_recount_because"] is None, key
        counted = found["in_this_cell"]
        assert (counted["numerator"], counted["denominator"]) == computed.expected[key][:2], key
        assert (found["standard"] is None) == (indicator != "scanned_standardised")
        if indicator == "scanned_standardised":
            strata = {value: counted[f"numerator of age_category {value}"] for value in found["standard"]["weights"]}
            assert sum(strata.values()) <= counted["numerator"]
        if indicator == "scans_of_the_middle":
            around = [counted[f"members {side} the median"] for side in ("below", "at", "above")]
            assert sum(around) == counted["denominator"]


@pytest.mark.long
def test_two_runs_of_an_example_are_compared(computed: Computed, console: Console, tmp_path: Path) -> None:
    output = Path(shutil.copytree(computed.output, tmp_path / "output"))
    conf = Path(shutil.copytree(computed.conf, tmp_path / "conf"))
    settings = (conf / "settings.yaml").read_text(encoding="utf-8")
    assert "last_day: 42" in settings
    (conf / "settings.yaml").write_text(settings.replace("last_day: 42", "last_day: 10"), encoding="utf-8")
    first = last_record(output)["run_id"]
    said = console.run("run-year", "--conf", conf, "--output", output, "--year", "2022-2023", "--allow-drift")
    assert said.code == 0, said.err
    runs = ["--from", first, "--to", last_record(output)["run_id"]]
    said = console.run("diff", "--output", output, *runs, "--json", "--cells", tmp_path / "cells.csv")
    assert said.code == 0, said.err
    found, expected = json.loads(said.out), cells(conf, conf / "input", YEARS)
    assert found["causes"] == ["settings"]
    differing = {key for key, counts in expected.items() if counts[:2] != computed.expected[key][:2]}
    assert differing
    names = ("indicator_id", "year", "geo_level", "geo_code", *load(conf, conf / "input").key)
    with (tmp_path / "cells.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {tuple(int(row[name]) if name == "year" else row[name] for name in names) for row in rows} == differing
    national = {
        (key[0], key[1]): expected[key][0] - computed.expected[key][0]
        for key in differing
        if key[2] == "country" and set(key[4:]) == {"all"}
    }
    steps = {(one["indicator_id"], one["year"]): one["steps"] for one in found["national"]}
    assert {key: [step["numerator"] for step in of] for key, of in steps.items()} == {
        key: [change] for key, change in national.items()
    }


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_sheet_says_nothing_of_belgium(name: str, tmp_path: Path) -> None:
    from claimatlas import cli

    assert cli.main(["describe", "--conf", str(EXAMPLES / name), "--output", str(tmp_path), "--format", "md"]) == 0
    texts = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "en").glob("*.md"))
    assert "Provider" in texts
    for word in ("Belg", "BIM", "reimbursement", "profession", "competence", "source page", "municipality", "NIS"):
        assert word not in texts, word


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_the_inputs_are_those_of_the_script(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = importlib.import_module(SCRIPTS[name])
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    script.main()
    committed = EXAMPLES / name / "input"
    files = sorted(path.relative_to(committed) for path in committed.rglob("*.csv"))
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.csv"))
    for file in files:
        assert (tmp_path / file).read_bytes() == (committed / file).read_bytes(), file


@pytest.mark.long
@pytest.mark.parametrize("has_rates", [True, False])
def test_a_batch_of_spans_comes_to_what_all_at_once_do(console: Console, tmp_path: Path, has_rates: bool) -> None:
    """People whose spans and lines come in two batches, and one whose second span comes later.

    With a median and a standardised rate the second batch is a full run, else an update of the first one's counts.
    """
    conf = Path(shutil.copytree(EXAMPLE, tmp_path / "conf"))
    if not has_rates:
        for name in ("scanned_standardised", "scans_of_the_middle"):
            (conf / "indicators" / f"{name}.yaml").unlink()
    output, parts = tmp_path / "output", [tmp_path / "first", tmp_path / "second"]
    for part in parts:
        part.mkdir()
    for name, column in (("claims.csv", 1), ("population.csv", 0)):
        header, *lines = (EXAMPLE / "input" / name).read_text(encoding="utf-8").splitlines()
        met: set[str] = set()
        halves: list[list[str]] = [[header], [header]]
        for line in lines:
            person = line.split(",")[column]
            is_later = person >= "p060" or (person < "p010" and name == "population.csv" and person in met)
            met.add(person)
            halves[is_later].append(line)
        for part, half in zip(parts, halves, strict=True):
            (part / name).write_text("\n".join(half) + "\n", encoding="utf-8")
    options = ["--conf", conf, "--output", output, "--year", "2022-2023", "--allow-drift"]
    for part, more in zip(parts, ([], ["--add"]), strict=True):
        said = console.run("run-year", "--input", part, *options, *more)
        assert said.code == 0, said.err
    why = "a full run is needed: an indicator is a median or a standardised rate"
    assert (why in said.err) == has_rates, said.err
    expected = cells(conf, EXAMPLE / "input", YEARS)
    found = figures_of(output, load(conf, EXAMPLE / "input").key)
    assert found.keys() == expected.keys()
    for key, (numerator, denominator, value) in expected.items():
        assert found[key] == (numerator, denominator, None if value is None else pytest.approx(value)), key
    explained = console.run("explain", "--output", output, "--indicator", "not_seen", "--year", "2022", "--geo", "XX")
    assert explained.code == 0, explained.err


def test_every_denominator_may_be_restricted(console: Console, tmp_path: Path) -> None:
    """Then no indicator counts everybody, and the counts of the run still do."""
    conf, source, output = tmp_path / "conf", EXAMPLE / "input", tmp_path / "output"
    shutil.copytree(EXAMPLE, conf, ignore=shutil.ignore_patterns("input"))
    for file in (conf / "indicators").glob("*.yaml"):
        declared = yaml.safe_load(file.read_text(encoding="utf-8"))
        if declared["population"] == "beneficiary_years":
            declared.setdefault("denominator", {"ages": {"from": 20, "to": 60}})
            file.write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    said = console.run("run-year", "--conf", conf, "--input", source, "--output", output, "--year", "2022-2023")
    assert said.code == 0, said.err
    expected = cells(conf, source, YEARS)
    found = figures_of(output, load(conf, source).key)
    assert {key: counts[:2] for key, counts in found.items()} == {key: counts[:2] for key, counts in expected.items()}
    members = {row["beneficiary_id"] for row in read(output, "silver/population") if row["start_date"].year <= 2022}
    counted = last_record(output)["counts"]["beneficiaries.2022"]["beneficiaries"]
    assert max(denominator for _, denominator, _ in found.values()) < counted <= len(members)
