"""The atlas in a real browser: from a disk and over http, by mouse and by keyboard, in every language and look.

Needs Debian's Chromium, and Node for the script's tests: whoever runs as root gets the browser installed, elsewhere
the tests are skipped with the reason. Pictures of each type of page are kept in artifacts/atlas.
"""

import csv
import gzip
import http.server
import json
import os
import random
import re
import shutil
import subprocess
import threading
from dataclasses import fields
from functools import partial
from html import unescape

import pyarrow.parquet as pq
import pytest
from atlas.invented import HOSPITALS, OF_HOSPITALS, Country, country_with_hospitals
from atlas.site import site_of, write_site
from claimatlas.atlas.cells import Cell
from claimatlas.atlas.data_files import scripts_of
from claimatlas.atlas.figures import figure
from claimatlas.atlas.page import CONTENT_SECURITY_POLICY
from claimatlas.configuration.indicators import SCALES
from integration.console import ROOT
from openpyxl import load_workbook

WEB = ROOT / "web"
STATIC = ROOT / "lib/claimatlas/atlas/static"
PICTURES = ROOT / "artifacts/atlas"
INDICATOR = "cube_007_008a"
PAGE = f"indicators/{INDICATOR}.html"
TYPES = {
    "start": "index.html",
    "indicator": PAGE,
    "place": "places/municipality/62063.html",
    "country": "places/country/01000.html",
    "ended": "places/municipality/12030.html",
    "sheet": f"sheets/{INDICATOR}.html",
    "method": "method.html",
    "confidentiality": "confidentiality.html",
    "releases": "releases.html",
    "data": "data.html",
    "accessibility": "accessibility.html",
    "languages": "../index.html",
    "withdrawn": "../withdrawn/{language}/index.html",
}
"""Every type of page, by its path below a language."""
PAGES_OF_HOSPITALS = {
    "start": "index.html",
    "indicator of hospitals": f"indicators/{OF_HOSPITALS}.html",
    "hospital": f"hospitals/{next(iter(HOSPITALS))}.html",
    "ended": "hospitals/71009999.html",
}
HAS_SEARCH = ("start", "place", "country")
LOOKS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 720}},
}


def path_of(kind, language):
    path = TYPES[kind].format(language=language)
    return path.removeprefix("../") if path.startswith("../") else f"{language}/{path}"


READY = "#app[data-ready][data-settled]"


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


@pytest.fixture(scope="session")
def web(tmp_path_factory):
    """A copy of web/ with the packages of its lock file."""
    if not shutil.which("npm"):
        pytest.skip("There is no npm: the script of the atlas is not built anew.")
    folder = tmp_path_factory.mktemp("web") / "web"
    shutil.copytree(WEB, folder, ignore=shutil.ignore_patterns("node_modules"))
    done = run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, timeout=300)
    if done.returncode:
        pytest.skip(f"npm cannot fetch the packages of the lock file: {done.stderr.strip()[-300:]}")
    return folder


@pytest.fixture(scope="session")
def chromium():
    """The path of Debian's Chromium."""
    if not shutil.which("chromium") and shutil.which("apt-get") and os.geteuid() == 0:
        run(["apt-get", "update", "--quiet"], timeout=300)
        run(["apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"], timeout=600)
    found = shutil.which("chromium")
    if not found:
        pytest.skip("There is no chromium, and it could not be installed.")
    return found


