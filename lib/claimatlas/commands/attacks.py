"""The attack that a candidate must withstand before it is published: by the code that knows nothing of hiding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimatlas.auditing.run import audit
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
    """Attack all releases of an output as a reader could, unless these very figures have withstood it before.

    Where they do, the house's own folder keeps a record, so that publishing them again takes no time.

    Raises:
        QualityGateError: something can be worked out, or the programs ran out of their time.
    """
    file = Path(output, "protection", f"attack_{cells.release}.json")
    attacked = _attacked(output, cells, configuration)
    if file.is_file() and json.loads(file.read_text(encoding="utf-8")) == attacked:
        return
    workers.progress(f"release {cells.release} is attacked as a reader could")
    found = audit(output, configuration, publication, workers)
    told = len(found.texts())
    if told or found.undecided:
        what = (
            f"{told:,} figures can be worked out" if told else f"{found.undecided:,} figures were not settled in time"
        )
        raise QualityGateError(f"{what}: `claimatlas audit` of the output names them. Nothing is published.")
    write_private(file, json.dumps(attacked, sort_keys=True))


def _attacked(output: str, cells: PublishedCells, configuration: Configuration) -> dict[str, Any]:
    """What an attack is of: the figures of all releases, by their hashes, and the settings."""
    from claimatlas.atlas.reading import PublishedCells, candidates  # noqa: PLC0415 - pyarrow may be missing

    others = {str(one): PublishedCells(output, one).digest for one in candidates(output) if one != cells.release}
    return {"settings_hash": settings_hash(configuration), "cells": {str(cells.release): cells.digest, **others}}
