"""What must hold within gold, whatever the input: sums, partitions, and that nobody is in it."""

import csv
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from comparison import CONF, DELIVERIES, GOLD, last_record, read
from deltalake import DeltaTable
from integration.conftest import Run
from reference.model import Row

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DIMENSIONS = ("age_category", "increased_reimbursement", "delivery_type", "sex")
LEVELS = ("country", "region", "province", "arrondissement", "municipality")


@pytest.fixture(scope="module", params=GOLD)
def rows(request: pytest.FixtureRequest, submitted: Run) -> list[Row]:
    return read(submitted.output, request.param)


def vintage(year: int) -> list[dict[str, str]]:
    """The municipalities of a year with everything that holds them."""
    with (CONF / "geography" / "municipalities.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["first_year"]) <= year <= int(row["last_year"])]


def counts(rows: list[Row], *levels: str) -> dict[tuple[object, ...], tuple[int, int]]:
    """Numerator and denominator by indicator, year, level, code and dimensions."""
    return {
        (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"], *(row[name] for name in DIMENSIONS)): (
            row["numerator"] or 0,
            row["denominator"] or 0,
        )
        for row in rows
        if not levels or row["geo_level"] in levels
    }


def add(pairs: Iterator[tuple[tuple[object, ...], tuple[int, int]]]) -> dict[tuple[object, ...], tuple[int, int]]:
    """The sums by key, keys of zeros left out."""
    sums: dict[tuple[object, ...], list[int]] = defaultdict(lambda: [0, 0])
    for key, (numerator, denominator) in pairs:
        sums[key][0] += numerator
        sums[key][1] += denominator
    return {key: (values[0], values[1]) for key, values in sums.items() if values[1]}


@pytest.mark.parametrize("level", ["arrondissement", "province", "region"])
def test_municipalities_sum_to_what_holds_them(rows: list[Row], level: str) -> None:
    holder = {(year, place["municipality"]): place[level] for year in (2022, 2023) for place in vintage(year)}
    found = counts(rows, "municipality")
    summed = add(
        ((name, year, level, holder[year, code], *dimensions), pair)
        for (name, year, _, code, *dimensions), pair in found.items()
        if holder[year, code]
    )
    assert summed
    assert summed == {key: pair for key, pair in counts(rows, level).items() if pair[1]}


def test_the_country_is_its_regions_and_unknown_domiciles(rows: list[Row], submitted: Run) -> None:
    found = counts(rows)
    regions = add(
        ((name, year, *dimensions), pair)
        for (name, year, level, _, *dimensions), pair in found.items()
        if level == "region"
    )
    record = last_record(submitted.output)["counts"]
    checked = 0
    for (name, year, level, _, *dimensions), (numerator, denominator) in found.items():
        if level != "country":
            continue
        placed = regions.get((name, year, *dimensions), (0, 0))
        assert 0 <= numerator - placed[0] <= numerator
        assert denominator - placed[1] >= 0
        if set(dimensions) == {"all"} and not str(name).endswith("b"):
            people = "deliveries" if str(name).startswith("cube_007") else "beneficiaries"
            if name != "cube_007_007a":
                assert denominator - placed[1] == record[f"{people}.{year}"]["domicile_unknown"]
                checked += 1
    assert checked


def test_all_is_the_sum_over_each_dimension(rows: list[Row]) -> None:
    found = counts(rows)
    split: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        split[row["indicator_id"]].update(name for name in DIMENSIONS if row[name] != "all")
    assert any(split.values())
    for position, dimension in enumerate(DIMENSIONS, start=4):
        having = {name for name, dimensions in split.items() if dimension in dimensions}
        summed = add(
            ((*key[:position], "all", *key[position + 1 :]), pair)
            for key, pair in found.items()
            if key[0] in having and key[position] != "all"
        )
        levels = {key[2] for key in found if key[0] in having and key[position] != "all"}
        totals = {
            key: pair
            for key, pair in found.items()
            if key[0] in having and key[position] == "all" and key[2] in levels and pair[1]
        }
        assert summed == totals, dimension


def test_every_place_of_the_vintage_has_a_row(rows: list[Row]) -> None:
    places = {
        (year, level, place[level])
        for year, level in itertools.product((2022, 2023), LEVELS)
        for place in vintage(year)
        if place[level]
    }
    for indicator in {row["indicator_id"] for row in rows}:
        mine = [row for row in rows if row["indicator_id"] == indicator]
        levels = {row["geo_level"] for row in mine}
        totals = {
            (row["year"], row["geo_level"], row["geo_code"])
            for row in mine
            if all(row[name] == "all" for name in DIMENSIONS)
        }
        assert {place for place in places if place[1] in levels} == {place for place in totals if place[1] in LEVELS}


def test_only_totals_may_be_of_nobody(rows: list[Row]) -> None:
    empty = [row for row in rows if row["denominator"] == 0]
    assert empty
    assert all(row[name] == "all" for row in empty for name in DIMENSIONS)
    assert all(row["ci_low"] is None and row["ci_high"] is None for row in empty)


def test_one_vintage_and_one_status_per_year_and_indicator(rows: list[Row]) -> None:
    assert all(row["geo_vintage"] == row["year"] for row in rows)
    statuses = Counter((row["indicator_id"], row["year"]) for row in rows)
    assert len({(row["indicator_id"], row["year"], row["status"]) for row in rows}) == len(statuses)


@pytest.mark.parametrize("table", GOLD)
def test_partitions_are_year_and_level(submitted: Run, table: str) -> None:
    folder = submitted.output / table
    assert DeltaTable(str(folder)).metadata().partition_columns == ["year", "geo_level"]
    folders = {str(path.parent.relative_to(folder)) for path in folder.rglob("*.parquet")}
    in_rows = read(submitted.output, table, "DISTINCT year, geo_level")
    assert folders == {f"year={row['year']}/geo_level={row['geo_level']}" for row in in_rows}


def identifiers(run: Run) -> set[str]:
    """What names a person, a provider's account or a line in the input."""
    names = {row["beneficiary_id"] for row in run.tables["population"]}
    for row in run.tables["claims"]:
        names |= {row["beneficiary_id"], row["claim_id"], row["provider_id"]}
    names |= {row["stay_id"] for row in run.tables["hospital_stays"]}
    names |= {row["delivery_id"] for row in read(run.output, DELIVERIES, "delivery_id")}
    # Younger people's birth dates are dates like any other, such as that of the first claim; and a run keeps its
    # configuration, where codes have dates too.
    # The examples are no part of the configuration; their raw files are as the field writes them, some in Latin-1.
    files = (path for path in CONF.rglob("*") if path.is_file() and "examples" not in path.parts)
    configured = "".join(path.read_text(encoding="utf-8") for path in files)
    born = {row["birth_date"] for row in run.tables["population"] if row["birth_date"] < "2000"}
    names |= {day for day in born if day not in configured}
    # A stay's number of six digits is also a code; it never stands alone in gold.
    return {name for name in names if len(name) >= 8}


def texts_of_gold(output: Path) -> Iterator[str]:
    """Every text in every file of gold, also in files that no version has any more."""
    for path in sorted((output / "gold").rglob("*")):
        if path.suffix == ".parquet":
            table = pq.ParquetFile(path).read()
            for value in itertools.chain.from_iterable(column.to_pylist() for column in table.columns):
                yield str(value)
        elif path.is_file():
            yield path.read_bytes().decode("latin-1")


def test_nobody_is_in_gold(submitted: Run) -> None:
    names = identifiers(submitted)
    assert len(names) > 4000
    texts = set(texts_of_gold(submitted.output))
    assert len(texts) > 1000
    everything = "\n".join(texts)
    assert [name for name in names if name in everything] == []


@pytest.mark.parametrize("run", ["submitted", "archived"])
def test_nobody_is_in_what_the_job_says(request: pytest.FixtureRequest, run: str) -> None:
    found: Run = request.getfixturevalue(run)
    assert [name for name in identifiers(found) if name in found.said.everything] == []


def test_the_record_has_no_birth_date_as_its_own(submitted: Run) -> None:
    record = json.dumps(last_record(submitted.output))
    born = {row["birth_date"] for row in submitted.tables["population"] if row["birth_date"]}
    known = {"2005-01-01", *(str(date(year, 12, 31)) for year in (2022, 2023))}
    silver = last_record(submitted.output)["silver"]
    known |= {silver["first_service_date"], silver["last_service_date"], last_record(submitted.output)["as_of"]}
    assert [day for day in born - known if day in record] == []
