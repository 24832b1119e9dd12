"""No value of Belgium stands in the package: its codes, places, lists and indicators are in ``conf/`` alone."""

import csv
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, CONF = ROOT / "lib" / "claimatlas", ROOT / "conf"
FILES = sorted(
    path
    for path in PACKAGE.rglob("*")
    if path.suffix in (".py", ".yaml", ".j2", ".csv") and not {"minimal", "synthetic"} & set(path.parts)
)
"""The generator draws the services of the shipped weights by their names: it is not looked at."""


def values() -> dict[str, str]:
    """Every word of the shipped configuration that is a code, a place, a code list or an indicator."""
    found = {path.stem: "a code list" for path in (CONF / "codelists").glob("*.csv")}
    found |= {path.stem: "an indicator" for path in (CONF / "indicators").glob("*.yaml")}
    for path in (CONF / "codelists").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found |= {row["code"]: "a code" for row in csv.DictReader(file)}
    with (CONF / "geography" / "municipalities.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            levels = ("municipality", "arrondissement", "province", "region", "country")
            # Round numbers are numbers in code too.
            found |= {row[level]: "a place" for level in levels if not row[level].endswith("0000")}
    found.pop("", None)
    return found


def words_of(path: Path) -> set[str]:
    """The words of a file; of Python without its comments, docstrings and the example of a command."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return set(re.findall(r"\w+", text))
    found: set[str] = set()
    before = tokenize.NEWLINE
    example = False
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
            continue
        is_docstring = token.type == tokenize.STRING and before in (tokenize.NEWLINE, tokenize.ENCODING)
        example = (token.string == "EXAMPLE" and before == tokenize.NEWLINE) or (example and before != tokenize.NEWLINE)
        if not is_docstring and not example:
            found |= set(re.findall(r"\w+", token.string))
        before = token.type
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_has_no_value_of_belgium(path: Path) -> None:
    known = values()
    assert {word: known[word] for word in words_of(path) & known.keys()} == {}


def test_a_value_is_found(tmp_path: Path) -> None:
    file = tmp_path / "rule.py"
    file.write_text('"""Of 424093."""\n\nEXAMPLE = "--indicator cube_007_008a"\nCODES = (424093, "11001")\n', "utf-8")
    assert {word: values()[word] for word in words_of(file) & values().keys()} == {
        "424093": "a code",
        "11001": "a place",
    }
