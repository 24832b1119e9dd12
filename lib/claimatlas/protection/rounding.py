"""The method `rounded`: counts of 1 to 7 are hidden, all others rounded to the nearest 5.

Rounding leaves few figures to be worked out. What the attack of ``claimatlas audit`` proves all the same, as of
twelve hidden counts beside a sum of 10, is mended by hiding the nearest rounded figure too, until it proves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product

import numpy as np

from claimatlas.auditing.attack import Finding, Outcome, Progress, attack
from claimatlas.auditing.figures import Key, Published, count_names, figures_of
from claimatlas.auditing.lattice import Lattice, lattice_of
from claimatlas.auditing.rounding import bound_by_method
from claimatlas.auditing.run import first_consistent, know_from_elsewhere, know_other_releases, rules_of
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.publication import Publication
from claimatlas.configuration.rounding import BASE, HIDDEN_BELOW
from claimatlas.errors import QualityGateError
from claimatlas.protection.candidate import PublishingRules, Row, rows_of_year
from claimatlas.protection.frames import Counts
from claimatlas.protection.ledger import CellKey, ShownBefore, key_of_cell
from claimatlas.protection.links import Links
from claimatlas.protection.marking import sums_over_members
from claimatlas.protection.plan import Figure, PlannedCell
from claimatlas.protection.quantities import Quantity, Reading
from claimatlas.protection.shares import Share, is_dominated, is_small
from claimatlas.protection.tables import Measure, YearTables
from claimatlas.tables.schemas import ALL

_MOST_ROUNDS = 50


@dataclass
class Rounded:
    """A year whose counts are rounded. beyond: what is hidden for others' sake, by its published name."""

    cells: Sequence[PlannedCell]
    measures: Mapping[Quantity, Measure]
    rules: PublishingRules
    year: int
    release: int
    before: Mapping[CellKey, ShownBefore] = field(default_factory=dict)
    progress: Progress = lambda message: None
    beyond: set[Key] = field(default_factory=set)
    programs: int = 0

    @property
    def rows(self) -> list[Row]:
        """The rows of ``published/cells``."""
        return rows_of_year(self.cells, as_rounded(self.measures, self.rules), self.rules, self.year, self.release)

    def hide_what_is_proved(self, until: float) -> None:
        """Attack the rows as readers can, and hide more until nothing is proved.

        A reader who knows which figures are hidden for others' sake is an attacker too.

        Raises:
            QualityGateError: something cannot be hidden, or the time is over.
        """
        for _ in range(_MOST_ROUNDS):
            findings = [*self._attacked(until, with_beyond=True)]
            if not findings and self.beyond:
                findings = [*self._attacked(until, with_beyond=False)]
            if not findings:
                return
            self._mend(findings)
        raise QualityGateError(f"{self.year}: {len(findings)} figures could be worked out. Nothing is written.")

    def _attacked(self, until: float, *, with_beyond: bool) -> Iterator[tuple[Lattice, Finding]]:
        """What is proved, by somebody who knows what is hidden for others' sake, or does not."""
        configuration, publication = self.rules.configuration, self.rules.publication
        population_of = {indicator.id: indicator.population for indicator in configuration.indicators}
        rows = self.rows
        for population in sorted({population_of[row["indicator_id"]] for row in rows}):
            own = [row for row in rows if population_of[row["indicator_id"]] == population]
            found = figures_of(own, configuration, publication, self.year)
            # As the audit does it: see there.
            knowledge = product((frozenset(self.beyond) if with_beyond else frozenset(), None), (self._former(), {}))
            lattice, outcome = first_consistent(
                partial(self._attack, found, population, until, *one) for one in knowledge
            )
            self.programs += outcome.programs
            if outcome.undecided:
                raise QualityGateError(
                    f"{self.year}: The programs ran out of their time (budget_seconds): {outcome.undecided} figures "
                    "could be worked out. Nothing is written."
                )
            yield from ((lattice, one) for one in outcome.findings if one.is_proof)

    def _attack(
        self,
        found: Published,
        population: Population,
        until: float,
        beyond: frozenset[Key] | None,
        before: Mapping[Key, int],
    ) -> tuple[Lattice, Outcome]:
        configuration, publication = self.rules.configuration, self.rules.publication
        lattice = lattice_of(found, configuration, publication, population, self.year)
        bound_by_method(lattice, found, publication, configuration.settings.geography.country_level, beyond)
        former = Published(values={key: count for key, count in before.items() if key in found.values})
        know_other_releases(lattice, found, [former], publication)
        told = know_from_elsewhere(lattice, self.rules.known, self.year, population)
        rules = replace(rules_of(configuration, publication, population), told=told)
        return lattice, attack(found, lattice, rules, self.progress, until)

    def _former(self) -> dict[Key, int]:
        """What other releases showed."""
        found = {}
        for cell, figure_keys in self._keys():
            before = self.before.get(key_of_cell(cell, self.year, self.rules.configuration.dimensions.names))
            if before is not None:
                counts = (before.numerator, before.denominator)
                found.update({key: n for key, n in zip(figure_keys, counts, strict=True) if n is not None})
        return found

    def _keys(self) -> Iterator[tuple[PlannedCell, tuple[Key, Key]]]:
        """Each cell with the published names of its numerator and denominator."""
        configuration = self.rules.configuration
        names = {indicator.id: count_names(indicator) for indicator in configuration.indicators}
        for cell in self.cells:
            split = tuple(cell.split.get(name, ALL) for name in configuration.dimensions.names)
            part, whole = names[cell.indicator]
            yield cell, ((part, cell.level, cell.code, split), (whole, cell.level, cell.code, split))

    def _mend(self, findings: Sequence[tuple[Lattice, Finding]]) -> None:
        """Hide the rounded figures that are nearest to those that are proved: what is near to most of them first.

        Raises:
            QualityGateError: nothing is shown that could be hidden.
        """
        figures = self._figures()
        parts: dict[Key, set[Key]] = {}
        for _, (part, whole) in self._keys():
            parts.setdefault(whole, set()).add(part)
        near = [self._near(lattice, one, figures) for lattice, one in findings]
        while near:
            numbers = Counter(key for keys in near for key in keys)
            best = min(numbers, key=lambda key: (-numbers[key], *self._cost(key, figures[key])))
            # Shown beside a hidden denominator, a numerator would tell that there are more than few.
            for key in {best, *parts.get(best, ())} & figures.keys():
                self.beyond.add(key)
                for quantity, unit, split in figures[key]:
                    self.measures[quantity].hidden[unit, split] = True
            near = [keys for keys in near if best not in keys]

    def _figures(self) -> dict[Key, set[Figure]]:
        """Where each published count stands, by its published name."""
        figures: dict[Key, set[Figure]] = {}
        for cell, (part, whole) in self._keys():
            figures.setdefault(whole, set()).add(cell.denominator)
            if cell.numerator is not None:
                figures.setdefault(part, set()).add(cell.numerator)
        return figures

    def _near(self, lattice: Lattice, finding: Finding, figures: Mapping[Key, set[Figure]]) -> list[Key]:
        """The rounded figures that are nearest to one that is proved, by sums and orders; else the nearest zeros."""
        zeros: list[Key] = []
        seen, edge = {finding.key}, [finding.key]
        while edge:
            edge = sorted({other for key in edge for other in _beside(lattice, key)} - seen)
            seen.update(edge)
            shown = [key for key in edge if any(self._is_shown(one) for one in figures.get(key, ()))]
            rounded = [key for key in shown if self._count(figures[key])]
            if rounded:
                return rounded
            zeros = zeros or shown
        if not zeros:
            raise QualityGateError(
                f"{self.year}: a figure of {finding.key[1]} could be worked out. Nothing is written."
            )
        return zeros

    def _count(self, figures: Iterable[Figure]) -> int:
        quantity, unit, split = min(figures)
        return int(self.measures[quantity].cells[unit, split])

    def _is_shown(self, figure: Figure) -> bool:
        quantity, unit, split = figure
        return bool(self.measures[quantity].shown[unit, split])

    def _cost(self, key: Key, figures: Iterable[Figure]) -> tuple[int, int, int, Key]:
        """Splits are cheaper than totals, small places than large ones, small counts than large ones."""
        quantity, unit, split = min(figures)
        measure = self.measures[quantity]
        depth, height = int(measure.frame.depth[split]), int(measure.frame.heights[unit])
        return -depth, height, self._count(figures), key


