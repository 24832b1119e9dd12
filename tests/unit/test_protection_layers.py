"""Counts that lie within each other may move each by itself, so that the totals of both stay shown."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

from claimatlas.configuration import load_configuration
from claimatlas.configuration.publication import load_publication
from claimatlas.protection import audit as auditing
from claimatlas.protection.audit import Audit, Mover
from claimatlas.protection.candidate import PublishingRules
from claimatlas.protection.choosing import choose
from claimatlas.protection.gold import cells_of, release_of
from claimatlas.protection.layers import Layers
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.run import prepare
from claimatlas.protection.tables import indicator_years
from claimatlas.protection.worlds import Aim, Pool, widen
from claimatlas.tables.schemas import ALL
from integration.own_configuration import write_indicator
from publication.country import YEAR, configuration, gold_rows, write_gold
from publication.small_tables import TOWNS, Tables, drawn

FOREVER = 1e12


def audit_of(folder: Path, tables: Tables) -> Audit:
    """The audit of a small country, in which what is sensitive by itself is hidden."""
    folder.mkdir()
    dimensions = ["increased_reimbursement"]
    sides = {"births": "none", "nobody": "numerator", "no_midwife": "numerator", "no_gp": "numerator"}
    sides = {name: side for name, side in sides.items() if name in tables}
    conf = configuration(folder / "conf", TOWNS, dimensions, sensitive_sides=sides)
    if "no_gp" in tables:
        common = {"population": "deliveries", "levels": ["land", "part", "town"], "dimensions": dimensions}
        write_indicator(conf, "no_gp", numerator={"without_any": ["contact_gp"]}, unit="percent", **common)
    write_gold(folder / "out", gold_rows(tables, TOWNS, (ALL,)))
    own = load_configuration(str(conf))
    release = release_of(str(folder / "out"), None)
    years = indicator_years(cells_of(release, YEAR, own), own)
    return prepare(years, PublishingRules(own, load_publication(own)), YEAR)[1]


def movers_in_layers(audit: Audit) -> list[tuple[Aim, Mover]]:
    return [(goal.aim, mover) for goal in audit.all_goals() for mover in goal.movers if mover.chain]


def test_choices_are_the_counts_and_their_differences(tmp_path: Path) -> None:
    audit = audit_of(tmp_path / "x", drawn(3))
    chains = sorted({mover.chain for _, mover in movers_in_layers(audit)}, key=len)
    assert [len(chain) for chain in chains] == [2, 3]
    chain = [audit.measures[one] for one in chains[-1]]
    layers = Layers(chain)
    for first in range(3):
        for last in range(first, 3):
            found = layers.cells[:, layers.choice(first, last) :: layers.per_split]
            smaller = chain[first - 1].cells if first else 0
            assert (found == chain[last].cells - smaller).all()
    shown = layers.shown
    for number, measure in enumerate(chain):
        choice = layers.choice(0, number)
        assert (shown[:, choice :: layers.per_split] == measure.shown).all()
        assert layers.figure(2, layers.position(1, choice)) == measure.figure(2, 1)
        shown[:, choice :: layers.per_split] = False
    assert not shown.any()


@pytest.fixture
def found_changes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Pool, np.ndarray]]:
    """Every change that is taken for a world."""
    found: list[tuple[Pool, np.ndarray]] = []
    take: Callable[..., bool] = Pool.add

    def taken(self: Pool, values: np.ndarray | None) -> bool:
        is_world = take(self, values)
        if is_world and values is not None:
            change = np.zeros_like(self.measure.atoms)
            moved = np.zeros(self.shape, dtype=np.int64)
            moved[self.moves] = np.rint(values).astype(np.int64)
            change[self.leaves] = moved
            found.append((self, change))
        return is_world

    monkeypatch.setattr(Pool, "add", taken)
    return found


def tables_of(seed: int, two_wholes: bool) -> Tables:
    """Drawn tables; with ``two_wholes`` deliveries without anybody lie within two counts, neither within the other."""
    tables = drawn(seed, most=6)
    if two_wholes:
        dice = random.Random(seed)
        more = {atom: sum(dice.random() < 0.1 for _ in range(count)) for atom, count in tables["births"].items()}
        nobody = tables["nobody"]
        tables["no_gp"] = {
            atom: min(nobody[atom] + more[atom], count - tables["no_midwife"][atom] + nobody[atom])
            for atom, count in tables["births"].items()
        }
    return tables


def counts_in(pool: Pool, change: np.ndarray, audit: Audit) -> dict[Quantity, np.ndarray]:
    """The finest counts of every quantity in a world."""
    layers = pool.measure
    now = {quantity: measure.atoms for quantity, measure in audit.measures.items()}
    for one in pool.bounds:
        measure = one.bounds.measure
        if measure is None:
            continue
        moved = change
        if isinstance(layers, Layers):
            up_to = next(n for n in range(len(layers.chain)) if layers.choice(0, n) == one.choice)
            moved = change.reshape(len(change), -1, len(layers.chain))[:, :, : up_to + 1].sum(axis=2)
        now[measure.quantity] = measure.atoms + moved
    return now


@pytest.mark.parametrize("two_wholes", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_world_is_one_of_all_counts(
    seed: int, two_wholes: bool, tmp_path: Path, found_changes: list[tuple[Pool, np.ndarray]]
) -> None:
    audit = audit_of(tmp_path / "x", tables_of(seed, two_wholes))
    dice = np.random.Generator(np.random.PCG64(seed))
    for quantity, measure in audit.measures.items():
        for unit, split in np.argwhere(measure.shown & (dice.random(measure.cells.shape) < 0.5)).tolist():
            audit.marks.hide((quantity, unit, split))
    for goal in audit.all_goals():
        for mover in goal.movers:
            moving = audit._moving(mover)
            if any(one.bounds is goal.aim.bounds for one in moving.bounds):
                aim = Aim(goal.aim.bounds, goal.aim.needed > 0, goal.aim.needed + 9)
                every = range(len(moving.measure.frame.leaves))
                widen(Pool(moving.measure, moving.room, every, moving.bounds), aim)
    in_layers = [isinstance(pool.measure, Layers) for pool, change in found_changes if change.any()]
    # Where two counts hold one, few layers can move.
    assert not all(in_layers)
    assert any(in_layers) or two_wholes
    for pool, change in found_changes:
        assert (pool.measure.atoms + change >= 0).all()
        now = counts_in(pool, change, audit)
        for quantity, atoms in now.items():
            measure = audit.measures[quantity]
            assert (atoms >= 0).all()
            assert (measure.frame.cells(atoms) == measure.cells)[measure.shown].all()
            for whole in audit.wholes(quantity):
                assert (atoms <= now[whole]).all()


def test_the_worlds_of_layers_are_more_than_nothing(
    tmp_path: Path, found_changes: list[tuple[Pool, np.ndarray]]
) -> None:
    for seed in range(4):
        audit = audit_of(tmp_path / str(seed), drawn(seed, most=6))
        choose(audit, FOREVER, "drawn")
    layered = [pool.measure.chain for pool, _ in found_changes if isinstance(pool.measure, Layers)]
    assert {len(chain) for chain in layered} == {2, 3}


def hidden_totals(folder: Path, seeds: Sequence[int]) -> int:
    """How many totals of births are hidden, of the places that have no few of their own."""
    found = 0
    for seed in seeds:
        audit = audit_of(folder / str(seed), drawn(seed))
        choose(audit, FOREVER, "drawn")
        (births,) = (one for one in audit.measures.values() if not audit.wholes(one.quantity))
        total = births.frame.depth == 0
        found += int((births.hidden & ~births.sensitive)[:, total].sum())
    return found


def test_fewer_totals_are_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    in_layers = hidden_totals(tmp_path / "with", range(20))
    monkeypatch.setattr(auditing, "can_be_layers", lambda chain, links: False)
    alike = hidden_totals(tmp_path / "without", range(20))
    assert in_layers < alike
