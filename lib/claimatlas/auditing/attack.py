"""What a reader can work out of the published figures of a year, by all attacks together."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from claimatlas.auditing.algebra import PRIMES, Residues, changes_of, determined
from claimatlas.auditing.figures import Key, Published
from claimatlas.auditing.insiders import ties
from claimatlas.auditing.lattice import Count, Lattice, Mask, narrow
from claimatlas.auditing.programs import model_of, published_model_of, unknowns
from claimatlas.auditing.search import Aim, Search
from claimatlas.auditing.targets import tables_of, targets_of, write_bounds
from claimatlas.configuration.rounding import HIDDEN_BELOW

Progress = Callable[[str], None]
FINEST = 6000
"""Up to so many finest counts the programs are over all of them; beyond, over the figures that are hidden."""


@dataclass(frozen=True)
class Finding:
    """A figure that can be worked out: its place, what it is of, and its bounds.

    kind: shown (a published figure tells it), small (proved to be 1 to k-1; where counts are rounded: to be which of
    1 to 7), full (every member of a group has the sensitive outcome), determined (one value, that is not sensitive by
    itself), narrow (fewer than k values, some of them 1 to k-1: a reader cannot tell whether it is sensitive), insider
    (a member who is alone in another figure would know it, and it would be small).
    of: count, difference, or the side of a full group. is_planned: whether it is published, and hidden.
    """

    kind: str
    of: str
    key: Key
    low: int
    high: int
    is_planned: bool = True

    @property
    def is_proof(self) -> bool:
        """Whether the published files alone prove that something sensitive is told."""
        return self.kind in ("shown", "small", "full")


@dataclass
class Outcome:
    """The findings, and how much was attacked.

    determined: hidden figures with one value. undecided: figures that may be proved small, or determined, for all that
    the programs say. unsettled: others for which they found neither k values nor bounds that exclude them.
    seconds: by step.
    """

    findings: list[Finding] = field(default_factory=list)
    hidden: int = 0
    determined: int = 0
    unplanned: int = 0
    programs: int = 0
    undecided: int = 0
    unsettled: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """What is sensitive: k, differences of counts (larger first), and counts that are nobody's secret.

    rounded_levels: those of which the method rounds counts.
    settle_all: programs aim at every hidden figure, also of a whole country; else there only at those that a reader
    could have a proof of. told: the bounds of all figures by what readers know from elsewhere alone; to know no more of
    a count is no finding.
    """

    k: int
    differences: frozenset[tuple[str, str]] = frozenset()
    known: frozenset[str] = frozenset()
    settle_all: bool = False
    told: Lattice | None = None
    rounded_levels: frozenset[str] = frozenset()

    @property
    def is_rounded(self) -> bool:
        """Whether the method rounds counts: then it promises that no small one is proved, and no more."""
        return bool(self.rounded_levels)

    @property
    def hidden_below(self) -> int:
        """A count of 1 to one less is sensitive."""
        return HIDDEN_BELOW if self.is_rounded else self.k

    @property
    def width(self) -> int:
        """How far apart the values of a sensitive count must be at least."""
        return 1 if self.is_rounded else self.k - 1


def attack(
    found: Published, lattice: Lattice, rules: Rules, progress: Progress = lambda message: None, until: float = math.inf
) -> Outcome:
    """Attack the figures of a year; until: when the time for programs is over.

    Raises:
        InputError: they contradict each other.
    """
    outcome = _counted(lattice)
    if not any(count.shown.any() or count.low.any() for count in lattice.counts):
        return outcome  # Of what nothing is shown, and no other release tells, nothing is bounded.
    begin = time.monotonic()
    narrow(lattice)
    outcome.seconds["bounds"] = time.monotonic() - begin
    changes = _changes(lattice)
    fixed = [determined(one) for one in changes]
    outcome.seconds["algebra"] = time.monotonic() - begin - outcome.seconds["bounds"]
    is_small = unknowns(lattice) <= FINEST
    model = model_of(lattice) if is_small else published_model_of(lattice)
    outcome.seconds["model"] = time.monotonic() - begin - sum(outcome.seconds.values())
    targets = targets_of(lattice, model, _targets(found, lattice, rules, fixed if is_small else None))
    proofs_only = not (is_small or rules.settle_all)
    aim = Aim(rules.width, is_small, proofs_only=proofs_only, at_once=rules.is_rounded, until=until)
    search = Search(lattice, model, targets, aim, progress)
    effort = search.run()
    write_bounds(lattice, search.targets)
    narrow(lattice)
    outcome.programs, outcome.undecided = effort.programs, search.count_unproved()
    outcome.unsettled = search.count_open() - outcome.undecided
    outcome.seconds.update(effort.seconds)
    findings = [*_counts(found, lattice, rules), *_gaps(found, lattice, rules)]
    findings += [*_full(found, lattice), *_shown(found, rules)]
    if not rules.is_rounded:
        findings += _insiders(found, lattice, rules, changes, search)
    outcome.determined = sum(int((count.hidden & (count.low == count.high)).sum()) for count in lattice.counts)
    outcome.findings = sorted(set(findings), key=lambda one: (one.key, one.of, one.kind))
    return outcome


def _counted(lattice: Lattice) -> Outcome:
    """How many figures are hidden, and how many are not planned."""
    hidden = sum(int(count.hidden.sum()) for count in lattice.counts)
    return Outcome(hidden=hidden, unplanned=sum(int((~count.planned).sum()) for count in lattice.counts))


def _changes(lattice: Lattice) -> list[list[Residues]]:
    """Drawn changes of each count's figures, by prime, that leave what the bounds tell already as it is."""
    known = [np.asarray(count.low == count.high) for count in lattice.counts]
    by_prime = [changes_of(lattice, known, prime) for prime in PRIMES]
    return [[changes[number] for changes in by_prime] for number in range(len(lattice.counts))]


