"""Judge odd input that is accepted: shares of people and rows of a year, with two bounds each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from claimatlas.checks.contacts import ALL_GROUPS, WITHOUT_PROVIDER
from claimatlas.checks.findings import INPUT, Finding
from claimatlas.checks.input_counts import OF_CONTACTS, OF_HOSPITALS, OF_PEOPLE
from claimatlas.checks.people import FOUND, KNOWN, LINES, PEOPLE, WITH_CLAIMS, WITH_STAYS
from claimatlas.checks.spellings import HOSPITALS, ROWS_WITH_HOSPITAL, SPELLED_TWICE
from claimatlas.claims.netting import WITHOUT_MATCH
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import AGE
from claimatlas.configuration.settings import InputChecks, ShareBounds
from claimatlas.ingest.shortfall import is_beyond
from claimatlas.population.services import IMPLAUSIBLE
from claimatlas.runs.context import SilverFacts
from claimatlas.tables.schemas import UNKNOWN

Counts = Mapping[str, Mapping[str, int]]
_STEPS_OF_SERVICES = {
    "deliveries": "of deliveries",
    "beneficiary_services": "counted per beneficiary",
    "deliveries.services_around": "around deliveries",
}


def judge_input(
    counts: Counts, silver: SilverFacts, years: Sequence[int], configuration: Configuration
) -> list[Finding]:
    """Judge the counts of a run record; ``silver``: the silver that the run computed from.

    A share above its bound ``note`` is found; its finding is beyond its bound when it is above ``stop`` too, and enough
    was counted. The findings that matter most come first.
    """
    bounds = configuration.settings.checks.input
    found = [
        finding for year in sorted(set(years)) for finding in _of_year(counts, silver, year, configuration, bounds)
    ]
    found += _of_negative_lines(counts, bounds)
    return found


def _of_year(
    counts: Counts, silver: SilverFacts, year: int, configuration: Configuration, bounds: InputChecks
) -> Iterator[Finding]:
    people, members = counts.get(f"{OF_PEOPLE}.{year}", {}), counts.get(f"beneficiaries.{year}", {})
    deliveries, services = counts.get(f"deliveries.{year}", {}), counts.get(f"beneficiary_services.{year}", {})
    lines = silver.lines_by_year
    if lines is not None and not lines.get(year):
        of = members.get("beneficiaries", bounds.least_counted)
        yield from _finding(
            _Share("year_without_claims", year, of, of, "beneficiaries", "have a year without any claim"), bounds
        )
    gone = "are not in the population of the year"
    for name, of_whom, of_what, bound in (
        (
            WITH_CLAIMS,
            "people with claims that indicators read",
            "claim lines that indicators read",
            "people_not_in_population",
        ),
        (WITH_STAYS, "people with a hospital stay", "hospital stays", "people_with_stay_not_in_population"),
    ):
        if name in people:
            odd = people[name] - people[name + FOUND]
            yield from _finding(_Share(bound, year, odd, people[name], of_whom, gone), bounds)
            unknown = people[name] - people[name + KNOWN]
            said = "are in the population of no year"
            yield from _finding(_Share("people_in_no_population", year, unknown, people[name], of_whom, said), bounds)
            if rows := people.get(name + LINES, 0):
                unknown = rows - people[name + LINES + KNOWN]
                said = "are of people who are in the population of no year"
                yield from _finding(_Share("lines_in_no_population", year, unknown, rows, of_what, said), bounds)
    for found, whom in ((members, "beneficiaries"), (deliveries, "deliveries")):
        yield from _of_unknown_values(found, whom, year, configuration, bounds)
    yield from _of_spellings(counts, year, bounds)
    yield from _of_contacts(counts, year, configuration, bounds)
    for name in configuration.services.beneficiary_services:
        if odd := services.get(f"{IMPLAUSIBLE}{name}", 0):
            most = configuration.settings.plausible_quantity
            of = services[f"quantity_{name}"]
            said = f"come from services with a quantity above {most} of one person, day and provider"
            yield from _finding(_Share("implausible_quantity", year, odd, of, f"units of {name}", said), bounds)
        key = f"beneficiaries_with_{name}"
        if key in services and key in members:
            odd = services[key] - members[key]
            of_whom = f"people with the service {name}"
            yield from _finding(
                _Share("people_with_service_not_in_population", year, odd, services[key], of_whom, gone), bounds
            )
    plausible = configuration.settings.plausible_age_at_delivery
    if deliveries:
        of = deliveries["deliveries"]
        for key, bound, said in (
            ("not_in_population", "mothers_not_in_population", "are of mothers who are not in the population"),
            (
                "age_outside_plausible",
                "mother_of_implausible_age",
                f"are of mothers outside {plausible.from_} to {plausible.to} years",
            ),
            ("mother_recorded_as_male", "mother_who_is_a_man", "are of men"),
        ):
            yield from _finding(_Share(bound, year, deliveries.get(key, 0), of, "deliveries", said), bounds)
    ages = configuration.settings.plausible_age
    for key, of_key, bound, said in (
        (
            "code_unknown",
            "code_given",
            "place_does_not_exist",
            "have a code of a place that does not exist in the year",
        ),
        ("sector_refused", "sector_given", "sector_does_not_exist", "have a sector that does not exist"),
        (
            "age_implausible",
            "beneficiaries",
            "implausible_age",
            f"are not {ages.from_} to {ages.to} years old on 31 December",
        ),
    ):
        if key in members and of_key in members:
            whom = "beneficiaries" if of_key == "beneficiaries" else "beneficiaries with one"
            yield from _finding(_Share(bound, year, members[key], members[of_key], whom, said), bounds)


def _of_unknown_values(
    counted: Mapping[str, int], whom: str, year: int, configuration: Configuration, bounds: InputChecks
) -> Iterator[Finding]:
    """Members of whom the domicile, or the value of a dimension, is not known."""
    names = {f"domicile_{UNKNOWN}": "domicile"}
    for name, declared in configuration.dimensions.declared.items():
        column = "birth_date" if declared.source == AGE else declared.column
        names[f"{UNKNOWN}_{name}"] = name if column == name else f"{name} ({column})"
    for key, name in names.items():
        share = _Share("unknown_value", year, counted.get(key, 0), counted.get(whom, 0), whom, f"have no known {name}")
        yield from _finding(share, bounds)


def _of_spellings(counts: Counts, year: int, bounds: InputChecks) -> Iterator[Finding]:
    """Ids that differ only as programs change them: they are taken for two people, or two hospitals."""
    alike = "differs from another one only by zeros at its start, capitals or '.0'"
    people, hospitals = counts.get(f"{OF_PEOPLE}.{year}", {}), counts.get(f"{OF_HOSPITALS}.{year}", {})
    if odd := people.get(PEOPLE + SPELLED_TWICE, 0):
        said = f"have a beneficiary_id in claims, hospital_stays or population that {alike}"
        yield from _finding(_Share("people_spelled_twice", year, odd, people[PEOPLE], "people", said), bounds)
    if odd := hospitals.get(ROWS_WITH_HOSPITAL + SPELLED_TWICE, 0):
        number, of = hospitals[HOSPITALS + SPELLED_TWICE], hospitals[ROWS_WITH_HOSPITAL]
        said = f"have a hospital_id that {alike} (hospitals so written: {number:,})"
        whom = "rows of claims that indicators read, and of hospital_stays, with a hospital"
        yield from _finding(_Share("hospitals_spelled_twice", year, odd, of, whom, said), bounds)


def _of_contacts(counts: Counts, year: int, configuration: Configuration, bounds: InputChecks) -> Iterator[Finding]:
    """Lines with a code of contacts that lack what tells providers apart, also of a year beside those of the run.

    One finding for all groups; a group is named where it is beyond the bound.
    """
    recorded = {int(step.partition(".")[2]) for step in counts if step.startswith(f"{OF_CONTACTS}.")}
    beside = [other for other in recorded if abs(other - year) == 1 and f"{OF_PEOPLE}.{other}" not in counts]
    attributes = " or ".join(configuration.settings.provider_attributes)
    for of_year in sorted([year, *beside]):
        lines = counts.get(f"{OF_CONTACTS}.{of_year}", {})
        for name in [name for name in lines if name + WITHOUT_PROVIDER in lines]:
            whom = "claim lines with a code of contacts" + ("" if name == ALL_GROUPS else f" of the group {name}")
            said = f"count in no group, as they have no {attributes}"
            share = _Share(
                "contacts_without_provider", of_year, lines[name + WITHOUT_PROVIDER], lines[name], whom, said
            )
            yield from (one for one in _finding(share, bounds) if name == ALL_GROUPS or not one.ok)


def _of_negative_lines(counts: Counts, bounds: InputChecks) -> Iterator[Finding]:
    said = "negative lines match no service: what they should take back still counts, as when they name another day"
    # Judge each kind separately: services of deliveries are few among all services.
    for step, of_what in _STEPS_OF_SERVICES.items():
        if odd := counts.get(step, {}).get(WITHOUT_MATCH, 0):
            services = counts[step]["services"]
            sentence = f"claims: {odd:,} {said} or another provider; there are {services:,} services {of_what}."
            share = _Share("negative_lines_without_match", None, odd, max(services, odd), "services", "")
            yield from _finding(share, bounds, sentence)


class _Share(NamedTuple):
    """A share of odd people or rows: by its bound, of a year or of all, and how it is said."""

    name: str
    year: int | None
    odd: int
    of: int
    whom: str
    said: str


def _finding(share: _Share, bounds: InputChecks, sentence: str | None = None) -> Iterator[Finding]:
    """The finding of a share above its bound ``note``. ``sentence``: replaces the usual sentence."""
    name, year, odd, of, whom, said = share
    bound: ShareBounds = getattr(bounds, name)
    measured = odd / of if of else 0.0
    if not odd or measured <= bound.note:
        return
    ok = not is_beyond(bound, odd, of, bounds.least_counted)
    text = sentence or f"{year}: {odd:,} of {of:,} {whom} ({100 * measured:.2f} %) {said}."
    subject: dict[str, str | int | float | None] = {"share": name} | ({} if year is None else {"year": year})
    yield Finding(INPUT, subject, measured, bound.stop, ok, text, of)


def stray_lines_as_text(silver: SilverFacts) -> list[str]:
    """The sentence about claim lines far from all others: they move the span of the claims."""
    said = []
    for side, (lines, day) in sorted(silver.stray_lines.items()):
        ends, effect = (
            ("begin", "they hide that the left edge is open")
            if side == "before"
            else ("end", "they decide which years are final; --complete-through says otherwise")
        )
        said.append(f"claims: {lines:,} lines lie far {side} {day}, where all others {ends}: {effect}.")
    return said
