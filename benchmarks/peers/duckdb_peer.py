"""The rules of the specification on DuckDB: silver by SQL made here, gold by ``duckdb_gold.sql``.

Run as ``python -m benchmarks.peers.duckdb_peer silver|gold|whole ...``.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import pyarrow as pa
from claimatlas.configuration import Configuration
from claimatlas.configuration.codes import SIX_DIGITS
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.load import load_configuration
from claimatlas.configuration.services import ContactGroup
from claimatlas.configuration.settings import HOSPITAL, AgeClass
from claimatlas.ingest.contract import REPLACEMENT, WHITESPACE

from benchmarks.facts import Facts, read_facts
from benchmarks.peers.interface import INPUT_TABLES, silver_files, stage_arguments

TABLES = tuple(table.name for table in INPUT_TABLES)
TYPES = {
    "text": "VARCHAR",
    "date": "DATE",
    "integer": "INTEGER",
    "code": "INTEGER",
    "boolean": "BOOLEAN",
    "sex": "VARCHAR",
}
GOLD_SQL = Path(__file__).with_name("duckdb_gold.sql")
Files = Mapping[str, Sequence[str]]

# --- Silver ---------------------------------------------------------------------------------------

PLAIN = "[!-~]+"
"""Text that needs no trimming and has no replacement character: ids are like this. Other text is judged closely."""


@dataclass(frozen=True)
class InputTable:
    """An input table: its columns with their types, and the rules of section 7 that are its own.

    rules: reason to condition. key, reason, preference: which rows are duplicates, and which one stays.
    """

    name: str
    columns: Mapping[str, str]
    required: tuple[str, ...]
    year: str
    rules: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    reason: str = ""
    preference: str = ""

    @property
    def texts(self) -> list[str]:
        """The columns of text."""
        return [name for name, kind in self.columns.items() if kind == "VARCHAR"]


def input_tables(configuration: Configuration, as_of: date) -> tuple[InputTable, ...]:
    """The input tables in the order in which they are read."""
    first = configuration.settings.first_service_date
    earliest = configuration.settings.first_plausible_date

    def is_plausible(*names: str) -> dict[str, str]:
        return {f"{name}_out_of_range": f"{name} < DATE '{earliest}' OR {name} > DATE '{as_of}'" for name in names}

    rules = {
        "hospital_stays": {
            **is_plausible("admission_date", "discharge_date"),
            "discharge_before_admission": "discharge_date < admission_date",
        },
        "claims": {
            **is_plausible("booking_date"),
            "service_date_out_of_range": f"service_date < DATE '{first}' OR service_date > DATE '{as_of}' "
            "OR service_date > booking_date",
            "invalid_nomenclature_code": "nomenclature_code NOT BETWEEN {} AND {}".format(*SIX_DIGITS.bounds),
            "zero_quantity": "quantity = 0",
        },
    }
    return tuple(
        InputTable(
            name=table.name,
            columns={column.name: TYPES[column.kind] for column in table.columns},
            required=tuple(table.required),
            year="year" if table.year_of == "year" else f"year({table.year_of})",
            rules=rules.get(table.name, {}),
            key=table.key,
            reason=table.duplicate_reason,
            preference=", ".join(
                f"{name.removeprefix('-')} DESC" if name.startswith("-") else name for name in table.preference
            ),
        )
        for table in INPUT_TABLES
    )


def run_silver(
    con: duckdb.DuckDBPyConnection, raw: Path, silver: Path, as_of: date, configuration: Configuration
) -> dict[str, dict[str, int]]:
    """Validate the input and write the accepted rows and the rejected ones; gives back the counts by table."""
    silver.mkdir(parents=True, exist_ok=True)
    con.execute('CREATE TEMP TABLE rejected ("table" VARCHAR, source_file VARCHAR, reasons VARCHAR[], "row" VARCHAR)')
    white = " || ".join(f"chr({ord(character)})" for character in WHITESPACE)
    con.execute(
        f"CREATE MACRO trimmed(text) AS CASE WHEN regexp_full_match(text, {_text(PLAIN)}) THEN text "
        f"ELSE nullif(trim(text, {white}), '') END"
    )
    counts = {}
    for table in input_tables(configuration, as_of):
        source = _text(str(raw / table.name / "*.parquet"))
        _read(con, table, source)
        _judge(con, table)
        accepted = _accept(con, table, silver / table.name)
        (read,) = _row(con, f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({source})")
        (rejected,) = _row(con, f"SELECT count(*) FROM rejected WHERE \"table\" = '{table.name}'")
        counts[table.name] = {"read": read, "accepted": accepted, "rejected": rejected}
        if accepted + rejected != read:
            raise RuntimeError(f"{table.name}: rows were lost or made on the way: {counts[table.name]}")
    _copy(con, "FROM rejected", silver / "rejected.parquet")
    return counts


def _read(con: duckdb.DuckDBPyConnection, table: InputTable, source: str) -> None:
    """Make the view ``input_rows``: the input with every column of the table, and where each row stands."""
    given = {name.lower(): kind for name, kind, *_ in con.execute(f"DESCRIBE FROM read_parquet({source})").fetchall()}
    for name, kind in table.columns.items():
        if given.get(name, kind) != kind or (name in table.required and name not in given):
            raise ValueError(f"{table.name}: the column {name} must be there, as {kind}.")
    columns = [f"raw.{name}" if name in given else f"NULL::{kind} AS {name}" for name, kind in table.columns.items()]
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW input_rows AS SELECT {', '.join(columns)}, raw, filename AS source_file, "
        f"file_row_number AS position FROM read_parquet({source}) AS raw"
    )


def _values(table: InputTable, text: str) -> str:
    """The columns as silver has them; ``text`` is how text is cleaned."""
    values = []
    for name, kind in table.columns.items():
        value = text.format(name) if kind == "VARCHAR" else name
        if name == "sex":
            value = (
                f"CASE WHEN lower({value}) IN ('2', 'f', 'female') THEN 'female' "
                f"WHEN lower({value}) IN ('1', 'm', 'male') THEN 'male' END"
            )
        values.append(f"{value} AS {name}")
    return ", ".join(values)


def _judge(con: duckdb.DuckDBPyConnection, table: InputTable) -> None:
    """Put each row that needs a closer look into ``judged``, cleaned and with all its reasons, if any.

    Nearly every row is ordinary: plain text, no defect, a key whose hash stands once (eight bytes a row are
    grouped, not the key). ``judged`` holds all others, so that the costly rules see only those.
    """
    doubts = [f"{name} IS NULL" for name in table.required]
    doubts += [f"NOT regexp_full_match({name}, {_text(PLAIN)})" for name in table.texts]
    doubts += list(table.rules.values())
    if table.key:
        key = [f"trimmed({name})" if name in table.texts else name for name in table.key]
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT hash({', '.join(key)}) AS key_hash FROM input_rows "
            f"WHERE {table.key[0]} IS NOT NULL GROUP BY ALL HAVING count(*) > 1"
        )
        if _row(con, "SELECT count(*) FROM suspects")[0]:
            doubts.append(f"hash({', '.join(table.key)}) IN (FROM suspects)")
    doubtful = " OR ".join(f"({doubt})" for doubt in doubts)
    conditions = {f"missing_{name}": f"{name} IS NULL" for name in table.required}
    # Anything that is no sex is an unknown one.
    conditions |= {
        f"unparseable_{name}": f"contains({name}, chr({ord(REPLACEMENT)}))" for name in table.texts if name != "sex"
    }
    conditions |= dict(table.rules)
    reasons = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in conditions.items())
    final = "own_reasons"
    if table.key:
        among = ", ".join((*table.key, "own_reasons = []"))
        order = f'{table.preference}, "row", source_file, position'
        final = (
            f"CASE WHEN own_reasons = [] AND row_number() OVER (PARTITION BY {among} ORDER BY {order}) > 1 "
            f"THEN ['{table.reason}'] ELSE own_reasons END"
        )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        WITH cleaned AS (
            SELECT {_values(table, "trimmed({})")}, to_json(raw)::VARCHAR AS "row", source_file, position
            FROM input_rows
            WHERE {doubtful}
        ),
        reasoned AS (
            SELECT *, list_sort(list_filter([{reasons}], lambda reason: reason IS NOT NULL)) AS own_reasons
            FROM cleaned
        )
        SELECT *, {final} AS reasons
        FROM reasoned
        """
    )
    con.execute(
        f"INSERT INTO rejected SELECT '{table.name}', source_file, reasons, \"row\" FROM judged WHERE reasons <> []"
    )


