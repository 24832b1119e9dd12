"""The ledger of shown figures: readers never forget them. Rows are only added, when a release is published."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from claimatlas.configuration.former_dimensions import FORMER
from claimatlas.errors import InputError
from claimatlas.protection.plan import PlannedCell
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.local_table import write_rows
from claimatlas.tables.reader import Where, named
from claimatlas.tables.schemas import ALL, LEDGER, PUBLISHED_AUDITS, PUBLISHED_CELLS, WITHDRAWALS, dimensions_among

_COUNTS = ("numerator", "denominator", "confidentiality")

CellKey = tuple[str, int, str, str, str]
"""Indicator, year, level, place, split."""
Shown = tuple[int | None, int | None, str]
"""Numerator, denominator and confidentiality of a cell, as it is published."""


class ShownBefore(NamedTuple):
    """What releases showed of a cell: each count as the last release did that showed it, and which release that is.

    was_free: whether one of them showed all of it.
    """

    numerator: int | None = None
    denominator: int | None = None
    numerator_in: int = 0
    denominator_in: int = 0
    was_free: bool = False

    def and_then(self, row: Mapping[str, Any]) -> ShownBefore:
        """The same with a row of a later release, which does not take back what was seen before."""
        found = self._replace(was_free=self.was_free or row["confidentiality"] == "F")
        if row["numerator"] is not None:
            found = found._replace(numerator=row["numerator"], numerator_in=row["release"])
        if row["denominator"] is not None:
            found = found._replace(denominator=row["denominator"], denominator_in=row["release"])
        return found

    @property
    def release(self) -> int:
        """The last release that showed a count of it."""
        return max(self.numerator_in, self.denominator_in)


@dataclass(frozen=True)
class PublishedYear:
    """A year as a release published it.

    figures: numerator, denominator and confidentiality of its cells.
    """

    release: int
    settings_hash: str
    figures: Mapping[CellKey, Shown]


def published_year(output: str, release: int, year: int, dimensions: Sequence[str]) -> PublishedYear | None:
    """The year as the newest release published it.

    Nothing where none did, a later one did, one did it twice, or that release was withdrawn.
    """
    rows = _rows(output, {"year": year})
    newest = max((int(row["release"]) for row in rows), default=None)
    if newest is None or newest > release or newest in _withdrawn(output):
        return None
    own = [row for row in rows if row["release"] == newest]
    figures = {}
    for row in own:
        split = _split_now(row, dimensions)
        if split is None:
            return None
        figures[_key(row, split)] = shown_in(row)
    settings = {row["settings_hash"] for row in own}
    return PublishedYear(newest, settings.pop(), figures) if len(figures) == len(own) and len(settings) == 1 else None


def shown_before(
    output: str, release: int, dimensions: Sequence[str], years: Collection[int]
) -> dict[CellKey, ShownBefore]:
    """The cells of these years that other releases showed, each count as it was shown last.

    ``dimensions``: those that are declared now, which the splits of the keys have. A cell that was split by another one
    is left out: no cell of now is it.
    """
    found: dict[CellKey, ShownBefore] = {}
    for row in sorted(_rows(output, {"year": sorted(years)}), key=lambda row: int(row["release"])):
        if row["release"] != release and _is_shown(row):
            split = _split_now(row, dimensions)
            if split is not None:
                key = _key(row, split)
                found[key] = found.get(key, ShownBefore()).and_then(row)
    return found


def refuse_shown(output: str, names: Sequence[str]) -> None:
    """Stop when an indicator that is not to be published was: what readers saw of it bounds the figures of others.

    Raises:
        InputError: naming the indicator.
    """
    for row in _rows(output):
        if row["indicator_id"] in names and _is_shown(row):
            raise InputError(
                f"publication.yaml: not_published: release {row['release']} showed figures of {row['indicator_id']}, "
                "which readers know for ever and others are protected with: take it out of not_published."
            )


def refuse_other_medians(output: str, medians: Mapping[str, Collection[str]]) -> None:
    """Stop when a median was published at another level, or as another unit: readers have both, and compare them.

    ``medians``: each indicator that is one, with the levels that it is published by now.

    Raises:
        InputError: naming the indicator.
    """
    for row in _rows(output):
        name = row["indicator_id"]
        if name not in medians or not _is_shown(row):
            continue
        if row["numerator"] is not None or row["geo_level"] not in medians[name]:
            was, key = ("no median", "unit") if row["numerator"] is not None else (f"by {row['geo_level']}", "levels")
            raise InputError(
                f"{name} is a median, and in release {row['release']} it was {was}: readers know both for ever, and "
                f"what they tell together is not protected. Give the indicator its former {key} back."
            )


def refuse_other_method(output: str, method: str) -> None:
    """Stop when a release was published by another method: what both tell together is not protected.

    Raises:
        InputError: naming the key.
    """
    published = {row["release"] for row in _rows(output)}
    reader = DeltaReader(output)
    audits = reader.rows(PUBLISHED_AUDITS, named("release", "record")) if published else []
    for row in audits:
        before = json.loads(row["record"])["method"] if row["release"] in published else method
        if before != method:
            raise InputError(
                f"publication.yaml: method: release {row['release']} was published by {before}. Readers know its "
                f"figures for ever, and {method} does not protect others beside them: put {before} back."
            )


def settings_of(output: str, release: int) -> str | None:
    """The hash of the settings that a release was published with; nothing when it was not."""
    rows = _rows(output, {"release": release})
    return str(max(rows, key=lambda row: row["published_at"])["settings_hash"]) if rows else None


def refuse_other_settings(output: str, release: int, settings_hash: str, reason: str | None) -> None:
    """Stop when a release was published with other settings, unless there is a reason to supersede it.

    Raises:
        InputError: naming the option.
    """
    before = settings_of(output, release)
    if before is not None and before != settings_hash and not reason:
        raise InputError(
            f"Release {release} was published with another publication.yaml: readers keep what they saw. Put the "
            "former settings back, or say why the figures are replaced with --supersede REASON."
        )


def append(output: str, release: int, settings_hash: str, approved_by: str, at: datetime | None = None) -> int:
    """Add the candidate of a release; gives back how many rows that added: none for what the ledger has already.

    ``at``: the moment of the publication, by default now. A release that is published again with other figures or
    further years adds the cells that differ; what was shown before stays.

    Raises:
        InputError: there is no candidate of the release.
    """
    reader = DeltaReader(output)
    dimensions = dimensions_among(reader.columns(PUBLISHED_CELLS)) if reader.exists(PUBLISHED_CELLS) else []
    cells = reader.rows(PUBLISHED_CELLS, named(*PUBLISHED_CELLS.column_names, *dimensions), {"release": release})
    if not cells:
        raise InputError(f"There is no candidate of release {release} in {output}: run `claimatlas protect` first.")
    now = at or datetime.now(UTC)
    told = ("settings_hash", "indicator_id", "year", "geo_level", "geo_code", "split", *_COUNTS)
    there = {
        tuple(_split_now(row, dimensions) if name == "split" else row[name] for name in told)
        for row in _rows(output, {"release": release})
    }
    rows = [_row(cell, dimensions, (release, settings_hash, approved_by, now)) for cell in cells]
    rows = sorted((row for row in rows if (row[1], *row[4:-1]) not in there), key=lambda row: row[4:9])
    if rows:
        write_rows(output, LEDGER, rows, append=True)
    return len(rows)


def key_of_row(row: Mapping[str, Any], dimensions: Sequence[str]) -> CellKey:
    """The key of a row of ``published/cells``."""
    return _key(row, split_text([row[name] or ALL for name in dimensions]))


def key_of_cell(cell: PlannedCell, year: int, dimensions: Sequence[str]) -> CellKey:
    """The key of a planned cell."""
    split = split_text([cell.split.get(name, ALL) for name in dimensions])
    return (cell.indicator, year, cell.level, cell.code, split)


def shown_in(row: Mapping[str, Any]) -> Shown:
    """What a row shows: its counts, and whether it is hidden."""
    return (row["numerator"], row["denominator"], row["confidentiality"])


def _key(row: Mapping[str, Any], split: str) -> CellKey:
    return (row["indicator_id"], row["year"], row["geo_level"], row["geo_code"], split)


def split_text(values: Sequence[str]) -> str:
    """The values of all columns of dimensions as one text."""
    return "/".join(values)


def _is_shown(row: Mapping[str, Any]) -> bool:
    """Whether readers saw a count of a row."""
    return row["numerator"] is not None or row["denominator"] is not None


def _split_now(row: Mapping[str, Any], dimensions: Sequence[str]) -> str | None:
    """The split of a row of the ledger by other dimensions; nothing where it was split by none of these."""
    then = row["dimensions"].split("/") if row["dimensions"] else list(FORMER)
    named = dict(zip(then, row["split"].split("/"), strict=True)) if row["split"] else {}
    if any(value != ALL and name not in dimensions for name, value in named.items()):
        return None
    return split_text([named.get(name, ALL) for name in dimensions])


def _row(
    cell: Mapping[str, Any], dimensions: Sequence[str], release: tuple[int, str, str, datetime]
) -> tuple[Any, ...]:
    return (*release, *key_of_row(cell, dimensions), *shown_in(cell), "/".join(dimensions))


def _withdrawn(output: str) -> set[int]:
    reader = DeltaReader(output)
    return {row["release"] for row in reader.rows(WITHDRAWALS)} if reader.exists(WITHDRAWALS) else set()


def _rows(output: str, where: Where | None = None) -> list[dict[str, Any]]:
    reader = DeltaReader(output)
    return reader.rows(LEDGER, where=where) if reader.exists(LEDGER) else []