@pytest.fixture(scope="session")
def browser(chromium):
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A site of invented figures, and what it was made from."""
    folder = tmp_path_factory.mktemp("atlas") / "site"
    folder.mkdir()
    site = site_of(Country())
    write_site(folder, site)
    return folder, site


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        super().end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def addresses(built):
    """Where the site is: on the disk, and on a server that sends the policy too."""
    folder, _ = built
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"file": folder.as_uri(), "http": f"http://127.0.0.1:{server.server_address[1]}"}
        server.shutdown()


@pytest.fixture(scope="module")
def address_of_hospitals(tmp_path_factory):
    """Where a site with hospitals is, on a server."""
    folder = tmp_path_factory.mktemp("hospitals") / "site"
    folder.mkdir()
    write_site(folder, site_of(country_with_hospitals()))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def open_page(browser, addresses):
    """Open a page of the site; whatever its console says or it asks for elsewhere fails the test."""
    contexts, said = [], []

    def opened(path, by="http", fragment="", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        allowed = (addresses[by], "data:")
        page.on("request", lambda request: request.url.startswith(allowed) or said.append(request.url))
        page.goto(f"{addresses[by]}/{path}{fragment}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


def indicator_page(open_page, language="en", fragment="", **options):
    page = open_page(f"{language}/{PAGE}", fragment=fragment, **options)
    page.wait_for_selector(READY)
    return page


ALIKE = [["[data-slot=table] tbody tr:nth-child(n+10)"], [".places path:nth-child(n+10)"], [".point:nth-child(n+20)"]]
"""Left out of axe's work: more rows, places and points that are made as the first ones, and would take a minute."""


def violations(page, web, kind):
    """What axe finds in a page: rule, what it asks, the first elements."""
    if kind == "indicator":
        page.wait_for_selector(READY)
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=str(web / "node_modules/axe-core/axe.min.js"))
    found = page.evaluate("alike => axe.run({exclude: alike}, {resultTypes: ['violations']})", ALIKE)
    return [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found["violations"]]


class TestScript:
    def test_the_built_files_are_those_of_the_sources(self, web, tmp_path):
        done = run(["node", "build.mjs", tmp_path], cwd=web, timeout=120)
        assert done.returncode == 0, done.stderr
        for name in ("atlas.js", "atlas.css", "THIRD_PARTY.txt"):
            assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes(), f"{name}: run npm run build in web/"

    def test_the_parts_of_a_level_have_the_scale_of_their_unit(self, web, tmp_path):
        """Ten places of ten members, in one of which somebody is counted: one member in ten of the highest fifth."""
        file = tmp_path / "fifths.mjs"
        bundle = ["npx", "--no-install", "esbuild", "src/fifths.ts", "--bundle", "--format=esm", f"--outfile={file}"]
        done = run(bundle, cwd=web, timeout=300)
        assert done.returncode == 0, done.stderr
        units = {unit: None if unit in ("count", "median") else scale * 1_000 for unit, scale in SCALES.items()}
        program = f"""
            import {{ fifths }} from {json.dumps(file.as_uri())};
            const rows = [...Array(10).keys()].map((at) => ({{
              code: String(at), name: "",
              cell: {{ state: "value", value: at, numerator: at === 9 ? 2 : 0, denominator: 10 }},
            }}));
            const values = {json.dumps(list(units))}.map((unit) => fifths(rows, unit)?.values[4] ?? null);
            console.log(JSON.stringify(values));
        """
        done = run(["node", "--input-type=module", "-e", program], timeout=60)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == list(units.values())

    def test_the_types_hold(self, web):
        done = run(["npx", "--no-install", "tsc", "--noEmit"], cwd=web, timeout=300)
        assert done.returncode == 0, done.stdout


