"""Inputs of the field: each spoilt one gives the right rows, says what it is, or is refused; a sound one gives no note.

`CLAIMATLAS_HOSTILE=3000 pytest tests/hostile/test_hostile_field.py -k field` is the long hunt; with
`CLAIMATLAS_HOSTILE_KINDS=types,ids` of some kinds alone, from `CLAIMATLAS_HOSTILE_FIRST` on.
"""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from claimatlas.configuration import Configuration, load_configuration
from integration.console import Console
from pyspark.sql import DataFrame, SparkSession

from hostile.field import AS_OF, KINDS, Mutant, Part, csv_of, mutant_of, sound_of, whole, world
from hostile.field_judge import NOTED, REFUSED, SAME, SILENT, outcome_of, sound_tables, verdict_of
from hostile.mutations import MUTANTS, SEED, within

pytestmark = pytest.mark.integration

SECONDS = 120
SPOILT = MUTANTS if MUTANTS >= 1000 else MUTANTS // 4
SOUND = MUTANTS // 6 if MUTANTS >= 1000 else MUTANTS // 12
FIRST = int(os.environ.get("CLAIMATLAS_HOSTILE_FIRST", "0"))
CHOSEN = [kind for kind in os.environ.get("CLAIMATLAS_HOSTILE_KINDS", ",".join(KINDS)).split(",") if kind]


@pytest.fixture(autouse=True)
def _no_compiled_queries(request: pytest.FixtureRequest) -> None:
    """Compiling a query takes longer than running it on a few rows; the session is put back afterwards."""
    if "spark" in request.fixturenames:
        spark: SparkSession = request.getfixturevalue("spark")
        spark.conf.set("spark.sql.codegen.wholeStage", "false")
        spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load_configuration()


@pytest.fixture(scope="module")
def sound(spark: SparkSession, configuration: Configuration, tmp_path_factory: pytest.TempPathFactory):
    return sound_tables(spark, configuration, tmp_path_factory.mktemp("sound"))


NOTED_ALONE = (
    # A day is cut from its time whatever the hour, where no zone is given (section 6).
    "a date has a time of day, which was cut off",
    "22:00 or 23:00 without a zone",
    # A column that may be null may be absent (section 6).
    "the input has no column",
    # A delivery and a service count whoever the mother is; a bound of their own stops the many (section 5).
    "not in the population of the year",
    "outside 12 to 55 years",
    "are of a man",
    "negative lines match no service",
    # A missing attribute of the provider meets no rule, and may be absent (sections 4 and 6).
    "count in no group, as they have no",
)
"""What the rules let a run end well with, said in a note, however far a figure moves."""


def judged(
    spark: SparkSession, configuration: Configuration, sound: dict[str, DataFrame], mutant: Mutant, folder: Path
) -> tuple[str, str, list[str]]:
    """The verdict of a mutant, what is wrong with it, and what a person was told."""
    location = mutant.write(folder)
    try:
        with within(SECONDS):
            outcome = outcome_of(spark, configuration, mutant, location, sound)
    except Exception as error:
        return "failed", f"{type(error).__name__}: {str(error)[:300]}", []
    verdict, wrong = verdict_of(mutant, outcome)
    is_allowed = any(text in note for note in outcome.notes for text in NOTED_ALONE)
    large = {figure: effect for figure, effect in outcome.effects.items() if effect.is_large}
    if verdict == NOTED and not wrong and large and not is_allowed:
        wrong = f"national figures moved by more than 5 %, and the run goes on: {large}; told {outcome.notes}"
    told = [*outcome.notes, *outcome.reasons, *([outcome.refused] if outcome.refused else [])]
    shutil.rmtree(folder)
    return verdict, wrong, told


def is_surely_beyond(share: float | None, people: int) -> bool:
    """Whether a share of people is above 5 % and the lower end of its interval too, so that chance did not do it."""
    # Takes seconds to import: not when tests are only collected.
    from statsmodels.stats.proportion import proportion_confint

    return share is not None and proportion_confint(round(share * people), people, method="wilson")[0] > 0.05


def show(found: dict[str, Counter[str]]) -> None:
    """What became of the mutants so far, by kind."""
    outcomes = (SAME, NOTED, REFUSED, SILENT, "failed")
    print(f"\nfield, seed {SEED}, from {FIRST}: {sum(counts.total() for counts in found.values())} mutants")
    print(f"{'kind':<12}" + "".join(f"{name:>9}" for name in outcomes))
    for kind, counts in found.items():
        print(f"{kind:<12}" + "".join(f"{counts[name]:>9}" for name in outcomes), flush=True)


