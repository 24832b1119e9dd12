"""Medians and directly standardised rates: the figures, worked by hand, and what a declaration may not say."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest
from claimatlas import __version__, cli
from claimatlas.cells.cube import cube, finest_counts
from claimatlas.cells.rows import Computable, Split, published_rows
from claimatlas.cells.standardised import rates_not_known
from claimatlas.checks.drift import NationalValue, judge_drift
from claimatlas.comparisons.comparisons_stage import CAN_HAVE_TREND, _can_have_trend, compared
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.snapshot import restored, snapshot
from claimatlas.configuration.validation import judge
from claimatlas.errors import InputError
from claimatlas.increments.base import why_not
from claimatlas.runs.archive import PastRun
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.runs.record import RunRecord
from claimatlas.sheets.files import sheet_files
from claimatlas.tables.schemas import BENEFICIARY_CELLS, configured
from claimatlas.tables.store import Store
from comparison import CONF, read
from examples import TEXT_CODES, Edit, editor_of
from pyspark.sql import SparkSession
from reference import rates

RATE, MEDIAN, CRUDE = "scanned_standardised", "scans_of_the_middle", "scanned_women"
STANDARD = "standards/invented_ages.yaml"
RATE_FILE, MEDIAN_FILE = f"indicators/{RATE}.yaml", f"indicators/{MEDIAN}.yaml"
YEAR = 2022
MEMBERS = (
    "year int, district string, sector string, age_category string, sex string, age int, recorded_sex string, "
    "quantity_scan bigint"
)


@pytest.fixture(scope="module")
def example() -> Configuration:
    return load_configuration(str(TEXT_CODES))


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    return editor_of(TEXT_CODES, tmp_path)


def member(age: int | None, scans: int, district: str | None = "N1", sex: str = "female") -> tuple[Any, ...]:
    label = "unknown" if age is None else "0-17" if age < 18 else "18-64" if age < 65 else "65+"
    return (YEAR, district, None, label, sex, age, sex, scans)


def members(strata: dict[int, tuple[int, int]], **where: Any) -> list[tuple[Any, ...]]:
    """So many members of each age, so many of them with a scan."""
    return [
        member(age, int(number < scanned), **where) for age, (scanned, of) in strata.items() for number in range(of)
    ]


def cells(
    spark: SparkSession, example: Configuration, people: Sequence[tuple[Any, ...]], *ids: str
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The published rows of some indicators by indicator, place, age class and sex."""
    indicators = [one for one in example.indicators if one.id in ids]
    own = example.dimensions.of("beneficiary_years")
    rows = spark.createDataFrame(list(people), MEMBERS)
    finest = finest_counts(rows, own, indicators, ["district", "sector"])
    counted = cube(finest, "beneficiary_years", indicators, example, [YEAR])
    computable = Computable({(one.id, YEAR): "final" for one in indicators}, example.geography.levels)
    published = published_rows(counted, Split.of("beneficiary_years", example), indicators, computable)
    return {
        (row["indicator_id"], row["geo_code"], row["age_category"], row["sex"]): row.asDict()
        for row in published.collect()
    }


# --- Standardised rates -----------------------------------------------------------------------------------


def test_a_rate_worked_by_hand(spark: SparkSession, example: Configuration) -> None:
    """Weights 20, 60, 20 of 100; 1 of 10, 5 of 20 and 2 of 5 people have a scan.

    Rate: 0.2 x 0.1 + 0.6 x 0.25 + 0.2 x 0.4 = 0.02 + 0.15 + 0.08 = 0.25: 250 per 1,000. Crude: 8 of 35.
    Variance: 0.04 x 1/100 + 0.36 x 5/400 + 0.04 x 2/25 = 0.0004 + 0.0045 + 0.0032 = 0.0081.
    Cases: 8, so a case weighs sqrt(0.0081 / 8) = 0.0318198.
    Byar: 8 (1 - 1/72 - z/(3 sqrt 8))^3 = 3.4447; 9 (1 - 1/81 + z/9)^3 = 15.7640.
    Bounds: 0.25 + 0.0318198 (3.4447 - 8) = 0.10505; 0.25 + 0.0318198 (15.7640 - 8) = 0.49705.
    """
    strata = {5: (1, 10), 40: (5, 20), 70: (2, 5)}
    # Two people of unknown age are in no stratum: the rate stays, the published counts have them.
    people = [*members(strata), member(None, 1), member(None, 0)]
    row = cells(spark, example, people, RATE)[RATE, "N1", "all", "all"]
    assert (row["numerator"], row["denominator"]) == (9, 37)
    assert row["value"] == pytest.approx(250)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((105.05, 497.05), abs=0.005)
    expected = rates.standardised({"0-17": [1, 10], "18-64": [5, 20], "65+": [2, 5]}, WEIGHTS, "per_1000")
    assert (row["value"], row["ci_low"], row["ci_high"]) == pytest.approx(expected, rel=1e-12)


