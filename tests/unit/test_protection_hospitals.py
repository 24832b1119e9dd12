"""Figures by hospital: on small tables every world is written down, and nothing sensitive is bounded too closely."""

import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

import numpy as np
from claimatlas.auditing.attack import Finding, attack
from claimatlas.auditing.figures import figures_of
from claimatlas.auditing.lattice import lattice_of
from claimatlas.auditing.run import rules_of
from claimatlas.cli import main
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.publication import Publication, load_publication
from claimatlas.errors import QualityGateError
from claimatlas.protection import links, run
from claimatlas.protection.audit import Audit
from claimatlas.protection.candidate import PublishingRules, rows_of_year
from claimatlas.protection.choosing import choose
from claimatlas.protection.gold import cells_of, release_of
from claimatlas.protection.plan import PlannedCell
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.run import prepare, settings_hash
from claimatlas.protection.tables import YearTables, indicator_years
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.schemas import ALL, PUBLISHED_AUDITS
from comparison import CONF
from integration.own_configuration import change
from publication.country import YEAR, K, leaks, write_gold
from publication.hospitals import HOSPITALS, Delivery, conf_of, deliveries, gold_of, secrets, write_register
from shipped import POSTNATAL, PUBLISHED_CELLS

ROOMS = (2, 4)
Place = tuple[str, str, str, str]
"""Indicator, level, place, type."""


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> tuple[Configuration, Publication]:
    loaded = load_configuration(str(conf_of(tmp_path_factory.mktemp("small"))))
    return loaded, load_publication(loaded)


def prepared(country: tuple[Configuration, Publication], drawn: Sequence[Delivery]) -> tuple[list, Audit]:
    names = [column.name for column in POSTNATAL.columns]
    rows = [dict(zip(names, row, strict=True)) for row in gold_of(drawn)]
    return prepare(indicator_years(rows, country[0]), PublishingRules(*country), YEAR)


def protected(country: tuple[Configuration, Publication], drawn: Sequence[Delivery]) -> list[dict] | None:
    """The published rows of drawn deliveries; nothing when the audit fails."""
    cells, audit = prepared(country, drawn)
    try:
        choose(audit, time.monotonic() + 60, "drawn")
    except QualityGateError:
        return None
    return rows_of_year(cells, audit.measures, PublishingRules(*country), YEAR, 1)


def attacked(country: tuple[Configuration, Publication], rows: list[dict]) -> list[Finding]:
    conf, publication = country
    found = figures_of(rows, conf, publication, YEAR)
    lattice = lattice_of(found, conf, publication, "deliveries", YEAR)
    return attack(found, lattice, rules_of(conf, publication, "deliveries")).findings


def open_secrets(rows: list[dict], drawn: Sequence[Delivery]) -> list[tuple[str, int, int, int]]:
    found: list[tuple[str, int, int, int]] = []
    for room in ROOMS:
        # Far worlds are many, and are needed only where near ones do not settle it.
        found = [one for one in secrets(rows, drawn, K, room) if one[3] - one[2] < K - 1]
        if not found:
            break
    return found


@pytest.mark.parametrize("seed", [*range(25), *(pytest.param(one, marks=pytest.mark.long) for one in range(25, 200))])
def test_nothing_sensitive_is_open(country: tuple[Configuration, Publication], seed: int) -> None:
    drawn = deliveries(seed)
    rows = protected(country, drawn)
    assert rows is not None
    assert [one for one in attacked(country, rows) if one.is_proof] == []
    assert open_secrets(rows, drawn) == []


@pytest.mark.parametrize("seed", range(8))
def test_totals_of_hospitals_alone(totals: tuple[Configuration, Publication], seed: int) -> None:
    """The plan has no hospital by type: what it does not show is proved by nobody to be small."""
    drawn = deliveries(seed, 20)
    rows = protected(totals, drawn)
    assert rows is not None
    assert {row["delivery_type"] for row in rows if row["geo_level"] == "hospital"} == {ALL}
    assert [one for one in attacked(totals, rows) if one.is_proof] == []
    for name, _, low, high in open_secrets(rows, drawn):
        assert name.endswith(("caesarean", "vaginal"))
        assert "leaf 'h" in name
        assert not (low >= 1 and high < K)


