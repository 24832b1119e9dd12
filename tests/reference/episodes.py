"""Section 3: from delivery services to delivery episodes."""

import itertools
from datetime import date
from typing import Any

from reference.model import CodeLists, Row, Settings
from reference.parse import nulls_last

#: Type -> (code list, priority): the lowest priority wins on one day (section 3.2).
TYPES = {
    "caesarean": ("delivery_caesarean", 1),
    "vaginal_hospital": ("delivery_vaginal_hospital", 2),
    "home": ("delivery_home", 3),
}

#: The dimension's value (section 3.6).
DIMENSION = {"caesarean": "caesarean", "vaginal_hospital": "vaginal", "home": "vaginal"}


def delivery_days(services: list[Row], lists: CodeLists) -> dict[str, list[Row]]:
    """Each beneficiary's delivery days in order of date, one row a day (section 3.1 and 3.2).

    Of several services on a day: priority, then the lowest non-null hospital_id, then the lowest code.
    """
    candidates: dict[tuple[str, date], list[tuple[Any, Row]]] = {}
    for service in services:
        for kind, (name, priority) in TYPES.items():
            if not lists.holds((name,), service["nomenclature_code"], service["service_date"]):
                continue
            rank = (priority, nulls_last(service["hospital_id"]), service["nomenclature_code"])
            day = {
                "date": service["service_date"],
                "type": kind,
                "priority": priority,
                "hospital_id": service["hospital_id"],
            }
            key = (service["beneficiary_id"], service["service_date"])
            candidates.setdefault(key, []).append((rank, day))
    days: dict[str, list[Row]] = {}
    for beneficiary, when in sorted(candidates):
        _, best = min(candidates[beneficiary, when], key=lambda candidate: candidate[0])
        days.setdefault(beneficiary, []).append(best)
    return days


def split(days: list[Row], rule: str, gap: int) -> list[list[Row]]:
    """Cut one beneficiary's delivery days into episodes (section 3.3); day `gap` still is within."""
    episodes: list[list[Row]] = []
    for day in days:
        if episodes:
            since = episodes[-1][-1] if rule == "chained" else episodes[-1][0]
            if (day["date"] - since["date"]).days <= gap:
                episodes[-1].append(day)
                continue
        episodes.append([day])
    return episodes


def delivery_episodes(days: dict[str, list[Row]], settings: Settings, rule: str) -> list[Row]:
    """Every episode of every beneficiary, over all claims that were read (section 3.3 to 3.8)."""
    found: list[Row] = []
    for beneficiary in sorted(days):
        mine: list[Row] = []
        for episode in split(days[beneficiary], rule, settings["episode_gap_days"]):
            first = episode[0]
            told_by = first
            if settings["episode_type"] == "highest_priority":
                # min keeps the first of equals: the earliest day with the highest priority.
                told_by = min(episode, key=lambda day: day["priority"])
            mine.append(
                {
                    "beneficiary_id": beneficiary,
                    "year": first["date"].year,
                    "delivery_date": first["date"],
                    "delivery_type": told_by["type"],
                    "hospital_id": told_by["hospital_id"],
                    "billings": len(episode),
                    "last_billing_date": episode[-1]["date"],
                    "implausible_interval": False,
                }
            )
        for before, after in itertools.pairwise(mine):
            days_apart = (after["delivery_date"] - before["delivery_date"]).days
            if days_apart < settings["implausible_interval_days"]:
                before["implausible_interval"] = True
                after["implausible_interval"] = True
        found.extend(mine)
    return found