class TestFirstView:
    @pytest.mark.parametrize("by", ["file", "http"])
    @pytest.mark.parametrize("kind", TYPES)
    def test_a_page_says_nothing_in_the_console_and_asks_nobody_else(self, open_page, by, kind):
        page = open_page(path_of(kind, "fr"), by)
        if kind == "indicator":
            page.wait_for_selector(READY)
            assert page.locator("svg.map.live .places path").count() == 581
            assert page.locator("[data-slot=table] tbody tr").count() == 581
        elif kind in HAS_SEARCH:
            page.wait_for_selector("#find-text")

    def test_an_indicator_takes_at_most_250_kilobytes(self, built):
        folder, site = built
        files = [folder / "en" / PAGE, folder / "data/topology.js"]
        files += [folder / path for path in scripts_of(site, "indicator", INDICATOR, "en")]
        files += [STATIC / "atlas.js", *(folder / "static").glob("*.css")]
        sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in files}
        assert sum(sizes.values()) <= 250_000, sizes

    def test_without_a_script_the_page_has_its_figures(self, open_page):
        page = open_page(f"en/{PAGE}", java_script_enabled=False)
        assert page.locator("[data-slot=map] svg path[class^=c]").count() > 500
        assert page.locator("[data-slot=series] svg").count() == 1
        assert page.get_by_role("link", name="Liège", exact=True).count() >= 1

    def test_pictures_of_each_page_are_kept(self, open_page):
        PICTURES.mkdir(parents=True, exist_ok=True)
        for kind in TYPES:
            for look, options in LOOKS.items():
                page = open_page(path_of(kind, "en"), **options)
                if kind == "indicator":
                    page.wait_for_selector(READY)
                page.screenshot(path=PICTURES / f"{kind}-{look}.png")
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.emulate_media(media="print")
            page.screenshot(path=PICTURES / f"{kind}-print.png")

    @pytest.mark.parametrize("script", [True, False])
    def test_on_paper_a_table_is_short_and_says_so(self, open_page, script):
        page = open_page(f"en/{PAGE}", java_script_enabled=script)
        if script:
            page.wait_for_selector(READY)
        rows = page.locator("[data-slot=table] table.data tbody tr")
        note = page.get_by_text("On paper: the first 50 places of a table")
        assert rows.count() > 500
        assert not note.is_visible()
        page.emulate_media(media="print")
        assert note.is_visible()
        tables = page.locator("[data-slot=table] table.data")
        for number in range(tables.count()):
            inside = tables.nth(number).locator("tbody tr")
            assert inside.locator("visible=true").count() == min(50, inside.count())


class TestPermalink:
    @pytest.mark.parametrize(
        "fragment",
        [
            "#y=2021&l=municipality&v=map",
            "#y=2019&l=province&s=age_category:25-29,delivery_type:vaginal&v=map",
            "#y=2023&l=municipality&s=age_category:25-29&p=62063,21004&v=map&u=fade",
            "#y=2022&l=arrondissement&p=21004&v=comparison&u=hatch",
            "#y=2023&l=municipality&v=trend",
            "#y=2023&l=municipality&p=21004&v=map&z=8,3900,2300",
        ],
    )
    def test_a_link_restores_its_view(self, open_page, fragment):
        page = indicator_page(open_page, fragment=fragment, by="file" if "u=" in fragment else "http")
        assert page.evaluate("location.hash") == fragment
        given = dict(part.split("=") for part in fragment[1:].split("&"))
        assert page.locator(".stepper output").inner_text() == given["y"]
        assert page.locator("#app-level").input_value() == given["l"]
        assert page.locator("#app-view").input_value() == given["v"]
        assert page.locator("#app-uncertainty").input_value() == given.get("u", "none")
        for split in filter(None, given.get("s", "").split(",")):
            dimension, value = split.split(":")
            assert page.locator(f"#app-{dimension}").input_value() == value
        chosen = page.locator("svg.map [aria-selected=true]").evaluate_all("all => all.map(one => one.dataset.code)")
        codes = [code for code in given.get("p", "").split(",") if code]
        assert sorted(chosen) == sorted(codes if given["l"] == "municipality" else [])
        assert page.locator("table.chosen tbody button").count() == len(codes)

    def test_a_link_restores_the_part_of_the_map(self, open_page):
        page = indicator_page(open_page, fragment="#y=2023&l=municipality&p=21004&v=map&z=8,3900,2300")
        assert page.locator("svg.map svg.part").get_attribute("viewBox").startswith("3900 2300 ")

    def test_the_short_form_of_a_dimension_is_understood(self, open_page):
        page = indicator_page(open_page, fragment="#y=2023&l=municipality&s=age:25-29&p=62063,21004&v=map")
        assert page.locator("#app-age_category").input_value() == "25-29"

    @pytest.mark.parametrize("fragment", ["#y=1066&l=planet&s=age:all,x:y&p=00000&v=z&u=q", "#%E0%A4%A&y", "#=&&=="])
    def test_a_link_that_says_nonsense_gives_the_first_view(self, open_page, fragment):
        page = indicator_page(open_page, fragment=fragment)
        assert page.locator(".stepper output").inner_text() == "2023"
        assert page.locator("#app-level").input_value() == "municipality"
        assert page.locator("table.chosen").count() == 0

    def test_an_old_code_in_a_link_leads_to_its_successor(self, open_page):
        page = indicator_page(open_page, fragment="#y=2023&l=municipality&p=12030&v=map")
        assert page.locator("table.chosen tbody tr").first.inner_text().strip().startswith("Puurs-Sint-Amands")


