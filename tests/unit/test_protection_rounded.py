"""The method `rounded`: the rule in plain Python, every world that is published the same, and the attacker."""

import json
import random
import re
import time
from collections.abc import Mapping
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip("highspy", reason="the extra publish is not installed")
pytest.importorskip("deltalake")

from claimatlas.auditing.figures import count_names, figures_of
from claimatlas.auditing.lattice import lattice_of, narrow
from claimatlas.auditing.rounding import bound_by_method
from claimatlas.auditing.run import audit
from claimatlas.auditing.values import values_that_tell
from claimatlas.cli import main
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.publication import Publication, load_publication
from claimatlas.conventions import wilson_interval
from claimatlas.errors import InputError
from claimatlas.processes import Workers
from claimatlas.protection.candidate import PublishingRules, add_comparisons
from claimatlas.protection.rounding import Rounded
from claimatlas.protection.run import prepare
from claimatlas.protection.tables import indicator_years
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.local_table import write_rows
from claimatlas.tables.schemas import ALL
from publication.country import YEAR, atoms, configuration, gold_rows, leaks, write_gold
from publication.enumeration import TooManyError
from publication.rounded import HIDDEN, Counts, Mask, of_births, of_part, places, sums, worlds
from shipped import POSTNATAL, PUBLISHED_CELLS
from unit.test_publish import with_atlas

TOWNS = {"a": "north", "b": "north"}
SOME_SHOWN = 11
"""The seed of a table of which shares are shown."""
DEPTHS = {"land": 1, "part": 1, "town": 1}
FIGURES = places(TOWNS, DEPTHS)
FINEST = [(town, bims) for town in (*TOWNS, "") for bims in (("yes",), ("no", "unknown"))]
Table = dict[tuple[str, str, str], int]
Country = tuple[Configuration, Publication]


def country(folder: Path, side: str, towns: Mapping[str, str] = TOWNS, **rules: object) -> Country:
    sides = {"births": "none", "no_midwife": side, "nobody": "none"}
    changed = {"method": "rounded", "sensitive_sides": sides, "differences": [], **rules}
    conf = load_configuration(str(configuration(folder, towns, ["increased_reimbursement"], **changed)))
    return conf, load_publication(conf)


def drawn(seed: int, towns: Mapping[str, str] = TOWNS) -> dict[str, Table]:
    """Births of a few towns, and the part of them without a midwife: hardly any, some, nearly all, all."""
    dice = random.Random(seed)
    most = [3, 8, 12, 16][seed % 4]
    births = {
        atom: dice.randint(0, most) if atom[2] == "vaginal" and atom[0] and atom[1] != "unknown" else 0
        for atom in atoms(towns)
    }
    share = dice.choice([0.1, 0.4, 0.9, 1.0])
    return {
        "births": births,
        "no_midwife": {a: sum(dice.random() < share for _ in range(n)) for a, n in births.items()},
    }


def rounded(of: Country, tables: Mapping[str, Table], towns: Mapping[str, str] = TOWNS) -> Rounded:
    """A protected year."""
    names = [column.name for column in POSTNATAL.columns]
    rows = [dict(zip(names, row, strict=True)) for row in gold_rows(tables, towns, ("all",))]
    rules = PublishingRules(*of)
    cells, found = prepare(indicator_years(rows, of[0]), rules, YEAR)
    year = Rounded(cells, found.measures, rules, YEAR, 1)
    year.hide_what_is_proved(time.monotonic() + 100)
    return year


def shown(year: Rounded, indicator: str) -> Counts:
    by_place = {
        (row["geo_level"], row["geo_code"], row["increased_reimbursement"]): row
        for row in year.rows
        if row["indicator_id"] == indicator
    }
    counts = [by_place[one]["numerator"] for one in FIGURES]
    return np.array([HIDDEN if count is None else count for count in counts], dtype=np.int64)


def truth(table: Table) -> Counts:
    finest = [sum(table.get((town, bim, "vaginal"), 0) for bim in bims) for town, bims in FINEST]
    return sums(np.array([finest]), TOWNS, FIGURES)[0]


def beyond(of: Country, year: Rounded) -> tuple[Mask, Mask]:
    """What is hidden for others' sake: of births, and of their part."""
    indicator = next(one for one in of[0].indicators if one.id == "no_midwife")
    part, whole = count_names(indicator)
    found = [
        np.array([(name, level, code, ("all", value, "all", "all")) in year.beyond for level, code, value in FIGURES])
        for name in (whole, part)
    ]
    return found[0], found[1]


