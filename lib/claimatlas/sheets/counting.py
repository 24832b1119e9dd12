"""Sections of a sheet on what is counted: calculation, population, deliveries, services, stay, corrections."""

from __future__ import annotations

from datetime import date, timedelta

from claimatlas.configuration.services import ContactGroup, DeliveryFlag
from claimatlas.sheets.facts import COMMON_YEAR, WILSON_Z, YEARS, Facts
from claimatlas.sheets.markdown import blocks, bullets, code, table
from claimatlas.sheets.texts import Texts


def unit(facts: Facts, texts: Texts) -> str:
    """The unit in words."""
    kind, of = facts.indicator.unit, facts.indicator.population
    return texts.say(f"unit.count.{of}" if kind == "count" else f"unit.{kind}", members=members(facts, texts))


def members(facts: Facts, texts: Texts) -> str:
    """What the population is made of, in the plural."""
    return texts.say(f"members.{facts.indicator.population}")


def calculation(facts: Facts, texts: Texts) -> str:
    """Numerator, denominator and formula."""
    kind = facts.indicator.unit
    return blocks(
        [
            texts.say("calculation.numerator", numerator=_numerator(facts, texts)),
            texts.say("calculation.denominator", denominator=_denominator(facts, texts)),
            code(texts.say(f"formula.{kind}")),
            texts.say(f"calculation.{kind}", z=texts.number(WILSON_Z))
            + ("" if kind == "count" else f" {texts.say('calculation.zero')}"),
        ]
    )


def _numerator(facts: Facts, texts: Texts) -> str:
    numerator = facts.indicator.numerator
    (kind,) = numerator.model_dump(exclude_none=True)
    # Each kind has a sentence of its own, which takes from these what it needs.
    return texts.say(
        f"numerator.{kind}",
        members=members(facts, texts),
        items=_items(facts, texts),
        types=texts.or_([texts.name("delivery_type", name) for name in numerator.delivery_types or ()]),
        service=texts.quoted("service", numerator.service or ""),
    )


def _items(facts: Facts, texts: Texts) -> str:
    """The flags of the numerator in words: contacts in one window are told together."""
    quantity = "none" if facts.indicator.numerator.without_any else "any"
    items = []
    for window in facts.windows:
        flags = [flag for flag in facts.flags.values() if flag.window == window]
        phrase = window_phrase(facts, texts, window)
        groups = dict.fromkeys(group for flag in flags if flag.least_days == 1 for group in flag.contact_groups)
        if groups:
            names = texts.or_([texts.name("group_with", group) for group in groups])
            items.append(texts.say(f"item.{quantity}.contact", groups=names, window=phrase))
        lists = dict.fromkeys(name for flag in flags if flag.least_days == 1 for name in flag.code_lists)
        if lists:
            names = texts.or_([texts.quoted("list_title", name) for name in lists])
            items.append(texts.say(f"item.{quantity}.service", lists=names, window=phrase))
        # The days of two such flags are not added up: each is told by itself.
        items += [_of_several_days(flag, quantity, phrase, texts) for flag in flags if flag.least_days > 1]
    return texts.nor(items) if quantity == "none" else texts.or_(items)


def _of_several_days(flag: DeliveryFlag, quantity: str, phrase: str, texts: Texts) -> str:
    if flag.contact_groups:
        groups = texts.or_([texts.name("group_with", group) for group in flag.contact_groups])
        return texts.say(f"item.{quantity}.contact_days", groups=groups, window=phrase, days=flag.least_days)
    lists = texts.or_([texts.quoted("list_title", name) for name in flag.code_lists])
    return texts.say(f"item.{quantity}.service_days", lists=lists, window=phrase, days=flag.least_days)


def window_phrase(facts: Facts, texts: Texts, window: str) -> str:
    """From which day to which day of the delivery."""
    span = facts.window(window)
    return texts.say(f"window.phrase.{span.side}", **span.days)


def _denominator(facts: Facts, texts: Texts) -> str:
    restriction = facts.indicator.denominator
    text = texts.say(f"denominator.{facts.indicator.population}")
    if restriction is not None and restriction.delivery_types:
        text = texts.say("denominator.of_types", types=_counted_types(facts, texts))
    if facts.indicator.needs_stays:
        text = texts.say("denominator.with_stay", deliveries=text)
    return text


def _counted_types(facts: Facts, texts: Texts) -> str:
    return texts.or_([texts.name("delivery_type", name) for name in facts.counted_types])


def population(facts: Facts, texts: Texts) -> str:
    """Who or what is counted, and which restriction there is."""
    parts = [texts.say(f"population.{facts.indicator.population}")]
    if facts.of_deliveries:
        restricted = facts.indicator.denominator is not None and facts.indicator.denominator.delivery_types
        if restricted:
            parts.append(texts.say("population.of_types", types=_counted_types(facts, texts)))
        elif not facts.indicator.needs_stays:
            types = ", ".join(texts.name("delivery_type", name) for name in facts.counted_types)
            parts.append(texts.say("population.every_type", types=types))
    if facts.indicator.needs_stays:
        parts.append(texts.say("population.with_stay"))
    return blocks(parts)


