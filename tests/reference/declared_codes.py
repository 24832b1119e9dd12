"""A second computation of a whole foreign configuration in plain Python: codes, attributes, people, restrictions.

It shares nothing with the package. It knows what the examples of ``conf/examples`` use: windows by name, chained
episodes whose type is that of the first day, places whose codes do not change, dimensions of the age, the population,
the delivery type and the claim lines, code lists with days of validity, a population of spans or of person-years.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from reference import dimensions, rates
from reference.cells import completed_years, measures
from reference.declared_files import Country, load
from reference.dimensions import Dimension
from reference.model import Row

Cells = dict[tuple[Any, ...], tuple[int, int, float | None]]
Intervals = dict[tuple[Any, ...], tuple[float | None, float | None]]


def named(value: str, terms: Iterable[object]) -> bool:
    """Is the value one of the terms: itself, what begins so, or within a range whose last one may go on?"""
    for term in map(str, terms):
        first, dots, last = term.partition("..")
        if dots and first <= value and (value <= last or value.startswith(last)):
            return True
        if value == term or (term.endswith("*") and value.startswith(term[:-1])):
            return True
    return False


def in_lists(country: Country, names: list[str], service: Row) -> bool:
    """Is the service's code, of its system, in one of the lists?"""
    day = service["service_date"].isoformat()
    return any(
        row.get("code_system") == service["code_system"]
        and named(service["nomenclature_code"], [row["code"]])
        and (row["valid_from"] or "0") <= day <= (row["valid_to"] or "9")
        for name in names
        for row in country.lists[name]
    )


