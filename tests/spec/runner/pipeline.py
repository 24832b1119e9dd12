"""Run cases through the pipeline's own stages, many at once, with tables held in memory.

A run of a few rows costs as much as one of many, so cases share runs. Each case gets ids of its own;
what a case expects of single persons, deliveries or input rows cannot be touched by another case then.
Cells and counts sum over persons: cases that expect some share a run only if their years are apart.
"""

import csv
import json
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from claimatlas.cells.indicators_stage import compute_indicators
from claimatlas.commands.stages import complete_through
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.load import shipped_folder
from claimatlas.deliveries.deliveries_stage import compute_deliveries
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.read.rows import SOURCE_FILE
from claimatlas.ingest.validate.duplicates import RANK, rank_duplicates
from claimatlas.ingest.validate.rows import REASONS, ROW, RowExtras, RowRules, validate_rows
from claimatlas.population.domicile import carrying_table, sector_years, with_domicile
from claimatlas.population.services import quantities_of_beneficiaries, services_of_years
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.runs.record import RunRecord
from claimatlas.tables.schemas import BATCH, CLAIMS, Table, deliveries_table
from claimatlas.tables.store import Store
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.utils import is_remote
from shipped import CELL_TABLES, IMAGING, INPUT_TABLES, POPULATION, POSTNATAL
from spec.runner.compare import Cells, Found, by_key
from spec.runner.scenario import Case, rows_of_code_list, settings_of
from spec.runner.tables import Row

LINE = "scenario_line"
"""A column beside the input's own: which case, table and row."""

