"""A published year stays as it was: where nothing that its pattern was chosen from differs, nothing is chosen anew.

Readers then see the same cells of a past year in each release, and a release with one new year takes the time of one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimatlas.paths import write_private
from claimatlas.protection.audit import Audit
from claimatlas.protection.candidate import Row
from claimatlas.protection.frames import Mask
from claimatlas.protection.ledger import CellKey, PublishedYear, Shown, key_of_row, shown_in
from claimatlas.protection.plan import PlannedCell
from claimatlas.protection.quantities import Quantity

_METHOD = 1
"""To be raised where a pattern that was chosen before may be unsound: past years are then chosen anew."""


@dataclass(frozen=True)
class Chosen:
    """What the house keeps of a year that was protected: from what its pattern was chosen, what it shows, its audit.

    basis, shown: SHA-256. audited: as ``published/audits`` has it.
    """

    basis: str
    shown: str
    audited: dict[str, Any]

    def write(self, output: str, release: int, year: int) -> None:
        """Keep it below ``protection/``: of few people their counts could be guessed from a hash."""
        write_private(_file(output, release, year), json.dumps(vars(self), sort_keys=True) + "\n")


def chosen(output: str, release: int, year: int) -> Chosen | None:
    """What is kept of a year of a release; nothing where the house kept nothing that can be read."""
    try:
        return Chosen(**json.loads(_file(output, release, year).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        # Without a record a year is chosen anew, which takes time and nothing else.
        return None


def _file(output: str, release: int, year: int) -> Path:
    return Path(output, "protection", f"chosen_{release}_{year}.json")


def basis_of(audit: Audit, cells: Sequence[PlannedCell], settings_hash: str, known: Iterable[object]) -> str:
    """SHA-256 of all that a pattern is chosen from: counts, plan, marks, links, settings, what readers know elsewhere.

    It must be asked before anything is hidden for others' sake.
    """
    digest = hashlib.sha256()

    def add(*values: object) -> None:
        for value in values:
            digest.update(repr(value).encode() + b"\n")

    add(_METHOD, settings_hash, sorted(map(repr, known)))
    add(*((one.indicator, one.level, one.code, sorted(one.split.items()), one.status, one.median) for one in cells))
    for quantity, measure in sorted(audit.measures.items()):
        frame = measure.frame
        add(quantity, frame.leaves, frame.units, frame.dimensions, frame.values, frame.groups)
        masks = (measure.planned, measure.hidden, measure.sensitive, measure.small, measure.possible)
        for array in (measure.cells, *masks, *(gap for _, gap in sorted(measure.gaps.items()))):
            digest.update(array.tobytes())
        add(sorted(measure.gaps))
    add(*((one.part, one.whole, one.same_frame, one.pairs) for one in audit.links.all))
    add(sorted(audit.links.twins.items()), audit.links.squares)
    return digest.hexdigest()


def shown_of(figures: Mapping[CellKey, Shown]) -> str:
    """SHA-256 of what cells show."""
    return hashlib.sha256(repr(sorted(figures.items())).encode()).hexdigest()


def shown_of_rows(rows: Iterable[Row], dimensions: Sequence[str]) -> str:
    """The same of rows of ``published/cells``."""
    return shown_of({key_of_row(row, dimensions): shown_in(row) for row in rows})


def hide_as_published(audit: Audit, cells: Mapping[CellKey, PlannedCell], published: PublishedYear) -> bool:
    """Hide what a release hid of these cells; whether that hides all that is marked, and it had each of them."""
    marked: dict[Quantity, Mask] = {one: measure.hidden.copy() for one, measure in audit.measures.items()}
    for key, cell in cells.items():
        if key not in published.figures:
            return False
        numerator, denominator, _ = published.figures[key]
        for figure, count in ((cell.numerator, numerator), (cell.denominator, denominator)):
            if figure is not None:
                quantity, unit, split = figure
                audit.measures[quantity].hidden[unit, split] = count is None
    return all(bool((audit.measures[one].hidden | ~hidden).all()) for one, hidden in marked.items())
