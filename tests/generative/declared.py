"""Random configurations of another country, with random claims: drawn within what the example has.

Drawn are windows (also across the delivery), days on which a service is asked for, patterns and ranges of codes with
days of validity, rules on providers, age classes, dimensions with columns of their own, who is a member, denominators,
standard populations of any dimension.
"""

import csv
import random
import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from comparison import CONF

EXAMPLE = CONF / "examples" / "text_codes"
CODES = {
    "icd": ["O80", "O801", "O81", "O82", "O820", "O24", "O244", "E10", "E14", "E149", "E15", "Z39", "Z391"],
    "procedure": ["CONS001", "CONS002", "HOME001", "SCAN100", "SCAN199", "SCAN200", "SCAN301"],
}
SPECIALITIES = ("GP", "GYN-A", "GYN-B", "MW1", "MW3", "MW4", "")
SETTINGS = ("practice", "inpatient", "home", "")
WORDS = {"quintile": ("1", "2", "3", "4", "5"), "insurance": ("public", "private")}
HOMES = ("N1", "N2", "S1", "S2", "X9", "")
FIRST = date(2021, 1, 1)
_ODD = (
    *("people_in_no_population", "lines_in_no_population", "people_not_in_population", "place_does_not_exist"),
    *("people_with_service_not_in_population", "mothers_not_in_population", "negative_lines_without_match"),
    *("people_spelled_twice", "hospitals_spelled_twice", "contacts_without_provider", "implausible_quantity"),
    "unknown_value",
    *("implausible_age", "mother_of_implausible_age", "mother_who_is_a_man", "year_without_claims"),
)
PEOPLE = 12
"""Of each world."""


def write_configuration(rng: random.Random, conf: Path) -> list[int]:
    """Write a configuration whose declarations are drawn; gives back the days on both sides of its windows' ends."""
    shutil.copytree(EXAMPLE, conf, ignore=shutil.ignore_patterns("input", "publication.yaml", "atlas.yaml"))
    # It weighs the classes of the example; others are drawn.
    (conf / "standards" / "invented_ages.yaml").unlink()
    settings = _settings(rng)
    _change(conf / "settings.yaml", settings)
    _change(conf / "services.yaml", _services(rng))
    for name in ("consultation", "home_visit", "diabetes", "scan"):
        _write_list(rng, conf, name)
    dimensions = _dimensions(rng)
    text = yaml.safe_dump(dimensions, sort_keys=False)
    (conf / "dimensions.yaml").write_text(text, encoding="utf-8")
    for file in sorted((conf / "indicators").glob("*.yaml")):
        declared = yaml.safe_load(file.read_text(encoding="utf-8"))
        there = [
            name
            for name, one in dimensions.items()
            if declared["population"] in one.get("populations", [declared["population"]])
        ]
        changes: dict[str, Any] = {"dimensions": rng.sample(there, min(len(there), rng.randint(0, 3)))}
        changes |= {"levels": rng.choice((["country", "region", "district"], ["country", "district"], ["country"]))}
        if "denominator" in declared or rng.random() < 0.3:
            changes["denominator"] = _denominator(rng, declared["population"])
        _change(file, changes)
        if there and (declared.pop("standardised", None) or (declared["unit"] == "percent" and rng.random() < 0.5)):
            _standardise(rng, conf, file, (declared["population"], rng.choice(there), dimensions, settings))
        else:
            _change(file, {}, without="standardised")
    ends = [(one["first_day"], one["last_day"]) for one in settings["windows"].values()]
    return sorted({day for first, last in ends for day in (first - 1, first, last, last + 1)})


def write_input(rng: random.Random, source: Path, worlds: int, days: Sequence[int]) -> None:
    """Write the claims and spans of so many worlds, whose people have nothing to do with each other.

    ``days``: days relative to a delivery on which services are frequent.
    """
    source.mkdir()
    people = [f"w{world}.{number}" for world in range(worlds) for number in range(PEOPLE)]
    spans = [row for person in people for row in _spans(rng, person)]
    names = ("person", "enrolled", "left", "birth_date", "sex", "home", *WORDS)
    _write(source / "population.csv", names, spans)
    lines = [line for person in people for line in _lines(rng, person, days)]
    names = ("person", "day", "code", "system", "quantity", "provider", "speciality", "setting", "hospital", "line")
    _write(source / "claims.csv", names, [(*line, f"c{number}") for number, line in enumerate(lines)])


