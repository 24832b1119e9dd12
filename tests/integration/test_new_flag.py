"""A flag that is declared after years were computed: a new column, null in them, and null is never false."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from claimatlas.configuration import load_configuration
from claimatlas.deliveries import delivery_marker
from claimatlas.deliveries.deliveries_stage import warn_of_years_without_flags
from claimatlas.runs.record import RunRecord
from claimatlas.tables.schemas import deliveries_table
from claimatlas.tables.store import Store
from comparison import CONF, DELIVERIES, GOLD, SILVER, content, last_record, read
from integration.console import Console, Said
from integration.inputs import SMALL_CLAIMS
from integration.own_configuration import change, write_indicator, write_list
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FLAG, SHARE = "trial_flag", "trial_share"
TOTAL = "geo_level = 'country' AND age_category = 'all' AND delivery_type = 'all' AND increased_reimbursement = 'all'"
NOTE = (
    "silver/deliveries: the flag trial_flag was not declared when 2022 was computed: it is null (not computed) there. "
    "Compute this year anew to fill it."
)


def declare(conf: Path) -> Path:
    """A copy of the shipped configuration with one more flag, and an indicator that reads it."""
    shutil.copytree(CONF, conf)
    write_list(conf, "trial_service", 422030)
    change(conf / "services.yaml", delivery_flags={FLAG: {"code_lists": ["trial_service"], "window": "postnatal"}})
    write_indicator(
        conf,
        SHARE,
        population="deliveries",
        numerator={"with_any": [FLAG]},
        unit="percent",
        levels=["country", "region"],
    )
    return conf


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return declare(tmp_path_factory.mktemp("declared") / "conf")


def done(console: Console, *command: object) -> Said:
    said = console.run(*command)
    assert said.code == 0, said.err
    return said


def explain(console: Console, output: Path, *key: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done(console, "explain", "--output", output, *key, "--json").out)
    return found


def shares(output: Path) -> dict[int, tuple[int | None, int | None]]:
    """Numerator and denominator of the new indicator in the country, by year."""
    rows = read(output, "gold/postnatal", where=f"indicator_id = '{SHARE}' AND {TOTAL}")
    return {row["year"]: (row["numerator"], row["denominator"]) for row in rows}


def flags(output: Path) -> dict[str, bool | None]:
    """The new flag by mother: each has one delivery."""
    return {row["beneficiary_id"]: row[FLAG] for row in read(output, DELIVERIES)}


def with_another_line(folder: Path) -> Path:
    """One more delivery of claims: Bea has the service too."""
    header = SMALL_CLAIMS.splitlines()[0]
    (folder / "more.csv").write_text(f"{header}\nmore,bea,2022-05-20,422030,1\n", encoding="utf-8")
    return folder / "more.csv"


@pytest.fixture(scope="module")
def later(console: Console, small_published: Path, conf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output with 2022 from before the flag was declared, and 2023 from after it; it may be copied, not changed."""
    output = Path(shutil.copytree(small_published, tmp_path_factory.mktemp("later") / "output"))
    done(console, "run-year", "--output", output, "--year", "2023", "--conf", conf)
    return output


