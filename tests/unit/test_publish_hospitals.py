"""The pages of hospitals: one for each, tables on the pages of indicators, and a sentence where there are none."""

import re
from html import unescape
from pathlib import Path

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")
pytest.importorskip("xlsxwriter", reason="the extra publish is not installed")

from claimatlas.cli import main
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.schemas import ALL
from publication.country import write_gold
from publication.hospitals import conf_of, deliveries, gold_of
from shipped import PUBLISHED_CELLS
from unit.test_publish import publish, with_atlas

LANGUAGES = ("fr", "nl", "en")
ENDED = "h0,2006,2018,h1,Ancien,Oud,Old <name>\n"


def made(folder: Path, seed: int = 10, **publication: object) -> tuple[Path, Path, Path]:
    """Configuration, output and draft of a small country with hospitals."""
    conf = with_atlas(conf_of(folder, **publication))
    with (conf / "hospitals.csv").open("a", encoding="utf-8") as file:
        file.write(ENDED)
    output = write_gold(folder / "output", gold_of(deliveries(seed)))
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    site = folder / "site"
    assert publish(output, conf, site, "--draft", "--synthetic") == 0
    return conf, output, site


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return made(tmp_path_factory.mktemp("hospitals"), seed=6)


def text_of(page: Path) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_hospital_has_a_page_that_says_what_the_cells_say(draft: tuple[Path, Path, Path], language: str) -> None:
    _, output, site = draft
    assert {page.stem for page in (site / language / "hospitals").iterdir()} == {"h0", "h1", "h2"}
    rows = [
        row
        for row in DeltaReader(str(output)).rows(PUBLISHED_CELLS)
        if (row["indicator_id"], row["geo_level"]) == ("nobody_by_hospital", "hospital")
    ]
    assert len(rows) == 6
    for row in rows:
        said = text_of(site / language / "hospitals" / f"{row['geo_code']}.html")
        if row["value"] is not None:
            number = f"{row['value']:.1f}"
            assert (number if language == "en" else number.replace(".", ",")) in said


def test_hidden_figures_look_hidden(tmp_path: Path) -> None:
    """The states of a cell are those of every other page."""
    _, output, site = made(tmp_path)
    hidden = [
        row
        for row in DeltaReader(str(output)).rows(PUBLISHED_CELLS)
        if row["geo_level"] == "hospital" and row["confidentiality"] == "C" and row["delivery_type"] == ALL
    ]
    assert hidden
    for row in hidden:
        page = (site / "en" / "hospitals" / f"{row['geo_code']}.html").read_text(encoding="utf-8")
        assert "state-hidden" in page
        assert str(row["numerator"]) not in re.findall(r"\d+ of \d+", page)


def test_a_profile_counts_the_hidden_figures_of_its_groups_too(draft: tuple[Path, Path, Path]) -> None:
    _, output, site = draft
    rows = [row for row in DeltaReader(str(output)).rows(PUBLISHED_CELLS) if row["geo_level"] == "hospital"]
    newest = max(row["year"] for row in rows)
    for code in sorted({row["geo_code"] for row in rows}):
        own = [row["confidentiality"] for row in rows if row["geo_code"] == code and row["year"] == newest]
        said = f"{own.count('C')} of {len(own)} figures of this profile are hidden."
        page = (site / "en" / "hospitals" / f"{code}.html").read_text(encoding="utf-8")
        assert (said if own.count("C") else "No figure of this profile is hidden.") in page, code


def test_the_start_and_the_indicators_lead_to_hospitals(draft: tuple[Path, Path, Path]) -> None:
    site = draft[2]
    for page in ("index.html", "indicators/nobody_by_hospital.html", "indicators/caesareans_by_hospital.html"):
        text = (site / "en" / page).read_text(encoding="utf-8")
        assert re.findall(r'href="[./]*en/hospitals/(h\d).html"', text) == ["h1", "h2"]
    table = (site / "en/indicators/nobody_by_hospital.html").read_text(encoding="utf-8")
    assert "None of the 2 hospitals is hidden" in table
    assert "Smallest level</dt><dd>hospital" in table
    assert "hospitals-title" not in (site / "en/indicators/births.html").read_text(encoding="utf-8")


def test_links_lead_to_files_of_the_site(draft: tuple[Path, Path, Path]) -> None:
    site = draft[2]
    for page in site.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#:]+)', page.read_text(encoding="utf-8")):
            assert link in ("https", "mailto") or (page.parent / link).exists(), (page, link)


def test_an_ended_id_leads_to_its_successor(draft: tuple[Path, Path, Path]) -> None:
    page = (draft[2] / "en" / "hospitals" / "h0.html").read_text(encoding="utf-8")
    assert "Old &lt;name&gt; (h0) was a hospital until 2018." in page
    assert 'href="../../en/hospitals/h1.html"' in page
    assert "Formed from Old &lt;name&gt; (h0)." in (draft[2] / "en" / "hospitals" / "h1.html").read_text(
        encoding="utf-8"
    )


def test_downloads_and_data_of_the_script(draft: tuple[Path, Path, Path]) -> None:
    """Downloads have the hospitals; the script, which draws maps of places, is not told of them."""
    site = draft[2]
    assert '"hospital","h1"' in (site / "downloads" / "1" / "nobody_by_hospital.csv").read_text(encoding="utf-8")
    for file in (site / "data" / "nobody_by_hospital").iterdir():
        assert "hospital" not in file.read_text(encoding="utf-8").replace("nobody_by_hospital", "")


def test_the_attacker_finds_nothing_in_what_readers_download(draft: tuple[Path, Path, Path]) -> None:
    conf, _, site = draft
    assert main(["audit", str(site / "downloads"), "--conf", str(conf)]) == 0


@pytest.mark.parametrize(
    ("has_register", "said"),
    [
        (True, "Figures by hospital are not part of the plan of publication."),
        (False, "Figures by hospital are on no page: this atlas has no register of hospitals."),
    ],
)
def test_without_hospitals_a_sentence_says_why(has_register: bool, said: str, tmp_path: Path) -> None:
    conf = with_atlas(conf_of(tmp_path, plan={"land": "all", "part": "all", "town": 1}))
    if not has_register:
        (conf / "hospitals.csv").unlink()
    output = write_gold(tmp_path / "output", gold_of(deliveries(6)))
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    site = tmp_path / "site"
    assert publish(output, conf, site, "--draft", "--synthetic") == 0
    assert said in (site / "en" / "indicators" / "nobody_by_hospital.html").read_text(encoding="utf-8")
    assert said not in (site / "en" / "indicators" / "births.html").read_text(encoding="utf-8")
    assert not (site / "en" / "hospitals").exists()
    assert '"hospital"' not in (site / "downloads" / "1" / "nobody_by_hospital.csv").read_text(encoding="utf-8")


def test_an_id_that_cannot_be_a_page_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf = with_atlas(conf_of(tmp_path))
    with (conf / "hospitals.csv").open("a", encoding="utf-8") as file:
        file.write("h/3,2006,,,A,A,A\n")
    output = write_gold(tmp_path / "output", gold_of(deliveries(6)))
    assert main(["protect", "--output", str(output), "--conf", str(conf)]) == 0
    assert publish(output, conf, tmp_path / "site", "--draft", "--synthetic") == 2
    assert "The id 'h/3' of a hospital cannot be the name of a page" in capsys.readouterr().err