WEIGHTS = {"0-17": 20, "18-64": 60, "65+": 20}


def test_equal_shares_give_the_same_rate_whatever_the_ages(spark: SparkSession, example: Configuration) -> None:
    found = cells(spark, example, members({5: (1, 2), 40: (50, 100), 70: (3, 6)}), RATE)
    assert found[RATE, "N1", "all", "all"]["value"] == 500


def test_a_stratum_with_nobody_in_it_leaves_the_rate_unknown(spark: SparkSession, example: Configuration) -> None:
    """The others are never weighed anew; the counts stay."""
    people = [
        *members({5: (1, 2), 40: (1, 2), 70: (1, 2)}, district="N1"),
        *members({5: (1, 2), 40: (1, 2)}, district="N2", sex="male"),
    ]
    found = cells(spark, example, people, RATE)
    for key, known in {
        ("N1", "all"): True,
        ("N1", "female"): True,
        ("N2", "all"): False,
        ("N2", "male"): False,
        ("N", "all"): True,
        ("N", "male"): False,
    }.items():
        row = found[RATE, key[0], "all", key[1]]
        assert (row["value"] is not None, row["ci_low"] is not None) == (known, known), key
        assert row["denominator"] > 0
    # The place without a member has a row, as ever; and no row is split by the strata.
    assert found[RATE, "S1", "all", "all"]["denominator"] == 0
    assert {key[2] for key in found} == {"all"}
    said = list(rates_not_known(pa.Table.from_pylist(list(found.values())), example, [YEAR, 2023]))
    assert said == [
        f"{RATE} {YEAR}: the standardised rate of 4 of 10 cells is not known, as nobody is in one of the strata of "
        "invented_ages."
    ]


@pytest.mark.parametrize(
    ("strata", "expected"),
    [
        # No case: 0, and no interval, as the variance is 0 too.
        ({5: (0, 3), 40: (0, 3), 70: (0, 3)}, (0.0, None, None)),
        # Everybody: exactly the scale, where the interval ends.
        ({5: (3, 3), 40: (7, 7), 70: (1, 1)}, (1000.0, None, 1000.0)),
        # One case of three people: 0.2/3; a case weighs as much. Byar: 0.01307 and 5.5638, so 0.0666667 x each of them.
        ({5: (1, 3), 40: (0, 3), 70: (0, 3)}, (1000 * 0.2 / 3, 0.8715, 370.92)),
    ],
)
def test_the_ends_of_an_interval(
    spark: SparkSession,
    example: Configuration,
    strata: dict[int, tuple[int, int]],
    expected: tuple[float, float | None, float | None],
) -> None:
    row = cells(spark, example, members(strata), RATE)[RATE, "N1", "all", "all"]
    reference = rates.standardised(
        {label: list(counts) for label, counts in zip(WEIGHTS, strata.values(), strict=True)}, WEIGHTS, "per_1000"
    )
    for name, hand, by_reference in zip(("value", "ci_low", "ci_high"), expected, reference, strict=True):
        assert row[name] == (None if by_reference is None else pytest.approx(by_reference, rel=1e-12))
        if hand is not None:
            assert row[name] == pytest.approx(hand, rel=2e-3)


