"""A flag that is null was not computed: who reads deliveries never takes it for false."""

from collections.abc import Sequence

import pytest
from claimatlas.cells.members import delivery_counts
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.notebooks.episodes import contacts_counted
from claimatlas.tables.schemas import deliveries_table
from pyspark.sql import SparkSession

TECHNICAL, CONTACT, NO_CONTACT, ALL = "cube_007_005a", "cube_007_003a", "cube_007_008a", "cube_007_001a_denom"


@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return load_configuration()


def indicators(configuration: Configuration, *names: str) -> list[Indicator]:
    return [indicator for indicator in configuration.indicators if indicator.id in names]


def counted(
    spark: SparkSession, configuration: Configuration, names: Sequence[str], *values: dict[str, bool | None]
) -> dict[str, int | None]:
    """The counts of deliveries in one place; a flag that is not given is false."""
    flags = dict.fromkeys(configuration.services.delivery_flags, False)
    rows = [
        {
            "delivery_type": "home",
            "domicile_source": "unknown",
            "age_category": "unknown",
            "increased_reimbursement": "unknown",
            "implausible_interval": False,
            "year": 2022,
            **flags,
            **given,
        }
        for given in values
    ]
    table = deliveries_table(configuration)
    schema = ", ".join(f"{column.name} {column.type}" for column in table.columns)
    deliveries = spark.createDataFrame(
        [tuple(row.get(column) for column in table.column_names) for row in rows], schema
    )
    (row,) = delivery_counts(deliveries, configuration, indicators(configuration, *names), [2022]).collect()
    found: dict[str, int | None] = row.asDict()
    return found


def test_a_share_of_what_was_not_computed_is_not_known(spark: SparkSession, shipped: Configuration) -> None:
    names = (TECHNICAL, CONTACT, NO_CONTACT, ALL)
    found = counted(spark, shipped, names, {"prenatal_technical": None}, {"prenatal_technical": True})
    assert found[f"numerator_{TECHNICAL}"] is None
    assert found["prenatal_technical"] is None
    # Others do not read it.
    assert found["denominator"] == 2
    assert found[f"numerator_{ALL}"] == 2
    assert found[f"numerator_{CONTACT}"] == 0
    assert found["prenatal_contact"] == 0
    assert found["implausible_interval"] == 0


@pytest.mark.parametrize(
    ("gp", "midwife", "without"),
    [(None, False, None), (None, True, 0), (True, None, 0), (False, False, 1), (None, None, None)],
)
def test_another_flag_may_decide(
    spark: SparkSession, shipped: Configuration, *, gp: bool | None, midwife: bool | None, without: int | None
) -> None:
    found = counted(spark, shipped, (NO_CONTACT,), {"contact_gp": gp, "contact_midwife": midwife})
    assert found[f"numerator_{NO_CONTACT}"] == without


def test_a_flag_that_is_known_is_counted(spark: SparkSession, shipped: Configuration) -> None:
    found = counted(spark, shipped, (TECHNICAL,), {"prenatal_technical": True}, {"prenatal_technical": False})
    assert (found[f"numerator_{TECHNICAL}"], found["prenatal_technical"]) == (1, 1)


def test_the_comment_of_a_flag_says_what_null_is(shipped: Configuration) -> None:
    table = deliveries_table(shipped)
    assert [flag.name for flag in table.flags] == list(shipped.services.delivery_flags)
    assert all("null: not computed" in flag.comment for flag in table.flags)


def test_contacts_that_a_run_did_not_count_are_not_none_of_them(shipped: Configuration) -> None:
    """As those of a group that was declared after the run, or whose code list was empty."""
    counts = {"deliveries": 9, "contact_gp": 0, "contact_midwife_source": 3}
    found = contacts_counted(counts, shipped)
    assert found["gp"] == 0
    assert found["specialist"] is None
    assert found["midwife, midwife_codes=source"] == 3
    assert found["midwife, midwife_codes=source_and_postnatal"] is None
