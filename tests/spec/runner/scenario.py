"""What a scenario file may say. Whatever else it says is an error."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from spec.runner.tables import Row, parse_table

FOLDER = Path(__file__).resolve().parents[1]

CLAIM_COLUMNS = (
    "claim_id",
    "beneficiary_id",
    "service_date",
    "nomenclature_code",
    "quantity",
    "provider_id",
    "provider_profession",
    "provider_competence",
    "hospital_id",
    "booking_date",
)
POPULATION_COLUMNS = (
    "beneficiary_id",
    "year",
    "birth_date",
    "sex",
    "increased_reimbursement",
    "municipality_31_december",
    "municipality_30_june",
    "sector_31_december",
    "sector_30_june",
)
STAY_COLUMNS = ("stay_id", "beneficiary_id", "admission_date", "discharge_date", "hospital_id")
CODE_COLUMNS = ("code", "valid_from", "valid_to")
SECTOR_COLUMNS = ("sector", "municipality", "first_year", "last_year")

DELIVERY_COLUMNS = (
    "beneficiary_id",
    "year",
    "delivery_date",
    "delivery_type",
    "hospital_id",
    "billings",
    "last_billing_date",
    "age",
    "age_category",
    "increased_reimbursement",
    "municipality",
    "domicile_source",
    "contact_gp",
    "contact_gynaecologist",
    "contact_midwife",
    "contact_physiotherapist",
    "contact_specialist",
    "first_contact_date",
    "prenatal_contact",
    "prenatal_gdm_test",
    "prenatal_technical",
    "nights_after_delivery",
    "implausible_interval",
)
PERSON_COLUMNS = ("beneficiary_id", "year", "municipality", "sector", "domicile_source", "exams")
REJECTED_COLUMNS = ("table", "row", "reasons")
CELL_KEY = (
    "indicator_id",
    "year",
    "geo_level",
    "geo_code",
    "age_category",
    "increased_reimbursement",
    "delivery_type",
    "sex",
)
CELL_MEASURES = ("numerator", "denominator", "value", "ci_low", "ci_high")
CELL_COLUMNS = (*CELL_KEY, *CELL_MEASURES, "status", "geo_vintage")
RECORD_COLUMNS = ("step", "count", "value")
EXPECTED_COLUMNS = {
    "deliveries": DELIVERY_COLUMNS,
    "persons": PERSON_COLUMNS,
    "rejected": REJECTED_COLUMNS,
    "cells": CELL_COLUMNS,
    "no_cells": CELL_KEY,
    "record": RECORD_COLUMNS,
}

WOMAN = "a"
"""The beneficiary of a table that names none."""
PERSON: Row = {
    "birth_date": "1990-06-15",
    "sex": "f",
    "increased_reimbursement": "no",
    "municipality_31_december": "11001",
}
"""A beneficiary of whom the scenario says nothing else."""
ALL_OF_BELGIUM = {
    "geo_level": "country",
    "geo_code": "01000",
    "age_category": "all",
    "increased_reimbursement": "all",
    "delivery_type": "all",
    "sex": "all",
}
"""The cell that is meant by a row which names no place and no dimension."""


class Part(BaseModel):
    """A part of a scenario file; it takes no key that is not named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(Part):
    """The result; only what is named is looked at, and at least one thing must be."""

    deliveries: str | None = None
    persons: str | None = None
    rejected: str | None = None
    cells: str | None = None
    no_cells: str | None = None
    record: str | None = None
    warnings: list[str] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Expected":
        if not self.model_dump(exclude_none=True):
            raise ValueError("nothing is expected")
        return self


class Reading(Part):
    """The same input under other settings or for other years."""

    years: list[int] = Field(default_factory=list)
    settings: dict[str, Any] = Field(default_factory=dict)
    code_lists: dict[str, str] = Field(default_factory=dict)
    complete_through: date | None = None
    expect: Expected


