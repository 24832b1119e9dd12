"""The commands publish and withdraw on a small foreign country: what they ask for, what they write and never read."""

import csv
import hashlib
import json
import random
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest
import yaml

pytest.importorskip("highspy", reason="the extra publish is not installed")
pytest.importorskip("xlsxwriter", reason="the extra publish is not installed")

import pyarrow.parquet as pq
from claimatlas.atlas import building
from claimatlas.atlas.cells import State
from claimatlas.atlas.reading import PublishedCells
from claimatlas.auditing import run as auditing_run
from claimatlas.auditing.run import audit
from claimatlas.cli import main
from claimatlas.commands import attacks
from claimatlas.configuration import load_configuration
from claimatlas.configuration.atlas import load_atlas
from claimatlas.errors import InputError
from claimatlas.protection.audit import Audit
from claimatlas.protection.cleaning import Cleaning
from claimatlas.protection.proof import Proof
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.schemas import LEDGER
from openpyxl import load_workbook
from publication.country import YEAR, atoms, configuration, counts_of_release, gold_rows, write_gold
from shipped import POSTNATAL, PUBLISHED_CELLS

ATLAS = {
    "owner": {"fr": "Office", "nl": "Bureau", "en": "Office"},
    "title": {"fr": "Atlas du pays", "nl": "Atlas van het land", "en": "Atlas of the land"},
    "subtitle": {"fr": "Chiffres", "nl": "Cijfers", "en": "Figures <b>& more"},
    "logo": None,
    "contact": "mailto:office@example.org",
    "base_url": "https://example.org/atlas",
    "licence": {"name": "CC0 1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
    "attribution": "Survey of the land",
    "locales": {"fr": "fr_FR", "nl": "nl_NL", "en": "en_GB"},
    "outlines": None,
    "update": {"quarter": 1, "years_after": 1},
    "method_changed": {"all": date(2024, 3, 1)},
    "themes": [
        {
            "id": "care",
            "names": {"fr": "Soins", "nl": "Zorg", "en": "Care"},
            "keywords": {"en": ["births"]},
            "indicators": ["births", "nobody"],
        }
    ],
}


def drawn(seed: int) -> dict:
    dice = random.Random(seed)
    most = {"b1": 4, "b2": 0, "": 2}
    births = {atom: dice.randint(0, most.get(atom[0], 30)) for atom in atoms()}
    no_midwife = {atom: sum(dice.random() < 0.3 for _ in range(count)) for atom, count in births.items()}
    nobody = {atom: sum(dice.random() < 0.4 for _ in range(count)) for atom, count in no_midwife.items()}
    return {"births": births, "no_midwife": no_midwife, "nobody": nobody}


def with_atlas(conf: Path, **changes) -> Path:
    shipped = yaml.safe_load((conf / "atlas.yaml").read_text(encoding="utf-8"))
    settings = {**ATLAS, "colours": shipped["colours"], **changes}
    (conf / "atlas.yaml").write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return conf


def publish(output: Path, conf: Path, site: Path, *more: str) -> int:
    return main(["publish", "--output", str(output), "--conf", str(conf), "--site", str(site), *more])


def review_hash(output: Path, release: int = 1) -> str:
    return hashlib.sha256((output / "protection" / f"review_{release}.json").read_bytes()).hexdigest()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("protected")
    conf = with_atlas(configuration(folder))
    output = write_gold(folder / "output", gold_rows(drawn(1)))
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    return output, conf


@pytest.fixture(scope="module")
def draft(protected: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A draft, made where gold is not there: nothing but the published cells is read."""
    output, conf = protected
    folder = tmp_path_factory.mktemp("draft")
    shutil.copytree(output / "published", folder / "output" / "published")
    assert publish(folder / "output", conf, folder / "site", "--draft", "--synthetic") == 0
    return folder / "site"


@pytest.fixture
def output(protected: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(protected[0], tmp_path / "output"))


@pytest.fixture
def conf(protected: tuple[Path, Path]) -> Path:
    return protected[1]


def test_the_attacker_finds_the_same_in_what_readers_download(
    protected: tuple[Path, Path], draft: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where each file has a column more, that says of every row that it is synthetic."""
    output, conf = protected
    told = []
    for folder in (output, draft / "downloads" / "1"):
        code = main(["audit", str(folder), "--conf", str(conf), "--json"])
        record = json.loads(capsys.readouterr().out)
        record.pop("seconds")
        told.append((code, record))
    assert told[0] == told[1]
    assert told[0][1]["hidden"] > 0


def test_nothing_is_published_without_an_approved_report(
    output: Path, conf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    assert publish(output, conf, site) == 2
    assert "--approved-by" in capsys.readouterr().err
    assert publish(output, conf, site, "--approved-by", "A. Person") == 2
    said = capsys.readouterr().err
    assert f"--review {review_hash(output)}" in " ".join(said.split())
    assert publish(output, conf, site, "--approved-by", "A. Person", "--review", "0" * 64) == 2
    assert not site.exists()
    assert not DeltaReader(str(output)).exists(LEDGER)


def test_a_candidate_that_is_not_the_approved_one_is_refused(output: Path, conf: Path, tmp_path: Path) -> None:
    approved = review_hash(output)
    rows = DeltaReader(str(output)).rows(PUBLISHED_CELLS)
    from claimatlas.tables.local_table import write_rows

    names = [column.name for column in PUBLISHED_CELLS.columns]
    shown = next(row for row in rows if row["numerator"] is not None)
    shown["numerator"] += 1
    write_rows(str(output), PUBLISHED_CELLS, [tuple(row[name] for name in names) for row in rows])
    assert publish(output, conf, tmp_path / "site", "--approved-by", "A. Person", "--review", approved) == 2
    assert not (tmp_path / "site").exists()


def test_a_candidate_that_the_attacker_breaks_is_not_published(
    output: Path, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What hides and what attacks are two programs: a fault of the first is found by the second."""
    for step, answer in (("protect", True), ("clean", 0), ("check_worlds", True)):
        owner = Cleaning if step == "clean" else Audit
        monkeypatch.setattr(owner, step, lambda self, until=0.0, answer=answer: answer)
    monkeypatch.setattr("claimatlas.protection.choosing.prove", lambda audit, progress: Proof())
    site = tmp_path / "site"
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    approved = ("--approved-by", "A. Person", "--review", review_hash(output))
    assert publish(output, conf, site, *approved) == 3
    assert "figures can be worked out" in capsys.readouterr().err
    assert not site.exists()
    assert not DeltaReader(str(output)).exists(LEDGER)
    assert not (output / "protection" / "attack_1.json").exists()


def test_figures_that_withstood_the_attack_are_not_attacked_again(
    output: Path, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(attacks, "audit", lambda *given: made.append(given) or audit(*given))
    for _ in range(2):
        approved = ("--approved-by", "A. Person", "--review", review_hash(output))
        assert publish(output, conf, tmp_path / "site", *approved) == 0
    assert len(made) == 1


def test_of_a_release_with_one_new_year_that_year_alone_is_attacked(
    output: Path, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, int, str]] = []
    attack_group = auditing_run._attack_group
    monkeypatch.setattr(
        auditing_run, "_attack_group", lambda task, progress: made.append(task.group) or attack_group(task, progress)
    )
    approved = ("--approved-by", "A. Person", "--review", review_hash(output))
    assert publish(output, conf, tmp_path / "site", *approved) == 0
    assert [group[:2] for group in made] == [(1, YEAR)]
    names = [column.name for column in POSTNATAL.columns]
    later = []
    for row in gold_rows(counts_of_release(5)):
        later.append(tuple({**dict(zip(names, row, strict=True)), "year": YEAR + 1}[name] for name in names))
    first = DeltaReader(str(output)).rows(POSTNATAL)
    write_gold(output, [*(tuple(row[name] for name in names) for row in first), *later], release=2)
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    approved = ("--approved-by", "A. Person", "--review", review_hash(output, 2))
    made.clear()
    assert publish(output, conf, tmp_path / "site", *approved) == 0
    assert [group[:2] for group in made] == [(2, YEAR + 1)]
    # Other rules attack all of it, each year once: both releases show the same of the first.
    for file in (output / "protection").glob("attack_*"):
        record = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**record, "rules": {}}), encoding="utf-8")
    made.clear()
    assert publish(output, conf, tmp_path / "site", *approved) == 0
    assert sorted(group[:2] for group in made) == [(2, YEAR), (2, YEAR + 1)]


def test_an_embargo_is_kept(output: Path, conf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tomorrow = (date.today() + timedelta(days=2)).isoformat()  # noqa: DTZ011
    given = ("--approved-by", "A. Person", "--review", review_hash(output), "--not-before")
    assert publish(output, conf, tmp_path / "site", *given, tomorrow) == 2
    assert "--not-before" in capsys.readouterr().err
    assert publish(output, conf, tmp_path / "site", *given, "2020-01-01") == 0


def test_a_release_is_in_the_ledger_once_and_has_the_same_bytes_twice(output: Path, conf: Path, tmp_path: Path) -> None:
    given = ("--approved-by", "A. Person", "--review", review_hash(output))
    for name in ("one", "two"):
        assert publish(output, conf, tmp_path / name, *given) == 0
    cells = DeltaReader(str(output)).rows(PUBLISHED_CELLS)
    ledger = DeltaReader(str(output)).rows(LEDGER)
    assert len(ledger) == len(cells)
    assert {row["approved_by"] for row in ledger} == {"A. Person"}
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert publish(output, conf, tmp_path / "one", *given) == 0
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_the_site_may_not_lie_where_single_records_lie(output: Path, conf: Path, tmp_path: Path) -> None:
    for site in (output / "site", output, tmp_path):
        assert publish(output, conf, site, "--draft") == 2
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "work.txt").write_text("mine", encoding="utf-8")
    assert publish(output, conf, tmp_path / "else", "--draft") == 2
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert publish(output, conf, tmp_path / "link", "--draft") == 2
    assert [path.name for path in (tmp_path / "else").iterdir()] == ["work.txt"]


def test_a_site_that_fails_leaves_the_former_one(
    output: Path, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    assert publish(output, conf, site, "--draft") == 0
    before = bytes_of(site)

    def fail(*_: object) -> None:
        raise InputError("no pages")

    monkeypatch.setattr(building, "_write_places", fail)
    given = ("--approved-by", "A. Person", "--review", review_hash(output))
    assert publish(output, conf, site, *given) == 2
    assert bytes_of(site) == before
    assert not DeltaReader(str(output)).exists(LEDGER)
    assert {path.name for path in tmp_path.iterdir()} - {".site.lock"} == {"output", "site"}


def test_a_site_is_put_in_place_where_names_cannot_be_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_exchange", lambda *_: False)
    for name in ("new", "site"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "which").write_text(name, encoding="utf-8")
    building.put_in_place(tmp_path / "new", tmp_path / "site")
    assert (tmp_path / "site" / "which").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_draft_reads_nothing_but_published_cells(draft: Path) -> None:
    mark = json.loads((draft / "site.json").read_text(encoding="utf-8"))
    assert (mark["is_draft"], mark["is_synthetic"], mark["release"]) == (True, True, 1)


def test_neither_spark_nor_node_is_needed(output: Path, conf: Path, tmp_path: Path) -> None:
    """A Python without PySpark, and no program on the path but Python."""
    without = "import sys\nfor name in ('pyspark', 'py4j', 'delta'):\n    sys.modules[name] = None\n"
    (tmp_path / "sitecustomize.py").write_text(without, encoding="utf-8")
    start = "import sys; from claimatlas.cli import main; sys.exit(main())"
    given = ["publish", "--output", output, "--conf", conf, "--site", tmp_path / "site", "--draft"]
    done = subprocess.run(
        [sys.executable, "-c", start, *map(str, given)],
        env={"PYTHONPATH": f"{tmp_path}:{Path(building.__file__).parents[2]}", "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "site.json").is_file()


def test_every_page_and_file_says_that_figures_are_synthetic(draft: Path) -> None:
    bands = {"fr": "Chiffres synthétiques", "nl": "Synthetische cijfers", "en": "Synthetic figures"}
    for page in draft.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        language = page.relative_to(draft).parts[0]
        assert bands.get(language, bands["en"]) in text, page
        assert "band-draft" in text, page
        for drawing in re.findall(r"<svg[^>]*class=\"(?:chart|map)\".*?</svg>", text, re.DOTALL):
            assert bands[language] in drawing, page
    downloads = draft / "downloads" / "1"
    for file in downloads.glob("*.csv"):
        assert all(row["note"] == "synthetic figures, draft" for row in csv.DictReader(file.open(encoding="utf-8")))
    for file in (draft / "data").rglob("*.js"):
        assert "synthetic" in file.read_text(encoding="utf-8").partition("\n")[0], file
    assert json.loads((downloads / "audit.json").read_text(encoding="utf-8"))["is_synthetic"] is True


def test_no_word_of_another_country(draft: Path) -> None:
    """The sheets name the shipped code lists and their sources, which this country has taken over."""
    for file in draft.rglob("*"):
        if (
            file.parent.name != "sheets"
            and file.suffix in (".html", ".js", ".json", ".jsonld", ".txt", ".css", ".svg")
            and file.name != "THIRD_PARTY.txt"
        ):
            text = file.read_text(encoding="utf-8").lower()
            for word in ("belg", "ima-aim", "statbel", "wallon", "vlaams"):
                assert word not in text, (file, word)


def test_links_lead_to_files_of_the_site(draft: Path) -> None:
    for page in draft.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#]+)', page.read_text(encoding="utf-8")):
            if not target.startswith(("http", "mailto:")):
                assert (page.parent / target).resolve().is_file(), (page, target)


def test_pages_ask_for_nothing_elsewhere_and_hold_no_style_of_their_own(draft: Path) -> None:
    for page in draft.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "default-src 'none'; script-src 'self'" in unescape(text)
        assert " style=" not in text and "<style" not in text
        assert not re.search(r'<(?:script|img|link rel="stylesheet")[^>]+(?:src|href)="https?:', text)
        for kind, script in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL):
            assert json.loads(script) if "ld+json" in kind else script == "", page


def test_texts_of_the_configuration_are_escaped(draft: Path) -> None:
    text = (draft / "en" / "index.html").read_text(encoding="utf-8")
    assert "Figures &lt;b&gt;&amp; more" in text
    assert "<b>& more" not in text


def test_downloads_hold_the_published_cells(draft: Path, protected: tuple[Path, Path]) -> None:
    cells = PublishedCells(str(protected[0]), 1)
    folder = draft / "downloads" / "1"
    for name in cells.years_of_indicators:
        expected = [tuple(row[column] for column in cells.columns) for row in cells.table_of(name).to_pylist()]
        assert expected
        parquet = pq.read_table(folder / f"{name}.parquet").to_pylist()
        assert [tuple(row[column] for column in cells.columns) for row in parquet] == expected
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            written = list(csv.DictReader(stream))
        book = load_workbook(folder / f"{name}.xlsx", read_only=True)
        assert book.sheetnames == ["data", "metadata", "notes"]
        header, *sheet = book["data"].iter_rows(values_only=True)
        assert header == (*cells.columns, "note")
        assert len(written) == len(sheet) == len(expected)
        for row, line, values in zip(written, sheet, expected, strict=True):
            for position, column in enumerate(cells.columns):
                value = values[position]
                assert line[position] == value, (name, column)
                assert (float(row[column]) if isinstance(value, float) else row[column]) == (
                    value if isinstance(value, float) else "" if value is None else str(value)
                )


def test_every_column_of_the_downloads_is_explained(draft: Path) -> None:
    with next((draft / "downloads" / "1").glob("*.csv")).open(encoding="utf-8") as stream:
        columns = next(csv.reader(stream))
    for language, said in (("fr", "Année de référence"), ("nl", "Referentiejaar"), ("en", "Reference year")):
        text = (draft / language / "data.html").read_text(encoding="utf-8")
        assert re.findall(r"<code>(.*?)</code>", text) == columns
        assert said in text


def test_checksums_and_the_zip_hold_every_file(draft: Path) -> None:
    folder = draft / "downloads" / "1"
    sums = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    assert set(sums) == {file.name for file in folder.iterdir()} - {"SHA256SUMS"}
    for name, given in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == given
    with zipfile.ZipFile(folder / "release-1.zip") as archive:
        assert set(archive.namelist()) == set(sums) - {"release-1.zip"}
        assert {entry.date_time for entry in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("language", ["fr", "nl", "en"])
def test_the_table_of_a_page_says_what_the_cells_say(draft: Path, protected: tuple[Path, Path], language: str) -> None:
    from claimatlas.atlas.words import words_of

    output, conf = protected
    configured = load_configuration(str(conf))
    words = words_of(language, load_atlas(configured).locales[language])
    seen = set()
    for indicator in configured.indicators:
        text = (draft / language / "indicators" / f"{indicator.id}.html").read_text(encoding="utf-8")
        rows = dict(re.findall(r'<tr data-code="(\w+)">(.*?)</tr>', text, re.DOTALL))
        totals = {key[3]: cell for key, cell in PublishedCells(str(output), 1).totals.items() if key[0] == indicator.id}
        assert set(rows) == set(totals)
        for code, cell in totals.items():
            seen.add(cell.state)
            look = cell.state.value.replace("_", "-")
            assert f'<span class="figure state-{look}"' in rows[code]
            assert f">{words.cell(indicator, cell)}</span>" in rows[code]
            profile = draft / language / "places" / cell.geo_level / f"{code}.html"
            assert f">{words.cell(indicator, cell)}</span>" in profile.read_text(encoding="utf-8")
            if cell.state is State.HIDDEN:
                assert words.hidden(indicator, cell, 3).replace("'", "&#39;") in rows[code]
    assert {State.VALUE, State.HIDDEN, State.NOBODY} <= seen


def test_the_sheet_has_what_readers_look_for(draft: Path) -> None:
    text = (draft / "en" / "indicators" / "nobody.html").read_text(encoding="utf-8")
    for words in (
        "The figures of a calendar year come 1 year later, in the first quarter.",
        "Available from",
        "births",
        "1 March 2024",
        "draft of release 1: not to be cited",
        "Source variables",
        "Equivalent variables",
    ):
        assert words in text


def test_without_outlines_there_is_no_map_and_the_rest_works(draft: Path) -> None:
    text = (draft / "en" / "indicators" / "nobody.html").read_text(encoding="utf-8")
    assert "There are no outlines of these places" in text
    assert 'class="map"' not in re.sub(r"<section[^>]*>", "", text)
    assert not (draft / "data" / "topology.js").exists()


def test_a_level_without_outlines_has_no_empty_map(output: Path, conf: Path, tmp_path: Path) -> None:
    """Outlines of larger places only: the smallest level says that it has none, and its list and table are there."""
    own = Path(shutil.copytree(conf, tmp_path / "conf"))
    squares = [
        {
            "type": "Feature",
            "properties": {"id": part},
            "geometry": {"type": "Polygon", "coordinates": [[[x, 50], [x + 1, 50], [x + 1, 51], [x, 51], [x, 50]]]},
        }
        for x, part in enumerate(("north", "south"))
    ]
    (own / "parts.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": squares}), encoding="utf-8")
    with_atlas(own, outlines={"file": "parts.geojson", "code": "id", "level": "part"})
    assert publish(output, own, tmp_path / "site", "--draft", "--synthetic") == 0
    text = (tmp_path / "site/en/indicators/births.html").read_text(encoding="utf-8")
    assert "There are no outlines of these places" in text
    assert not re.findall(r"<svg[^>]*class=.map.", text)
    assert text.count('<tr data-code="a1">') == 1
    topology = (tmp_path / "site/data/topology.js").read_text(encoding="utf-8")
    assert '"part":{"codes":["north","south"]' in topology


def test_a_candidate_knows_what_was_published_before_it(
    output: Path, conf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that was protected before an earlier release was published is protected again; what was published is not."""
    site = tmp_path / "site"
    tables = drawn(1)
    town = next(atom for atom in atoms() if atom[0] == "a1" and tables["births"][atom] > 20)
    tables["births"][town] += 6
    write_gold(output, gold_rows(tables), release=2)
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    first = ("--release", "1", "--approved-by", "A. Person", "--review", review_hash(output))
    assert publish(output, conf, site, *first) == 0
    capsys.readouterr()
    assert publish(output, conf, site, "--approved-by", "A. Person", "--review", review_hash(output, 2)) == 2
    assert "Another release was published since release 2 was protected" in capsys.readouterr().err
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    assert publish(output, conf, site, "--approved-by", "A. Person", "--review", review_hash(output, 2)) == 0
    # The first is in the ledger: to write its site again asks for nothing.
    assert publish(output, conf, tmp_path / "again", *first) == 0


def test_a_further_release_keeps_the_first_and_tells_what_changed(output: Path, conf: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert publish(output, conf, site, "--approved-by", "A. Person", "--review", review_hash(output)) == 0
    first = bytes_of(site / "downloads" / "1")
    tables = drawn(1)
    town = next(atom for atom in atoms() if atom[0] == "a1" and tables["births"][atom] > 20)
    tables["births"][town] += 6
    write_gold(output, gold_rows(tables), release=2)
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    record = tmp_path / "diff.json"
    record.write_text(json.dumps({"causes": ["claims and population", "settings"]}), encoding="utf-8")
    given = ("--approved-by", "B. Person", "--review", review_hash(output, 2), "--changes", str(record))
    assert publish(output, conf, site, *given) == 0
    assert bytes_of(site / "downloads" / "1") == first
    assert (site / "downloads" / "2" / "SHA256SUMS").is_file()
    text = (site / "en" / "releases.html").read_text(encoding="utf-8")
    assert "What changed since release 1" in text
    assert "Causes: claims, population and settings." in text
    assert "A. Person" not in text
    assert (
        main(
            [
                "withdraw",
                "--output",
                str(output),
                "--conf",
                str(conf),
                "--site",
                str(site),
                "--release",
                "2",
                "--reason",
                "A town twice <i>",
                "--approved-by",
                "C. Person",
            ]
        )
        == 0
    )
    text = (site / "en" / "releases.html").read_text(encoding="utf-8")
    assert "Release 2 was withdrawn on" in text
    assert "A town twice &lt;i&gt;" in text
    assert not (site / "downloads" / "2").exists()
    assert bytes_of(site / "downloads" / "1") == first
    assert json.loads((site / "site.json").read_text(encoding="utf-8"))["release"] == 1
    assert publish(output, conf, site, "--approved-by", "B. Person", "--review", review_hash(output, 2)) == 2


def test_when_the_only_release_is_withdrawn_the_site_says_so(output: Path, conf: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    withdraw = ["withdraw", "--output", str(output), "--conf", str(conf), "--site", str(site), "--release", "1"]
    withdraw += ["--reason", "Wrong", "--approved-by", "C. Person"]
    assert main(withdraw) == 2
    assert publish(output, conf, site, "--approved-by", "A. Person", "--review", review_hash(output)) == 0
    assert main(withdraw) == 0
    assert "There is no release in force" in (site / "en" / "index.html").read_text(encoding="utf-8")
    assert not (site / "downloads").exists()
    for page in site.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#]+)', page.read_text(encoding="utf-8")):
            if not target.startswith(("http", "mailto:")):
                assert (page.parent / target).resolve().is_file(), (page, target)


def test_the_notebook_makes_a_draft_and_publishes_what_was_approved(
    output: Path, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = Path(__file__).resolve().parents[2] / "notebooks" / "publish_the_atlas.py"
    given = [f"output={output}", f"site={tmp_path / 'site'}", f"conf={conf}"]
    approval = ["approved_by=A. Person", f"review={review_hash(output)}"]
    for more, is_draft in (([], True), (approval, False)):
        monkeypatch.setattr("sys.argv", [str(notebook), *given, *more])
        runpy.run_path(str(notebook), run_name="__main__")
        mark = json.loads((tmp_path / "site" / "site.json").read_text(encoding="utf-8"))
        assert mark["is_draft"] is is_draft
    monkeypatch.setattr("sys.argv", [str(notebook), *given, "approved_by=A. Person", "review=0"])
    with pytest.raises(SystemExit, match="not written"):
        runpy.run_path(str(notebook), run_name="__main__")


def test_languages_are_those_of_the_configuration(output: Path, conf: Path, tmp_path: Path) -> None:
    assert publish(output, conf, tmp_path / "site", "--draft", "--languages", "de") == 2
    assert publish(output, conf, tmp_path / "site", "--draft", "--languages", "nl") == 0
    assert not (tmp_path / "site" / "en").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"licence": {"name": "x", "url": "javascript:alert(1)"}}, "licence.url"),
        ({"themes": [{"id": "a", "names": ATLAS["owner"], "keywords": {}, "indicators": ["else"]}]}, "else"),
        ({"title": {"fr": "Atlas"}}, "nl"),
        ({"logo": "logo.svg"}, "logo.svg"),
        ({"owners": {}}, "owners"),
        ({"method_changed": {"births": date(2024, 1, 1)}}, "method_changed"),
    ],
)
def test_mistakes_of_the_theme_are_named(tmp_path: Path, conf: Path, changes: dict, said: str) -> None:
    wrong = with_atlas(Path(shutil.copytree(conf, tmp_path / "wrong")), **changes)
    with pytest.raises(InputError, match=re.escape(said)):
        load_atlas(load_configuration(str(wrong)))