def _beside(lattice: Lattice, key: Key) -> Iterator[Key]:
    """The figures that stand in a sum or in an order with one."""
    name, level, code, values = key
    number = lattice.number[name]
    count = lattice.counts[number]
    # Those of unknown domicile have a place of no level.
    node = count.places.position[level, code]
    split = count.own_split(values)
    if split is None:
        return
    for whole, parts in count.by_dimension:
        if split == whole or split in parts:
            yield from (lattice.key(number, node, other) for other in (whole, *parts))
    for one in count.sums:
        if node == one.whole or node in one.parts:
            yield from (lattice.key(number, other, split) for other in (one.whole, *one.parts))
    for order in lattice.orders:
        for own, other in ((order.part, order.whole), (order.whole, order.part)):
            if own == number:
                matched = lattice.counts[other].own_split(values)
                if matched is not None and node < len(lattice.counts[other].low):
                    yield lattice.key(other, node, matched)
    for pair in lattice.twins:
        if (number, node, split) in pair:
            yield from (lattice.key(*other) for other in pair)


def mark_rounded(
    tables: YearTables,
    cells: Sequence[PlannedCell],
    links: Links,
    configuration: Configuration,
    publication: Publication,
) -> None:
    """Hide counts of 1 to 7, and what is counted within them; full groups; sums that one member could give."""
    for measure in tables.measures.values():
        measure.sensitive |= is_small(measure.cells, HIDDEN_BELOW)
    reading = Reading.of(configuration, publication)
    indicators = {indicator.id: indicator for indicator in configuration.indicators}
    exact_level = configuration.settings.geography.country_level if publication.country_exact else None
    for name in sorted({cell.indicator for cell in cells}):
        numerator, denominator = reading.numerator(indicators[name]), reading.denominator(indicators[name])
        if numerator is None:
            continue
        share = Share.between(tables, denominator, numerator, indicators[name])
        if share is not None:
            _mark_share(share, publication.sensitive_sides[name], publication, exact_level)
    for difference in publication.differences:
        whole, part = (reading.part(indicators[one], difference.of) for one in (difference.whole, difference.part))
        share = Share.between(tables, whole, part, indicators[difference.part])
        if share is not None and exact_level is not None:
            _mark_exact(share, exact_level)
    for persons, sums, at in sums_over_members(tables.measures, links):
        if 1 <= persons < HIDDEN_BELOW or is_dominated(sums.cells[at], persons, publication):
            sums.sensitive[at] = True
    for measure in tables.measures.values():
        measure.hidden |= measure.sensitive & measure.planned


