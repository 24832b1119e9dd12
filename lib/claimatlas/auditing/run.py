"""The audit of a folder: every release in it, year by year, each with what the others showed."""

from __future__ import annotations

import hashlib
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import TypeVar

from pydantic import ValidationError

from claimatlas.auditing.attack import Finding, Outcome, Rules, attack
from claimatlas.auditing.figures import WHOLE, Key, Published, count_names, figures_of
from claimatlas.auditing.files import Folder, Row, read_folder
from claimatlas.auditing.lattice import ContradictionError, Count, Lattice, lattice_of, narrow
from claimatlas.auditing.ranges import ranges_of
from claimatlas.auditing.rounding import bound_by_method
from claimatlas.auditing.values import DECIMALS, medians_of_many_levels, values_that_tell
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.known_counts import KnownCounts
from claimatlas.configuration.publication import Publication
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.errors import InputError
from claimatlas.processes import Progress, Workers, results_of
from claimatlas.tables.schemas import ALL

_MANY_CELLS = 5_000
"""From so many cells on a year takes longer than a process takes to start."""
_TELLS_NOTHING = frozenset({"release", "comparison", "trend"})
_GROUPS = 32
"""Into so many groups what other releases showed is divided at most, to find what contradicts."""
_T = TypeVar("_T")
_Belief = tuple[Count, tuple[int, int], int, int]
"""A figure of a count, and its bounds."""
Group = tuple[int, int, Population]
"""Release, year, population."""


@dataclass
class Findings:
    """What can be worked out, by release and year, and how much was attacked.

    wrong_rows: of rows whose range is not what follows, or whose value tells more than the shown counts.
    names: of each count of a population what it is called. seconds: by step, of all years together. withstood: what was
    attacked without a proof, as ``Attempt`` has it.
    """

    found: list[tuple[Group, Finding]] = field(default_factory=list)
    wrong_rows: list[str] = field(default_factory=list)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    hidden: int = 0
    determined: int = 0
    unplanned: int = 0
    programs: int = 0
    undecided: int = 0
    unsettled: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    withstood: set[str] = field(default_factory=set)

    def number(self, kind: str) -> int:
        """How many findings there are of a kind."""
        return sum(one.kind == kind for _, one in self.found)

    def texts(self, *, strict: bool = False) -> list[str]:
        """One line a finding that fails the audit; ``strict``: those without a proof too."""
        lines = [self._text(*found) for found in self.found if strict or found[1].is_proof]
        return [*lines, *self.wrong_rows]

    def remarks(self) -> list[str]:
        """One line a finding that does not fail it: what can be worked out, but is not proved to be sensitive."""
        return [self._text(*found) for found in self.found if not found[1].is_proof]

    def _text(self, group: Group, one: Finding) -> str:
        release, year, population = group
        name, level, code, split = one.key
        place = f"{level} {code}" if level else f"unknown {code or 'domicile'}"
        what = self.names[population, name]
        if one.of.startswith("difference to "):
            what = f"{self.names[population, one.of.removeprefix('difference to ')]} less {what}"
        value = str(one.low) if one.low == one.high else f"{one.low} to {one.high}"
        planned = "" if one.is_planned else " (not published)"
        return f"{one.kind}: {what}, {year}, {place}, {'/'.join(split)}: {value}{planned}; release {release}"

    def add(self, outcome: Outcome, group: Group) -> None:
        """Take what was found of a year."""
        self.found += [(group, one) for one in outcome.findings]
        self.hidden += outcome.hidden
        self.determined += outcome.determined
        self.unplanned += outcome.unplanned
        self.programs += outcome.programs
        self.undecided += outcome.undecided
        self.unsettled += outcome.unsettled
        for step, seconds in outcome.seconds.items():
            self.seconds[step] = self.seconds.get(step, 0.0) + seconds


@dataclass(frozen=True)
class Attempt:
    """How hard an attacker tries.

    known: what he knows from elsewhere. is_strict: programs settle every hidden figure, not only what may be a proof.
    withstood: years, by the hash of all that is published of them, that withstood the same attack before.
    """

    known: KnownCounts = field(default_factory=KnownCounts)
    is_strict: bool = False
    withstood: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Task:
    """A year of a release to attack, and by what rules.

    found: its figures. others: those of the same year, by release. until: when the programs must have ended, by the
    clock that all processes of a machine share. content: the hash of what all releases show of the year.
    """

    group: Group
    rows: list[Row]
    found: Published
    others: dict[int, Published]
    declared: tuple[Configuration, Publication]
    attempt: Attempt
    until: float
    content: str


