"""The walk of the documents: every block of it is run, in its order."""

import contextlib
import io
from pathlib import Path

import pytest
import yaml
from integration.console import ROOT, Console
from markdown_it import MarkdownIt

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = ROOT / "docs" / "how-to" / "walk-an-example.md"
EXAMPLE = ROOT / "conf" / "examples" / "joined_keys"


def test_the_blocks_of_the_walk_run(console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    raw = [path.read_text(encoding="latin-1") for path in sorted((EXAMPLE / "input").rglob("nord.csv"))]
    declared = [path.read_text(encoding="utf-8") for path in EXAMPLE.rglob("*.yaml")]
    printed: str | None = None
    blocks = [
        token for token in MarkdownIt("commonmark").parse(PAGE.read_text(encoding="utf-8")) if token.type == "fence"
    ]
    done = []
    for block in blocks:
        if block.info == "console":
            for line in block.content.splitlines():
                name, *words = line.split()
                assert name == "claimatlas"
                said = console.run(*(path_of(word, tmp_path) for word in words))
                assert said.code == 0, (line, said.err)
        elif block.info == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(block.content, str(PAGE), "exec"), {})
            printed = out.getvalue()
        elif block.info == "yaml":
            assert yaml.safe_load(block.content)
            assert any(block.content in text for text in declared), block.content
        elif printed is None:
            assert any(text.startswith(block.content) for text in raw), block.content
        else:
            assert printed == block.content
        done.append(block.info)
    assert done.count("console") == 4
    assert done.count("text") == 3
    assert list((tmp_path / "site").rglob("index.html"))


def path_of(word: str, folder: Path) -> str:
    """A path of the page, from the checkout or among what the walk writes; other words as they are."""
    if word.startswith("conf/"):
        return str(ROOT / word)
    return str(folder / word) if word in ("output", "site") else word
