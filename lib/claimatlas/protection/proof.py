"""Prove that nothing sensitive follows by linear algebra, also for a reader who knows one record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from claimatlas.protection.audit import Audit, Goal, Mover
from claimatlas.protection.frames import Mask
from claimatlas.protection.modular import PRIMES, Residues, inverse
from claimatlas.protection.nullspace import figures_of_changes, random_changes
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.worlds import Aim, Bounds

_ROUNDS = 12
Figure = tuple[Quantity, int, int]


@dataclass
class Proof:
    """unplanned: sensitive figures of no planned cell that were checked. insiders: counts of one that were revealed.

    repaired: figures that only this step found open, and that were mended. failures: those that are open still; failed:
    the populations that they are of.
    """

    unplanned: int = 0
    insiders: int = 0
    repaired: int = 0
    primes: tuple[int, ...] = PRIMES
    failures: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)


def prove(audit: Audit, progress: Callable[[str], None]) -> Proof:
    """Look for secrets that are determined, alone or once a count of one is known; mend them, and look again."""
    proof = Proof()
    waiting = _waiting(audit)
    for _ in range(_ROUNDS):
        before = {one: audit.measures[one].shown.copy() for one in audit.order}
        proof.failures, proof.failed, proof.unplanned, proof.insiders = [], set(), 0, 0
        for quantity in waiting:
            _prove_one(audit, quantity, proof)
        hidden = [one for one in waiting if (before[one] != audit.measures[one].shown).any()]
        progress(f"linear algebra: {proof.repaired} mended, {len(proof.failures)} open")
        if not hidden:
            return proof
    return proof


def is_open(audit: Audit) -> bool:
    """Whether a secret is determined now, alone or once a count of one is known."""
    return any(next(_open_figures(audit, one, Proof()), None) is not None for one in _waiting(audit))


def _waiting(audit: Audit) -> list[Quantity]:
    return [one for one in audit.order if not audit.is_known(one) and one not in audit.withheld]


def _prove_one(audit: Audit, quantity: Quantity, proof: Proof) -> None:
    for figure, revealed in _open_figures(audit, quantity, proof):
        if not _mend(audit, figure, revealed, proof):
            _fail(audit, figure, proof)


def _open_figures(audit: Audit, quantity: Quantity, proof: Proof) -> Iterator[tuple[Figure, tuple[int, int] | None]]:
    """The secrets that are determined, each with the count of one (if any) that tells it."""
    measure = audit.measures[quantity]
    changes = {prime: _changes(audit, quantity, prime) for prime in PRIMES}
    fixed = np.logical_and.reduce([(found == 0).all(axis=0) for found in changes.values()])
    secret = _secret(audit, quantity, fixed)
    proof.unplanned += int((secret & ~measure.planned).sum())
    revealed = ~measure.shown & (measure.cells == 1) & ~fixed
    proof.insiders += int(revealed.sum())
    small = measure.small & measure.hidden
    for unit, split in np.argwhere(secret & fixed).tolist():
        yield (quantity, unit, split), None
    if not quantity.is_magnitude:
        for one, (unit, split) in _tied(small, revealed, changes):
            yield (quantity, unit, split), one


def _changes(audit: Audit, quantity: Quantity, prime: int) -> Residues:
    """Two random changes of all figures, by change, unit and split."""
    measure = audit.measures[quantity]
    changes = random_changes(measure.frame, measure.shown, prime, measure.possible)
    return np.stack([figures_of_changes(measure.frame, one, prime) for one in changes])


def _secret(audit: Audit, quantity: Quantity, fixed: Mask) -> Mask:
    """The figures, planned or not, that would tell a sensitive count once they are determined."""
    measure = audit.measures[quantity]
    found = measure.small & ~measure.shown
    if quantity in audit.told:
        # What readers know from elsewhere to the last one is no news.
        found = found & (audit.told[quantity] > 0)
    for whole, gap in measure.gaps.items():
        if whole in audit.measures and audit.measures[whole].frame is measure.frame:
            other = audit.measures[whole]
            known = np.ones_like(fixed) if audit.is_known(whole) else other.shown
            if whole in audit.told:
                known = known | (audit.told[whole] == 0)
            found = found | (gap & known & ~measure.shown)
    # Where a shown zero leaves nobody, a zero is no news.
    return np.asarray(found & (measure.cells > 0) | (found & ~measure.small))


def _tied(
    targets: Mask, revealed: Mask, changes: dict[int, Residues]
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """A count of one, and another secret that has one value only once it is known: they always change in step."""
    prime = PRIMES[0]
    first, second = changes[prime]
    by_ratio: dict[int, list[tuple[int, int]]] = {}
    for unit, split in np.argwhere(revealed):
        by_ratio.setdefault(_ratio(first[unit, split], second[unit, split], prime), []).append((int(unit), int(split)))
    for unit, split in np.argwhere(targets):
        for one in by_ratio.get(_ratio(first[unit, split], second[unit, split], prime), ()):
            # Equal changes are the same count under two names.
            if first[one] != first[unit, split]:
                yield one, (int(unit), int(split))
                break


def _ratio(first: np.uint64, second: np.uint64, prime: int) -> int:
    return int(first) * inverse(int(second), prime) % prime if second else -1


def _mend(audit: Audit, figure: Figure, revealed: tuple[int, int] | None, proof: Proof) -> bool:
    """Hide more until a figure can be another, with the revealed one as it is."""
    quantity, unit, split = figure
    measure = audit.measures[quantity]
    targets = np.zeros_like(measure.planned)
    targets[unit, split] = True
    bounds = Bounds.of(measure.cells)
    aim = Aim(bounds, targets, np.ones_like(measure.cells))
    for mover in _movers(audit, quantity):
        if audit.mend_alone(mover, aim, bounds, (unit, split), (quantity, *revealed) if revealed else None):
            proof.repaired += 1
            return True
    return False


def _movers(audit: Audit, quantity: Quantity) -> tuple[Mover, ...]:
    goals: list[Goal] = audit.goals(quantity)
    movers = goals[0].movers if goals else (Mover(quantity, 1),)
    return tuple(mover for mover in movers if not mover.chain) or (Mover(quantity, 1),)


def _fail(audit: Audit, figure: Figure, proof: Proof) -> None:
    quantity, unit, split = figure
    frame = audit.measures[quantity].frame
    place = frame.units[unit]
    proof.failed.add(quantity.population)
    proof.failures.append(
        f"{quantity.label} {place.level or 'of no known place'} {place.code} {'/'.join(frame.splits[split])}"
    )
