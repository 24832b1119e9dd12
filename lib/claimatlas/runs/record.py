"""A run's record: counts and notes as they arise, durations of its stages, progress for a person."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from tqdm import tqdm

from claimatlas import __version__
from claimatlas.configuration import Configuration
from claimatlas.configuration.snapshot import snapshot
from claimatlas.tables.schemas import RUNS


class RunRecord:
    """Gathers what is known of a run. Holds counts and names only, never a person's data."""

    def __init__(
        self, job: str, years: Sequence[int], configuration: Configuration, stages: int, *, quiet: bool = False
    ) -> None:
        """Start the clock; ``stages`` is how many stages the job has, ``quiet`` says nothing of its progress.

        The configuration's files are read once more here, not at the end: they may be edited during a long run.
        """
        self.job = job
        self.years = sorted(set(years))
        self.started_at = datetime.now(UTC)
        self.run_id = f"{self.started_at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
        self.configuration = configuration
        self.files = snapshot(configuration)
        self.hashes = configuration.hashes
        self._list_hashes = {name: configuration.code_list_hash(name) for name in sorted(configuration.code_lists)}
        self._quiet = quiet
        self.notes: dict[str, Any] = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.durations: dict[str, float] = {}
        self.warnings: list[str] = []
        self.publishes = False
        """Whether the run leaves tables of gold to publish at its end."""
        self._clock = time.monotonic()
        # Lines for a log file, a bar as well for a person at a terminal.
        self._bar = tqdm(
            total=stages,
            file=sys.stderr,
            disable=quiet or not sys.stderr.isatty(),
            leave=False,
            bar_format="{desc} {bar} {elapsed}",
        )

    def progress(self, message: str) -> None:
        """Tell the person what happens, with the seconds since the start."""
        if self._quiet:
            return
        elapsed = time.monotonic() - self._clock
        self._bar.set_description_str(message)
        tqdm.write(f"[{elapsed:7.1f} s] {message}", file=sys.stderr)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        start = time.monotonic()
        yield
        self.durations[name] = round(time.monotonic() - start, 3)
        self._bar.update(1)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

    def count(self, step: str, counts: Mapping[str, int]) -> None:
        """Keep the counts of a step."""
        self.counts.setdefault(step, {}).update({name: int(value) for name, value in counts.items()})

    def note(self, name: str, value: object) -> None:
        """Keep a fact of the run."""
        self.notes[name] = value

    def warn(self, sentence: str) -> None:
        """Keep a sentence that the summary must show."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def as_dict(self, outcome: str) -> dict[str, Any]:
        """The whole record."""
        configuration = self.configuration
        return {
            "run_id": self.run_id,
            "job": self.job,
            "outcome": outcome,
            "years": self.years,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "duration_seconds": round(time.monotonic() - self._clock, 3),
            "stage_seconds": self.durations,
            "package_version": __version__,
            "settings": configuration.settings.model_dump(mode="json", by_alias=True),
            "hashes": self.hashes,
            "code_list_hashes": self._list_hashes,
            "mapping": configuration.settings.mapping,
            **self.notes,
            "counts": self.counts,
            "warnings": self.warnings,
        }

    def row(self, spark: SparkSession, outcome: str) -> DataFrame:
        """The record as a row of ``gold/runs``."""
        record = self.as_dict(outcome)
        values = (
            self.run_id,
            self.job,
            outcome,
            self.years,
            self.started_at,
            datetime.now(UTC),
            __version__,
            record["hashes"]["settings"],
            record["hashes"]["code_lists"],
            json.dumps(record, ensure_ascii=False, sort_keys=True),
            json.dumps(self.files, ensure_ascii=False),
        )
        return spark.createDataFrame([values], RUNS.schema)
