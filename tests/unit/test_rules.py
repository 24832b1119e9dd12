"""The rules of services, episodes, contacts and stays on frames of a few rows, whatever their order."""

import hashlib
from datetime import date, timedelta
from typing import Any

import pytest
from chispa import assert_df_equality
from claimatlas.claims.netting import SERVICE_KEY, has_any_code, in_code_lists, net_services, provider_rule
from claimatlas.configuration import load_configuration
from claimatlas.configuration.services import ContactGroup, DeliveryFlag
from claimatlas.configuration.settings import Window
from claimatlas.deliveries.contacts import is_raised, window_bounds
from claimatlas.deliveries.days import delivery_days, delivery_services
from claimatlas.deliveries.episodes import count_by_reading, form_episodes, with_episode_starts
from claimatlas.deliveries.stays import nights_after_delivery
from claimatlas.spark.columns import any_of
from claimatlas.tables.schemas import CLAIMS, HOSPITAL_STAYS
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

CONFIGURATION = load_configuration()
PROFESSION, COMPETENCE = "provider_profession", "provider_competence"
MARCH = date(2023, 3, 1)


@pytest.fixture(autouse=True)
def _no_compiled_queries(spark: SparkSession) -> None:
    """Compiling a query takes longer than running it on a few rows; the session is put back afterwards."""
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")


def claims(spark: SparkSession, *lines: dict[str, Any]) -> DataFrame:
    line = dict.fromkeys(CLAIMS.column_names) | {
        "beneficiary_id": "a",
        "service_date": MARCH,
        "nomenclature_code": 424093,
        "quantity": 1,
        "year": 2023,
    }
    return spark.createDataFrame([tuple((line | given).values()) for given in lines], CLAIMS.schema)


def days(spark: SparkSession, *offsets: int, priority: int = 1) -> DataFrame:
    rows = [("a", MARCH + timedelta(offset), priority, "caesarean", None) for offset in offsets]
    columns = "beneficiary_id string, delivery_date date, priority int, delivery_type string, hospital_id string"
    return spark.createDataFrame(rows, columns)


def starts(spark: SparkSession, *offsets: int, gap: int = 30) -> dict[int, tuple[int, int]]:
    """For each day, by its distance from the first of March: where its chained and its anchored episode start."""
    found = with_episode_starts(days(spark, *offsets), gap).collect()
    return {
        (row["delivery_date"] - MARCH).days: (
            (row["chained_start"] - MARCH).days,
            (row["anchored_start"] - MARCH).days,
        )
        for row in found
    }


# --- Services ------------------------------------------------------------------------------------


def test_net_services(spark: SparkSession) -> None:
    lines = claims(
        spark,
        {"provider_id": "p", "quantity": 2, "hospital_id": "h2", "provider_profession": 40},
        {"provider_id": "p", "quantity": 1, "hospital_id": "h1", "provider_profession": 50},
        {"provider_id": "p", "quantity": -1, "hospital_id": "h0", "provider_profession": 60},
        {"quantity": 1},
        {"quantity": -1, "provider_profession": 40},
    )
    rules = {
        "is_40": F.coalesce(F.col("provider_profession") == 40, F.lit(False)),
        "is_60": F.coalesce(F.col("provider_profession") == 60, F.lit(False)),
    }
    expected = spark.createDataFrame(
        [
            ("a", MARCH, 424093, "p", 2, "h1", True, False, 3, 2),
            ("a", MARCH, 424093, None, 0, None, False, False, 2, 1),
        ],
        "beneficiary_id string, service_date date, nomenclature_code int, provider_id string, net_quantity bigint, "
        "hospital_id string, is_40 boolean, is_60 boolean, lines bigint, lines_given bigint",
    )
    found = net_services(lines, SERVICE_KEY, rules)
    assert_df_equality(found, expected, ignore_row_order=True, ignore_nullable=True)


def test_membership_is_never_null(spark: SparkSession) -> None:
    lines = spark.createDataFrame(
        [(101673, date(2022, 7, 31)), (101673, date(2022, 8, 1)), (101990, date(2022, 7, 31)), (424093, MARCH)],
        "nomenclature_code int, service_date date",
    )
    found = lines.select(
        in_code_lists(CONFIGURATION, ["gp_digicont", "gp_digicont_nr"]).alias("listed"),
        has_any_code(CONFIGURATION, ["gp_digicont", "gp_digicont_nr"]).alias("known"),
        in_code_lists(CONFIGURATION, ["gestational_diabetes_test"]).alias("empty"),
        has_any_code(CONFIGURATION, ["gestational_diabetes_test"]).alias("none"),
        any_of([]).alias("nothing"),
    ).collect()
    assert [tuple(row) for row in found] == [
        (False, True, False, False, False),
        (True, True, False, False, False),
        (True, True, False, False, False),
        (False, False, False, False, False),
    ]