class TestView:
    def test_a_change_of_year_takes_less_than_a_tenth_of_a_second(self, open_page):
        page = indicator_page(open_page)
        took = []
        for _ in range(5):
            milliseconds = page.evaluate(
                """() => {
                    const began = performance.now();
                    document.querySelector('.stepper button').click();
                    document.querySelector('svg.map').getBoundingClientRect();
                    return performance.now() - began;
                }"""
            )
            page.wait_for_selector(READY)
            took.append(round(milliseconds))
        print(f"A change of year: {took} ms")
        # The median is the figure; a busy machine may be slow once.
        assert sorted(took)[2] < 100, took
        assert page.locator(".stepper output").inner_text() == "2018"
        assert page.locator("svg.map .places path").count() == 589

    @pytest.mark.parametrize("language", ["fr", "nl", "en"])
    def test_map_and_table_say_what_the_published_cells_say(self, open_page, built, language):
        _, site = built
        words = site.words[language]
        indicator = next(one for one in site.indicators if one.id == INDICATOR)
        page = indicator_page(open_page, language, fragment="#y=2021&l=municipality&v=map")
        labels = page.locator("svg.map .places path").evaluate_all(
            "all => Object.fromEntries(all.map(one => [one.dataset.code, one.getAttribute('aria-label')]))"
        )
        figures = page.locator("[data-slot=table] tbody tr").evaluate_all(
            "all => Object.fromEntries(all.map(row => [row.dataset.code, [...row.cells].map(one => one.textContent)]))"
        )
        cells = {c.geo_code: c for c in site.cells_of(INDICATOR) if c.year == 2021 and set(c.split) == {"all"}}
        of_level = [cell for cell in cells.values() if cell.geo_level == "municipality"]
        assert len(of_level) == 581
        states = set()
        for cell in of_level:
            text = words.cell(indicator, cell)
            states.add(cell.state.value)
            assert labels[cell.geo_code].endswith(f": {text}")
            row = figures[cell.geo_code]
            assert row[2].startswith(text)
            assert words.bounds(indicator, cell) in row[2]
            if cell.ci_low is not None:
                assert row[3] == words.interval(indicator, cell.ci_low, cell.ci_high)
            if cell.denominator is not None:
                assert row[5] == words.count(cell.denominator)
        assert {"value", "hidden", "not_computable"} <= states

    def test_random_cells_of_all_splits_are_as_published(self, open_page, built):
        _, site = built
        indicator = next(one for one in site.indicators if one.id == INDICATOR)
        of_splits = [c for c in site.cells_of(INDICATOR) if set(c.split) != {"all"} and c.geo_level != "municipality"]
        page = indicator_page(open_page)
        for cell in random.Random(1).sample(of_splits, 20):
            split = ",".join(f"{d}:{v}" for d, v in zip(site.dimensions, cell.split, strict=True) if v != "all")
            fragment = f"#y={cell.year}&l={cell.geo_level}&s={split}&v=map"
            page.evaluate("hash => { location.hash = hash }", fragment)
            expected = site.words["en"].cell(indicator, cell)
            page.wait_for_function(
                """([output, code, text]) => document.querySelector('.stepper output').innerText === output
                    && document.getElementById('live-map-' + code)?.getAttribute('aria-label').endsWith(': ' + text)""",
                arg=[str(cell.year), cell.geo_code, expected],
            )
            assert page.evaluate("location.hash") == fragment

    def test_hidden_places_look_unlike_every_class(self, open_page, built):
        _, site = built
        page = indicator_page(open_page, fragment="#y=2021&l=municipality&s=age_category:15-24&v=map")
        looks = dict(
            page.locator("svg.map .places path").evaluate_all(
                "all => all.map(one => [one.dataset.code, `${one.classList} ${getComputedStyle(one).fill}`])"
            )
        )
        hidden = [
            cell.geo_code
            for cell in site.cells_of(INDICATOR)
            if cell.year == 2021 and cell.split == ("15-24", "all", "all", "all") and cell.confidentiality == "C"
            and cell.geo_level == "municipality"
        ]  # fmt: skip
        assert hidden
        assert all(looks[code].startswith("s-hidden") and "#live-map-hidden" in looks[code] for code in hidden)

    def test_the_map_is_enlarged_around_a_place_and_moved(self, open_page):
        tall = {"width": 1280, "height": 1500}
        page = indicator_page(open_page, fragment="#y=2021&l=municipality&p=21004&v=map", viewport=tall)
        part = page.locator("svg.map svg.part")
        width = float(part.get_attribute("viewBox").split()[2])
        wide = page.locator("#live-map-21004").bounding_box()["width"]
        for _ in range(2):
            page.get_by_role("button", name="Zoom in").click()
            page.wait_for_selector(READY)
        assert float(part.get_attribute("viewBox").split()[2]) == pytest.approx(width / 4)
        place, drawing = page.locator("#live-map-21004").bounding_box(), page.locator("svg.map").bounding_box()
        assert place["width"] == pytest.approx(4 * wide, rel=0.05)
        assert drawing["x"] < place["x"] < drawing["x"] + drawing["width"] - place["width"]
        before = page.evaluate("location.hash")
        x, y = drawing["x"] + drawing["width"] / 2, drawing["y"] + drawing["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 120, y - 20, steps=4)
        page.mouse.up()
        page.wait_for_function("before => location.hash !== before", arg=before)
        assert page.locator("#live-map-21004").bounding_box()["x"] == pytest.approx(place["x"] - 120, abs=3)
        assert page.locator("table.chosen tbody button").count() == 1
        page.get_by_role("button", name="Show the whole map").click()
        page.wait_for_function("!location.hash.includes('z=')")

    @pytest.mark.parametrize(("kind", "by"), [("SVG", "http"), ("PNG", "file")])
    def test_a_picture_can_be_saved(self, open_page, tmp_path, by, kind):
        page = indicator_page(open_page, by=by, accept_downloads=True)
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save as {kind}: Map").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.suffix == f".{kind.lower()}"
        if kind == "PNG":
            assert path.read_bytes().startswith(b"\x89PNG")
            assert path.stat().st_size > 50_000
        else:
            text = path.read_text(encoding="utf-8")
            for needed in ("No ambulatory postnatal contact", "Statbel", "Synthetic figures", "not computable"):
                assert needed in text
            assert "url(#" in text
            assert "style=" not in text

    def test_the_link_can_be_copied_from_a_disk_too(self, open_page):
        page = indicator_page(open_page, by="file", fragment="#y=2021&l=province&v=map")
        page.get_by_role("button", name="Copy the link").click()
        page.wait_for_selector("text=The link was copied.")
        assert page.locator("#app-link").input_value().endswith(f"{PAGE}#y=2021&l=province&v=map")


class TestSameTexts:
    """1,000 random cells a language: pages and files say the same as the published cells."""

    @pytest.fixture(scope="class")
    @staticmethod
    def files(built):
        """Each download of the indicators, by format and indicator: its rows by the key of a cell."""
        folder, site = built
        found = {}
        for indicator in site.indicators:
            path = folder / f"downloads/{site.release.number}" / indicator.id
            with path.with_suffix(".csv").open(encoding="utf-8") as stream:
                found["csv", indicator.id] = by_cell(site, csv.DictReader(stream))
            found["parquet", indicator.id] = by_cell(site, pq.read_table(path.with_suffix(".parquet")).to_pylist())
            sheet = load_workbook(path.with_suffix(".xlsx"), read_only=True)["data"].iter_rows(values_only=True)
            head = next(sheet)
            found["xlsx", indicator.id] = by_cell(site, (dict(zip(head, row, strict=True)) for row in sheet))
        return found

    @pytest.mark.slow
    @pytest.mark.parametrize("language", ["fr", "nl", "en"])
    def test_map_table_and_downloads(self, open_page, built, files, language):
        _, site = built
        dice = random.Random(f"views {language}")
        left = 1000
        for indicator in site.indicators:
            views = {}
            for cell in site.cells_of(indicator.id):
                views.setdefault((cell.year, cell.geo_level, cell.split), []).append(cell)
            page = open_page(f"{language}/indicators/{indicator.id}.html")
            page.wait_for_selector(READY)
            until = left - 500
            for year, level, split in dice.sample(sorted(views), len(views)):
                cells = views[year, level, split]
                chosen = dice.sample(cells, min(len(cells), 40, left - until))
                shown = self._shown(page, site, (year, level, split))
                for cell in chosen:
                    said = said_of(site, indicator, cell, language)
                    label, row = shown[cell.geo_code]
                    assert label.endswith(f": {said['value']}"), cell
                    assert row[: len(said)] == list(said.values()), cell
                    for kind in ("csv", "xlsx", "parquet"):
                        file = cell_of(site, files[kind, indicator.id][key_of(site, cell)])
                        assert said_of(site, indicator, file, language) == said, (kind, cell)
                left -= len(chosen)
                if left <= until:
                    break
        assert left == 0

    def _shown(self, page, site, view):
        """What map and table say of each place in a view: the map's label, and the cells of the row from the value."""
        year, level, split = view
        named = ",".join(f"{d}:{v}" for d, v in zip(site.dimensions, split, strict=True) if v != "all")
        fragment = f"#y={year}&l={level}{'&s=' + named if named else ''}&v=map"
        page.evaluate("hash => { location.hash = hash }", fragment)
        page.wait_for_function("hash => document.getElementById('app').dataset.settled === hash", arg=fragment)
        labels = page.locator("svg.map .places path").evaluate_all(
            "all => Object.fromEntries(all.map(one => [one.dataset.code, one.getAttribute('aria-label')]))"
        )
        rows = page.locator("[data-slot=table] tbody tr").evaluate_all(
            "all => Object.fromEntries(all.map(row => [row.dataset.code, [...row.cells].slice(2).map(one => "
            "(one.querySelector('.figure') ?? one).textContent)]))"
        )
        return {of: (labels[of], rows[of]) for of in rows}

    @pytest.mark.parametrize("language", ["fr", "nl", "en"])
    def test_profiles(self, built, files, language):
        folder, site = built
        totals = [(i, cell) for i in site.indicators for cell in site.cells_of(i.id) if set(cell.split) == {"all"}]
        final = site.release.final_years
        there = [
            (i, c) for i, c in totals if c.year == final[i.id] and (c.geo_level, c.geo_code) in site.pages_of_places
        ]
        for indicator, cell in random.Random(f"profiles {language}").sample(there, 1000):
            page = (folder / f"{language}/places/{cell.geo_level}/{cell.geo_code}.html").read_text(encoding="utf-8")
            row = re.search(
                rf"<tr [^>]*><th [^>]*><a href=\"[^\"]*{indicator.id}\.html.*?</tr>", page, re.DOTALL
            ).group()
            said = said_of(site, indicator, cell, language)
            value = re.search(r'<span class="figure state-[^>]*>(.*?)</span>', row).group(1)
            assert unescape(value) == said["value"], cell
            interval = re.search(r'<span class="interval">(.*?)</span>', row)
            assert (unescape(interval.group(1)) if interval else "") == said.get("interval", ""), cell
            for kind in ("csv", "xlsx", "parquet"):
                file = cell_of(site, files[kind, indicator.id][key_of(site, cell)])
                assert said_of(site, indicator, file, language) == said, (kind, cell)


def key_of(site, cell):
    return (str(cell.year), cell.geo_level, cell.geo_code, *cell.split)


def by_cell(site, rows):
    names = ("year", "geo_level", "geo_code", *site.dimensions)
    return {tuple(str(row[name]) for name in names): row for row in rows}


def cell_of(site, row):
    """A row of a download as a cell: empty where it is empty."""
    whole = ("year", "geo_vintage", "numerator", "denominator", "release")
    real = ("value", "ci_low", "ci_high", "value_low", "value_high")
    kinds = {**dict.fromkeys(whole, int), **dict.fromkeys(real, float)}
    given = {n: kinds.get(n, str)(v) for n, v in row.items() if n not in site.dimensions and v not in (None, "")}
    given.pop("note")
    empty = {field.name: None for field in fields(Cell)}
    return Cell(**empty | given | {"split": tuple(row[name] for name in site.dimensions)})


def said_of(site, indicator, cell, language):
    """The texts of a cell as tables have them, in their order."""
    of = figure(cell, indicator, site.words[language], site.publication.k)
    said = {"value": of.text}
    if indicator.unit == "percent":
        said["interval"] = of.interval
    said |= {"numerator": of.numerator, "denominator": of.denominator}
    return said | ({"comparison": of.comparison} if indicator.unit == "percent" else {})


class TestSearch:
    @pytest.mark.parametrize(
        ("text", "found"), [("12030", "12041"), ("puurs", "12041"), ("LIEGE", "62063"), ("Luik", "62063")]
    )
    def test_names_and_codes_of_any_time_and_language_lead_to_the_place(self, open_page, text, found):
        page = open_page("en/index.html")
        page.fill("#find-text", text)
        page.wait_for_selector("[role=option]")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/en/places/municipality/{found}.html")

    def test_an_ended_page_leads_to_the_successor(self, open_page):
        page = open_page("nl/places/municipality/12030.html")
        page.locator("main a[href*='12041.html']").click()
        page.wait_for_selector("h1:has-text('Puurs-Sint-Amands')")


class TestAccess:
    @pytest.mark.parametrize("language", ["fr", "nl", "en"])
    @pytest.mark.parametrize("kind", TYPES)
    def test_axe_finds_no_violation(self, open_page, web, kind, language):
        fragment = "#y=2021&l=municipality&p=21004,62063&v=map" if kind == "indicator" else ""
        page = open_page(path_of(kind, language), fragment=fragment, bypass_csp=True)
        found = violations(page, web, kind)
        page.emulate_media(color_scheme="dark")
        found += violations(page, web, kind)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(LOOKS["narrow"]["viewport"])
        page.reload()
        found += violations(page, web, kind)
        assert found == [], json.dumps(found, indent=1)

    def test_everything_can_be_done_with_the_keyboard(self, open_page, built, tmp_path):
        """Find a municipality, read its value and interval, change the year, download the CSV: with keys alone."""
        folder, site = built
        indicator = next(one for one in site.indicators if one.id == INDICATOR)
        page = indicator_page(open_page, accept_downloads=True)

        def tab_to(script, most=200):
            for _ in range(most):
                page.keyboard.press("Tab")
                if page.evaluate(f"(() => {{ const at = document.activeElement; return {script}; }})()"):
                    return
            raise AssertionError(f"Not reached by Tab: {script}")

        def said_of(year):
            cells = site.cells_of(INDICATOR)
            cell = next(c for c in cells if c.geo_code == "62063" and c.year == year and set(c.split) == {"all"})
            words = site.words["en"]
            return words.cell(indicator, cell), words.interval(indicator, cell.ci_low, cell.ci_high)

        tab_to("at.getAttribute('role') === 'combobox'")
        page.keyboard.type("Luik")
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-slot=status] .message")
        told = page.locator("[data-slot=status]").inner_text()
        assert "Liège, 2023" in told
        assert all(text in told for text in said_of(2023))
        # The map has one stop; the arrows go from place to place within it.
        tab_to("at.matches('svg.map')")
        before = page.evaluate("document.activeElement.getAttribute('aria-activedescendant')")
        assert before == "live-map-62063"
        page.keyboard.press("ArrowRight")
        after = page.evaluate("document.activeElement.getAttribute('aria-activedescendant')")
        assert after not in (None, before)
        for _ in range(200):
            page.keyboard.press("Shift+Tab")
            if page.evaluate("document.activeElement.id") == "app-year":
                break
        page.keyboard.press("ArrowLeft")
        page.wait_for_function("document.querySelector('.stepper output').innerText === '2022'")
        page.wait_for_selector(READY)
        row = page.locator("table.chosen tbody tr").first.inner_text()
        assert all(text in row for text in said_of(2022))
        tab_to("at.href?.endsWith('.csv')", 1000)
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.name == f"{INDICATOR}.csv"
        assert path.read_bytes() == (folder / f"downloads/{site.release.number}" / path.name).read_bytes()