def _settings(rng: random.Random) -> dict[str, Any]:
    cuts = sorted(rng.sample(range(14, 50), 2))
    first = rng.randint(-60, 40)
    return {
        "episode_gap_days": rng.choice((0, 1, 30, 90)),
        "windows": {
            "six_weeks": {"first_day": first, "last_day": first + rng.randint(0, 60)},
            "pregnancy": {"first_day": -rng.randint(0, 280), "last_day": rng.randint(0, 10)},
        },
        "population": {
            "given_as": "spans",
            "member_on": rng.choice(("any_day", "last_day_of_year", "whole_year")),
        },
        "age_categories": {name: _classes(cuts) for name in ("deliveries", "beneficiaries")},
        # People who are in no population, and lines that take back nothing, are drawn on purpose.
        "checks": {"input": {key: {"stop": 1.0} for key in _ODD}},
    }


def _classes(cuts: Sequence[int]) -> list[dict[str, Any]]:
    starts = [0, *cuts]
    closed = [
        {"label": f"{start}-{end - 1}", "from": start, "to": end - 1} for start, end in zip(starts, cuts, strict=False)
    ]
    return [*closed, {"label": f"{cuts[-1]}+", "from": cuts[-1]}]


def _services(rng: random.Random) -> dict[str, Any]:
    rules = [
        {"where": {"speciality": rng.sample(["GP", "GYN*", "MW1..MW3", "MW4"], rng.randint(1, 2))}},
        {"where_not": {"setting": ["inpatient"]}},
        {"where": {"speciality": ["GYN*"]}, "where_not": {"setting": ["home", "in*"]}},
        {},
    ]
    return {
        "contact_groups": {
            "doctor": {"code_lists": ["consultation"], **rng.choice(rules)},
            "midwife": {"code_lists": ["consultation", "home_visit"], **rng.choice(rules)},
        },
        "delivery_flags": {
            "seen": {"contact_groups": ["doctor"], "window": "six_weeks"},
            "seen_twice": {
                "contact_groups": ["doctor", "midwife"],
                "window": rng.choice(("six_weeks", "pregnancy")),
                "least_days": rng.randint(1, 3),
            },
            "diabetes": {"code_lists": ["diabetes"], "window": "pregnancy"},
        },
    }


def _write_list(rng: random.Random, conf: Path, name: str) -> None:
    rows = []
    for system in rng.sample(sorted(CODES), rng.randint(1, 2)):
        first, last = sorted(rng.sample(CODES[system], 2))
        begin = rng.choice(CODES[system])
        code = rng.choice((begin, f"{begin[:3]}*", f"{first}..{last}"))
        valid = rng.choice((("", ""), ("2022-03-01", ""), ("", "2022-09-30")))
        rows.append((name, code, system, "", *valid, "drawn", "memory"))
    header = ("list", "code", "code_system", "label_en", "valid_from", "valid_to", "source", "status")
    _write(conf / "codelists" / f"{name}.csv", header, rows)


def _dimensions(rng: random.Random) -> dict[str, Any]:
    cut = rng.randint(15, 60)
    every = {
        "age_category": {"source": "age"},
        "age_half": {
            "source": "age",
            "classes": {name: _classes([cut]) for name in ("deliveries", "beneficiaries")},
        },
        "delivery_type": {
            "source": "delivery.delivery_type",
            "values": ["caesarean", "vaginal"],
            "populations": ["deliveries"],
        },
        "gender": {"source": "population.sex", "values": ["female", "male"], "populations": ["beneficiary_years"]},
        "quintile": {"source": "population.quintile", "values": list(WORDS["quintile"][: rng.randint(2, 5)])},
        "cover": {"source": "population.insurance", "values": list(WORDS["insurance"])},
    }
    names = rng.sample(sorted(every), rng.randint(2, len(every)))
    return {name: {"names": {"en": name}, **every[name]} for name in names}