@pytest.fixture(scope="module")
def totals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Configuration, Publication]:
    plan = {"land": "all", "part": "all", "town": 1, "hospital": 0}
    loaded = load_configuration(str(conf_of(tmp_path_factory.mktemp("totals"), plan=plan)))
    return loaded, load_publication(loaded)


def test_some_hospitals_are_shown(country: tuple[Configuration, Publication]) -> None:
    """What is proved is not that nothing is shown."""
    rows = protected(country, deliveries(6))
    assert rows is not None
    assert sum(row["value"] is not None and row["geo_level"] == "hospital" for row in rows) >= 5


def test_a_hidden_figure_shown_again_is_found(country: tuple[Configuration, Publication]) -> None:
    """Each hidden count of a hospital is shown, one at a time: what all worlds tell then, the attacker finds."""
    judged = opened = 0
    for seed in (3, 4, 5, 12, 14, 33, 37, 38, 39, 40, 41, 42):
        drawn = deliveries(seed)
        rows = protected(country, drawn)
        assert rows is not None
        cells, audit = prepared(country, drawn)
        truths = {place_of(cell): (cell.numerator, cell.denominator) for cell in cells}
        for row in rows:
            if row["geo_level"] != "hospital" or row["denominator"] is not None:
                continue
            quantity, unit, split = truths[place_of_row(row)][1]
            mutated = [dict(one) for one in rows]
            for one in mutated:
                # A denominator stands in both indicators.
                if place_of_row(one)[1:] == place_of_row(row)[1:]:
                    one["denominator"] = int(audit.measures[quantity].cells[unit, split])
            is_open = bool(open_secrets(mutated, drawn))
            judged += 1
            opened += is_open
            assert attacked(country, mutated) or not is_open, (seed, place_of_row(row))
    assert judged >= 10
    assert opened >= 3


def place_of(cell: PlannedCell) -> Place:
    return cell.indicator, cell.level, cell.code, cell.split.get("delivery_type", ALL)


def place_of_row(row: Mapping[str, Any]) -> Place:
    return row["indicator_id"], row["geo_level"], row["geo_code"], row["delivery_type"]


def of_hospitals(**numbers: tuple[int, int, int, int]) -> list[Delivery]:
    """Deliveries of each hospital: caesareans and those seen by nobody, others and those seen by nobody; home: births
    at home; none: those without a hospital's id.
    """
    found = []
    for name, counts in numbers.items():
        hospital = "" if name in ("home", "none") else name
        other = "home" if name == "home" else "vaginal_hospital"
        for kind, number, few in (("caesarean", *counts[:2]), (other, *counts[2:])):
            found += [Delivery("a", hospital, kind, position < few) for position in range(number)]
    return found


def all_shown(country: tuple[Configuration, Publication], drawn: Sequence[Delivery]) -> list[dict]:
    cells, audit = prepared(country, drawn)
    for measure in audit.measures.values():
        measure.hidden[:] = False
    return rows_of_year(cells, audit.measures, PublishingRules(*country), YEAR, 1)


def hide(rows: Sequence[dict], numerators: Sequence[Place] = (), denominators: Sequence[Place] = ()) -> list[dict]:
    """The rows with some counts hidden; with a denominator goes the numerator."""
    found = []
    for row in rows:
        place = place_of_row(row)
        of_whole = any(place[1:] == one[1:] and place[0].endswith("hospital") for one in denominators)
        part = None if of_whole or place in numerators else row["numerator"]
        whole = None if of_whole else row["denominator"]
        is_hidden = part is None or whole is None
        state = {"confidentiality": "C" if is_hidden else "F", "value": None if is_hidden else row["value"]}
        found.append({**row, "numerator": part, "denominator": whole, **state})
    return found


def test_those_without_a_hospital_are_a_secret(country: tuple[Configuration, Publication]) -> None:
    """The country less its hospitals is a number that no table shows: where it is small, a hospital is hidden too."""
    drawn = of_hospitals(h1=(20, 8, 30, 9), h2=(20, 7, 30, 8), none=(0, 0, 2, 1))
    found = attacked(country, all_shown(country, drawn))
    assert any(one.kind == "small" and one.key[1:3] == ("", "hospital") for one in found)
    rows = protected(country, drawn)
    assert rows is not None
    shown = Counter(row["geo_level"] for row in rows if row["denominator"] is not None and row["delivery_type"] == ALL)
    assert shown["land"] == 5
    assert shown["hospital"] < 4
    assert attacked(country, rows) == []
    assert open_secrets(rows, drawn) == []


