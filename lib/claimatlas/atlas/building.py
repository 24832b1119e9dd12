"""Write the site into a new folder, and put it in place at once."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from claimatlas import __version__
from claimatlas.atlas import about_pages, hospital_pages, indicator_pages, links, place_pages
from claimatlas.atlas.assembly import topology_of
from claimatlas.atlas.changes import History
from claimatlas.atlas.data_files import write_data
from claimatlas.atlas.downloads import is_whole, write_downloads
from claimatlas.atlas.page import logo_name
from claimatlas.atlas.site import Site
from claimatlas.atlas.styles import theme_css
from claimatlas.configuration.atlas import file_of
from claimatlas.errors import InputError
from claimatlas.paths import is_remote
from claimatlas.runs.lock import holding

MARK = "site.json"
"""The file that marks a folder as a site that may be replaced."""
Progress = Callable[[str], None]
_CODE = re.compile(r"[A-Za-z0-9_-]+")
_AT_FDCWD, _EXCHANGE = -100, 2


def check_folder(output: str, folder: str) -> Path:
    """Where the site goes: a folder of this machine beside the output, new, empty, or a site already.

    Raises:
        InputError: it is none of these.
    """
    if is_remote(folder):
        raise InputError(f"--site {folder}: the site is written to a folder of this machine; copy it from there.")
    path = Path(folder)
    if path.is_symlink():
        raise InputError(f"--site {folder}: this is a link; name the folder itself.")
    site, tables = path.resolve(), Path(output).resolve()
    if site == tables or site in tables.parents or tables in site.parents:
        raise InputError(f"--site {folder}: the site may not lie in {output}, nor hold it: single records lie there.")
    if site.exists() and not site.is_dir():
        raise InputError(f"--site {folder}: this is a file.")
    if site.is_dir() and any(site.iterdir()) and not (site / MARK).is_file():
        raise InputError(f"--site {folder}: this folder has other files in it; give a new one.")
    return site


@contextmanager
def new_folder(site: Path) -> Iterator[Path]:
    """A new folder beside the site's. It replaces the site if all went well, and is removed otherwise.

    Raises:
        InputError: the folder cannot be written.
        ConcurrentRunError: another run writes the same site.
    """
    try:
        with holding(site.with_name(f".{site.name}.lock"), site):
            fresh = site.with_name(f".{site.name}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            try:
                yield fresh
                put_in_place(fresh, site)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise InputError(f"--site {site} cannot be written ({error.strerror}).") from None


def put_in_place(fresh: Path, site: Path) -> None:
    """Give a new folder the name of the site's: one rename, so that no reader ever finds half of either."""
    if not site.exists():
        fresh.rename(site)
    elif _exchange(fresh, site):
        shutil.rmtree(fresh)
    else:
        # If the system cannot exchange two names, restore the former folder when the second rename fails.
        former = site.with_name(f".{site.name}.former")
        site.rename(former)
        try:
            fresh.rename(site)
        except OSError:
            former.rename(site)
            raise
        shutil.rmtree(former)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange the names of two folders in one step; false where the system or its files cannot."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return False
    names = [os.fsencode(path) for path in (first, second)]
    return int(library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE)) == 0


