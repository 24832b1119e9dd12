"""The commands protect and audit on a small foreign country, and each step of them by itself."""

import json
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip("highspy", reason="the extra publish is not installed")
deltalake = pytest.importorskip("deltalake")

from claimatlas.cli import main  # noqa: E402
from claimatlas.protection import ledger  # noqa: E402
from claimatlas.protection.audit import Audit  # noqa: E402
from claimatlas.protection.cleaning import Cleaning  # noqa: E402
from claimatlas.protection.frames import frame_of_places  # noqa: E402
from claimatlas.protection.modular import MERSENNE, PRIMES, multiply  # noqa: E402
from claimatlas.protection.nullspace import figures_of_changes, random_changes  # noqa: E402
from claimatlas.protection.proof import Proof  # noqa: E402
from claimatlas.tables.delta_reader import DeltaReader  # noqa: E402
from claimatlas.tables.local_table import write_rows  # noqa: E402
from claimatlas.tables.schema_version import require_schema_version  # noqa: E402
from claimatlas.tables.schemas import PUBLISHED_AUDITS  # noqa: E402
from publication.country import TOWNS, YEAR, atoms, configuration, gold_rows, leaks, write_gold  # noqa: E402
from shipped import POSTNATAL, PUBLISHED_CELLS  # noqa: E402

GOLD = [column.name for column in POSTNATAL.columns]


def drawn(seed: int, most: int = 30) -> dict[str, dict[tuple[str, str, str], int]]:
    dice = random.Random(seed)
    births = {atom: dice.randint(0, most if atom[0] else 2) for atom in atoms()}
    no_midwife = {atom: sum(dice.random() < 0.3 for _ in range(count)) for atom, count in births.items()}
    nobody = {atom: sum(dice.random() < 0.4 for _ in range(count)) for atom, count in no_midwife.items()}
    return {"births": births, "no_midwife": no_midwife, "nobody": nobody}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return configuration(tmp_path)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write_gold(tmp_path / "output", gold_rows(drawn(1)))


def protect(output: Path, conf: Path, *more: str) -> int:
    return main(["protect", "--output", str(output), "--conf", str(conf), *more])


def published(output: Path) -> list[dict]:
    return DeltaReader(str(output)).rows(PUBLISHED_CELLS)


def key(row: dict) -> tuple:
    names = ("indicator_id", "geo_level", "geo_code", "increased_reimbursement", "delivery_type")
    return tuple(row[name] for name in names)


