"""Markdown as the documents have it: tables, anchors, and what a page links to."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell is written so that it stays in its cell."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())


def code(text: object) -> str:
    """A text in type of code; nothing for an empty one."""
    return f"`{text}`" if str(text) else ""


def anchor(name: str) -> str:
    """An anchor that stays when the heading beside it is written anew."""
    return f'<a id="{name}"></a>'


def anchors(text: str) -> set[str]:
    """Every anchor of a page: those of its headings, as GitHub makes them, and those that are written out."""
    found = set(re.findall(r'<a id="([^"]+)"', text))
    seen: dict[str, int] = {}
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            slug = _slug(inline)
            times = seen.get(slug, 0)
            seen[slug] = times + 1
            found.add(f"{slug}-{times}" if times else slug)
    return found


def _slug(inline: Token) -> str:
    shown = "".join(part.content for part in inline.children or [] if part.type in ("text", "code_inline"))
    kept = re.sub(r"[^\w\- ]", "", shown.strip().lower())
    return kept.replace(" ", "-")


def links(text: str) -> Iterator[str]:
    """The target of every link and picture of a page."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        for part in token.children or []:
            target = part.attrGet("href") if part.type == "link_open" else part.attrGet("src")
            if part.type in ("link_open", "image") and target:
                yield str(target)


def fences(file: Path, language: str | None = None) -> Iterator[str]:
    """The blocks of code of a page, those of one language where it is given."""
    for token in MarkdownIt("commonmark").parse(file.read_text(encoding="utf-8")):
        if token.type == "fence" and language in (None, token.info.strip()):
            yield token.content
