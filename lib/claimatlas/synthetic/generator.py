"""Generate a synthetic country: claims, population and hospital stays, and the truth about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from claimatlas.configuration import Configuration
from claimatlas.ingest.contract import CLAIMS_INPUT, HOSPITAL_STAYS_INPUT, POPULATION_INPUT, InputTable
from claimatlas.synthetic.deliveries import make_delivery_lines
from claimatlas.synthetic.everyday import make_everyday_lines
from claimatlas.synthetic.exams import make_exam_lines
from claimatlas.synthetic.output import Output
from claimatlas.synthetic.parameters import RULES_VERSION, Parameters
from claimatlas.synthetic.people import make_people, make_person_years
from claimatlas.synthetic.perinatal import make_perinatal_lines
from claimatlas.synthetic.planting import as_text, plant
from claimatlas.synthetic.population import make_population
from claimatlas.synthetic.pregnancies import make_pregnancies
from claimatlas.synthetic.stays import make_delivery_stays, make_everyday_stays
from claimatlas.synthetic.truth import true_contacts, true_deliveries, true_exams, true_services
from claimatlas.synthetic.world import World, make_world

# Shares of the claim lines that each branch of the plan makes: they set how many files it writes.
_RARE_SHARE, _PERSONS_SHARE = 0.04, 0.04

Progress = Callable[[str], None]


def generate(
    spark: SparkSession,
    parameters: Parameters,
    configuration: Configuration,
    folder: str,
    *,
    overwrite: bool = False,
    progress: Progress = lambda message: None,
) -> dict[str, Any]:
    """Write a synthetic country into ``folder``.

    Args:
        spark: any session, classic or Connect.
        parameters: size, years, seed, share of rows to be rejected, format.
        configuration: code lists, provider rules, geography and the tables of ``synthetic/``.
        folder: gets ``claims``, ``population``, ``hospital_stays``, ``truth/…`` and ``generate.json``.
        overwrite: replace these where the folder is not empty.
        progress: told what is written next.

    Returns:
        The record as in ``generate.json``: the parameters and the number of rows of each table.

    Raises:
        InputError: the folder is not empty, or the configuration cannot be used.
    """
    world = make_world(parameters, configuration)
    output = Output(spark, folder)
    output.prepare(overwrite=overwrite)
    rows: dict[str, int] = {}
    rejected: list[tuple[str, str, int]] = []
    for table, sound in (
        (POPULATION_INPUT, _population),
        (HOSPITAL_STAYS_INPUT, _stays),
        (CLAIMS_INPUT, _claims),
    ):
        progress(f"writing {table.name}")
        rows[table.name] = _write_input(spark, world, output, table, sound(spark, world), rejected)
    for name, truth in _truth(spark, world).items():
        progress(f"writing truth/{name}")
        rows[f"truth/{name}"] = output.write(truth, f"truth/{name}")
    planted = spark.createDataFrame(sorted(rejected), "table string, reason string, rows bigint").coalesce(1)
    rows["truth/rejected"] = output.write(planted, "truth/rejected")
    record = {
        "beneficiaries": parameters.beneficiaries,
        "years": list(parameters.years),
        "seed": parameters.seed,
        "dirty": parameters.dirty,
        "format": parameters.format,
        "rules_version": RULES_VERSION,
        "configuration": configuration.hashes,
        "rows": rows,
    }
    output.record(record)
    return record


def _population(spark: SparkSession, world: World) -> DataFrame:
    return make_population(world, _person_years(spark, world))


def _stays(spark: SparkSession, world: World) -> DataFrame:
    of_deliveries = make_delivery_stays(world, _pregnancies(spark, world))
    everyday = make_everyday_stays(world, _person_years(spark, world))
    return everyday.unionByName(of_deliveries.select(*everyday.columns))


def _claims(spark: SparkSession, world: World) -> DataFrame:
    names = [column.name for column in CLAIMS_INPUT.columns]
    person_years = make_person_years(world, make_people(world, world.persons(spark, 1.0)))
    pregnancies = _pregnancies(spark, world)
    return (
        make_everyday_lines(world, person_years)
        .select(*names)
        .unionByName(make_perinatal_lines(world, pregnancies).select(*names))
        .unionByName(make_delivery_lines(world, pregnancies).select(*names))
        .unionByName(make_exam_lines(world, _person_years(spark, world)).select(*names))
    )


def _truth(spark: SparkSession, world: World) -> dict[str, DataFrame]:
    pregnancies = _pregnancies(spark, world)
    perinatal = make_perinatal_lines(world, pregnancies)
    deliveries = true_deliveries(make_delivery_lines(world, pregnancies), make_delivery_stays(world, pregnancies))
    return {
        "deliveries": deliveries,
        "contacts": true_contacts(world, perinatal),
        "services": true_services(world, perinatal),
        "exams": true_exams(make_exam_lines(world, _person_years(spark, world))),
    }


def _person_years(spark: SparkSession, world: World) -> DataFrame:
    return make_person_years(world, make_people(world, world.persons(spark, _PERSONS_SHARE)))


def _pregnancies(spark: SparkSession, world: World) -> DataFrame:
    return make_pregnancies(world, make_people(world, world.persons(spark, _RARE_SHARE)))


def _write_input(
    spark: SparkSession,
    world: World,
    output: Output,
    table: InputTable,
    sound: DataFrame,
    rejected: list[tuple[str, str, int]],
) -> int:
    """Write an input table with what is planted in it, and note the planted rows."""
    file_format, names = world.parameters.format, [column.name for column in table.columns]
    # Text where text is written, and where a column must hold what its type could not.
    if file_format == "csv" or world.parameters.dirty > 0:
        sound = as_text(sound, names)
    rows = output.write(sound.select(*names), table.name, file_format)
    if not world.parameters.dirty:
        return rows
    planted = plant(spark, world, table)
    rows += output.write(planted.rows, table.name, file_format, append=True)
    if planted.malformed is not None:
        rows += output.add_lines(planted.malformed, table.name, ",".join(names))
    rejected += [(table.name, reason, number) for reason, number in planted.reasons.items()]
    return rows
