"""The files of a release: each indicator as CSV, XLSX and Parquet, their description, one zip, checksums.

The same cells give the same bytes: nothing in them tells when they were written.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from claimatlas.atlas.cells import State
from claimatlas.atlas.metadata import CATALOGUE, CSVW, catalogue, csvw
from claimatlas.atlas.reading import COLUMNS
from claimatlas.atlas.site import Site
from claimatlas.configuration.indicators import Indicator
from claimatlas.tables.schemas import PUBLISHED_CELLS

FORMATS = ("csv", "xlsx", "parquet")
SUMS = "SHA256SUMS"
AUDIT = "audit.json"
BAND = "note"
"""The column that says of each row that it is synthetic or a draft."""
_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
"""The time that files within files carry, always the same."""
_ROWS_OF_A_SHEET = 1_000_000
_FIELDS = {column.name: column for column in PUBLISHED_CELLS.columns}


def column_meaning(name: str) -> str:
    """What a column of the downloads holds."""
    return _FIELDS[name].comment


def everything(site: Site) -> str:
    """The name of the zip with all files of the release."""
    return f"release-{site.release.number}.zip"


def write_downloads(folder: Path, site: Site) -> None:
    """Write the files of the release into a new folder."""
    folder.mkdir(parents=True)
    for indicator in site.indicators:
        table = site.table_of(indicator.id)
        rows = list(zip(*(table.column(name).to_pylist() for name in COLUMNS), strict=True))
        _write_csv(folder / f"{indicator.id}.csv", rows, site)
        _write_workbook(folder / f"{indicator.id}.xlsx", rows, site, indicator)
        _write_parquet(folder / f"{indicator.id}.parquet", table, site)
    _write_json(folder / CSVW, csvw(site))
    _write_json(folder / CATALOGUE, catalogue(site))
    _write_json(folder / AUDIT, audit_record(site))
    (folder / "NOTES.txt").write_text(notes(site), encoding="utf-8", newline="\n")
    _write_zip(folder / everything(site), sorted(folder.iterdir()))
    lines = [f"{sha256(file)}  {file.name}\n" for file in sorted(folder.iterdir())]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def is_whole(folder: Path) -> bool:
    """Whether a folder holds just the files that its checksums name, as they were written."""
    sums = folder / SUMS
    if not sums.is_file():
        return False
    named = dict(reversed(line.split("  ", 1)) for line in sums.read_text(encoding="utf-8").splitlines())
    there = {file.name for file in folder.iterdir()} - {SUMS}
    return there == set(named) and all(sha256(folder / name) == given for name, given in named.items())


def sha256(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def audit_record(site: Site) -> dict[str, Any]:
    """What the audit of the release found, as a file: the settings in force, and the counts of each year."""
    return {
        **_labels(site),
        "settings": site.publication.model_dump(mode="json"),
        "years": [
            {
                **{name: row[name] for name in ("year", "settings_hash", "planned", "shown", "hidden")},
                **row["record"],
            }
            for row in site.audits
        ],
    }


def notes(site: Site) -> str:
    """What whoever opens the files must know, in every language of the site."""
    paragraphs = []
    for language, words in site.words.items():
        lines = [f"{site.settings.title[language]} – {site.settings.owner[language]}"]
        lines += [words.say("band.synthetic_long")] if site.release.is_synthetic else []
        lines += [words.say("band.draft")] if site.release.is_draft else []
        lines += [
            words.say("data.columns_note"),
            words.say("hidden", k=site.publication.k),
            f"{words.say('page.licence')} {site.settings.licence.name}, {site.settings.licence.url}",
            words.say("page.places_from", attribution=site.settings.attribution),
        ]
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs) + "\n"


def _labels(site: Site) -> dict[str, Any]:
    release = site.release
    return {"release": release.number, "is_synthetic": release.is_synthetic, "is_draft": release.is_draft}


def _write_csv(file: Path, rows: Sequence[tuple[Any, ...]], site: Site) -> None:
    """One row per cell; with a band also in a column of its own, so that no copy of a row loses it."""
    band = [site.release.band] if site.release.band else []
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*COLUMNS, *(BAND for _ in band)])
        writer.writerows([*("" if value is None else value for value in row), *band] for row in rows)


def _write_parquet(file: Path, table: pa.Table, site: Site) -> None:
    band = site.release.band
    written = table.replace_schema_metadata({"release": str(site.release.number), **({BAND: band} if band else {})})
    if band:
        written = written.append_column(BAND, pa.array([band] * len(written), pa.string()))
    pq.write_table(written, file, compression="zstd", write_page_index=False, store_schema=False)


def _write_workbook(file: Path, rows: Sequence[tuple[Any, ...]], site: Site, indicator: Indicator) -> None:
    """A workbook of data, metadata and notes. Rows beyond what a sheet holds go on in further ones."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - only what publishes needs it

    book = Workbook(str(file), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": indicator.id, "created": _MOMENT.replace(tzinfo=None)})
    band = [site.release.band] if site.release.band else []
    for number, part in enumerate(_parts(rows), 1):
        sheet = book.add_worksheet("data" if number == 1 else f"data {number}")
        sheet.freeze_panes(1, 0)
        if band:
            sheet.set_header(f"&C{band[0]}")
        for position, name in enumerate([*COLUMNS, *(BAND for _ in band)]):
            sheet.write_string(0, position, name)
        for line, row in enumerate(part, 1):
            for position, value in enumerate([*row, *band]):
                if isinstance(value, str):
                    sheet.write_string(line, position, value)
                elif value is not None:
                    sheet.write_number(line, position, value)
    metadata = book.add_worksheet("metadata")
    for line, pair in enumerate(_metadata_rows(site, indicator)):
        metadata.write_string(line, 0, pair[0])
        metadata.write_string(line, 1, pair[1])
    sheet = book.add_worksheet("notes")
    for line, text in enumerate(notes(site).splitlines()):
        sheet.write_string(line, 0, text)
    book.close()


def _parts(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    for start in range(0, max(len(rows), 1), _ROWS_OF_A_SHEET):
        yield rows[start : start + _ROWS_OF_A_SHEET]


def _metadata_rows(site: Site, indicator: Indicator) -> list[tuple[str, str]]:
    rows = [("indicator_id", indicator.id), ("unit", indicator.unit), ("release", str(site.release.number))]
    for language in site.words:
        rows.append((f"title_{language}", getattr(indicator.names, language)))
        rows.append((f"description_{language}", getattr(indicator.description, language)))
    rows += [(name, column_meaning(name)) for name in COLUMNS]
    words = site.words.get("en") or next(iter(site.words.values()))
    states = [state.value for state in State]
    return rows + [(state, words.say(f"state_meaning.{state}", k=site.publication.k)) for state in states]


def _write_json(file: Path, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8", newline="\n")


def _write_zip(file: Path, files: Sequence[Path]) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in files:
            entry = zipfile.ZipInfo(one.name, (2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, one.read_bytes())
    file.write_bytes(target.getvalue())
