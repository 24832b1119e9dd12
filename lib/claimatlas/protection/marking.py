"""Mark the figures that are sensitive by themselves, and what is hidden together with a hidden figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from claimatlas.configuration import Configuration
from claimatlas.configuration.publication import Publication
from claimatlas.errors import InputError
from claimatlas.protection.links import Links
from claimatlas.protection.plan import Figure, PlannedCell
from claimatlas.protection.quantities import Quantity, Reading
from claimatlas.protection.shares import Share, is_dominated, is_known, is_small
from claimatlas.protection.tables import Measure, YearTables


class Marks:
    """Hides figures, each with all that must go with it."""

    def __init__(self, measures: Mapping[Quantity, Measure], links: Links, cells: Sequence[PlannedCell]) -> None:
        self.measures, self.links, self.cells = measures, links, cells
        self.dependants: dict[Figure, set[Figure]] = {}
        for cell in cells:
            if cell.numerator is not None and cell.numerator != cell.denominator:
                self.dependants.setdefault(cell.denominator, set()).add(cell.numerator)
        for link in links.all:
            for (unit, split), (upper, other) in link.pairs:
                one, whole = (link.part, unit, split), (link.whole, upper, other)
                if link.whole.is_magnitude:
                    # A sum over persons is hidden with their number, which is never above it.
                    self.dependants.setdefault(one, set()).add(whole)
                else:
                    self.dependants.setdefault(whole, set()).add(one)
        self._same_frame = {q: [link.part for link in links.below(q) if link.same_frame] for q in measures}
        self._whole_frame = {q: [link.whole for link in links.above(q) if link.same_frame] for q in measures}
        self._leaders: dict[Figure, list[Figure]] = {}
        for leader, followers in self.dependants.items():
            for follower in sorted(followers):
                self._leaders.setdefault(follower, []).append(leader)

    def hidden_cells(self) -> list[PlannedCell]:
        """The planned cells of which a figure is hidden."""
        return [
            cell
            for cell in self.cells
            if any(
                self.measures[quantity].hidden[unit, split]
                for quantity, unit, split in filter(None, (cell.denominator, cell.numerator))
            )
        ]

    def hide(self, figure: Figure) -> list[Figure]:
        """Hide a planned figure, its twins and the numerators of a denominator; gives back what is newly hidden."""
        found, waiting = [], [figure]
        while waiting:
            quantity, unit, split = one = waiting.pop()
            measure = self.measures[quantity]
            if not measure.planned[unit, split] or measure.hidden[unit, split]:
                if not measure.planned[unit, split]:
                    waiting += self._below(one)
                continue
            measure.hidden[unit, split] = True
            found.append(one)
            waiting += [*self.links.twins.get(one, ()), *self._below(one)]
        return found

    def above(self, figure: Figure) -> list[Figure]:
        """The planned figures with which a figure is hidden, its twins aside."""
        found, waiting, seen = [], [*self._directly_above(figure)], {figure}
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            quantity, unit, split = one
            if self.measures[quantity].planned[unit, split]:
                found.append(one)
            else:
                waiting += self._directly_above(one)
        return found

    def _directly_above(self, figure: Figure) -> list[Figure]:
        quantity, unit, split = figure
        if quantity.is_magnitude:
            # A sum over persons goes with their number.
            wholes = [(part, unit, split) for part in self._same_frame[quantity]]
        else:
            wholes = [(whole, unit, split) for whole in self._whole_frame[quantity] if not whole.is_magnitude]
        return [*wholes, *self._leaders.get(figure, ())]

    def _below(self, figure: Figure) -> list[Figure]:
        quantity, unit, split = figure
        if quantity.is_magnitude:
            return []
        # A count within a hidden one is hidden with it: shown, it would bound the other from below.
        parts = [(part, unit, split) for part in self._same_frame[quantity]]
        # A sum over persons is hidden with their number.
        parts += [(whole, unit, split) for whole in self._whole_frame[quantity] if whole.is_magnitude]
        return [*parts, *sorted(self.dependants.get(figure, ()))]


def _mark_sums(tables: YearTables, links: Links, publication: Publication) -> None:
    """Mark the sums of services of which one of the members who have the service could give too much."""
    for persons, sums, at in sums_over_members(tables.measures, links):
        if is_dominated(sums.cells[at], persons, publication):
            sums.small[at] = sums.sensitive[at] = True


def sums_over_members(
    measures: Mapping[Quantity, Measure], links: Links
) -> Iterator[tuple[int, Measure, tuple[int, int]]]:
    """Each figure of a sum of services, by unit and split, with the number of members who have the service."""
    for link in links.all:
        if link.whole.is_magnitude:
            persons, sums = measures[link.part], measures[link.whole]
            every = ((cell, cell) for cell in np.ndindex(*sums.cells.shape)) if link.same_frame else link.pairs
            for own, (unit, split) in every:
                yield int(persons.cells[own[0], own[1]]), sums, (unit, split)


def mark(
    tables: YearTables,
    cells: Sequence[PlannedCell],
    marks: Marks,
    configuration: Configuration,
    publication: Publication,
) -> None:
    """Find the sensitive figures, planned or not, and hide the planned ones."""
    reading = Reading.of(configuration, publication)
    indicators = {indicator.id: indicator for indicator in configuration.indicators}
    k = publication.k
    for quantity, measure in tables.measures.items():
        if not quantity.is_magnitude and not is_known(quantity, publication):
            measure.small |= is_small(measure.cells, k) & measure.counted
            measure.sensitive |= measure.small
    published = {cell.indicator for cell in cells}
    for name in sorted(published):
        indicator = indicators[name]
        numerator = reading.numerator(indicator)
        if numerator is None:
            continue
        share = Share.between(tables, reading.denominator(indicator), numerator, indicator)
        if share is not None:
            share.mark(publication.sensitive_sides[name], publication)
    for position, difference in enumerate(publication.differences):
        whole, part = (reading.part(indicators[name], difference.of) for name in (difference.whole, difference.part))
        if not part.lies_within(whole):
            raise InputError(
                f"publication.yaml: differences.{position}: {difference.part} does not lie within {difference.whole} "
                "by their declarations, so their difference is no count."
            )
        share = Share.between(tables, whole, part, indicators[difference.part])
        if share is not None and not share.is_of_one_table:
            share.mark_gap(is_small(share.gap, k))
    _mark_sums(tables, marks.links, publication)
    for quantity in sorted(tables.measures):
        measure = tables.measures[quantity]
        for unit, split in zip(*np.nonzero(measure.sensitive & measure.planned), strict=True):
            marks.hide((quantity, int(unit), int(split)))
    for cell in cells:
        # A small denominator that readers know hides its numerator all the same.
        whole, unit, split = cell.denominator
        if cell.numerator is not None and is_small(tables.measures[whole].cells[unit, split], k):
            marks.hide(cell.numerator)
