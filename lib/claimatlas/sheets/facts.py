"""The facts of a sheet, gathered from the configuration that is computed, independent of language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from claimatlas.cells.status import missing_code_lists, observes_until
from claimatlas.configuration import Configuration
from claimatlas.configuration.codelists import STATUSES, CodeList
from claimatlas.configuration.dimensions import Dimensions
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.services import ContactGroup, DeliveryFlag, DeliveryType
from claimatlas.configuration.settings import HOSPITAL, SECTOR, Settings
from claimatlas.configuration.standards import Standard
from claimatlas.conventions import Z

WILSON_Z = repr(Z)
"""The quantile of the published intervals."""
TREND_P = "0.05"
"""A trend over ``TREND_YEARS`` is reported when its p-value is below this, as in ``comparisons/trend.py``."""

COMMON_YEAR, YEAR_BEFORE_A_LEAP_YEAR = 2022, 2023
YEARS = (COMMON_YEAR, YEAR_BEFORE_A_LEAP_YEAR)
"""Two years whose following years differ in having a 29 February."""


@dataclass(frozen=True)
class UsedList:
    """A code list that the indicator reads: what for, and the hash of its file."""

    codes: CodeList
    used_by: tuple[tuple[str, str], ...]
    """(kind, name): a ``delivery_type``, a contact ``group``, a ``flag`` or a ``service``."""
    sha256: str


@dataclass(frozen=True)
class Span:
    """First and last day of a window, relative to the delivery."""

    first: int
    last: int

    @property
    def side(self) -> str:
        """Where it lies: ``after`` the delivery (the day itself included), ``before`` it, or ``across`` it."""
        if self.first >= 0:
            return "after"
        return "before" if self.last <= 0 else "across"

    @property
    def days(self) -> dict[str, int]:
        """Its first and last day as in a sentence: numbers without a sign, as the side gives the direction."""
        return {"first": abs(self.first), "last": abs(self.last)}


@dataclass(frozen=True)
class Facts:
    """One indicator with every part of the configuration that affects it."""

    indicator: Indicator
    settings: Settings
    dimensions: Dimensions
    delivery_types: dict[str, DeliveryType]
    """In the order of their priority."""
    flags: dict[str, DeliveryFlag]
    """Those of the numerator, then those that restrict the denominator."""
    groups: dict[str, ContactGroup]
    lists_of_group: dict[str, tuple[str, ...]]
    code_lists: tuple[UsedList, ...]
    missing: tuple[str, ...]
    """The empty code lists that make it impossible to compute."""
    related: tuple[Indicator, ...]
    observed_until: tuple[date, date]
    """For a delivery year followed by a common and by a leap year."""
    standard: Standard | None = None
    """The population that it is standardised to."""

    @property
    def of_deliveries(self) -> bool:
        """Whether deliveries are counted; else beneficiary-years."""
        return self.indicator.population == "deliveries"

    @property
    def flags_of_numerator(self) -> tuple[DeliveryFlag, ...]:
        """The flags that the numerator reads."""
        return tuple(self.flags[name] for name in self.indicator.numerator.flags)

    @property
    def windows(self) -> tuple[str, ...]:
        """The windows that its flags look into."""
        return tuple(dict.fromkeys(flag.window for flag in self.flags.values()))

    def window(self, name: str) -> Span:
        """A window by its name."""
        days = self.settings.all_windows[name]
        return Span(days.first_day, days.last_day)

    @property
    def days_before(self) -> int:
        """How many days before a delivery its windows reach."""
        return max((-self.window(name).first for name in self.windows), default=0)

    @property
    def is_restricted_to_types(self) -> bool:
        """Whether the denominator has some types of deliveries only."""
        return self.indicator.denominator is not None and bool(self.indicator.denominator.delivery_types)

    @property
    def is_restricted_to_members(self) -> bool:
        """Whether the denominator asks more of its members than a delivery type and a known stay."""
        return self.indicator.denominator is not None and self.indicator.denominator.restriction is not None

    @property
    def counted_types(self) -> dict[str, DeliveryType]:
        """The delivery types that are in the denominator."""
        denominator = self.indicator.denominator
        chosen = denominator.delivery_types if denominator else ()
        return {name: kind for name, kind in self.delivery_types.items() if not chosen or name in chosen}

    @property
    def asks_for_provider(self) -> bool:
        """Whether a contact group of its asks who gave the contact."""
        return any(group.where or group.where_not for group in self.groups.values())

    @property
    def statuses_of_codes(self) -> tuple[str, ...]:
        """The statuses that its codes have, the surest first."""
        present = {row.status for used in self.code_lists for row in used.codes.rows}
        return tuple(status for status in STATUSES if status in present)

    @property
    def lists_of_any_provider(self) -> tuple[str, ...]:
        """The code lists of its services that ask for no provider: all but deliveries and contacts."""
        return tuple(
            used.codes.name for used in self.code_lists if any(kind in ("flag", "service") for kind, _ in used.used_by)
        )

    @property
    def levels_of_domicile(self) -> tuple[str, ...]:
        """Its levels that are found through a domicile: neither the country nor the hospital."""
        country = self.settings.geography.country_level
        return tuple(level for level in self.indicator.levels if level not in (country, HOSPITAL))

    @property
    def smallest_level(self) -> str:
        """The level with the smallest places."""
        return self._smallest_of(self.indicator.levels)

    @property
    def smallest_level_before_sectors(self) -> str:
        """The same for the years before there are sectors."""
        return self._smallest_of(tuple(level for level in self.indicator.levels if level != SECTOR))

    def _smallest_of(self, levels: tuple[str, ...]) -> str:
        order = (*self.settings.geography.levels, SECTOR, HOSPITAL)
        return max(levels, key=order.index)

    @property
    def first_year(self) -> int:
        """The first year that can be computed."""
        return max(self.indicator.first_year, self.settings.first_reference_year)

    @property
    def is_on_its_own_page(self) -> bool:
        """Whether the source page is about this very indicator: its name then holds the indicator's id."""
        return self.indicator.id in self.indicator.source_page


