"""The notebooks as text: what Databricks reads as cells, and nothing that only Databricks would run."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
NAMES = [path.name for path in NOTEBOOKS]
HEADER, BETWEEN = "# Databricks notebook source\n", "\n# COMMAND ----------\n"
ONE_SCREEN = 40


def cells(text: str) -> list[str]:
    return [cell.strip("\n") for cell in text.removeprefix(HEADER).split(BETWEEN)]


def is_text(cell: str) -> bool:
    return cell.startswith("# MAGIC %md\n")


def faults(text: str) -> list[str]:
    """What is wrong with a notebook."""
    found = [] if text.startswith(HEADER) else ["does not start with the header"]
    parts = cells(text)
    if not (is_text(parts[0]) and "# MAGIC # " in parts[0]):
        found.append("has no title")
    for number, cell in enumerate(parts, start=1):
        magics = [line for line in cell.splitlines() if re.match(r"\s*#\s*MAGIC\b", line)]
        # On this machine a magic is a comment: what it does is not done, and nobody is told.
        if re.search(r"^\s*(# MAGIC )?%(?!md$)", cell, flags=re.MULTILINE):
            found.append(f"cell {number} has a magic other than %md")
        if magics and (not is_text(cell) or len(magics) != len(cell.splitlines())):
            found.append(f"cell {number} mixes text and code")
        if re.search(r"dbutils\.(?!widgets\b)", cell):
            found.append(f"cell {number} uses dbutils for more than parameters")
        if not cell:
            found.append(f"cell {number} is empty")
        if len(cell.splitlines()) > ONE_SCREEN:
            found.append(f"cell {number} is longer than a screen")
        if not is_text(cell):
            nodes = list(ast.walk(ast.parse(cell)))
            if any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) for node in nodes):
                found.append(f"cell {number} defines something: that belongs into the package")
    return found


def test_there_are_four() -> None:
    assert NAMES == ["data_quality.py", "delivery_episodes.py", "publish_the_atlas.py", "tour_of_the_result.py"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
def test_it_is_a_notebook_that_runs_anywhere(notebook: Path) -> None:
    assert faults(notebook.read_text(encoding="utf-8")) == []


DRAWING = [path for path in NOTEBOOKS if path.stem != "publish_the_atlas"]
"""The notebooks that show figures; the other one writes a site."""


@pytest.mark.parametrize("notebook", DRAWING, ids=[path.name for path in DRAWING])
def test_every_figure_is_told_of_before_it_is_shown(notebook: Path) -> None:
    parts = cells(notebook.read_text(encoding="utf-8"))
    showing = [number for number, cell in enumerate(parts) if "display(figures." in cell]
    assert showing
    for number in showing:
        # A cell of text directly above, or one more cell of code between.
        assert any(is_text(parts[before]) for before in (number - 1, number - 2))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)
def test_every_parameter_is_explained_and_asked_for(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    declared = re.findall(r"dbutils\.widgets\.(?:text|dropdown)\(\"(\w+)\"", text)
    asked = set(re.findall(r"dbutils\.widgets\.get\(\"(\w+)\"\)", text))
    asked |= set(re.findall(r"whole_number\(dbutils, \"(\w+)\"\)", text))
    explained = re.findall(r"`(\w+)`", " ".join(re.findall(r"# MAGIC (\|[^|]+\|)", cells(text)[0])))
    assert sorted(declared) == sorted(asked) == sorted(explained)
    assert {"output", "conf", "year" if notebook in DRAWING else "release"} <= set(declared)


TITLE = f"{HEADER}# MAGIC %md\n# MAGIC # Title\n{BETWEEN}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (TITLE.removeprefix(HEADER) + "\nx = 1\n", "does not start with the header"),
        (f"{HEADER}x = 1\n", "has no title"),
        (f"{TITLE}\n# MAGIC %run ./other\n", "cell 2 has a magic"),
        (f"{TITLE}\n# MAGIC %sql\n# MAGIC SELECT 1\n", "cell 2 has a magic"),
        (f"{TITLE}\n# MAGIC %pip install x\n", "cell 2 has a magic"),
        (f"{TITLE}\nx = 1\n# MAGIC %md\n", "cell 2 mixes"),
        (f"{TITLE}\ndbutils.fs.ls('/')\n", "cell 2 uses dbutils"),
        (f"{TITLE}\ndef rule():\n    return 1\n", "cell 2 defines something"),
        (f"{TITLE}\n" + "x = 1\n" * 41, "cell 2 is longer"),
        (f"{TITLE}\n\n", "cell 2 is empty"),
    ],
)
def test_what_is_wrong_with_a_notebook_is_found(text: str, fault: str) -> None:
    assert any(fault in found for found in faults(text)), faults(text)
