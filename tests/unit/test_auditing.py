"""The attacker against two others: exact rational arithmetic, and every world written down."""

import csv
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

import numpy as np
from claimatlas.auditing import attack as attacking
from claimatlas.auditing.algebra import PRIMES, changes_of, determined
from claimatlas.auditing.attack import Outcome, attack
from claimatlas.auditing.figures import count_names, figures_of
from claimatlas.auditing.files import read_folder
from claimatlas.auditing.lattice import Count, lattice_of, narrow
from claimatlas.auditing.pools import components_of
from claimatlas.auditing.programs import Model, Rows
from claimatlas.auditing.run import audit, is_right_range, know_other_releases, rules_of
from claimatlas.auditing.targets import Terms
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.publication import Publication, load_publication
from claimatlas.errors import InputError
from claimatlas.processes import Workers
from claimatlas.protection.intervals import value_of
from claimatlas.tables.schemas import ALL
from comparison import CONF
from publication.country import YEAR, K, configuration
from publication.enumeration import TooManyError
from publication.mutations import Named, expected, named_by
from publication.small_tables import TOWNS, drawn, figures, hidden_at_random, hide, place_of, published, world_bounds
from shipped import PUBLISHED_CELLS

Country = tuple[Configuration, Publication]


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    conf = configuration(tmp_path_factory.mktemp("small"), TOWNS, ["increased_reimbursement"])
    loaded = load_configuration(str(conf))
    return loaded, load_publication(loaded)


def attacked(country: Country, rows: Sequence[dict], others: Sequence[Sequence[dict]] = ()) -> Outcome:
    conf, publication = country
    found = figures_of(rows, conf, publication, YEAR)
    lattice = lattice_of(found, conf, publication, "deliveries", YEAR)
    former = [figures_of(other, conf, publication, YEAR) for other in others]
    know_other_releases(lattice, found, former, publication)
    return attack(found, lattice, rules_of(conf, publication, "deliveries"))


def said(country: Country, outcome: Outcome) -> Named:
    """The bounds of hidden counts, and of their differences, that the attacker names."""
    return named_by(outcome.findings, {count_names(one)[0]: one.id for one in country[0].indicators})


def test_what_is_aimed_at_holds_its_unknowns_together() -> None:
    """A sum of unknowns without a row in common: programs over one of them alone would bound it too closely."""
    nothing, whole = np.zeros(0), np.array([0.0, 0.0, 0.0])
    rows = Rows(np.array([0, 1]), np.array([2]), np.ones(1), np.zeros(1), np.ones(1))
    model = Model([], [], True, whole, whole + 9, rows)
    alone = Terms(np.array([0]), np.zeros(0, dtype=np.int64), nothing, nothing)
    assert components_of(model, alone).tolist() == [0, 1, 2]
    both = Terms(np.array([0, 2]), np.array([0, 1]), np.ones(2), np.zeros(1))
    assert components_of(model, both).tolist() == [0, 0, 2]


@pytest.mark.parametrize("seed", range(12))
def test_the_attacker_equals_exact_arithmetic(country: Country, seed: int) -> None:
    """On drawn tables with figures hidden at random, so that many can be worked out."""
    tables = drawn(seed)
    rows = hidden_at_random(published(tables), random.Random(seed))
    found = figures(rows, tables)
    assert said(country, attacked(country, rows)) == expected(found)


def test_every_world_lies_within_the_bounds(country: Country) -> None:
    judged = 0
    for seed in range(20, 26):
        tables = drawn(seed, most=6)
        rows = hidden_at_random(published(tables), random.Random(seed), share=0.35)
        found = figures(rows, tables)
        try:
            worlds = world_bounds(found)
        except TooManyError:
            continue
        for place, (low, high) in said(country, attacked(country, rows)).items():
            least, most = worlds[place]
            assert low <= least <= most <= high
            judged += 1
    assert judged >= 20


