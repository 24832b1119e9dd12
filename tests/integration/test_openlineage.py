"""OpenLineage, where its listener is configured: a run's events reach an HTTP endpoint, and name tables and no person.

Spark fetches the listener's JAR as a package, by the settings with which the project fetches Delta's.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from claimatlas.spark import jars
from integration.console import ROOT, Said, plain_environment, submit
from integration.test_privacy import NEEDLES, write_input

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

SETTINGS = {
    "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
    "spark.openlineage.transport.type": "http",
    "spark.openlineage.namespace": "claims",
}
"""As docs/observability.md has them, but for the address."""


class Sink(ThreadingHTTPServer):
    """An endpoint that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.bodies: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Receiver(BaseHTTPRequestHandler):
    """Takes every POST."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Sink)
        self.server.bodies.append((self.path, body))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def sink() -> Iterator[Sink]:
    server = Sink()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Lineage:
    """What arrived of a run: the bodies as they came, and the events."""

    output: Path
    bodies: list[tuple[str, bytes]]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.bodies]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["eventType"] == kind]

    def datasets(self, side: str) -> set[str]:
        """The names of all inputs or outputs of what was completed."""
        return {dataset["name"] for event in self.of_type("COMPLETE") for dataset in event[side]}


def submit_with_listener(job: str, arguments: list[object], folder: Path, url: str) -> Said:
    ivy = folder / "ivysettings.xml"
    ivy.write_text(jars.IVY_SETTINGS, encoding="utf-8")
    return submit(
        ROOT / "jobs" / job,
        [*arguments, "--output", folder / "output", "--set", "max_rejected_share=1"],
        plain_environment(folder / "run", with_package=True),
        {
            **SETTINGS,
            "spark.openlineage.transport.url": url,
            "spark.jars.ivy": str(folder.parent / "ivy"),
            "spark.jars.ivySettings": ivy.as_uri(),
        },
        packages="io.openlineage:openlineage-spark_2.13:1.53.0",
    )


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory) -> Lineage:
    """What the main job told."""
    folder = tmp_path_factory.mktemp("lineage")
    source = write_input(folder / "input")
    with sink() as server:
        said = submit_with_listener("run_year.py", ["--input", source, "--year", "2022"], folder, server.url)
    assert said.code == 0, said.everything
    return Lineage(folder / "output", server.bodies)


def test_queries_are_told(lineage: Lineage) -> None:
    """Not all of them: of one that has ended before the listener gets to it nothing is told (docs/observability.md)."""
    assert {path for path, _ in lineage.bodies} == {"/api/v1/lineage"}
    assert len({event["run"]["runId"] for event in lineage.of_type("COMPLETE")}) > 20
    assert {event["job"]["namespace"] for event in lineage.events} == {"claims"}
    assert lineage.of_type("FAIL") == []


def test_the_tables_are_named(lineage: Lineage) -> None:
    silver = {
        str(lineage.output / "silver" / name) for name in ("claims", "population", "hospital_stays", "deliveries")
    }
    gold = {str(lineage.output / "gold" / name) for name in ("imaging", "postnatal", "comparisons")}
    assert lineage.datasets("outputs") >= silver | gold
    inputs = lineage.datasets("inputs")
    assert str(lineage.output / "silver" / "claims") in inputs
    assert any("/input/claims" in name for name in inputs)


def test_an_output_knows_what_it_came_from(lineage: Lineage) -> None:
    """`silver/claims` from the raw file, column by column."""
    claims = str(lineage.output / "silver" / "claims")
    sources = {
        (source["name"], source["field"])
        for event in lineage.of_type("COMPLETE")
        for dataset in event["outputs"]
        if dataset["name"] == claims and "columnLineage" in dataset["facets"]
        for source in dataset["facets"]["columnLineage"]["fields"]["beneficiary_id"]["inputFields"]
    }
    assert any("/input/claims" in name and field == "beneficiary_id" for name, field in sources)


def test_no_person_is_in_any_event(lineage: Lineage) -> None:
    assert found_in(lineage) == set()


def found_in(lineage: Lineage) -> set[str]:
    """The ids, birth dates and the like that stand in an event."""
    text = b"\n".join(body for _, body in lineage.bodies).decode().lower()
    assert "beneficiary_id" in text
    return {needle for needle in NEEDLES if needle.lower() in text}


def test_an_endpoint_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    with sink() as server:
        nobody = server.url
    said = submit_with_listener("ingest.py", ["--input", write_input(tmp_path / "input")], tmp_path, nobody)
    assert said.code == 0, said.everything
    assert server.bodies == []