def _accept(con: duckdb.DuckDBPyConnection, table: InputTable, target: Path) -> int:
    """Write the ordinary rows as they are, and those that were judged sound, by year; gives back how many."""
    columns = ", ".join(name for name in table.columns if name != table.year)
    (written,) = _row(
        con,
        f"""
        COPY (
            WITH accepted AS (
                SELECT {_values(table, "{}")}
                FROM input_rows
                ANTI JOIN judged USING (source_file, position)
                UNION ALL
                SELECT {", ".join(table.columns)}
                FROM judged
                WHERE reasons = []
            )
            SELECT {columns}, ({table.year})::INTEGER AS year
            FROM accepted
        ) TO {_text(str(target))} (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (year), OVERWRITE)
        """,
    )
    return int(written)


# --- Gold -----------------------------------------------------------------------------------------

DELIVERY_MEASURES = (
    *("members", "in_hospital", "with_stay", "no_contact", "no_contact_in_hospital", "no_midwife"),
    *("prenatal_contact", "prenatal_gdm_test", "prenatal_technical", "caesareans", "nights"),
)

FORMULAS = {
    "stat_013_023": ("with_exam", "members"),
    "cube_013_023": ("with_exam", "members"),
    "stat_013_024": ("exams", "members"),
    "cube_007_001a_denom": ("members", "members"),
    "cube_007_003a": ("prenatal_contact", "members"),
    "cube_007_004a": ("prenatal_gdm_test", "members"),
    "cube_007_005a": ("prenatal_technical", "members"),
    "cube_007_006b": ("caesareans", "in_hospital"),
    "cube_007_007a": ("nights", "with_stay"),
    "cube_007_008a": ("no_contact", "members"),
    "cube_007_008b": ("no_contact_in_hospital", "in_hospital"),
    "cube_007_009a": ("no_midwife", "members"),
}
"""Numerator and denominator of each indicator, as measures of the cube of its population."""

