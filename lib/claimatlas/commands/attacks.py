"""The attack that a candidate must withstand before it is published: by the code that knows nothing of hiding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimatlas import __version__
from claimatlas.auditing.run import Attempt, audit
from claimatlas.errors import QualityGateError
from claimatlas.paths import write_private
from claimatlas.processes import Workers
from claimatlas.protection.run import settings_hash

if TYPE_CHECKING:
    from claimatlas.atlas.reading import PublishedCells
    from claimatlas.configuration import Configuration
    from claimatlas.configuration.publication import Publication


def require_safe(
    output: str, cells: PublishedCells, configuration: Configuration, publication: Publication, workers: Workers
) -> None:
    """Attack all releases of an output as a reader could, but for what has withstood the same attack before.

    The house's own folder keeps a record of it: to publish the same figures again takes no time, and of a release with
    one new year that year alone is attacked.

    Raises:
        QualityGateError: something can be worked out, or the programs ran out of their time.
    """
    attacked = _attacked(output, cells, configuration)
    records = [_record(file) for file in sorted(Path(output, "protection").glob("attack_*.json"))]
    before = [record for record in records if record.get("rules") == attacked["rules"]]
    if any(record["cells"] == attacked["cells"] for record in before):
        return
    workers.progress(f"release {cells.release} is attacked as a reader could")
    withstood = frozenset(content for record in before for content in record["withstood"])
    found = audit(output, configuration, publication, workers, Attempt(withstood=withstood))
    told = len(found.texts())
    if told or found.undecided:
        what = (
            f"{told:,} figures can be worked out" if told else f"{found.undecided:,} figures were not settled in time"
        )
        raise QualityGateError(f"{what}: `claimatlas audit` of the output names them. Nothing is published.")
    record = {**attacked, "withstood": sorted(found.withstood)}
    write_private(Path(output, "protection", f"attack_{cells.release}.json"), json.dumps(record, sort_keys=True))


def _record(file: Path) -> dict[str, Any]:
    """What withstood an attack; nothing where it cannot be read, as then it is attacked again."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _attacked(output: str, cells: PublishedCells, configuration: Configuration) -> dict[str, Any]:
    """What an attack is of: the figures of all releases and all that an attacker knows of them, by their hashes."""
    from claimatlas.atlas.reading import PublishedCells, candidates  # noqa: PLC0415 - pyarrow may be missing

    others = {str(one): PublishedCells(output, one).digest for one in candidates(output) if one != cells.release}
    # A later version may attack better: it does so once.
    rules = {**configuration.hashes, "publication": settings_hash(configuration), "claimatlas": __version__}
    return {"rules": rules, "cells": {str(cells.release): cells.digest, **others}}
