"""What Spark itself says of a run: its event log, as plans and sums."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def settings(folder: Path) -> dict[str, str]:
    """What Spark must be told to write a log into ``folder`` that can be read here."""
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
    }


@dataclass(frozen=True)
class Node:
    """A step of a physical plan. ``location``, ``partitions``: what a scan reads of what; else empty."""

    name: str
    text: str
    location: str
    partitions: str
    children: tuple[Node, ...]

    def walk(self) -> Iterator[Node]:
        """The step and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def columns(self) -> list[str]:
        """The columns that a scan reads."""
        inside = self.text.partition("[")[2].partition("]")[0]
        return [name.partition("#")[0] for name in inside.split(",") if name]


@dataclass
class Query:
    """A query with its plan as it ran at last, what it read and exchanged, and what its tasks read of exchanges.

    read_records: rows of files, those of row groups and pages that were passed over left out. exchanged_bytes,
    exchanged_records: written to shuffles. records_by_stage: what each task of a stage read from a shuffle.
    """

    description: str
    plan: Node
    read_records: int = 0
    exchanged_bytes: int = 0
    exchanged_records: int = 0
    records_by_stage: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def scans(self, location: str) -> list[Node]:
        """The scans that read columns of a table whose path ends so."""
        return [node for node in self.plan.walk() if node.location.rstrip("]").endswith(location) and node.columns]


def read_event_log(folder: Path) -> list[Query]:
    """Every query of the run, in order.

    The folder holds the log of one application, written with ``settings``.
    """
    queries: dict[int, Query] = {}
    query_of_stage: dict[int, int] = {}
    for event in _events(folder):
        kind = event["Event"].rpartition(".")[2]
        if kind == "SparkListenerSQLExecutionStart":
            queries[event["executionId"]] = Query(event["description"], _node(event["sparkPlanInfo"]))
        elif kind == "SparkListenerSQLAdaptiveExecutionUpdate":
            queries[event["executionId"]].plan = _node(event["sparkPlanInfo"])
        elif kind == "SparkListenerJobStart":
            query = event["Properties"].get("spark.sql.execution.id")
            if query is not None:
                query_of_stage |= dict.fromkeys(event["Stage IDs"], int(query))
        elif kind == "SparkListenerTaskEnd" and event["Stage ID"] in query_of_stage:
            _add_task(queries[query_of_stage[event["Stage ID"]]], event)
    return list(queries.values())


def _events(folder: Path) -> Iterator[dict[str, Any]]:
    (log,) = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    with log.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@dataclass
class Work:
    """What the tasks of some jobs did, as the event log has it: sums of its own units, and each stage's peaks."""

    jobs: int = 0
    stages: set[tuple[int, int]] = field(default_factory=set)
    tasks: int = 0
    executors: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    peaks: Counter[int] = field(default_factory=Counter)


def read_work(folder: Path, prefix: str) -> dict[str, Work]:
    """The work of the jobs with each tag that starts so; that of jobs without such a tag has the name ``""``.

    Spark gives tags of its own to jobs. The folder holds one log as for `read_event_log`. A stage's work is that of the
    first job that needed it.
    """
    by_tag: dict[str, Work] = defaultdict(Work)
    tags_of_stage: dict[int, list[str]] = {}
    for event in _events(folder):
        kind = event["Event"]
        if kind == "SparkListenerJobStart":
            given = event["Properties"].get("spark.job.tags", "").split(",")
            tags = [tag for tag in given if tag.startswith(prefix)] or [""]
            for tag in tags:
                # One without a stage, of a query over nothing, had nothing to do.
                by_tag[tag].jobs += bool(event["Stage IDs"])
            for stage in event["Stage IDs"]:
                tags_of_stage.setdefault(stage, tags)
        elif kind == "SparkListenerTaskEnd":
            for tag in tags_of_stage[event["Stage ID"]]:
                _add_work(by_tag[tag], event)
    return dict(by_tag)


def _add_work(work: Work, event: dict[str, Any]) -> None:
    metrics = event["Task Metrics"]
    work.stages.add((event["Stage ID"], event["Stage Attempt ID"]))
    work.tasks += 1
    work.executors[event["Task Info"]["Executor ID"]] += 1
    work.peaks[event["Stage ID"]] += metrics["Peak Execution Memory"]
    groups = ("Input Metrics", "Output Metrics", "Shuffle Read Metrics", "Shuffle Write Metrics")
    for values, prefix in [(metrics, ""), *[(metrics[group], f"{group}: ") for group in groups]]:
        work.sums.update({prefix + name: value for name, value in values.items() if isinstance(value, int)})


def _add_task(query: Query, event: dict[str, Any]) -> None:
    metrics = event.get("Task Metrics")
    if metrics is None:
        return
    query.read_records += metrics["Input Metrics"]["Records Read"]
    written = metrics["Shuffle Write Metrics"]
    query.exchanged_bytes += written["Shuffle Bytes Written"]
    query.exchanged_records += written["Shuffle Records Written"]
    query.records_by_stage[event["Stage ID"]].append(metrics["Shuffle Read Metrics"]["Total Records Read"])


def _node(plan: dict[str, Any]) -> Node:
    children = tuple(_node(child) for child in plan["children"])
    about = plan["metadata"]
    location, partitions = about.get("Location", ""), about.get("PartitionFilters", "")
    return Node(plan["nodeName"], plan["simpleString"], location, partitions, children)
