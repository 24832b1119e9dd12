"""A page as HTML: one file without external resources, for reading, printing and screen readers."""

from __future__ import annotations

from html import escape

from markdown_it import MarkdownIt

from claimatlas.sheets.pages import Link, Page

_STYLE = """\
body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: #1a1a1a; background: #fff;
  font: 1rem/1.5 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.25; margin: 2rem 0 0.5rem; }
a { color: #0b4f8a; }
nav a { margin-right: 1rem; }
code { font-size: 0.9em; overflow-wrap: anywhere; }
blockquote { margin: 1rem 0; padding: 0.25rem 1rem; border-left: 0.3rem solid #a33a00; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #8a8a8a; padding: 0.3rem 0.5rem; text-align: left; vertical-align: top; }
th { background: #f0f0f0; }
@media print { body { max-width: none; } nav { display: none; } }"""


def html(page: Page) -> str:
    """The whole HTML document of a page."""
    return f"""\
<!DOCTYPE html>
<html lang="{page.language}">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>{escape(page.title)}</title>
<style>
{_STYLE}
</style>
</head>
<body>
{_navigation(page)}<main>
<h1>{escape(page.title)}</h1>
{converted(page.body)}</main>
</body>
</html>
"""


def _navigation(page: Page) -> str:
    if not page.navigation:
        return ""
    label = escape(page.navigation_label)
    links = "\n".join(map(_link, page.navigation))
    return f'<nav aria-label="{label}">\n{links}\n</nav>\n'


def _link(link: Link) -> str:
    language = escape(link.language)
    return f'<a href="{escape(link.page)}.html" lang="{language}" hreflang="{language}">{escape(link.text)}</a>'


def converted(body: str) -> str:
    """Markdown as HTML: CommonMark with tables; HTML that stands in it is shown as text, never passed on."""
    converted: str = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable("table").render(body)
    # Text is escaped by now, so these tags are the converter's. A wide table is scrolled by itself.
    return (
        converted.replace("<table>", '<div class="table">\n<table>')
        .replace("</table>", "</table>\n</div>")
        .replace("<th>", '<th scope="col">')
    )
