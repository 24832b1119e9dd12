"""The review report of a candidate: made by ``protect``, approved by its hash, asked for by ``publish``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from claimatlas.atlas.reading import PublishedCells
from claimatlas.configuration import Configuration
from claimatlas.errors import InputError
from claimatlas.paths import write_private
from claimatlas.processes import Workers
from claimatlas.protection.candidate import PublishingRules
from claimatlas.protection.gold import Release
from claimatlas.protection.ledger import refuse_other_settings, settings_of, shown_before
from claimatlas.protection.report import review
from claimatlas.protection.run import protect, settings_hash

_CELLS = "cells_sha256"
_SETTINGS = "settings_hash"
_KNOWN = "known_sha256"
"""What other releases had shown of these years when the candidate was protected."""


@dataclass(frozen=True)
class ProtectOptions:
    """What does not change the figures: who works, and why figures published with other settings are replaced."""

    workers: Workers
    supersede: str | None = None


def protect_and_review(
    output: str,
    release: Release,
    years: Sequence[int],
    rules: PublishingRules,
    options: ProtectOptions,
) -> str:
    """Protect the years of a release, and give back the review report, which is kept for the house alone.

    The report names the cells and the settings by their hashes: an approval is of these and no others.

    Raises:
        InputError: the release was published with other settings; gold does not fit what is declared.
        QualityGateError: the audit fails; nothing is written.
    """
    configuration = rules.configuration
    refuse_other_settings(output, release.number, settings_hash(configuration), options.supersede)
    results = protect(output, release, years, rules, options.workers)
    report = {
        **review(output, release.number, results, configuration.dimensions.names),
        _CELLS: PublishedCells(output, release.number).digest,
        _SETTINGS: settings_hash(configuration),
        _KNOWN: _hash_of_known(output, release.number, years, configuration),
    }
    text = json.dumps(report, indent=2, sort_keys=True)
    file = file_of_review(output, release.number)
    write_private(file, text)
    return text


def review_of(output: str, cells: PublishedCells, configuration: Configuration) -> str | None:
    """The review report of a candidate; nothing where there is no candidate, or none of these settings.

    Raises:
        InputError: the cells are not those that the report was made of, or another release was published since.
    """
    file = file_of_review(output, cells.release)
    if not cells.years_of_indicators or not file.is_file():
        return None
    text = file.read_text(encoding="utf-8")
    report = json.loads(text)
    if report[_SETTINGS] != settings_hash(configuration):
        return None
    if report[_CELLS] != cells.digest:
        raise InputError(
            f"The candidate of release {cells.release} is not the one that {file} reports on: run "
            "`claimatlas protect` again."
        )
    # What was published stays as it is.
    if settings_of(output, cells.release) is None:
        known = _hash_of_known(output, cells.release, report["years"], configuration)
        if report.get(_KNOWN) != known:
            raise InputError(
                f"Another release was published since release {cells.release} was protected, without knowing what "
                "readers have of it: run `claimatlas protect` again."
            )
    return text


def _hash_of_known(output: str, release: int, years: Sequence[int], configuration: Configuration) -> str:
    shown = shown_before(output, release, configuration.dimensions.names, years)
    return hashlib.sha256(repr(sorted(shown.items())).encode()).hexdigest()


def hash_of(report: str) -> str:
    """SHA-256 of a review report, as ``sha256sum`` tells it of its file."""
    return hashlib.sha256(report.encode()).hexdigest()


def file_of_review(output: str, release: int) -> Path:
    """Where the review report of a release's candidate is kept."""
    return Path(output, "protection", f"review_{release}.json")
