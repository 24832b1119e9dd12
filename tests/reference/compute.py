"""The whole way: raw tables in, everything that the specification derives from them out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from reference import cells, contacts, declared, dimensions, domicile, episodes, parse
from reference.model import (
    ALL_CONTACTS,
    INDICATORS,
    CodeLists,
    Indicator,
    InputError,
    Result,
    Row,
    Settings,
    Tables,
    declared_indicators,
    load_settings,
)
from reference.netting import net_services

SOURCES = ("31_december", "30_june", "unknown")


def compute(
    tables: Tables,
    years: Iterable[int],
    *,
    conf_dir: str | Path,
    settings: Mapping[str, Any] | None = None,
    as_of: date = date(2026, 11, 22),
    complete_through: date | None = None,
    indicators: Iterable[str] | None = None,
) -> Result:
    """Compute deliveries, cells and counts of the years from raw tables.

    `tables` holds claims, population and perhaps hospital_stays. `settings` overrides single settings
    by dotted name. `indicators` names the wanted ones; the default is those of conf/indicators.
    Raises InputError where the product ends with exit code 2. Rows are rejected, but never too many:
    `gate_passed` says whether the product would stop with exit code 3.
    """
    conf = Path(conf_dir)
    chosen = load_settings(conf, settings)
    lists = CodeLists.read(conf)
    geography = domicile.Geography.read(conf)
    sectors = domicile.Sectors(chosen)
    extra = declared.flags(conf, chosen)
    split_by = dimensions.read(conf, chosen)
    known = (*INDICATORS, *declared.indicators(conf, extra, chosen["midwife_codes"]))
    wanted = wanted_indicators(known, declared_indicators(conf) if indicators is None else tuple(indicators))
    years = sorted(set(years))

    accepted, rejected, shares = parse.validate(tables, chosen, as_of)
    claims, population = accepted["claims"], accepted["population"]
    stays = accepted.get("hospital_stays")
    check_years(years, population, chosen)

    services = net_services(claims)
    days = episodes.delivery_days(services, lists)
    all_episodes = episodes.delivery_episodes(days, chosen, chosen["episode_rule"])
    people = {(row["beneficiary_id"], row["year"]): row for row in population}
    deliveries = [episode for episode in all_episodes if episode["year"] in years]
    add_person(deliveries, people, geography, sectors, split_by)
    midwife = add_contacts(deliveries, services, lists, chosen)
    declared.add_flags(deliveries, services, lists, chosen, extra)
    add_nights(deliveries, stays)

    flow = flow_of_rows(tables, accepted)
    persons: dict[int, list[Row]] = {}
    for year in years:
        persons[year] = persons_of(year, people, geography, sectors, split_by)
        add_exams(persons[year], year, services, lists)
    flow.update(
        flow_of_years(
            years,
            claims=claims,
            services=services,
            lists=lists,
            people=people,
            geography=geography,
            settings=chosen,
        )
    )
    flow.update(flow_of_episodes(years, days, chosen))
    flow["deliveries_by_domicile_source"] = {
        year: by_source([row for row in deliveries if row["year"] == year]) for year in years
    }
    flow["persons_by_domicile_source"] = {year: by_source(persons[year]) for year in years}
    flow["deliveries_without_midwife_contact"] = midwife_counts(years, deliveries, midwife)
    mothers = [(row["beneficiary_id"], row["year"]) for row in deliveries]
    flow["deliveries_not_in_population"] = {
        year: sum(1 for key in mothers if key[1] == year and key not in people) for year in years
    }

    reach = complete_through or max((row["service_date"] for row in claims), default=None)
    found: cells.Cells = {}
    for year in years:
        units = geography.units(year)
        if year >= sectors.first_year:
            units += [("sector", code) for code in sectors.listed(year)]
        for indicator in wanted:
            status = cells.status_of(indicator, year, chosen, reach)
            no_stays = indicator.id == "cube_007_007a" and stays is None
            if no_stays or lists_empty(indicator, lists, chosen):
                status = "not_computable"
            mine = [row for row in deliveries if row["year"] == year]
            counted = cells.records(indicator, persons[year], mine, split_by)
            found.update(
                cells.cube(indicator, counted, units, split_by, (year, status), denominator_known=not no_stays)
            )

    warnings = warnings_of(
        accepted,
        deliveries,
        people=people,
        geography=geography,
        sectors=sectors,
        settings=chosen,
    )
    for delivery in deliveries:
        del delivery["places"]
        del delivery["said"]
    return Result(
        accepted=accepted,
        rejected=rejected,
        rejected_share=shares,
        gate_passed=all(share <= float(chosen["max_rejected_share"]) for share in shares.values()),
        warnings=warnings,
        deliveries=deliveries,
        cells=found,
        dimensions=tuple(one.name for one in split_by),
        flow=flow,
    )


def wanted_indicators(known: tuple[Indicator, ...], ids: tuple[str, ...]) -> list[Indicator]:
    """The indicators of section 1, and those declared beside them, with these ids."""
    by_id = {indicator.id: indicator for indicator in known}
    for name in ids:
        if name not in by_id:
            raise InputError(f"unknown indicator: {name}")
    return [indicator for indicator in known if indicator.id in ids]


def check_years(years: list[int], population: list[Row], settings: Settings) -> None:
    """A year before 2006 or without a population row is an input error (section 7)."""
    with_rows = {row["year"] for row in population}
    for year in years:
        if year < settings["first_reference_year"]:
            raise InputError(f"year {year} is before {settings['first_reference_year']}")
        if year not in with_rows:
            raise InputError(f"no population row for {year}")


def lists_empty(indicator: Indicator, lists: CodeLists, settings: Settings) -> bool:
    """Is there a group of services that the indicator reads, and no code in any of its lists (section 1)?"""
    read = [contacts.lists_of(group, settings["midwife_codes"]) for group in indicator.reads]
    return any(lists.empty(names) for names in (*read, *indicator.flag_lists))


def add_person(
    deliveries: list[Row],
    people: dict[tuple[str, int], Row],
    geography: domicile.Geography,
    sectors: domicile.Sectors,
    split_by: tuple[dimensions.Dimension, ...],
) -> None:
    """Age, dimensions and domicile of each delivery, from the population row of its year (sections 2.4 and 5)."""
    for delivery in deliveries:
        year = delivery["year"]
        person = people.get((delivery["beneficiary_id"], year))
        birth = person["birth_date"] if person is not None else None
        delivery["age"] = cells.completed_years(birth, delivery["delivery_date"])
        delivery["said"] = {
            one.name: dimensions.value(one, "deliveries", person, delivery["age"])
            for one in split_by
            if in_deliveries(one)
        }
        delivery.update(delivery["said"])
        home = domicile.domicile(person, year, geography, sectors)
        delivery["municipality"] = home["municipality"]
        delivery["domicile_source"] = home["domicile_source"]
        delivery["places"] = domicile.places_of({**home, "sector": None}, year, geography)


def in_deliveries(dimension: dimensions.Dimension) -> bool:
    """Is it a column of silver/deliveries that the population or the age says?"""
    return "deliveries" in dimension.populations and not dimension.source.startswith("delivery.")


def add_contacts(
    deliveries: list[Row], services: list[Row], lists: CodeLists, settings: Settings
) -> dict[str, list[bool]]:
    """The flags of section 4 for each delivery.

    Returns, for each choice of midwife codes, which delivery has a postnatal midwife contact.
    """
    chosen = settings["midwife_codes"]
    days = {group: contacts.days_of(group, services, lists, chosen) for group in ALL_CONTACTS}
    tests = contacts.days_of("gdm_test", services, lists, chosen)
    technical = contacts.days_of("technical", services, lists, chosen)
    both = {choice: contacts.days_of("midwife", services, lists, choice) for choice in contacts.MIDWIFE_LISTS}
    midwife: dict[str, list[bool]] = {choice: [] for choice in both}
    no_test_codes = lists.empty(contacts.lists_of("gdm_test", chosen))
    for delivery in deliveries:
        who = delivery["beneficiary_id"]
        after = contacts.postnatal_window(delivery["delivery_date"], settings)
        before = contacts.prenatal_window(delivery["delivery_date"], settings)
        postnatal: list[date] = []
        prenatal: list[date] = []
        for group in ALL_CONTACTS:
            mine = contacts.within(days[group].get(who, []), after)
            delivery[f"contact_{group}"] = bool(mine)
            postnatal += mine
            prenatal += contacts.within(days[group].get(who, []), before)
        delivery["first_contact_date"] = min(postnatal) if postnatal else None
        delivery["prenatal_contact"] = bool(prenatal)
        # Without a code nobody can say whether there was a test.
        delivery["prenatal_gdm_test"] = None if no_test_codes else bool(contacts.within(tests.get(who, []), before))
        delivery["prenatal_technical"] = bool(contacts.within(technical.get(who, []), before))
        for choice, days_by_person in both.items():
            midwife[choice].append(bool(contacts.within(days_by_person.get(who, []), after)))
    return midwife


def add_nights(deliveries: list[Row], stays: list[Row] | None) -> None:
    """Nights after each delivery; None without a stay (section 4)."""
    by_person: dict[str, list[Row]] = {}
    for stay in stays or []:
        by_person.setdefault(stay["beneficiary_id"], []).append(stay)
    for delivery in deliveries:
        mine = by_person.get(delivery["beneficiary_id"], [])
        delivery["nights_after_delivery"] = contacts.nights_after_delivery(delivery, mine)


def persons_of(
    year: int,
    people: dict[tuple[str, int], Row],
    geography: domicile.Geography,
    sectors: domicile.Sectors,
    split_by: tuple[dimensions.Dimension, ...],
) -> list[Row]:
    """The beneficiary-years of the year with their dimensions and places."""
    persons: list[Row] = []
    for (beneficiary, of_year), row in people.items():
        if of_year != year:
            continue
        home = domicile.domicile(row, year, geography, sectors)
        age = cells.completed_years(row["birth_date"], date(year, 12, 31))
        persons.append(
            {
                "beneficiary_id": beneficiary,
                "said": {
                    one.name: dimensions.value(one, "beneficiary_years", row, age)
                    for one in split_by
                    if "beneficiary_years" in one.populations
                },
                "domicile_source": home["domicile_source"],
                "places": domicile.places_of(home, year, geography),
                "exams": 0,
            }
        )
    return persons


def imaging_services(year: int, services: list[Row], lists: CodeLists) -> list[Row]:
    """The therapeutic imaging exams of the year."""
    return [
        service
        for service in services
        if service["service_date"].year == year
        and lists.holds(("imaging_therapeutic",), service["nomenclature_code"], service["service_date"])
    ]


def add_exams(persons: list[Row], year: int, services: list[Row], lists: CodeLists) -> None:
    """Net quantity of exams of each person of the year; those of others are ignored (section 2.4)."""
    exams: Counter[str] = Counter()
    for service in imaging_services(year, services, lists):
        exams[service["beneficiary_id"]] += service["quantity"]
    for person in persons:
        person["exams"] = exams[person["beneficiary_id"]]


def by_source(rows: list[Row]) -> dict[str, int]:
    """How many rows have each domicile_source."""
    return {source: sum(1 for row in rows if row["domicile_source"] == source) for source in SOURCES}


def midwife_counts(
    years: list[int], deliveries: list[Row], midwife: dict[str, list[bool]]
) -> dict[int, dict[str, int]]:
    """Deliveries without a midwife contact under both lists (section 4)."""
    counts: dict[int, dict[str, int]] = {}
    for year in years:
        counts[year] = {}
        for choice, has in midwife.items():
            mine = [had for had, row in zip(has, deliveries, strict=True) if row["year"] == year]
            counts[year][choice] = sum(1 for had in mine if not had)
    return counts


def flow_of_rows(tables: Tables, accepted: dict[str, list[Row]]) -> dict[str, Any]:
    """Read, accepted, rejected by table (section 7)."""
    read = {table: len(tables[table]) for table in accepted}
    kept = {table: len(rows) for table, rows in accepted.items()}
    return {
        "rows_read": read,
        "rows_accepted": kept,
        "rows_rejected": {table: read[table] - kept[table] for table in read},
    }


def flow_of_episodes(years: list[int], days: dict[str, list[Row]], settings: Settings) -> dict[str, Any]:
    """Episodes of each year under both readings (section 3.3)."""
    counts: dict[int, dict[str, int]] = {year: {} for year in years}
    for rule in ("chained", "anchored"):
        found = Counter(row["year"] for row in episodes.delivery_episodes(days, settings, rule))
        for year in years:
            counts[year][rule] = found[year]
    return {"episodes": counts}


def flow_of_years(
    years: list[int],
    *,
    claims: list[Row],
    services: list[Row],
    lists: CodeLists,
    people: dict[tuple[str, int], Row],
    geography: domicile.Geography,
    settings: Settings,
) -> dict[str, Any]:
    """Imaging claims that are ignored, codes carried or not, open left edges (sections 2.4, 5.5 and 8)."""
    ignored_lines: dict[int, int] = {}
    ignored_services: dict[int, int] = {}
    carried: dict[int, int] = {}
    not_carried: dict[int, int] = {}
    edges: dict[int, dict[str, bool]] = {}
    start = min((row["service_date"] for row in claims), default=None)
    for year in years:
        lines = imaging_services(year, claims, lists)
        exams = imaging_services(year, services, lists)
        ignored_lines[year] = sum(1 for row in lines if (row["beneficiary_id"], year) not in people)
        ignored_services[year] = sum(1 for row in exams if (row["beneficiary_id"], year) not in people)
        carried[year] = not_carried[year] = 0
        for (_, of_year), row in people.items():
            if of_year != year:
                continue
            for column in ("municipality_31_december", "municipality_30_june"):
                code = row[column]
                if code is None or code in geography.vintage(year):
                    continue
                if geography.carry(code, year) is None:
                    not_carried[year] += 1
                else:
                    carried[year] += 1
        first = date(year, 1, 1)
        gap, window = settings["episode_gap_days"], settings["prenatal_window"]["first_day"]
        edges[year] = {
            "deliveries": start is None or start > first - timedelta(gap),
            "prenatal": start is None or start > first - timedelta(window),
            **{
                f"services of the window {name}": start is None or start > first + timedelta(one["first_day"])
                for name, one in settings.get("windows", {}).items()
                if one["first_day"] < 0
            },
        }
    return {
        "imaging_lines_not_in_population": ignored_lines,
        "imaging_services_not_in_population": ignored_services,
        "municipality_codes_carried": carried,
        "municipality_codes_not_carried": not_carried,
        "left_edge_open": edges,
    }


def warnings_of(
    accepted: dict[str, list[Row]],
    deliveries: list[Row],
    *,
    people: dict[tuple[str, int], Row],
    geography: domicile.Geography,
    sectors: domicile.Sectors,
    settings: Settings,
) -> dict[str, int]:
    """Rows that are kept with a warning (section 7): accepted rows of any year, deliveries of the years."""
    counts = dict.fromkeys(
        (
            "unknown_sex",
            "birth_date_after_year",
            "sector_off_pattern",
            "wrong_check_digit",
            "municipality_outside_vintage",
            "delivery_of_a_man",
            "age_at_delivery_out_of_range",
        ),
        0,
    )
    for row in accepted["population"]:
        year = row["year"]
        homes = [row["municipality_31_december"], row["municipality_30_june"]]
        codes = [row["sector_31_december"], row["sector_30_june"]]
        counts["unknown_sex"] += row["sex"] is None
        counts["birth_date_after_year"] += row["birth_date"] is not None and row["birth_date"].year > year
        counts["sector_off_pattern"] += any(code is not None and not sectors.fits(code, year) for code in codes)
        vintage = geography.vintage(year)
        counts["municipality_outside_vintage"] += any(code is not None and code not in vintage for code in homes)
    for row in accepted["claims"]:
        body, check = divmod(row["nomenclature_code"], 10)
        counts["wrong_check_digit"] += body % 7 != check
    plausible = settings["plausible_age_at_delivery"]
    for row in deliveries:
        person = people.get((row["beneficiary_id"], row["year"]))
        counts["delivery_of_a_man"] += person is not None and person["sex"] == "male"
        age = row["age"]
        counts["age_at_delivery_out_of_range"] += age is not None and not plausible["from"] <= age <= plausible["to"]
    return counts
