"""The audit of a folder: every release that is published or a candidate, year by year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from claimatlas.auditing.attack import Finding, attack
from claimatlas.auditing.figures import Key, count_names, figures_of
from claimatlas.auditing.ranges import ranges_of
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Publication
from claimatlas.errors import InputError
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.schemas import CELL_DIMENSIONS, LEDGER, PUBLISHED_CELLS, Table


@dataclass
class Findings:
    """What can be worked out, by release and year, and how much was attacked."""

    found: list[tuple[int, int, Finding]] = field(default_factory=list)
    wrong_ranges: list[str] = field(default_factory=list)
    hidden: int = 0
    programs: int = 0

    @property
    def narrow(self) -> int:
        """How many figures have fewer than k values, without any proof that they are sensitive."""
        return sum(not one.is_proof for _, _, one in self.found)

    def texts(self, *, strict: bool = False) -> list[str]:
        """One line a finding; ``strict``: the narrow ones too."""
        lines = []
        for release, year, one in [found for found in self.found if strict or found[2].is_proof]:
            count, level, code, split = one.key
            place = f"{level} {code} {'/'.join(split)}, {year}, release {release}"
            lines.append(f"{one.kind}: {one.of} of {count}, {place}: {one.low} to {one.high}")
        return [*lines, *self.wrong_ranges]


def audit(
    folder: str, configuration: Configuration, publication: Publication, progress: Callable[[str], None]
) -> Findings:
    """Attack each year of each release.

    Raises:
        InputError: there is nothing published, or the ledger names a release that is not there.
    """
    groups: dict[tuple[int, int, str], list[dict[str, Any]]] = defaultdict(list)
    population = {indicator.id: indicator.population for indicator in configuration.indicators}
    for row in _rows(folder, PUBLISHED_CELLS):
        groups[row["release"], row["year"], population.get(row["indicator_id"], "")].append(row)
    if not groups:
        raise InputError(f"{folder} has no published/cells: run `claimatlas protect` first.")
    there = {release for release, _, _ in groups}
    for row in _rows(folder, LEDGER):
        if row["release"] not in there:
            raise InputError(f"published/ledger names release {row['release']}, of which published/cells has nothing.")
    findings = Findings()
    for (release, year, name), rows in sorted(groups.items()):
        _audit_one(rows, release, year, name, configuration, publication, findings)
        progress(f"release {release}, {year}, {name}: {len(rows):,} cells, {len(findings.found)} findings so far")
    return findings


def _audit_one(
    rows: list[dict[str, Any]],
    release: int,
    year: int,
    population: str,
    configuration: Configuration,
    publication: Publication,
    findings: Findings,
) -> None:
    declared = {indicator.id: indicator for indicator in configuration.indicators}
    found = figures_of(rows, configuration, publication.sensitive_sides, year)
    differences = set()
    for one in publication.differences:
        position = 0 if one.of == "numerator" else 1
        names = (count_names(declared[one.whole])[position], count_names(declared[one.part])[position])
        differences.add(names)
    known = {"denominator:"} if population in publication.known_within else set()
    outcome = attack(found, differences, known, publication.k)
    findings.hidden += outcome.hidden
    findings.programs += outcome.programs
    findings.found += [(release, year, one) for one in outcome.findings]
    ranges = ranges_of(found)
    for row in rows:
        indicator = declared[row["indicator_id"]]
        key: Key = (
            count_names(indicator)[0], row["geo_level"], row["geo_code"], tuple(row[name] for name in CELL_DIMENSIONS)
        )  # fmt: skip
        if row["confidentiality"] == "C" and row["denominator"] and not _is_right(row, ranges.get(key), indicator):
            findings.wrong_ranges.append(
                f"range: {row['indicator_id']}, {row['geo_level']} {row['geo_code']} {'/'.join(key[3])}, {year}: it is "
                "not what follows from the published figures"
            )


def _is_right(row: dict[str, Any], bounds: tuple[int, int | None] | None, indicator: Indicator) -> bool:
    """Whether the published range holds no more than what follows."""
    low, high = bounds or (0, None)
    scale = 1.0 if indicator.unit == "count" else indicator.scale / row["denominator"]
    expected = (round(low * scale, 4), None if high is None else round(high * scale, 4))
    return bool(expected == (row["value_low"], row["value_high"]))


def _rows(folder: str, table: Table) -> list[dict[str, Any]]:
    reader = DeltaReader(folder)
    return reader.rows(table) if reader.exists(table) else []