OF_POSTNATAL_WINDOW = ("cube_007_008a", "cube_007_008b", "cube_007_009a")

CELLS_SQL = """
WITH cells AS ({parts}),
shares AS (
    SELECT *, numerator / denominator AS share, 1 + {z} * {z} / denominator AS shrink
    FROM cells
),
intervals AS (
    SELECT
        *,
        (share + {z} * {z} / (2.0 * denominator)) / shrink AS centre,
        {z} / shrink * sqrt(share * (1 - share) / denominator + {z} * {z} / (4.0 * denominator * denominator)) AS half
    FROM shares
)
SELECT
    indicator_id,
    year,
    geo_level,
    geo_code,
    year AS geo_vintage,
    age_category,
    increased_reimbursement,
    delivery_type,
    sex,
    CASE WHEN computable THEN numerator END AS numerator,
    denominator,
    CASE
        WHEN NOT computable THEN NULL
        WHEN unit = 'count' THEN numerator
        WHEN denominator = 0 THEN NULL
        WHEN unit = 'mean_nights' THEN share
        ELSE 100 * numerator / denominator
    END::DOUBLE AS value,
    CASE
        WHEN NOT computable OR unit <> 'percent' OR denominator = 0 THEN NULL
        WHEN numerator = 0 THEN 0
        ELSE greatest(0, 100 * (centre - half))
    END::DOUBLE AS ci_low,
    CASE
        WHEN NOT computable OR unit <> 'percent' OR denominator = 0 THEN NULL
        WHEN numerator = denominator THEN 100
        ELSE least(100, 100 * (centre + half))
    END::DOUBLE AS ci_high,
    status
FROM (SELECT *, status <> 'not_computable' AS computable FROM intervals JOIN statuses USING (indicator_id, year))
"""


def run_gold(
    con: duckdb.DuckDBPyConnection, files: Files, gold: Path, years: Sequence[int], configuration: Configuration
) -> int:
    """Write the deliveries and cells of the years; gives back how many cells."""
    settings = configuration.settings
    if settings.episode_rule != "chained" or settings.episode_type != "first" or settings.geography.sector_table:
        raise ValueError("Only the default episode rule, episode type and sectors are written here.")
    gold.mkdir(parents=True, exist_ok=True)
    facts = read_facts(configuration, years)
    for name, view in (("claims", "claims"), ("population", "population"), ("hospital_stays", "stays")):
        listed = ", ".join(_text(path) for path in files[name])
        con.execute(
            f"CREATE TEMP VIEW {view} AS FROM read_parquet([{listed}], hive_partitioning = true, "
            "hive_types = {'year': INTEGER})"
        )
    _register(con, configuration, facts)
    con.execute(Template(GOLD_SQL.read_text(encoding="utf-8")).substitute(_parameters(configuration, facts, years)))
    (complete_through,) = _row(con, "SELECT max(service_date) FROM claims")
    _keep(con, "statuses", _statuses(configuration, facts, years, complete_through))
    parts = " UNION ALL ".join(_cells_of(indicator, configuration) for indicator in configuration.indicators)
    cells = CELLS_SQL.format(parts=parts, z="1.959963984540054::DOUBLE")
    _copy(con, "FROM deliveries", gold / "deliveries.parquet")
    return _copy(con, cells, gold / "cells.parquet")


