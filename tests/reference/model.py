"""The words shared by the modules: tables, settings, indicators, result."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

Row = dict[str, Any]
#: Table name -> rows; a row is column -> text or None, or a Malformed line.
Tables = dict[str, list[Any]]
Settings = dict[str, Any]


class InputError(Exception):
    """Wrong input or setting: the product ends with exit code 2 (section 7)."""


@dataclass(frozen=True)
class Malformed:
    """A CSV line that has not the header's number of fields (section 7)."""

    text: str


@dataclass
class Result:
    """Everything that the specification derives from the input."""

    #: Table -> typed rows, in input order.
    accepted: dict[str, list[Row]]
    #: (table, the row as it came, reasons in the specification's order), in input order.
    rejected: list[tuple[str, Any, tuple[str, ...]]]
    #: Rejected share of the rows read, by table; 0.0 for a table without rows.
    rejected_share: dict[str, float]
    #: Is every share at most max_rejected_share? The product ends with exit code 3 if not.
    gate_passed: bool
    warnings: dict[str, int]
    #: Rows of silver/deliveries for the years asked, by beneficiary and date.
    deliveries: list[Row]
    #: Gold: key in the order of cell_key -> numerator, denominator, value, ci_low, ci_high, status,
    #: geo_vintage.
    cells: dict[tuple[Any, ...], Row]
    #: The declared dimensions, in their order.
    dimensions: tuple[str, ...]
    #: Counts of the run record.
    flow: dict[str, Any]

    @property
    def cell_key(self) -> tuple[str, ...]:
        """The columns that tell cells apart."""
        return (*CELL_KEY[:4], *self.dimensions)


#: Of the configuration that ships.
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

#: silver/deliveries of section 8 by the configuration that ships, without delivery_id.
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


# --- Indicators (section 1) -----------------------------------------------------------------------

DOMICILE_LEVELS = ("country", "region", "province", "arrondissement", "municipality")
SECTOR_LEVELS = (*DOMICILE_LEVELS, "sector")
HOSPITAL_LEVELS = ("country", "hospital")

DELIVERY_DIMENSIONS = ("age_category", "increased_reimbursement", "delivery_type")
BENEFICIARY_DIMENSIONS = ("age_category", "increased_reimbursement", "sex")


@dataclass(frozen=True)
class Indicator:
    """One line of the table of section 1. How its numerator is counted stands in cells.py."""

    id: str
    population: str  # beneficiary_years, deliveries, hospital_deliveries, hospital_deliveries_with_stay
    unit: str  # percent, per_100, count, mean
    dimensions: tuple[str, ...]
    levels: tuple[str, ...]
    #: The groups of code lists that its numerator reads; none when it counts deliveries themselves.
    reads: tuple[str, ...] = ()
    #: Does it observe the postnatal window, beyond 31 December?
    postnatal: bool = False
    #: Of one that is declared beside those of section 1 (declared.py): the flags that its numerator reads, whether
    #: it counts the deliveries without any of them, the last day of their windows, whether it counts quantities.
    flags: tuple[str, ...] = ()
    without: bool = False
    flag_lists: tuple[tuple[str, ...], ...] = ()
    last_day: int = 0
    volume: bool = False


ALL_CONTACTS = ("gp", "gynaecologist", "midwife", "physiotherapist", "specialist")