def test_a_foreign_country(output: Path, conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert protect(output, conf) == 0
    report = json.loads(capsys.readouterr().out)
    rows = published(output)
    values = {(row["increased_reimbursement"], row["delivery_type"]) for row in rows}
    # One land and two parts by both dimensions, five towns by one at a time; of three indicators.
    assert len(rows) == len({key(row) for row in rows}) == 3 * (3 * 9 + 5 * 5)
    assert {name for name, _ in values} == {"yes", "other", "all"}
    assert any(row["confidentiality"] == "C" for row in rows)
    assert report["release"] == 1
    assert leaks(output, conf) == []
    assert (output / "protection").stat().st_mode & 0o777 == 0o700


def test_drawn_gold_is_made_as_a_run_makes_it(output: Path) -> None:
    """So that every command opens it: with its properties, constraints and comments."""
    reader = DeltaReader(str(output))
    require_schema_version(reader)
    assert reader.properties(POSTNATAL) == POSTNATAL.properties


def test_published_figures_that_cannot_be_read(output: Path, conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert protect(output, conf) == 0
    for file in (output / "published" / "cells").rglob("*.parquet"):
        file.write_bytes(b"nothing")
    assert main(["audit", str(output), "--conf", str(conf)]) == 2
    assert "published/cells" in capsys.readouterr().err


def test_shown_cells_are_as_in_gold(output: Path, conf: Path) -> None:
    assert protect(output, conf) == 0
    gold = DeltaReader(str(output)).rows(POSTNATAL, where={"increased_reimbursement": ["all", "yes"]})
    truth = {key(row): row for row in gold}
    shown = [row for row in published(output) if row["confidentiality"] == "F" and key(row) in truth]
    assert len(shown) > 30
    for row in shown:
        same = truth[key(row)]
        assert (row["numerator"], row["denominator"]) == (same["numerator"], same["denominator"])


def test_no_small_count_is_shown(output: Path, conf: Path) -> None:
    assert protect(output, conf) == 0
    for row in published(output):
        if row["denominator"] is not None:
            assert not 1 <= row["denominator"] < 3
        if row["numerator"] is not None:
            assert not 1 <= row["numerator"] < 3
            assert row["indicator_id"] == "births" or not 1 <= row["denominator"] - row["numerator"] < 3
        if row["confidentiality"] == "C":
            assert row["numerator"] is row["value"] is row["ci_low"] is row["ci_high"] is row["comparison"] is None


def test_ranges_hold_the_truth(output: Path, conf: Path) -> None:
    assert protect(output, conf) == 0
    truth = {}
    for name, table in drawn(1).items():
        for (town, bim, kind), count in table.items():
            for split in ((bim, kind), ("all", kind), (bim, "all"), ("all", "all")):
                own = ("other" if split[0] in ("no", "unknown") else split[0], split[1])
                for level, code in (("land", "x"), ("part", TOWNS.get(town)), ("town", town or None)):
                    truth[name, level, code, *own] = truth.get((name, level, code, *own), 0) + count
    hidden = [row for row in published(output) if row["value_low"] is not None]
    assert hidden
    for row in hidden:
        low, high = (row[name] * row["denominator"] / 100 for name in ("value_low", "value_high"))
        assert round(low) <= truth[key(row)] <= round(high)


def test_equal_bytes(output: Path, conf: Path, tmp_path: Path) -> None:
    """Rows in another order give the same cells."""
    rows = gold_rows(drawn(1))
    random.Random(3).shuffle(rows)
    other = write_gold(tmp_path / "other", rows)
    assert protect(output, conf) == protect(other, conf) == 0
    assert sorted(map(str, published(output))) == sorted(map(str, published(other)))


def test_a_failing_audit_writes_nothing(output: Path, conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Audit, "protect", lambda self, until: False)
    assert protect(output, conf) == 3
    assert not (output / "published").exists()
    assert not (output / "protection").exists()


def test_out_of_time(output: Path, conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from claimatlas.configuration import load_configuration
    from claimatlas.configuration.publication import load_publication
    from claimatlas.errors import QualityGateError
    from claimatlas.protection.candidate import PublishingRules
    from claimatlas.protection.run import YearOfRelease, protect_year

    loaded = load_configuration(str(conf))
    rules = PublishingRules(loaded, load_publication(loaded))
    with pytest.raises(QualityGateError, match="ran out of their time"):
        protect_year(YearOfRelease(str(output), 1, YEAR, rules, {}, until=0.0), lambda message: None)


def test_years_in_processes_of_their_own(
    conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same cells, audits, patterns and findings as by one process, and every year says how far it is."""
    at = GOLD.index("year")
    later = [(*row[:at], YEAR + 1, *row[at + 1 :]) for row in gold_rows(drawn(2))]
    rows = [*gold_rows(drawn(1)), *later]
    monkeypatch.setattr("claimatlas.protection.run._MANY_PLACES", 0)
    monkeypatch.setattr("claimatlas.auditing.run._MANY_CELLS", 0)
    made, found = [], []
    for processes in ("1", "2"):
        output = write_gold(tmp_path / processes, rows)
        assert protect(output, conf, "--processes", processes) == 0
        audits = DeltaReader(str(output)).rows(PUBLISHED_AUDITS)
        patterns = [file.read_text() for file in sorted((output / "protection").glob("pattern_*.csv"))]
        made.append([sorted(map(str, published(output))), sorted(map(str, audits)), patterns])
        capsys.readouterr()
        assert main(["audit", str(output), "--conf", str(conf), "--json", "--processes", processes]) == 0
        told = capsys.readouterr()
        found.append({name: value for name, value in json.loads(told.out).items() if name != "seconds"})
        assert all(f"release 1, {year}, deliveries" in told.err for year in (YEAR, YEAR + 1))
    assert made[0] == made[1]
    assert len(made[0][2]) == 2
    assert found[0] == found[1]


def _show_all(self: Cleaning, until: float) -> int:
    """A fault: shows again all that was hidden for others' sake."""
    for quantity, measure in self.audit.measures.items():
        measure.hidden[:] = self.own[quantity]
    return 0


@pytest.mark.parametrize("step", ["mark", "repair", "clean", "prove"])
def test_a_fault_in_a_step_is_caught(step: str, output: Path, conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the steps after it, or by the attacker."""
    if step == "mark":
        monkeypatch.setattr("claimatlas.protection.run.mark", lambda *arguments: None)
    elif step == "repair":
        monkeypatch.setattr("claimatlas.protection.repair.Repair.mend", lambda self, unit, split: False)
        monkeypatch.setattr(Audit, "_hide_quantities", lambda self: None)
        monkeypatch.setattr(Audit, "_hide_populations", lambda self: None)
    elif step == "clean":
        # Without the algebra, which would hide it again.
        monkeypatch.setattr(Cleaning, "clean", _show_all)
        monkeypatch.setattr("claimatlas.protection.choosing.prove", lambda audit, progress: Proof())
    else:
        # What a proof needs is taken for proved, so nothing is repaired.
        monkeypatch.setattr(Audit, "protect", lambda self, until: True)
        monkeypatch.setattr(Cleaning, "clean", lambda self, until: 0)
        monkeypatch.setattr("claimatlas.protection.choosing.prove", lambda audit, progress: Proof())
    code = protect(output, conf)
    assert code == (0 if step == "mark" else 3)
    if code == 0:
        assert main(["audit", str(output), "--conf", str(conf)]) == 3
    else:
        assert not (output / "published").exists()


@pytest.mark.parametrize("births", [{"a1": 1}, {"a1": 2, "b2": 3}, {"a1": 1, "a2": 2, "b1": 4, "b3": 1}])
def test_few_people(births: dict[str, int], tmp_path: Path, conf: Path) -> None:
    """Where few are counted more is hidden, everything if need be; it never fails."""
    tables = {name: dict.fromkeys(atoms(), 0) for name in ("births", "no_midwife", "nobody")}
    for town, number in births.items():
        tables["births"][town, "no", "vaginal"] = number
        tables["no_midwife"][town, "no", "vaginal"] = min(number, 2)
        tables["nobody"][town, "no", "vaginal"] = min(number, 1)
    output = write_gold(tmp_path / "few", gold_rows(tables))
    assert protect(output, conf) == 0
    assert len(published(output)) == 3 * (3 * 9 + 5 * 5)
    assert leaks(output, conf) == []


def test_a_population_that_is_withheld_stays_so(output: Path, conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is shown again for want of a secret that needs it hidden."""
    answers = iter([False, False, True])
    monkeypatch.setattr(Audit, "_protect_parts", lambda self, until: next(answers))
    assert protect(output, conf) == 0
    assert {row["confidentiality"] for row in published(output)} == {"C"}
    assert leaks(output, conf) == []


def test_counts_that_contradict_each_other_are_named(
    output: Path, conf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A numerator above its denominator lies in no world."""
    rows = gold_rows(drawn(1))
    wrong = [dict(zip(GOLD, row, strict=True)) for row in rows]
    for row in wrong:
        if row["numerator"] is not None and row["indicator_id"] != "births":
            row["numerator"] += row["denominator"]
    write_gold(output, [tuple(row[name] for name in GOLD) for row in wrong])
    assert protect(output, conf) == 2
    assert "above" in capsys.readouterr().err


def test_a_year_that_fails_in_a_process_of_its_own(
    conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what it says in one process, and nothing is written of the year that does not fail."""
    monkeypatch.setattr("claimatlas.protection.run._MANY_PLACES", 0)
    later = [dict(zip(GOLD, row, strict=True)) for row in gold_rows(drawn(2))]
    for row in later:
        row["year"] += 1
        if row["numerator"] is not None and row["indicator_id"] != "births":
            row["numerator"] += row["denominator"]
    rows = [*gold_rows(drawn(1)), *(tuple(row[name] for name in GOLD) for row in later)]
    output = write_gold(tmp_path / "two", rows)
    assert protect(output, conf, "--processes", "2") == 2
    assert "above" in capsys.readouterr().err
    assert not (output / "published").exists()


def test_a_hidden_cell_that_is_shown_again(output: Path, conf: Path) -> None:
    """The attacker reports what follows from it, and nothing before."""
    assert protect(output, conf) == 0
    assert leaks(output, conf) == []
    names = [column.name for column in PUBLISHED_CELLS.columns]
    rows = published(output)
    truth = {key(dict(zip(GOLD, row, strict=True))): row for row in gold_rows(drawn(1))}
    hidden = [row for row in rows if row["confidentiality"] == "C" and key(row) in truth]
    broken = 0
    for row in hidden:
        gold = dict(zip(GOLD, truth[key(row)], strict=True))
        changed = {"numerator": gold["numerator"], "denominator": gold["denominator"], "confidentiality": "F"}
        mutated = [tuple({**one, **changed}[name] if one is row else one[name] for name in names) for one in rows]
        write_rows(str(output), PUBLISHED_CELLS, mutated)
        broken += bool(leaks(output, conf))
    assert broken >= len(hidden) / 2


def test_a_second_release(output: Path, conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was shown stays known; the same release with other settings is refused."""
    assert protect(output, conf) == 0
    first = ledger.append(str(output), 1, settings_hash(conf), "the test")
    assert first == len(published(output))
    assert ledger.append(str(output), 1, settings_hash(conf), "the test") == 0
    before = {key(row): row for row in published(output)}
    revised = drawn(1)
    for table in revised.values():
        table["a1", "yes", "caesarean"] += 1
    write_gold(output, gold_rows(revised), release=2)
    capsys.readouterr()
    assert protect(output, conf) == 0
    report = json.loads(capsys.readouterr().out)
    rows = published(output)
    assert {row["release"] for row in rows} == {1, 2}
    assert {key(row): row for row in rows if row["release"] == 1} == before
    assert all(cell["known_from_release"] == 1 for cell in report["newly_hidden"])
    rules = yaml.safe_load((conf / "publication.yaml").read_text(encoding="utf-8"))
    (conf / "publication.yaml").write_text(yaml.safe_dump({**rules, "k": 4}), encoding="utf-8")
    assert protect(output, conf, "--release", "1") == 2
    assert "--supersede" in capsys.readouterr().err


def test_a_ledger_with_a_missing_release(output: Path, conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert protect(output, conf) == 0
    ledger.append(str(output), 1, settings_hash(conf), "the test")
    names = [column.name for column in PUBLISHED_CELLS.columns]
    rows = [tuple({**row, "release": 2}[name] for name in names) for row in published(output)]
    write_rows(str(output), PUBLISHED_CELLS, rows)
    assert main(["audit", str(output), "--conf", str(conf)]) == 2
    assert "names release 1" in capsys.readouterr().err


def test_an_indicator_that_is_left_out(output: Path, conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No figure of it is published; once readers have seen one, it cannot be left out any more."""
    file = conf / "publication.yaml"
    shown = file.read_text(encoding="utf-8")
    rules = yaml.safe_load(shown)
    name = next(name for name in rules["sensitive_sides"] if name != "births")
    del rules["sensitive_sides"][name]
    rules |= {"not_published": [name], "differences": []}
    assert protect(output, conf) == 0
    assert name in {row["indicator_id"] for row in published(output)}
    file.write_text(yaml.safe_dump(rules), encoding="utf-8")
    assert protect(output, conf) == 0
    assert {row["indicator_id"] for row in published(output)} == set(rules["sensitive_sides"])
    assert leaks(output, conf) == []
    file.write_text(shown, encoding="utf-8")
    assert protect(output, conf) == 0
    ledger.append(str(output), 1, settings_hash(conf), "the test")
    file.write_text(yaml.safe_dump(rules), encoding="utf-8")
    capsys.readouterr()
    assert protect(output, conf, "--supersede", "fewer") == 2
    assert f"release 1 showed figures of {name}" in capsys.readouterr().err


def settings_hash(conf: Path) -> str:
    from claimatlas.configuration import load_configuration
    from claimatlas.protection.run import settings_hash

    return settings_hash(load_configuration(str(conf)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plan": {"land": "all", "moon": 1}}, "there is no level 'moon'"),
        ({"plan": {"land": "all", "hospital": 0}}, "there is no register of hospitals (hospitals.csv)"),
        ({"plan": {"land": "all", "sector": 0}}, "sector cannot be protected yet"),
        ({"plan": {"land": -1}}, "a number of dimensions"),
        ({"sensitive_sides": {"births": "none"}}, "has no rule"),
        ({"sensitive_sides": {"nothing": "none"}}, "declares no 'nothing'"),
        ({"published_as": {"weather": {}}}, "there is no dimension 'weather'"),
        ({"published_as": {"increased_reimbursement": {"maybe": "x"}}}, "there is no value 'maybe'"),
        ({"differences": [{"whole": "nobody", "part": "births", "of": "numerator"}]}, "does not lie within"),
        ({"method": "perturbed"}, "method"),
        ({"k": 1}, "k"),
    ],
)
def test_mistakes_are_named(changes: dict, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf = configuration(tmp_path, **changes)
    output = write_gold(tmp_path / "output", gold_rows(drawn(1)))
    assert protect(output, conf) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "publication.yaml" in error
    assert not (output / "published").exists()


def test_missing_years_and_releases(output: Path, conf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert protect(output, conf, "--years", "1999") == 2
    assert "--years 1999" in capsys.readouterr().err
    assert protect(output, conf, "--release", "7") == 2
    assert "--release 7" in capsys.readouterr().err
    assert main(["audit", str(output), "--conf", str(conf)]) == 2


def test_products_modulo_a_prime() -> None:
    dice = random.Random(1)
    for prime in PRIMES:
        one, other = ([0, 1, prime - 1, *(dice.randrange(prime) for _ in range(500))] for _ in range(2))
        found = multiply(np.array(one, dtype=np.uint64), np.array(other, dtype=np.uint64), prime)
        assert [int(value) for value in found] == [a * b % prime for a, b in zip(one, other, strict=True)]
    assert PRIMES[0] == MERSENNE


def test_what_is_determined_equals_exact_arithmetic() -> None:
    """A second attacker: elimination in rational numbers over the same figures."""
    dice = random.Random(2)
    places = [(name, {"land": "x", "part": part, "town": name}) for name, part in TOWNS.items()]
    frame = frame_of_places(("land", "part", "town"), places, ("a", "b"), (("1", "2"), ("1", "2", "3")))
    for _ in range(15):
        shown = np.array([[dice.random() < 0.6 for _ in frame.splits] for _ in frame.units])
        # Some finest counts can be nothing but 0, such as those of an age that is not counted.
        possible = np.array([[dice.random() < 0.9 for _ in frame.atoms] for _ in frame.leaves])
        expected = exactly_determined(frame, shown, possible)
        for prime in PRIMES:
            changes = random_changes(frame, shown, prime, possible, 1)
            found = figures_of_changes(frame, changes[0], prime) == 0
            assert (found == expected).all()


def exactly_determined(frame, shown, possible) -> np.ndarray:
    """Which figures lie in the span of those that are shown, and of the finest counts that can only be 0."""
    width = len(frame.atoms)

    def vector(unit: int, split: int) -> list[Fraction]:
        row = [Fraction(0)] * (len(frame.leaves) * width)
        for leaf in frame.units[unit].leaves:
            for atom in range(width):
                row[leaf * width + atom] = Fraction(int(frame.holds[split, atom]))
        return row

    pivots: dict[int, list[Fraction]] = {}

    def reduced(row: list[Fraction]) -> list[Fraction]:
        for position in range(len(row)):
            if row[position] and position in pivots:
                factor = row[position]
                row = [a - factor * b for a, b in zip(row, pivots[position], strict=True)]
        return row

    empty = [
        [Fraction(int(position == leaf * width + atom)) for position in range(len(frame.leaves) * width)]
        for leaf, atom in np.argwhere(~possible).tolist()
    ]
    for given in [*empty, *(vector(unit, split) for unit, split in np.argwhere(shown))]:
        row = reduced(given)
        first = next((position for position, value in enumerate(row) if value), None)
        if first is not None:
            pivots[first] = [value / row[first] for value in row]
    everything = [[not any(reduced(vector(u, s))) for s in range(len(frame.splits))] for u in range(len(frame.units))]
    return np.array(everything)


def test_drawn_counts_can_be_protected(tmp_path: Path, conf: Path) -> None:
    """``generate --counts`` writes gold that adds up, for any configuration."""
    output = tmp_path / "drawn"
    arguments = ("--output", str(output), "--beneficiaries", "200000")
    code = main(["generate", "--counts", *arguments, "--years", "2020", "--seed", "1", "--conf", str(conf)])
    assert code == 0
    assert protect(output, conf) == 0
    assert {row["year"] for row in published(output)} == {YEAR}
    assert leaks(output, conf) == []