def audit(
    folder: str,
    configuration: Configuration,
    publication: Publication,
    workers: Workers,
    attempt: Attempt | None = None,
) -> Findings:
    """Attack each year of each release; years beside each other, each in a process of its own.

    A year that a later release has too, figure by figure, is attacked there alone.

    Raises:
        InputError: there is nothing published, the ledger names a release that is not there, or what readers know from
            elsewhere contradicts what is published.
    """
    attempt = attempt or Attempt()
    read = read_folder(folder, configuration)
    publication = _as_published(read, publication)
    groups = _groups(read.cells, configuration)
    there = {release for release, _, _ in groups}
    for release in sorted(read.ledger - there):
        raise InputError(f"{folder}: the ledger names release {release}, of which there are no cells.")
    findings = Findings(names=_names(configuration), wrong_rows=medians_of_many_levels(read.cells, configuration))
    until = time.monotonic() + publication.budget_seconds
    for row in attempt.known.rows:
        if not any(group[1:] == (row.year, row.population) for group in groups):
            attempt.known.refuse(row, f"nothing of {row.population} in {row.year} is published.")
    years = {group: figures_of(rows, configuration, publication, group[1]) for group, rows in sorted(groups.items())}
    contents = {group: _content_of(rows) for group, rows in groups.items()}
    tasks = []
    for group, found in years.items():
        alike = [other for other in years if other[1:] == group[1:]]
        if any(other > group and contents[other] == contents[group] for other in alike):
            continue
        content = _hash(contents[group], sorted({contents[other] for other in alike}))
        if content in attempt.withstood:
            findings.withstood.add(content)
            continue
        others = {other[0]: years[other] for other in alike if other != group}
        tasks.append(_Task(group, groups[group], found, others, (configuration, publication), attempt, until, content))
    is_large = len(read.cells) >= _MANY_CELLS
    attacked = results_of(_attack_group, tasks, workers if is_large else workers.here())
    for task, (outcome, wrong_rows) in zip(tasks, attacked, strict=True):
        findings.add(outcome, task.group)
        findings.wrong_rows += wrong_rows
        if not (any(one.is_proof for one in outcome.findings) or outcome.undecided or wrong_rows):
            findings.withstood.add(task.content)
    return findings


def _attack_group(task: _Task, progress: Progress) -> tuple[Outcome, list[str]]:
    """Attack one year of one release, with what the others show of it; gives back what rows say wrongly too."""
    release, year, population = task.group
    configuration, publication = task.declared
    # Where not all that is hidden can be 1 to 7, some is hidden for the sake of others: any of it may be.
    beyond: tuple[Collection[Key] | None, ...] = ((), None) if publication.is_rounded else ((),)
    # Where what other releases showed cannot all be near it, readers believe nothing of it.
    others = (task.others, {}) if task.others else ({},)
    outcome = first_consistent(partial(_attack_once, task, progress, *one) for one in product(beyond, others))
    indicators = {indicator.id: indicator for indicator in configuration.indicators}
    ranges = None if publication.is_rounded else ranges_of(task.found)
    wrong_rows = _wrong_ranges(task.rows, ranges, indicators, configuration.dimensions.names)
    wrong_rows += values_that_tell(task.rows, task.found, configuration, publication)
    progress(f"release {release}, {year}, {population}: {len(task.rows):,} cells attacked")
    return outcome, wrong_rows


def first_consistent(attacks: Iterable[Callable[[], _T]]) -> _T:
    """What the first attack finds whose knowledge does not contradict itself.

    Raises:
        ContradictionError: that of each of them does.
    """
    failed: ContradictionError | None = None
    for one in attacks:
        try:
            return one()
        except ContradictionError as error:
            failed = error
    raise failed or ContradictionError("There is nothing to attack.")