def _standardise(
    rng: random.Random, conf: Path, file: Path, of: tuple[str, str, dict[str, Any], dict[str, Any]]
) -> None:
    """Standardise an indicator by a dimension of its population, with drawn weights: some strata have none."""
    population, dimension, dimensions, settings = of
    said = dimensions[dimension]
    values = said.get("values")
    if values is None:
        classes = said.get("classes", settings["age_categories"])
        values = [one["label"] for one in classes["deliveries" if population == "deliveries" else "beneficiaries"]]
    weights = {value: rng.choice((0, 0.1, 1, 1, 2.5, 5000)) for value in values}
    weights[rng.choice(values)] = 3
    standard = {"names": {"en": "drawn"}, "source": "drawn", "dimension": dimension, "weights": weights}
    (conf / "standards" / f"drawn_{file.stem}.yaml").write_text(yaml.safe_dump(standard, sort_keys=False), "utf-8")
    declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    changes = {"dimensions": [name for name in declared["dimensions"] if name != dimension]}
    unit = rng.choice(("percent", "per_100", "per_1000", "per_100000"))
    _change(file, {**changes, "unit": unit, "standardised": f"drawn_{file.stem}"})


def _denominator(rng: random.Random, population: str) -> dict[str, Any]:
    start = rng.randint(0, 30)
    ages = {"from": start, "to": start + rng.randint(0, 40)}
    if population == "beneficiary_years":
        return {"ages": ages, **rng.choice(({"sexes": ["female"]}, {"sexes": ["male"]}, {}))}
    choices: tuple[dict[str, Any], ...] = (
        {"with_flag": "diabetes"},
        {"without_flag": "seen_twice", "ages": ages},
        {"enrolled": {"days_before": rng.randint(0, 60), "days_after": rng.randint(0, 60)}},
        {"ages": {"from": start}, "enrolled": {"days_after": 1}},
    )
    return rng.choice(choices)


def _spans(rng: random.Random, person: str) -> list[tuple[str, ...]]:
    born = date(1960, 1, 1) + timedelta(rng.randrange(22_000))
    birth, sex = ("" if rng.random() < 0.05 else str(born)), rng.choice("fm")
    found, start = [], FIRST + timedelta(rng.randrange(500))
    start = FIRST if rng.random() < 0.5 else start
    for _ in range(rng.randint(1, 3)):
        end = start + timedelta(rng.choice((0, 30, 200, 364, 365, 600)))
        is_open = rng.random() < 0.2
        words = (rng.choice((*values, "other", "")) for values in WORDS.values())
        found.append((person, str(start), "" if is_open else str(end), birth, sex, rng.choice(HOMES), *words))
        # The next one overlaps, follows on the day after, or leaves a gap.
        start = max(start + timedelta(1), end + timedelta(rng.choice((-5, 0, 1, 2, 60))))
    return found


def _lines(rng: random.Random, person: str, days: Sequence[int]) -> list[tuple[str, ...]]:
    center = date(2022, 1, 1) + timedelta(rng.choice((0, 1, 180, 363, 364, 365, 500)))
    lines = []
    for _ in range(rng.randint(0, 8)):
        system = rng.choice(sorted(CODES))
        day = center + timedelta(rng.choice((-31, -30, -1, 0, 0, 0, 0, 1, 29, 30, 31, *days)))
        who = (f"d{rng.randrange(2)}", rng.choice(SPECIALITIES), rng.choice(SETTINGS))
        quantity = str(rng.choice((1, 1, 1, 2, -1)))
        code = rng.choice(CODES[system])
        code = rng.choice((code, code.lower(), f"{code[:3]}.{code[3:]}"))
        lines.append((person, str(day), code, {"icd": "ICD-10", "procedure": "P"}[system], quantity, *who, "H1"))
    return lines


def _change(file: Path, changes: dict[str, Any], without: str | None = None) -> None:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data.pop(without, None)
    file.write_text(yaml.safe_dump({**data, **changes}, sort_keys=False), encoding="utf-8")


def _write(file: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