TINY_TABLES = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""Without compiling a program for each query of a few rows a run takes a third of the time."""


class MemoryStore(Store):
    """A store without files: what is kept or written is computed once and held by Spark."""

    def __init__(self, spark: SparkSession) -> None:
        super().__init__(spark, "memory://", CELL_TABLES)
        self.tables: dict[str, DataFrame] = {}

    def exists(self, table: Table) -> bool:
        return table.name in self.tables

    def create(self, table: Table) -> None:
        self.tables.setdefault(table.name, self.spark.createDataFrame([], table.schema))

    def read(self, table: Table) -> DataFrame:
        return self.tables[table.name]

    def materialise(self, df: DataFrame, name: str) -> DataFrame:
        return held(df)

    def replace(
        self, df: DataFrame, table: Table, where: str | None, metadata: Mapping[str, str], *, is_few: bool = False
    ) -> None:
        self.tables[table.name] = held(self._checked(df, table))

    def replace_years(
        self, df: DataFrame, table: Table, years: Sequence[int], order: Sequence[str], metadata: Mapping[str, str]
    ) -> pa.Table:
        rows = self._checked(df, table).toArrow()
        self.tables[table.name] = self.spark.createDataFrame(rows, table.schema)
        return rows

    def arrow(self, table: Table, version: int | None = None, years: Sequence[int] | None = None) -> pa.Table:
        return self.tables[table.name].toArrow()


def held(df: DataFrame) -> DataFrame:
    """Computed once, and held by Spark; another engine, which may hold nothing, is given its rows again."""
    if not is_remote():
        return df.localCheckpoint()
    return df.sparkSession.createDataFrame(df.toArrow(), df.schema)


@dataclass
class World:
    """The cases of one run. ``cases`` have one configuration; ``complete_through`` as the first that names one."""

    cases: list[Case]
    with_cells: bool = False
    alone: bool = False
    complete_through: date | None = None

    @property
    def years(self) -> list[int]:
        return sorted({year for case in self.cases for year in case.years})

    def takes(self, case: Case) -> bool:
        """Whether a case with cells or counts may join."""
        if self.alone or not self.with_cells or _needs_all(case):
            return False
        if case.complete_through not in (None, self.complete_through) and self.complete_through is not None:
            return False
        together = [*self.cases, case]
        if any(_is_about_stays(one) for one in together) and len({_has_stays(one) for one in together}) > 1:
            return False
        return not case.touched_years & {year for other in self.cases for year in other.touched_years}

    def add(self, case: Case) -> None:
        self.cases.append(case)
        self.complete_through = self.complete_through or case.complete_through


def _has_stays(case: Case) -> bool:
    return "hospital_stays" in case.tables


def _is_about_stays(case: Case) -> bool:
    """Whether it matters to the case that its run has stays: the indicator is not computable without any."""
    return "cube_007_007a" in repr(case.expected)


def worlds_of(cases: Iterable[Case]) -> list[World]:
    """Share out the cases over as few runs as they allow."""
    by_configuration: dict[Any, list[World]] = defaultdict(list)
    # Those with a date of completeness first: the others, which do not look at it, may join them.
    for case in sorted(cases, key=lambda case: case.complete_through is None):
        worlds = by_configuration[_unusual_settings(case), case.code_lists, case.sectors, case.as_of]
        if not _counts(case):
            joined = next((world for world in worlds if not world.alone and not world.with_cells), None)
            world = joined or World([])
        else:
            joined = next((world for world in worlds if world.takes(case)), None)
            world = joined or World([], with_cells=True, alone=_needs_all(case))
        world.add(case)
        if joined is None:
            worlds.append(world)
    return [world for worlds in by_configuration.values() for world in worlds]


def _unusual_settings(case: Case) -> tuple[tuple[str, Any], ...]:
    """The settings that differ from the shipped ones."""
    return tuple((name, value) for name, value in case.settings if value != _shipped_setting(name))


def _shipped_setting(name: str) -> Any:
    value: Any = _shipped_settings()
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


@cache
def _shipped_settings() -> dict[str, Any]:
    text = shipped_folder().joinpath("settings.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _counts(case: Case) -> bool:
    return case.warnings is not None or bool(case.expected.keys() & {"cells", "no_cells", "record"})


def _needs_all(case: Case) -> bool:
    """Whether the case looks at what even cases of other years change: the span of the claims, total counts."""
    by_span = case.complete_through is None and any("status" in row for row in case.expected.get("cells", []))
    totals = any(not re.search(r"\d{4}", f"{row['step']} {row['count']}") for row in case.expected.get("record", []))
    return by_span or totals or case.warnings is not None


def _needs_indicators(case: Case) -> bool:
    """Whether the case looks at anything beyond the deliveries."""
    later = any(not (row["step"] or "").startswith("deliveries") for row in case.expected.get("record", []))
    return later or bool(case.expected.keys() & {"cells", "no_cells"})


@dataclass
class Ingested:
    """The accepted rows of each case by table, and the rejected ones."""

    accepted: dict[tuple[str, str], list[tuple[Any, ...]]]
    rejected: dict[str, list[dict[str, Any]]]


class Pipeline:
    """Runs the worlds when they are asked for, and keeps what they gave."""

    def __init__(self, cases: list[Case], folder: Path) -> None:
        """Share out the cases; ``folder`` takes configuration folders of their own."""
        self.cases = cases
        self.folder = folder
        self.worlds = {case.id: world for world in worlds_of(cases) for case in world.cases}
        self.results: dict[str, Found] = {}
        self._failed: dict[int, Exception] = {}
        self._ingested: dict[tuple[date, date], Ingested] = {}

    def run(self, case: Case, session: Callable[[], SparkSession]) -> Found:
        """The results of one case; ``session`` is asked for only when its world did not run yet."""
        world = self.worlds[case.id]
        if id(world) in self._failed:
            # Once is enough: every case of the run fails for the same reason.
            raise self._failed[id(world)]
        if case.id not in self.results:
            spark = session()
            settings = {} if is_remote() else TINY_TABLES
            before = {name: spark.conf.get(name, None) for name in settings}
            try:
                for name, value in settings.items():
                    spark.conf.set(name, value)
                self.results |= self._run_world(world, spark)
            except Exception as error:
                self._failed[id(world)] = error
                raise
            finally:
                for name, value in before.items():
                    spark.conf.set(name, value) if value is not None else spark.conf.unset(name)
        return self.results[case.id]

    def _run_world(self, world: World, spark: SparkSession) -> dict[str, Found]:
        configuration = self._configuration(world)
        ingested = self._ingest(world.cases[0].as_of, configuration, spark)
        store = MemoryStore(spark)
        for table in INPUT_TABLES:
            rows = [row for case in world.cases for row in ingested.accepted[case.id, table.name]]
            store.tables[table.silver.name] = spark.createDataFrame(rows, table.silver.schema)
        record = RunRecord("spec", world.years, configuration, 2)
        silver = SilverFacts.of(_facts(world, ingested))
        context = RunContext(store, configuration, tuple(world.years), record)
        compute_deliveries(context, silver, store.read(CLAIMS))
        deliveries = _rows(store.read(deliveries_table(configuration)))
        cells: Cells = {}
        if any(_needs_indicators(case) for case in world.cases):
            through = complete_through(context, silver, world.complete_through)
            compute_indicators(context, silver, through, store.read(CLAIMS))
            cells = by_key(_rows(store.read(IMAGING)) + _rows(store.read(POSTNATAL)))
        persons = []
        if any("persons" in case.expected for case in world.cases):
            persons = _persons(store, configuration, world.years)
        return {
            case.id: Found(
                deliveries=_of(case, deliveries),
                persons=_of(case, persons),
                rejected=ingested.rejected[case.id],
                cells=cells,
                record=record.counts,
                warnings=record.warnings,
            )
            for case in world.cases
        }

    def _configuration(self, world: World) -> Configuration:
        case = world.cases[0]
        own = Path(tempfile.mkdtemp(dir=self.folder))
        conf = str(write_conf(case, own / "conf")) if case.code_lists else None
        sectors = write_sectors(case, own / "sectors.csv") if case.sectors else None
        overrides = [f"{name}={json.dumps(value)}" for name, value in settings_of(case, sectors).items()]
        return load_configuration(conf, overrides)

    def _ingest(self, as_of: date, configuration: Configuration, spark: SparkSession) -> Ingested:
        """Validate the rows of every case with this last day, once."""
        first = configuration.settings.first_service_date
        if (as_of, first) not in self._ingested:
            cases = [case for case in self.cases if case.as_of == as_of]
            ingested = Ingested(defaultdict(list), defaultdict(list))
            for table in INPUT_TABLES:
                _ingest_table(table, cases, configuration, as_of, ingested, spark)
            self._ingested[as_of, first] = ingested
        return self._ingested[as_of, first]


def _ingest_table(
    table: InputTable,
    cases: list[Case],
    configuration: Configuration,
    as_of: date,
    ingested: Ingested,
    spark: SparkSession,
) -> None:
    names = [column.name for column in table.columns]
    schema = T.StructType([T.StructField(name, T.StringType()) for name in (*names, LINE, SOURCE_FILE)])
    raw = [
        (*[_own(case, name, row[name]) for name in names], f"{case.id}:{number}", "scenario")
        for case in cases
        for number, row in enumerate(case.tables.get(table.name, []), start=1)
    ]
    rules = RowRules(configuration.mapping, configuration.settings.first_service_date, as_of)
    judged = validate_rows(spark.createDataFrame(raw, schema), table, rules, RowExtras(every_row=True))
    judged = held(judged.withColumn(BATCH, F.lit(1)))
    lost: set[str] = set()
    if table.key:
        ranked = rank_duplicates(judged.where(F.size(REASONS) == 0), table)
        lost = {_line(row[ROW]) for row in ranked.where(F.col(RANK) > 1).select(ROW).collect()}
    for row in judged.collect():
        line = _line(row[ROW])
        case_id, _, number = line.rpartition(":")
        reasons = [table.duplicate_reason] if line in lost else row[REASONS]
        if reasons:
            rejected = {"table": table.name, "row": int(number), "reasons": ", ".join(reasons)}
            ingested.rejected[case_id].append(rejected)
        else:
            ingested.accepted[case_id, table.name].append(tuple(row[name] for name in table.silver.column_names))


def _line(row: str) -> str:
    return str(json.loads(row)[LINE])


def _own(case: Case, column: str, value: str | None) -> str | None:
    """The value with the case's name before an id, behind the spaces that the id begins with."""
    if column not in ("claim_id", "beneficiary_id", "stay_id") or value is None or not value.strip():
        return value
    return re.sub(r"^(\s*)", lambda match: f"{match[1]}{case.id}:", value, count=1)


