"""The settings: every choice that the method marks as a decision."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from claimatlas.configuration.codes import SIX_DIGITS, Codes, Pattern
from claimatlas.configuration.documents import Document, read_value
from claimatlas.configuration.model import LANGUAGE, Declaration, KeyMistakeError, Share, Whole, Word
from claimatlas.configuration.providers import ATTRIBUTES_BEFORE, ProviderAttribute
from claimatlas.configuration.reserved import (
    NAME_OF_PLACE,
    OF_A_LEVEL,
    OF_AN_ATTRIBUTE,
    STARTS_OF_COUNTS,
    STARTS_OF_SUMS,
    is_label,
)
from claimatlas.errors import InputError

POSTNATAL, PRENATAL = "postnatal", "prenatal"
"""The windows that have a setting of their own, in which both count their days upwards from the delivery."""
SECTOR = "sector"
"""The geographic level below the level of the domicile."""
OTHER_TABLES = ("comparisons", "releases", "runs")
"""The tables of gold that hold no cells of one population."""
HOSPITAL = "hospital"
"""The level of hospitals, which are not parts of larger places."""


class PostnatalWindow(Declaration):
    """Days after the delivery date; both ends are included."""

    first_day: Whole = Field(ge=0)
    last_day: Whole

    @model_validator(mode="after")
    def _in_order(self) -> PostnatalWindow:
        if self.last_day < self.first_day:
            raise ValueError("last_day must not be before first_day")
        return self


class PrenatalWindow(Declaration):
    """Days before the delivery date, from the day farthest away to the nearest; both are included."""

    first_day: Whole
    last_day: Whole = Field(ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> PrenatalWindow:
        if self.first_day < self.last_day:
            raise ValueError("first_day is the day farthest before the delivery: it must not be below last_day")
        return self


class Window(Declaration):
    """Days relative to the delivery date, which is day 0: days before it are negative. Both ends are included."""

    first_day: Whole
    last_day: Whole

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.last_day < self.first_day:
            raise ValueError("last_day must not be before first_day; days before the delivery are negative")
        return self


MemberOn = Literal["last_day_of_year", "any_day", "whole_year"]


class PopulationSettings(Declaration):
    """How the population is given: a row per person and year, or a row per person and span of enrolment.

    member_on: of spans, when a person is a member of a year: enrolled on its last day, on any, or on every day.
    """

    given_as: Literal["person_years", "spans"] = "person_years"
    member_on: MemberOn | None = None

    @model_validator(mode="after")
    def _says_who_is_a_member(self) -> PopulationSettings:
        if self.are_spans != (self.member_on is not None):
            raise KeyMistakeError(("member_on",), "spans need it, and person_years say it themselves")
        return self

    @property
    def are_spans(self) -> bool:
        """Whether a row is a span of enrolment."""
        return self.given_as == "spans"


class AgeClass(Declaration):
    """A class of ages in completed years; both ends are included, no ``to`` means open."""

    label: str = Field(min_length=1)
    from_: Whole = Field(alias="from", ge=0)
    to: Whole | None = None

    @field_validator("label")
    @classmethod
    def _not_reserved(cls, label: str) -> str:
        if is_label(label):
            raise ValueError(f"the label {label!r} has a meaning of its own in the tables")
        return label


class AgeCategories(Declaration):
    """The age classes of each population."""

    deliveries: tuple[AgeClass, ...]
    beneficiaries: tuple[AgeClass, ...]

    @field_validator("deliveries", "beneficiaries")
    @classmethod
    def _cover_every_age(cls, classes: tuple[AgeClass, ...]) -> tuple[AgeClass, ...]:
        expected = 0
        for position, age_class in enumerate(classes):
            last = position == len(classes) - 1
            if age_class.from_ != expected:
                raise ValueError(f"class {age_class.label!r} must start at {expected}: classes follow each other")
            if (age_class.to is None) != last:
                raise ValueError(f"class {age_class.label!r}: the last class, and no other, has no end")
            if age_class.to is not None:
                if age_class.to < age_class.from_:
                    raise ValueError(f"class {age_class.label!r} ends before it starts")
                expected = age_class.to + 1
        if not classes:
            raise ValueError("there must be at least one class")
        if len({age_class.label for age_class in classes}) != len(classes):
            raise ValueError("a label stands twice")
        return classes


class AgeRange(Declaration):
    """Ages in completed years, both ends included."""

    from_: Whole = Field(alias="from")
    to: Whole


class GeographySettings(Declaration):
    """The levels of place, and what is known of the sectors below them."""

    levels: tuple[str, ...] = Field(min_length=1)
    sector_first_year: Whole
    sector_pattern: Pattern
    sector_table: str | None

    @field_validator("levels")
    @classmethod
    def _names(cls, levels: tuple[str, ...]) -> tuple[str, ...]:
        for level in levels:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", level) or level in {SECTOR, HOSPITAL}:
                raise ValueError(f"{level!r} cannot name a level")
            if level in OF_A_LEVEL:
                raise ValueError(
                    f"{level!r} cannot name a level: a table has a column, or a dimension a value, called so"
                )
            if level.startswith(NAME_OF_PLACE):
                raise ValueError(f"{level!r} cannot name a level: the columns of names of places begin so")
        # The level of the domicile is a column beside counts.
        if levels[-1:] and levels[-1].startswith((*STARTS_OF_COUNTS, *STARTS_OF_SUMS)):
            raise ValueError(f"{levels[-1]!r} cannot name a level: columns of the computation begin so")
        if len(set(levels)) != len(levels):
            raise ValueError("a level stands twice")
        return levels

    @property
    def domicile_level(self) -> str:
        """The level that a domicile is given in: the smallest but the sector."""
        return self.levels[-1]

    @property
    def country_level(self) -> str:
        """The largest level: the only one that counts a person of unknown domicile."""
        return self.levels[0]


class ShareBounds(Declaration):
    """Two bounds of a share: above ``note`` a run says so in its summary, above ``stop`` it publishes nothing."""

    note: Share = Field(default=0.0, ge=0, le=1)
    stop: Share = Field(ge=0, le=1)


class InputChecks(Declaration):
    """The bounds of odd input that is accepted; they change no figure.

    A share is beyond ``stop`` when the lower end of its 95 % interval is: chance moves the share of a few.
    least_counted: with fewer people or rows a share is noted and stops nothing.
    """

    least_counted: Whole = Field(default=20, ge=1)
    files_not_read: ShareBounds = ShareBounds(stop=0.05)
    rows_without_provider: ShareBounds = ShareBounds(stop=0.05)
    null_text_as_person: ShareBounds = ShareBounds(stop=0.05)
    midnight_elsewhere: ShareBounds = ShareBounds(stop=1.0)
    rejected_together: ShareBounds = ShareBounds(stop=0.05)
    people_in_no_population: ShareBounds = ShareBounds(stop=0.05)
    lines_in_no_population: ShareBounds = ShareBounds(stop=0.15)
    people_not_in_population: ShareBounds = ShareBounds(stop=0.25)
    people_with_service_not_in_population: ShareBounds = ShareBounds(stop=0.1)
    mothers_not_in_population: ShareBounds = ShareBounds(stop=0.25)
    people_with_stay_not_in_population: ShareBounds = ShareBounds(stop=0.25)
    people_spelled_twice: ShareBounds = ShareBounds(stop=0.05)
    hospitals_spelled_twice: ShareBounds = ShareBounds(stop=0.5)
    contacts_without_provider: ShareBounds = ShareBounds(stop=1.0)
    unknown_value: ShareBounds = ShareBounds(note=0.02, stop=1.0)
    implausible_quantity: ShareBounds = ShareBounds(stop=0.05)
    place_does_not_exist: ShareBounds = ShareBounds(stop=0.5)
    sector_does_not_exist: ShareBounds = ShareBounds(stop=1.0)
    unknown_sex_word: ShareBounds = ShareBounds(stop=1.0)
    implausible_age: ShareBounds = ShareBounds(stop=0.5)
    mother_of_implausible_age: ShareBounds = ShareBounds(stop=0.5)
    mother_who_is_a_man: ShareBounds = ShareBounds(stop=0.9)
    negative_lines_without_match: ShareBounds = ShareBounds(stop=0.5)
    year_without_claims: ShareBounds = ShareBounds(stop=0.0)
    longest_gap_days: Whole = Field(default=366, ge=1)
    stray_share: Share = Field(default=0.01, ge=0, le=1)


class CellTables(Declaration):
    """The names of the tables of gold that hold the cells, one for each population.

    They go into an output when it is made; from then on it has them.
    """

    beneficiary_years: str = Field(default="beneficiary_years", pattern="^[a-z][a-z0-9_]*$")
    deliveries: str = Field(default="deliveries", pattern="^[a-z][a-z0-9_]*$")

    @model_validator(mode="after")
    def _are_free(self) -> CellTables:
        for key, name in (("beneficiary_years", self.beneficiary_years), ("deliveries", self.deliveries)):
            if name in OTHER_TABLES:
                raise KeyMistakeError((key,), f"gold has another table {name}")
        if self.beneficiary_years == self.deliveries:
            raise KeyMistakeError(("deliveries",), "both populations have the same table")
        return self


class Checks(Declaration):
    """The bounds of ``claimatlas check``; they change no figure. Shares are of 1.

    A configuration from before there were checks, as that of an earlier run, has these.
    """

    least_share_of_month: Share = Field(default=0.8, ge=0)
    least_lines_of_month: Whole = Field(default=500, ge=1)
    months_until_settled: Whole = Field(default=3, ge=0)
    largest_drift_between_years: Share = Field(default=0.15, ge=0)
    largest_drift_between_runs: Share = Field(default=0.05, ge=0)
    least_denominator_of_jump: Whole = Field(default=1000, ge=0)
    largest_unknown_domicile: Share = Field(default=0.02, ge=0, le=1)
    largest_share_after_12_months: Share = Field(default=0.05, ge=0, le=1)
    input: InputChecks = InputChecks()


class Settings(Declaration):
    """``settings.yaml``: see the comments there for what each one does.

    A configuration from before there were languages, as that of an earlier run, has the three of that time; one from
    before codes and attributes of providers were declared has those of six digits, and a profession and a competence.
    """

    languages: tuple[Annotated[str, Field(pattern=f"^{LANGUAGE}$")], ...] = Field(
        default=("fr", "nl", "en"), min_length=1
    )
    episode_gap_days: Whole = Field(ge=0)
    episode_rule: Literal["chained", "anchored"]
    episode_type: Literal["first", "highest_priority"]
    implausible_interval_days: Whole = Field(ge=0)
    postnatal_window: PostnatalWindow | None = None
    prenatal_window: PrenatalWindow | None = None
    windows: dict[str, Window] = Field(default_factory=dict)
    population: PopulationSettings = PopulationSettings()
    codes: Codes = SIX_DIGITS
    provider_attributes: dict[str, ProviderAttribute] = Field(default_factory=lambda: dict(ATTRIBUTES_BEFORE))
    midwife_codes: Literal["source", "source_and_postnatal"] = "source"
    age_categories: AgeCategories
    plausible_age_at_delivery: AgeRange
    plausible_age: AgeRange = AgeRange.model_validate({"from": 0, "to": 110})
    plausible_quantity: Whole = Field(default=9, ge=1)
    tables: CellTables | None = None
    geography: GeographySettings
    mapping: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    first_reference_year: Whole
    first_service_date: date
    first_plausible_date: date = date(1901, 1, 1)
    time_zone: str | None = None
    null_texts: tuple[Word, ...] = ()
    date_sentinels: dict[date, Literal["open", "unknown"]] = Field(default_factory=dict)
    max_rejected_share: Share = Field(ge=0, le=1)
    checks: Checks = Checks()

    @model_validator(mode="after")
    def _name_windows(self) -> Settings:
        for name in self.windows:
            if not re.fullmatch("[a-z][a-z0-9_]*", name):
                message = f"{name!r} cannot name a window: use lower-case letters, digits and _"
                raise KeyMistakeError(("windows", name), message)
            if name in (POSTNATAL, PRENATAL):
                raise KeyMistakeError(("windows", name), f"this window is the setting {name}_window")
        return self

    @field_validator("provider_attributes")
    @classmethod
    def _name_columns(cls, attributes: dict[str, ProviderAttribute]) -> dict[str, ProviderAttribute]:
        for name in attributes:
            if not re.fullmatch("[a-z][a-z0-9_]*", name):
                raise KeyMistakeError((name,), f"{name!r} cannot name a column: use lower-case letters, digits and _")
            if name in OF_AN_ATTRIBUTE:
                raise KeyMistakeError((name,), f"the name {name!r} cannot be used: a table has a column called so")
        return attributes

    @property
    def all_windows(self) -> dict[str, Window]:
        """Every declared window by its name, ``postnatal`` and ``prenatal`` too, in days relative to the delivery."""
        windows = {}
        if self.postnatal_window is not None:
            first, last = self.postnatal_window.first_day, self.postnatal_window.last_day
            windows[POSTNATAL] = Window(first_day=first, last_day=last)
        if self.prenatal_window is not None:
            first, last = -self.prenatal_window.first_day, -self.prenatal_window.last_day
            windows[PRENATAL] = Window(first_day=first, last_day=last)
        return windows | self.windows

    @property
    def main_language(self) -> str:
        """The language of titles within messages, which are in English: English if it is declared, else the first."""
        return "en" if "en" in self.languages else self.languages[0]

    @field_validator("languages")
    @classmethod
    def _once(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(languages)) != len(languages):
            raise ValueError("a language stands twice")
        return languages

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str | None) -> str | None:
        if name is None:
            return None
        try:
            ZoneInfo(name)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError(f"{name[:40]!r} is not a time zone such as Europe/Brussels") from None
        return name


def override(document: Document, assignments: Sequence[str]) -> Document:
    """The settings document with ``NAME=VALUE`` assignments put over it.

    A name is a dotted path of a key that is there; a value is read as YAML.

    Raises:
        InputError: not of the form NAME=VALUE, an unknown name, or a value that cannot be read.
    """
    data = copy.deepcopy(document.data)
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        keys = name.strip().split(".")
        if not separator:
            raise InputError(f"--set {assignment}: expected NAME=VALUE.")
        target: Any = data
        for key in keys[:-1]:
            target = target.get(key) if isinstance(target, dict) else None
        if not isinstance(target, dict) or keys[-1] not in target:
            raise InputError(f"--set {name.strip()}: there is no setting of this name in {document.name}.")
        target[keys[-1]] = read_value(text, f"--set {name.strip()}")
    return Document(document.name, data, document.lines)
