"""Section 4: ambulatory contacts, their windows, other prenatal services, the hospital stay."""

from datetime import date, timedelta
from typing import Any

from reference.model import CodeLists, Row, Settings

GP_LISTS = (
    "gp_bezarts",
    "gp_bezoek",
    "gp_bezoekind",
    "gp_raadpl",
    "gp_bezavond",
    "gp_beznacht",
    "gp_bezwefe",
    "gp_instel",
    "gp_digicont",
    "gp_digicont_nr",
)
MIDWIFE_LISTS = {
    "source": ("midwife",),
    "source_and_postnatal": ("midwife", "midwife_postnatal"),
}
GP_COMPETENCES = (1, 2, 3, 4, 5, 6, 7, 8)
GYNAECOLOGIST_COMPETENCES = (34, 340, 341, 349, 367, 369, 146, 978)
MIDWIFE_PROFESSION = 40
PHYSIOTHERAPIST_PROFESSIONS = (50, 51, 52, 53, 54, 55)


def lists_of(group: str, midwife_codes: str) -> tuple[str, ...]:
    """The code lists behind a group of services."""
    return {
        "gp": GP_LISTS,
        "gynaecologist": ("gynaecologist",),
        "midwife": MIDWIFE_LISTS[midwife_codes],
        "physiotherapist": ("physiotherapist",),
        "specialist": ("specialist",),
        "gdm_test": ("gestational_diabetes_test",),
        "technical": ("prenatal_technical",),
        "imaging": ("imaging_therapeutic",),
    }[group]


def provider_fits(group: str, profession: int | None, competence: int | None) -> bool:
    """Did the right kind of provider give the service?"""
    if group == "gp":
        return competence in GP_COMPETENCES
    if group == "gynaecologist":
        return competence in GYNAECOLOGIST_COMPETENCES
    if group == "midwife":
        return profession == MIDWIFE_PROFESSION
    if group == "physiotherapist":
        return profession in PHYSIOTHERAPIST_PROFESSIONS
    if group == "specialist":
        return competence is not None and competence not in GP_COMPETENCES + GYNAECOLOGIST_COMPETENCES
    return True  # the other services do not ask who gave them


def is_service_of(group: str, service: Row, lists: CodeLists, midwife_codes: str) -> bool:
    """Is the service of that group: code valid on its date, and one positive line of the right provider?"""
    if not lists.holds(lists_of(group, midwife_codes), service["nomenclature_code"], service["service_date"]):
        return False
    return any(provider_fits(group, profession, competence) for profession, competence in service["providers"])


def days_of(group: str, services: list[Row], lists: CodeLists, midwife_codes: str) -> dict[str, list[date]]:
    """The days on which each beneficiary had a service of the group."""
    days: dict[str, list[date]] = {}
    for service in services:
        if is_service_of(group, service, lists, midwife_codes):
            days.setdefault(service["beneficiary_id"], []).append(service["service_date"])
    return days


def postnatal_window(delivery: date, settings: Settings) -> tuple[date, date]:
    """First and last day after the delivery, both included; day 0 is the delivery."""
    window = settings["postnatal_window"]
    return delivery + timedelta(window["first_day"]), delivery + timedelta(window["last_day"])


def prenatal_window(delivery: date, settings: Settings) -> tuple[date, date]:
    """First and last day before the delivery, both included."""
    window = settings["prenatal_window"]
    return delivery - timedelta(window["first_day"]), delivery - timedelta(window["last_day"])


def within(days: list[date], window: tuple[date, date]) -> list[date]:
    """The days that the window holds."""
    return [day for day in days if window[0] <= day <= window[1]]


def nights_after_delivery(episode: Row, stays: list[Row]) -> int | None:
    """Nights from delivery to discharge in the delivery's stay; None without a stay.

    `stays` are the beneficiary's. Of several that hold the delivery's date, those of its hospital if
    there are any, then the latest discharge.
    """
    day = episode["delivery_date"]
    held = [stay for stay in stays if stay["admission_date"] <= day <= stay["discharge_date"]]
    if not held:
        return None
    hospital = episode["hospital_id"]
    if hospital is not None:
        of_hospital = [stay for stay in held if stay["hospital_id"] == hospital]
        held = of_hospital or held
    discharge: Any = max(stay["discharge_date"] for stay in held)
    nights: int = (discharge - day).days
    return nights