class TestHospitals:
    """Pages of hospitals have no script of their own; the indicator's page keeps their table beside the script's."""

    @pytest.fixture
    def opened(self, browser, address_of_hospitals):
        contexts, said = [], []

        def opened(path, **options):
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
            contexts.append(context)
            page = context.new_page()
            page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto(f"{address_of_hospitals}/{path}")
            return page

        yield opened
        for context in contexts:
            context.close()
        assert said == []

    @pytest.mark.parametrize("language", ["fr", "nl", "en"])
    @pytest.mark.parametrize("kind", PAGES_OF_HOSPITALS)
    def test_axe_finds_no_violation(self, opened, web, kind, language):
        page = opened(f"{language}/{PAGES_OF_HOSPITALS[kind]}", bypass_csp=True)
        if kind == "indicator of hospitals":
            page.wait_for_selector(READY)
        found = violations(page, web, kind)
        page.emulate_media(color_scheme="dark")
        found += violations(page, web, kind)
        page.set_viewport_size(LOOKS["narrow"]["viewport"])
        found += violations(page, web, kind)
        assert found == [], json.dumps(found, indent=1)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def test_the_table_of_hospitals_stays_with_the_script(self, opened):
        page = opened(f"en/{PAGES_OF_HOSPITALS['indicator of hospitals']}")
        page.wait_for_selector(READY)
        assert page.locator("section.hospitals tbody tr").count() == len(HOSPITALS)
        for state in ("value", "hidden", "nobody"):
            assert page.locator(f"section.hospitals .state-{state}").count() >= 1
        page.locator("section.hospitals tbody a").first.click()
        page.wait_for_selector("h1:has-text('Hôpital 1')")

    @pytest.mark.parametrize("text", ["hopital 17", "71000017"])
    @pytest.mark.parametrize(
        ("path", "field"),
        [("fr/index.html", "#find-text"), (f"nl/{PAGES_OF_HOSPITALS['indicator of hospitals']}", "#app-find-text")],
    )
    def test_the_search_finds_a_hospital(self, opened, path, field, text):
        page = opened(path)
        page.fill(field, text)
        page.wait_for_selector("li[role=option]")
        assert "Hôpital 17" in page.locator("li[role=option]").inner_text()
        page.keyboard.press("Enter")
        page.wait_for_url("**/hospitals/71000017.html")

    @pytest.mark.parametrize("text", ["ancien", "71009999"])
    def test_the_search_leads_from_an_ended_id_to_the_hospital_that_goes_on(self, opened, text):
        page = opened("en/index.html")
        page.fill("#find-text", text)
        page.wait_for_selector("li[role=option]")
        assert "71009999" in page.locator("li[role=option]").inner_text()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/hospitals/{next(iter(HOSPITALS))}.html")


def test_no_host_is_in_the_lock_file():
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_the_script_is_small_and_keeps_to_the_policy():
    text = (STATIC / "atlas.js").read_text(encoding="utf-8")
    assert len(gzip.compress(text.encode())) <= 40_000
    for forbidden in ("fetch(", "XMLHttpRequest", "new Worker", "eval(", "new Function", "cookie", "localStorage"):
        assert forbidden not in text


def test_every_third_party_has_its_licence():
    named = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["dependencies"]
    shipped = (STATIC / "THIRD_PARTY.txt").read_text(encoding="utf-8")
    for name, version in named.items():
        assert f"{name} {version} (" in shipped
    script = (STATIC / "atlas.js").read_text(encoding="utf-8")
    assert script.startswith("/* claimatlas, Apache-2.0. Third parties: THIRD_PARTY.txt */")
