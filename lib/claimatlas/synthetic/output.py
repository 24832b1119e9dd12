"""Write the generated tables into one folder, with a record of what was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.errors import InputError
from claimatlas.ingest.inputs import GENERATED
from claimatlas.paths import is_remote
from claimatlas.synthetic.parameters import RULES_VERSION, Parameters

RECORD = GENERATED
_NO_SEPARATOR = "\x01"


def prepare_local(folder: Path, *, overwrite: bool) -> None:
    """Make a folder of this machine ready, and take an old record away: without one the folder is not complete.

    Raises:
        InputError: it is not empty and not to be overwritten, is a file, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder.")
    if not overwrite and folder.exists() and any(folder.iterdir()):
        raise _not_empty(str(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECORD).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be written ({error.strerror}).") from None


def _not_empty(folder: str) -> InputError:
    return InputError(f"The folder {folder} is not empty; choose another or give --overwrite.")


def record_of(parameters: Parameters, configuration: Configuration, rows: Mapping[str, int]) -> dict[str, Any]:
    """What ``generate.json`` says: the parameters, the configuration's hashes and the rows of each table."""
    return {
        "beneficiaries": parameters.beneficiaries,
        "years": list(parameters.years),
        "seed": parameters.seed,
        "dirty": parameters.dirty,
        "format": parameters.format,
        "rules_version": RULES_VERSION,
        "configuration": configuration.hashes,
        "rows": dict(rows),
    }


class Output:
    """A folder of this machine or, given as a URI, of a file system that only Spark reaches."""

    def __init__(self, spark: SparkSession, folder: str, *, overwrite: bool = False) -> None:
        """Name the folder; nothing is read or made yet.

        ``spark``: any session, classic or Connect. ``overwrite``: replace what the folder holds.
        """
        self.spark = spark
        self.overwrite = overwrite
        self.local: Path | None = None
        if not is_remote(folder):
            self.local = Path(folder).resolve()
        self.folder = str(self.local) if self.local else folder.rstrip("/")

    def prepare(self) -> None:
        """Refuse a folder with anything in it, unless it is to be overwritten.

        The record is removed first: while it is missing, the folder is not complete.

        Raises:
            InputError: the folder is not empty, or is a file.
        """
        if self.local:
            prepare_local(self.local, overwrite=self.overwrite)
        elif not self.overwrite and not self._is_empty():
            raise _not_empty(self.folder)

    def _is_empty(self) -> bool:
        files = self.spark.read.format("binaryFile").option("recursiveFileLookup", "true")
        try:
            return files.load(self.folder).select("path").isEmpty()
        except AnalysisException:  # There is no such folder.
            return True

    def write(self, df: DataFrame, table: str, file_format: str = "parquet", *, append: bool = False) -> int:
        """Write a table whole, or add to it; gives back the number of rows."""
        counted = Observation()
        writer = df.observe(counted, F.count(F.lit(1)).alias("rows")).write.mode("append" if append else "overwrite")
        if file_format == "csv":
            writer = writer.option("header", "true").option("escape", '"')
        writer.format(file_format).save(f"{self.folder}/{table}")
        return int(counted.get["rows"])

    def add_lines(self, lines: DataFrame, table: str, header: str) -> int:
        """Add lines to a CSV table as they are: ``lines`` has one column, the whole line."""
        # One column under the whole header, with a separator that no line has: nothing gets quoted.
        only = lines.toDF(header)
        counted = Observation()
        writer = only.observe(counted, F.count(F.lit(1)).alias("rows")).write.mode("append")
        writer.option("header", "true").option("sep", _NO_SEPARATOR).csv(f"{self.folder}/{table}")
        return int(counted.get["rows"])

    def record(self, record: Mapping[str, Any]) -> None:
        """Write the record; it comes last."""
        text = json.dumps(record, indent=2) + "\n"
        if self.local:
            (self.local / RECORD).write_text(text, encoding="utf-8")
            return
        # Only Spark can write there, and it writes folders: the record is the one file in a folder of its name.
        one = self.spark.createDataFrame([(json.dumps(record),)], "value string").coalesce(1)
        one.write.mode("overwrite").text(f"{self.folder}/{RECORD}")
