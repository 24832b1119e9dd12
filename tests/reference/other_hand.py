"""An input folder by another hand than the product's own generator.

A small insurer's idea of an extract: numbers with leading zeros as ids, columns in its own order with
some that nobody asked for, every table in several files, quoting as it comes. Mostly clean: a few
corrections, doubles and bad lines, far below the gate of 1 %.
"""

import csv
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from reference.model import Row, Tables

YEARS = (2021, 2022, 2023, 2024)

#: Municipalities without a change from 2019 to 2024.
TOWNS_AS_TEXT = (
    "11002 11001 12025 13040 21001 21004 21015 21016 23016 24062 25005 31005 34022 35013 41002 42006 44021 "
    "45035 46021 52011 53053 56001 57081 61031 62063 63079 64034 71022 72021 73083 81001 82003 83034 84077 "
    "85045 91034 92094 93090"
)
TOWNS = TOWNS_AS_TEXT.split()
#: Codes of before 2019 and of 2025: some can be carried, some cannot.
STALE_TOWNS = ("55039", "44011", "71047", "12030", "82039", "71071", "10000")

DELIVERY_CODES = [("424104", "h")] * 5 + [("423021", "h")] * 6 + [("424023", "h"), ("422671", "h"), ("422656", "-")]
#: Code, profession, competence.
CONTACT_CODES = (
    ("101032", "10", "003"),
    ("103132", "10", "4"),
    ("101010", "10", "1"),
    ("101710", "10", "008"),
    ("102012", "17", "340"),
    ("102535", "17", "34"),
    ("102012", "15", "580"),
    ("102071", "16", "690"),
    ("422030", "40", ""),
    ("422892", "40", ""),
    ("428396", "40", ""),
    ("422995", "40", ""),
    ("561595", "52", ""),
    ("561654", "50", ""),
    ("561713", "54", ""),
    ("101032", "10", ""),
    ("422892", "10", "3"),
    ("561595", "40", ""),
)
TECHNICAL_CODES = ("424056", "461731", "461764", "460456")
EXAM_CODES = ("589013", "589024", "589153", "589234", "589315", "589433")
OTHER_CODES = ("350055", "475075", "576016", "101150", "441271")

CLAIM_COLUMNS = (
    "fund",
    "claim_id",
    "beneficiary_id",
    "nomenclature_code",
    "service_date",
    "booking_date",
    "quantity",
    "amount_cents",
    "provider_id",
    "provider_competence",
    "provider_profession",
    "hospital_id",
    "remark",
)
POPULATION_COLUMNS = (
    "year",
    "beneficiary_id",
    "household",
    "sex",
    "birth_date",
    "municipality_30_june",
    "municipality_31_december",
    "sector_30_june",
    "sector_31_december",
    "increased_reimbursement",
)
STAY_COLUMNS = ("hospital_id", "ward", "stay_id", "beneficiary_id", "admission_date", "discharge_date")


