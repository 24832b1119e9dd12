"""Generate a synthetic country: claims, population and hospital stays, and the true results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from claimatlas.configuration import Configuration
from claimatlas.ingest.contract import CLAIMS_INPUT, HOSPITAL_STAYS_INPUT, InputTable, population_input
from claimatlas.synthetic.deliveries import make_delivery_lines
from claimatlas.synthetic.everyday import make_everyday_lines
from claimatlas.synthetic.exams import make_exam_lines
from claimatlas.synthetic.output import Output, record_of
from claimatlas.synthetic.parameters import Parameters
from claimatlas.synthetic.people import make_people, make_person_years
from claimatlas.synthetic.perinatal import make_perinatal_lines
from claimatlas.synthetic.planting import as_text, plant
from claimatlas.synthetic.population import make_population
from claimatlas.synthetic.pregnancies import make_pregnancies
from claimatlas.synthetic.stays import make_delivery_stays, make_everyday_stays
from claimatlas.synthetic.truth import true_contacts, true_deliveries, true_exams, true_services
from claimatlas.synthetic.world import World, make_world

# The share of rare services among all claim lines: their people are planned in so many parts, for fewer files.
_RARE_SHARE = 0.04

Progress = Callable[[str], None]


@dataclass(frozen=True)
class _Country:
    """Every frame that the tables are made of, planned once."""

    population: DataFrame
    everyday_lines: DataFrame
    perinatal_lines: DataFrame
    delivery_lines: DataFrame
    exam_lines: DataFrame
    everyday_stays: DataFrame
    delivery_stays: DataFrame


def generate(
    output: Output,
    parameters: Parameters,
    configuration: Configuration,
    progress: Progress = lambda message: None,
) -> dict[str, Any]:
    """Write a synthetic country.

    Args:
        output: gets ``claims``, ``population``, ``hospital_stays``, ``truth/…`` and ``generate.json``.
        parameters: size, years, seed, share of rows to be rejected, format.
        configuration: code lists, provider rules, geography and the tables of ``synthetic/``.
        progress: told what is written next.

    Returns:
        The record as in ``generate.json``: the parameters and the number of rows of each table.

    Raises:
        InputError: the folder is not empty, or the configuration cannot be used.
    """
    world = make_world(parameters, configuration)
    output.prepare()
    spark = output.spark
    country = _make_country(spark, world)
    rows: dict[str, int] = {}
    rejected: list[tuple[str, str, int]] = []
    for table, sound in (
        (population_input(configuration), country.population),
        (HOSPITAL_STAYS_INPUT, _union(HOSPITAL_STAYS_INPUT, country.everyday_stays, country.delivery_stays)),
        (CLAIMS_INPUT, _union(CLAIMS_INPUT, *_all_lines(country))),
    ):
        progress(f"writing {table.name}")
        rows[table.name], planted_rows = _write_input(output, world, table, sound)
        rejected += planted_rows
    for name, truth in _truth(world, country).items():
        progress(f"writing truth/{name}")
        rows[f"truth/{name}"] = output.write(truth, f"truth/{name}")
    planted = spark.createDataFrame(sorted(rejected), "table string, reason string, rows bigint").coalesce(1)
    rows["truth/rejected"] = output.write(planted, "truth/rejected")
    record = record_of(parameters, configuration, rows)
    output.record(record)
    return record


def _make_country(spark: SparkSession, world: World) -> _Country:
    people = make_people(world, world.persons(spark, _RARE_SHARE))
    person_years = make_person_years(world, people)
    pregnancies = make_pregnancies(world, people)
    # Most lines come from here: the same people again, in as many parts as the lines need.
    everybody = make_person_years(world, make_people(world, world.persons(spark, 1.0)))
    return _Country(
        population=make_population(world, person_years),
        everyday_lines=make_everyday_lines(world, everybody),
        perinatal_lines=make_perinatal_lines(world, pregnancies),
        delivery_lines=make_delivery_lines(world, pregnancies),
        exam_lines=make_exam_lines(world, person_years),
        everyday_stays=make_everyday_stays(world, person_years),
        delivery_stays=make_delivery_stays(world, pregnancies),
    )


def _all_lines(country: _Country) -> list[DataFrame]:
    return [country.everyday_lines, country.perinatal_lines, country.delivery_lines, country.exam_lines]


def _truth(world: World, country: _Country) -> dict[str, DataFrame]:
    return {
        "deliveries": true_deliveries(country.delivery_lines, country.delivery_stays),
        "contacts": true_contacts(world, country.perinatal_lines),
        "services": true_services(world, country.perinatal_lines),
        "exams": true_exams(country.exam_lines),
    }


def _union(table: InputTable, *parts: DataFrame) -> DataFrame:
    """The rows of all parts, with the table's columns in their order."""
    names = [column.name for column in table.columns]
    return reduce(DataFrame.unionByName, [part.select(*names) for part in parts])


def _write_input(
    output: Output, world: World, table: InputTable, sound: DataFrame
) -> tuple[int, list[tuple[str, str, int]]]:
    """Write an input table with the faults that are planted in it.

    Gives back the number of its rows, and the planted ones: table, reason to reject, number of rows.
    """
    file_format, names = world.parameters.format, [column.name for column in table.columns]
    # As text for CSV, and where a column must hold values that its type does not allow.
    if file_format == "csv" or world.parameters.dirty > 0:
        sound = as_text(sound, names)
    rows = output.write(sound.select(*names), table.name, file_format)
    if not world.parameters.dirty:
        return rows, []
    planted = plant(output.spark, world, table)
    rows += output.write(planted.rows, table.name, file_format, append=True)
    if planted.malformed is not None:
        rows += output.add_lines(planted.malformed, table.name, ",".join(names))
    return rows, [(table.name, reason, number) for reason, number in planted.reasons.items()]