def proved(figures: tuple[Counts, Counts], truths: tuple[Counts, Counts], side: str) -> list[tuple[str, int]]:
    """What all worlds agree on, and that is small or a full group: what it is, and which figure."""
    births, part = figures
    found = []
    for number in range(len(FIGURES)):
        whole, own = int(truths[0][number]), int(truths[1][number])
        counts = (("births", births, whole), ("part", part, own), ("rest", births - part, whole - own))
        found += [
            (name, number) for name, every, now in counts if 1 <= now <= 7 and len({*every[:, number].tolist()}) == 1
        ]
        full = births[:, number] == part[:, number] if side == "numerator" else part[:, number] == 0
        if side != "none" and whole and bool(full.all()):
            found.append(("full", number))
    return found


@pytest.mark.parametrize("side", ["numerator", "complement", "none"])
def test_every_world(tmp_path: Path, side: str) -> None:
    """On drawn tables the rule is followed, and no small count and no full group is the same in all worlds.

    A reader knows the rule and what is hidden for others' sake, and reasons in whole numbers.
    """
    of = country(tmp_path, side)
    judged = repaired = 0
    for seed in range(150):
        tables = drawn(seed)
        year = rounded(of, tables)
        births, part = shown(year, "births"), shown(year, "no_midwife")
        free = beyond(of, year)
        truths = truth(tables["births"]), truth(tables["no_midwife"])
        assert ((of_births(truths[0]) == births) | free[0]).all(), seed
        assert ((of_part(truths[1], truths[0], side) == part) | free[1]).all(), seed
        repaired += bool(year.beyond)
        try:
            told = proved(worlds(births, part, side, TOWNS, FIGURES, free), truths, side)
            if told:
                # With those of no known town there are more worlds.
                told = proved(worlds(births, part, side, TOWNS, FIGURES, free, 4), truths, side)
        except TooManyError:
            continue
        assert told == [], seed
        judged += 1
    assert judged > 140
    assert repaired


def test_a_sum_that_tells_its_parts_is_hidden(tmp_path: Path) -> None:
    """Four hidden counts are 28 at most: beside a sum of 30 each is 7. With the sum hidden none is known."""
    towns = {f"t{number}": "north" if number < 4 else "south" for number in range(6)}
    of = country(tmp_path, "none", towns)
    births = dict.fromkeys(atoms(towns), 0)
    for number, town in enumerate(towns):
        births[town, "yes" if number < 4 else "no", "vaginal"] = 7 if number < 4 else 30
    year = rounded(of, {"births": births, "no_midwife": dict.fromkeys(births, 0)}, towns)
    places_hidden = {key[1:3] for key in year.beyond}
    assert ("part", "north") in places_hidden
    assert len(year.beyond) <= 4
    assert all(
        row["confidentiality"] == "C"
        for row in year.rows
        if (row["geo_level"], row["geo_code"]) == ("part", "north") and row["increased_reimbursement"] != "other"
    )


def test_values_are_those_of_the_rounded_counts(tmp_path: Path) -> None:
    year = rounded(country(tmp_path, "numerator"), drawn(SOME_SHOWN))
    shares = [row for row in year.rows if row["indicator_id"] == "no_midwife" and row["value"] is not None]
    assert shares
    for row in year.rows:
        assert row["value_low"] is row["value_high"] is None
        assert all(row[name] is None or row[name] % 5 == 0 for name in ("numerator", "denominator"))
    for row in shares:
        low, high = wilson_interval(row["numerator"], row["denominator"])
        assert row["value"] == round(100 * row["numerator"] / row["denominator"], 4)
        assert (row["ci_low"], row["ci_high"]) == (round(100 * low, 4), round(100 * high, 4))