@pytest.mark.parametrize(
    ("group", "met"),
    [
        (ContactGroup(code_lists=("x",)), [True, True, True, True]),
        (ContactGroup(code_lists=("x",), where={COMPETENCE: (1, 2)}), [True, False, False, False]),
        (ContactGroup(code_lists=("x",), where_not={COMPETENCE: (1, 2)}), [False, True, True, False]),
        (ContactGroup(code_lists=("x",), where={PROFESSION: (40,)}), [False, True, False, True]),
        (ContactGroup(code_lists=("x",), where={PROFESSION: (40,), COMPETENCE: (9,)}), [False, True, False, False]),
    ],
)
def test_provider_rules(spark: SparkSession, group: ContactGroup, met: list[bool]) -> None:
    lines = spark.createDataFrame(
        [(0, 1, None), (1, 9, 40), (2, 9, 50), (3, None, 40)],
        "n int, provider_competence int, provider_profession int",
    )
    found = lines.select("n", provider_rule(group, CONFIGURATION.settings).alias("met")).collect()
    assert [row["met"] for row in sorted(found, key=lambda row: row["n"])] == met


# --- Days and episodes ---------------------------------------------------------------------------


@pytest.mark.shuffle_partitions(3)
def test_the_delivery_of_a_day_does_not_depend_on_the_order_of_lines(spark: SparkSession) -> None:
    lines = [
        {"nomenclature_code": 422225, "hospital_id": "h3"},
        {"nomenclature_code": 423500, "hospital_id": "h2"},
        {"nomenclature_code": 424012},
        {"nomenclature_code": 422656, "hospital_id": "h1"},
        {"nomenclature_code": 424093, "quantity": 1},
        {"nomenclature_code": 424093, "quantity": -1},
    ]
    expected = spark.createDataFrame(
        [("a", MARCH, 2, "vaginal_hospital", "h2")],
        "beneficiary_id string, delivery_date date, priority int, delivery_type string, hospital_id string",
    )
    for order in (lines, lines[::-1], lines[2:] + lines[:2]):
        found = delivery_days(delivery_services(claims(spark, *order), CONFIGURATION))
        assert_df_equality(found, expected, ignore_nullable=True)


def test_every_service_is_counted_before_the_days_are(spark: SparkSession) -> None:
    lines = claims(
        spark,
        {"quantity": 1},
        {"quantity": -1},
        {"nomenclature_code": 422656},
        {"nomenclature_code": 101032},
    )
    services = delivery_services(lines, CONFIGURATION)
    found = {(row["nomenclature_code"], row["net_quantity"], row["lines"]) for row in services.collect()}
    assert found == {(424093, 0, 2), (422656, 1, 1)}


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ((0,), {0: (0, 0)}),
        ((0, 29), {0: (0, 0), 29: (0, 0)}),
        ((0, 30), {0: (0, 0), 30: (0, 0)}),
        ((0, 31), {0: (0, 0), 31: (31, 31)}),
        ((0, 25, 50), {0: (0, 0), 25: (0, 0), 50: (0, 50)}),
        ((0, 1, 31, 32), {0: (0, 0), 1: (0, 0), 31: (0, 31), 32: (0, 31)}),
        (
            (0, 30, 60, 61, 90, 91),
            {0: (0, 0), 30: (0, 0), 60: (0, 60), 61: (0, 60), 90: (0, 60), 91: (0, 91)},
        ),
        ((0, 31, 61, 62), {0: (0, 0), 31: (31, 31), 61: (31, 31), 62: (31, 62)}),
        ((0, 400), {0: (0, 0), 400: (400, 400)}),
    ],
)
def test_where_episodes_start(
    spark: SparkSession, offsets: tuple[int, ...], expected: dict[int, tuple[int, int]]
) -> None:
    assert starts(spark, *offsets) == expected
    assert starts(spark, *reversed(offsets)) == expected


@pytest.mark.parametrize("gap", [0, 1, 7])
def test_the_gap_is_obeyed_a_day_before_on_and_after_it(spark: SparkSession, gap: int) -> None:
    first = starts(spark, 0, gap + 1, gap=gap)
    assert first[gap + 1] == (gap + 1, gap + 1)
    if gap:
        assert starts(spark, 0, gap, gap=gap)[gap] == (0, 0)
        assert starts(spark, 0, gap, gap + 1, gap=gap)[gap + 1] == (0, gap + 1)


def test_beneficiaries_do_not_disturb_each_other(spark: SparkSession) -> None:
    rows = [(name, MARCH + timedelta(offset), 1, "home", None) for name in ("a", "b") for offset in (0, 20)]
    found = with_episode_starts(spark.createDataFrame(rows, days(spark, 0).schema), 30)
    episodes = form_episodes(found, episode_rule="chained", episode_type="first", implausible_interval_days=180)
    assert {(row["beneficiary_id"], row["billings"], row["implausible_interval"]) for row in episodes.collect()} == {
        ("a", 2, False),
        ("b", 2, False),
    }