def _targets(found: Published, lattice: Lattice, rules: Rules, fixed: list[Mask] | None) -> list[Mask]:
    """What the programs aim at: hidden figures and differences of them, and others that algebra says are determined.

    fixed: what it says; none where the programs do not have those figures.


    Where one of two counts is shown as it is, their difference is as wide as the other.
    """
    targets = []
    for number, count in enumerate(lattice.counts):
        mask = fixed[number] if fixed else count.planned
        nothing = np.zeros_like(count.planned)
        is_asked = count.name not in rules.known and count.name not in found.magnitudes
        targets.append(((count.planned | mask) & ~count.shown) if is_asked else nothing)
    watched = _watched(found, rules)
    for order in lattice.orders:
        part, whole = lattice.counts[order.part], lattice.counts[order.whole]
        one, other = order.cells
        hidden = part.planned[one]
        if not rules.is_rounded:
            hidden = hidden & ~part.shown[one] & ~whole.shown[other]
        targets.append(hidden if (part.name, whole.name) in watched else np.zeros_like(hidden))
    if rules.is_rounded:
        # What cannot be small may be known.
        tables = tables_of(lattice)
        small = [(table.low < rules.hidden_below) & (table.high > 0) for table in tables]
        return [target & own for target, own in zip(targets, small, strict=True)]
    return targets


def _watched(found: Published, rules: Rules) -> set[tuple[str, str]]:
    """The pairs of counts, smaller first, of which the difference must not be told."""
    shares = {(upper[0], lower[0]) for upper, lower, _ in found.shares}
    return shares | {(part, whole) for whole, part in rules.differences}


def _counts(found: Published, lattice: Lattice, rules: Rules) -> Iterator[Finding]:
    for number, count in enumerate(lattice.counts):
        if count.name in rules.known:
            continue
        if count.name in found.magnitudes:
            yield from _magnitudes(lattice, number, count)
            continue
        for node, split in np.argwhere(~count.shown & (count.high - count.low < rules.width)):
            low, high = int(count.low[node, split]), int(count.high[node, split])
            if rules.told and (low, high) == rules.told.bounds(number, int(node), int(split)):
                continue
            is_planned = bool(count.planned[node, split])
            kind = _kind(low, high, rules.hidden_below)
            if kind == "small" or (kind and is_planned):
                yield Finding(kind, "count", lattice.key(number, int(node), int(split)), low, high, is_planned)