class Scenario(Part):
    """A scenario file."""

    title: str = Field(min_length=10)
    rule: str = Field(pattern=r"^\d(\.\d+)?(, \d(\.\d+)?)*: \S")
    years: list[int] = Field(default_factory=lambda: [2023], min_length=1)
    settings: dict[str, Any] = Field(default_factory=dict)
    code_lists: dict[str, str] = Field(default_factory=dict)
    sectors: str | None = None
    as_of: date = date(2026, 12, 31)
    complete_through: date | None = None
    claims: str | None = None
    claims_of_everyone: str | None = None
    population: str | None = None
    without_population: list[str] = Field(default_factory=list)
    hospital_stays: str | None = None
    expect: Expected | None = None
    readings: list[Reading] = Field(default_factory=list)

    @model_validator(mode="after")
    def _expects_once(self) -> "Scenario":
        if (self.expect is None) == (not self.readings):
            raise ValueError("give either expect or readings")
        return self


@dataclass(frozen=True)
class Case:
    """One scenario under one reading: what a test runs.

    ``tables`` holds raw text, complete: automatic ids and defaults are filled in. ``expected`` holds rows
    by the name of the result, each with the columns that its table names.
    """

    id: str
    title: str
    rule: str
    years: tuple[int, ...]
    settings: tuple[tuple[str, Any], ...]
    code_lists: tuple[tuple[str, tuple[tuple[tuple[str, str | None], ...], ...]], ...]
    sectors: tuple[tuple[tuple[str, str | None], ...], ...] | None
    as_of: date
    complete_through: date | None
    tables: dict[str, list[Row]] = field(hash=False)
    expected: dict[str, list[Row]] = field(hash=False)
    warnings: tuple[str, ...] | None

    @property
    def touched_years(self) -> set[int]:
        """Every year that a row of the scenario may count in."""
        years = {int(row["year"] or 0) for row in self.tables["population"] if _is_year(row["year"])}
        for table in ("claims", "hospital_stays"):
            for row in self.tables.get(table, []):
                dates = (row["service_date"],) if table == "claims" else (row["admission_date"], row["discharge_date"])
                years |= {int(day[:4]) for day in dates if day and _is_year(day[:4])}
        return years | set(self.years)


def _is_year(text: str | None) -> bool:
    return text is not None and re.fullmatch(r"\d{4}", text) is not None


def find_cases(folder: Path = FOLDER) -> list[Case]:
    """The cases of every scenario file below a folder."""
    return [case for file in sorted(folder.rglob("*.yaml")) for case in read_cases(file, folder)]


def read_cases(file: Path, folder: Path) -> list[Case]:
    """The cases of one file.

    Raises:
        ValueError: the file says something that a scenario cannot say.
    """
    name = file.relative_to(folder).with_suffix("").as_posix()
    try:
        scenario = Scenario.model_validate(_load(file, name))
    except ValidationError as error:
        mistakes = [f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in error.errors()]
        raise ValueError(f"{name}: {'; '.join(mistakes)}") from None
    if scenario.expect is not None:
        return [_case(name, scenario, Reading(expect=scenario.expect))]
    return [_case(f"{name}-{number}", scenario, reading) for number, reading in enumerate(scenario.readings, start=1)]


