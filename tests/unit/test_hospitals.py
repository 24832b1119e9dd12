"""The register of hospitals: who is there in a year, who goes on with whom, and which files are refused."""

from pathlib import Path

import pytest
from claimatlas.configuration.hospitals import load_hospitals
from claimatlas.errors import InputError

HEADER = "hospital,first_year,last_year,successor,name_fr,name_nl\n"
LANGUAGES = ("fr", "nl", "en")


def write(folder: Path, *rows: str) -> Path:
    (folder / "hospitals.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return folder


def test_there_need_be_none(tmp_path: Path) -> None:
    assert load_hospitals(tmp_path, LANGUAGES) is None


def test_who_is_there_and_who_goes_on(tmp_path: Path) -> None:
    found = load_hospitals(
        write(tmp_path, "a,2006,2018,b,A,", "b,2006,2020,c,B,Bé", "c,2021,,,,C", "d,2006,2010,,D,D"), LANGUAGES
    )
    assert found is not None
    assert found.of(2018) == ("a", "b")
    assert found.of(2021) == ("c",)
    assert (found.carried("a", 2019), found.carried("a", 2021), found.carried("a", 2018)) == ("b", "c", None)
    assert found.ended(2021) == [("a", "c"), ("b", "c")]
    assert (found.name("b", "nl"), found.name("c", "fr"), found.name("x", "fr")) == ("Bé", "C", "x")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",2006,,,A,A", "line 2: hospital: the id '' is empty"),
        ("a,2006,2005,,A,A", "line 2: last_year: a ends before it starts"),
        ("a,soon,,,A,A", "line 2: first_year: 'soon' is not a year"),
        ("a,,,,A,A", "line 2: first_year: '' is not a year"),
        ("a,2006,,,,", "line 2: a has no name"),
        ("a,2006,2010,z,A,A", "line 2: successor: 'z' is no hospital"),
        ("a,2006,2010,a,A,A", "line 2: successor: a does not last longer than a"),
    ],
)
def test_mistakes_are_named(row: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        load_hospitals(write(tmp_path, row), LANGUAGES)
