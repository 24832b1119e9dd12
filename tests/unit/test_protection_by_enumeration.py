"""On small tables every world is written down: nothing sensitive may be bounded too closely by all of them together."""

import random
import time
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

pytest.importorskip("highspy", reason="the extra publish is not installed")

from claimatlas.auditing.attack import Finding, attack
from claimatlas.auditing.figures import count_names, figures_of
from claimatlas.auditing.lattice import lattice_of
from claimatlas.auditing.run import rules_of
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.publication import Publication, load_publication
from claimatlas.errors import QualityGateError
from claimatlas.protection.audit import Audit
from claimatlas.protection.candidate import PublishingRules, rows_of_year
from claimatlas.protection.choosing import choose
from claimatlas.protection.run import prepare
from claimatlas.protection.tables import indicator_years
from publication.country import YEAR, K, atoms, configuration, gold_rows
from publication.enumeration import Figure, TooManyError, all_worlds, columns
from publication.mutations import judge, named_by
from shipped import POSTNATAL

TOWNS = {"a": "north", "b": "north", "c": "north"}
COUNTS = ("births", "no_midwife", "nobody")


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> tuple[Configuration, Publication]:
    conf = configuration(tmp_path_factory.mktemp("small"), TOWNS, ["increased_reimbursement"])
    loaded = load_configuration(str(conf))
    return loaded, load_publication(loaded)


def protected(
    country: tuple[Configuration, Publication], tables: Mapping[str, Mapping[tuple[str, str, str], int]]
) -> tuple[list[dict], Audit, bool]:
    """The published rows of drawn tables, and whether the audit passed."""
    conf, publication = country
    names = [column.name for column in POSTNATAL.columns]
    rows = [dict(zip(names, row, strict=True)) for row in gold_rows(tables, TOWNS, ("all",))]
    rules = PublishingRules(conf, publication)
    cells, audit = prepare(indicator_years(rows, conf), rules, YEAR)
    try:
        choose(audit, time.monotonic() + 60, "drawn")
    except QualityGateError:
        return [], audit, False
    return rows_of_year(cells, audit.measures, rules, YEAR, 1), audit, True


@st.composite
def tables(draw: st.DrawFn) -> dict[str, dict[tuple[str, str, str], int]]:
    """Births with the part of them without a midwife, and the part of these without anybody."""
    births = {atom: draw(st.integers(0, 6)) for atom in atoms(TOWNS) if atom[1] != "unknown" and atom[0]}
    births = {atom: count if atom[2] == "vaginal" else 0 for atom, count in births.items()}
    no_midwife = {atom: draw(st.integers(0, count)) for atom, count in births.items()}
    nobody = {atom: draw(st.integers(0, count)) for atom, count in no_midwife.items()}
    return {"births": births, "no_midwife": no_midwife, "nobody": nobody}


def figures(rows: list[dict], drawn: Mapping[str, Mapping[tuple[str, str, str], int]]) -> list[Figure]:
    """Every published figure with its truth."""
    found = []
    for row in rows:
        value = row["increased_reimbursement"]
        inside = columns(TOWNS, row["geo_level"], row["geo_code"], value)
        finest = [
            sum(drawn[row["indicator_id"]].get((town, bim, "vaginal"), 0) for bim in bims)
            for town in (*TOWNS, "")
            for bims in (("yes",), ("no", "unknown"))
        ]
        truth = sum(finest[position] for position in inside)
        found.append(Figure(row["indicator_id"], row["geo_level"], row["geo_code"], value, row["numerator"], truth))
    return found


def ranges(found: list[Figure]) -> dict[tuple[str, Figure], tuple[int, int]]:
    """The least and the most of each count, and of each gap to the count that it lies within, over all worlds."""
    every = all_worlds(found, TOWNS, COUNTS, K + 1)
    bounds = {}
    for figure in found:
        number = COUNTS.index(figure.count)
        inside = columns(TOWNS, figure.level, figure.code, figure.value)
        sums = every[:, :, inside].sum(axis=2)
        assert (sums[:, number] == figure.truth).any()
        bounds["count", figure] = (int(sums[:, number].min()), int(sums[:, number].max()))
        for larger in range(number):
            gap = sums[:, larger] - sums[:, number]
            bounds[f"gap {COUNTS[larger]}", figure] = (int(gap.min()), int(gap.max()))
    return bounds


