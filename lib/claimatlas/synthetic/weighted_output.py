"""Write what is drawn by weights: CSV or Parquet in a folder of this machine, without Spark."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from claimatlas.configuration import Configuration
from claimatlas.configuration.mappings import Mapping
from claimatlas.configuration.weights import FILE, load_weights
from claimatlas.errors import InputError
from claimatlas.ingest.contract import InputColumn, input_tables
from claimatlas.ingest.inputs import GENERATED
from claimatlas.paths import is_remote
from claimatlas.synthetic.output import prepare_local, record_of
from claimatlas.synthetic.parameters import Format, Parameters
from claimatlas.synthetic.weighted import Row, WeightedWorld

DELIVERIES = "truth/deliveries"
MAPPING = "mapping.yaml"
"""The mapping that reads the tables, written beside them: they have the specification's names and formats."""
_ROWS_AT_ONCE = 100_000
_TYPES = {"date": pa.date32(), "integer": pa.int32(), "boolean": pa.bool_()}
_OF_DELIVERIES = {
    "beneficiary_id": pa.string(),
    "delivery_date": pa.date32(),
    "delivery_type": pa.string(),
    "hospital_id": pa.string(),
    "billings": pa.int32(),
    "last_billing_date": pa.date32(),
}


def generate_by_weights(
    folder: str,
    parameters: Parameters,
    configuration: Configuration,
    *,
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Write the people and claims of an invented country by the configuration's ``synthetic/weights.yaml``.

    Args:
        folder: gets ``claims``, ``population``, ``hospital_stays``, ``truth/deliveries``, ``mapping.yaml`` and
            ``generate.json``.
        parameters: size, years, seed and format; no row is drawn to be rejected.
        configuration: what is declared.
        overwrite: replace what the folder holds of these.
        progress: told how far it is.

    Returns:
        The record as in ``generate.json``: the parameters and the number of rows of each table.

    Raises:
        InputError: the folder is a URI or not empty, rows to be rejected are asked for, or a mistake in the weights.
    """
    if is_remote(folder):
        raise InputError(
            f"--output {folder}: by {FILE}, generate writes to a folder of this machine; copy it from there."
        )
    if parameters.dirty:
        raise InputError(f"--dirty: by {FILE}, no rows are drawn that must be rejected.")
    settings = configuration.settings
    if parameters.first_day < settings.first_service_date:
        raise InputError(
            f"--years: settings.yaml takes services from first_service_date, {settings.first_service_date}, on; "
            "name years after it."
        )
    world = WeightedWorld(configuration, load_weights(configuration), parameters)
    target = Path(folder).resolve()
    prepare_local(target, overwrite=overwrite)
    schemas = {table.name: _schema(table.columns) for table in input_tables(configuration)}
    schemas[DELIVERIES] = pa.schema(_OF_DELIVERIES)
    with ExitStack() as open_tables:
        tables = {
            name: open_tables.enter_context(
                _writing(target / name, schema, parameters.format if name != DELIVERIES else "parquet")
            )
            for name, schema in schemas.items()
        }
        for number in range(parameters.beneficiaries):
            drawn = world.draw(number)
            tables["population"].add(drawn.population)
            tables["claims"].add(drawn.claims)
            tables["hospital_stays"].add(drawn.hospital_stays)
            tables[DELIVERIES].add(drawn.deliveries)
            if (number + 1) % _ROWS_AT_ONCE == 0:
                progress(f"{number + 1:,} of {parameters.beneficiaries:,} persons")
    (target / MAPPING).write_text(
        "description: The names and formats of claimatlas, as generate writes them.\n", "utf-8"
    )
    record = record_of(parameters, configuration, {name: table.rows for name, table in tables.items()})
    (target / GENERATED).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def needs_mapping(configuration: Configuration) -> bool:
    """Whether the configuration's own mapping would not read the tables: it has names or formats of a sender."""
    return configuration.mapping != Mapping(description=configuration.mapping.description)


def _schema(columns: Sequence[InputColumn]) -> pa.Schema:
    """The columns of an input table as the contract has them."""
    return pa.schema([(column.name, _type(column)) for column in columns])


def _type(column: InputColumn) -> pa.DataType:
    if column.codes is not None:
        return pa.int32() if column.codes.are_numbers else pa.string()
    return _TYPES.get(column.kind, pa.string())


@dataclass
class _Table:
    """A table that is being written: rows that wait, and the number of all. ``write``: what writes some of them."""

    schema: pa.Schema
    write: Callable[[list[Row]], None]
    waiting: list[Row] = field(default_factory=list)
    rows: int = 0

    def add(self, rows: Sequence[Row]) -> None:
        self.waiting += rows
        self.rows += len(rows)
        if len(self.waiting) >= _ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        self.write(self.waiting)
        self.waiting = []


@contextmanager
def _writing(folder: Path, schema: pa.Schema, file_format: Format) -> Iterator[_Table]:
    """A table of one file in a folder of its own, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    names = schema.names
    if file_format == "csv":
        with (folder / "part-00000.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            table = _Table(schema, lambda rows: writer.writerows([_texts(row, names) for row in rows]))
            yield table
            table.flush()
        return
    with pq.ParquetWriter(folder / "part-00000.parquet", schema) as parquet:
        table = _Table(schema, lambda rows: parquet.write_table(pa.Table.from_pylist(rows, schema)))
        yield table
        table.flush()


def _texts(row: Row, names: Sequence[str]) -> list[Any]:
    """A row as CSV has it: truths in small letters, nothing where there is no value."""
    found = [row.get(name) for name in names]
    return [str(value).lower() if isinstance(value, bool) else value for value in found]