def test_caesareans_under_another_name_tell(country: tuple[Configuration, Publication]) -> None:
    """Caesareans of a hospital are a numerator of one indicator and a denominator of the other."""
    drawn = of_hospitals(h1=(2, 0, 30, 9), h2=(20, 7, 30, 8))
    few = ("nobody_by_hospital", "hospital", "h1", "caesarean")
    rest = ("nobody_by_hospital", "hospital", "h1", "vaginal")
    rows = [
        row if row["indicator_id"] == "caesareans_by_hospital" else other
        for row, other in zip(
            all_shown(country, drawn), hide(all_shown(country, drawn), denominators=(few, rest)), strict=True
        )
    ]
    found = attacked(country, rows)
    assert {one.key[2] for one in found if one.kind in ("small", "shown")} >= {"h1"}
    rows = protected(country, drawn)
    assert rows is not None
    hidden = {place_of_row(row) for row in rows if row["numerator"] is None}
    assert {("caesareans_by_hospital", "hospital", "h1", ALL), few} <= hidden


def test_caesareans_of_the_country_by_domicile_tell(country: tuple[Configuration, Publication]) -> None:
    """By hospital they are hidden in the country and in one hospital; births by domicile give the country's."""
    drawn = of_hospitals(h1=(2, 0, 30, 9), h2=(20, 7, 30, 8))
    names = ("caesareans_by_hospital", "nobody_by_hospital")
    places = [("land", "x"), ("hospital", "h1")]
    caesareans = [("caesareans_by_hospital", *place, ALL) for place in places]
    by_type = [("nobody_by_hospital", *place, value) for place in places for value in ("caesarean", "vaginal")]
    rows = hide(all_shown(country, drawn), caesareans, by_type)
    found = attacked(country, rows)
    assert any(one.kind == "small" and one.key[1:3] == ("hospital", "h1") and one.low == 2 for one in found)
    # Without the births by type nobody knows the country's.
    births = [row for row in rows if row["indicator_id"] in names]
    assert not [one for one in attacked(country, births) if one.key[1] == "hospital" and one.is_proof]


def test_births_at_home_bound_the_country(country: tuple[Configuration, Publication]) -> None:
    """Nobody gave birth at home, so those seen by nobody are as many by hospital as by domicile."""
    drawn = of_hospitals(h1=(20, 8, 30, 2), h2=(20, 7, 30, 8))
    gone = [
        ("nobody_by_hospital", level, code, value)
        for level, code in (("land", "x"), ("hospital", "h1"))
        for value in ("vaginal", ALL)
    ]
    found = attacked(country, hide(all_shown(country, drawn), gone))
    assert any(one.kind == "small" and one.key[1:3] == ("hospital", "h1") and one.low == 2 for one in found)
    rows = protected(country, drawn)
    assert rows is not None
    assert open_secrets(rows, drawn) == []


def test_births_at_home_count_in_a_plan_without_hospitals(tmp_path: Path) -> None:
    """One birth at home, seen by nobody: of hospital deliveries those seen by nobody are one fewer, or as many."""
    plan = {"land": "all", "part": "all", "town": 1}
    loaded = load_configuration(str(conf_of(tmp_path, plan=plan, differences=[])))
    country = loaded, load_publication(loaded)
    drawn = of_hospitals(h1=(20, 8, 30, 2), home=(0, 0, 1, 1))
    rows = protected(country, drawn)
    assert rows is not None
    assert [one for one in attacked(country, rows) if one.kind != "determined"] == []
    # A reader of the figures that are sensitive by themselves alone would know that it is 2 or 3.
    gone = [("nobody_by_hospital", "land", "x", value) for value in ("vaginal", ALL)]
    found = attacked(country, hide(all_shown(country, drawn), gone))
    assert [(one.kind, one.low, one.high) for one in found if one.key[3][2] == "vaginal"] == [("narrow", 2, 3)]


