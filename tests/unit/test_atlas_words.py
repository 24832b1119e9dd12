"""Words, places and changes of the atlas, and the comparisons that drawn gold has."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from claimatlas.atlas.cells import Cell
from claimatlas.atlas.changes import causes_of, changes_between
from claimatlas.atlas.places import Places, places_of, sort_key
from claimatlas.atlas.words import Words, words_of
from claimatlas.commands.publish import is_synthetic
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.atlas import AtlasSettings, load_atlas
from claimatlas.configuration.indicators import Indicator
from claimatlas.errors import InputError
from claimatlas.tables.local_table import write_rows
from claimatlas.tables.schemas import ALL, PUBLISHED_CELLS, RELEASES, RUNS

ROOT = Path(__file__).resolve().parents[2]
SHARE, COUNT = "cube_007_008a", "cube_007_001a_denom"
LANGUAGES = ("fr", "nl", "en")


@pytest.fixture(scope="module")
def configured() -> Configuration:
    return load_configuration()


@pytest.fixture(scope="module")
def settings(configured: Configuration) -> AtlasSettings:
    return load_atlas(configured)


@pytest.fixture(scope="module")
def places(configured: Configuration, settings: AtlasSettings) -> Places:
    return places_of(configured, settings)


@pytest.fixture(params=LANGUAGES)
def words(request: pytest.FixtureRequest, settings: AtlasSettings) -> Words:
    return words_of(request.param, settings.locales[request.param])


def indicator(configured: Configuration, name: str) -> Indicator:
    return next(one for one in configured.indicators if one.id == name)


def cell(**changes: object) -> Cell:
    given = {
        **{"indicator_id": SHARE, "year": 2023, "geo_level": "municipality", "geo_code": "62063"},
        **{"geo_vintage": 2023, "split": (ALL,) * 4, "numerator": 70, "denominator": 992, "value": 7.0565},
        **{"ci_low": 5.6, "ci_high": 8.8, "value_low": None, "value_high": None, "comparison": None, "trend": None},
        **{"confidentiality": "F", "reliability": "normal", "status": "final", "release": 1},
    }
    return Cell(**{**given, **changes})


def places_in(text: str) -> list[str]:
    return sorted(re.findall(r"{(\w+)}", text))


def test_every_language_has_the_same_texts_with_the_same_places() -> None:
    texts = {language: words_of(language, "en_GB").by_key for language in LANGUAGES}
    for language in LANGUAGES:
        assert set(texts[language]) == set(texts["en"])
        for key, text in texts[language].items():
            assert places_in(text) == places_in(texts["en"][key]), (language, key)


def test_every_column_of_the_downloads_has_a_meaning_in_each_language() -> None:
    columns = {column.name for column in PUBLISHED_CELLS.columns} | {"note", "dimension"}
    english = words_of("en", "en_GB")
    for language in LANGUAGES:
        words = words_of(language, "en_GB")
        assert {name for name in columns if not words.has(f"field.{name}")} == set()
        if language != "en":
            assert all(words.by_key[f"field.{n}"] != english.by_key[f"field.{n}"] for n in columns - {"indicator_id"})


def keys_of_templates() -> Iterator[str]:
    for file in (ROOT / "lib/claimatlas/atlas/templates").iterdir():
        yield from re.findall(r'say\("([a-z_.]+)"[,)]', file.read_text(encoding="utf-8"))


def test_every_text_of_a_template_is_there(words: Words) -> None:
    used = set(keys_of_templates())
    assert len(used) > 50
    assert {key for key in used if not words.has(key)} == set()


@pytest.mark.parametrize(
    ("number", "said"), [(12.25, "12.3"), (12.2499, "12.2"), (0.05, "0.1"), (1234.5, "1,234.5"), (2.675, "2.7")]
)
def test_numbers_are_rounded_half_up_as_they_are_written(number: float, said: str) -> None:
    assert words_of("en", "en_GB").number(number) == said


def test_numbers_are_written_as_the_locale_does() -> None:
    assert words_of("fr", "fr_BE").number(1234.5) == "1\u202f234,5"
    assert words_of("nl", "nl_BE").number(1234.5) == "1.234,5"
    assert words_of("fr", "fr_BE").share(1, 1000) == "moins de 1 %"
    assert words_of("en", "en_GB").share(0, 1000) == "0%"


def test_the_four_states_are_told_apart(configured: Configuration, words: Words) -> None:
    share = indicator(configured, SHARE)
    hidden = cell(confidentiality="C", numerator=None, value=None, value_low=0.0, value_high=2.4)
    nobody = cell(numerator=0, denominator=0, value=None)
    lacking = cell(status="not_computable", numerator=None, value=None)
    said = [words.cell(share, one) for one in (cell(), hidden, nobody, lacking, None)]
    assert len(set(said)) == 5
    assert said[0] == words.say("unit_value.percent", value=words.number(7.0565))
    assert "5" in words.hidden(share, hidden, 5)
    assert words.number(2.4) in words.hidden(share, hidden, 5)
    assert words.bounds(share, cell()) == ""


def test_a_hidden_figure_without_bounds_names_none(configured: Configuration, words: Words) -> None:
    hidden = cell(confidentiality="C", numerator=None, denominator=None, value=None)
    assert words.hidden(indicator(configured, SHARE), hidden, 5) == words.say("hidden", k=5)
    assert "{" not in words.say("hidden", k=5)


def test_places_have_names_in_each_language(places: Places) -> None:
    assert places.name("municipality", "62063", "nl", 2023) == "Luik"
    assert places.name("municipality", "62063", "en", 2023) == "Liège"
    assert places.name("municipality", "11002", "en", 2023) == "Antwerpen"
    assert places.name("country", "01000", "en", 2023) == "Belgium"
    assert places.short_name("arrondissement", "62000", "fr", 2023) == "Liège"
    assert places.name("municipality", "99999", "fr", 2023) == "99999"


def test_an_ended_code_leads_to_its_successor(places: Places) -> None:
    ended = dict(places.ended(2025))
    assert ended["12030"] == "12041"
    assert places.successor("62063", 2025) is None
    assert set(places.former("12041", 2025)) == {code for code, successor in ended.items() if successor == "12041"}
    assert places.last_year("12030") == 2018


def test_a_place_lies_in_larger_ones(places: Places) -> None:
    assert places.parents("municipality", "62063", 2023) == {
        **{"country": "01000", "region": "03000", "province": "60000", "arrondissement": "62000"}
    }
    level, codes = places.children("province", "60000", 2023) or ("", [])
    assert (level, "62000" in codes) == ("arrondissement", True)
    assert places.children("municipality", "62063", 2023) is None


def test_names_are_in_an_order_without_accents() -> None:
    assert sorted(["Zele", "Écaussinnes", "Eeklo", "aalst"], key=sort_key) == ["aalst", "Écaussinnes", "Eeklo", "Zele"]


def release(number: int, cells: list[Cell]) -> SimpleNamespace:
    return SimpleNamespace(release=number, years_of_indicators={SHARE: (2023,)}, cells_of=lambda _: cells)


def test_changes_are_told_by_kind() -> None:
    hidden = {"confidentiality": "C", "numerator": None, "value": None}
    before = [
        cell(geo_code="1"),
        cell(geo_code="2"),
        cell(geo_code="3", **hidden),
        cell(geo_code="4"),
        cell(geo_code="5"),
    ]
    after = [
        *(cell(geo_code="1"), cell(geo_code="2", numerator=71), cell(geo_code="3"), cell(geo_code="4", **hidden)),
        *(cell(geo_code="6", release=2),),
    ]
    (change,) = changes_between(release(1, before), release(2, after))
    assert (change.indicator, change.year) == (SHARE, 2023)
    assert change.counts == {"changed": 1, "newly_shown": 1, "newly_hidden": 1, "added": 1, "removed": 1}


def test_the_same_figures_are_no_change() -> None:
    assert changes_between(release(1, [cell()]), release(2, [cell(release=2)])) == ()


@pytest.mark.parametrize("record", [{}, [], {"causes": 3}, {"causes": ["weather"]}])
def test_what_is_no_record_of_diff_is_refused(record: object) -> None:
    with pytest.raises(InputError, match=r"diff.json"):
        causes_of(record, "diff.json")


def run(name: str, minute: int, record: str) -> tuple[object, ...]:
    moment = datetime(2024, 1, 1, 0, minute, tzinfo=UTC)
    return (name, "run-year", "done", [2023], moment, moment, "0", "", "", record, "{}")


@pytest.mark.parametrize(
    ("records", "found"),
    [
        (["{}"], False),
        (['{"is_synthetic": true}'], True),
        (['{"is_synthetic": true}', "{}"], True),
        (['{"is_synthetic": true}', '{"is_synthetic": false}'], False),
        (['{"is_synthetic": true}', '{"is_synthetic": false, "batch": 2}'], True),
    ],
)
def test_the_runs_say_whether_figures_are_synthetic(tmp_path: Path, records: list[str], found: bool) -> None:
    rows = [run(f"run{number}", number, record) for number, record in enumerate(records)]
    later = run("later", 50, '{"is_synthetic": true}')
    write_rows(str(tmp_path), RUNS, [*rows, later])
    made = (1, f"run{len(records) - 1}", datetime(2024, 1, 2, tzinfo=UTC), None, None, None, "run")
    write_rows(str(tmp_path), RELEASES, [made])
    assert is_synthetic(str(tmp_path), 1) is found


def test_drawn_places_are_compared_with_the_country(configured: Configuration) -> None:
    from claimatlas.synthetic.drawn_comparisons import comparison_rows

    def row(level: str, code: str, year: int, numerator: int) -> dict[str, object]:
        place = {"indicator_id": SHARE, "geo_code": code, "geo_level": level, "year": year}
        return {**place, "age_band": "all", "numerator": numerator, "denominator": 1000}

    cells = [row("country", "x", year, 500) for year in range(2019, 2024)]
    cells += [row("municipality", "low", year, 400 - 20 * (year - 2019)) for year in range(2019, 2024)]
    cells += [row("municipality", "same", 2023, 501)]
    found = {
        (code, year): (comparison, trend)
        for _, code, _, _, _, _, comparison, trend, _, _, year, _ in comparison_rows(
            cells, configured.indicators, "country", "counts"
        )
    }
    assert found["low", 2023] == ("lower", "falling")
    assert found["low", 2022] == ("lower", None)
    assert found["same", 2023] == ("similar", None)
    assert found["x", 2023] == (None, "none")


def test_the_day_of_a_method_is_that_of_the_indicator(settings: AtlasSettings) -> None:
    assert settings.method_changed_on(COUNT) == settings.method_changed["all"]
    changed = settings.model_copy(update={"method_changed": {"all": date(2020, 1, 1), SHARE: date(2021, 1, 1)}})
    assert (changed.method_changed_on(SHARE), changed.method_changed_on(COUNT)) == (date(2021, 1, 1), date(2020, 1, 1))