def _of(case: Case, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    start = f"{case.id}:"
    return [
        {**row, "beneficiary_id": row["beneficiary_id"].removeprefix(start)}
        for row in rows
        if row["beneficiary_id"].startswith(start) and row["year"] in case.years
    ]


def _facts(world: World, ingested: Ingested) -> dict[str, Any]:
    """What the ingest tells the later stages of the claims."""
    position = CLAIMS.column_names.index("service_date")
    days = [row[position] for case in world.cases for row in ingested.accepted[case.id, "claims"]]
    stays = any(_has_stays(case) for case in world.cases)
    return {
        "run_id": "spec",
        "tables": ["claims", *(["hospital_stays"] if stays else []), "population"],
        "first_service_date": min(days).isoformat() if days else None,
        "last_service_date": max(days).isoformat() if days else None,
    }


def _persons(store: Store, configuration: Configuration, years: list[int]) -> list[dict[str, Any]]:
    """Domicile and exams of every beneficiary-year."""
    spark = store.spark
    place = configuration.settings.geography.domicile_level
    domiciled = with_domicile(
        store.read(POPULATION).where(F.col("year").isin(years)),
        carrying_table(spark, configuration, years),
        sector_years(spark, configuration, years),
        configuration,
    )
    exams = quantities_of_beneficiaries(services_of_years(store.read(CLAIMS), configuration, years), configuration)
    return _rows(
        domiciled.join(exams, on=["beneficiary_id", "year"], how="left").select(
            "beneficiary_id",
            "year",
            F.col(place).alias("municipality"),
            "sector",
            "domicile_source",
            F.coalesce("quantity_imaging_therapeutic", F.lit(0)).alias("exams"),
        )
    )


def _rows(df: DataFrame) -> list[dict[str, Any]]:
    return list(df.toArrow().to_pylist())


def write_conf(case: Case, folder: Path) -> Path:
    """A copy of the shipped configuration with the case's own code lists."""
    shutil.copytree(str(shipped_folder()), folder)
    for name, rows in case.code_lists:
        file = folder / "codelists" / f"{name}.csv"
        assert file.is_file(), f"{case.id}: there is no code list {name}"
        columns = file.read_text(encoding="utf-8").partition("\n")[0].split(",")
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows_of_code_list(name, rows))
    return folder


def write_sectors(case: Case, file: Path) -> str:
    """The case's own sectors as a file."""
    rows: list[Row] = [dict(row) for row in case.sectors or ()]
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ("sector", "municipality", "first_year", "last_year"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return str(file)
