"""The frame of every page: title, menu, languages, bands, release, licence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from claimatlas import __version__
from claimatlas.atlas import links
from claimatlas.atlas.rendering import render
from claimatlas.atlas.site import Site
from claimatlas.atlas.words import Words

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class App:
    """What the script is told of a page: its kind, what it is about, and the data files that it needs at once."""

    page: str
    scripts: tuple[str, ...]
    indicator: str = ""
    level: str = ""
    code: str = ""


@dataclass(frozen=True)
class Page:
    """A page before it is written: where it stands below the site's folder (``LANGUAGE/…``), template and title.

    description: what search engines show; data: what machines read of it, as JSON-LD.
    """

    path: str
    template: str
    title: str
    app: App | None = None
    description: str = ""
    data: object = None


def page_text(site: Site, page: Page, values: dict[str, Any]) -> str:
    """The whole text of a page; ``values``: what its template shows."""
    language, _, below = page.path.partition("/")
    alternates = [(other, words.say("page.language_name"), f"{other}/{below}") for other, words in site.words.items()]
    return render(
        page.template,
        {
            **_around(site, site.words[language], links.root_of(page.path)),
            "path": page.path,
            "page_title": page.title,
            "description": page.description,
            "alternates": alternates,
            "app": page.app,
            "data": page.data,
            "csp": CONTENT_SECURITY_POLICY,
            **values,
        },
    )


def _around(site: Site, words: Words, root: str) -> dict[str, Any]:
    release, settings, language = site.release, site.settings, words.language
    said = words.say("page.release_draft", number=release.number)
    if release.published_on is not None:
        said = words.say("page.release", number=release.number, date=words.date(release.published_on))
    menu = [("start", links.start_page(language))]
    others = ("releases",) if release.is_withdrawn else ("data", "method", "confidentiality", "releases")
    menu += [(name, links.about_page(language, name)) for name in others]
    return {
        "site": site,
        "words": words,
        "say": words.say,
        "language": language,
        "root": root,
        "menu": [(words.say(f"page.{name}"), page) for name, page in menu],
        "release_said": said,
        "owner": settings.owner[language],
        "atlas_title": settings.title[language],
        "logo": f"static/{logo_name(settings.logo)}" if settings.logo else None,
        "accessibility_page": links.about_page(language, "accessibility"),
        "releases_page": links.about_page(language, "releases"),
        "version": __version__,
    }


def logo_name(file: str) -> str:
    """What the logo is called in the site."""
    return f"logo.{file.rpartition('.')[2]}"
