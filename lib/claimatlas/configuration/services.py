"""Services: code lists joined with who provided them, and the windows around a delivery.

Source page of the contact groups and their provider rules: cube_007_008a_At.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from pydantic import Field, field_validator, model_validator

from claimatlas.configuration.model import Declaration, KeyMistakeError, Number, Whole, Word
from claimatlas.configuration.providers import KEYS_BEFORE, ProviderRule
from claimatlas.configuration.reserved import is_label
from claimatlas.configuration.settings import Settings


class ContactGroup(Declaration):
    """A group of ambulatory contacts: codes, and the provider who must have given them.

    Without a provider rule any provider counts. Rules that stand together must all be met. where: for an attribute of
    the provider the values that are counted; where_not: those that are not, any other is, a missing one never.
    """

    code_lists: tuple[str, ...] = ()
    code_lists_by_setting: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    where: dict[str, tuple[Word, ...]] = Field(default_factory=dict)
    where_not: dict[str, tuple[Word, ...]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _has_no_former_key(cls, data: Any) -> Any:  # noqa: ANN401 - what stands in a file, before it is checked
        for name in KEYS_BEFORE if isinstance(data, dict) else ():
            if name in data:
                key, attribute = KEYS_BEFORE[name]
                raise KeyMistakeError((name,), f"this key is no more: write {key}: {{{attribute}: [...]}}")
        return data

    @model_validator(mode="after")
    def _has_codes(self) -> ContactGroup:
        if bool(self.code_lists) == bool(self.code_lists_by_setting):
            raise ValueError("give either code_lists or code_lists_by_setting")
        for name in self.code_lists_by_setting:
            if name != "midwife_codes":
                raise ValueError(f"the setting {name!r} does not choose between code lists")
        return self

    @model_validator(mode="after")
    def _names_values(self) -> ContactGroup:
        for key in ("where", "where_not"):
            for attribute, words in getattr(self, key).items():
                if not words:
                    raise KeyMistakeError((key, attribute), "name at least one value")
        return self

    def provider_rules(self, settings: Settings) -> tuple[ProviderRule, ...]:
        """The rules on who provided the service, in the order in which they are declared."""
        return tuple(
            ProviderRule(name, tuple(settings.provider_attributes[name].entry(word) for word in words), is_except)
            for is_except, rules in ((False, self.where), (True, self.where_not))
            for name, words in rules.items()
        )

    def code_lists_for(self, settings: Settings) -> tuple[str, ...]:
        """The code lists that the settings choose."""
        chosen = list(self.code_lists)
        for name, by_value in self.code_lists_by_setting.items():
            chosen += by_value[getattr(settings, name)]
        return tuple(chosen)


class DeliveryFlag(Declaration):
    """A column of ``silver/deliveries``: had the delivery such a service in the window?

    window: the name of one of the settings. least_days: on how many different days there must be such a service.
    """

    contact_groups: tuple[str, ...] = ()
    code_lists: tuple[str, ...] = ()
    window: str
    least_days: Whole = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _has_services(self) -> DeliveryFlag:
        if bool(self.contact_groups) == bool(self.code_lists):
            raise ValueError("give either contact_groups or code_lists")
        return self


class BeneficiaryService(Declaration):
    """A service that is counted per beneficiary and year."""

    code_lists: tuple[str, ...] = Field(min_length=1)


class DeliveryType(Declaration):
    """A kind of delivery line: its codes, its priority on one day, and its value as a dimension."""

    code_list: str
    priority: Number
    dimension: str = Field(min_length=1)

    @field_validator("dimension")
    @classmethod
    def _not_reserved(cls, label: str) -> str:
        if is_label(label):
            raise ValueError(f"the label {label!r} has a meaning of its own in the tables")
        return label


class Services(Declaration):
    """``services.yaml``."""

    contact_groups: dict[str, ContactGroup]
    delivery_flags: dict[str, DeliveryFlag]
    beneficiary_services: dict[str, BeneficiaryService]
    delivery_types: dict[str, DeliveryType] = Field(min_length=1)

    @model_validator(mode="after")
    def _refers_to_what_is_there(self) -> Services:
        for name, flag in self.delivery_flags.items():
            for group in flag.contact_groups:
                if group not in self.contact_groups:
                    raise KeyMistakeError(("delivery_flags", name), f"there is no contact group {group!r}")
        for key in type(self).model_fields:
            for name in getattr(self, key):
                if not name.isidentifier() or name != name.lower():
                    message = f"{name!r} cannot name a column: use lower-case letters, digits and _"
                    raise KeyMistakeError((key, name), message)
        priorities = [kind.priority for kind in self.delivery_types.values()]
        if len(set(priorities)) != len(priorities):
            raise KeyMistakeError(("delivery_types",), "two types have the same priority")
        return self

    def flag_code_lists(self, name: str, settings: Settings) -> list[tuple[str, ...]]:
        """The code lists behind a delivery flag: one tuple for each contact group, or that of its own."""
        flag = self.delivery_flags[name]
        if flag.code_lists:
            return [flag.code_lists]
        return [self.contact_groups[group].code_lists_for(settings) for group in flag.contact_groups]

    def code_lists_by_part(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """The code lists that each part names, by the part's key; two parts may name the same list."""
        named: dict[tuple[str, str], tuple[str, ...]] = {}
        for name, group in self.contact_groups.items():
            by_value = [lists for values in group.code_lists_by_setting.values() for lists in values.values()]
            named["contact_groups", name] = (*group.code_lists, *chain.from_iterable(by_value))
        for name, flag in self.delivery_flags.items():
            named["delivery_flags", name] = tuple(flag.code_lists)
        for name, service in self.beneficiary_services.items():
            named["beneficiary_services", name] = tuple(service.code_lists)
        for name, kind in self.delivery_types.items():
            named["delivery_types", name] = (kind.code_list,)
        return named

    def used_code_lists(self) -> dict[str, tuple[str, str]]:
        """Every code list that is named here, with the last key that names it."""
        return {name: part for part, names in self.code_lists_by_part().items() for name in names}