def _attack_once(
    task: _Task, progress: Progress, beyond: Collection[Key] | None, others: Mapping[int, Published]
) -> Outcome:
    """One attack by who knows what others showed; ``beyond``: of rounded counts, as ``bound_by_method`` has it."""
    release, year, population = task.group
    configuration, publication = task.declared
    begin = time.monotonic()
    lattice = lattice_of(task.found, configuration, publication, population, year)
    if publication.is_rounded:
        bound_by_method(lattice, task.found, publication, configuration.settings.geography.country_level, beyond)
    refuted = know_other_releases(lattice, task.found, others.values(), publication)
    if refuted or len(others) < len(task.others):
        progress(f"release {release}, {year}: what other releases showed contradicts it, beyond revision_bound")
    # A register says what is so now: it need not agree with what a former release showed.
    is_newest = all(other <= release for other in task.others)
    told = know_from_elsewhere(lattice, task.attempt.known, year, population) if is_newest else None
    reading = time.monotonic() - begin
    rules = rules_of(configuration, publication, population)
    rules = replace(rules, settle_all=task.attempt.is_strict, told=told)
    outcome = attack(task.found, lattice, rules, progress, task.until)
    outcome.seconds["reading"] = reading
    return outcome


def rules_of(configuration: Configuration, publication: Publication, population: Population) -> Rules:
    """What is sensitive in a population."""
    declared = {indicator.id: indicator for indicator in configuration.indicators}
    differences = set()
    for one in publication.differences:
        position = 0 if one.of == "numerator" else 1
        pair = (count_names(declared[one.whole])[position], count_names(declared[one.part])[position])
        if declared[one.whole].population == population:
            differences.add(pair)
    known = frozenset({WHOLE}) if population in publication.known_within else frozenset[str]()
    country = configuration.settings.geography.country_level
    levels = (*configuration.settings.geography.levels, HOSPITAL)
    rounded = frozenset(level for level in levels if not publication.is_exact(level, country))
    return Rules(publication.k, frozenset(differences), known, rounded_levels=rounded)