def _register(con: duckdb.DuckDBPyConnection, configuration: Configuration, facts: Facts) -> None:
    """Bring the configuration in as tables."""
    services, settings = configuration.services, configuration.settings
    for name in ("codes", "places", "carried", "units"):
        _keep(con, name, getattr(facts, name))
    types = services.delivery_types.items()
    _keep(
        con,
        "delivery_types",
        pa.table(
            {
                "delivery_type": [name for name, _ in types],
                "list": [kind.code_list for _, kind in types],
                "priority": [kind.priority for _, kind in types],
                "dimension": [kind.dimension for _, kind in types],
            }
        ),
    )
    lists = [
        (name, listed) for name, group in services.contact_groups.items() for listed in group.code_lists_for(settings)
    ]
    lists += [(name, listed) for name, flag in services.delivery_flags.items() for listed in flag.code_lists]
    _keep(
        con,
        "contact_lists",
        pa.table({"service": [service for service, _ in lists], "list": [listed for _, listed in lists]}),
    )


def _parameters(configuration: Configuration, facts: Facts, years: Sequence[int]) -> dict[str, str]:
    """What ``duckdb_gold.sql`` leaves open."""
    settings, services = configuration.settings, configuration.services
    before, after = settings.all_windows["prenatal"], settings.all_windows["postnatal"]
    days_before, days_after = -before.first_day, after.last_day
    contact_lists = {
        *(name for group in services.contact_groups.values() for name in group.code_lists_for(settings)),
        *(name for flag in services.delivery_flags.values() for name in flag.code_lists),
    }
    imaging = services.beneficiary_services["imaging_therapeutic"].code_lists
    no_gdm_codes = not _codes(facts, services.delivery_flags["prenatal_gdm_test"].code_lists)
    rules = {name: _provider_rule(group) for name, group in services.contact_groups.items()}
    choices = " ".join(f"WHEN '{name}' THEN by_{name}" for name in rules)
    return {
        "years": _numbers(years),
        "first_year": str(min(years)),
        "first_contact_year": str((date(min(years), 1, 1) - timedelta(days_before)).year),
        "last_contact_year": str((date(max(years), 12, 31) + timedelta(days_after)).year),
        "delivery_codes": _numbers(_codes(facts, [kind.code_list for kind in services.delivery_types.values()])),
        "contact_codes": _numbers(_codes(facts, contact_lists)),
        "imaging_codes": _numbers(_codes(facts, imaging)),
        "imaging_lists": ", ".join(map(_text, imaging)),
        "gap_days": str(settings.episode_gap_days),
        "implausible_days": str(settings.implausible_interval_days),
        "postnatal_first": str(after.first_day),
        "postnatal_last": str(days_after),
        "prenatal_first": str(days_before),
        "prenatal_last": str(-before.last_day),
        "provider_columns": ", ".join(
            f"bool_or(quantity > 0 AND {condition}) AS by_{name}" for name, condition in rules.items()
        ),
        "provider_rule": f"CASE service {choices} ELSE true END",
        "delivery_age_category": _age_category(settings.age_categories.deliveries),
        "beneficiary_age_category": _age_category(settings.age_categories.beneficiaries),
        "gdm_test_flag": "NULL::BOOLEAN" if no_gdm_codes else "coalesce(prenatal_gdm_test, false)",
        "hospital_types": "'caesarean', 'vaginal_hospital'",
        "sector_first_year": str(settings.geography.sector_first_year),
        "sector_pattern": _text(settings.geography.sector_pattern),
        "delivery_sums": ", ".join(f"sum({name}) AS {name}" for name in DELIVERY_MEASURES),
        "delivery_totals": ", ".join(f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in DELIVERY_MEASURES),
    }


def _provider_rule(group: ContactGroup) -> str:
    """The condition on a line's provider; an unknown one never meets a rule."""
    rules = [f"{name} IN ({_numbers(map(int, words))})" for name, words in group.where.items()]
    rules += [f"{name} NOT IN ({_numbers(map(int, words))})" for name, words in group.where_not.items()]
    return " AND ".join(rules) or "true"


def _age_category(classes: Sequence[AgeClass]) -> str:
    """The label of the first class whose end is not passed."""
    labels = [
        f"WHEN age_as_given <= {one.to} THEN {_text(one.label)}" if one.to is not None else f"ELSE {_text(one.label)}"
        for one in classes
    ]
    return f"CASE WHEN age_as_given IS NULL OR age_as_given < 0 THEN 'unknown' {' '.join(labels)} END"


