"""``publish``: from a protected release to the atlas, a static site with downloads. Without Spark."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from claimatlas.commands import options
from claimatlas.commands.guard import guarded
from claimatlas.commands.looking import require_packages, without_spark
from claimatlas.configuration import Configuration
from claimatlas.configuration.atlas import AtlasSettings, load_atlas
from claimatlas.configuration.publication import Publication, load_publication
from claimatlas.console.messages import Event, say, say_message
from claimatlas.conventions import DRAWN_RUN
from claimatlas.errors import InputError
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.reader import named
from claimatlas.tables.releases import releases
from claimatlas.tables.schemas import RUNS

if TYPE_CHECKING:
    from claimatlas.atlas.reading import PublishedCells

DESCRIPTION = "Publish a protected release: write downloads and the atlas as a static site, and add to the ledger."
EXAMPLE = "--output OUT --site SITE --approved-by NAME --review HASH"
PACKAGES = ("highspy", "numpy", "xlsxwriter")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add_site(parser)
    parser.add_argument("--release", metavar="N", type=int, help="release of gold (default: the newest)")
    parser.add_argument("--approved-by", metavar="NAME", help="who approved the review report; needed unless --draft")
    parser.add_argument("--review", metavar="HASH", help="hash of the review report that was approved")
    parser.add_argument(
        "--not-before", metavar="DATE", type=options.date_of, help="refuse to publish before this day (embargo)"
    )
    parser.add_argument(
        "--draft", action="store_true", help="mark every page as a draft, and add nothing to the ledger"
    )
    parser.add_argument(
        "--changes",
        metavar="FILE",
        type=options.path,
        help="record of `claimatlas diff --json`: readers are shown its causes",
    )
    parser.add_argument(
        "--supersede", metavar="REASON", help="replace a release that was published with other settings"
    )
    options.add_processes(parser)
    options.add_configuration(parser)


def add_site(parser: argparse.ArgumentParser) -> None:
    """The options of the commands that write a site."""
    options.add_tables(parser)
    parser.add_argument(
        "--site",
        metavar="DIR",
        type=options.path,
        required=True,
        help="folder of the site; replaced when all is written",
    )
    parser.add_argument(
        "--languages", metavar="L", nargs="+", default=[], help="languages of the site (default: all of atlas.yaml)"
    )
    parser.add_argument("--synthetic", action="store_true", help="label every page and file: synthetic figures")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and give back its exit code."""
    return guarded(lambda: _publish(arguments))


@dataclass(frozen=True)
class Publishing:
    """Everything that writing a site needs, for each command that writes one."""

    output: str
    configuration: Configuration
    settings: AtlasSettings
    publication: Publication
    languages: Sequence[str]
    is_synthetic: bool
    causes: tuple[str, ...] | None = None
    is_withdrawn: bool = False


def write(
    publishing: Publishing,
    target: Path,
    cells: PublishedCells,
    published_on: date | None,
    before_it_is_seen: Callable[[], None] = lambda: None,
) -> int:
    """Write the site of a release and put it in place; gives back the number of its files.

    ``before_it_is_seen``: called when all is written and before the site is put in place.
    """
    from claimatlas.atlas.assembly import Declared, Standing, history_of, languages_of, site_of  # noqa: PLC0415 - see require_packages
    from claimatlas.atlas.building import new_folder, write_site  # noqa: PLC0415

    locales = languages_of(publishing.settings, publishing.languages)
    history, data_changed = history_of(publishing.output, cells, published_on, publishing.causes)
    declared = Declared(publishing.configuration, publishing.settings, publishing.publication, locales)
    standing = Standing(published_on, data_changed, publishing.is_synthetic, publishing.is_withdrawn)
    site = site_of(declared, cells, standing)
    with new_folder(target) as folder:
        former = target if target.is_dir() else None
        number = write_site(folder, site, history, former, say_message)
        before_it_is_seen()
    return number


def is_synthetic(output: str, release: int) -> bool:
    """Whether a release was drawn, or computed from claims made by ``generate``, by the records of the runs.

    The last ingest that replaced silver decides, together with the batches that were merged after it.
    """
    reader = DeltaReader(output)
    run = next((row["run_id"] for row in releases(reader) if row["release"] == release), None)
    if run is None or run == DRAWN_RUN or not reader.exists(RUNS):
        return run == DRAWN_RUN
    found = False
    for row in sorted(reader.rows(RUNS, named("run_id", "started_at", "record")), key=lambda row: row["started_at"]):
        record = json.loads(row["record"])
        if "is_synthetic" in record:
            found = record["is_synthetic"] or (found and "batch" in record)
        if row["run_id"] == run:
            break
    return found


