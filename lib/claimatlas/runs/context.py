"""The context of a stage, and the facts of the silver that it computes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from claimatlas.configuration import Configuration
from claimatlas.runs.record import RunRecord
from claimatlas.tables.store import Store

Counts = dict[str, dict[str, int]]
"""Counts by step, as a run record has them: ``{"deliveries.2023": {"deliveries": 12}}``."""


@dataclass(frozen=True)
class RunContext:
    """What every stage is given: where the tables are, the rules, the reference years, the record to write to.

    A stage writes to ``record`` and reads nothing from it: a stage hands its results to the next one as arguments.
    """

    store: Store
    configuration: Configuration
    years: tuple[int, ...]
    record: RunRecord


@dataclass(frozen=True)
class SilverFacts:
    """What the stages after an ingest must know of the silver that they compute from.

    ``run_id``: the ingest that changed it last. ``tables``: the input tables that have rows. ``batches``: the runs that
    brought data, in order. ``population_years``: years with a population. ``versions``: of its Delta tables, by name.
    ``lines_by_year``: claim lines; ``None`` where the record of an older run does not tell. ``stray_lines``: for
    ``before`` and ``after`` the claim lines far from all others, and the day where the others end.
    """

    run_id: str = ""
    tables: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    population_years: tuple[int, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
    first_service_date: date | None = None
    last_service_date: date | None = None
    lines_by_year: Mapping[int, int] | None = None
    stray_lines: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, noted: Mapping[str, Any]) -> SilverFacts:
        """Read the facts from the completion marker of silver or from a run record.

        A fact that an older one lacks is unknown.
        """
        first, last, lines = (noted.get(name) for name in ("first_service_date", "last_service_date", "lines_by_year"))
        return cls(
            run_id=noted.get("run_id", ""),
            tables=tuple(noted.get("tables", ())),
            batches=tuple(noted.get("batches", ())),
            population_years=tuple(noted.get("population_years", ())),
            versions=dict(noted.get("versions", {})),
            first_service_date=date.fromisoformat(first) if first else None,
            last_service_date=date.fromisoformat(last) if last else None,
            lines_by_year=None if lines is None else {int(year): number for year, number in lines.items()},
            stray_lines={side: (number, day) for side, (number, day) in noted.get("stray_lines", {}).items()},
        )