def _statuses(
    configuration: Configuration, facts: Facts, years: Sequence[int], complete_through: date | None
) -> pa.Table:
    """One status per indicator and year."""
    rows = []
    for indicator in configuration.indicators:
        reads = [
            lists
            for flag in indicator.numerator.flags
            for lists in configuration.services.flag_code_lists(flag, configuration.settings)
        ]
        if indicator.numerator.service:
            reads.append(configuration.services.beneficiary_services[indicator.numerator.service].code_lists)
        for year in years:
            end = date(year, 12, 31)
            if indicator.id in OF_POSTNATAL_WINDOW:
                end += timedelta(configuration.settings.all_windows["postnatal"].last_day)
            status = "final" if complete_through is not None and complete_through >= end else "provisional"
            if not all(_codes(facts, lists) for lists in reads):
                status = "not_computable"
            rows.append({"indicator_id": indicator.id, "year": year, "status": status})
    return pa.Table.from_pylist(rows)


def _cells_of(indicator: Indicator, configuration: Configuration) -> str:
    """The cells of one indicator: its levels and dimensions, with members or as a row of a place of the vintage."""
    numerator, denominator = FORMULAS[indicator.id]
    dimensions = configuration.dimensions.of(indicator.population)
    cube = "beneficiary_cube" if indicator.population == "beneficiary_years" else "delivery_cube"
    levels = ", ".join(map(_text, indicator.levels))
    summed = "".join(f" AND {name} = 'all'" for name in dimensions if name not in indicator.dimensions)
    total = " AND ".join([f"geo_level <> '{HOSPITAL}'", *(f"{name} = 'all'" for name in dimensions)])
    return (
        f"SELECT '{indicator.id}' AS indicator_id, '{indicator.unit}' AS unit, year, geo_level, geo_code, "
        f"age_category, increased_reimbursement, delivery_type, sex, {numerator} AS numerator, "
        f"{denominator} AS denominator FROM {cube} WHERE geo_level IN ({levels}) "
        f"AND year >= {indicator.first_year}{summed} AND ({denominator} > 0 OR ({total}))"
    )


# --- Both -----------------------------------------------------------------------------------------


def connect(threads: int, memory: str, temp: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills to ``temp`` at its limit."""
    temp.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "memory_limit": memory,
        "preserve_insertion_order": False,
        "temp_directory": str(temp),
    }
    return duckdb.connect(config=config)


def _row(con: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...]
    (row,) = con.execute(query).fetchall()
    return row


def _copy(con: duckdb.DuckDBPyConnection, query: str, target: Path) -> int:
    return int(_row(con, f"COPY ({query}) TO {_text(str(target))} (FORMAT parquet, COMPRESSION snappy)")[0])


def _keep(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    con.register("_arrow", table)
    con.execute(f"CREATE TEMP TABLE {name} AS FROM _arrow")
    con.unregister("_arrow")


def _codes(facts: Facts, lists: Iterable[str]) -> list[int]:
    wanted = set(lists)
    rows = zip(facts.codes["list"].to_pylist(), facts.codes["code"].to_pylist(), strict=True)
    return sorted({code for name, code in rows if name in wanted})


def _numbers(values: Iterable[int]) -> str:
    """A literal list; of nothing, one that nothing is in."""
    return ", ".join(map(str, values)) or "NULL"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def main(given: Sequence[str] | None = None) -> None:
    """Run a stage and print what it took."""
    arguments = stage_arguments(given, __doc__)
    start = time.perf_counter()
    configuration = load_configuration()
    con = connect(arguments.threads, arguments.memory, arguments.temp)
    said: dict[str, object] = {"engine": "duckdb", "version": duckdb.__version__, "stage": arguments.stage}
    files: Files = {}
    if arguments.stage != "gold":
        counts = run_silver(con, arguments.raw, arguments.silver, arguments.as_of, configuration)
        said["rows_read"] = sum(count["read"] for count in counts.values())
        said["tables"] = counts
        said["silver_seconds"] = round(time.perf_counter() - start, 3)
        files = silver_files(arguments.silver)
    if arguments.stage != "silver":
        if arguments.stage == "gold":
            files = json.loads(arguments.silver_files.read_text(encoding="utf-8"))
        said["cells"] = run_gold(con, files, arguments.gold, arguments.years, configuration)
    said["seconds"] = round(time.perf_counter() - start, 3)
    if "rows_read" not in said:
        listed = ", ".join(_text(path) for name in TABLES for path in files[name])
        (said["rows_read"],) = _row(con, f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata([{listed}])")
    said["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(said))


if __name__ == "__main__":
    main()