def _mark_share(share: Share, side: str, publication: Publication, exact_level: str | None) -> None:
    part = share.part
    counts, whole = part.cells[share.cells], share.whole.cells[share.upper]
    # A count of few is not shown either.
    found = is_small(whole, HIDDEN_BELOW)
    if part.quantity.is_magnitude:
        found = found | is_dominated(counts, whole, publication)
    elif side == "numerator":
        found = found | ((whole > 0) & (counts == whole))
    elif side == "complement":
        found = found | ((whole > 0) & (counts == 0))
    part.sensitive[share.cells] |= found
    if exact_level is not None and not part.quantity.is_magnitude:
        _mark_exact(share, exact_level)


def _mark_exact(share: Share, level: str) -> None:
    """Where two exact counts would tell a small difference."""
    rows = np.array([unit.level == level for unit in share.part.frame.units], dtype=bool)
    small = is_small(share.gap, HIDDEN_BELOW) & rows[share.cells[0]]
    share.part.sensitive[share.cells] |= small


def as_rounded(measures: Mapping[Quantity, Measure], rules: PublishingRules) -> dict[Quantity, Measure]:
    """The measures with the counts that are shown."""
    country = rules.configuration.settings.geography.country_level
    found = {}
    for quantity, measure in measures.items():
        exact = np.array([rules.publication.is_exact(unit.level, country) for unit in measure.frame.units], dtype=bool)
        rounded = (measure.cells + BASE // 2) // BASE * BASE
        shown: Counts = np.where(exact[:, None], measure.cells, rounded)
        found[quantity] = replace(measure, cells=shown)
    return found