class Writer:
    """Collects claim lines and numbers them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.claims: list[Row] = []
        self.stays: list[Row] = []

    def bill(self, who: str, day: date, code: str, **more: str) -> None:
        """One claim line, now and then with its correction."""
        rng = self.rng
        line = {
            "fund": rng.choice(("100", "300", "500")),
            "claim_id": f"{day.year}/{len(self.claims):08d}",
            "beneficiary_id": who,
            "nomenclature_code": code,
            "service_date": day.isoformat(),
            "booking_date": (day + timedelta(rng.randint(0, 90))).isoformat() if rng.random() < 0.9 else "",
            "quantity": "1",
            "amount_cents": str(rng.randint(100, 90000)),
            "provider_id": f"{rng.randint(1, 400):08d}" if rng.random() < 0.97 else "",
            "provider_competence": "",
            "provider_profession": "",
            "hospital_id": "",
            "remark": rng.choice(("", "", "", 'voir "note", p. 2', "à vérifier")),
        }
        line.update(more)
        self.claims.append(line)
        lot = rng.random()
        if lot < 0.02:
            back = {**line, "claim_id": line["claim_id"] + "C", "quantity": "-1", "remark": "correction"}
            self.claims.append(back)
        elif lot < 0.03:
            self.claims.append({**line, "claim_id": line["claim_id"] + "S", "quantity": "+1"})
        elif lot < 0.032:
            self.claims.append(dict(line))

    def stay(self, who: str, hospital: str, first: date, last: date) -> None:
        """One hospital stay."""
        self.stays.append(
            {
                "hospital_id": hospital,
                "ward": self.rng.choice(("M", "MIC", "NIC")),
                "stay_id": f"{len(self.stays):06d}",
                "beneficiary_id": who,
                "admission_date": first.isoformat(),
                "discharge_date": last.isoformat(),
            }
        )


def some_day(rng: random.Random, year: int) -> date:
    """A day of the year."""
    return date(year, 1, 1) + timedelta(rng.randint(0, 364))


def pregnancy(writer: Writer, who: str, delivery: date) -> None:
    """A delivery, perhaps billed twice, with its stay, contacts and prenatal services."""
    rng = writer.rng
    hospital = f"0{rng.randint(10, 29)}"
    code, where = rng.choice(DELIVERY_CODES)
    named = hospital if where == "h" and rng.random() < 0.96 else ""
    writer.bill(who, delivery, code, hospital_id=named, provider_profession="17", provider_competence="340")
    if rng.random() < 0.12:
        again = delivery + timedelta(rng.choice((0, 1, 2, 5, 29, 30, 31, 45)))
        writer.bill(who, again, rng.choice(DELIVERY_CODES)[0], hospital_id=hospital)
    if where == "h" and rng.random() < 0.95:
        first = delivery - timedelta(rng.choice((0, 0, 1, 2)))
        last = delivery + timedelta(rng.choice((0, 2, 3, 3, 4, 5)))
        writer.stay(who, hospital, first, last)
        if rng.random() < 0.05:
            writer.stay(who, f"0{rng.randint(10, 29)}", delivery, delivery + timedelta(rng.randint(0, 9)))
    eager = rng.random()
    for offsets, number in (((0, 1, 2, 5, 9, 20, 41, 42, 43, 60), 4), ((-1, -20, -90, -200, -270, -271), 3)):
        for _ in range(rng.randint(0, number) if eager < 0.8 else 0):
            code, profession, competence = rng.choice(CONTACT_CODES)
            day = delivery + timedelta(rng.choice(offsets))
            writer.bill(who, day, code, provider_profession=profession, provider_competence=competence)
    for _ in range(rng.randint(0, 3)):
        writer.bill(who, delivery - timedelta(rng.randint(0, 280)), rng.choice(TECHNICAL_CODES))


def person_year(rng: random.Random, person: Row, year: int) -> Row:
    """One row of the population."""
    homes: list[str] = []
    for _ in range(2):
        lot = rng.random()
        homes.append("" if lot < 0.04 else rng.choice(STALE_TOWNS) if lot < 0.06 else person["town"])
    sectors = [home and rng.choice((f"{home}A00-", f"{home}A010", f"{home}B1PA", "")) for home in homes]
    if rng.random() < 0.004:
        sectors[1] = "A00-"
    return {
        "year": str(year),
        "beneficiary_id": person["id"],
        "household": f"{rng.randint(1, 9999):06d}",
        "sex": person["sex"],
        "birth_date": person["birth"],
        "municipality_30_june": homes[0],
        "municipality_31_december": homes[1],
        "sector_30_june": sectors[0],
        "sector_31_december": sectors[1],
        "increased_reimbursement": rng.choice(("0", "0", "0", "0", "1", "1", "")),
    }


def make_tables(beneficiaries: int = 3000, seed: int = 7) -> Tables:
    """The extract as raw tables, unused columns included."""
    rng = random.Random(seed)
    writer = Writer(rng)
    population: list[Row] = []
    for number in range(beneficiaries):
        born = date(1935, 1, 1) + timedelta(rng.randint(0, 365 * 88))
        person = {
            "id": f"{number:09d}",
            "birth": born.isoformat() if rng.random() < 0.98 else "",
            "sex": rng.choice(("M", "F", "F", "1", "2")),
            "town": rng.choice(TOWNS),
        }
        for year in YEARS:
            if born.year <= year and rng.random() < 0.97:
                population.append(person_year(rng, person, year))
            for _ in range(rng.choice((0, 0, 1, 3))):
                writer.bill(person["id"], some_day(rng, year), rng.choice(OTHER_CODES))
            if rng.random() < 0.06:
                for _ in range(rng.choice((1, 1, 2))):
                    writer.bill(person["id"], some_day(rng, year), rng.choice(EXAM_CODES))
            if person["sex"] in ("F", "2") and 16 <= year - born.year <= 46 and rng.random() < 0.25:
                pregnancy(writer, person["id"], some_day(rng, year))
    population.append(dict(population[0], sex="F"))
    claims = writer.claims
    for number, (column, text) in enumerate(
        (
            ("service_date", "2023-02-30"),
            ("service_date", "2004-12-31"),
            ("nomenclature_code", "42409"),
            ("nomenclature_code", "N/A"),
            ("quantity", "0"),
            ("beneficiary_id", ""),
            ("booking_date", "2020-01-01"),
        )
    ):
        claims[number * len(claims) // 10][column] = text
    rng.shuffle(claims)
    rng.shuffle(population)
    return {"claims": claims, "population": population, "hospital_stays": writer.stays}


def write_input(folder: Path, beneficiaries: int = 3000, seed: int = 7, files: int = 4) -> Tables:
    """Write the extract as an input folder; returns the same tables for the reference."""
    tables = make_tables(beneficiaries, seed)
    columns = {"claims": CLAIM_COLUMNS, "population": POPULATION_COLUMNS, "hospital_stays": STAY_COLUMNS}
    for table, rows in tables.items():
        (folder / table).mkdir(parents=True, exist_ok=True)
        for number in range(files):
            quoting: Any = csv.QUOTE_ALL if number % 2 else csv.QUOTE_MINIMAL
            path = folder / table / f"extract_{number + 1}_of_{files}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns[table], quoting=quoting, lineterminator="\r\n")
                writer.writeheader()
                writer.writerows(rows[number::files])
    return tables