def test_a_stratum_without_weight_counts_for_nothing(spark: SparkSession, edit: Edit) -> None:
    conf = load_configuration(str(edit(STANDARD, weights={"0-17": 0, "18-64": 3, "65+": 1})))
    found = cells(spark, conf, members({5: (2, 2), 40: (1, 4), 70: (1, 2)}), RATE)[RATE, "N1", "all", "all"]
    # (3 x 1/4 + 1 x 1/2) / 4 = 0.3125
    assert found["value"] == pytest.approx(312.5)
    without = cells(spark, conf, members({40: (1, 4), 70: (1, 2)}), RATE)[RATE, "N1", "all", "all"]
    assert [without[name] for name in ("value", "ci_low", "ci_high")] == [
        found[name] for name in ("value", "ci_low", "ci_high")
    ]


# --- Medians ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scans", "expected"),
    [([3], 3), ([0, 0, 5], 0), ([1, 4], 2.5), ([0, 1, 2, 9], 1.5), ([2, 2, 2, 7, 9], 2), ([0, 0, 0, 0, 1, 1, 1], 0)],
)
def test_a_median_is_the_middle_one(
    spark: SparkSession, example: Configuration, scans: list[int], expected: float
) -> None:
    people = [member(30, number) for number in scans]
    # A man and a child are not in the denominator.
    people += [member(30, 50, sex="male"), member(5, 50)]
    row = cells(spark, example, people, MEDIAN)[MEDIAN, "N1", "all", "all"]
    assert (row["numerator"], row["denominator"], row["value"]) == (sum(scans), len(scans), expected)
    assert row["ci_low"] is row["ci_high"] is None
    assert rates.median(scans) == expected


def test_a_median_of_a_larger_place_is_that_of_its_members(spark: SparkSession, example: Configuration) -> None:
    """Not the median, nor the mean, of the medians of its parts; it goes with other indicators in one cube."""
    people = [member(30, scans, district) for district, own in PLACES.items() for scans in own]
    found = cells(spark, example, people, MEDIAN, CRUDE, RATE)
    medians = {code: found[MEDIAN, code, "all", "all"]["value"] for code in ("N1", "N2", "N", "XX", "S1")}
    assert medians == {"N1": 1, "N2": 8, "N": 1, "XX": 2, "S1": None}
    assert found[MEDIAN, "N1", "18-64", "all"]["value"] == 1
    assert found[MEDIAN, "S1", "all", "all"]["denominator"] == 0
    assert found[CRUDE, "XX", "all", "all"]["numerator"] == 11


PLACES: dict[str | None, list[int]] = {"N1": [1, 1, 1, 1, 1], "N2": [7, 8, 9], None: [9, 9, 2]}


# --- Deliveries and hospitals -----------------------------------------------------------------------------


def test_hospitals_have_medians_and_rates_too(spark: SparkSession, edit: Edit) -> None:
    """Weights 1 and 3: caesareans 1 of 2, vaginal deliveries 1 of 4 are seen: (1 x 0.5 + 3 x 0.25) / 4 = 0.3125."""
    levels = ["country", "hospital"]
    common: dict[str, Any] = {"population": "deliveries", "levels": levels, "dimensions": [], "denominator": None}
    edit(STANDARD, dimension="delivery_type", weights={"caesarean": 1, "vaginal": 3})
    edit(RATE_FILE, **common, numerator={"with_any": ["seen"]}, unit="percent")
    nights = {**common, "denominator": {"with_known_stay": True}}
    conf = load_configuration(str(edit(MEDIAN_FILE, **nights, numerator={"nights_after_delivery": True})))
    indicators = [one for one in conf.indicators if one.id in (RATE, MEDIAN)]
    schema = (
        "year int, district string, hospital_id string, age_category string, delivery_type string, "
        "delivery_kind string, seen boolean, nights_after_delivery int"
    )
    rows = [
        *[(YEAR, "N1", "H1", "30+", "caesarean", "caesarean", seen, n) for seen, n in ((True, 7), (False, None))],
        *[(YEAR, "N1", "H1", "30+", "vaginal", "vaginal", seen, 2) for seen in (True, False, False, False)],
        (YEAR, "N1", "H2", "<30", "caesarean", "caesarean", True, 5),
        (YEAR, "N2", None, "<30", "vaginal", "vaginal", False, 3),
    ]
    own = conf.dimensions.of("deliveries")
    finest = finest_counts(spark.createDataFrame(rows, schema), own, indicators, ["district", "hospital_id"])
    counted = cube(finest, "deliveries", indicators, conf, [YEAR])
    computable = Computable({(one.id, YEAR): "final" for one in indicators}, conf.geography.levels)
    published = published_rows(counted, Split.of("deliveries", conf), indicators, computable).collect()
    found = {(row["indicator_id"], row["geo_code"]): row for row in published}
    assert {key: row["value"] for key, row in found.items()} == {
        (RATE, "XX"): pytest.approx(100 * (2 / 3 + 3 * 1 / 5) / 4),
        (RATE, "H1"): pytest.approx(31.25),
        # No vaginal delivery: not known.
        (RATE, "H2"): None,
        (MEDIAN, "XX"): 2.0,
        (MEDIAN, "H1"): 2.0,
        (MEDIAN, "H2"): 5.0,
    }
    assert {row["delivery_type"] for row in published} == {"all"}
    assert (found[RATE, "H2"]["numerator"], found[RATE, "H2"]["denominator"]) == (1, 1)
    assert (found[MEDIAN, "XX"]["numerator"], found[MEDIAN, "XX"]["denominator"]) == (23, 7)


