"""Render templates: every value is escaped unless it is HTML that this package made itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

ENDING = ".html.j2"


@cache
def _environment() -> Environment:
    """Templates out of the package, wherever it is installed; a name that is not given is an error."""
    folder = resources.files("claimatlas.atlas").joinpath("templates")
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["json_data"] = json_data
    return environment


def render(template: str, values: Mapping[str, Any]) -> str:
    """The text of a page by the name of its template."""
    return _environment().get_template(f"{template}{ENDING}").render(values)


def made(html: str) -> Markup:
    """Mark HTML or SVG that this package made from escaped parts, so that a template passes it on."""
    return Markup(html)  # noqa: S704 - charts and converted Markdown escape what is not theirs


def json_data(value: object) -> Markup:
    """JSON that may stand in a data block of a page: nothing in it can end the block."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - no sign that HTML knows is left
