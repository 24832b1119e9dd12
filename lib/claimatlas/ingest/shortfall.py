"""Shortfalls of an input: parts of its tables that figures would lack, each with the bound above which a run stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from claimatlas.configuration import Configuration
from claimatlas.configuration.settings import ShareBounds
from claimatlas.conventions import wilson_interval
from claimatlas.errors import QualityGateError

_MAX_SAID = 3


@dataclass(frozen=True)
class Shortfall:
    """A part of a table that the figures would lack: ``odd`` of ``of`` rows, or bytes where rows are not counted.

    ``bound``: the setting below ``checks.input`` that says how much of it stops a run. ``sentence``: for a person.
    """

    bound: str
    odd: int
    of: int
    sentence: str


def lower_end_of_share(odd: int, of: int) -> float:
    """The lower end of Wilson's 95 % interval of a share; 1 where all are odd and the interval would end below it."""
    return 1.0 if odd == of else wilson_interval(odd, of)[0]


def is_beyond(bounds: ShareBounds, odd: int, of: int, least_counted: int) -> bool:
    """Whether a share is above its bound ``stop`` by more than chance: the share of a few rows varies by chance."""
    return of >= least_counted and bounds.stop < 1 and lower_end_of_share(odd, of) > bounds.stop


def require_enough(shortfalls: Sequence[Shortfall], configuration: Configuration, kept_in: str | None = None) -> None:
    """Stop if the figures would lack more of a table than the settings allow; ``kept_in``: where rejected rows are.

    Raises:
        QualityGateError: naming every shortfall beyond its bound, and the settings.
    """
    bounds = configuration.settings.checks.input
    of_rejected = bounds.rejected_together.model_copy(
        # A bound of the whole table holds for its parts too.
        update={"stop": max(bounds.rejected_together.stop, configuration.settings.max_rejected_share)}
    )
    by_name = {"rejected_together": of_rejected}
    wrong = [
        shortfall
        for shortfall in shortfalls
        if is_beyond(
            by_name.get(shortfall.bound) or getattr(bounds, shortfall.bound),
            shortfall.odd,
            shortfall.of,
            bounds.least_counted,
        )
    ]
    if wrong:
        names = ", ".join(dict.fromkeys(f"checks.input.{shortfall.bound}.stop" for shortfall in wrong))
        said = " ".join(shortfall.sentence for shortfall in wrong[:_MAX_SAID])
        more = f" (and {len(wrong) - _MAX_SAID} more)" if len(wrong) > _MAX_SAID else ""
        kept = f" The rejected rows are in {kept_in}." if kept_in else ""
        raise QualityGateError(f"Nothing was published: {said}{more}{kept} The bounds are the settings {names}.")


def missing_provider_columns(table: str, column: str, odd: int, of: int, groups: Sequence[str]) -> Shortfall:
    """The rows of files that lack a column by which contact groups are told apart."""
    return Shortfall(
        "rows_without_provider",
        odd,
        of,
        f"{table}: {column} is unknown in {odd:,} of {of:,} rows ({100 * odd / of:.2f} %), as their files have no such "
        f"column; the contacts of {', '.join(groups)} are told apart by it.",
    )


def distinguishing_columns(configuration: Configuration) -> dict[str, list[str]]:
    """The columns of providers that rules of contact groups read, and the groups."""
    found: dict[str, list[str]] = {}
    for name, group in configuration.services.contact_groups.items():
        for attribute in dict.fromkeys((*group.where, *group.where_not)):
            found.setdefault(attribute, []).append(name)
    return found
