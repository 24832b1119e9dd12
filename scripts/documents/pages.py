"""Every page with generated blocks, and what each block holds.

A block stands between ``<!-- begin NAME ARGUMENTS -->`` and ``<!-- end -->``; what is around it is written by hand.
"""

import re
from collections.abc import Callable
from pathlib import Path

from scripts.documents import commands, figure, keys, method, tables

ROOT = Path(__file__).resolve().parents[2]

_BLOCK = re.compile(r"^<!-- begin (?P<name>[a-z-]+)(?P<given>[^\n]*?) -->\n.*?^<!-- end -->$", re.DOTALL | re.MULTILINE)

BLOCKS: dict[str, Callable[..., str]] = {
    "scenarios": method.scenarios,
    "decision": method.decision,
    "codes": method.codes,
    "indicators": method.indicators,
    "decisions": method.decision_records,
    "input-table": tables.input_table,
    "tables": tables.tables,
    "keys": keys.keys,
    "shipped-settings": keys.shipped_settings,
    "csv-columns": keys.csv_columns,
    "commands": commands.commands,
    "variables": commands.variables,
    "make-targets": commands.make_targets,
}
"""What writes a block, by its name; the block's arguments are those of the function."""

FIGURES: dict[str, Callable[[], str]] = {
    "docs/figures/flow.svg": figure.flow,
}


def pages() -> list[Path]:
    """The Markdown files of the project that are written by hand, in the order of their names."""
    top = sorted(ROOT.glob("*.md"))
    below = sorted(
        file
        for folder in ("docs", "deploy", "benchmarks", "conf", "tests")
        for file in (ROOT / folder).rglob("*.md")
        if ROOT / "docs" / "indicators" not in file.parents
    )
    return [*top, *below]


def generated() -> list[Path]:
    """Every page with generated blocks, and every figure."""
    with_blocks = [file for file in pages() if _BLOCK.search(file.read_text(encoding="utf-8"))]
    return [*with_blocks, *(ROOT / name for name in FIGURES)]


def rendered(file: Path) -> str:
    """The text that a page with generated blocks, or a figure, should have."""
    draw = FIGURES.get(file.relative_to(ROOT).as_posix())
    return draw() if draw else render(file.read_text(encoding="utf-8"), file)


def render(text: str, file: Path) -> str:
    """The text of a page with its blocks written anew.

    Raises:
        ValueError: there is no such block.
    """

    def block(found: re.Match[str]) -> str:
        name, given = found["name"], found["given"].split()
        if name not in BLOCKS:
            raise ValueError(f"{file}: there is no block {name!r}; there are {', '.join(sorted(BLOCKS))}")
        return f"<!-- begin {' '.join([name, *given])} -->\n\n{BLOCKS[name](*given).strip()}\n\n<!-- end -->"

    return _BLOCK.sub(block, text)
