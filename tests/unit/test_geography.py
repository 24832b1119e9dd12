"""Places: vintages, what lies in what, and codes that are carried from one vintage to another."""

from pathlib import Path

import pytest
from claimatlas.configuration import load_configuration
from claimatlas.configuration.geography import Geography, load_geography
from claimatlas.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = load_configuration().settings.geography
GEOGRAPHY = load_configuration().geography

MUNICIPALITIES = (
    "municipality,first_year,last_year,arrondissement,province,region,country,name_fr,name_nl,name_de\n"
    "1a,2006,2009,10,100,1000,B,,,\n"
    "1b,2006,2009,10,100,1000,B,,,\n"
    "2,2010,2014,10,100,1000,B,,,\n"
    "3,2015,9999,20,200,1000,B,,,\n"
    "4,2006,9999,30,,2000,B,,,\n"
)
CHANGES = "old,new,first_year\n1a,2,2010\n1b,2,2010\n2,3,2015\n4,4,2015\n"


def geography(folder: Path, municipalities: str = MUNICIPALITIES, changes: str = CHANGES) -> Geography:
    (folder / "geography").mkdir(exist_ok=True)
    (folder / "geography" / "municipalities.csv").write_text(municipalities, encoding="utf-8")
    (folder / "geography" / "changes.csv").write_text(changes, encoding="utf-8")
    return load_geography(folder, SETTINGS)


# --- The shipped places --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "municipalities"), [(2006, 589), (2018, 589), (2019, 581), (2024, 581), (2025, 565), (2026, 565)]
)
def test_a_vintage_has_the_municipalities_of_its_first_of_january(year: int, municipalities: int) -> None:
    assert len(GEOGRAPHY.vintage(year)) == municipalities


@pytest.mark.parametrize(
    ("year", "municipalities", "arrondissements"), [(2018, 589, 43), (2023, 581, 43), (2025, 565, 43)]
)
def test_the_units_of_a_vintage(year: int, municipalities: int, arrondissements: int) -> None:
    units = GEOGRAPHY.units(year)
    assert len(set(units)) == len(units)
    counts = {level: sum(found == level for found, _ in units) for level in SETTINGS.levels}
    assert counts == {
        "country": 1,
        "region": 3,
        "province": 10,
        "arrondissement": arrondissements,
        "municipality": municipalities,
    }
    assert ("country", "01000") in units
    assert {code for level, code in units if level == "region"} == {"02000", "03000", "04000"}


def test_brussels_lies_in_no_province() -> None:
    for code, place in GEOGRAPHY.vintage(2023).items():
        assert bool(place.parents["province"]) == (place.parents["region"] != "04000"), code
    assert GEOGRAPHY.places["21004"].parents == {
        "country": "01000",
        "region": "04000",
        "province": "",
        "arrondissement": "21000",
        "municipality": "21004",
    }
    assert not any(level == "province" and code in ("", "04000", "21000") for level, code in GEOGRAPHY.units(2023))


def test_arrondissements_of_the_vintage() -> None:
    before = {code for level, code in GEOGRAPHY.units(2018) if level == "arrondissement"}
    after = {code for level, code in GEOGRAPHY.units(2019) if level == "arrondissement"}
    assert before - after == {"54000"}
    assert after - before == {"58000"}


def test_every_code_is_carried_forward_to_every_later_vintage() -> None:
    for year in (2019, 2025):
        vintage = GEOGRAPHY.vintage(year)
        assert all(GEOGRAPHY.carry(code, year) in vintage for code in GEOGRAPHY.vintage(2006))


def test_in_2019_eleven_codes_were_only_recoded() -> None:
    # 22 codes are new; those that one municipality alone went into are carried back.
    new = GEOGRAPHY.vintage(2019).keys() - GEOGRAPHY.vintage(2018).keys()
    back = {code: GEOGRAPHY.carry(code, 2018) for code in sorted(new)}
    assert {code: old for code, old in back.items() if old} == {
        "51067": "55010",
        "51068": "55039",
        "51069": "55023",
        "55085": "52063",
        "55086": "52043",
        "57096": "54007",
        "57097": "54010",
        "58001": "55022",
        "58002": "56011",
        "58003": "56085",
        "58004": "56087",
    }


def test_in_2025_every_new_code_is_a_merger() -> None:
    new = GEOGRAPHY.vintage(2025).keys() - GEOGRAPHY.vintage(2024).keys()
    assert len(new) == 13
    assert all(GEOGRAPHY.carry(code, 2024) is None for code in new)


@pytest.mark.parametrize(
    ("code", "year", "carried"),
    [
        ("11001", 2006, "11001"),
        ("82003", 2024, "82003"),
        ("82003", 2025, "82039"),
        ("82005", 2025, "82039"),
        ("82039", 2025, "82039"),
        ("82039", 2024, None),
        ("71047", 2018, "71047"),
        ("71047", 2019, "72042"),
        ("71047", 2025, "72042"),
        ("72042", 2018, None),
        ("51067", 2006, "55010"),
        ("55010", 2025, "51067"),
        ("11007", 2024, "11007"),
        ("11007", 2025, "11002"),
        ("11002", 2024, "11002"),
        ("11002", 2025, "11002"),
        ("46030", 2024, None),
        ("99999", 2023, None),
        ("", 2023, None),
        ("01000", 2023, None),
    ],
)
def test_carrying(code: str, year: int, carried: str | None) -> None:
    assert GEOGRAPHY.carry(code, year) == carried


