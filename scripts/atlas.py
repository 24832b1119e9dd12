"""``make atlas``: counts of a whole country are drawn, protected, published, and the site is served on this machine.

A smaller plan than the shipped one is protected, so that it takes minutes: the site's page on confidentiality names it.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import yaml
from claimatlas.cli import main as claimatlas
from claimatlas.commands.reviews import file_of_review, hash_of

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".atlas"
PEOPLE = 11_700_000
YEARS = "2019-2023"
"""What is drawn: as many years as a trend needs."""
PUBLISHED_YEARS = "2022-2023"
PLAN = {"country": "all", "region": 1, "province": 0, "arrondissement": 0, "municipality": 0}
"""Splits by level that are protected here; the shipped plan has more."""


def main(argv: Sequence[str] | None = None) -> int:
    """Make the site where it is not there, and serve it; gives back an exit code."""
    parser = argparse.ArgumentParser(prog="make atlas")
    parser.add_argument("--serve", type=int, metavar="PORT", help="serve the site on this port until Ctrl-C")
    parser.add_argument("--years", default=YEARS, help="years to draw")
    parser.add_argument("--published-years", default=PUBLISHED_YEARS, help="years of them to protect and publish")
    parser.add_argument("--beneficiaries", type=int, default=PEOPLE)
    arguments = parser.parse_args(argv)
    site = FOLDER / "site"
    if not site.exists():
        start = time.monotonic()
        code = make(site, arguments)
        if code:
            return code
        print(f"{site}: {size_of(site) / 1e6:,.0f} MB after {time.monotonic() - start:,.0f} s")
    if arguments.serve:
        serve(site, arguments.serve)
    return 0


def make(site: Path, arguments: argparse.Namespace) -> int:
    """Draw, protect and publish; what an interrupted run left is made again."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    output, conf = FOLDER / "output", FOLDER / "conf"
    shutil.copytree(ROOT / "conf", conf)
    rules = yaml.safe_load((conf / "publication.yaml").read_text(encoding="utf-8"))
    text = yaml.safe_dump({**rules, "plan": PLAN}, sort_keys=False, allow_unicode=True)
    (conf / "publication.yaml").write_text(text, encoding="utf-8")
    tables = ["--output", str(output), "--conf", str(conf)]
    drawn = ["--beneficiaries", str(arguments.beneficiaries), "--years", arguments.years, "--seed", "1"]
    protected = ["--years", arguments.published_years]
    for command in (["generate", "--counts", *tables, *drawn], ["protect", *tables, *protected]):
        if code := claimatlas(command):
            return code
    report = hash_of(file_of_review(str(output), 1).read_text(encoding="utf-8"))
    return claimatlas(["publish", *tables, "--site", str(site), "--approved-by", "make atlas", "--review", report])


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def serve(site: Path, port: int) -> None:
    """Serve the site to this machine alone, until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{port}/ (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    raise SystemExit(main())