def test_no_field_mutant_changes_rows_in_silence(
    spark: SparkSession, configuration: Configuration, sound: dict[str, DataFrame], tmp_path: Path
) -> None:
    found: dict[str, Counter[str]] = {kind: Counter() for kind in CHOSEN}
    failures = []
    for number in range(FIRST, FIRST + SPOILT):
        kind = CHOSEN[number % len(CHOSEN)]
        mutant = mutant_of(kind, number)
        verdict, wrong, told = judged(spark, configuration, sound, mutant, tmp_path / str(number))
        found[kind][verdict] += 1
        if kind == "ids" and verdict == NOTED and is_surely_beyond(mutant.share, mutant.people):
            wrong = f"surely more than 5 % of the people do not match, and the run goes on: {told}"
        if wrong or verdict == "failed":
            failures.append(f"{mutant}: {verdict}: {wrong}")
            print(failures[-1], flush=True)
        if number % 100 == 99:
            show(found)
    show(found)
    assert not failures, f"seed {SEED}: {len(failures)} of {SPOILT}; kept in {tmp_path}\n" + "\n".join(failures[:80])


def test_sound_field_variations_give_no_note(
    spark: SparkSession, configuration: Configuration, sound: dict[str, DataFrame], tmp_path: Path
) -> None:
    alarms = []
    for number in range(FIRST, FIRST + SOUND):
        mutant = sound_of(number)
        verdict, wrong, told = judged(spark, configuration, sound, mutant, tmp_path / str(number))
        if verdict != SAME or told:
            alarms.append(f"{mutant}: {verdict} {wrong}: {told}")
            print(alarms[-1], flush=True)
    print(f"\nfield, seed {SEED}, from {FIRST}: {SOUND} sound variations, {len(alarms)} false alarms")
    assert not alarms, "\n".join(alarms)


# --- The judge itself ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("claims", "service_date", "2022-01-10"),
        ("claims", "hospital_id", "099"),
        ("population", "sex", "1"),
        ("hospital_stays", "discharge_date", "2024-01-01"),
    ],
)
def test_a_field_value_that_changed_in_silence_is_found(
    spark: SparkSession,
    configuration: Configuration,
    sound: dict[str, DataFrame],
    tmp_path: Path,
    table: str,
    column: str,
    value: str,
) -> None:
    """A judge that cannot fail proves nothing."""
    rows = [dict(row) for row in world()[table]]
    rows[0][column] = value
    mutant = Mutant("sentinels", 0, table, whole(table, rows, "csv"), "csv", column)
    assert judged(spark, configuration, sound, mutant, tmp_path / "x")[0] == SILENT


def test_a_field_row_that_is_lost_or_made_is_found(
    spark: SparkSession, configuration: Configuration, sound: dict[str, DataFrame], tmp_path: Path
) -> None:
    rows = world()["hospital_stays"]
    for turn, spoilt in enumerate((rows[1:], [*rows, rows[0]])):
        mutant = Mutant("beside", 0, "hospital_stays", whole("hospital_stays", spoilt, "csv"), "csv")
        assert judged(spark, configuration, sound, mutant, tmp_path / str(turn))[0] == SILENT
    mutant = Mutant("beside", 0, "hospital_stays", whole("hospital_stays", rows, "csv"), "csv")
    assert judged(spark, configuration, sound, mutant, tmp_path / "sound") == (SAME, "", [])


# --- Through the real command --------------------------------------------------------------------


def by_command(console: Console, location: Path, output: Path):
    options = ["--year", "2023", "--as-of", AS_OF.isoformat()]
    said = console.run("run-year", "--input", location, "--output", output, *options)
    assert not said.has_trace(), said.err
    return said


@pytest.mark.long
@pytest.mark.parametrize(("people", "code"), [(3, 0), (20, 3)], ids=["a few", "many"])
@pytest.mark.parametrize("table", ["population"])
def test_ids_that_do_not_match_by_the_real_command(
    console: Console, tmp_path: Path, table: str, people: int, code: int
) -> None:
    """Of 150 people a few are noted; what is above 5 % beyond chance (20 people: 8.8 % at least) stops the run."""
    ids = sorted({row["beneficiary_id"] for row in world()[table]})[:people]
    rows = [
        {**row, "beneficiary_id": row["beneficiary_id"].lstrip("0")} if row["beneficiary_id"] in ids else row
        for row in world()[table]
    ]
    location = Mutant("ids", 0, table, [Part(f"{table}.csv", rows)], "csv").write(tmp_path)
    said = by_command(console, location, tmp_path / "out")
    assert said.code == code, said.err
    assert f"{people} of 150 people with claims that indicators read" in said.err
    assert "in the population of no year" in said.err


@pytest.mark.long
def test_the_sound_field_world_by_the_real_command(console: Console, tmp_path: Path) -> None:
    location = Mutant("sound", 0, "claims", whole("claims", world()["claims"], "csv"), "csv").write(tmp_path)
    assert (location / "claims.csv").read_bytes() == csv_of(world()["claims"], list(world()["claims"][0]))
    said = by_command(console, location, tmp_path / "out")
    assert said.code == 0, said.err
    told = [line for line in said.messages if "not in the population" in line or "rejected" in line.split(":")[0]]
    assert told == [], said.err