def test_the_country_may_be_exact(tmp_path: Path) -> None:
    """Then of two of its counts none tells a small difference."""
    of = country(tmp_path, "numerator", country_exact=True)
    exact = 0
    for seed in range(60):
        tables = drawn(seed)
        year = rounded(of, tables)
        truths = truth(tables["births"]), truth(tables["no_midwife"])
        births, part = shown(year, "births"), shown(year, "no_midwife")
        # The bounds that the method tells hold of what is true.
        lattice = lattice_of(found := figures_of(year.rows, *of, YEAR), *of, "deliveries", YEAR)
        bound_by_method(lattice, found, of[1], "land", frozenset(year.beyond))
        narrow(lattice)
        part_key, whole_key = count_names(next(one for one in of[0].indicators if one.id == "no_midwife"))
        for name, counts in ((whole_key, truths[0]), (part_key, truths[1])):
            for (level, code, value), count in zip(FIGURES, counts.tolist(), strict=True):
                low, high = lattice.bounds(*lattice.find((name, level, code, (ALL, value, ALL, ALL))))
                assert low <= count <= high
        for number, (level, _, _) in enumerate(FIGURES):
            if level == "land" and births[number] != HIDDEN:
                assert births[number] == truths[0][number]
                exact += int(births[number] % 5 != 0)
            elif births[number] != HIDDEN:
                assert births[number] % 5 == 0
            if level == "land" and HIDDEN not in (births[number], part[number]):
                assert not 1 <= births[number] - part[number] <= 7
    assert exact > 10


def test_only_rounding_has_an_exact_country(tmp_path: Path) -> None:
    conf = load_configuration(str(configuration(tmp_path, TOWNS, country_exact=True)))
    with pytest.raises(InputError, match="country_exact"):
        load_publication(conf)


def test_comparison_and_trend_are_those_of_the_rounded_counts() -> None:
    """Gold's own would tell more than what is shown; where gold has none there is none."""

    def row(level: str, code: str, year: int, counts: tuple[int, int]) -> dict:
        low, high = (100 * bound for bound in wilson_interval(*counts))
        return {
            **{"indicator_id": "i", "geo_level": level, "geo_code": code, "year": year, "confidentiality": "F"},
            **{"numerator": counts[0], "denominator": counts[1], "value": 100 * counts[0] / counts[1]},
            **{"ci_low": low, "ci_high": high, "comparison": None, "trend": None},
        }

    years = range(2019, 2024)
    rows = [row("land", "x", year, (1000, 10_000)) for year in years]
    rows += [row("town", "a", year, (100 + 50 * (year - 2019), 1000)) for year in years]
    rows += [row("town", "b", year, (100, 1000)) for year in years]
    gold = {("i", year, "town", code): ("lower", "falling") for year in years for code in ("a", "b")}
    gold["i", 2023, "town", "b"] = (None, None)
    add_comparisons(rows, gold, "land", of_gold=False)
    found = {(one["geo_code"], one["year"]): (one["comparison"], one["trend"]) for one in rows}
    assert found["a", 2023] == ("higher", "rising")
    assert found["a", 2019] == ("similar", None)
    assert found["b", 2022] == ("similar", None)
    assert found["b", 2023] == (None, None)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write_gold(tmp_path / "output", gold_rows(of_land(1)))


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return with_atlas(configuration(tmp_path, method="rounded"))


