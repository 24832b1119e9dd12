"""From one release of gold to a candidate for publication, which is written once the audit has passed."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimatlas.configuration import Configuration
from claimatlas.configuration.documents import read_text
from claimatlas.configuration.hospitals import FILE as HOSPITALS
from claimatlas.configuration.indicators import MEDIAN
from claimatlas.configuration.publication import FILE, Publication, load_publication
from claimatlas.errors import InputError
from claimatlas.paths import write_private
from claimatlas.processes import Workers, results_of
from claimatlas.protection.audit import Audit
from claimatlas.protection.candidate import HIDDEN, PublishingRules, Row, add_comparisons, rows_of_year
from claimatlas.protection.choosing import choose
from claimatlas.protection.freezing import Chosen, basis_of, chosen, hide_as_published, shown_of, shown_of_rows
from claimatlas.protection.gold import Release, cells_of, comparisons_of, release_of
from claimatlas.protection.known import know_from_elsewhere, know_what_was_shown
from claimatlas.protection.ledger import (
    key_of_cell,
    published_year,
    refuse_other_medians,
    refuse_other_method,
    refuse_shown,
    shown_before,
    split_text,
)
from claimatlas.protection.links import links_of
from claimatlas.protection.marking import Marks, mark
from claimatlas.protection.plan import PlannedCell, plan
from claimatlas.protection.programs import solver_version
from claimatlas.protection.proof import Proof
from claimatlas.protection.rounding import Rounded, mark_rounded
from claimatlas.protection.tables import IndicatorYear, TableBuilder, indicator_years
from claimatlas.tables.local_table import write_rows
from claimatlas.tables.schemas import ALL, PUBLISHED_AUDITS, PUBLISHED_CELLS, configured, dimensions_among

Progress = Callable[[str], None]
_NAMED = 5
_MANY_PLACES = 100
"""From so many places on a year takes longer than a process takes to start."""


@dataclass(frozen=True)
class YearResult:
    """A protected year: plain data, as it may come from another process.

    rows: of ``published/cells``. audited: what the audit did, for ``published/audits``. pattern: for the house alone,
    a line a hidden figure with its reason. sensitive, repaired, shown_again: figures. notes: what of gold a person must
    look at. chosen: what the house keeps of it. as_in: the release that published it, where nothing was chosen anew.
    """

    year: int
    rows: list[Row]
    audited: dict[str, Any]
    pattern: list[str]
    sensitive: int
    repaired: int
    shown_again: int
    notes: list[str]
    chosen: Chosen
    as_in: int | None = None


def settings_hash(configuration: Configuration) -> str:
    """SHA-256 of the text of ``publication.yaml``; of the register of hospitals too, where the plan has hospitals."""
    text = read_text(configuration.folder, FILE)
    if load_publication(configuration).has_hospitals and configuration.hospitals is not None:
        text += configuration.hospitals.text
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class YearOfRelease:
    """A year to protect.

    settings_hash: of the publication. until: when the programs must have ended, by the clock that all
    processes of a machine share.
    """

    output: str
    release: int
    year: int
    rules: PublishingRules
    settings_hash: str
    until: float


def protect_year(one: YearOfRelease, progress: Progress) -> YearResult:
    """Protect one year, which needs nothing of the others.

    Raises:
        InputError: gold has no such year, or an indicator that no rule is for.
        QualityGateError: the audit fails, or has no time left.
    """
    year, rules = one.year, one.rules
    configuration, publication = rules.configuration, rules.publication
    release = release_of(one.output, one.release)
    found = indicator_years(cells_of(release, year, configuration), configuration)
    years = {name: cells for name, cells in found.items() if name not in publication.not_published}
    if not years:
        raise InputError(f"--years {year}: release {release.number} has no cells of this year to publish.")
    names = configuration.dimensions.names
    cells, audit = prepare(years, rules, year, lambda message: progress(f"{year}: {message}"))
    audit.progress(f"{len(cells):,} planned cells")
    for note in audit.notes:
        audit.progress(note)
    basis = basis_of(audit, cells, one.settings_hash, rules.known.of(year))
    if publication.is_rounded:
        return _rounded(one, cells, audit, basis)
    result = _as_published(one, cells, audit, basis)
    if result is not None:
        audit.progress(f"nothing differs from release {result.as_in}, which published this year: it stays as it was")
        return result
    know_what_was_shown(audit, cells, shown_before(one.output, release.number, names, [year]), year, names)
    know_from_elsewhere(audit, rules.known, year, names)
    pattern = choose(audit, one.until, str(year))
    rows = rows_of_year(cells, audit.measures, rules, year, release.number)
    audited = _audited(audit, pattern.proof)
    return YearResult(
        year,
        rows=rows,
        audited=audited,
        pattern=_lines_of_pattern(audit),
        sensitive=pattern.primary,
        repaired=audit.repaired + pattern.proof.repaired,
        shown_again=pattern.shown_again,
        notes=audit.notes,
        chosen=Chosen(basis, shown_of_rows(rows, names), audited),
    )


def _rounded(one: YearOfRelease, cells: Sequence[PlannedCell], audit: Audit, basis: str) -> YearResult:
    """The year with rounded counts. Of equal counts it looks the same each time.

    Raises:
        QualityGateError: something could be worked out that cannot be hidden, or the time is over.
    """
    names = one.rules.configuration.dimensions.names
    sensitive = sum(int(measure.hidden.sum()) for measure in audit.measures.values())
    audit.progress(f"{sensitive:,} figures are hidden, as they are small or tell a full group")
    before = shown_before(one.output, one.release, names, [one.year])
    rounded = Rounded(cells, audit.measures, one.rules, one.year, one.release, before, audit.progress)
    rounded.hide_what_is_proved(one.until)
    audit.progress(f"{len(rounded.beyond):,} more are hidden, as others could be worked out")
    rows = rounded.rows
    audited = {
        "programs": rounded.programs,
        "hidden_for_others": len(rounded.beyond),
        "planned_sensitive_not_bounded_by_programs": 0,
        "solver": f"HiGHS {solver_version()}",
    }
    return YearResult(
        one.year,
        rows=rows,
        audited=audited,
        pattern=_lines_of_pattern(audit),
        sensitive=sensitive,
        repaired=len(rounded.beyond),
        shown_again=0,
        notes=audit.notes,
        chosen=Chosen(basis, shown_of_rows(rows, names), audited),
    )


def _as_published(one: YearOfRelease, cells: Sequence[PlannedCell], audit: Audit, basis: str) -> YearResult | None:
    """The year as the newest release that has it published it, if its pattern was chosen from the same; else nothing.

    The audit is then as it was.
    """
    names = one.rules.configuration.dimensions.names
    published = published_year(one.output, one.release, one.year, names)
    before = chosen(one.output, published.release, one.year) if published else None
    if published is None or before is None or published.settings_hash != one.settings_hash or before.basis != basis:
        return None
    start = audit.state()
    sensitive = sum(int(hidden.sum()) for hidden in start.hidden.values())
    if hide_as_published(audit, {key_of_cell(cell, one.year, names): cell for cell in cells}, published):
        rows = rows_of_year(cells, audit.measures, one.rules, one.year, one.release)
        if before.shown == shown_of(published.figures) == shown_of_rows(rows, names):
            return YearResult(
                one.year,
                rows=rows,
                audited=before.audited,
                pattern=_lines_of_pattern(audit),
                sensitive=sensitive,
                repaired=0,
                shown_again=0,
                notes=audit.notes,
                chosen=before,
                as_in=published.release,
            )
    audit.restore(start)
    return None


def prepare(
    years: Mapping[str, IndicatorYear], rules: PublishingRules, year: int, progress: Progress = lambda message: None
) -> tuple[list[PlannedCell], Audit]:
    """The planned cells of a year, and the audit of its tables, in which what is sensitive by itself is hidden.

    Raises:
        InputError: gold does not add up, or has an indicator that no rule is for.
    """
    configuration, publication = rules.configuration, rules.publication
    builder = TableBuilder(configuration, publication, year)
    tables = builder.tables(years)
    cells = plan(years, tables, configuration, publication)
    links = links_of(tables.measures, tables.types)
    audit = Audit(tables.measures, links, Marks(tables.measures, links, cells), publication, progress)
    audit.notes += _notes(builder.passed_over, year)
    if publication.is_rounded:
        mark_rounded(tables, cells, links, configuration, publication)
    else:
        mark(tables, cells, audit.marks, configuration, publication)
    return cells, audit


def _notes(hospitals: Collection[str], year: int) -> list[str]:
    """What to say of hospitals of gold that the register does not have in the year."""
    if not hospitals:
        return []
    first = ", ".join(sorted(hospitals)[:_NAMED]) + (", ..." if len(hospitals) > _NAMED else "")
    return [
        f"{len(hospitals)} hospitals of {year} are not in {HOSPITALS} for that year: their deliveries count as those "
        f"without a hospital ({first})"
    ]


def write_candidate(
    output: str, release: Release, results: Sequence[YearResult], configuration: Configuration, publication: Publication
) -> None:
    """Write the candidate, one commit a table, and the house's own files; only what the audit passed gets here."""
    rows = [row for result in results for row in result.rows]
    years = [result.year for result in results]
    country_level = configuration.settings.geography.country_level
    add_comparisons(rows, comparisons_of(release, years), country_level, of_gold=not publication.is_rounded)
    table = configured(PUBLISHED_CELLS, configuration, publication.published_as)
    names = table.column_names
    own = f"release = {release.number:d}"
    write_rows(output, table, [tuple(row[name] for name in names) for row in rows], where=own)
    audits = [_audit_row(result, release, configuration, publication) for result in results]
    write_rows(output, PUBLISHED_AUDITS, audits, where=own)
    _write_patterns(output, release, results)