def write_site(folder: Path, site: Site, history: History, former: Path | None, progress: Progress) -> int:
    """Write the whole site into an empty folder; gives back the number of its files.

    ``former``: the site in place, from which the files of earlier releases are copied as they were written.

    Raises:
        InputError: a place's code cannot be the name of a file.
    """
    _write_static(folder, site)
    if former is not None:
        _keep_downloads(folder, site, history, former)
    _write(folder, {"index.html": about_pages.languages_page(site)})
    if site.release.is_withdrawn:
        _write_notice(folder, site, history)
    else:
        progress("downloads")
        write_downloads(folder / "downloads" / str(site.release.number), site)
        topology = topology_of(site)
        progress("data of the pages")
        write_data(folder / "data", site, topology)
        totals = {indicator.id: indicator_pages.totals_of(site, indicator) for indicator in site.indicators}
        for indicator in site.indicators:
            progress(f"pages of {indicator.id}")
            for language in site.words:
                page = indicator_pages.indicator_page(site, indicator, totals[indicator.id], topology, language)
                sheet = indicator_pages.sheet_page(site, indicator, language)
                _write(folder, {links.indicator_page(language, indicator.id): page})
                _write(folder, {links.sheet_page(language, indicator.id): sheet})
        progress("pages of the places")
        _write_places(folder, site)
        _write_hospitals(folder, site)
        drawn = about_pages.Drawn(totals, topology)
        for language in site.words:
            _write(folder, {links.start_page(language): about_pages.start_page(site, drawn, language)})
            _write(folder, dict(about_pages.about_pages(site, history, folder, language)))
    mark = {
        **{"claimatlas": __version__, "release": site.release.number, "languages": list(site.words)},
        **{"is_draft": site.release.is_draft, "is_synthetic": site.release.is_synthetic},
    }
    _write(folder, {MARK: json.dumps(mark, indent=1) + "\n"})
    return sum(1 for path in folder.rglob("*") if path.is_file())


def _write_notice(folder: Path, site: Site, history: History) -> None:
    for language in site.words:
        _write(folder, dict(about_pages.withdrawn_pages(site, history, folder, language)))


def _write_places(folder: Path, site: Site) -> None:
    ended = list(site.places.ended(site.vintage)) if site.domicile_level in site.levels else []
    for code in (*(code for _, code in site.pages_of_places), *(code for code, _ in ended)):
        if not _CODE.fullmatch(code):
            raise InputError(f"The code {code!r} of a place cannot be the name of a page: letters, digits, _ and -.")
    for language in site.words:
        for level, code in sorted(site.pages_of_places):
            page = place_pages.place_page(site, level, code, language)
            _write(folder, {links.place_page(language, level, code): page})
        for code, successor in ended:
            page = place_pages.ended_page(site, code, successor, language)
            _write(folder, {links.place_page(language, site.domicile_level, code): page})


def _write_hospitals(folder: Path, site: Site) -> None:
    """The page of each hospital of the register, and of each that another one goes on with."""
    register = site.register
    ended = register.ended(site.vintage) if register else []
    for code in (*site.hospitals, *(code for code, _ in ended)):
        if not _CODE.fullmatch(code):
            raise InputError(f"The id {code!r} of a hospital cannot be the name of a page: letters, digits, _ and -.")
    for language in site.words:
        for code in site.hospitals:
            page = hospital_pages.hospital_page(site, code, language)
            _write(folder, {links.hospital_page(language, code): page})
        for code, successor in ended:
            page = hospital_pages.ended_page(site, code, successor, language)
            _write(folder, {links.hospital_page(language, code): page})


def _write_static(folder: Path, site: Site) -> None:
    target = folder / "static"
    target.mkdir()
    for file in resources.files("claimatlas.atlas").joinpath("static").iterdir():
        if file.is_file():
            (target / file.name).write_bytes(file.read_bytes())
    _write(folder, {"static/theme.css": theme_css(site.settings.colours)})
    if site.settings.logo:
        logo = file_of(site.configuration.folder, site.settings.logo).read_bytes()
        (target / logo_name(site.settings.logo)).write_bytes(logo)


def _keep_downloads(folder: Path, site: Site, history: History, former: Path) -> None:
    """Copy the complete files of earlier releases, without those of a withdrawn release."""
    for number in history.published:
        before = former / "downloads" / str(number)
        if number != site.release.number and number not in history.withdrawals and is_whole(before):
            shutil.copytree(before, folder / "downloads" / str(number))


def _write(folder: Path, pages: dict[str, str]) -> None:
    for path, text in pages.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