@pytest.fixture(scope="module")
def anew(console: Console, small_published: Path, conf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output whose only year was computed, then computed anew with the flag; it may be copied, not changed."""
    output = Path(shutil.copytree(small_published, tmp_path_factory.mktemp("anew") / "output"))
    done(console, "run-year", "--output", output, "--year", "2022", "--conf", conf)
    return output


def test_it_is_null_in_years_computed_before(small_published: Path, later: Path) -> None:
    assert flags(later) == {"ann": None, "bea": None}
    rows = [{name: row[name] for name in row if name != FLAG} for row in read(later, DELIVERIES)]
    assert sorted(rows, key=str) == sorted(read(small_published, DELIVERIES), key=str)
    assert shares(later) == {2023: (0, 0)}
    for table in GOLD:
        before, after = (read(root, table, where="year = 2022") for root in (small_published, later))
        assert sorted(before, key=str) == sorted(after, key=str)


def test_the_summary_lists_these_years(later: Path) -> None:
    assert [text for text in last_record(later)["warnings"] if FLAG in text] == [NOTE]


def test_a_year_computed_anew_has_it(anew: Path) -> None:
    assert flags(anew) == {"ann": True, "bea": False}
    assert shares(anew) == {2022: (1, 2)}
    record = last_record(anew)
    assert record["counts"]["deliveries.2022"][FLAG] == 1
    assert not [text for text in record["warnings"] if FLAG in text]


def test_what_nobody_could_see_is_not_counted_as_none(anew: Path) -> None:
    """The list of `prenatal_gdm_test` is empty."""
    counts = last_record(anew)["counts"]["deliveries.2022"]
    assert counts["prenatal_technical"] == 0
    assert "prenatal_gdm_test" not in counts


def test_indicators_alone_do_not_count_such_a_year(
    console: Console, published_copied: Path, later: Path, conf: Path, tmp_path: Path
) -> None:
    with_column = Path(shutil.copytree(later, tmp_path / "later"))
    for output in (published_copied, with_column):
        before = content(output, (*SILVER, DELIVERIES, *GOLD))
        said = console.run("indicators", "--output", output, "--year", "2022", "--conf", conf)
        assert said.code == 2
        assert "is missing or out of date for 2022 (made from other silver or with another configuration)" in said.err
        assert content(output, (*SILVER, DELIVERIES, *GOLD)) == before


@pytest.mark.long
def test_one_more_batch_computes_such_a_year_whole(
    console: Console, published_copied: Path, later: Path, conf: Path, tmp_path: Path
) -> None:
    """Both the year whose figures were published by another configuration, and one that is not published last."""
    with_column = Path(shutil.copytree(later, tmp_path / "later"))
    reasons = {published_copied: "with another configuration", with_column: "by another job, or for other years"}
    for output, reason in reasons.items():
        more = with_another_line(tmp_path)
        said = done(
            console, "run-year", "--add", "--claims", more, "--output", output, "--year", "2022", "--conf", conf
        )
        assert "increment: a full run is needed" in said.err
        assert reason in said.err
        assert flags(output) == {"ann": True, "bea": True}
        assert shares(output)[2022] == (2, 2)
        assert NOTE not in said.err


@pytest.mark.long
def test_what_is_no_longer_declared_stays_and_is_null(console: Console, anew: Path, tmp_path: Path) -> None:
    output = Path(shutil.copytree(anew, tmp_path / "output"))
    said = done(console, "run-year", "--output", output, "--year", "2022")
    assert flags(output) == {"ann": None, "bea": None}
    assert FLAG not in said.err
    # And the next batch moves such a year, although the table has a column more.
    more = with_another_line(tmp_path)
    said = done(console, "run-year", "--add", "--claims", more, "--output", output, "--year", "2022")
    assert "increment: computing 1 affected beneficiaries" in said.err
    assert flags(output) == {"ann": None, "bea": None}
    whole = Path(shutil.copytree(output, tmp_path / "whole"))
    done(console, "run-year", "--output", whole, "--year", "2022")
    assert content(whole, (DELIVERIES, *GOLD)) == content(output, (DELIVERIES, *GOLD))


def test_explain_does_not_take_it_for_false(console: Console, anew: Path, tmp_path: Path) -> None:
    """The deliveries are formed anew by a configuration without the flag, under the published cells that read it."""
    output = Path(shutil.copytree(anew, tmp_path / "output"))
    # Bea's region: no delivery with the service, of one.
    key = ("--year", "2022", "--geo", "04000")
    found = explain(console, output, "--indicator", SHARE, *key)
    assert (found["in_this_cell"]["numerator"], found["in_this_cell"][FLAG]) == (0, 0)

    done(console, "deliveries", "--output", output, "--year", "2022")

    found = explain(console, output, "--indicator", SHARE, *key)
    assert (found["cell"]["numerator"], found["in_this_cell"]) == (0, None)
    assert found["no_recount_because"] == (
        "trial_flag is not computed in silver/deliveries, which another configuration has formed since"
    )
    # A cell that does not need it is counted again, and the flag beside it is not known.
    inside = explain(console, output, "--indicator", "cube_007_001a_denom", *key)["in_this_cell"]
    assert (inside["numerator"], inside["denominator"], inside[FLAG]) == (1, 1, None)
    assert inside["contact_gp"] == 0


def test_any_other_column_is_refused_before_the_input_is_read(
    spark: SparkSession, console: Console, published_copied: Path, conf: Path
) -> None:
    store = Store.at(spark, str(published_copied))
    deliveries = deliveries_table(load_configuration())
    spark.sql(f"ALTER TABLE {store.identifier(deliveries)} ADD COLUMNS (remark STRING)")
    for job in ("run-year", "deliveries"):
        said = console.run(job, "--output", published_copied, "--year", "2022", "--conf", conf)
        assert said.code == 2
        (message,) = said.messages
        assert "has other columns than this version writes (it has remark beside them: another version" in message
        assert "stage 1" not in said.err
    assert FLAG not in read(published_copied, DELIVERIES)[0]


def test_a_year_that_a_run_left_without_a_mark_is_judged_by_its_rows(
    spark: SparkSession, published_copied: Path, conf: Path
) -> None:
    store = Store.at(spark, str(published_copied))
    shipped, declared = load_configuration(), load_configuration(str(conf))
    delivery_marker.clear(store, deliveries_table(shipped), [2022])
    warnings = []
    for configuration in (shipped, declared):
        store.create(deliveries_table(configuration))
        record = RunRecord("deliveries", [2023], configuration)
        warn_of_years_without_flags(store, configuration, record)
        warnings.append(record.warnings)
    assert warnings == [[], [NOTE]]
    # Read through a configuration that declares it, a table without it has it as null too.
    assert store.read(deliveries_table(declared)).where(F.col(FLAG).isNotNull()).isEmpty()