INDICATORS = (
    Indicator("stat_013_023", "beneficiary_years", "percent", (), SECTOR_LEVELS, ("imaging",)),
    Indicator("cube_013_023", "beneficiary_years", "percent", BENEFICIARY_DIMENSIONS, DOMICILE_LEVELS, ("imaging",)),
    Indicator("stat_013_024", "beneficiary_years", "per_100", (), SECTOR_LEVELS, ("imaging",)),
    Indicator("cube_007_001a_denom", "deliveries", "count", DELIVERY_DIMENSIONS, DOMICILE_LEVELS),
    Indicator("cube_007_008a", "deliveries", "percent", DELIVERY_DIMENSIONS, DOMICILE_LEVELS, ALL_CONTACTS, True),
    Indicator(
        "cube_007_008b",
        "hospital_deliveries",
        "percent",
        ("delivery_type",),
        HOSPITAL_LEVELS,
        ALL_CONTACTS,
        True,
    ),
    Indicator("cube_007_009a", "deliveries", "percent", DELIVERY_DIMENSIONS, DOMICILE_LEVELS, ("midwife",), True),
    Indicator("cube_007_003a", "deliveries", "percent", DELIVERY_DIMENSIONS, DOMICILE_LEVELS, ALL_CONTACTS),
    Indicator("cube_007_004a", "deliveries", "percent", DELIVERY_DIMENSIONS, DOMICILE_LEVELS, ("gdm_test",)),
    Indicator("cube_007_005a", "deliveries", "percent", DELIVERY_DIMENSIONS, DOMICILE_LEVELS, ("technical",)),
    Indicator("cube_007_006b", "hospital_deliveries", "percent", (), HOSPITAL_LEVELS),
    Indicator("cube_007_007a", "hospital_deliveries_with_stay", "mean", DELIVERY_DIMENSIONS, DOMICILE_LEVELS),
)


# --- Settings and code lists ------------------------------------------------------------------------


def load_yaml(path: Path) -> Any:
    """A YAML file, by the fast safe loader where there is one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), loader)


def load_settings(conf_dir: Path, overrides: Mapping[str, Any] | None) -> Settings:
    """Read settings.yaml and put the overrides, given by dotted name, where they belong (section 9)."""
    settings: Settings = load_yaml(conf_dir / "settings.yaml")
    for name, value in (overrides or {}).items():
        *folders, last = name.split(".")
        inner = settings
        for folder in folders:
            if not isinstance(inner.get(folder), dict):
                raise InputError(f"unknown setting: {name}")
            inner = inner[folder]
        if last not in inner:
            raise InputError(f"unknown setting: {name}")
        inner[last] = value
    choices = {
        "episode_rule": ("chained", "anchored"),
        "episode_type": ("first", "highest_priority"),
        "midwife_codes": ("source", "source_and_postnatal"),
    }
    for name, allowed in choices.items():
        if settings[name] not in allowed:
            raise InputError(f"{name} is {settings[name]!r}, not one of {allowed}")
    return settings


class CodeLists:
    """The code lists with their validity (sections 2.3 and 4)."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.periods: dict[str, dict[int, list[tuple[date | None, date | None]]]] = {}
        for row in rows:
            first = date.fromisoformat(row["valid_from"]) if row["valid_from"] else None
            last = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
            codes = self.periods.setdefault(row["list"], {})
            codes.setdefault(int(row["code"]), []).append((first, last))

    @classmethod
    def read(cls, conf_dir: Path) -> "CodeLists":
        """Read every file of conf/codelists."""
        rows: list[dict[str, str]] = []
        for path in sorted((conf_dir / "codelists").glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                rows.extend(csv.DictReader(file))
        return cls(rows)

    def holds(self, names: tuple[str, ...], code: int, day: date) -> bool:
        """Does a list hold the code on that day: valid_from <= day <= valid_to, where ends may be open?"""
        for name in names:
            for first, last in self.periods.get(name, {}).get(code, []):
                if (first is None or first <= day) and (last is None or day <= last):
                    return True
        return False

    def empty(self, names: tuple[str, ...]) -> bool:
        """Has none of the lists any row? (A row that is not valid in the year still is a row: section 1.)"""
        return not any(self.periods.get(name) for name in names)


def declared_indicators(conf_dir: Path) -> tuple[str, ...]:
    """The ids that conf/indicators declares."""
    ids = []
    for path in sorted((conf_dir / "indicators").glob("*.yaml")):
        ids.append(load_yaml(path)["id"])
    return tuple(ids)
