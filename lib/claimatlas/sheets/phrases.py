"""The phrases of a sheet that are put together from several texts; the sheet itself is ``templates/sheet.md.j2``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from claimatlas.configuration.codelists import CodeListRow
from claimatlas.configuration.dimensions import AGE, DELIVERY_TYPE, FILE
from claimatlas.configuration.indicators import Denominator
from claimatlas.configuration.services import ContactGroup, DeliveryFlag
from claimatlas.configuration.settings import HOSPITAL, POSTNATAL, PRENATAL, SECTOR, AgeClass
from claimatlas.sheets.facts import COMMON_YEAR, YEARS, Facts, UsedList
from claimatlas.sheets.markdown import code, plain
from claimatlas.sheets.texts import Texts


@dataclass(frozen=True)
class Phrases:
    """The phrases of one indicator in one language; each is Markdown."""

    facts: Facts
    texts: Texts

    def unit(self) -> str:
        """The unit in words."""
        kind, of = self.facts.indicator.unit, self.facts.indicator.population
        unit = self.texts.say(f"unit.count.{of}" if kind == "count" else f"unit.{kind}", members=self.members())
        return unit if self.facts.standard is None else self.texts.say("standardised.unit", unit=unit)

    def members(self) -> str:
        """What the population is made of, in the plural."""
        return self.texts.say(f"members.{self.facts.indicator.population}")

    def smallest_level(self) -> str:
        """The level with the smallest places."""
        level = self.texts.name("level", self.facts.smallest_level)
        if self.facts.smallest_level != SECTOR:
            return level
        year = self.facts.settings.geography.sector_first_year
        return self.texts.say("brief.sector_from", level=level, year=year)

    def remark_on_level(self, level: str) -> str:
        """What a reader must know of a level."""
        geography, texts = self.facts.settings.geography, self.texts
        remarks = {
            geography.country_level: texts.say("levels.country"),
            SECTOR: texts.say("levels.sector", year=geography.sector_first_year),
            HOSPITAL: texts.say("levels.hospital"),
        }
        return remarks.get(level, texts.say("nothing"))

    def computable(self) -> str:
        """Whether the indicator can be computed."""
        if self.facts.missing:
            return self.texts.say("brief.no", lists=", ".join(map(code, self.facts.missing)))
        return self.texts.say("brief.with_stays" if self.facts.indicator.needs_stays else "brief.yes")

    # --- Numerator and denominator ---

    def numerator(self) -> str:
        """What is counted."""
        numerator, texts = self.facts.indicator.numerator, self.texts
        (kind,) = numerator.model_dump(exclude_none=True)
        # Each kind has a sentence of its own, which takes from these what it needs.
        return texts.say(
            f"numerator.{kind}",
            members=self.members(),
            items=self._items(),
            types=texts.or_([texts.name("delivery_type", name) for name in numerator.delivery_types or ()]),
            service=texts.quoted("service", numerator.service or ""),
        )

    def numerator_as_declared(self) -> str:
        """The numerator as its declaration has it."""
        numerator = self.facts.indicator.numerator.model_dump(exclude_none=True, mode="json")
        return "; ".join(f"{key}: {_in_yaml(found)}" for key, found in numerator.items())

    def denominator(self) -> str:
        """Among whom it is counted."""
        facts, texts = self.facts, self.texts
        text = texts.say(f"denominator.{facts.indicator.population}")
        if facts.is_restricted_to_types:
            types = texts.or_([texts.name("delivery_type", name) for name in facts.counted_types])
            text = texts.say("denominator.of_types", types=types)
        if facts.indicator.needs_stays:
            text = texts.say("denominator.with_stay", deliveries=text)
        if facts.is_restricted_to_members:
            text = texts.say("denominator.restricted", members=text, restrictions=self.restrictions())
        return text

    def restrictions(self) -> str:
        """What the denominator asks of a member, except for a delivery type and a stay."""
        own, texts = self.facts.indicator.denominator or Denominator(), self.texts
        said = []
        if own.ages is not None:
            key = "ages_on" if own.ages.to is None else "ages"
            said.append(texts.say(f"restriction.{key}", first=own.ages.from_, last=own.ages.to))
        if own.sexes:
            said.append(texts.or_([texts.say(f"restriction.{sex}") for sex in sorted(set(own.sexes))]))
        for key, flag in (("with_flag", own.with_flag), ("without_flag", own.without_flag)):
            said += [texts.say(f"restriction.{key}", flag=texts.name("flag", flag))] if flag else []
        if own.enrolled is not None:
            days = {"before": own.enrolled.days_before, "after": own.enrolled.days_after}
            said.append(texts.say("restriction.enrolled", **days))
        return texts.and_(said)

    def _items(self) -> str:
        """The flags of the numerator: contacts in one window are told together."""
        facts, texts = self.facts, self.texts
        quantity = "none" if facts.indicator.numerator.without_any else "any"
        items = []
        for window in dict.fromkeys(flag.window for flag in facts.flags_of_numerator):
            flags = [flag for flag in facts.flags_of_numerator if flag.window == window]
            phrase = texts.say(f"window.phrase.{facts.window(window).side}", **facts.window(window).days)
            groups = dict.fromkeys(group for flag in flags if flag.least_days == 1 for group in flag.contact_groups)
            if groups:
                names = texts.or_([texts.name("group_with", group) for group in groups])
                items.append(texts.say(f"item.{quantity}.contact", groups=names, window=phrase))
            lists = dict.fromkeys(name for flag in flags if flag.least_days == 1 for name in flag.code_lists)
            if lists:
                names = texts.or_([texts.quoted("list_title", name) for name in lists])
                items.append(texts.say(f"item.{quantity}.service", lists=names, window=phrase))
            # The days of two such flags are not added up: each is told by itself.
            items += [self._of_several_days(flag, quantity, phrase) for flag in flags if flag.least_days > 1]
        return texts.nor(items) if quantity == "none" else texts.or_(items)

    def _of_several_days(self, flag: DeliveryFlag, quantity: str, phrase: str) -> str:
        texts = self.texts
        if flag.contact_groups:
            groups = texts.or_([texts.name("group_with", group) for group in flag.contact_groups])
            return texts.say(f"item.{quantity}.contact_days", groups=groups, window=phrase, days=flag.least_days)
        lists = texts.or_([texts.quoted("list_title", name) for name in flag.code_lists])
        return texts.say(f"item.{quantity}.service_days", lists=lists, window=phrase, days=flag.least_days)

    def provider(self, group: ContactGroup) -> str:
        """Who must have given a contact of a group."""
        rules = [
            self.texts.say(
                "provider.where_not" if rule.is_except else "provider.where",
                attribute=self.texts.name("provider", rule.attribute),
                codes=", ".join(plain(entry.written) for entry in rule.entries),
            )
            for rule in group.provider_rules(self.facts.settings)
        ]
        return self.texts.say("provider.both").join(rules) or self.texts.say("provider.any")

    # --- Windows and days ---

    def window(self, name: str) -> str:
        """From which day to which day of the delivery a window is, with both bounds explained."""
        span, texts = self.facts.window(name), self.texts
        day_zero = texts.say("window.day_zero_in" if span.first <= 0 <= span.last else "window.day_zero_out")
        end = self._day_after_the_year(tuple(date(year, 12, 31) + timedelta(span.last) for year in YEARS))
        title = self.window_name(name)
        return texts.say(f"window.{span.side}", name=title, day_zero=day_zero, end=end, **span.days)

    def window_name(self, window: str) -> str:
        """What a window is called as a heading."""
        key = f"window.name.{window}"
        if key in self.texts.by_key:
            return self.texts.say(key)
        return self.texts.say("window.name_of_its_own", name=code(window))

    def window_that_ends_last(self) -> str:
        """The window that says until when claims are observed, as a sentence after a space; empty without any."""
        facts = self.facts
        after = [name for name in facts.windows if facts.window(name).last > 0]
        if not after:
            return ""
        longest = max(after, key=lambda name: facts.window(name).last)
        key = "window" if longest == POSTNATAL else "window_of_its_own"
        return " " + self.texts.say(f"availability.{key}", name=self.window_name(longest))

    def end_of_observation(self) -> str:
        """The last day that is observed, counted from the reference year."""
        return self._day_after_the_year(self.facts.observed_until)

    def _day_after_the_year(self, days: tuple[date, ...]) -> str:
        """A day in words, from what it is for each of ``YEARS``."""
        texts = self.texts
        common, leap = (texts.day_and_month(day) for day in days)
        years = days[0].year - COMMON_YEAR
        key = {0: "same_year", 1: "next_year"}.get(years, "later")
        text = texts.say(f"date.{key}", day=common, years=years)
        return text if common == leap else texts.say("date.in_leap_year", date=text, leap=leap)

    # --- Dimensions ---

    def classes(self, dimension: str) -> str:
        """The classes of a dimension."""
        texts, unknown = self.texts, self.texts.say("dimensions.unknown")
        declared = self.facts.dimensions.declared[dimension]
        if declared.source == AGE:
            on = texts.say("dimensions.age_at_delivery" if self.facts.of_deliveries else "dimensions.age_at_year_end")
            return texts.say("dimensions.ages", on=on, classes=self.age_classes(dimension), unknown=unknown)
        if declared.source == DELIVERY_TYPE:
            return self._delivery_classes()
        return ", ".join([*[texts.value(dimension, value) for value in declared.values], unknown])

    def dimensions_of_lines(self) -> list[str]:
        """The dimensions of the indicator that split its services: columns of the claim lines."""
        return [name for name in self.facts.indicator.dimensions if name in self.facts.dimensions.of_lines]

    def age_classes(self, dimension: str) -> str:
        """The age classes of a dimension, each with its ages unless the label says them."""
        classes = self.facts.dimensions.classes(dimension, self.facts.indicator.population)
        return ", ".join(self._age_class(age_class) for age_class in classes)

    def _age_class(self, age_class: AgeClass) -> str:
        first, last = age_class.from_, age_class.to
        label = plain(age_class.label)
        if age_class.label in (f"{first}-{last}", f"{first}+"):
            return label
        ages = self.texts.say("dimensions.years", first=first, last=last)
        return f"{label} ({self.texts.say('dimensions.and_over', first=first) if last is None else ages})"

    def delivery_class(self, value: str) -> str:
        """What a class of delivery types is called; as it is declared where the types are no dimension."""
        name = self.facts.dimensions.of_delivery_type
        return self.texts.value(name, value) if name else code(value)

    def _delivery_classes(self) -> str:
        texts = self.texts
        types: dict[str, list[str]] = {}
        for name, kind in self.facts.counted_types.items():
            types.setdefault(kind.dimension, []).append(texts.name("delivery_type", name))
        said = []
        for dimension, kinds in types.items():
            title = self.delivery_class(dimension)
            holds = texts.say("dimensions.type_holds", **{"class": title, "types": ", ".join(kinds)})
            said.append(title if kinds == [title] else holds)
        return ", ".join(said)

    # --- Standard population ---

    def scale(self) -> str:
        """The number of people that a rate is told for."""
        return self.texts.grouped(self.facts.indicator.scale)

    def standard_name(self) -> str:
        """What the standard population is called; empty without one."""
        standard = self.facts.standard
        return "" if standard is None else self.texts.say("quoted", text=plain(standard.names.of(self.texts.language)))

    def strata(self) -> list[tuple[str, str]]:
        """Each stratum with its weight, in the order of the file."""
        standard = self.facts.standard
        if standard is None:
            return []
        classes = self.facts.dimensions.classes(standard.dimension, self.facts.indicator.population)
        ages = {one.label: self._age_class(one) for one in classes}
        return [
            (ages.get(value) or self.texts.value(standard.dimension, value), self.texts.number(str(weight)))
            for value, weight in standard.weights.items()
        ]

    # --- Choices: what was chosen, the setting that holds it, its value ---

    def choice_of_window(self, name: str) -> tuple[str, str, str]:
        """The days of a window."""
        span, texts = self.facts.window(name), self.texts
        if name in (POSTNATAL, PRENATAL):
            value = texts.say("choices.window_value", **span.days)
            return texts.say(f"choices.{name}"), code(f"{name}_window"), value
        value = texts.say("choices.window_value", first=span.first, last=span.last)
        return texts.say("choices.window", name=self.window_name(name)), code(f"windows.{name}"), value

    def choices_of_lists(self) -> Iterator[tuple[str, str, str]]:
        """The settings that choose between code lists, each with its other values."""
        texts = self.texts
        for name, group in self.facts.groups.items():
            for setting, by_value in group.code_lists_by_setting.items():
                chosen = getattr(self.facts.settings, setting)
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
                yield texts.say(key, group=texts.name("group_with", name)), code(setting), " ".join(said)

    def choices_of_ages(self) -> Iterator[tuple[str, str, str]]:
        """The age classes of each dimension of ages, and where they are declared."""
        setting = "age_categories.deliveries" if self.facts.of_deliveries else "age_categories.beneficiaries"
        for name in self.facts.indicator.dimensions:
            dimension = self.facts.dimensions.declared[name]
            if dimension.source == AGE:
                key = setting if dimension.classes is None else f"{FILE}: {name}.classes"
                yield self.texts.say("choices.ages"), code(key), self.age_classes(name)

    # --- Code lists ---

    def uses(self, used: UsedList) -> str:
        """What a code list is used for."""
        texts = self.texts
        return ", ".join(texts.say(f"lists.use.{kind}", name=texts.name(kind, name)) for kind, name in used.used_by)

    def written_code(self, row: CodeListRow) -> str:
        """A code as its list writes it, with its code system where there is one."""
        return plain(row.written if row.system is None else f"{row.written} ({row.system})")

    def label(self, row: CodeListRow) -> str:
        """A code's label in the sheet's language, else in another one with its name, else a dash."""
        texts = self.texts
        if texts.language in row.labels:
            return plain(row.labels[texts.language])
        for language in dict.fromkeys((*self.facts.settings.languages, *row.labels)):
            if language in row.labels:
                return texts.say("lists.other_language", label=plain(row.labels[language]), language=language)
        return texts.say("nothing")


def _in_yaml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return "true" if value is True else str(value)
