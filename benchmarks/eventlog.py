"""What Spark itself says of a run: its event log, as plans and sums."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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
    """A query with its plan as it ran at last, what it exchanged, and what its tasks read of exchanges.

    exchanged_bytes, exchanged_records: written to shuffles. records_by_stage: what each task of a stage read from
    a shuffle.
    """

    description: str
    plan: Node
    exchanged_bytes: int = 0
    exchanged_records: int = 0
    records_by_stage: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def scans(self, location: str) -> list[Node]:
        """The scans that read columns of a table whose place ends so."""
        return [node for node in self.plan.walk() if node.location.rstrip("]").endswith(location) and node.columns]


def read_event_log(folder: Path) -> list[Query]:
    """Every query of the run, in order.

    The folder holds the log of one application, written with ``spark.eventLog.enabled``, neither rolled nor
    compressed.
    """
    queries: dict[int, Query] = {}
    query_of_stage: dict[int, int] = {}
    (log,) = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            event: dict[str, Any] = json.loads(line)
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


def _add_task(query: Query, event: dict[str, Any]) -> None:
    metrics = event.get("Task Metrics")
    if metrics is None:
        return
    written = metrics["Shuffle Write Metrics"]
    query.exchanged_bytes += written["Shuffle Bytes Written"]
    query.exchanged_records += written["Shuffle Records Written"]
    query.records_by_stage[event["Stage ID"]].append(metrics["Shuffle Read Metrics"]["Total Records Read"])


def _node(plan: dict[str, Any]) -> Node:
    children = tuple(_node(child) for child in plan["children"])
    about = plan["metadata"]
    location, partitions = about.get("Location", ""), about.get("PartitionFilters", "")
    return Node(plan["nodeName"], plan["simpleString"], location, partitions, children)