def broken(found: list[Figure]) -> list[tuple[str, Figure, tuple[int, int]]]:
    """What all worlds together tell that must not be told: by the rules as they are written, not as they are built."""
    truths = {(f.count, f.level, f.code, f.value): f.truth for f in found}
    open_ = []
    for (kind, figure), (low, high) in ranges(found).items():
        if kind == "count":
            truth = figure.truth
            is_secret = 1 <= truth < K
        else:
            larger = truths[(kind.removeprefix("gap "), figure.level, figure.code, figure.value)]
            truth = larger - figure.truth
            is_full = kind == "gap births" and truth == 0 and larger > 0
            is_secret = 1 <= truth < K or is_full
        if is_secret and high - low < K - 1:
            open_.append((kind, figure, (low, high)))
    return open_


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(drawn=tables())
def test_nothing_sensitive_is_open(
    country: tuple[Configuration, Publication], drawn: dict[str, dict[tuple[str, str, str], int]]
) -> None:
    rows, _, passed = protected(country, drawn)
    assert passed
    found = figures(rows, drawn)
    try:
        assert broken(found) == []
    except TooManyError:
        assume(False)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(drawn=tables())
def test_the_attacker_finds_nothing(
    country: tuple[Configuration, Publication], drawn: dict[str, dict[tuple[str, str, str], int]]
) -> None:
    rows, _, passed = protected(country, drawn)
    assert passed
    assert [one for one in attacked(country, rows) if one.is_proof] == []


def attacked(country: tuple[Configuration, Publication], rows: list[dict]) -> list[Finding]:
    """What the attacker finds in published rows."""
    conf, publication = country
    found = figures_of(rows, conf, publication, YEAR)
    lattice = lattice_of(found, conf, publication, "deliveries", YEAR)
    return attack(found, lattice, rules_of(conf, publication, "deliveries")).findings


def test_a_shown_secondary_cell_is_judged_as_the_worlds_are(country: tuple[Configuration, Publication]) -> None:
    """Each hidden cell is shown again, one at a time: what all worlds together tell then, the attacker finds."""
    dice = random.Random(7)
    judged = opened = 0
    for _ in range(6):
        births = {a: dice.randint(0, 12) * (a[2] == "vaginal") for a in atoms(TOWNS) if a[0] and a[1] != "unknown"}
        no_midwife = {a: sum(dice.random() < 0.4 for _ in range(count)) for a, count in births.items()}
        nobody = {a: sum(dice.random() < 0.5 for _ in range(count)) for a, count in no_midwife.items()}
        drawn = {"births": births, "no_midwife": no_midwife, "nobody": nobody}
        rows, _, passed = protected(country, drawn)
        assert passed
        truths = [figure.truth for figure in figures(rows, drawn)]
        for position in [number for number, row in enumerate(rows) if row["numerator"] is None]:
            lower = next(
                number
                for number, row in enumerate(rows)
                if row["indicator_id"] == "births" and key(row)[1:] == key(rows[position])[1:]
            )
            mutated = [dict(row) for row in rows]
            mutated[position]["numerator"] = truths[position]
            # A count cannot be shown without the one that it is a share of.
            for row in mutated:
                if key(row)[1:] == key(rows[position])[1:]:
                    row["denominator"] = truths[lower]
            mutated[lower]["numerator"] = truths[lower]
            try:
                is_broken = bool(broken(figures(mutated, drawn)))
            except TooManyError:
                continue
            found = attacked(country, mutated)
            judged += 1
            opened += is_broken
            assert found or not is_broken
    assert judged >= 30
    assert opened >= 10


@pytest.mark.parametrize("number", [30, pytest.param(500, marks=pytest.mark.long)])
def test_mutations_are_judged_by_two_attackers(country: tuple[Configuration, Publication], number: int) -> None:
    """One secondary cell is shown: the attacker names just what exact arithmetic works out, and no more."""
    names = {count_names(one)[0]: one.id for one in country[0].indicators}
    verdicts = judge(
        number,
        lambda tables: protected(country, tables)[0],
        lambda rows: named_by(attacked(country, list(map(dict, rows))), names),
    )
    assert verdicts.judged == number
    assert 0 < verdicts.broken < number
    assert verdicts.differ == 0


def key(row: dict) -> tuple[str, str, str, str]:
    return (row["indicator_id"], row["geo_level"], row["geo_code"], row["increased_reimbursement"])
