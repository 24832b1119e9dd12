"""A year that was published, and of which nothing differs, stays as it was; else its pattern is chosen anew."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

import yaml
from claimatlas.cli import main
from claimatlas.configuration import load_configuration
from claimatlas.protection import ledger, report, run
from claimatlas.protection.ledger import ShownBefore
from claimatlas.protection.run import settings_hash
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.local_table import write_rows
from claimatlas.tables.schemas import LEDGER, PUBLISHED_AUDITS, WITHDRAWALS
from publication.country import TOWNS, YEAR, Atom, configuration, counts_of_release, gold_rows, leaks, write_gold
from shipped import POSTNATAL, PUBLISHED_CELLS

GOLD = [column.name for column in POSTNATAL.columns]
NEXT = YEAR + 1


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return configuration(tmp_path)


def rows_of(*years: tuple[int, dict[str, dict[Atom, int]]]) -> list[tuple[Any, ...]]:
    """Gold of several years."""
    found = []
    for year, tables in years:
        for row in gold_rows(tables):
            found.append(tuple({**dict(zip(GOLD, row, strict=True)), "year": year}[name] for name in GOLD))
    return found


def protect(output: Path, conf: Path, *more: str) -> int:
    return main(["protect", "--output", str(output), "--conf", str(conf), *more])


def publish(output: Path, conf: Path, release: int) -> None:
    """What a publication leaves in the ledger."""
    assert ledger.append(str(output), release, settings_hash(load_configuration(str(conf))), "the test") > 0


def shown(output: Path, release: int, year: int) -> list[tuple[Any, ...]]:
    """The published rows of a year without the release."""
    rows = DeltaReader(str(output)).rows(PUBLISHED_CELLS, where={"release": release, "year": year})
    return sorted(tuple(str(row[name]) for name in sorted(row) if name != "release") for row in rows)


@pytest.fixture
def output(tmp_path: Path, conf: Path) -> Path:
    """A published year."""
    output = write_gold(tmp_path / "output", rows_of((YEAR, counts_of_release(0))))
    assert protect(output, conf) == 0
    publish(output, conf, 1)
    return output


@pytest.fixture
def chosen_years(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The years of which a pattern is chosen anew."""
    found: list[str] = []
    choose = run.choose

    def noting(audit: Any, until: float, name: str) -> Any:
        found.append(name)
        return choose(audit, until, name)

    monkeypatch.setattr(run, "choose", noting)
    return found