class _Loader(yaml.SafeLoader):
    """A loader that refuses a key which stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        if len(set(names)) != len(names):
            raise ValueError(f"a key stands twice after line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


def _load(file: Path, name: str) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from None


def _case(name: str, scenario: Scenario, reading: Reading) -> Case:
    years = tuple(sorted(reading.years or scenario.years))
    expected = {
        part: parse_table(text, columns, f"{name}: expect.{part}")
        for part, columns in EXPECTED_COLUMNS.items()
        if (text := getattr(reading.expect, part)) is not None
    }
    for part in ("cells", "no_cells"):
        for row in expected.get(part, []):
            _complete_cell(row, years, part, name)
    lists = {**scenario.code_lists, **reading.code_lists}
    return Case(
        id=name,
        title=scenario.title,
        rule=scenario.rule,
        years=years,
        settings=tuple(sorted({**scenario.settings, **reading.settings}.items())),
        code_lists=tuple(
            (code_list, _frozen(parse_table(text, CODE_COLUMNS, f"{name}: code_lists.{code_list}")))
            for code_list, text in sorted(lists.items())
        ),
        sectors=None
        if scenario.sectors is None
        else _frozen(parse_table(scenario.sectors, SECTOR_COLUMNS, f"{name}: sectors")),
        as_of=scenario.as_of,
        complete_through=reading.complete_through or scenario.complete_through,
        tables=_tables(name, scenario, years),
        expected=expected,
        warnings=None if reading.expect.warnings is None else tuple(reading.expect.warnings),
    )


def _frozen(rows: list[Row]) -> tuple[tuple[tuple[str, str | None], ...], ...]:
    return tuple(tuple(row.items()) for row in rows)


def _complete_cell(row: Row, years: tuple[int, ...], part: str, name: str) -> None:
    if "year" not in row:
        if len(years) > 1:
            raise ValueError(f"{name}: expect.{part}: name the year, as there are several")
        row["year"] = str(years[0])
    if part == "cells":
        if not row.get("indicator_id"):
            raise ValueError(f"{name}: expect.cells: a cell needs its indicator_id")
        for column, value in ALL_OF_BELGIUM.items():
            row.setdefault(column, value)


def _tables(name: str, scenario: Scenario, years: tuple[int, ...]) -> dict[str, list[Row]]:
    given = {
        "claims": parse_table(scenario.claims or "service_date", CLAIM_COLUMNS, f"{name}: claims"),
        "population": parse_table(scenario.population or "year", POPULATION_COLUMNS, f"{name}: population"),
        "hospital_stays": parse_table(scenario.hospital_stays or "stay_id", STAY_COLUMNS, f"{name}: hospital_stays"),
    }
    written = [{"beneficiary_id": WOMAN, **row} for row in given["claims"]]
    if scenario.claims_of_everyone is not None:
        columns = tuple(column for column in CLAIM_COLUMNS if column != "beneficiary_id")
        shared = parse_table(scenario.claims_of_everyone, columns, f"{name}: claims_of_everyone")
        everyone = dict.fromkeys(row["beneficiary_id"] for row in written)
        written += [{"beneficiary_id": beneficiary, **row} for beneficiary in everyone for row in shared]
    claims = [{"claim_id": f"c{number}", "quantity": "1", **row} for number, row in enumerate(written, start=1)]
    stays = [
        {"stay_id": f"s{number}", "beneficiary_id": WOMAN, **row}
        for number, row in enumerate(given["hospital_stays"], start=1)
    ]
    population = [
        {"beneficiary_id": WOMAN, **({"year": str(years[0])} if len(years) == 1 else {}), **PERSON, **row}
        for row in given["population"]
    ]
    if any("year" not in row for row in population):
        raise ValueError(f"{name}: population: name the year, as there are several")
    known = {row["beneficiary_id"] for row in population} | set(scenario.without_population)
    others = dict.fromkeys((row["beneficiary_id"] or "").strip() for row in (*claims, *stays))
    population += [
        {"beneficiary_id": beneficiary, "year": str(year), **PERSON}
        for beneficiary in others
        for year in years
        if beneficiary and beneficiary not in known
    ]
    tables = {
        "claims": _filled(claims, CLAIM_COLUMNS),
        "population": _filled(population, POPULATION_COLUMNS),
        "hospital_stays": _filled(stays, STAY_COLUMNS),
    }
    if scenario.hospital_stays is None:
        del tables["hospital_stays"]
    return tables


def _filled(rows: list[Row], columns: tuple[str, ...]) -> list[Row]:
    return [{column: row.get(column) for column in columns} for row in rows]


def settings_of(case: Case, sector_file: str | None) -> dict[str, Any]:
    """The case's settings by dotted name; its own sector table becomes a file."""
    settings = dict(case.settings)
    if sector_file is not None:
        settings["geography.sector_table"] = sector_file
    return settings


def rows_of_code_list(name: str, rows: tuple[tuple[tuple[str, str | None], ...], ...]) -> Iterator[dict[str, str]]:
    """The rows of a code list's CSV file."""
    for row in rows:
        given = {column: value or "" for column, value in row}
        yield {
            "list": name,
            "code": given["code"],
            "valid_from": given.get("valid_from", ""),
            "valid_to": given.get("valid_to", ""),
            "source": "scenario",
            "status": "official",
        }