def proved(audit: Audit, cells: Sequence[PlannedCell], target: Place, hidden: Sequence[Place]) -> bool:
    """Whether worlds prove the numerator of a cell when the same of these cells is hidden, and no more.

    Of cells of another indicator it is the denominator that is hidden.
    """
    of = {place_of(cell): cell for cell in cells}
    figure, figure_of = of[target].numerator, target[0]
    for measure in audit.measures.values():
        measure.hidden[:] = False
    for place in hidden:
        # Hospital deliveries are the denominator, those that an indicator counts the numerator.
        quantity, unit, split = of[place].numerator if place[0] == figure_of else of[place].denominator
        audit.measures[quantity].hidden[unit, split] = True
    for goal in (goal for goal in audit.all_goals() if goal.quantity == figure[0] and goal.is_secret):
        for mover in goal.movers:
            audit._search(mover, goal.aim)
    bounds = audit.bounds[figure[0]]
    return bool(bounds.width[figure[1:]] >= K - 1)


@pytest.mark.parametrize("fault", ["twins", "squares"])
def test_a_link_that_is_forgotten_proves_what_is_open(
    country: tuple[Configuration, Publication], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of the links to the tables by domicile: without them a world is taken that is none."""
    places = [(level, code) for level, code in (("land", "x"), ("hospital", "h1"))]
    if fault == "twins":
        # The caesareans of the country are shown by domicile, so those of one hospital follow.
        drawn = of_hospitals(h1=(2, 0, 30, 9), h2=(20, 7, 30, 8), home=(0, 0, 9, 4))
        hidden = [("caesareans_by_hospital", *place, ALL) for place in places]
        hidden += [("nobody_by_hospital", *place, "vaginal") for place in places]
        target = ("caesareans_by_hospital", "hospital", "h1", ALL)
    else:
        # Nobody gave birth at home, so the country's are those by domicile.
        drawn = of_hospitals(h1=(20, 8, 30, 2), h2=(20, 7, 30, 8))
        hidden = [("nobody_by_hospital", *place, value) for place in places for value in ("vaginal", ALL)]
        target = ("nobody_by_hospital", "hospital", "h1", "vaginal")
    cells, audit = prepared(country, drawn)
    assert not proved(audit, cells, target, hidden)
    monkeypatch.setattr(links, f"_{fault}", lambda *_: {} if fault == "twins" else ())
    cells, audit = prepared(country, drawn)
    assert proved(audit, cells, target, hidden)


def test_a_remainder_that_is_forgotten_is_open(
    country: tuple[Configuration, Publication], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If those without a hospital were nobody's secret, what is shown would tell their number: it is named."""
    real = run.mark

    def forgetful(tables: YearTables, *others: object) -> None:
        real(tables, *others)
        for measure in tables.measures.values():
            measure.small[measure.frame.unplaced] = False

    monkeypatch.setattr(run, "mark", forgetful)
    drawn = of_hospitals(h1=(20, 8, 30, 9), h2=(20, 7, 30, 8), none=(0, 0, 2, 1))
    rows = protected(country, drawn)
    assert rows is not None
    assert any(one.key[1:3] == ("", "hospital") and one.is_proof for one in attacked(country, rows))
    assert open_secrets(rows, drawn)


def test_a_hospital_without_deliveries_is_listed(country: tuple[Configuration, Publication]) -> None:
    """An absent row would tell that nobody gave birth there, so the register says which hospitals there are."""
    rows = all_shown(country, of_hospitals(h1=(20, 8, 30, 9)))
    zero = [row for row in rows if row["geo_code"] == "h2"]
    assert {(row["indicator_id"], row["delivery_type"]) for row in zero} == {
        ("caesareans_by_hospital", ALL),
        *(("nobody_by_hospital", value) for value in ("caesarean", "vaginal", ALL)),
    }
    assert {row["denominator"] for row in zero} == {0}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write_gold(tmp_path / "output", gold_of(deliveries(6)))


def test_protect_and_audit_pass(tmp_path: Path, output: Path) -> None:
    conf = conf_of(tmp_path)
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    assert leaks(output, conf) == []
    assert main(["audit", str(output), "--conf", str(conf), "--strict"]) == 0
    rows = DeltaReader(str(output)).rows(PUBLISHED_CELLS)
    assert {row["geo_code"] for row in rows if row["geo_level"] == "hospital"} == set(HOSPITALS)
    audits = DeltaReader(str(output)).rows(PUBLISHED_AUDITS)
    assert "hospital" in audits[0]["record"]


def test_a_hospital_that_the_register_has_not_counts_as_none(
    tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its id is published nowhere, and the report of the house names it."""
    conf = conf_of(tmp_path, ["h1"])
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    assert "1 hospitals of 2020 are not in hospitals.csv for that year" in capsys.readouterr().err
    rows = DeltaReader(str(output)).rows(PUBLISHED_CELLS)
    assert {row["geo_code"] for row in rows if row["geo_level"] == "hospital"} == {"h1"}


def test_without_hospitals_of_the_year_nothing_is_written(
    tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = conf_of(tmp_path)
    register = conf / "hospitals.csv"
    register.write_text(register.read_text(encoding="utf-8").replace(",2006,", ",2021,"), encoding="utf-8")
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 2
    assert "hospitals.csv: there is no hospital of 2020" in capsys.readouterr().err
    assert not (output / "published").exists()


def test_a_provisional_year_has_the_hospitals_of_its_own_plan(tmp_path: Path) -> None:
    """Its plan names none here, though that of final years does."""
    conf = conf_of(tmp_path)
    rows = [tuple("provisional" if value == "final" else value for value in row) for row in gold_of(deliveries(6))]
    output = write_gold(tmp_path / "output", rows)
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    assert {row["geo_level"] for row in DeltaReader(str(output)).rows(PUBLISHED_CELLS)} == {"land"}
    assert leaks(output, conf) == []


def test_a_plan_without_hospitals_has_none(tmp_path: Path, output: Path) -> None:
    """A register alone publishes nothing."""
    conf = conf_of(tmp_path, plan={"land": "all", "part": "all", "town": 1})
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    assert "hospital" not in {row["geo_level"] for row in DeltaReader(str(output)).rows(PUBLISHED_CELLS)}


def test_the_register_is_a_setting_where_hospitals_are_published(tmp_path: Path) -> None:
    conf = conf_of(tmp_path)
    first = settings_hash(load_configuration(str(conf)))
    write_register(conf, ["h1"])
    assert settings_hash(load_configuration(str(conf))) != first
    plan = {"land": "all", "part": "all", "town": 1}
    other = conf_of(tmp_path / "other", plan=plan)
    without = settings_hash(load_configuration(str(other)))
    (other / "hospitals.csv").unlink()
    assert settings_hash(load_configuration(str(other))) == without


def test_an_indicator_of_hospitals_and_smaller_places_is_refused(
    tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = conf_of(tmp_path)
    file = conf / "indicators" / "nobody_by_hospital.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("- hospital\n", "- hospital\n- town\n"), encoding="utf-8")
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 2
    assert "nobody_by_hospital counts hospitals and places smaller than the country" in capsys.readouterr().err


def test_drawn_hospitals_add_up_to_the_country(tmp_path: Path) -> None:
    """Belgium with a register: each hospital has its share of the country's counts, and a few have none."""
    conf = Path(shutil.copytree(CONF, tmp_path / "conf"))
    write_register(conf, [f"h{number}" for number in range(20)])
    change(conf / "publication.yaml", plan={"hospital": "all"})
    output = str(tmp_path / "drawn")
    arguments = ["--output", output, "--beneficiaries", "50000", "--years", "2023", "--seed", "1"]
    assert main(["generate", "--counts", *arguments, "--conf", str(conf)]) == 0
    loaded = load_configuration(str(conf))
    years = indicator_years(cells_of(release_of(output, None), 2023, loaded), loaded)
    years = {name: one for name, one in years.items() if one.indicator.population == "deliveries"}
    cells, audit = prepare(years, PublishingRules(loaded, load_publication(loaded)), 2023)
    assert not audit.notes
    assert sum(cell.level == "hospital" for cell in cells) == 20 + 3 * 20
    for measure in (one for one in audit.measures.values() if one.quantity.by):
        frame, every = measure.frame, measure.frame.split_position[(ALL,) * len(measure.frame.dimensions)]
        levels = np.array([unit.level for unit in frame.units])
        of_level = {name: measure.cells[levels == name, every].sum() for name in ("", "country", "hospital")}
        assert of_level["country"] == of_level["hospital"] + of_level[""] >= of_level["hospital"] > 0


def test_what_lies_within_what_by_hospital() -> None:
    """By hospital and by domicile one count is the same in the country, so neither lies within the other."""
    every = Quantity("deliveries", "all")
    in_hospital = Quantity("deliveries", "all", (), ("caesarean", "vaginal_hospital"), by="hospital")
    assert not Quantity("deliveries", "all", by="hospital").lies_within(every)
    assert not every.lies_within(Quantity("deliveries", "all", by="hospital"))
    assert in_hospital.lies_within(every)
