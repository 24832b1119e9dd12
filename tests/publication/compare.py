"""How much the product hides beside the best pattern: python -m publication.compare N, from tests/."""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from publication.best import TooLargeError, best_pattern, cells_of
from publication.drawing import SHAPES, Country, drawn_table


@dataclass(frozen=True)
class Compared:
    """A table by its shape and seed: the cells that the product hides, those of the best pattern, and of the best of
    those that hide totals last."""

    shape: str
    seed: int
    ours: int
    best: int
    best_with_totals_last: int

    @property
    def is_far(self) -> bool:
        """Whether it is more than two cells, and more than 1.3 times, from the best."""
        return self.ours > max(self.best + 2, 1.3 * self.best)


def compare(number: int, folder: Path, first: int = 0) -> list[Compared]:
    """Compare so many tables, from a first seed on."""
    country = Country(folder)
    found: list[Compared] = []
    seed = first
    while len(found) < number:
        for shape in SHAPES:
            table = drawn_table(shape, seed)
            try:
                best = [best_pattern(table, totals_last=totals_last) for totals_last in (False, True)]
            except TooLargeError:
                continue
            rows = country.hidden(shape, table)
            assert len(rows) == len(cells_of(table)[0])
            found.append(Compared(shape, seed, sum(row["confidentiality"] == "C" for row in rows), *best))
        seed += 1
    return found


def main() -> None:
    """Print the comparison."""
    with tempfile.TemporaryDirectory() as folder:
        found = compare(int(sys.argv[1]), Path(folder), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(f"{'shape':28} {'tables':>7} {'hidden':>7} {'best':>6} {'totals last':>12}")
    for shape in (*SHAPES, "all"):
        rows = [row for row in found if shape in (row.shape, "all")]
        sums = [sum(values) for values in zip(*[(r.ours, r.best, r.best_with_totals_last) for r in rows], strict=True)]
        print(f"{shape:28} {len(rows):7} {sums[0]:7} {sums[1]:6} {sums[2]:12}")
    print("farther than two cells and 1.3 times:", [row for row in found if row.is_far])


if __name__ == "__main__":
    main()