def test_an_episode_has_these_columns(spark: SparkSession) -> None:
    found = form_episodes(
        with_episode_starts(days(spark, 0, 10), 30),
        episode_rule="chained",
        episode_type="first",
        implausible_interval_days=180,
    )
    expected = spark.createDataFrame(
        [
            (
                hashlib.sha256(b"claimatlas delivery 1 2023-03-01a").hexdigest(),
                "a",
                MARCH,
                "caesarean",
                None,
                2,
                date(2023, 3, 11),
                False,
                2023,
            )
        ],
        "delivery_id string, beneficiary_id string, delivery_date date, delivery_type string, hospital_id string, "
        "billings int, last_billing_date date, implausible_interval boolean, year int",
    )
    assert_df_equality(found, expected, ignore_nullable=True)


def test_the_delivery_id_is_the_same_under_every_setting(spark: SparkSession) -> None:
    found = with_episode_starts(days(spark, 0, 25, 50), 30)
    ids: dict[str, set[str]] = {}
    for rule in ("chained", "anchored"):
        for kind in ("first", "highest_priority"):
            episodes = form_episodes(found, episode_rule=rule, episode_type=kind, implausible_interval_days=1)
            ids.setdefault(rule, set()).update(row["delivery_id"] for row in episodes.collect())
    assert len(ids["chained"]) == 1
    assert len(ids["anchored"]) == 2
    assert ids["chained"] < ids["anchored"]


def test_counts_under_both_readings(spark: SparkSession) -> None:
    # 25 November, 20 December 2023 and 15 January 2024.
    found = count_by_reading(with_episode_starts(days(spark, 269, 294, 320), 30)).collect()
    assert {(row["year"], row["reading"], row["deliveries"]) for row in found} == {
        (2023, "chained", 1),
        (2023, "anchored", 1),
        (2024, "anchored", 1),
    }


# --- Windows and stays ---------------------------------------------------------------------------


def test_the_bounds_of_the_windows() -> None:
    assert window_bounds(CONFIGURATION.settings, "postnatal") == (1, 42)
    assert window_bounds(CONFIGURATION.settings, "prenatal") == (-270, -1)


def test_a_flag_of_several_days_counts_each_day_once_and_no_service_that_was_taken_back(spark: SparkSession) -> None:
    """Two services of one day are one day, and so is one of two groups; day 22 is outside, and day 9 was taken back."""
    flag = DeliveryFlag(contact_groups=("gp", "midwife"), window="early", least_days=3)
    settings = CONFIGURATION.settings.model_copy(update={"windows": {"early": Window(first_day=7, last_day=21)}})
    around = [
        *[("three", day, 1, gp, not gp) for day, gp in ((7, True), (7, True), (7, False), (8, False), (21, True))],
        *[("two", day, 1, True, False) for day in (6, 7, 8, 22)],
        *[("taken_back", day, net, True, False) for day, net in ((7, 1), (8, 1), (9, 0))],
    ]
    rows = spark.createDataFrame(
        around,
        "delivery_id string, days_after_delivery int, net_quantity int, group_gp boolean, group_midwife boolean",
    )
    counted = rows.where("net_quantity > 0").groupBy("delivery_id")
    found = counted.agg(is_raised("trial", flag, settings).alias("raised")).collect()
    assert {row["delivery_id"]: row["raised"] for row in found} == {"three": True, "two": False, "taken_back": False}


@pytest.mark.shuffle_partitions(3)
def test_the_stay_of_a_delivery_does_not_depend_on_the_order_of_stays(spark: SparkSession) -> None:
    deliveries = spark.createDataFrame(
        [("d1", "a", MARCH, "h1"), ("d2", "b", MARCH, None), ("d3", "c", MARCH, "h1")],
        "delivery_id string, beneficiary_id string, delivery_date date, hospital_id string",
    )
    stays = [
        ("s1", "a", MARCH, MARCH + timedelta(3), "h1", 1, 2023),
        ("s2", "a", MARCH, MARCH + timedelta(9), "h2", 1, 2023),
        ("s3", "a", MARCH - timedelta(1), MARCH + timedelta(4), "h1", 1, 2023),
        ("s4", "b", MARCH, MARCH + timedelta(2), None, 1, 2023),
        ("s5", "b", MARCH - timedelta(9), MARCH, "h1", 1, 2023),
        ("s6", "c", MARCH + timedelta(1), MARCH + timedelta(2), "h1", 1, 2023),
    ]
    expected = spark.createDataFrame([("d1", 4), ("d2", 2)], "delivery_id string, nights_after_delivery int")
    for order in (stays, stays[::-1]):
        found = nights_after_delivery(deliveries, spark.createDataFrame(order, HOSPITAL_STAYS.schema))
        assert_df_equality(found, expected, ignore_row_order=True, ignore_nullable=True)