def delivery_class(value: str, facts: Facts, texts: Texts) -> str:
    """What a class of delivery types is called; as it is declared where the types are no dimension."""
    name = facts.dimensions.of_delivery_type
    return texts.value(name, value) if name else code(value)


def deliveries(facts: Facts, texts: Texts) -> str:
    """How billings become deliveries."""
    if not facts.of_deliveries:
        return ""
    settings = facts.settings
    gap = settings.episode_gap_days
    header = [texts.say(f"deliveries.{column}") for column in ("priority", "type", "list", "class")]
    rows = [
        [
            str(kind.priority),
            texts.name("delivery_type", name),
            code(kind.code_list),
            delivery_class(kind.dimension, facts, texts),
        ]
        for name, kind in facts.delivery_types.items()
    ]
    rules = [
        texts.say("deliveries.same_day"),
        texts.say("deliveries.gap", gap=gap, next=gap + 1),
        f"{texts.say(f'deliveries.rule.{settings.episode_rule}', gap=gap)} {texts.say('deliveries.both')}",
        texts.say(f"deliveries.episode_type.{settings.episode_type}"),
        texts.say("deliveries.year"),
        texts.say("deliveries.implausible", days=settings.implausible_interval_days),
    ]
    return blocks([texts.say("deliveries.intro"), table(header, rows), bullets(rules)])


def services(facts: Facts, texts: Texts) -> str:
    """Which services the numerator looks for, when, and from whom."""
    if not facts.flags and facts.indicator.numerator.service is None:
        return ""
    parts = [texts.say("services.codes")]
    if facts.flags:
        parts[0] += f" {texts.say('services.every_delivery')}"
    else:
        parts.append(texts.say("services.of_year"))
    parts += [_window(facts, texts, window) for window in facts.windows]
    if facts.groups:
        header = [texts.say(f"services.{column}") for column in ("group", "lists", "provider")]
        rows = [
            [texts.name("group", name), ", ".join(map(code, facts.lists_of_group[name])), _provider(group, texts)]
            for name, group in facts.groups.items()
        ]
        parts += [texts.say("services.groups"), table(header, rows)]
    if facts.lists_of_any_provider:
        lists = texts.and_([code(name) for name in facts.lists_of_any_provider])
        parts.append(texts.say("services.any_provider", lists=lists))
    return blocks(parts)


def _window(facts: Facts, texts: Texts, window: str) -> str:
    span = facts.window(window)
    holds_day_zero = span.first <= 0 <= span.last
    day_zero = texts.say("window.day_zero_in" if holds_day_zero else "window.day_zero_out")
    end = _day_after_the_year(tuple(date(year, 12, 31) + timedelta(span.last) for year in YEARS), texts)
    return texts.say(f"window.{span.side}", name=window_name(window, texts), day_zero=day_zero, end=end, **span.days)


def window_name(window: str, texts: Texts) -> str:
    """What a window is called as a heading."""
    key = f"window.name.{window}"
    return texts.say(key) if key in texts.by_key else texts.say("window.name_of_its_own", name=code(window))


def end_of_observation(facts: Facts, texts: Texts) -> str:
    """The last day that is observed, counted from the reference year."""
    return _day_after_the_year(facts.observed_until, texts)


def _day_after_the_year(days: tuple[date, ...], texts: Texts) -> str:
    """A day in words, from what it is for each of ``YEARS``."""
    common, leap = (texts.day_and_month(day) for day in days)
    years = days[0].year - COMMON_YEAR
    key = {0: "same_year", 1: "next_year"}.get(years, "later")
    text = texts.say(f"date.{key}", day=common, years=years)
    return text if common == leap else texts.say("date.in_leap_year", date=text, leap=leap)


def _provider(group: ContactGroup, texts: Texts) -> str:
    said = [
        texts.say(f"provider.{rule}", codes=", ".join(map(str, numbers)))
        for rule, numbers in _provider_rules(group).items()
    ]
    return texts.say("provider.both").join(said) or texts.say("provider.any")


def _provider_rules(group: ContactGroup) -> dict[str, tuple[int, ...]]:
    rules = {
        "competences": group.competences,
        "competences_except": group.competences_except,
        "professions": group.professions,
    }
    return {name: numbers for name, numbers in rules.items() if numbers}


def stay(facts: Facts, texts: Texts) -> str:
    """Which hospital stay is a delivery's."""
    if not facts.indicator.needs_stays:
        return ""
    return bullets(texts.say(f"stay.{rule}") for rule in ("which", "several", "nights", "without"))


def corrections(facts: Facts, texts: Texts) -> str:
    """How lines that take back others are counted."""
    parts = [texts.say("corrections.net")]
    if facts.of_deliveries:
        by_provider = any(_provider_rules(group) for group in facts.groups.values())
        parts.append(texts.say("corrections.columns" if by_provider else "corrections.hospital"))
    if facts.indicator.numerator.quantity_of_service is not None:
        parts.append(texts.say("corrections.volume"))
    return " ".join(parts)
