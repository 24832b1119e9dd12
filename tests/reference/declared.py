"""What a configuration declares beside section 1: windows by name, flags of deliveries, indicators."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from reference import contacts
from reference.model import DELIVERY_COLUMNS, INDICATORS, CodeLists, Indicator, Row, Settings, load_yaml

UNITS = {"mean_nights": "mean"}


@dataclass(frozen=True)
class Flag:
    """A flag of a delivery: services of the groups, or of the lists, on enough days of the window."""

    name: str
    groups: tuple[str, ...]
    lists: tuple[str, ...]
    #: First and last day, relative to the delivery.
    first: int
    last: int
    least_days: int


def window(name: str, settings: Settings) -> tuple[int, int]:
    """First and last day of a window, relative to the delivery."""
    if name == "postnatal":
        return settings["postnatal_window"]["first_day"], settings["postnatal_window"]["last_day"]
    if name == "prenatal":
        return -settings["prenatal_window"]["first_day"], -settings["prenatal_window"]["last_day"]
    return settings["windows"][name]["first_day"], settings["windows"][name]["last_day"]


def flags(conf: Path, settings: Settings) -> tuple[Flag, ...]:
    """The declared flags that are none of section 8."""
    declared: dict[str, dict[str, Any]] = load_yaml(conf / "services.yaml")["delivery_flags"]
    return tuple(
        Flag(
            name,
            tuple(said.get("contact_groups", ())),
            tuple(said.get("code_lists", ())),
            *window(said["window"], settings),
            said.get("least_days", 1),
        )
        for name, said in declared.items()
        if name not in DELIVERY_COLUMNS
    )


def add_flags(
    deliveries: list[Row], services: list[Row], lists: CodeLists, settings: Settings, declared: tuple[Flag, ...]
) -> None:
    """Each flag of each delivery; None where nobody could see such a service, as a code list is empty."""
    chosen = settings["midwife_codes"]
    by_person: dict[str, list[Row]] = {}
    for service in services:
        by_person.setdefault(service["beneficiary_id"], []).append(service)
    for flag in declared:
        unseen = any(lists.empty(names) for names in lists_behind(flag, chosen))
        for delivery in deliveries:
            days = set()
            for service in by_person.get(delivery["beneficiary_id"], []):
                day = service["service_date"]
                after = (day - delivery["delivery_date"]) // timedelta(days=1)
                if not flag.first <= after <= flag.last:
                    continue
                if any(contacts.is_service_of(group, service, lists, chosen) for group in flag.groups):
                    days.add(day)
                if flag.lists and lists.holds(flag.lists, service["nomenclature_code"], day):
                    days.add(day)
            raised = len(days) >= flag.least_days
            delivery[flag.name] = None if unseen and not raised else raised


def lists_behind(flag: Flag, midwife_codes: str) -> list[tuple[str, ...]]:
    """The code lists of each of its groups, or its own."""
    return [contacts.lists_of(group, midwife_codes) for group in flag.groups] or [flag.lists]


def indicators(conf: Path, declared: tuple[Flag, ...], midwife_codes: str) -> tuple[Indicator, ...]:
    """The declared indicators that are none of section 1: shares of deliveries by flags, and services of imaging."""
    known = {indicator.id for indicator in INDICATORS}
    by_name = {flag.name: flag for flag in declared}
    found = []
    for path in sorted((conf / "indicators").glob("*.yaml")):
        said = load_yaml(path)
        if said["id"] in known:
            continue
        numerator = said["numerator"]
        read = tuple(numerator.get("with_any") or numerator.get("without_any") or ())
        found.append(
            Indicator(
                id=said["id"],
                population=said["population"],
                unit=UNITS.get(said["unit"], said["unit"]),
                dimensions=tuple(said["dimensions"]),
                levels=tuple(said["levels"]),
                reads=() if read else ("imaging",),
                flags=read,
                without="without_any" in numerator,
                flag_lists=tuple(names for name in read for names in lists_behind(by_name[name], midwife_codes)),
                last_day=max((by_name[name].last for name in read), default=0),
                volume="quantity_of_service" in numerator,
            )
        )
    return tuple(found)


def numerator(indicator: Indicator, delivery: Row) -> int:
    """What one delivery adds to the numerator."""
    has_any = any(delivery[name] for name in indicator.flags)
    return int(has_any != indicator.without)