def _magnitudes(lattice: Lattice, number: int, count: Count) -> Iterator[Finding]:
    """A sum over members is hidden where it would tell of one of them: only its value itself is named."""
    for node, split in np.argwhere(count.hidden & (count.low == count.high)):
        value = int(count.low[node, split])
        yield Finding("determined", "count", lattice.key(number, int(node), int(split)), value, value)


def _gaps(found: Published, lattice: Lattice, rules: Rules) -> Iterator[Finding]:
    watched = _watched(found, rules)
    for order in lattice.orders:
        part, whole = lattice.counts[order.part], lattice.counts[order.whole]
        if (part.name, whole.name) not in watched:
            continue
        one, other = order.cells
        hidden = part.planned[one]
        if not rules.is_rounded:
            # Of two counts that are shown as they are, the difference is judged where it stands.
            hidden = hidden & (~part.shown[one] | ~whole.shown[other])
        if whole.name in rules.known:
            # Where nobody has it, the difference is the count that everybody knows; and as long as nobody may have it,
            # no small difference is proved but that.
            is_few = (part.low[one] == 0) & (whole.high[other] < rules.k)
            hidden = hidden & (part.high[one] > 0) & ~is_few
        gap = order.gap
        for node, split in np.argwhere(hidden & (gap.high - gap.low < rules.width)):
            low, high = int(gap.low[node, split]), int(gap.high[node, split])
            kind = _kind(low, high, rules.hidden_below)
            if kind and kind != "determined":
                key = lattice.key(order.part, int(node), int(order.splits[0][split]))
                yield Finding(kind, f"difference to {whole.name}", key, low, high)


def _full(found: Published, lattice: Lattice) -> Iterator[Finding]:
    """Groups with somebody in them, of which a reader knows that all have the sensitive outcome."""
    gaps = {(order.part, order.whole): order for order in lattice.orders}
    for upper, lower, side in found.shares:
        if side == "none" or (found.values[upper] is not None and found.values[lower] is not None):
            continue
        part, node, split = lattice.find(upper)
        whole, _, other = lattice.find(lower)
        if lattice.counts[whole].low[node, other] <= 0:
            continue
        if side == "complement":
            is_full = lattice.counts[part].high[node, split] == 0
        else:
            order = gaps[part, whole]
            own = int(np.nonzero(order.splits[0] == split)[0][0])
            is_full = order.gap.high[node, own] == 0
        if is_full:
            yield Finding("full", side, upper, 0, 0)


def _shown(found: Published, rules: Rules) -> Iterator[Finding]:
    """What is small and stands there to be read, or follows from two figures that do."""
    k = rules.hidden_below
    for key, value in found.values.items():
        if value is not None and 1 <= value < k and key[0] not in found.magnitudes and key[0] not in rules.known:
            yield Finding("shown", "count", key, value, value)
    sides = {(upper, lower): side for upper, lower, side in found.shares}
    for smaller, larger in found.order:
        part, whole = found.values[smaller], found.values[larger]
        side = sides.get((smaller, larger))
        if part is None or whole is None or (side is None and (larger[0], smaller[0]) not in rules.differences):
            continue
        if smaller[1] in rules.rounded_levels:
            # Two rounded counts do not tell their difference.
            continue
        if 1 <= whole - part < k:
            yield Finding("shown", f"difference to {larger[0]}", smaller, whole - part, whole - part)
        if whole and ((side == "numerator" and part == whole) or (side == "complement" and part == 0)):
            yield Finding("full", str(side), smaller, part, part)


def _insiders(
    found: Published, lattice: Lattice, rules: Rules, changes: list[list[Residues]], search: Search
) -> Iterator[Finding]:
    """Small counts that somebody would know who is alone in another."""
    for number, count in enumerate(lattice.counts):
        if count.name in rules.known or count.name in found.magnitudes:
            continue
        for (node, split), value in ties(count, changes[number][0], PRIMES[0], search.figures(number)):
            if 1 <= value < rules.k and count.low[node, split] <= value <= count.high[node, split]:
                yield Finding("insider", "count", lattice.key(number, node, split), value, value)


def _kind(low: int, high: int, k: int) -> str | None:
    if low >= 1 and high < k:
        return "small"
    if low == high:
        return "determined"
    return "narrow" if low < k and high >= 1 else None