def _publish(arguments: argparse.Namespace) -> None:
    require_packages(*PACKAGES)
    from claimatlas.atlas.building import check_folder  # noqa: PLC0415 - see require_packages
    from claimatlas.atlas.changes import causes_of  # noqa: PLC0415
    from claimatlas.atlas.reading import first_published, withdrawals_of  # noqa: PLC0415
    from claimatlas.commands.attacks import require_safe  # noqa: PLC0415

    configuration = options.configuration_of(arguments, "")
    publication, settings = load_publication(configuration), load_atlas(configuration)
    target = check_folder(arguments.output, arguments.site)
    today = datetime.now(UTC)
    _check_rights(arguments, today.date())
    causes = causes_of(_json_of(arguments.changes), arguments.changes) if arguments.changes else None
    with without_spark():
        cells = _protected(arguments, configuration, publication)
        number = cells.release
        if number in withdrawals_of(arguments.output):
            raise InputError(f"Release {number} was withdrawn: publish another one.")
        if not arguments.draft:
            _check_approval(arguments, cells, configuration)
            require_safe(arguments.output, cells, configuration, publication, options.workers_of(arguments))
        publishing = Publishing(
            arguments.output,
            configuration,
            settings,
            publication,
            arguments.languages,
            arguments.synthetic or is_synthetic(arguments.output, number),
            causes,
        )
        first = first_published(arguments.output).get(number, today.date())
        added = 0

        def note() -> None:
            nonlocal added
            added = 0 if arguments.draft else _append(arguments, number, configuration, today)

        files = write(publishing, target, cells, None if arguments.draft else first, note)
    what = "draft of release" if arguments.draft else "release"
    say(
        Event.SUMMARY,
        f"{what} {number} in {target}: {files:,} files; {added:,} rows added to the ledger",
        {"release": number, "files": files, "ledger_rows": added, "site": str(target)},
    )


def _check_rights(arguments: argparse.Namespace, today: date) -> None:
    if arguments.draft:
        return
    if not arguments.approved_by or not arguments.approved_by.strip():
        raise InputError("--approved-by: say who approved the review report, or make a --draft.")
    if arguments.not_before is not None and today < arguments.not_before:
        raise InputError(
            f"--not-before {arguments.not_before}: today is {today}, so nothing is published; a --draft can be made."
        )


def _protected(arguments: argparse.Namespace, configuration: Configuration, publication: Publication) -> PublishedCells:
    """The candidate of the release to publish; protected first where there is no candidate of it."""
    from claimatlas.atlas.reading import PublishedCells, newest_candidate  # noqa: PLC0415
    from claimatlas.commands.reviews import ProtectOptions, protect_and_review, review_of  # noqa: PLC0415
    from claimatlas.protection.candidate import PublishingRules  # noqa: PLC0415
    from claimatlas.protection.gold import release_of, years_of  # noqa: PLC0415

    number = arguments.release
    if number is None:
        known = releases(DeltaReader(arguments.output))
        number = known[0]["release"] if known else newest_candidate(arguments.output)
    if number is None:
        raise InputError(f"--output {arguments.output}: there is no release of gold in it, and no candidate.")
    cells = PublishedCells(arguments.output, number)
    if cells.years_of_indicators and (arguments.draft or review_of(arguments.output, cells, configuration) is not None):
        return cells
    release = release_of(arguments.output, number)
    say(Event.MESSAGE, f"release {number} has no candidate by these settings: it is protected first")
    rules = PublishingRules(configuration, publication)
    how = ProtectOptions(options.workers_of(arguments), arguments.supersede)
    protect_and_review(arguments.output, release, years_of(release), rules, how)
    # Read again: the cells read before are those of the former candidate.
    return PublishedCells(arguments.output, number)


def _check_approval(arguments: argparse.Namespace, cells: PublishedCells, configuration: Configuration) -> None:
    """Stop unless the hash is that of the candidate's review report.

    Raises:
        InputError: with the hash and what to do.
    """
    from claimatlas.commands.reviews import file_of_review, hash_of, review_of  # noqa: PLC0415

    report = review_of(arguments.output, cells, configuration)
    if report is None:
        raise InputError(f"Release {cells.release} has no review report: run `claimatlas protect` first.")
    if arguments.review == hash_of(report):
        return
    file = file_of_review(arguments.output, cells.release)
    if arguments.review is None:
        print(report)
        raise InputError(
            f"The review report of release {cells.release} has the hash {hash_of(report)}. Read it ({file}), and if "
            f"the release may be published, run again with --review {hash_of(report)}."
        )
    raise InputError(
        f"--review: this is not the hash of the review report of release {cells.release} ({file}), which is "
        f"{hash_of(report)}: the candidate is another one than was approved."
    )


def _append(arguments: argparse.Namespace, number: int, configuration: Configuration, at: datetime) -> int:
    from claimatlas.protection.ledger import append, refuse_other_settings  # noqa: PLC0415
    from claimatlas.protection.run import settings_hash  # noqa: PLC0415

    used = settings_hash(configuration)
    refuse_other_settings(arguments.output, number, used, arguments.supersede)
    return append(arguments.output, number, used, arguments.approved_by, at)


def _json_of(file: str) -> object:
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--changes {file}: cannot be read ({error.strerror}).") from None
    except ValueError:
        raise InputError(f"--changes {file}: this is not JSON.") from None
