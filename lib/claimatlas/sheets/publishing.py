"""Sections of a sheet on what is published: dimensions, availability, uncertainty."""

from __future__ import annotations

from claimatlas.configuration.dimensions import AGE, DELIVERY_TYPE
from claimatlas.configuration.settings import POSTNATAL, AgeClass
from claimatlas.conventions import TREND_YEARS
from claimatlas.sheets.counting import delivery_class, end_of_observation, window_name
from claimatlas.sheets.facts import TREND_P, WILSON_Z, Facts
from claimatlas.sheets.markdown import blocks, bullets, code, plain, table
from claimatlas.sheets.texts import Texts


def dimensions(facts: Facts, texts: Texts) -> str:
    """The dimensions with their classes."""
    if not facts.indicator.dimensions:
        return texts.say("dimensions.none")
    header = [texts.say(f"dimensions.{column}") for column in ("dimension", "classes")]
    rows = [[texts.name("dimension", name), _classes(name, facts, texts)] for name in facts.indicator.dimensions]
    return blocks([table(header, rows), texts.say("dimensions.cube")])


def _classes(name: str, facts: Facts, texts: Texts) -> str:
    """What a dimension tells apart."""
    dimension, unknown = facts.dimensions.declared[name], texts.say("dimensions.unknown")
    if dimension.source == AGE:
        return texts.say(
            "dimensions.ages", on=_age_on(facts, texts), classes=age_classes(name, facts, texts), unknown=unknown
        )
    if dimension.source == DELIVERY_TYPE:
        return _delivery_classes(facts, texts)
    return ", ".join([*[texts.value(name, value) for value in dimension.values], unknown])


def age_classes(name: str, facts: Facts, texts: Texts) -> str:
    """The age classes of a dimension, each with its ages unless the label says them."""
    classes = facts.dimensions.classes(name, facts.indicator.population)
    return ", ".join(_age_class(age_class, texts) for age_class in classes)


def _age_class(age_class: AgeClass, texts: Texts) -> str:
    first, last = age_class.from_, age_class.to
    label = plain(age_class.label)
    if age_class.label in (f"{first}-{last}", f"{first}+"):
        return label
    ages = texts.say("dimensions.years", first=first, last=last)
    return f"{label} ({texts.say('dimensions.and_over', first=first) if last is None else ages})"


def _age_on(facts: Facts, texts: Texts) -> str:
    return texts.say("dimensions.age_at_delivery" if facts.of_deliveries else "dimensions.age_at_year_end")


def _delivery_classes(facts: Facts, texts: Texts) -> str:
    types: dict[str, list[str]] = {}
    for name, kind in facts.counted_types.items():
        types.setdefault(kind.dimension, []).append(name)
    said = []
    for dimension, names in types.items():
        title = delivery_class(dimension, facts, texts)
        kinds = [texts.name("delivery_type", name) for name in names]
        holds = texts.say("dimensions.type_holds", **{"class": title, "types": ", ".join(kinds)})
        said.append(title if kinds == [title] else holds)
    return ", ".join(said)


def availability(facts: Facts, texts: Texts) -> str:
    """From which year on, and when a figure is final."""
    settings = facts.settings
    status = texts.say("availability.status", date=end_of_observation(facts, texts))
    if after := [name for name in facts.windows if facts.window(name).last > 0]:
        longest = max(after, key=lambda name: facts.window(name).last)
        key = "window" if longest == POSTNATAL else "window_of_its_own"
        status += f" {texts.say(f'availability.{key}', name=window_name(longest, texts))}"
    said = [texts.say("availability.first_year", year=facts.first_year), status]
    if facts.of_deliveries:
        said.append(texts.say("availability.deliveries_from", days=settings.episode_gap_days))
    if facts.days_before > 0:
        said.append(texts.say("availability.prenatal_from", days=facts.days_before))
    if facts.missing:
        said.append(texts.say("availability.not_computable", lists=texts.or_([code(name) for name in facts.missing])))
    return bullets(said)


def uncertainty(facts: Facts, texts: Texts) -> str:
    """Interval, comparison with the national value, trend: of percentages."""
    if facts.indicator.unit != "percent":
        return texts.say("uncertainty.none")
    return bullets(
        [
            texts.say("uncertainty.interval", z=texts.number(WILSON_Z)),
            texts.say("uncertainty.comparison"),
            texts.say("uncertainty.trend", years=TREND_YEARS, before=TREND_YEARS - 1, p=texts.number(TREND_P)),
            texts.say("uncertainty.where"),
        ]
    )
