"""Look into the files of an input table, whatever their format, before Spark starts."""

from __future__ import annotations

from collections.abc import Sequence

from claimatlas.ingest.discover.csv_header import with_header
from claimatlas.ingest.discover.parquet_footers import with_footers
from claimatlas.ingest.discover.source import Source


def examined(source: Source, columns: Sequence[str] = ()) -> Source:
    """The source with what its files tell without Spark. ``columns``: names that it should have.

    Raises:
        InputError: a file is damaged, has no header, or another one than the others.
    """
    if source.format == "csv" and not source.header:
        return with_header(source, columns)
    if source.format == "parquet" and not source.layouts:
        return with_footers(source)
    return source
