"""What every page has around its content: title, menu, languages, bands, release, licence."""

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


def page_text(
    site: Site,
    language: str,
    path: str,
    template: str,
    title: str,
    values: dict[str, Any],
    *,
    app: App | None = None,
    description: str = "",
    data: object = None,
    alternates: dict[str, str] | None = None,
) -> str:
    """The whole text of a page.

    ``path``: the page below the site's folder; ``data``: what machines read of it, as JSON-LD; ``alternates``: the same
    page by language, by default that of the same name.
    """
    words = site.words[language]
    root = links.root_of(path)
    others = alternates or {other: f"{other}/{path.partition('/')[2]}" for other in site.words}
    return render(
        template,
        {
            **_around(site, words, root),
            "path": path,
            "page_title": title,
            "description": description,
            "alternates": [(other, site.words[other].say("page.language_name"), others[other]) for other in site.words],
            "app": app,
            "data": data,
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