def know_other_releases(
    lattice: Lattice, found: Published, others: Iterable[Published], publication: Publication
) -> int:
    """Bound hidden figures by what other releases show of them: a revised count is near the one before.

    A bound that contradicts what is shown, or other bounds, is none: the count was revised further than readers expect.
    Gives back how many contradict others.
    """
    bound = publication.revision_bound
    beliefs: list[_Belief] = []
    for other in others:
        for key, value in other.values.items():
            if value is None or key not in found.values:
                continue
            number, node, split = lattice.find(key)
            if found.values[key] is not None and not lattice.counts[number].bounded[node, split]:
                continue
            most = max(bound.count, math.ceil(bound.share * value)) + value - publication.sure_count(value)
            count = lattice.counts[number]
            low = max(int(count.low[node, split]), value - most)
            high = min(int(count.high[node, split]), value + most)
            if low <= high:
                beliefs.append((count, (node, split), low, high))
    return _believe(lattice, beliefs, max(1, len(beliefs) // _GROUPS))


def _believe(lattice: Lattice, beliefs: Sequence[_Belief], least: int) -> int:
    """Take the bounds that can hold together; gives back how many were dropped.

    Of bounds that contradict each other halves are tried by themselves, down to ``least``.
    """
    if not beliefs:
        return 0
    counts = {id(count): count for count, *_ in beliefs}
    before = {name: (count.low.copy(), count.high.copy()) for name, count in counts.items()}
    for count, cell, low, high in beliefs:
        count.low[cell], count.high[cell] = max(int(count.low[cell]), low), min(int(count.high[cell]), high)
    try:
        narrow(deepcopy(lattice))
    except ContradictionError:
        for name, count in counts.items():
            count.low[:], count.high[:] = before[name]
        if len(beliefs) <= least:
            return len(beliefs)
        half = len(beliefs) // 2
        return sum(_believe(lattice, some, least) for some in (beliefs[:half], beliefs[half:]))
    return 0


def know_from_elsewhere(lattice: Lattice, known: KnownCounts, year: int, population: Population) -> Lattice | None:
    """Bound denominators by what readers know of them from elsewhere; gives back what that alone tells, if anything.

    Raises:
        InputError: there is no such figure, or something else is published.
    """
    rows = [row for row in known.of(year) if row.population == population]
    if not rows:
        return None
    told = lattice.of_nothing()
    for row in rows:
        key: Key = (WHOLE, row.level, row.code, row.split)
        if WHOLE not in lattice.number or lattice.places.position.get((row.level, row.code)) is None:
            known.refuse(row, f"no denominator of {population} is published there.")
        number, node, split = lattice.find(key)
        count = lattice.counts[number]
        low, high = max(int(count.low[node, split]), row.low), min(int(count.high[node, split]), row.high)
        if low > high:
            known.refuse(row, "another count is published.")
        count.low[node, split], count.high[node, split] = low, high
        told.counts[number].low[node, split], told.counts[number].high[node, split] = row.low, row.high
    narrow(told)
    return told


def _as_published(read: Folder, publication: Publication) -> Publication:
    """The rules as the publisher's own file has them, where there is one."""
    if "settings" not in read.settings:
        return publication
    try:
        return Publication.model_validate(read.settings["settings"])
    except ValidationError as error:
        raise InputError(f"audit.json: settings: {error}") from None


def _groups(cells: Iterable[Row], configuration: Configuration) -> dict[Group, list[Row]]:
    population = {indicator.id: indicator.population for indicator in configuration.indicators}
    groups: dict[Group, list[Row]] = defaultdict(list)
    for row in cells:
        name = row["indicator_id"]
        if name not in population:
            raise InputError(f"published/cells has the indicator {name}, which indicators/ does not declare.")
        groups[row["release"], row["year"], population[name]].append(row)
    return groups


def _content_of(rows: Iterable[Row]) -> str:
    """The hash of what a year tells an attacker: all but its release, and how it compares with others."""
    return _hash(*sorted(repr(sorted((k, v) for k, v in row.items() if k not in _TELLS_NOTHING)) for row in rows))


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _names(configuration: Configuration) -> dict[tuple[str, str], str]:
    """Each count, by population, as the numerator, or the denominator, of an indicator."""
    names: dict[tuple[str, str], str] = {}
    for indicator in configuration.indicators:
        part, whole = count_names(indicator)
        names.setdefault((indicator.population, whole), f"denominator of {indicator.id}")
        if part != whole:
            names.setdefault((indicator.population, part), f"numerator of {indicator.id}")
    for indicator in configuration.indicators:
        if indicator.numerator.all:
            names[indicator.population, count_names(indicator)[0]] = indicator.id
    return names


def _wrong_ranges(
    rows: Iterable[Row],
    ranges: Mapping[Key, tuple[int, int | None]] | None,
    indicators: Mapping[str, Indicator],
    dimensions: Sequence[str],
) -> list[str]:
    """The rows whose published range is not what follows from the published figures.

    ``ranges``: of the hidden counts; none where the method gives no ranges.
    """
    wrong = []
    for row in rows:
        split = tuple(row[name] or ALL for name in dimensions)
        if row["confidentiality"] != "C" or not row["denominator"]:
            continue
        indicator = indicators[row["indicator_id"]]
        key: Key = (count_names(indicator)[0], row["geo_level"], row["geo_code"], split)
        if ranges is None:
            is_right = row["value_low"] is None and row["value_high"] is None
        else:
            is_right = is_right_range(row, ranges.get(key), indicator)
        if not is_right:
            place = f"{row['geo_level']} {row['geo_code']}, {'/'.join(split)}"
            wrong.append(
                f"range: {row['indicator_id']}, {row['year']}, {place}: {row['value_low']} to {row['value_high']} "
                f"is not what follows from the published figures; release {row['release']}"
            )
    return sorted(wrong)


def is_right_range(row: Row, bounds: tuple[int, int | None] | None, indicator: Indicator) -> bool:
    """Whether the published range holds what follows, and no more."""
    if not indicator.follows_from_its_counts:
        return row["value_low"] is None and row["value_high"] is None
    low, high = bounds or (0, None)
    # Multiplied first, as the publisher does: else the last digit may differ.
    scale, of = (1, 1) if indicator.unit == "count" else (indicator.scale, row["denominator"])
    expected = (round(scale * low / of, DECIMALS), None if high is None else round(scale * high / of, DECIMALS))
    return bool(expected == (row["value_low"], row["value_high"]))