def services_of(country: Country) -> list[Row]:
    """What counts once corrections are netted; ``lines``: those with a positive quantity."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    key = ("beneficiary_id", "service_date", "code_system", "nomenclature_code", "provider_id")
    for claim in country.claims:
        groups[tuple(claim.get(name) for name in key)].append(claim)
    found = []
    for identity, lines in groups.items():
        net = sum(line["quantity"] for line in lines)
        if net > 0:
            given = [line for line in lines if line["quantity"] > 0]
            found.append({**dict(zip(key, identity, strict=True)), "net": net, "lines": given})
    return found


def is_of_group(country: Country, name: str, service: Row) -> bool:
    """Is the service of the contact group, and one of its lines of a provider who meets the rule?"""
    group = country.services["contact_groups"][name]
    if not in_lists(country, group["code_lists"], service):
        return False
    where, where_not = group.get("where", {}), group.get("where_not", {})
    return any(
        all(line[attribute] is not None and named(line[attribute], terms) for attribute, terms in where.items())
        and all(
            line[attribute] is not None and not named(line[attribute], terms) for attribute, terms in where_not.items()
        )
        for line in service["lines"]
    )


def deliveries_of(country: Country, services: list[Row]) -> list[Row]:
    """The deliveries of every year with their flags, ages, places and days of enrolment."""
    by_person: dict[str, list[Row]] = defaultdict(list)
    for service in services:
        by_person[service["beneficiary_id"]].append(service)
    kinds = country.services["delivery_types"]
    found = []
    for who, mine in by_person.items():
        days: dict[date, tuple[int, str]] = {}
        for service in mine:
            for kind, said in kinds.items():
                if in_lists(country, [said["code_list"]], service):
                    one = (said["priority"], kind)
                    days[service["service_date"]] = min(days.get(service["service_date"], one), one)
        before = None
        for day in sorted(days):
            if before is None or (day - before).days > country.settings["episode_gap_days"]:
                found.append(delivery(country, who, day, days[day][1], mine))
            before = day
    return found


def delivery(country: Country, who: str, day: date, kind: str, services: list[Row]) -> Row:
    """One delivery with everything that is known of it."""
    person = person_of(country, who, day.year)
    age = completed_years(person["birth_date"], day) if person else None
    row: Row = {
        "year": day.year,
        "kind": kind,
        "age": age,
        "place": person["place"] if person else None,
        "enrolled": enrolled_around(country, who, day),
    }
    for name, flag in country.services["delivery_flags"].items():
        window = country.settings["windows"][flag["window"]]
        met = {
            service["service_date"]
            for service in services
            if window["first_day"] <= (service["service_date"] - day).days <= window["last_day"]
            and (
                in_lists(country, flag.get("code_lists", []), service)
                or any(is_of_group(country, group, service) for group in flag.get("contact_groups", []))
            )
        }
        row[name] = len(met) >= flag.get("least_days", 1)
    for dimension in country.dimensions:
        if dimension.source == "delivery.delivery_type":
            row[dimension.name] = country.services["delivery_types"][kind]["dimension"]
        elif "deliveries" in dimension.populations:
            row[dimension.name] = dimensions.value(dimension, "deliveries", person, age)
    return row


def person_of(country: Country, who: str, year: int) -> Row | None:
    """A member of a year, on the days that the settings ask for: the words of its row, and the place; else None."""
    codes = {place[country.levels[-1]] for place in country.places}
    if country.settings["population"]["given_as"] != "spans":
        years = [row for row in country.people[who] if row["year"] == year]
        if not years:
            return None
        homes = [years[0].get(name) for name in ("municipality_31_december", "municipality_30_june")]
        return {**years[0], "place": next((home for home in homes if home in codes), None)}
    first, last = date(year, 1, 1), date(year, 12, 31)
    touched = [span for span in country.people[who] if span["start_date"] <= last and span["end_date"] >= first]
    if not touched or not is_member(country, who, year):
        return None

    def latest(spans: list[Row]) -> Row:
        return max(spans, key=lambda span: (span["start_date"], span["end_date"]))

    at_end = [span for span in touched if span["end_date"] >= last]
    chosen = latest(at_end or touched)
    middle = date(year, 6, 30)
    in_june = [span for span in touched if span["start_date"] <= middle <= span["end_date"]]
    places = [chosen["municipality"], latest(in_june)["municipality"] if in_june else None]
    known = [place for place in places if place in codes]
    return {**chosen, "place": known[0] if known else None}


def is_member(country: Country, who: str, year: int) -> bool:
    """Is somebody enrolled on any day of a year, on its last day, or on each of its days?"""
    start = date(year, 1, 1)
    days = [start + timedelta(number) for number in range((date(year + 1, 1, 1) - start).days)]
    asked = country.settings["population"]["member_on"]
    days = days[-1:] if asked == "last_day_of_year" else days
    held = (any(span["start_date"] <= day <= span["end_date"] for span in country.people[who]) for day in days)
    return all(held) if asked == "whole_year" else any(held)


def enrolled_around(country: Country, who: str, day: date) -> tuple[int, int] | None:
    """For how many days, up to a thousand, somebody is enrolled before and after a day; None: not on it."""

    if country.settings["population"]["given_as"] != "spans":
        return None

    def is_enrolled(on: date) -> bool:
        return any(span["start_date"] <= on <= span["end_date"] for span in country.people[who])

    if not is_enrolled(day):
        return None
    before = itertools.takewhile(lambda days: is_enrolled(day - timedelta(days)), range(1, 1000))
    after = itertools.takewhile(lambda days: is_enrolled(day + timedelta(days)), range(1, 1000))
    return sum(1 for _ in before), sum(1 for _ in after)


def is_counted(indicator: dict[str, Any], member: Row) -> bool:
    """Is the member in the denominator?"""
    asked = indicator.get("denominator") or {}
    if "ages" in asked:
        age = member["age"]
        if age is None or age < asked["ages"].get("from", 0) or age > asked["ages"].get("to", 999):
            return False
    if "sexes" in asked and member["sex"] not in asked["sexes"]:
        return False
    if "with_flag" in asked and not member[asked["with_flag"]]:
        return False
    if "without_flag" in asked and member[asked["without_flag"]]:
        return False
    if "enrolled" in asked:
        days = member["enrolled"]
        before, after = (asked["enrolled"].get(name, 0) for name in ("days_before", "days_after"))
        if days is None or days[0] < before or days[1] < after:
            return False
    return True


def share_of(indicator: dict[str, Any], member: Row) -> int:
    """What a member adds to the numerator."""
    numerator = indicator["numerator"]
    if "all" in numerator:
        return 1
    if "quantity_of_service" in numerator:
        return int(member[numerator["quantity_of_service"]])
    if "with_service" in numerator:
        return int(member[numerator["with_service"]] > 0)
    flags = numerator.get("with_any") or numerator["without_any"]
    return int(any(member[flag] for flag in flags) == ("with_any" in numerator))


def people_of(country: Country, services: list[Row], year: int) -> list[Row]:
    """The members of a year with their services."""
    found = []
    for who in country.people:
        person = person_of(country, who, year)
        if person is None:
            continue
        age = completed_years(person["birth_date"], date(year, 12, 31))
        row = {**person, "age": age}
        for dimension in country.dimensions:
            if "beneficiary_years" in dimension.populations and not dimension.source.startswith(
                ("delivery.", "claims.")
            ):
                row[dimension.name] = dimensions.value(dimension, "beneficiary_years", person, age)
        for name, said in country.services["beneficiary_services"].items():
            row[name, "services"] = [
                service
                for service in services
                if service["beneficiary_id"] == who
                and service["service_date"].year == year
                and in_lists(country, said["code_lists"], service)
            ]
            row[name] = sum(service["net"] for service in row[name, "services"])
        found.append(row)
    return found


def value_of_service(dimension: Dimension, service: Row) -> str:
    """The first declared value that one of the service's lines has."""
    for value in dimension.values:
        for line in service["lines"]:
            if line[dimension.column] is not None and named(line[dimension.column], [value]):
                return value
    return "unknown"


