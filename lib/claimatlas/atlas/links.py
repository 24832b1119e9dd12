"""The paths of the pages and files of the site, and the links between them."""

from __future__ import annotations

from claimatlas.atlas.site import Site

ABOUT = ("method", "confidentiality", "accessibility", "releases", "data")
"""The pages beside those of indicators and places, in the order of the menu."""


def start_page(language: str) -> str:
    """The first page of a language."""
    return f"{language}/index.html"


def about_page(language: str, name: str) -> str:
    """One of ``ABOUT``."""
    return f"{language}/{name}.html"


def indicator_page(language: str, indicator: str) -> str:
    """The page of an indicator."""
    return f"{language}/indicators/{indicator}.html"


def sheet_page(language: str, indicator: str) -> str:
    """The full methodology sheet of an indicator."""
    return f"{language}/sheets/{indicator}.html"


def place_page(language: str, level: str, code: str) -> str:
    """The page of a place."""
    return f"{language}/places/{level}/{code}.html"


def hospital_page(language: str, code: str) -> str:
    """The page of a hospital."""
    return f"{language}/hospitals/{code}.html"


def download(release: int, name: str) -> str:
    """A file of a release."""
    return f"downloads/{release}/{name}"


def root_of(page: str) -> str:
    """The relative path from a page to the site's folder."""
    return "../" * page.count("/")


def address(site: Site, path: str) -> str:
    """The address of a page or file in the world, or its path in the site where none is configured."""
    base = site.settings.base_url
    return f"{base.rstrip('/')}/{path}" if base else path
