"""A run's record: counts and notes as they arise, durations of its stages, progress for a person."""

from __future__ import annotations

import json
import logging
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession
from tqdm import tqdm

from claimatlas import __version__
from claimatlas.configuration import Configuration
from claimatlas.configuration.snapshot import snapshot
from claimatlas.console import messages
from claimatlas.console.messages import Event
from claimatlas.runs.metrics import measured


class RunRecord:
    """Collects the facts of a run: counts and names only, never a person's data."""

    def __init__(
        self,
        job: str,
        years: Sequence[int],
        configuration: Configuration,
        stages: int = 0,
        *,
        spark: SparkSession | None = None,
    ) -> None:
        """Start the clock; ``stages``: how many the job has. A computation aside has none, and reports no progress.

        ``spark``: the session whose work is counted for each stage; without one nothing is counted.
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
        self._quiet = quiet = stages == 0
        self._stages = stages
        self._spark = spark
        self.notes: dict[str, Any] = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.durations: dict[str, float] = {}
        self.metrics: dict[str, dict[str, float]] = {}
        """What Spark counted for each stage."""
        self.metrics_notes: dict[str, str] = {}
        """Why a stage has no counts of Spark, or not all."""
        self.warnings: list[str] = []
        self.publishes = False
        """Whether the run leaves tables of gold to publish at its end."""
        self._clock = time.monotonic()
        if not quiet:
            messages.bind(job=job, run_id=self.run_id)
        # A log file gets lines; a person at a terminal also gets a progress bar.
        self._bar = tqdm(
            total=stages,
            file=sys.stderr,
            disable=quiet or messages.is_json() or not sys.stderr.isatty(),
            leave=False,
            bar_format="{desc} {bar} {elapsed}",
        )

    def progress(self, message: str, **fields: object) -> None:
        """Report progress, with the seconds since the start.

        ``fields``: the same facts for a program that reads the messages.
        """
        if not self._quiet:
            self._bar.set_description_str(message)
        self._say(Event.PROGRESS, message, fields)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, count Spark's work for it, and report its start and its end.

        A stage that fails has no duration and no counts. Later messages still name it.
        """
        number = len(self.durations) + 1
        which = {"number": number, "of": self._stages}
        if not self._quiet:
            messages.bind(stage=name)
        self._say(Event.STAGE_STARTED, f"stage {number} of {self._stages}: {name}", which)
        start = time.monotonic()
        with measured(self._spark, f"claimatlas/{self.run_id}/{name}") as work:
            yield
            seconds = round(time.monotonic() - start, 3)
        self.durations[name] = seconds
        if work.counts:
            self.metrics[name] = work.counts
        if work.note:
            self.metrics_notes[name] = work.note
        ended = {**which, "seconds": seconds, "metrics": work.counts or None, "metrics_note": work.note}
        self._say(Event.STAGE_ENDED, f"stage {number} of {self._stages}: {name} done in {seconds:.1f} s", ended)
        if not self._quiet:
            messages.bind(stage=None)
        self._bar.update(1)

    def _say(self, event: Event, message: str, fields: Mapping[str, object]) -> None:
        if not self._quiet:
            elapsed = round(time.monotonic() - self._clock, 3)
            messages.say(event, message, {"elapsed_seconds": elapsed, **fields})

    def close(self) -> None:
        """Remove the progress bar."""
        self._bar.close()

    def count(self, step: str, counts: Mapping[str, int]) -> None:
        """Keep the counts of a step."""
        self.counts.setdefault(step, {}).update({name: int(value) for name, value in counts.items()})

    def count_all(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Keep the counts of several steps."""
        for step, of_step in counts.items():
            self.count(step, of_step)

    def note(self, name: str, value: object) -> None:
        """Keep a fact of the run."""
        self.notes[name] = value

    def add_to_note(self, name: str, facts: Mapping[str, object]) -> None:
        """Add facts to a note."""
        self.notes[name] = {**self.notes.get(name, {}), **facts}

    def warn(self, sentence: str) -> None:
        """Record a warning, which the summary shows."""
        if sentence in self.warnings:
            return
        self.warnings.append(sentence)
        if not self._quiet:
            messages.say(Event.WARNING, sentence, level=logging.WARNING)

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
            "metrics": self.metrics,
            "metrics_notes": self.metrics_notes,
            "package_version": __version__,
            "settings": configuration.settings.model_dump(mode="json", by_alias=True),
            "hashes": self.hashes,
            "code_list_hashes": self._list_hashes,
            "mapping": configuration.settings.mapping,
            **self.notes,
            "counts": self.counts,
            "warnings": self.warnings,
        }

    def row(self, outcome: str) -> tuple[object, ...]:
        """The record as a row of ``gold/runs``."""
        record = self.as_dict(outcome)
        return (
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