def share_in(country: Country, indicator: dict[str, Any], member: Row, values: tuple[str, ...]) -> int:
    """What a member adds to the numerator of a cell: of a value of the claim lines only the services that have it."""
    for dimension, value in zip(country.dimensions, values, strict=True):
        if dimension.source.startswith("claims.") and value != "all":
            services = member[indicator["numerator"]["quantity_of_service"], "services"]
            return sum(one["net"] for one in services if value_of_service(dimension, one) == value)
    return share_of(indicator, member)


def values_of(dimension: Dimension, member: Row) -> tuple[str, ...]:
    """What a member is counted under in a dimension; of the claim lines under each value."""
    return (*dimension.values, "unknown") if dimension.source.startswith("claims.") else (member[dimension.name],)


def cells(conf: Path, source: Path, years: tuple[int, ...]) -> Cells:
    """Numerator, denominator and value of each cell, by indicator, year, level, place and the declared dimensions."""
    return {key: row[:3] for key, row in figures(conf, source, years).items()}


def intervals(conf: Path, source: Path, years: tuple[int, ...]) -> Intervals:
    """The bounds of the interval of each cell."""
    return {key: row[3:] for key, row in figures(conf, source, years).items()}


def figures(conf: Path, source: Path, years: tuple[int, ...]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Numerator, denominator, value and bounds of each cell."""
    country = load(conf, source)
    services = services_of(country)
    deliveries = deliveries_of(country, services)
    names = country.levels
    levels = {place[names[-1]]: {name: place[name] for name in names} for place in country.places}
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for year, indicator in itertools.product(years, country.indicators):
        of_deliveries = indicator["population"] == "deliveries"
        members = [one for one in deliveries if one["year"] == year]
        if not of_deliveries:
            members = people_of(country, services, year)
        counts: dict[tuple[Any, ...], list[tuple[int, Row]]] = defaultdict(list)
        for place, level in itertools.product(country.places, indicator["levels"]):
            counts[level, place[level], *["all"] * len(country.key)] = []
        for member in members:
            if not is_counted(indicator, member):
                continue
            homes = {names[0]: country.places[0][names[0]], **levels.get(member["place"], {})}
            homes = {level: code for level, code in homes.items() if level in indicator["levels"]}
            choices = [
                ("all", *(values_of(one, member) if one.name in indicator["dimensions"] else ()))
                for one in country.dimensions
            ]
            for level, values in itertools.product(homes, itertools.product(*choices)):
                share = share_in(country, indicator, member, values)
                counts[level, homes[level], *values].append((share, member))
        for key, counted in counts.items():
            numerator, denominator = sum(share for share, _ in counted), len(counted)
            found[indicator["id"], year, *key] = (numerator, denominator, *figures_of(country, indicator, counted))
    return found


def figures_of(country: Country, indicator: dict[str, Any], counted: list[tuple[int, Row]]) -> tuple[Any, ...]:
    """Value and bounds of a cell, from what each of its members adds to the numerator."""
    if indicator["unit"] == "median":
        return rates.median([share for share, _ in counted]), None, None
    if "standardised" in indicator:
        standard = country.standards[indicator["standardised"]]
        strata: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for share, member in counted:
            strata[member[standard["dimension"]]][0] += share
            strata[member[standard["dimension"]]][1] += 1
        return rates.standardised(strata, standard["weights"], indicator["unit"])
    return measures(indicator["unit"], sum(share for share, _ in counted), len(counted))
