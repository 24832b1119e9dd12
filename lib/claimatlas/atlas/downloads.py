"""The files of a release: each indicator as CSV, XLSX and Parquet, their description, one zip, checksums.

The same cells give the same bytes: nothing in them tells when they were written.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.csv import WriteOptions, write_csv

from claimatlas.atlas.cells import State
from claimatlas.atlas.metadata import CATALOGUE, CSVW, catalogue, csvw
from claimatlas.atlas.site import Site
from claimatlas.atlas.workbooks import MOMENT, Content, write_workbook
from claimatlas.configuration.indicators import Indicator

FORMATS = ("csv", "xlsx", "parquet")
SUMS = "SHA256SUMS"
AUDIT = "audit.json"
BAND = "note"
"""The column that says of each row that it is synthetic or a draft."""


def everything(site: Site) -> str:
    """The name of the zip with all files of the release."""
    return f"release-{site.release.number}.zip"


def write_downloads(folder: Path, site: Site) -> None:
    """Write the files of the release into a new folder."""
    folder.mkdir(parents=True)
    for indicator in site.indicators:
        table = _with_band(site.table_of(indicator.id), site)
        _write_csv(folder / f"{indicator.id}.csv", table)
        _write_parquet(folder / f"{indicator.id}.parquet", table, site)
        about = _metadata_rows(site, indicator)
        content = Content(indicator.id, table, about, notes(site).splitlines(), site.release.band)
        write_workbook(folder / f"{indicator.id}.xlsx", content)
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
    lines = (line.partition("  ") for line in sums.read_text(encoding="utf-8").splitlines())
    named = {name: given for given, _, name in lines}
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
    """The notes for readers of the files, in every language of the site."""
    paragraphs = []
    for language, words in site.words.items():
        lines = [f"{site.settings.title[language]} – {site.settings.owner[language]}"]
        lines += [words.say("band.synthetic_long")] if site.release.is_synthetic else []
        lines += [words.say("band.draft")] if site.release.is_draft else []
        lines += [
            words.say("data.columns_note"),
            words.say("hidden", k=site.publication.hidden_below),
            *([words.say("page.rounded")] if site.publication.is_rounded else []),
            *([words.say("confidentiality.country_exact")] if site.publication.country_exact else []),
            f"{words.say('page.licence')} {site.settings.licence.name}, {site.settings.licence.url}",
            words.say("page.places_from", attribution=site.settings.attribution),
        ]
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs) + "\n"


def _labels(site: Site) -> dict[str, Any]:
    release = site.release
    return {"release": release.number, "is_synthetic": release.is_synthetic, "is_draft": release.is_draft}


def _with_band(table: pa.Table, site: Site) -> pa.Table:
    """Add the band as a column, so that a copied row keeps it."""
    band = site.release.band
    return table.append_column(BAND, pa.array([band] * len(table), pa.string())) if band else table


def _write_csv(file: Path, table: pa.Table) -> None:
    with file.open("wb") as stream:
        stream.write((",".join(table.column_names) + "\n").encode())
        write_csv(table, stream, WriteOptions(include_header=False, quoting_style="needed"))


def _write_parquet(file: Path, table: pa.Table, site: Site) -> None:
    band = site.release.band
    labels = {"release": str(site.release.number), **({BAND: band} if band else {})}
    pq.write_table(table.replace_schema_metadata(labels), file, compression="zstd", store_schema=False)


def _metadata_rows(site: Site, indicator: Indicator) -> list[tuple[str, str]]:
    rows = [("indicator_id", indicator.id), ("unit", indicator.unit), ("release", str(site.release.number))]
    for language in site.words:
        rows.append((f"title_{language}", indicator.names.of(language)))
        rows.append((f"description_{language}", indicator.description.of(language)))
    rows += [(name, site.fields[name].comment) for name in site.columns]
    words = site.words.get("en") or next(iter(site.words.values()))
    states = [state.value for state in State]
    return rows + [(state, words.say(f"state_meaning.{state}", k=site.publication.hidden_below)) for state in states]


def _write_json(file: Path, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8", newline="\n")


def _write_zip(file: Path, files: Sequence[Path]) -> None:
    """All files as one; what is compressed already is not compressed again."""
    with zipfile.ZipFile(file, "w", compresslevel=6) as archive:
        for one in files:
            entry = zipfile.ZipInfo(one.name, MOMENT.timetuple()[:6])
            is_compressed = one.suffix in (".xlsx", ".parquet")
            entry.compress_type = zipfile.ZIP_STORED if is_compressed else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with one.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target)