def test_a_past_year_stays_as_it_was(
    output: Path, conf: Path, chosen_years: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also over several releases, of which the last is not the one that chose."""
    for release, years in ((2, [YEAR, NEXT]), (3, [YEAR, NEXT, NEXT + 1])):
        write_gold(output, rows_of(*((year, counts_of_release(year - YEAR)) for year in years)), release=release)
        capsys.readouterr()
        chosen_years.clear()
        assert protect(output, conf) == 0
        said = json.loads(capsys.readouterr().out)
        assert chosen_years == [str(years[-1])]
        assert said["as_published"] == {str(year): release - 1 for year in years[:-1]}
        assert said["newly_hidden"] == []
        publish(output, conf, release)
    assert shown(output, 1, YEAR) == shown(output, 2, YEAR) == shown(output, 3, YEAR)
    assert shown(output, 2, NEXT) == shown(output, 3, NEXT)
    assert leaks(output, conf) == []
    audits = DeltaReader(str(output)).rows(PUBLISHED_AUDITS, where={"year": YEAR})
    details = {json.dumps(json.loads(row["record"]), sort_keys=True) for row in audits}
    assert [row["release"] for row in sorted(audits, key=lambda row: row["release"])] == [1, 2, 3]
    assert len(details) == 1


def test_it_is_what_choosing_it_anew_would_give(output: Path, conf: Path, chosen_years: list[str]) -> None:
    write_gold(output, rows_of((YEAR, counts_of_release(0))), release=2)
    assert protect(output, conf) == 0
    frozen = shown(output, 2, YEAR)
    assert chosen_years == []
    for file in (output / "protection").glob("chosen_*"):
        file.unlink()
    assert protect(output, conf) == 0
    assert chosen_years == [str(YEAR)]
    assert shown(output, 2, YEAR) == frozen


def _one_count_more(output: Path, conf: Path) -> None:
    tables = counts_of_release(0)
    for table in tables.values():
        table["a1", "yes", "caesarean"] += 1
    write_gold(output, rows_of((YEAR, tables)), release=2)


def _other_settings(output: Path, conf: Path) -> None:
    rules = yaml.safe_load((conf / "publication.yaml").read_text(encoding="utf-8"))
    rules["reliability"]["numerator_below"] += 1
    (conf / "publication.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    write_gold(output, rows_of((YEAR, counts_of_release(0))), release=2)


def _no_record(output: Path, conf: Path) -> None:
    (output / "protection" / f"chosen_1_{YEAR}.json").unlink()
    write_gold(output, rows_of((YEAR, counts_of_release(0))), release=2)


def _broken_record(output: Path, conf: Path) -> None:
    (output / "protection" / f"chosen_1_{YEAR}.json").write_text('{"basis": "', encoding="utf-8")
    write_gold(output, rows_of((YEAR, counts_of_release(0))), release=2)


def _withdrawn(output: Path, conf: Path) -> None:
    """It may have been for its pattern."""
    write_rows(str(output), WITHDRAWALS, [(1, datetime.now(UTC), "A. Person", "told too much")], append=True)
    write_gold(output, rows_of((YEAR, counts_of_release(0))), release=2)


def _other_ledger(output: Path, conf: Path) -> None:
    """Readers were shown another pattern than the one that the record is of."""
    rows = DeltaReader(str(output)).rows(LEDGER)
    first = next(row for row in rows if row["confidentiality"] == "F")
    first |= {"numerator": None, "denominator": None, "confidentiality": "C"}
    names = LEDGER.column_names
    write_rows(str(output), LEDGER, [tuple(row[name] for name in names) for row in rows])
    write_gold(output, rows_of((YEAR, counts_of_release(0))), release=2)


def _a_later_release(output: Path, conf: Path) -> None:
    """Readers know what a later release showed too."""
    write_gold(output, rows_of((YEAR, counts_of_release(0))), release=2)
    rows = [{**row, "release": 3} for row in DeltaReader(str(output)).rows(LEDGER)]
    write_rows(str(output), LEDGER, [tuple(row[name] for name in LEDGER.column_names) for row in rows], append=True)


@pytest.mark.parametrize(
    "change",
    [_one_count_more, _other_settings, _no_record, _broken_record, _withdrawn, _other_ledger, _a_later_release],
    ids=lambda one: one.__name__,
)
def test_where_something_differs_it_is_chosen_anew(
    change: Callable[[Path, Path], None], output: Path, conf: Path, chosen_years: list[str]
) -> None:
    change(output, conf)
    assert protect(output, conf) == 0
    assert chosen_years == [str(YEAR)]


def test_what_readers_know_from_elsewhere_counts_too(
    output: Path, conf: Path, chosen_years: list[str], tmp_path: Path
) -> None:
    write_gold(output, rows_of((YEAR, counts_of_release(0))), release=2)
    town = next(iter(TOWNS))
    births = sum(count for atom, count in counts_of_release(0)["births"].items() if atom[0] == town)
    file = tmp_path / "known.csv"
    file.write_text(
        "population,year,geo_level,geo_code,age_category,increased_reimbursement,delivery_type,sex,low,high\n"
        f"deliveries,{YEAR},town,{town},all,all,all,all,{births - 9},{births + 9}\n",
        encoding="utf-8",
    )
    assert protect(output, conf, "--known", str(file)) == 0
    assert chosen_years == [str(YEAR)]


def test_what_one_release_showed_a_later_one_does_not_take_back(output: Path, conf: Path) -> None:
    """Each count is known as it was shown last, also where a later release shows another one of the cell alone."""
    names = LEDGER.column_names
    rows = DeltaReader(str(output)).rows(LEDGER)
    later = [{**row, "release": 2, "numerator": None, "confidentiality": "C"} for row in rows]
    write_rows(str(output), LEDGER, [tuple(row[name] for name in names) for row in later], append=True)
    dimensions = load_configuration(str(conf)).dimensions.names
    found = ledger.shown_before(str(output), 3, dimensions, [YEAR])
    free = [row for row in rows if row["confidentiality"] == "F"]
    assert free
    for row in free:
        one = found[row["indicator_id"], row["year"], row["geo_level"], row["geo_code"], row["split"]]
        assert one == (row["numerator"], row["denominator"], 1, 2, True)
        assert one.release == 2
    assert ledger.shown_before(str(output), 3, dimensions, [NEXT]) == {}


@pytest.mark.parametrize(
    ("before", "numerator", "denominator", "confidentiality", "hides", "shows"),
    [
        (ShownBefore(50, 1000, 1, 1, True), 50, 1000, "F", False, False),
        (ShownBefore(50, 1000, 1, 1, True), None, 1000, "C", True, False),
        (ShownBefore(50, 1000, 1, 1, True), 50, 1000, "C", True, False),
        (ShownBefore(None, 1000, 0, 1, False), None, 1000, "C", False, False),
        (ShownBefore(None, 1000, 0, 1, False), 50, 1000, "F", False, True),
        (ShownBefore(50, 1000, 1, 1, False), 50, 1000, "F", False, True),
        (None, None, 1000, "C", False, True),
        (None, None, None, "C", False, False),
    ],
)
def test_the_review_report_compares_counts_and_values(
    before: ShownBefore | None,
    numerator: int | None,
    denominator: int | None,
    confidentiality: str,
    hides: bool,
    shows: bool,
) -> None:
    row = {"numerator": numerator, "denominator": denominator, "confidentiality": confidentiality}
    assert report._hides(row, before or ShownBefore()) is hides
    assert report._shows_more(row, before) is shows
