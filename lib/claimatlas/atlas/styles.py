"""The colours of the theme as custom properties, for light paper, dark paper and print."""

from __future__ import annotations

from collections.abc import Sequence

from claimatlas.configuration.atlas import Colours


def theme_css(colours: Colours) -> str:
    """The style sheet of the theme; the shapes of pages and pictures are in files of their own."""
    light = _properties(colours.accent, colours.classes, {"paper": "#ffffff", "ink": "#1a1a1a"})
    dark = _properties(colours.accent_dark, colours.classes_dark, {"paper": "#14171c", "ink": "#ececec"})
    return (
        f":root {{\n{light}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n"
        f"@media print {{\n:root {{\n{light}}}\n}}\n"
    )


def _properties(accent: str, classes: Sequence[str], others: dict[str, str]) -> str:
    named = {**others, "accent": accent, **{f"c{number}": colour for number, colour in enumerate(classes)}}
    return "".join(f"  --{name}: {value};\n" for name, value in named.items())
