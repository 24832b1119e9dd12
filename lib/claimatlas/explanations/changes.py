"""Compare two runs: the cells that differ, and the part of each cause in the national difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas import __version__
from claimatlas.configuration.snapshot import restored
from claimatlas.errors import InputError
from claimatlas.explanations.recomputation import NOTHING, Counts, National, national_counts, recompute
from claimatlas.ingest.silver_marker import KEY
from claimatlas.runs.archive import PastRun, past_run
from claimatlas.spark.columns import all_of
from claimatlas.tables.published import aligned, summed_where_null
from claimatlas.tables.schemas import Table, dimensions_among
from claimatlas.tables.store import Store

CELL_KEY = ("indicator_id", "year", "geo_level", "geo_code")
"""The key columns of a cell, beside its dimensions."""
_FIGURES = ("numerator", "denominator", "value", "ci_low", "ci_high", "status")

PROGRAM, CLAIMS, POPULATION, CODE_LISTS, GEOGRAPHY, SETTINGS = (
    "program",
    "claims",
    "population",
    "code lists",
    "geography",
    "settings",
)
"""The causes, in the order in which they are replaced."""

_INPUTS = {CLAIMS: ("silver/claims", "silver/hospital_stays"), POPULATION: ("silver/population",)}
_FILES: dict[str, Callable[[str], bool]] = {
    CODE_LISTS: lambda name: name.startswith("codelists/"),
    GEOGRAPHY: lambda name: name.startswith("geography/"),
    SETTINGS: lambda name: not name.startswith(("codelists/", "geography/")),
}


@dataclass(frozen=True)
class Inputs:
    """The inputs of a run's figures, without the program: the facts of silver, and the configuration's files.

    ``population_key`` names the key of the pseudonyms in the population; that of the claims is in ``silver``.
    """

    silver: dict[str, Any]
    files: dict[str, str]
    population_key: str | None = None

    @staticmethod
    def of(run: PastRun) -> Inputs:
        """The inputs of a past run."""
        return Inputs(run.silver, run.configuration, run.silver.get(KEY))

    def with_cause(self, cause: str, other: Inputs) -> Inputs:
        """These inputs with one cause changed to the other's."""
        if cause in _FILES:
            belongs = _FILES[cause]
            files = {name: text for name, text in self.files.items() if not belongs(name)}
            files |= {name: text for name, text in other.files.items() if belongs(name)}
            return Inputs(self.silver, files, self.population_key)
        versions = {**self.silver["versions"], **{name: other.silver["versions"][name] for name in _INPUTS[cause]}}
        silver = {**(other.silver if cause == CLAIMS else self.silver), "versions": versions}
        return Inputs(silver, self.files, (other if cause == POPULATION else self).population_key)


@dataclass(frozen=True)
class Step:
    """The country's counts before and after a cause was changed."""

    cause: str
    before: National
    after: National


@dataclass(frozen=True)
class Difference:
    """The cells of ``years`` that differ between two runs, their key, and the steps from one run to the other."""

    earlier: PastRun
    later: PastRun
    years: tuple[int, ...]
    cells: DataFrame
    key: tuple[str, ...]
    steps: tuple[Step, ...]


def resolve_run(store: Store, text: str) -> str:
    """The run that is meant: a run's id, or a version of the table with the cells of deliveries.

    Raises:
        InputError: no run wrote that version.
    """
    if not text.isdecimal():
        return text
    _, table = store.cell_tables
    if not store.exists(table):
        raise InputError(f"There is no table {table.name} in {store.root}.")
    runs = store.runs_by_version(table)
    if int(text) not in runs:
        there = ", ".join(f"{version}: {run}" for version, run in sorted(runs.items()))
        raise InputError(f"No run wrote version {text} of {table.name} in {store.root}; there are {there}.")
    return runs[int(text)]


def compare_runs(store: Store, earlier_id: str, later_id: str) -> Difference:
    """Compare two runs in the years that both computed.

    The national difference is split by changing one cause at a time, in a fixed order, from the first
    run's inputs to the second's, and computing again: the steps add up to the whole difference exactly.

    Raises:
        InputError: a run is unknown, they have no year in common, or a version is no longer kept.
    """
    earlier, later = past_run(store, earlier_id), past_run(store, later_id)
    years = tuple(sorted(set(earlier.record["years"]) & set(later.record["years"])))
    if not years:
        raise InputError(f"The runs {earlier_id} and {later_id} have no year in common.")
    written_by = {table: store.runs_by_version(table) for table in store.cell_tables if store.exists(table)}
    old, new = (_published(store, run_id, written_by, years) for run_id in (earlier_id, later_id))
    steps = _steps(
        store,
        (earlier, _national(old, earlier)),
        (later, _national(new, later)),
        years,
    )
    names = [name for tables in (old, new) for cells in tables for name in dimensions_among(cells.column_names)]
    dimensions = list(dict.fromkeys(names))
    before, after = (_as_frames(store, tables, dimensions) for tables in (old, new))
    # Materialise: both the counts and the file of cells are made from it.
    cells = store.materialise(_changed_cells(before, after, dimensions), "changed_cells")
    return Difference(earlier, later, years, cells, (*CELL_KEY, *dimensions), tuple(steps))