# --- What a declaration may not say -----------------------------------------------------------------------

MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    (RATE_FILE, {"standardised": "european"}, "standardised: there is no standards/european.yaml; standards/ has inv"),
    (RATE_FILE, {"unit": "mean"}, "unit: mean goes with the numerator quantity_of_service"),
    (RATE_FILE, {"unit": "count"}, "standardised: only a share is standardised: the unit must be one of percent"),
    (RATE_FILE, {"numerator": {"quantity_of_service": "scan"}}, "standardised: only a share is standardised: the num"),
    (RATE_FILE, {"numerator": {"all": True}}, "standardised: only a share is standardised: the numerator must count"),
    (
        RATE_FILE,
        {"dimensions": ["age_category"]},
        "standardised: standards/invented_ages.yaml weighs the values of age",
    ),
    (RATE_FILE, {"dimensions": [], "levels": ["country", "sector"]}, "standardised: figures by sector are split by"),
    (
        RATE_FILE,
        {"population": "deliveries", "numerator": {"with_any": ["seen"]}, "dimensions": []},
        "standardised: standards/invented_ages.yaml: weights: the value '<30' of age_category of the population deli",
    ),
    (STANDARD, {"weights": {"0-17": 1, "18-64": 1}}, "weights: the value '65+' of age_category of the population ben"),
    (STANDARD, {"weights": {**WEIGHTS, "85+": 1}}, "weights.85+: age_category of the population beneficiary_years ha"),
    (STANDARD, {"weights": {**WEIGHTS, "65+": -1}}, "weights.65+: Input should be greater than or equal to 0"),
    (STANDARD, {"weights": {**WEIGHTS, "65+": "much"}}, "weights.65+: Input should be a valid number"),
    (STANDARD, {"weights": {**WEIGHTS, "65+": math.inf}}, "weights.65+: Input should be "),
    (STANDARD, {"weights": dict.fromkeys(WEIGHTS, 0)}, "weights: one weight at least must be above 0"),
    (STANDARD, {"dimension": "ages"}, "dimension: dimensions.yaml has no 'ages'; there are age_category"),
    (STANDARD, {"dimension": "provider_kind"}, "dimension: provider_kind is a column of the claim lines"),
    (STANDARD, {"dimension": "sex", "weights": {"female": 1, "man": 1}}, "weights: the value 'male' of sex of the po"),
    (STANDARD, {"source": None}, "source: this key is missing"),
    (STANDARD, {"names": {"fr": "population inventée"}}, "names.en: this key is missing"),
    (STANDARD, {"weight": 3}, "weight: unknown key"),
    (MEDIAN_FILE, {"numerator": {"with_service": "scan"}}, "unit: median goes with the numerators nights_after_deliv"),
    (MEDIAN_FILE, {"dimensions": ["provider_kind"]}, "dimensions: provider_kind is a column of the claim lines: a me"),
    (MEDIAN_FILE, {"standardised": "invented_ages"}, "standardised: only a share is standardised"),
]


