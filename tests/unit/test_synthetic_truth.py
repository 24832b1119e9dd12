"""The truth that is written beside the claims is what the plain-Python reference finds in them."""

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from claimatlas.configuration import load_configuration
from claimatlas.synthetic.deliveries import make_delivery_lines
from claimatlas.synthetic.exams import make_exam_lines
from claimatlas.synthetic.lines import CLAIM_COLUMNS
from claimatlas.synthetic.parameters import Parameters
from claimatlas.synthetic.people import make_people, make_person_years
from claimatlas.synthetic.perinatal import make_perinatal_lines
from claimatlas.synthetic.pregnancies import make_pregnancies
from claimatlas.synthetic.stays import make_delivery_stays
from claimatlas.synthetic.truth import true_contacts, true_deliveries, true_exams, true_services
from claimatlas.synthetic.world import make_world
from pyspark.sql import DataFrame, SparkSession
from reference import contacts, episodes
from reference.model import CodeLists, load_settings
from reference.netting import net_services

ROOT = Path(__file__).resolve().parents[2]
Rows = list[dict[str, Any]]


class Made:
    """Claims of deliveries, contacts and exams of many persons, without their everyday lines."""

    def __init__(self, spark: SparkSession) -> None:
        world = make_world(Parameters(100_000, 2022, 2023, 17), load_configuration())
        people = make_people(world, world.persons(spark, 1.0))
        pregnancies = make_pregnancies(world, people)
        delivery_lines = make_delivery_lines(world, pregnancies)
        perinatal_lines = make_perinatal_lines(world, pregnancies)
        exam_lines = make_exam_lines(world, make_person_years(world, people))
        stays = make_delivery_stays(world, pregnancies)
        self.claims: Rows = []
        for lines in (delivery_lines, perinatal_lines, exam_lines):
            self.claims += rows(lines.select(*CLAIM_COLUMNS))
        self.stays = rows(stays)
        self.deliveries = rows(true_deliveries(delivery_lines, stays))
        self.contacts = rows(true_contacts(world, perinatal_lines))
        self.services = rows(true_services(world, perinatal_lines))
        self.exams = rows(true_exams(exam_lines))
        conf = ROOT / "conf"
        self.lists, self.settings = CodeLists.read(conf), load_settings(conf, None)
        self.net = net_services(self.claims)


def rows(df: DataFrame) -> Rows:
    return [row.asDict() for row in df.collect()]


@pytest.fixture(scope="module")
def made(spark: SparkSession) -> Made:
    return Made(spark)


def test_claim_ids_are_unique(made: Made) -> None:
    assert len({claim["claim_id"] for claim in made.claims}) == len(made.claims) > 30_000


def test_lines_are_inside_the_years(made: Made) -> None:
    days = [claim["service_date"] for claim in made.claims]
    assert date(2022, 1, 1) <= min(days) <= max(days) <= date(2023, 12, 31)
    assert all(claim["booking_date"] is None or claim["booking_date"] > claim["service_date"] for claim in made.claims)


@pytest.mark.parametrize("rule", ["chained", "anchored"])
def test_deliveries(made: Made, rule: str) -> None:
    days = episodes.delivery_days(made.net, made.lists)
    found = episodes.delivery_episodes(days, made.settings, rule)
    if rule == "anchored":
        assert len(found) == sum(delivery["episodes_anchored"] for delivery in made.deliveries) > len(made.deliveries)
        return
    columns = ("beneficiary_id", "delivery_date", "delivery_type", "hospital_id", "billings", "last_billing_date")
    assert not any(episode["implausible_interval"] for episode in found)
    assert {tuple(row[name] for name in columns) for row in found} == {
        tuple(row[name] for name in columns) for row in made.deliveries
    }
    assert len(found) == len(made.deliveries) > 1500


GROUPS = ("gp", "gynaecologist", "midwife", "physiotherapist", "specialist", "technical")


@pytest.mark.parametrize(
    ("group", "midwife_codes"), [*[(group, "source") for group in GROUPS], ("midwife", "source_and_postnatal")]
)
@pytest.mark.parametrize("window", [contacts.postnatal_window, contacts.prenatal_window])
def test_contacts(made: Made, group: str, midwife_codes: str, window: Any) -> None:
    truth: dict[str, set[date]] = defaultdict(set)
    for row in made.contacts:
        if row["contact_group"] == group:
            truth[row["beneficiary_id"]].add(row["contact_date"])
    also = {"technical": "prenatal_technical"}.get(group)
    if midwife_codes == "source_and_postnatal":
        also = "midwife_postnatal"
    for row in made.services:
        if row["code_list"] == also:
            truth[row["beneficiary_id"]].add(row["service_date"])
    found = contacts.days_of(group, made.net, made.lists, midwife_codes)
    some = 0
    for delivery in made.deliveries:
        who, span = delivery["beneficiary_id"], window(delivery["delivery_date"], made.settings)
        expected = contacts.within(sorted(truth[who]), span)
        assert sorted(set(contacts.within(found.get(who, []), span))) == expected
        some += bool(expected)
    assert some > 0 or (group, window) == ("technical", contacts.postnatal_window)


def test_nights(made: Made) -> None:
    stays: dict[str, Rows] = defaultdict(list)
    for stay in made.stays:
        stays[stay["beneficiary_id"]].append(stay)
    for delivery in made.deliveries:
        nights = contacts.nights_after_delivery(delivery, stays[delivery["beneficiary_id"]])
        assert nights == delivery["nights_after_delivery"]
    assert any(not stay["own"] for stay in made.stays)


def test_exams(made: Made) -> None:
    found: dict[tuple[str, int], int] = defaultdict(int)
    for service in made.net:
        if made.lists.holds(("imaging_therapeutic",), service["nomenclature_code"], service["service_date"]):
            found[service["beneficiary_id"], service["service_date"].year] += service["quantity"]
    assert dict(found) == {(row["beneficiary_id"], row["year"]): row["exams"] for row in made.exams}
    assert 0.010 < len(found) / 200_000 < 0.015
    assert any(not row["in_population"] for row in made.exams)


def test_some_of_everything_was_taken_back(made: Made) -> None:
    back = [claim for claim in made.claims if claim["quantity"] < 0]
    counted = {(row["beneficiary_id"], row["service_date"], row["nomenclature_code"]) for row in made.net}
    for name in ("delivery_vaginal_hospital", "delivery_caesarean", "gp_raadpl", "imaging_therapeutic"):
        of_list = [
            (claim["beneficiary_id"], claim["service_date"], claim["nomenclature_code"]) in counted
            for claim in back
            if made.lists.holds((name,), claim["nomenclature_code"], claim["service_date"])
        ]
        # Some whole, some in part.
        assert set(of_list) == {True, False}