def gather(indicator: Indicator, configuration: Configuration) -> Facts:
    """Gather every part of the configuration that affects an indicator."""
    services, settings = configuration.services, configuration.settings
    flags = {name: services.delivery_flags[name] for name in indicator.flags}
    used_groups = {name for flag in flags.values() for name in flag.contact_groups}
    groups = {name: group for name, group in services.contact_groups.items() if name in used_groups}
    types = dict(sorted(services.delivery_types.items(), key=lambda item: item[1].priority))
    by_id = {other.id: other for other in configuration.indicators}
    return Facts(
        indicator=indicator,
        settings=settings,
        dimensions=configuration.dimensions,
        delivery_types=types if indicator.population == "deliveries" else {},
        flags=flags,
        groups=groups,
        lists_of_group={name: group.code_lists_for(settings) for name, group in groups.items()},
        code_lists=_used_lists(indicator, configuration),
        missing=tuple(missing_code_lists(indicator, configuration)),
        related=tuple(by_id[name] for name in indicator.related),
        observed_until=(
            observes_until(indicator, COMMON_YEAR, configuration),
            observes_until(indicator, YEAR_BEFORE_A_LEAP_YEAR, configuration),
        ),
        standard=configuration.standards[indicator.standardised] if indicator.standardised is not None else None,
    )


def _used_lists(indicator: Indicator, configuration: Configuration) -> tuple[UsedList, ...]:
    """The code lists in the order in which they are used: deliveries, then contacts and services."""
    services = configuration.services
    uses: list[tuple[Sequence[str], tuple[str, str]]] = []
    if indicator.population == "deliveries":
        types = sorted(services.delivery_types.items(), key=lambda item: item[1].priority)
        uses += [((kind.code_list,), ("delivery_type", name)) for name, kind in types]
    for name in indicator.flags:
        flag = services.delivery_flags[name]
        if flag.code_lists:
            uses.append((flag.code_lists, ("flag", name)))
        for group in flag.contact_groups:
            lists = services.contact_groups[group].code_lists_for(configuration.settings)
            uses.append((lists, ("group", group)))
    service = indicator.numerator.service
    if service is not None:
        uses.append((services.beneficiary_services[service].code_lists, ("service", service)))
    used_by: dict[str, dict[tuple[str, str], None]] = {}
    for names, use in uses:
        for name in names:
            used_by.setdefault(name, {})[use] = None
    return tuple(
        UsedList(configuration.code_lists[name], tuple(users), configuration.code_list_hash(name))
        for name, users in used_by.items()
    )