def _audit_row(
    result: YearResult, release: Release, configuration: Configuration, publication: Publication
) -> tuple[Any, ...]:
    hidden = sum(row["confidentiality"] == HIDDEN for row in result.rows)
    method = {"method": publication.method, "k": publication.k, "cells": counts_of(result.rows)}
    if publication.is_rounded:
        method["country_exact"] = publication.country_exact
    text = json.dumps({**method, **result.audited}, sort_keys=True)
    counts = (len(result.rows), len(result.rows) - hidden, hidden)
    return (release.number, result.year, settings_hash(configuration), *counts, text)


def _audited(audit: Audit, proof: Proof) -> dict[str, Any]:
    """What the audit of a year did."""
    return {
        "proved_by_worlds": sum(one.worlds for one in audit.bounds.values()),
        "programs": sum(one.programs for one in audit.bounds.values()),
        "planned_sensitive_not_bounded_by_programs": 0,
        "unplanned_checked_by_algebra_only": proof.unplanned,
        "hidden_not_sensitive_without_k_values": audit.unclear(),
        "insiders_checked": proof.insiders,
        "primes": proof.primes,
        "solver": f"HiGHS {solver_version()}",
    }


def counts_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Planned, shown and hidden cells by indicator, level and number of dimensions split by."""
    found: Counter[tuple[str, str, int, bool]] = Counter()
    for row in rows:
        depth = sum(row[name] != ALL for name in dimensions_among(list(row)))
        found[row["indicator_id"], row["geo_level"], depth, row["confidentiality"] == HIDDEN] += 1
    keys = sorted({key[:3] for key in found})
    return [
        {
            **{"indicator_id": name, "geo_level": level, "splits": depth},
            **{"shown": found[name, level, depth, False], "hidden": found[name, level, depth, True]},
        }
        for name, level, depth in keys
    ]


def _lines_of_pattern(audit: Audit) -> list[str]:
    """Which figures of a year are hidden and why, as lines of a CSV file."""
    lines = ["quantity,geo_level,geo_code,split,reason"]
    for quantity, measure in sorted(audit.measures.items()):
        for unit, split in zip(*measure.hidden.nonzero(), strict=True):
            place = measure.frame.units[unit]
            reason = "sensitive" if measure.sensitive[unit, split] else "secondary"
            values = split_text(measure.frame.splits[split])
            lines.append(f'{quantity.label},{place.level},{place.code},"{values}",{reason}')
    return lines


def _write_patterns(output: str, release: Release, results: Sequence[YearResult]) -> None:
    for result in results:
        file = Path(output, "protection", f"pattern_{release.number}_{result.year}.csv")
        write_private(file, "\n".join(result.pattern) + "\n")
        result.chosen.write(output, release.number, result.year)


def protect(
    output: str, release: Release, years: Sequence[int], rules: PublishingRules, workers: Workers
) -> list[YearResult]:
    """Protect the years of a release and write the candidate.

    Years are protected beside each other, each in a process of its own; the result does not depend on how many.

    Raises:
        InputError: gold does not fit what is declared.
        QualityGateError: the audit fails; nothing is written.
    """
    configuration, publication = rules.configuration, rules.publication
    refuse_shown(output, publication.not_published)
    refuse_other_method(output, publication.method)
    published = [one for one in configuration.indicators if one.id in publication.sensitive_sides]
    refuse_other_medians(
        output, {one.id: publication.depths.keys() & set(one.levels) for one in published if one.unit == MEDIAN}
    )
    for row in rules.known.rows:
        if row.year not in years:
            rules.known.refuse(row, f"{row.year} is none of the years that are protected.")
    settings = settings_hash(configuration)
    until = time.monotonic() + publication.budget_seconds
    tasks = [YearOfRelease(output, release.number, year, rules, settings, until) for year in years]
    is_large = len(configuration.geography.places) >= _MANY_PLACES
    results = results_of(protect_year, tasks, workers if is_large else workers.here())
    write_candidate(output, release, results, configuration, publication)
    return results
