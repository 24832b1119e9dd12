"""Tables and figures of the study of delivery episodes, from counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from claimatlas.configuration import Configuration
from claimatlas.deliveries.delivery_marker import origins
from claimatlas.errors import InputError
from claimatlas.runs.archive import past_run
from claimatlas.tables.schemas import deliveries_table
from claimatlas.tables.store import Store


def rules_to_try(least: int, most: int) -> range:
    """Every number of days from ``least`` to ``most``.

    Raises:
        InputError: there is none.
    """
    if least > most:
        raise InputError(f"There is no number of days from {least} to {most}.")
    return range(least, most + 1)


def step_of(days: int, step: int) -> str:
    """The name of the step that holds a number of days; the first one is from 1 to ``step``."""
    first = (days - 1) // step * step + 1
    return f"{first}-{first + step - 1}"


def in_steps(gaps: Sequence[Mapping[str, Any]], step: int, most: int) -> dict[str, int]:
    """Rows of ``gaps_between_days`` added up in steps of so many days, up to ``most``; empty steps are there too."""
    times = {step_of(days, step): 0 for days in range(1, most + 1, step)}
    for row in gaps:
        name = step_of(row["gap_days"], step)
        if name in times:
            times[name] += row["times"]
    return times


def curves(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Rows of ``count_by_gap`` of one year as a curve for each reading, in the order of the days."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["reading"] != "chained", row["gap_days"])):
        found[row["reading"]].append((row["gap_days"], row["deliveries"]))
    return dict(found)


def contacts_by_reading(store: Store, configuration: Configuration, year: int) -> dict[str, int | None]:
    """Deliveries of a year by contact, each group, and each reading of its code lists, by the record of their run.

    Null: that run did not count it, as its code list was empty or nobody had declared it.

    Raises:
        InputError: the deliveries of the year are not from a run that ended well.
    """
    origin = origins(store, deliveries_table(configuration), [year])[year]
    if not origin:
        raise InputError(f"The deliveries of {year} in {store.root} are not whole: run the job deliveries again.")
    counts = past_run(store, origin["run"]).counts[f"deliveries.{year}"]
    return {"all deliveries": counts["deliveries"], **contacts_counted(counts, configuration)}


def contacts_counted(counts: Mapping[str, int], configuration: Configuration) -> dict[str, int | None]:
    """The counts of contacts in those of a year's deliveries, of the groups that have a flag ``contact_<group>``."""
    found: dict[str, int | None] = {}
    for name, group in configuration.services.contact_groups.items():
        flag = f"contact_{name}"
        if not group.code_lists_by_setting and flag in {*configuration.services.delivery_flags, *counts}:
            found[name] = counts.get(flag)
        for setting, by_value in group.code_lists_by_setting.items():
            found |= {f"{name}, {setting}={value}": counts.get(f"{flag}_{value}") for value in by_value}
    return found