@pytest.mark.parametrize(("file", "keys", "message"), MISTAKES, ids=[message[:60] for *_, message in MISTAKES])
def test_a_mistake_is_refused_with_file_line_and_key(edit: Edit, file: str, keys: dict[str, Any], message: str) -> None:
    conf = edit(file, **keys)
    found = [one for one in judge(str(conf)).mistakes if message in one]
    assert found, judge(str(conf)).mistakes
    assert found[0].startswith(f"{file}"), found
    assert ", line " in found[0] or "missing" in found[0]
    with pytest.raises(InputError) as refused:
        load_configuration(str(conf))
    assert message in str(refused.value)


def test_nights_have_a_median_too(tmp_path: Path) -> None:
    conf = Path(shutil.copytree(CONF, tmp_path / "conf"))
    file = conf / "indicators" / "cube_007_007a.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("unit: mean_nights", "unit: median"), encoding="utf-8")
    (found,) = [one for one in load_configuration(str(conf)).indicators if one.id == "cube_007_007a"]
    assert found.unit == "median"


def test_an_unused_standard_is_a_note(edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    conf = edit(RATE_FILE, standardised=None)
    assert cli.main(["validate", "--conf", str(conf)]) == 0
    said = capsys.readouterr()
    assert "standard population invented_ages: 3 values of age_category" in said.out
    assert "standards/invented_ages.yaml: no indicator is standardised to it." in said.err


# --- Hashes and snapshots ---------------------------------------------------------------------------------


def test_the_weights_are_in_the_hashes_and_in_the_snapshot(edit: Edit, example: Configuration) -> None:
    assert "standards" not in load_configuration().hashes
    files = snapshot(example)
    assert files[STANDARD] == (TEXT_CODES / STANDARD).read_text(encoding="utf-8")
    with restored(files) as again:
        assert again.hashes == example.hashes
        assert again.standards == example.standards
    renamed = load_configuration(str(edit(STANDARD, source="Another text.")))
    assert renamed.hashes == example.hashes
    changed = load_configuration(str(edit(STANDARD, weights={**WEIGHTS, "65+": 21})))
    assert {name for name, digest in changed.hashes.items() if digest != example.hashes[name]} == {"standards"}


# --- Who reads the figures --------------------------------------------------------------------------------


def test_no_counts_are_drawn_for_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--output", str(tmp_path / "drawn"), "--beneficiaries", "500", "--years", "2022", "--seed", "1"]
    assert cli.main(["generate", "--counts", *options, "--conf", str(TEXT_CODES)]) == 0
    assert f"medians and standardised rates follow from no counts: {RATE}, {MEDIAN}." in capsys.readouterr().err
    drawn = {row["indicator_id"] for row in read(tmp_path / "drawn", "gold/beneficiary_years")}
    assert CRUDE in drawn
    assert not drawn & {RATE, MEDIAN}


def test_a_batch_asks_for_a_full_run(example: Configuration) -> None:
    """Published counts give neither a median nor the strata of a rate."""
    base = PastRun("r", {"job": "run_year", "years": [YEAR], "package_version": __version__}, {})
    base.record.update(hashes=example.hashes, silver={"run_id": "r", "batches": ["r"]}, deliveries_run={})
    store = SimpleNamespace(exists=lambda table: False)
    context = RunContext(cast(Store, store), example, (YEAR,), RunRecord("run_year", (YEAR,), example))
    found = why_not(base, context, SilverFacts(run_id="s", batches=("r", "s")))
    assert found == "an indicator is a median or a standardised rate, which published counts do not give"


def test_a_rate_is_compared_and_has_no_trend(spark: SparkSession) -> None:
    rows = [
        (name, year, level, code, 10 * (year - 2017), 100, float(value), low, high, name == "crude")
        for name in ("crude", "rate")
        for year in range(2018, 2023)
        for level, code, value, low, high in (("country", "XX", 30, 25.0, 35.0), ("region", "N", 40, 31.0, 50.0))
    ]
    names = "indicator_id string, year int, geo_level string, geo_code string, numerator bigint, denominator bigint, "
    names += f"value double, ci_low double, ci_high double, {CAN_HAVE_TREND} boolean"
    found = {
        (row["indicator_id"], row["geo_level"]): (row["comparison"], row["trend"])
        for row in compared(spark.createDataFrame(rows, names), "country").where("year = 2022").collect()
    }
    assert found == {
        ("crude", "country"): (None, "rising"),
        ("crude", "region"): ("higher", "rising"),
        ("rate", "country"): (None, None),
        ("rate", "region"): ("higher", None),
    }


def test_what_is_not_declared_any_more_has_a_trend_where_its_values_are_shares(
    spark: SparkSession, example: Configuration
) -> None:
    rows = [
        ("not_seen", 10, 100, 10.0),
        (RATE, 10, 100, 10.0),
        ("gone_share", 1, 3, 100 / 3),
        ("gone_share", 0, 0, None),
        ("gone_rate", 10, 100, 10.0),
        ("gone_rate", 10, 100, 12.5),
    ]
    frame = spark.createDataFrame(rows, "indicator_id string, numerator bigint, denominator bigint, value double")
    found = frame.groupBy("indicator_id").agg(_can_have_trend(example).alias("can")).collect()
    assert {row["indicator_id"]: row["can"] for row in found} == {
        "not_seen": True,
        RATE: False,
        "gone_share": True,
        "gone_rate": False,
    }


def test_drift_says_why_a_rate_is_gone(example: Configuration) -> None:
    now = {("rate", "XX", 2022): NationalValue(None, "final", "b", has_members=True)}
    before = {("rate", "XX", 2022): NationalValue(10.0, "final", "a", has_members=True)}
    (found,) = judge_drift(now, before, [2022], example.settings.checks)
    assert not found.ok
    assert "rate 2022 has nobody in one of its strata; the value of run a is 10." in found.sentence


def test_intervals_beyond_a_hundred_fit_the_table_of_such_rates_alone(example: Configuration) -> None:
    shipped = dict(configured(BENEFICIARY_CELLS, load_configuration()).constraints)["interval_holds_value"]
    wider = dict(configured(BENEFICIARY_CELLS, example).constraints)["interval_holds_value"]
    assert shipped == f"{wider[:-1]} AND ci_high <= 100)"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["per 1,000 beneficiaries, directly standardised", "value = 1,000 ×", "“Invented population", "Dobson"]),
        ("fr", ["standardisation directe", "Population de référence", "méthode de Dobson", "| 18-64 | 60 |"]),
        ("nl", ["direct gestandaardiseerd", "Standaardbevolking", "methode van Dobson", "het ruwe cijfer"]),
        ("de", ["direkt standardisiert", "Standardbevölkerung", "Verfahren von Dobson", "die rohe Rate"]),
    ],
)
def test_the_sheets_say_how_and_by_which_population(tmp_path: Path, language: str, words: list[str]) -> None:
    conf = Path(shutil.copytree(TEXT_CODES, tmp_path / "conf"))
    for path in conf.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("{en: ", f"{{{language}: ").replace("languages: [en]", f"languages: [{language}]"))
    for path in (conf / "codelists").glob("*.csv"):
        path.write_text(path.read_text(encoding="utf-8").replace("label_en", f"label_{language}"), encoding="utf-8")
    files = sheet_files(load_configuration(str(conf)), [language], ["md"], [RATE, MEDIAN])
    text = files[f"{language}/{RATE}.md"]
    assert not [word for word in words if word not in text], text
    assert "Invented for this example; it describes no population." in text
    assert "`standards/invented_ages.yaml`" in text
    assert "Cochran-Armitage" not in text
    assert "Wilson" not in text
    assert any(word in files[f"{language}/{MEDIAN}.md"].lower() for word in ("median", "médiane", "mediaan"))


def test_explain_says_the_standard_and_why_there_is_no_value() -> None:
    explanation: dict[str, Any] = {
        "cell": {"indicator_id": RATE, "year": YEAR, "geo_level": "region", "geo_code": "N", "value": None}
        | {"numerator": 1, "denominator": 4, "ci_low": None, "ci_high": None, "status": "final"},
        "indicator": {"names": {"en": "A rate"}, "unit": "per_1000", "observed_until": "2022-12-31"},
        "standard": {"name": "ages", "dimension": "age_category", "source": "A book."},
        "no_value_because": "nobody is in one of the strata of ages that have a weight",
        "claims": {"complete_through": "2022-12-31"},
    }
    from claimatlas.explanations.text import _cell

    said = list(_cell({**explanation, "not_computable_because": None, "comparison": None}))
    assert "value        none: nobody is in one of the strata of ages that have a weight" in said
    assert "standard     ages, by age_category: A book." in said
