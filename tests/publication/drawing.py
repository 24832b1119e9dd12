"""Small drawn tables of several shapes, and what the product hides of them."""

import random
import time
from collections.abc import Mapping
from pathlib import Path

from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.publication import Publication, load_publication
from claimatlas.protection.candidate import PublishingRules, rows_of_year
from claimatlas.protection.choosing import choose
from claimatlas.protection.run import prepare
from claimatlas.protection.tables import indicator_years
from shipped import POSTNATAL

from publication.best import Table
from publication.country import TYPES, YEAR, Atom, atoms, configuration, gold_rows

BIM, TYPE = "increased_reimbursement", "delivery_type"
EVERYTHING = {"land": "all", "part": "all", "town": "all"}
SHAPES: Mapping[str, tuple[Mapping[str, str], tuple[str, ...], int, int]] = {
    # Towns with their parts, dimensions, indicators, the largest count.
    "three towns": ({"a": "n", "b": "n", "c": "n"}, (BIM,), 1, 7),
    "two parts": ({"a": "n", "b": "n", "c": "s", "d": "s"}, (), 1, 5),
    "two parts with a dimension": ({"a": "n", "b": "n", "c": "s"}, (BIM,), 1, 6),
    "two dimensions": ({"a": "n"}, (BIM, TYPE), 1, 8),
    "a share": ({"a": "n", "b": "n"}, (), 2, 9),
    "a share of three towns": ({"a": "n", "b": "n", "c": "n"}, (), 2, 7),
}


def drawn_table(shape: str, seed: int) -> Table:
    """A drawn table; the seed makes it, and nothing else."""
    towns, dimensions, number, most = SHAPES[shape]
    dice = random.Random(f"{shape} {seed}")
    births: dict[Atom, int] = {
        atom: dice.choice((0, dice.randint(0, most), dice.randint(0, most)))
        if atom[0] and atom[1] != "unknown" and (BIM in dimensions or atom[1] == "no")
        and (TYPE in dimensions or atom[2] == "vaginal")
        else 0
        for atom in atoms(towns)
    }  # fmt: skip
    counts = {"births": births}
    if number > 1:
        counts["no_midwife"] = {atom: sum(dice.random() < 0.4 for _ in range(count)) for atom, count in births.items()}
    return Table(towns, dimensions, counts, EVERYTHING)


class Country:
    """The product's configuration for each shape, made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, tuple[Configuration, Publication]] = {}

    def of(self, shape: str) -> tuple[Configuration, Publication]:
        """The configuration of a shape."""
        if shape not in self._made:
            towns, dimensions, _, _ = SHAPES[shape]
            folder = self.folder / shape.replace(" ", "_")
            folder.mkdir(parents=True)
            conf = configuration(folder, towns, dimensions or (BIM,), plan=self._plan(dimensions))
            loaded = load_configuration(str(conf))
            self._made[shape] = loaded, load_publication(loaded)
        return self._made[shape]

    @staticmethod
    def _plan(dimensions: tuple[str, ...]) -> Mapping[str, object]:
        return EVERYTHING if dimensions else {"land": 0, "part": 0, "town": 0}

    def hidden(self, shape: str, table: Table) -> list[dict]:
        """The published rows of a table; every one of them is proved."""
        conf, publication = self.of(shape)
        names = [column.name for column in POSTNATAL.columns]
        kinds = (*TYPES, "all") if TYPE in table.dimensions else ("all",)
        rows = [dict(zip(names, row, strict=True)) for row in gold_rows(table.counts, table.towns, kinds)]
        rules = PublishingRules(conf, publication)
        cells, audit = prepare(indicator_years(rows, conf), rules, YEAR)
        choose(audit, time.monotonic() + 600, "drawn")
        return rows_of_year(cells, audit.measures, rules, YEAR, 1)