def _published(
    store: Store, run_id: str, written_by: Mapping[Table, Mapping[int, str]], years: Sequence[int]
) -> list[pa.Table]:
    """What a run wrote into the tables of cells; ``written_by``: the run behind each of their versions."""
    tables = []
    for table, runs in written_by.items():
        versions = [version for version, run in runs.items() if run == run_id]
        if versions:
            tables.append(store.arrow(table, max(versions), years))
    if not tables:
        raise InputError(f"The run {run_id} published no indicator in {store.root}.")
    return tables


def _national(tables: Sequence[pa.Table], run: PastRun) -> National:
    return national_counts(tables, run.record["settings"]["geography"]["levels"][0])


def _as_frames(store: Store, tables: Sequence[pa.Table], dimensions: Sequence[str]) -> list[DataFrame]:
    """The cells as Spark has them, with the dimensions of either run: what one run did not have is summed over."""
    return [store.spark.createDataFrame(summed_where_null(aligned(rows, dimensions))) for rows in tables]


def _changed_cells(old: Sequence[DataFrame], new: Sequence[DataFrame], dimensions: Sequence[str]) -> DataFrame:
    """One row per cell whose figures differ, or that only one run has: ``old_<figure>`` and ``new_<figure>``."""
    key = [*CELL_KEY, *dimensions]
    before, after = (_with_prefix(tables, key, prefix) for tables, prefix in ((old, "old_"), (new, "new_")))
    both = before.join(after, on=key, how="full_outer")
    same = all_of(F.col(f"old_{name}").eqNullSafe(F.col(f"new_{name}")) for name in (*_FIGURES, "there"))
    return both.where(~same).drop("old_there", "new_there")


def _with_prefix(tables: Sequence[DataFrame], key: Sequence[str], prefix: str) -> DataFrame:
    cells = reduce(DataFrame.unionByName, tables)
    figures = [F.col(name).alias(prefix + name) for name in _FIGURES]
    return cells.select(*key, *figures, F.lit(True).alias(f"{prefix}there"))


def _steps(
    store: Store, earlier: tuple[PastRun, National], later: tuple[PastRun, National], years: Sequence[int]
) -> list[Step]:
    """From the first run's published counts to the second's, one cause at a time."""
    (first, published), (second, goal) = earlier, later
    inputs, target = Inputs.of(first), Inputs.of(second)
    current = published
    steps: list[Step] = []

    def move(cause: str, after: National) -> None:
        nonlocal current
        steps.append(Step(cause, current, after))
        current = after

    # A run of another version of the program is repeated with this one first, so that the program is a cause too.
    if first.record["package_version"] != __version__:
        move(PROGRAM, _computed(store, inputs, years, len(steps)))
    causes = [cause for cause in (*_INPUTS, *_FILES) if _differs(cause, inputs, target)]
    together: list[str] = []
    for cause in causes:
        inputs = inputs.with_cause(cause, target)
        together.append(cause)
        is_last = cause == causes[-1]
        if is_last and second.record["package_version"] == __version__:
            move(" and ".join(together), goal)
        elif _fits(inputs):
            move(" and ".join(together), _computed(store, inputs, years, len(steps)))
            together = []
    if current != goal:
        move(PROGRAM, goal)
    return steps


def _differs(cause: str, inputs: Inputs, target: Inputs) -> bool:
    if cause in _INPUTS:
        return any(inputs.silver["versions"][name] != target.silver["versions"][name] for name in _INPUTS[cause])
    return inputs.with_cause(cause, target).files != inputs.files


def _fits(inputs: Inputs) -> bool:
    """Whether parts of two runs fit together; if not, the next cause is changed with this one.

    Claims and people whose ids were made with two keys do not, nor do files of some configurations.
    """
    if inputs.silver.get(KEY) != inputs.population_key:
        return False
    try:
        with restored(inputs.files):
            return True
    except InputError:
        return False


def _computed(store: Store, inputs: Inputs, years: Sequence[int], number: int) -> National:
    with restored(inputs.files) as configuration:
        return recompute(store, f"recomputed_{number}", configuration, inputs.silver, years)


def change(
    before: Mapping[tuple[str, int], Counts], after: Mapping[tuple[str, int], Counts], key: tuple[str, int]
) -> Counts:
    """How much numerator and denominator change; null where one of them is not known."""
    pairs = zip(before.get(key, NOTHING), after.get(key, NOTHING), strict=True)
    numerator, denominator = (None if old is None or new is None else new - old for old, new in pairs)
    return numerator, denominator