@pytest.mark.parametrize(("most", "is_named"), [(1, False), (0, True)], ids=["nobody may have it", "somebody has it"])
def test_of_few_that_readers_know_a_difference_tells_something_once_somebody_has_it(
    country: Country, most: int, is_named: bool
) -> None:
    """Two births, which everybody knows: that one of them at most had no midwife is as little as a shown zero tells."""
    conf, publication = country
    births = {"a": 2, "b": 9, "c": 9}
    no_midwife = {"a": 1 - most, "b": most, "c": K}
    tables = {
        "births": {(town, "no", "vaginal"): count for town, count in births.items()},
        "no_midwife": {(town, "no", "vaginal"): count for town, count in no_midwife.items()},
        "nobody": {},
    }
    rows = published(tables)
    hidden = {("no_midwife", ("town", town, value)) for town in "ab" for value in ("other", "all")}
    if is_named:
        hidden = {one for one in hidden if one[1][1] == "a"}
    found = figures_of(hide(rows, hidden), conf, publication, YEAR)
    lattice = lattice_of(found, conf, publication, "deliveries", YEAR)
    rules = replace(rules_of(conf, publication, "deliveries"), known=frozenset({"denominator:"}))
    named = [one for one in attack(found, lattice, rules).findings if one.of.startswith("difference to denominator")]
    assert any(one.key[2] == "a" and one.kind == "small" for one in named) == is_named


