"""Counts of some delivery types only, beside one that is split by them: one count under two names is one unknown."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

from claimatlas.auditing.attack import attack
from claimatlas.auditing.figures import figures_of
from claimatlas.auditing.lattice import lattice_of
from claimatlas.auditing.run import rules_of
from claimatlas.cli import main
from claimatlas.configuration import load_configuration
from claimatlas.configuration.publication import load_publication
from claimatlas.protection.candidate import PublishingRules, rows_of_year
from claimatlas.protection.gold import cells_of, release_of
from claimatlas.protection.links import links_of
from claimatlas.protection.run import prepare
from claimatlas.protection.tables import TableBuilder, indicator_years
from claimatlas.tables.delta_reader import DeltaReader
from integration.own_configuration import write_indicator
from publication.country import TOWNS, YEAR, K, atoms, configuration, gold_rows, leaks, write_gold
from shipped import PUBLISHED_CELLS

BOTH = ("increased_reimbursement", "delivery_type")
COLUMNS = {name: BOTH.index(name) + 4 for name in BOTH}


def conf_with_caesareans(
    folder: Path, all_by: Sequence[str] = BOTH, caesareans_by: Sequence[str] = BOTH[:1], **publication: object
) -> Path:
    """The small country with an indicator of caesareans alone: its denominator stands in the table of all births."""
    sides = dict.fromkeys(("births", "nobody", "no_midwife", "caesareans_without"), "none")
    conf = configuration(folder, TOWNS, all_by, **{"sensitive_sides": sides, **publication})
    write_indicator(
        conf,
        "caesareans_without",
        population="deliveries",
        levels=["land", "part", "town"],
        numerator={"without_any": ["contact_midwife"]},
        denominator={"delivery_types": ["caesarean"]},
        unit="percent",
        dimensions=list(caesareans_by),
    )
    return conf


def tables(seed: int, most: int) -> dict[str, dict[tuple[str, str, str], int]]:
    dice = random.Random(seed)
    births = {atom: dice.randint(0, most) if atom[0] else 0 for atom in atoms()}
    no_midwife = {atom: sum(dice.random() < 0.4 for _ in range(count)) for atom, count in births.items()}
    nobody = {atom: sum(dice.random() < 0.5 for _ in range(count)) for atom, count in no_midwife.items()}
    return {"births": births, "no_midwife": no_midwife, "nobody": nobody}


def output_of(folder: Path, drawn: dict, all_by: Sequence[str] = BOTH, caesareans_by: Sequence[str] = BOTH[:1]) -> Path:
    """Gold of all indicators."""
    only = {
        name: {atom: count if atom[2] == "caesarean" else 0 for atom, count in table.items()}
        for name, table in drawn.items()
    }
    rows = [row for row in gold_rows(drawn) if _is_by(row, all_by)]
    caesareans = gold_rows({"births": only["births"], "caesareans_without": only["no_midwife"]})
    rows += [row for row in caesareans if row[0] == "caesareans_without" and _is_by(row, caesareans_by)]
    return write_gold(folder, rows)


def _is_by(row: tuple, dimensions: Sequence[str]) -> bool:
    return all(row[column] == "all" for name, column in COLUMNS.items() if name not in dimensions)


def tables_of(conf: Path, output: Path):
    loaded = load_configuration(str(conf))
    years = indicator_years(cells_of(release_of(str(output), None), YEAR, loaded), loaded)
    return TableBuilder(loaded, load_publication(loaded), YEAR).tables(years)


@pytest.mark.parametrize("seed", range(4))
def test_a_count_of_some_types_stands_in_the_table_of_all(seed: int, tmp_path: Path) -> None:
    """So the two move together, every figure of both is protected, and some of both are shown."""
    conf = conf_with_caesareans(tmp_path)
    output = output_of(tmp_path / "output", tables(seed, 12))
    found = tables_of(conf, output)
    assert sorted((one.kind, one.types) for one in found.slices) == [
        ("all", ("caesarean",)),
        ("without_any", ("caesarean",)),
    ]
    assert not links_of(found.measures, found.types).twins
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    assert leaks(output, conf) == []
    shown = {row["indicator_id"] for row in DeltaReader(str(output)).rows(PUBLISHED_CELLS) if row["value"] is not None}
    assert {"births", "caesareans_without"} <= shown


@pytest.mark.parametrize("seed", range(3))
def test_a_count_that_another_table_cannot_hold_is_tied_to_it(seed: int, tmp_path: Path) -> None:
    """All births are not split by reimbursement here: what both count is one figure, published or not."""
    all_by, caesareans_by = BOTH[1:], BOTH[:1]
    conf = conf_with_caesareans(tmp_path, all_by, caesareans_by, plan={"land": "all", "part": "all", "town": 0})
    output = output_of(tmp_path / "output", tables(seed, 12), all_by, caesareans_by)
    found = tables_of(conf, output)
    assert not found.slices
    unplanned = [
        figure
        for figure in links_of(found.measures, found.types).twins
        if found.measures[figure[0]].frame.units[figure[1]].level
    ]
    assert {found.measures[q].frame.units[unit].level for q, unit, _ in unplanned} == {"land", "part", "town"}
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    assert leaks(output, conf) == []


def test_a_name_that_tells_a_hidden_count_is_found(tmp_path: Path) -> None:
    """Caesareans of a town under one name, and all its births: together they tell what the other name hides."""
    all_by, caesareans_by = BOTH[1:], BOTH[:1]
    conf = conf_with_caesareans(tmp_path, all_by, caesareans_by, plan={"land": "all", "part": "all", "town": 0})
    drawn = tables(1, 12)
    for town in TOWNS:
        for number, bim in enumerate(("yes", "no", "unknown")):
            # Three of each type that are shown by one name and, less those of the other type, by the other.
            drawn["births"][town, bim, "vaginal"] = int(number == 0 and town == "a1")
            drawn["births"][town, bim, "caesarean"] = 10
    drawn = {name: drawn["births"] if name == "births" else dict.fromkeys(drawn["births"], 0) for name in drawn}
    output = output_of(tmp_path / "output", drawn, all_by, caesareans_by)
    loaded = load_configuration(str(conf))
    publication = load_publication(loaded)
    years = indicator_years(cells_of(release_of(str(output), None), YEAR, loaded), loaded)
    rules = PublishingRules(loaded, publication)
    cells, audited = prepare(years, rules, YEAR)
    for measure in audited.measures.values():
        measure.hidden[:] = False
    rows = rows_of_year(cells, audited.measures, rules, YEAR, 1)
    for row in rows:
        # The town's births by type are hidden, the total of all and the caesareans of the other name are shown.
        if (row["geo_code"], row["indicator_id"]) != ("a1", "caesareans_without") and row["delivery_type"] != "all":
            row.update(numerator=None, denominator=None, value=None, confidentiality="C")
    found = figures_of(rows, loaded, publication, YEAR)
    lattice = lattice_of(found, loaded, publication, "deliveries", YEAR)
    named = attack(found, lattice, rules_of(loaded, publication, "deliveries")).findings
    assert any("a1" in one.key and "vaginal" in one.key[3] for one in named)


def test_gold_that_counts_the_same_twice_differently_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = conf_with_caesareans(tmp_path)
    drawn = tables(1, 12)
    output = output_of(tmp_path / "output", drawn)
    other = {name: dict(table) for name, table in drawn.items()}
    other["births"]["a1", "no", "caesarean"] += K
    rows = [row for row in gold_rows(drawn) if _is_by(row, BOTH)]
    only = {atom: count if atom[2] == "caesarean" else 0 for atom, count in other["births"].items()}
    rows += [
        row
        for row in gold_rows({"births": only, "caesareans_without": dict.fromkeys(only, 0)})
        if row[0] == "caesareans_without" and _is_by(row, BOTH[:1])
    ]
    write_gold(output, rows, release=2)
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 2
    message = capsys.readouterr().err
    assert "gold does not add up: caesareans_without has another count of" in message


def test_a_small_table_under_two_names_is_hidden_before_all_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hardly any caesarean: what is tied to a table of the land alone cannot move, so that table shows nothing."""
    conf = conf_with_caesareans(tmp_path, BOTH, BOTH[1:])
    file = conf / "indicators" / "caesareans_without.yaml"
    # Births at home are vaginal ones to the tables, so what counts those in hospital stands in no other table.
    declared = file.read_text(encoding="utf-8").replace("- caesarean\n", "- caesarean\n  - vaginal_hospital\n")
    file.write_text(declared.replace("levels:\n- land\n- part\n- town\n", "levels:\n- land\n"), encoding="utf-8")
    drawn = tables(3, 12)
    for name, table in drawn.items():
        for atom in table:
            if atom[2] == "caesarean":
                table[atom] = 2 * (atom == ("a1", "yes", "caesarean") and name != "nobody")
    rows = gold_rows(drawn)
    for kind in ("caesarean", "vaginal", "all"):
        key = ("no_midwife", "land", "all", "all", kind, "all")
        row = next(row for row in rows if (row[0], row[-1], *row[3:7]) == key)
        at_home = 4 * (kind != "caesarean")
        part, whole = row[7] - at_home, row[8] - 2 * at_home
        rows.append(("caesareans_without", *row[1:7], part, whole, 100 * part / whole, *row[10:]))
    output = write_gold(tmp_path / "output", rows)
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    assert leaks(output, conf) == []
    assert "2 counts that also stand in another table are hidden wholly" in capsys.readouterr().err
    shown = {row["indicator_id"] for row in DeltaReader(str(output)).rows(PUBLISHED_CELLS) if row["value"] is not None}
    assert shown == {"births", "nobody", "no_midwife"}


def test_what_is_withheld_stays_hidden_when_more_is(tmp_path: Path) -> None:
    """Nothing looks after a withheld count, so none of its figures may be shown again."""
    split = (BOTH[1:], BOTH[:1])
    conf = load_configuration(str(conf_with_caesareans(tmp_path, *split)))
    output = output_of(tmp_path / "out", tables(3, 12), *split)
    rows = cells_of(release_of(str(output), None), YEAR, conf)
    _, audit = prepare(indicator_years(rows, conf), PublishingRules(conf, load_publication(conf)), YEAR)
    before = {quantity: measure.hidden.copy() for quantity, measure in audit.measures.items()}
    twins = sorted({figure[0] for figure in audit.links.twins})
    # Of the larger table, which is not tied, so that nothing else hides it.
    earlier = next(one for one in twins if not audit._is_smaller(one) and audit.measures[one].shown.any())
    audit._hide_all(earlier)
    audit.withheld.add(earlier)
    assert audit.withhold_tied(before, {"deliveries"})
    assert earlier in audit.withheld
    assert len(audit.withheld) > 1
    for quantity in audit.withheld:
        assert not audit.measures[quantity].shown.any()
