"""Write the invented claims of ``conf/examples/text_codes``: some hundred rows, the same ones each time.

python -m scripts.make_example
"""

import csv
import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "conf" / "examples" / "text_codes" / "input"
PEOPLE = 90
HOMES = ("N1", "N1", "N2", "S1", "S2")
# As a sender writes them: with dots, in small letters, of two systems.
DELIVERIES = (("O80.1", "ICD-10"), ("o81", "ICD-10"), ("O82", "ICD-10"), ("O82.0", "ICD-10"))
CONTACTS = (("CONS001", "P"), ("cons 002", "P"), ("Z39.1", "ICD-10"), ("HOME001", "P"))
DIABETES = (("O24.4", "ICD-10"), ("E14", "ICD-10"), ("E14.9", "ICD-10"), ("E15", "ICD-10"))
SCANS = (("SCAN100", "P"), ("SCAN199", "P"), ("SCAN200", "P"), ("SCAN301", "P"))
PROVIDERS = (("GP", "practice"), ("GYN-A", "practice"), ("GYN-B", "inpatient"), ("MW1", "home"), ("MW4", "home"))


def main() -> None:
    """Write ``population.csv`` and ``claims.csv``."""
    dice = random.Random(21)  # noqa: S311 - the same rows each time
    people = [f"p{number:03d}" for number in range(PEOPLE)]
    _write("population.csv", ("person", "enrolled", "left", "birth_date", "sex", "home"), _spans(dice, people))
    lines = [line for person in people for line in _lines(dice, person)]
    numbered = [(f"c{number:04d}", *line) for number, line in enumerate(lines)]
    names = ("line", "person", "day", "code", "system", "quantity", "provider", "speciality", "setting", "hospital")
    _write("claims.csv", names, numbered)


def _spans(dice: random.Random, people: Sequence[str]) -> Iterable[tuple[str, ...]]:
    for number, person in enumerate(people):
        sex = "f" if number % 3 else "m"
        born = date(1945 + dice.randrange(70), dice.randint(1, 12), dice.randint(1, 28))
        if number < PEOPLE // 2:
            sex, born = "f", date(1985 + dice.randrange(20), dice.randint(1, 12), dice.randint(1, 28))
        cut = date(2022, 1, 1) + timedelta(dice.randrange(700))
        home, other = dice.choice(HOMES), dice.choice(HOMES)
        kind = number % 5
        if kind == 0:
            # Two spans that touch, with a move between them.
            spans = [("2020-01-01", str(cut), home), (str(cut + timedelta(1)), "", other)]
        elif kind == 1:
            # A gap of some days.
            spans = [("2021-03-01", str(cut), home), (str(cut + timedelta(2 + dice.randrange(60))), "", home)]
        elif kind == 2:
            spans = [("2021-01-01", "2022-12-30" if number % 10 == 2 else "2023-12-30", home)]
        else:
            spans = [("2020-06-01", "", "" if number % 20 == 3 else home)]
        for start, end, place in spans:
            yield person, start, end, "" if number % 31 == 30 else str(born), sex, place


def _lines(dice: random.Random, person: str) -> list[tuple[str, ...]]:
    lines = []
    if int(person[1:]) < PEOPLE // 2:
        born = date(2022, 1, 10) + timedelta(dice.randrange(640))
        lines += [_line(dice, person, born, DELIVERIES, "H1")]
        if dice.random() < 0.2:
            lines += [_line(dice, person, born + timedelta(dice.choice((0, 29, 30, 31))), DELIVERIES, "H2")]
        for _ in range(dice.randrange(4)):
            lines += [_line(dice, person, born + timedelta(dice.choice((0, 1, 10, 41, 42, 43))), CONTACTS)]
        if dice.random() < 0.5:
            lines += [_line(dice, person, born - timedelta(dice.choice((0, 30, 280, 281))), DIABETES)]
    for _ in range(dice.randrange(4)):
        lines += [_line(dice, person, date(2022, 1, 1) + timedelta(dice.randrange(730)), SCANS)]
    if lines and dice.random() < 0.2:
        taken_back = dice.choice(lines)
        lines += [(*taken_back[:4], "-1", *taken_back[5:])]
    return lines


def _line(
    dice: random.Random, person: str, day: date, codes: Sequence[tuple[str, str]], hospital: str = ""
) -> tuple[str, ...]:
    code, system = dice.choice(codes)
    speciality, setting = dice.choice(PROVIDERS)
    return (
        person,
        str(day),
        code,
        system,
        str(dice.choice((1, 1, 2))),
        f"d{dice.randrange(3)}",
        speciality,
        setting,
        hospital,
    )


def _write(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