def of_land(seed: int) -> dict[str, Table]:
    dice = random.Random(seed)
    births = {atom: dice.randint(0, 30 if atom[0] in ("a1", "a2", "b3") else 2) for atom in atoms()}
    no_midwife = {atom: sum(dice.random() < 0.3 for _ in range(count)) for atom, count in births.items()}
    return {"births": births, "no_midwife": no_midwife, "nobody": {a: n // 2 for a, n in no_midwife.items()}}


def protect(output: Path, conf: Path, *more: str) -> int:
    return main(["protect", "--output", str(output), "--conf", str(conf), *more])


def publish(output: Path, conf: Path, site: Path, capsys: pytest.CaptureFixture[str]) -> int:
    said = re.search(r"review report ([0-9a-f]{64})", capsys.readouterr().err)
    assert said
    options = ["--site", str(site), "--approved-by", "somebody", "--review", said[1], "--languages", "en"]
    return main(["publish", "--output", str(output), "--conf", str(conf), *options])


def test_from_gold_to_the_pages(output: Path, conf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Candidate, audit and site; a second release may round too, and may not show what was rounded as it is."""
    assert protect(output, conf) == 0
    assert leaks(output, conf) == []
    rows = DeltaReader(str(output)).rows(PUBLISHED_CELLS)
    assert {row["confidentiality"] for row in rows} == {"F", "C"}
    assert publish(output, conf, tmp_path / "site", capsys) == 0
    page = unescape((tmp_path / "site" / "en" / "confidentiality.html").read_text(encoding="utf-8"))
    assert "concerns fewer than 8 people" in page
    assert "rounded to the nearest 5" in page
    record = json.loads(next((tmp_path / "site").rglob("audit.json")).read_text(encoding="utf-8"))
    assert record["settings"]["method"] == "rounded"
    # What readers download is judged by the same promise.
    assert leaks(tmp_path / "site", conf) == []
    write_gold(output, gold_rows(of_land(1)), release=2)
    assert protect(output, conf) == 0
    again = [row for row in DeltaReader(str(output)).rows(PUBLISHED_CELLS) if row["release"] == 2]
    assert sorted(({**row, "release": 1} for row in again), key=key) == sorted(rows, key=key)
    rules = yaml.safe_load((conf / "publication.yaml").read_text(encoding="utf-8"))
    (conf / "publication.yaml").write_text(yaml.safe_dump({**rules, "method": "suppressed"}), encoding="utf-8")
    capsys.readouterr()
    assert protect(output, conf, "--supersede", "a reason") == 2
    assert "method: release 1 was published by rounded" in capsys.readouterr().err


def test_a_revision_is_looked_at_beside_what_was_shown(
    output: Path, conf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two releases of counts that differ: what both tell proves nothing either."""
    assert protect(output, conf) == 0
    assert publish(output, conf, tmp_path / "site", capsys) == 0
    tables = of_land(1)
    tables["births"] = {atom: count + (atom[0] == "a1") for atom, count in tables["births"].items()}
    write_gold(output, gold_rows(tables), release=2)
    assert protect(output, conf) == 0
    assert leaks(output, conf) == []


def test_a_release_of_other_counts_altogether(
    output: Path, conf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What readers believe of the former release contradicts it: they believe what can be true, and it is published."""
    assert protect(output, conf) == 0
    assert publish(output, conf, tmp_path / "site", capsys) == 0
    write_gold(output, gold_rows(of_land(100)), release=2)
    assert protect(output, conf) == 0
    assert leaks(output, conf) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"numerator": 13}, "its numerator is not rounded"),
        ({"denominator": 41}, "its denominator is not rounded"),
        ({"value": 33.1234}, "its value is not that of its rounded counts"),
        ({"ci_low": 12.3456}, "its interval is not that of its rounded counts"),
    ],
)
def test_the_attacker_names_what_is_not_rounded(tmp_path: Path, change: dict, said: str) -> None:
    conf, publication = country(tmp_path, "numerator")
    year = rounded((conf, publication), drawn(SOME_SHOWN))
    rows = year.rows
    found = figures_of(rows, conf, publication, YEAR)
    assert values_that_tell(rows, found, conf, publication) == []
    chosen = next(row for row in rows if row["indicator_id"] == "no_midwife" and row["numerator"] and row["value"])
    assert [said in one for one in values_that_tell([{**chosen, **change}], found, conf, publication)].count(True) == 1


def test_the_attacker_names_what_is_shown_or_proved(output: Path, conf: Path) -> None:
    """A small count that stands there, and a range: it tells more than the method does."""
    assert protect(output, conf) == 0
    rows = DeltaReader(str(output)).rows(PUBLISHED_CELLS)
    names = PUBLISHED_CELLS.column_names
    hidden = next(row for row in rows if row["denominator"] is None and row["indicator_id"] == "births")
    bounded = next(row for row in rows if row["numerator"] is None and row["denominator"])
    for changed, kind in (
        ({**hidden, "numerator": 3, "denominator": 3}, "shown"),
        ({**bounded, "value_low": 0.0, "value_high": 10.0}, "range"),
    ):
        there = [
            changed
            if all(row[n] == changed[n] for n in names[:8] if n not in ("numerator", "denominator"))
            and key(row) == key(changed)
            else row
            for row in rows
        ]
        write_rows(str(output), PUBLISHED_CELLS, [tuple(row[name] for name in names) for row in there])
        loaded = load_configuration(str(conf))
        told = audit(str(output), loaded, load_publication(loaded), Workers()).texts()
        assert any(one.startswith(kind) for one in told), kind


def key(row: Mapping[str, object]) -> tuple[object, ...]:
    names = ("indicator_id", "geo_level", "geo_code", "increased_reimbursement", "delivery_type", "age_category")
    return tuple(row[name] for name in names)


def test_a_rounded_number_of_members_is_at_least_that_less_two(tmp_path: Path) -> None:
    """A median of 2k members needs a count that cannot be fewer."""
    _, publication = country(tmp_path, "none")
    assert [publication.sure_count(count) for count in (0, 10, 15)] == [0, 8, 13]
    suppressed = publication.model_copy(update={"method": "suppressed"})
    assert suppressed.sure_count(10) == 10