# --- Invented places -----------------------------------------------------------------------------


def test_codes_are_carried_through_every_change(tmp_path: Path) -> None:
    places = geography(tmp_path)
    assert [places.carry("1a", year) for year in (2009, 2010, 2014, 2015, 2030)] == ["1a", "2", "2", "3", "3"]
    assert [places.carry("1b", year) for year in (2009, 2015)] == ["1b", "3"]
    # Back over one predecessor, and no farther than where there are two.
    assert [places.carry("3", year) for year in (2015, 2014, 2010, 2009)] == ["3", "2", "2", None]
    assert places.carry("2", 2009) is None
    assert [places.carry("4", year) for year in (2006, 2015, 2030)] == ["4", "4", "4"]


def test_a_code_without_a_successor_is_lost(tmp_path: Path) -> None:
    places = geography(tmp_path, changes="old,new,first_year\n1a,2,2010\n")
    assert places.carry("1b", 2010) is None
    assert places.carry("2", 2009) == "1a"


def test_units_of_invented_places(tmp_path: Path) -> None:
    assert geography(tmp_path).units(2009) == [
        ("arrondissement", "10"),
        ("arrondissement", "30"),
        ("country", "B"),
        ("municipality", "1a"),
        ("municipality", "1b"),
        ("municipality", "4"),
        ("province", "100"),
        ("region", "1000"),
        ("region", "2000"),
    ]


@pytest.mark.parametrize(
    ("municipalities", "changes", "message"),
    [
        (
            MUNICIPALITIES + "4,2006,9999,30,,2000,B,,,\n",
            CHANGES,
            "municipalities.csv, line 7: the code '4' is empty or stands twice",
        ),
        (MUNICIPALITIES + ",2006,9999,30,,2000,B,,,\n", CHANGES, "municipalities.csv, line 7: the code '' is empty"),
        (MUNICIPALITIES + "5,2006,9999,30,,2000,,,,\n", CHANGES, "municipalities.csv, line 7: 5 lies in no country"),
        (MUNICIPALITIES + "5,soon,9999,30,,2000,B,,,\n", CHANGES, "municipalities.csv, line 7: 'soon' is not a year"),
        (MUNICIPALITIES + "5,2006,,30,,2000,B,,,\n", CHANGES, "municipalities.csv, line 7: '' is not a year"),
        (MUNICIPALITIES + "5,2006\n", CHANGES, "municipalities.csv, line 7: 2 fields, expected 10"),
        (MUNICIPALITIES.replace("province", "canton", 1), CHANGES, "municipalities.csv, line 1: the columns must be"),
        (MUNICIPALITIES, CHANGES + "5,3,2015\n", "changes.csv, line 6: 5 is not in geography/municipalities.csv"),
        (MUNICIPALITIES, CHANGES + "2,5,2015\n", "changes.csv, line 6: 5 is not in geography/municipalities.csv"),
        (MUNICIPALITIES, CHANGES + "1a,3,2015\n", "changes.csv, line 6: 1a has two successors"),
        (MUNICIPALITIES, CHANGES.replace("2,3,2015", "2,3,2014"), "changes.csv, line 4: the years of 2 and 3"),
        (MUNICIPALITIES, CHANGES.replace("1a,2,2010", "1a,3,2010"), "changes.csv, line 2: the years of 1a and 3"),
        (MUNICIPALITIES, CHANGES.replace("2015", "later", 1), "changes.csv, line 4: 'later' is not a year"),
    ],
)
def test_wrong_places_are_refused(tmp_path: Path, municipalities: str, changes: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        geography(tmp_path, municipalities, changes)
    assert str(caught.value).startswith(f"geography/{message}")


def test_a_country_of_two_codes_in_a_year_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        geography(tmp_path, MUNICIPALITIES + "5,2012,9999,30,,2000,C,,,\n")
    assert str(caught.value) == (
        "geography/municipalities.csv, line 7: country: 5 lies in C, and 2 of line 4 in B; "
        "in 2012 the country has two codes, and it may only have one."
    )


def test_one_level_of_several_places_is_refused(tmp_path: Path) -> None:
    (tmp_path / "geography").mkdir()
    places = "town,first_year,last_year,name_fr,name_nl,name_de\na,2006,9999,,,\nb,2006,9999,,,\n"
    (tmp_path / "geography" / "municipalities.csv").write_text(places, encoding="utf-8")
    (tmp_path / "geography" / "changes.csv").write_text("old,new,first_year\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"municipalities\.csv, line 3: town: b lies in b, and a of line 2 in a;"):
        load_geography(tmp_path, SETTINGS.model_copy(update={"levels": ("town",)}))


def test_a_country_may_change_its_code(tmp_path: Path) -> None:
    before = MUNICIPALITIES.splitlines(keepends=True)[0] + "1,2006,2009,10,100,1000,B,,,\n"
    places = geography(tmp_path, before + "2,2010,9999,10,100,1000,C,,,\n", "old,new,first_year\n1,2,2010\n")
    assert [place.parents["country"] for year in (2009, 2010) for place in places.vintage(year).values()] == ["B", "C"]


def test_other_levels_need_other_columns() -> None:
    without_provinces = SETTINGS.model_copy(update={"levels": ("country", "region", "arrondissement", "municipality")})
    with pytest.raises(InputError, match=r"municipalities\.csv, line 1: .*; unknown: province"):
        load_geography(ROOT / "conf", without_provinces)
