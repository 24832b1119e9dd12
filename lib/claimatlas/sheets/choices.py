"""Section of a sheet on choices: the choices that bear on the indicator."""

from __future__ import annotations

from collections.abc import Iterator

from claimatlas.configuration.dimensions import AGE, FILE
from claimatlas.configuration.settings import POSTNATAL, PRENATAL
from claimatlas.sheets.counting import window_name
from claimatlas.sheets.facts import Facts
from claimatlas.sheets.markdown import blocks, code, table
from claimatlas.sheets.publishing import age_classes
from claimatlas.sheets.texts import Texts

Row = tuple[str, str, str]
"""The choice in words, the setting that holds it, and its value."""


def choices(facts: Facts, texts: Texts) -> str:
    """The choices that bear on the indicator, each with its setting and the value in force."""
    header = [texts.say(f"choices.{column}") for column in ("choice", "setting", "value")]
    rows = [
        *_of_definition(facts, texts),
        *_of_corrections(texts),
        *_of_deliveries(facts, texts),
        *_of_windows(facts, texts),
        *_of_lists(facts, texts),
        *_of_ages(facts, texts),
    ]
    intro = "intro" if facts.indicator.source_page else "intro_of_its_own"
    return blocks([texts.say(f"choices.{intro}"), table(header, rows)])


def _of_definition(facts: Facts, texts: Texts) -> Iterator[Row]:
    if not facts.indicator.source_page or facts.is_on_its_own_page:
        return
    indicator = facts.indicator
    numerator = indicator.numerator.model_dump(exclude_none=True, mode="json")
    value = "; ".join(f"{key}: {_in_yaml(found)}" for key, found in numerator.items())
    setting = f"{code(f'indicators/{indicator.id}.yaml')}: {code('numerator')}, {code('unit')}"
    yield texts.say("choices.definition"), setting, f"{code(value)}, {code(indicator.unit)}"


def _in_yaml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return "true" if value is True else str(value)


def _of_corrections(texts: Texts) -> Iterator[Row]:
    yield texts.say("choices.corrections"), texts.say("choices.fixed"), texts.say("choices.corrections_value")


def _of_deliveries(facts: Facts, texts: Texts) -> Iterator[Row]:
    if not facts.of_deliveries:
        return
    settings = facts.settings
    gap = texts.say("choices.days", days=settings.episode_gap_days)
    yield texts.say("choices.gap"), code("episode_gap_days"), gap
    yield texts.say("choices.rule"), code("episode_rule"), code(settings.episode_rule)
    yield texts.say("choices.episode_type"), code("episode_type"), code(settings.episode_type)
    yield texts.say("choices.ties"), texts.say("choices.fixed"), texts.say("choices.ties_value")


def _of_windows(facts: Facts, texts: Texts) -> Iterator[Row]:
    for name in facts.windows:
        span = facts.window(name)
        if name in (POSTNATAL, PRENATAL):
            value = texts.say("choices.window_value", **span.days)
            yield texts.say(f"choices.{name}"), code(f"{name}_window"), value
        else:
            value = texts.say("choices.window_value", first=span.first, last=span.last)
            yield texts.say("choices.window", name=window_name(name, texts)), code(f"windows.{name}"), value


def _of_lists(facts: Facts, texts: Texts) -> Iterator[Row]:
    """The settings that choose between code lists, each with its other values."""
    for name, group in facts.groups.items():
        for setting, by_value in group.code_lists_by_setting.items():
            chosen = getattr(facts.settings, setting)
            said = [
                texts.say(
                    "choices.lists_value" if value == chosen else "choices.lists_other",
                    value=code(value),
                    lists=", ".join(map(code, lists)),
                )
                for value, lists in sorted(by_value.items(), key=lambda item: item[0] != chosen)
            ]
            key = f"choices.lists.{setting}"
            key = key if key in texts.by_key else "choices.lists_by_setting"
            choice = texts.say(key, group=texts.name("group_with", name))
            yield choice, code(setting), " ".join(said)


def _of_ages(facts: Facts, texts: Texts) -> Iterator[Row]:
    setting = "age_categories.deliveries" if facts.of_deliveries else "age_categories.beneficiaries"
    for name in facts.indicator.dimensions:
        dimension = facts.dimensions.declared[name]
        if dimension.source == AGE:
            key = setting if dimension.classes is None else f"{FILE}: {name}.classes"
            yield texts.say("choices.ages"), code(key), age_classes(name, facts, texts)