@pytest.mark.parametrize("seed", range(4))
def test_programs_over_published_figures_alone(country: Country, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole country's programs have no finest counts: what they find is true, and they find most."""
    tables = drawn(seed)
    rows = hidden_at_random(published(tables), random.Random(seed))
    every = said(country, attacked(country, rows))
    monkeypatch.setattr(attacking, "FINEST", 0)
    found = said(country, attacked(country, rows))
    assert set(found) <= set(every)
    assert len(found) >= 0.9 * len(every)
    for place, (low, high) in found.items():
        assert low <= every[place][0] <= every[place][1] <= high


@pytest.mark.parametrize("seed", range(4))
def test_parts_that_are_too_large_for_one_program(country: Country, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are searched place by place; that comes to the same."""
    from claimatlas.auditing import search

    tables = drawn(seed)
    rows = hidden_at_random(published(tables), random.Random(seed))
    every = attacked(country, rows)
    monkeypatch.setattr(search, "_DIRECT", 3)
    monkeypatch.setattr(search, "_PLACES", 2)
    found = attacked(country, rows)
    assert found.undecided == found.unsettled == 0
    assert said(country, found) == said(country, every)


@pytest.mark.parametrize("seed", range(6))
def test_the_algebra_equals_elimination_in_fractions(country: Country, seed: int) -> None:
    """Of every figure, published or not: whether it is a sum of known ones."""
    conf, publication = country
    found = figures_of(published(drawn(seed)), conf, publication, YEAR)
    lattice = lattice_of(found, conf, publication, "deliveries", YEAR)
    dice = np.random.Generator(np.random.PCG64(seed))
    known = [dice.random(count.low.shape) < 0.4 for count in lattice.counts]
    by_prime = [changes_of(lattice, known, prime) for prime in PRIMES]
    for number, (count, mask) in enumerate(zip(lattice.counts, known, strict=True)):
        found_fixed = determined([changes[number] for changes in by_prime])
        assert (found_fixed == exactly_determined(count, mask)).all()
        assert found_fixed[mask].all()


def exactly_determined(count: Count, known: np.ndarray) -> np.ndarray:
    """By elimination over the finest counts of places without parts."""
    parts = {one.whole: one.parts for one in count.sums}
    leaves = [node for node in range(len(known)) if node not in parts]

    def below(node: int) -> list[int]:
        return [leaf for part in parts[node] for leaf in below(part)] if node in parts else [node]

    def vector(node: int, split: int) -> list[Fraction]:
        inside = below(node)
        return [Fraction(int(leaf in inside and held)) for leaf in leaves for held in count.holds[split]]

    pivots: dict[int, list[Fraction]] = {}

    def reduced(row: list[Fraction]) -> list[Fraction]:
        for position, pivot in sorted(pivots.items()):
            if row[position]:
                row = [a - row[position] * b for a, b in zip(row, pivot, strict=True)]
        return row

    for node, split in np.argwhere(known):
        row = reduced(vector(node, split))
        first = next((position for position, value in enumerate(row) if value), None)
        if first is not None:
            pivots[first] = [value / row[first] for value in row]
    nodes, splits = known.shape
    return np.array([[not any(reduced(vector(n, s))) for s in range(splits)] for n in range(nodes)])


def test_caesareans_under_two_names() -> None:
    """The country's caesareans of 001a are the numerator of 006b: hidden there and shown here, they are known."""
    conf = load_configuration()
    publication = load_publication(conf)
    split = {"age_category": "all", "increased_reimbursement": "all", "sex": "all"}
    place = {"year": 2023, "geo_level": "country", "geo_code": "01000", "status": "final"}
    births = [("all", 1000), ("caesarean", 250), ("vaginal", 750)]
    rows: list[dict] = [
        {
            **split,
            **place,
            "indicator_id": "cube_007_001a_denom",
            "delivery_type": kind,
            "numerator": n,
            "denominator": n,
        }
        for kind, n in births
    ]
    rows.append(
        {
            **split,
            **place,
            "indicator_id": "cube_007_006b",
            "delivery_type": "all",
            "numerator": None,
            "denominator": 990,
        }
    )
    found = figures_of(rows, conf, publication, 2023)
    lattice = lattice_of(found, conf, publication, "deliveries", 2023)
    findings = attack(found, lattice, rules_of(conf, publication, "deliveries")).findings
    assert [(one.kind, one.low, one.high) for one in findings if one.is_planned] == [("determined", 250, 250)]


def test_what_is_left_of_the_country_is_told(country: Country) -> None:
    """Two births of unknown domicile: the country less its parts, in no published cell."""
    tables = drawn(1)
    tables["births"] = {**tables["births"], ("", "yes", "vaginal"): 2}
    proofs = [one for one in attacked(country, published(tables)).findings if one.kind == "small"]
    assert {(one.key[1:3], one.key[3][1], one.low, one.is_planned) for one in proofs} == {
        (("", ""), "yes", 2, False),
        (("", ""), "all", 2, False),
    }


def test_a_full_group_is_named(country: Country) -> None:
    tables = drawn(3)
    town = ("a", "yes", "vaginal")
    tables["nobody"][town] = tables["no_midwife"][town] = tables["births"][town] = 9
    place = ("town", "a", "yes")
    rows = hide(published(tables), {("nobody", place), ("no_midwife", place)})
    full = [one for one in attacked(country, rows).findings if one.kind == "full"]
    assert (("town", "a"), "yes") in {(one.key[1:3], one.key[3][1]) for one in full}
    every = {(name, place_of(row)) for name in ("nobody", "no_midwife") for row in rows}
    assert not [one for one in attacked(country, hide(rows, every)).findings if one.kind == "full"]


def test_a_count_that_everybody_knows_is_no_secret_where_nobody_has_the_outcome(country: Country) -> None:
    """Two known members less nobody are the two that are known; of a secret count they would be told."""
    conf, publication = country
    known = conf, publication.model_copy(update={"known_within": {"deliveries": 0.1}})
    tables = drawn(3)
    for kind in ("vaginal", "caesarean"):
        town = ("a", "yes", kind)
        tables["births"][town] = 2 if kind == "vaginal" else 0
        tables["nobody"][town] = tables["no_midwife"][town] = 0
    place = ("town", "a", "yes")
    rows = hide(published(tables), {("nobody", place), ("no_midwife", place)})
    for of, is_told in ((country, True), (known, False)):
        told = {(one.key[1:3], one.key[3][1]) for one in attacked(of, rows).findings if one.of.startswith("difference")}
        assert ((("town", "a"), "yes") in told) == is_told


def test_what_a_former_release_showed_is_believed_as_far_as_it_can_be_true(country: Country) -> None:
    """Three towns of 40, and 60 in all of them now: not all towns are near what they were, and one may be."""
    conf, publication = country
    rows = [{**row, "numerator": None, "denominator": None} for row in published(drawn(5))]

    def shown(level: str, code: str, count: int) -> list[dict]:
        found = []
        for row in rows:
            is_it = (row["indicator_id"], row["increased_reimbursement"]) == ("births", ALL)
            is_there = is_it and (row["geo_level"], row["geo_code"]) == (level, code)
            found.append({**row, "numerator": count, "denominator": count} if is_there else row)
        return found

    before = figures_of(rows, conf, publication, YEAR)
    now = figures_of(shown("part", "north", 60), conf, publication, YEAR)
    whole = count_names(next(one for one in conf.indicators if one.id == "births"))[1]
    towns = [(whole, "town", town, (ALL,) * len(conf.dimensions.names)) for town in TOWNS]
    before.values.update(dict.fromkeys(towns, 40))
    lattice = lattice_of(now, conf, publication, "deliveries", YEAR)
    refuted = know_other_releases(lattice, now, [before], publication)
    narrow(lattice)
    bounds = [lattice.bounds(*lattice.find(key)) for key in towns]
    assert refuted == 2
    assert sorted(bounds) == [(0, 25), (0, 25), (35, 45)]


def test_a_former_release_bounds_what_is_hidden_now(country: Country) -> None:
    """Within the revision bound: the larger of five and two per cent; a larger revision than that tells nothing."""
    conf, publication = country
    tables = drawn(5, most=400)
    before = figures_of(published(tables), conf, publication, YEAR)
    gone = [{**row, "numerator": None, "denominator": None} for row in published(tables)]
    now = figures_of(gone, conf, publication, YEAR)
    lattice = lattice_of(now, conf, publication, "deliveries", YEAR)
    know_other_releases(lattice, now, [before], publication)
    bounds = set()
    for key, value in before.values.items():
        assert value is not None
        number, node, split = lattice.find(key)
        bound = max(5, -(-value * 2 // 100))
        bounds.add(bound)
        count = lattice.counts[number]
        assert (count.low[node, split], count.high[node, split]) == (max(0, value - bound), value + bound)
    assert len(bounds) > 1
    far = [{**row, "numerator": 10**6, "denominator": 10**6} for row in published(tables)]
    shown = published(tables)
    assert attacked(country, shown, [far]).findings == attacked(country, shown).findings


def test_csv_files_are_read_as_the_tables_are(country: Country, tmp_path: Path) -> None:
    from claimatlas.tables.local_table import write_rows

    conf, publication = country
    names = [column.name for column in PUBLISHED_CELLS.columns]
    rows = complete(hidden_at_random(published(drawn(2)), random.Random(2)))
    write_rows(str(tmp_path / "tables"), PUBLISHED_CELLS, [tuple(row[name] for name in names) for row in rows])
    write_csv(tmp_path / "files" / "downloads" / "cells_1.csv", [*names, "note"], rows)
    write_csv(tmp_path / "files" / "other.csv", ["something", "else"], [{"something": 1, "else": 2}])
    one, other = (read_folder(str(tmp_path / name), conf) for name in ("tables", "files"))
    assert sorted(map(str, map(sorted, map(dict.items, one.cells)))) == sorted(  # type: ignore[arg-type]
        map(str, map(sorted, map(dict.items, other.cells)))  # type: ignore[arg-type]
    )
    found = [audit(str(tmp_path / name), conf, publication, Workers()) for name in ("tables", "files")]
    assert found[0].texts(strict=True) == found[1].texts(strict=True) != []


def test_settings_of_the_publisher_count(country: Country, tmp_path: Path) -> None:
    """``audit.json`` says which k was used, and which release is published."""
    conf, publication = country
    names = [column.name for column in PUBLISHED_CELLS.columns]
    rows = complete(published(drawn(2)))
    write_csv(tmp_path / "cells_1.csv", names, rows)
    lenient = {**publication.model_dump(mode="json"), "k": 2}
    (tmp_path / "audit.json").write_text(json.dumps({"settings": lenient, "release": 1}), encoding="utf-8")
    shown = audit(str(tmp_path), conf, publication, Workers()).number("shown")
    (tmp_path / "audit.json").unlink()
    assert shown < audit(str(tmp_path), conf, publication, Workers()).number("shown")
    (tmp_path / "audit.json").write_text(json.dumps({"releases": [1, 2]}), encoding="utf-8")
    with pytest.raises(InputError, match="release 2"):
        audit(str(tmp_path), conf, publication, Workers())


@pytest.mark.parametrize(
    ("text", "said_of_it"),
    [("indicator_id,release\nx,1\n", "no CSV file with its columns"), (None, "no CSV file with its columns")],
)
def test_a_folder_with_nothing_published(country: Country, tmp_path: Path, text: str | None, said_of_it: str) -> None:
    if text:
        (tmp_path / "some.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said_of_it):
        audit(str(tmp_path), *country, Workers())


def test_a_wrong_range_is_named(country: Country, tmp_path: Path) -> None:
    conf, publication = country
    names = [column.name for column in PUBLISHED_CELLS.columns]
    tables = drawn(4)
    rows = complete(published(tables))
    chosen = next(row for row in rows if row["indicator_id"] == "nobody" and row["denominator"] > 20)
    chosen.update(numerator=None, confidentiality="C", value_low=0.0, value_high=0.5)
    write_csv(tmp_path / "cells_1.csv", names, rows)
    wrong = [text for text in audit(str(tmp_path), conf, publication, Workers()).texts() if text.startswith("range:")]
    assert len(wrong) == 1
    assert "0.0 to 0.5" in wrong[0]


def test_a_value_beside_a_hidden_count_is_named(country: Country, tmp_path: Path) -> None:
    conf, publication = country
    names = [column.name for column in PUBLISHED_CELLS.columns]
    rows = [row for row in complete(published(drawn(4))) if row["indicator_id"] == "nobody" and row["denominator"] > 20]
    chosen = rows[0]
    value = round(100 * chosen["numerator"] / chosen["denominator"], 4)
    chosen.update(numerator=None, confidentiality="C", value=value)
    write_csv(tmp_path / "cells_1.csv", names, rows)
    found = audit(str(tmp_path), conf, publication, Workers())
    named = [text for text in found.texts() if text.startswith("value:")]
    assert len(named) == 1
    assert f"nobody, {YEAR}, {chosen['geo_level']} {chosen['geo_code']}" in named[0]


def test_a_range_that_ends_on_half_a_digit_is_right() -> None:
    """The hundredfold of three by 384 is 0.78125; three times the hundredth part of it is a little more."""
    (indicator,) = (one for one in load_configuration(str(CONF)).indicators if one.id == "cube_013_023")
    row = {"denominator": 384, "value_low": 0.0, "value_high": value_of(indicator, 3, 384)}
    assert is_right_range(row, (0, 3), indicator)
    assert not is_right_range(row, (0, 4), indicator)


def complete(rows: Sequence[dict]) -> list[dict]:
    """Rows with every column of the table; without ranges."""
    nothing = dict.fromkeys(column.name for column in PUBLISHED_CELLS.columns)
    return [{**nothing, "geo_vintage": YEAR, "reliability": "normal", **row} for row in rows]


def write_csv(file: Path, names: Sequence[str], rows: Sequence[dict]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
