"""Write the invented claims of ``conf/examples/joined_keys``: some hundred rows, the same ones each time.

The files are those of two funds, which number their lines and their members alike, in Latin-1.

python -m scripts.make_example_of_keys
"""

import csv
import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "conf" / "examples" / "joined_keys" / "input"
FUNDS = ("nord", "sud")
PEOPLE = 110
"""Of each fund."""
YEARS = (2022, 2023)
# As a sender writes them: without the zero at the start; 77 is no place.
HOMES = ("1", "1", "1", "2", "2", "11", "11", "12", "77", "")
QUINTILES = ("Q1", "Q2", "q3", "Q4", "Q5", "NR")
INSURANCES = ("Général", "Général", "Étudiant", "Privé", "privé", "NR", "autre")
MEMBERS = (
    *("Caisse", "Numéro", "Année", "Naissance", "Sexe", "Domicile", "Domicile juin", "Défaveur"),
    "Régime",
)
LINES = ("Ligne", "Type", "Caisse", "Numéro", "Jour", "Acte", "Quantité", "Prestataire", "Métier")
DELIVERIES = ("31010", "32000", "32099", "32050")
CONTACTS = ("10100", "10200", "10300")
SCANS = ("41000", "41099", "41100", "41050")
TRADES = ("10", "19", "20", "40", "")


def main() -> None:
    """Write ``population/`` and ``claims/``, a file of each fund."""
    for number, fund in enumerate(FUNDS):
        dice = random.Random(2100 + number)  # noqa: S311 - the same rows each time
        _write(FOLDER / "population" / f"{fund}.csv", MEMBERS, _members(dice, fund))
        lines = [line for person in range(PEOPLE) for line in _lines(dice, fund, person)]
        numbered = ((str(position), *line) for position, line in enumerate(lines, start=1))
        _write(FOLDER / "claims" / f"{fund}.csv", LINES, numbered)


def _members(dice: random.Random, fund: str) -> Iterable[tuple[str, ...]]:
    for person in range(PEOPLE):
        is_mother = person < PEOPLE // 2
        sex = "Femme" if is_mother or person % 2 else "Homme"
        born = f"{dice.randint(1, 12):02d}{1980 + dice.randrange(24) if is_mother else 1940 + dice.randrange(80)}"
        home, quintile, insurance = dice.choice(HOMES), dice.choice(QUINTILES), dice.choice(INSURANCES)
        for year in YEARS:
            if person % 17 == 16 and year == YEARS[1]:
                # Some are members of the first year alone.
                continue
            if dice.random() < 0.1:
                home, insurance = dice.choice(HOMES), dice.choice(INSURANCES)
            june = dice.choice(HOMES) if home == "" else home
            birth = "NR" if person % 29 == 28 else born
            yield fund, str(person), str(year), birth, sex, home, june, quintile, insurance


def _lines(dice: random.Random, fund: str, person: int) -> list[tuple[str, ...]]:
    lines = []
    if person < PEOPLE // 2:
        born = date(2022, 1, 10) + timedelta(dice.randrange(640))
        lines += [_line(dice, fund, person, born, DELIVERIES)]
        if dice.random() < 0.2:
            lines += [_line(dice, fund, person, born + timedelta(dice.choice((0, 29, 30, 31))), DELIVERIES)]
        for _ in range(dice.randrange(3)):
            lines += [_line(dice, fund, person, born + timedelta(dice.choice((0, 1, 10, 41, 42, 43))), CONTACTS)]
    for _ in range(dice.randrange(3)):
        lines += [_line(dice, fund, person, date(2022, 1, 1) + timedelta(dice.randrange(730)), SCANS)]
    if lines and dice.random() < 0.2:
        taken_back = dice.choice(lines)
        lines += [(*taken_back[:5], "-1,0", *taken_back[6:])]
    return lines


def _line(dice: random.Random, fund: str, person: int, day: date, codes: Sequence[str]) -> tuple[str, ...]:
    # The type X is no service; the mapping leaves it out.
    kind = dice.choice(("A", "A", "A", "B", "X") if codes is not DELIVERIES else ("A", "B"))
    quantity = dice.choice(("1,0", "1", "2,00"))
    provider = f"d{dice.randrange(3)}"
    return kind, fund, str(person), f"{day:%d/%m/%Y}", dice.choice(codes), quantity, provider, dice.choice(TRADES)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="latin-1", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
