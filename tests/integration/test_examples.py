"""The example configurations, from raw files to gold, against the plain-Python reference."""

from pathlib import Path

import pytest
from comparison import CONF, read
from integration.console import Console
from reference.declared_codes import KEY, cells

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EXAMPLE = CONF / "examples" / "text_codes"
YEARS = (2022, 2023)


def test_text_codes_attributes_and_spans(console: Console, tmp_path: Path) -> None:
    output = tmp_path / "output"
    said = console.run(
        "run-year", "--conf", EXAMPLE, "--input", EXAMPLE / "input", "--output", output, "--year", "2022-2023"
    )
    assert said.code == 0, said.err
    found = {}
    for table in ("imaging", "postnatal"):
        for row in read(output, f"gold/{table}"):
            key = (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"], *(row[name] for name in KEY))
            found[key] = (row["numerator"], row["denominator"], row["value"])
    expected = cells(EXAMPLE, EXAMPLE / "input", YEARS)
    assert found.keys() == expected.keys()
    for key, (numerator, denominator, value) in expected.items():
        assert found[key][:2] == (numerator, denominator), key
        assert found[key][2] == (None if value is None else pytest.approx(value)), key
    # What it is there to show is met.
    everybody = (2022, "country", "XX", *["all"] * len(KEY))
    totals = {key[0]: counts for key, counts in found.items() if key[1:] == everybody}
    births = totals["births"][1]
    assert 0 < totals["seen_twice_with_diabetes"][1] < births
    assert 0 < totals["not_seen"][0] < totals["not_seen"][1] < births
    assert 0 < totals["scanned_women"][1] < totals["scans"][1]
    silver = read(output, "silver/claims")
    assert {row["code_system"] for row in silver} == {"icd", "procedure"}
    assert {row["nomenclature_code"] for row in silver} >= {"O801", "CONS002", "E149"}
    assert {row["speciality"] for row in silver} >= {"GYN-A", "MW4"}


def test_the_inputs_are_those_of_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scripts import make_example

    monkeypatch.setattr(make_example, "FOLDER", tmp_path)
    make_example.main()
    for file in sorted((EXAMPLE / "input").iterdir()):
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name


@pytest.mark.long
def test_a_batch_of_spans_comes_to_what_all_at_once_do(console: Console, tmp_path: Path) -> None:
    """People whose spans and lines come in two batches, and one whose second span comes later."""
    output, parts = tmp_path / "output", [tmp_path / "first", tmp_path / "second"]
    for part in parts:
        part.mkdir()
    for name, column in (("claims.csv", 1), ("population.csv", 0)):
        header, *lines = (EXAMPLE / "input" / name).read_text(encoding="utf-8").splitlines()
        met: set[str] = set()
        halves: list[list[str]] = [[header], [header]]
        for line in lines:
            person = line.split(",")[column]
            is_later = person >= "p060" or (person < "p010" and name == "population.csv" and person in met)
            met.add(person)
            halves[is_later].append(line)
        for part, half in zip(parts, halves, strict=True):
            (part / name).write_text("\n".join(half) + "\n", encoding="utf-8")
    options = ["--conf", EXAMPLE, "--output", output, "--year", "2022-2023", "--allow-drift"]
    for part, more in zip(parts, ([], ["--add"]), strict=True):
        said = console.run("run-year", "--input", part, *options, *more)
        assert said.code == 0, said.err
    assert gold(output) == {key: counts[:2] for key, counts in cells(EXAMPLE, EXAMPLE / "input", YEARS).items()}
    explained = console.run("explain", "--output", output, "--indicator", "not_seen", "--year", "2022", "--geo", "XX")
    assert explained.code == 0, explained.err


def gold(output: Path) -> dict[tuple[object, ...], tuple[int, int]]:
    """Numerator and denominator of every cell."""
    found = {}
    for table in ("imaging", "postnatal"):
        for row in read(output, f"gold/{table}"):
            key = (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"], *(row[name] for name in KEY))
            found[key] = (row["numerator"], row["denominator"])
    return found
