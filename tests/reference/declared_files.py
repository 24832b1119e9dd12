"""What a configuration declares and its raw files hold, read a second time in plain Python: text as senders write it.

It shares nothing with the package. It knows what the examples of ``conf/examples`` use: delimiters, encodings, decimal
commas, days in a format of numbers, joined and padded texts, words, rows that are kept by a value.
"""

import csv
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from reference import dimensions
from reference.dimensions import Dimension
from reference.model import Row, load_yaml

FAR = date(9999, 12, 31)
DATES = ("service_date", "start_date", "end_date", "birth_date")


@dataclass
class Country:
    """What is declared, and the accepted rows. people: spans of enrolment, or years, of each person."""

    settings: dict[str, Any]
    services: dict[str, Any]
    lists: dict[str, list[dict[str, str]]]
    places: list[dict[str, str]]
    indicators: list[dict[str, Any]]
    dimensions: tuple[Dimension, ...]
    standards: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: list[Row] = field(default_factory=list)
    people: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of gold that tell a cell's split."""
        return tuple(one.name for one in self.dimensions)

    @property
    def levels(self) -> list[str]:
        """From the country to the level of the domicile."""
        found: list[str] = self.settings["geography"]["levels"]
        return found


def load(conf: Path, source: Path) -> Country:
    """Read a configuration and an input of CSV files."""
    settings = load_yaml(conf / "settings.yaml")
    country = Country(
        settings=settings,
        services=load_yaml(conf / "services.yaml"),
        lists={path.stem: rows_of(path) for path in (conf / "codelists").glob("*.csv")},
        places=rows_of(conf / "geography" / "municipalities.csv"),
        indicators=[load_yaml(path) for path in sorted((conf / "indicators").glob("*.yaml"))],
        dimensions=dimensions.read(conf, settings),
        standards={path.stem: load_yaml(path) for path in (conf / "standards").glob("*.yaml")},
    )
    mapping = load_yaml(conf / "mappings" / f"{settings['mapping']}.yaml")
    for row in table(source, "claims", mapping.get("claims", {})):
        row["quantity"] = int(float(row["quantity"]))
        row["nomenclature_code"] = normalised(row["nomenclature_code"], settings["codes"])
        if is_code(row, settings["codes"]):
            country.claims.append(row)
    for row in table(source, "population", mapping.get("population", {})):
        if "start_date" in row:
            row["end_date"] = row["end_date"] or FAR
        else:
            row["year"] = int(row["year"])
        row["sex"] = {"f": "female", "m": "male"}.get(row["sex"], row["sex"])
        country.people[row["beneficiary_id"]].append(row)
    return country


def rows_of(path: Path, encoding: str = "utf-8", delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def table(source: Path, name: str, said: dict[str, Any]) -> list[Row]:
    """The rows of an input table under our names, of one file or of a folder of files."""
    reading, kept = said.get("read", {}), said.get("keep", {})
    columns = {name: how for name, how in said.items() if name not in ("read", "keep")}
    folder = source / name
    found = []
    for path in sorted(folder.glob("*.csv")) if folder.is_dir() else [source / f"{name}.csv"]:
        for raw in rows_of(path, reading.get("encoding", "utf-8"), reading.get("delimiter", ",")):
            texts = {column: text.strip() for column, text in raw.items()}
            if all(texts[column] in values for column, values in kept.items()):
                nulls = {"", *reading.get("null_texts", ())}
                known = {column: None if text in nulls else text for column, text in texts.items()}
                found.append(renamed({**known, "$file": path.stem}, columns, reading.get("decimal", ".")))
    return found


def renamed(raw: Row, columns: dict[str, Any], decimal: str) -> Row:
    """A sender's row under our names, with our words and our dates."""
    ours: Row = {}
    taken = {"$file"}
    for name, source in columns.items():
        said = source if isinstance(source, dict) else {"column": source}
        names = said.get("join") or [said["column"]]
        taken.update(names)
        parts = [raw[one] for one in names]
        text = None if None in parts else said.get("with", "").join(parts)
        words = {word.lower(): value for value, listed in said.get("values", {}).items() for word in listed}
        text = text if text is None else words.get(text.lower(), text)
        if text is not None and "pad" in said:
            text = text.zfill(said["pad"])
        ours[name] = day_of(text, said) if name in DATES else text
    rest = {name: text for name, text in raw.items() if name not in taken}
    row = {**{name: day_of(text, {}) if name in DATES else text for name, text in rest.items()}, **ours}
    if row.get("quantity"):
        row["quantity"] = row["quantity"].replace(decimal, ".")
    return row


def day_of(text: str | None, said: dict[str, Any]) -> date | None:
    """A date in its format of four, two and two digits; what a format lacks is said beside it."""
    if text is None or "format" not in said:
        return date.fromisoformat(text) if text else None
    found = {"day": said.get("day"), "month": said.get("month")}
    for name, sign in (("year", "yyyy"), ("month", "MM"), ("day", "dd")):
        if (start := said["format"].find(sign)) >= 0:
            found[name] = int(text[start : start + len(sign)])
    return date(found["year"], found["month"], found["day"])


def normalised(code: str, codes: dict[str, Any]) -> str:
    """A code without the signs that are removed, in capitals where the configuration says so."""
    kept = "".join(sign for sign in code if sign not in codes.get("remove", ""))
    return kept.upper() if codes.get("case") == "upper" else kept


def is_code(row: Row, codes: dict[str, Any]) -> bool:
    """Has the code the declared form, of its own system where there are several?"""
    if codes["kind"] == "number":
        return bool(re.fullmatch(f"[1-9][0-9]{{{codes['digits'] - 1}}}", row["nomenclature_code"]))
    pattern = codes["systems"][row["code_system"]] if "systems" in codes else codes["pattern"]
    return bool(re.fullmatch(pattern, row["nomenclature_code"]))
