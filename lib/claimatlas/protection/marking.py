"""Mark the figures that are sensitive by themselves, and what is hidden together with a hidden figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from claimatlas.configuration import Configuration
from claimatlas.configuration.publication import Publication
from claimatlas.errors import InputError
from claimatlas.protection.frames import Counts, Mask
from claimatlas.protection.links import Links, common_figures
from claimatlas.protection.plan import Figure, PlannedCell
from claimatlas.protection.quantities import Quantity, denominator_of, numerator_of
from claimatlas.protection.tables import Measure


class Marks:
    """Hides figures, each with all that must go with it."""

    def __init__(self, measures: Mapping[Quantity, Measure], links: Links, cells: Sequence[PlannedCell]) -> None:
        self.measures, self.links = measures, links
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
        wholes = [(whole, unit, split) for whole in self._whole_frame[quantity] if not whole.is_magnitude]
        return [*wholes, *self._leaders.get(figure, ())]

    def _below(self, figure: Figure) -> list[Figure]:
        quantity, unit, split = figure
        if quantity.is_magnitude:
            return []
        # A count within a hidden one is hidden with it: shown, it would bound the other from below.
        parts = [(part, unit, split) for part in self._same_frame[quantity]]
        return [*parts, *sorted(self.dependants.get(figure, ()))]


def mark(
    measures: Mapping[Quantity, Measure],
    cells: Sequence[PlannedCell],
    marks: Marks,
    configuration: Configuration,
    publication: Publication,
) -> None:
    """Find the sensitive figures, planned or not, and hide the planned ones."""
    types = tuple(configuration.services.delivery_types)
    indicators = {indicator.id: indicator for indicator in configuration.indicators}
    k = publication.k
    for quantity, measure in measures.items():
        if not quantity.is_magnitude and quantity.population not in _known(quantity, publication):
            measure.small |= _is_small(measure.cells, k)
            measure.sensitive |= measure.small
    published = {cell.indicator for cell in cells}
    for name in sorted(published):
        indicator = indicators[name]
        whole, part = denominator_of(indicator, types), numerator_of(indicator, types)
        if part in measures and part != whole:
            side = publication.sensitive_sides[name]
            _mark_share(measures[part], whole, _aligned(measures[part], measures[whole]), side, publication)
    for position, difference in enumerate(publication.differences):
        count = numerator_of if difference.of == "numerator" else denominator_of
        whole, part = (count(indicators[name], types) for name in (difference.whole, difference.part))
        if not part.lies_within(whole):
            raise InputError(
                f"publication.yaml: differences.{position}: {difference.part} does not lie within {difference.whole} "
                "by their declarations, so their difference is no count."
            )
        _mark_difference(measures, whole, part, publication.k)
    for quantity in sorted(measures):
        measure = measures[quantity]
        for unit, split in zip(*np.nonzero(measure.sensitive & measure.planned), strict=True):
            marks.hide((quantity, int(unit), int(split)))
    for cell in cells:
        # A small denominator that readers know hides its numerator all the same.
        whole, unit, split = cell.denominator
        if cell.numerator is not None and _is_small(measures[whole].cells[unit, split], k):
            marks.hide(cell.numerator)


def _known(quantity: Quantity, publication: Publication) -> set[str]:
    """The populations whose own size readers know from elsewhere."""
    return set(publication.known_within) if quantity.kind == "all" and not quantity.with_stay else set()


def _is_small(counts: Counts, k: int) -> Mask:
    return np.asarray((counts >= 1) & (counts < k))


def _aligned(part: Measure, whole: Measure) -> Counts:
    """The whole's counts at each figure of the part's frame."""
    if part.frame is whole.frame:
        return whole.cells
    units = [whole.frame.unit_position[unit.level, unit.code] for unit in part.frame.units]
    splits = [
        whole.frame.split_position[
            tuple(
                dict(zip(part.frame.dimensions, split, strict=True)).get(name, "all") for name in whole.frame.dimensions
            )
        ]
        for split in part.frame.splits
    ]
    return np.asarray(whole.cells[np.ix_(units, splits)])


def _mark_share(part: Measure, quantity: Quantity, whole: Counts, side: str, publication: Publication) -> None:
    k = publication.k
    # A figure of a small group would tell the group.
    part.sensitive |= _is_small(whole, k)
    if part.quantity.is_magnitude:
        least = publication.dominance.least_of_member
        others = np.maximum(whole - 1, 0) * least
        part.small |= (part.cells > 0) & (part.cells - others > publication.dominance.share * part.cells)
        part.sensitive |= part.small
        return
    gap = _is_small(whole - part.cells, k)
    if quantity.population in _known(quantity, publication):
        # Readers know the few that there are: that none of them is counted tells what a shown zero may tell.
        gap &= (part.cells > 0) | (whole >= k)
    if side == "numerator":
        gap |= (whole > 0) & (part.cells == whole)
    elif side == "complement":
        part.small |= (whole > 0) & (part.cells == 0)
    _add_gap(part, quantity, gap)
    part.sensitive |= gap | part.small


def _add_gap(part: Measure, whole: Quantity, gap: Mask) -> None:
    part.gaps[whole] = part.gaps.get(whole, np.zeros_like(gap)) | gap


def _mark_difference(measures: Mapping[Quantity, Measure], whole: Quantity, part: Quantity, k: int) -> None:
    if part not in measures or whole not in measures:
        return
    less, more = measures[part], measures[whole]
    small = np.zeros_like(less.planned)
    if less.frame is more.frame:
        small = _is_small(more.cells - less.cells, k)
    else:
        # A figure that the one has and the other has not is part of no difference.
        for (unit, split), (upper, other) in common_figures(less.frame, more.frame):
            small[unit, split] = _is_small(more.cells[upper, other] - less.cells[unit, split], k)
    _add_gap(less, whole, small)
    less.sensitive |= small
