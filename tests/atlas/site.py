"""A small site of invented figures: every type of page, in a folder."""

from datetime import date
from importlib import resources

from claimatlas.atlas.about_pages import start_page
from claimatlas.atlas.data_files import write_data
from claimatlas.atlas.indicator_pages import indicator_page, totals_of
from claimatlas.atlas.place_pages import ended_page, place_page
from claimatlas.atlas.places import places_of
from claimatlas.atlas.site import ReleaseInfo, Site
from claimatlas.atlas.styles import theme_css
from claimatlas.atlas.topology import Topology
from claimatlas.atlas.words import words_of
from claimatlas.configuration.atlas import load_atlas
from claimatlas.configuration.publication import load_publication

from atlas.invented import Country

PLACES = (
    ("country", "01000"),
    ("province", "60000"),
    ("municipality", "62063"),
    ("municipality", "11002"),
    ("municipality", "12041"),
)
ENDED = ("12030",)


def site_of(country: Country, *, is_synthetic=True) -> Site:
    configuration = country.configuration
    settings = load_atlas(configuration)
    cells = country.cells
    totals = {
        (cell.indicator_id, cell.year, cell.geo_level, cell.geo_code): cell
        for of in cells.values()
        for cell in of
        if set(cell.split) == {"all"}
    }
    final = max(cell.year for of in cells.values() for cell in of if cell.status == "final")
    years = tuple(country.years)
    return Site(
        configuration=configuration,
        settings=settings,
        publication=load_publication(configuration),
        release=ReleaseInfo(
            number=1,
            published_on=date(2026, 1, 15),
            years=years,
            final_years=dict.fromkeys(cells, final),
            data_changed=dict.fromkeys(cells, date(2026, 1, 15)),
            is_synthetic=is_synthetic,
            is_draft=False,
        ),
        places=places_of(configuration, settings),
        words={language: words_of(language, locale, configuration) for language, locale in settings.locales.items()},
        indicators=country.indicators,
        levels=tuple(configuration.settings.geography.levels),
        years_of=dict.fromkeys(cells, years),
        cells_of=lambda name: cells[name],
        table_of=lambda name: None,
        totals=totals,
        audits=(),
        dimensions=configuration.dimensions.names,
        columns=(),
    )


def write_site(folder, site, languages=("fr", "nl", "en")):
    """The pages with a script, their data and what they are drawn with."""
    topology = Topology.load()
    write_data(folder / "data", site, topology)
    static = folder / "static"
    static.mkdir()
    for file in resources.files("claimatlas.atlas").joinpath("static").iterdir():
        (static / file.name).write_bytes(file.read_bytes())
    (static / "theme.css").write_text(theme_css(site.settings.colours), encoding="utf-8")
    for language in languages:
        pages = {f"{language}/index.html": start_page(site, language)}
        for indicator in site.indicators:
            path = f"{language}/indicators/{indicator.id}.html"
            pages[path] = indicator_page(site, indicator, totals_of(site, indicator), topology, language)
        for level, code in PLACES:
            pages[f"{language}/places/{level}/{code}.html"] = place_page(site, level, code, language)
        for code in ENDED:
            successor = site.places.successor(code, site.vintage)
            pages[f"{language}/places/municipality/{code}.html"] = ended_page(site, code, successor, language)
        for path, text in pages.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
