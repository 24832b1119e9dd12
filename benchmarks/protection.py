"""What `protect` hides of one table, beside pytauargus: deliveries by place and age of a drawn national year.

`python -m benchmarks.protection PYTHON`: PYTHON is that of an environment with requirements/tau.txt.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from claimatlas.cli import main as claimatlas
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.publication import load_publication
from claimatlas.protection.candidate import PublishingRules
from claimatlas.protection.choosing import choose
from claimatlas.protection.gold import cells_of, release_of
from claimatlas.protection.run import prepare
from claimatlas.protection.tables import indicator_years
from claimatlas.tables.schemas import ALL

ROOT = Path(__file__).resolve().parents[1]
PEER = Path(__file__).with_name("peers") / "tau_argus_peer.py"
PEOPLE, YEAR, SECONDS = 11_700_000, 2023, 2_700
INDICATOR, DIMENSION = "cube_007_001a_denom", "age_category"
LEVELS = ("municipality", "arrondissement", "province", "region", "country")
KINDS = ("primary", "secondary", "shown")


def main() -> None:
    """Draw, protect by both, and print how many figures are hidden, by level."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        output = folder / "output"
        given = ["--beneficiaries", str(PEOPLE), "--years", str(YEAR), "--seed", "1"]
        if claimatlas(["generate", "--counts", "--output", str(output), *given]):
            raise SystemExit(1)
        whole = load_configuration()
        rows = [
            row
            for row in cells_of(release_of(str(output), None), YEAR, whole)
            if row["indicator_id"] == INDICATOR
            and all(row[one] == ALL for one in whole.dimensions.names if one != DIMENSION)
        ]
        begin = time.monotonic()
        ours = of_ours(rows, load_configuration(str(_of_one_table(folder / "conf"))))
        print(f"protect: {time.monotonic() - begin:.0f} s")
        peer = of_peer(rows, whole, folder / "table.json", sys.argv[1])
    print(f"{'':16}{'protect':>32}{'pytauargus':>32}")
    print(f"{'':16}" + "".join(f"{kind:>11}" for kind in (*KINDS, *KINDS)))
    for level in (*LEVELS, "all"):
        counts = [found[level, kind] for found in (ours, peer) for kind in KINDS]
        print(f"{level:16}" + "".join(f"{count:11}" for count in counts))


def _of_one_table(conf: Path) -> Path:
    """The configuration that ships with one indicator, split by one dimension, all of it planned."""
    shutil.copytree(ROOT / "conf", conf)
    for file in (conf / "indicators").glob("*.yaml"):
        if file.stem != INDICATOR:
            file.unlink()
    _change(conf / "indicators" / f"{INDICATOR}.yaml", dimensions=[DIMENSION], related=[])
    sides: dict[str, Any] = {"sensitive_sides": {INDICATOR: "none"}, "differences": []}
    _change(conf / "publication.yaml", plan=dict.fromkeys(LEVELS, 1), **sides)
    return conf


def _change(file: Path, **values: object) -> None:
    now = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**now, **values}, allow_unicode=True), encoding="utf-8")


def of_ours(rows: list[dict[str, Any]], configuration: Configuration) -> Counter[tuple[str, str]]:
    """Figures by level and kind; those of nobody count as shown."""
    publication = load_publication(configuration)
    _, audit = prepare(indicator_years(rows, configuration), PublishingRules(configuration, publication), YEAR)
    (measure,) = audit.measures.values()
    marked = measure.hidden.copy()
    choose(audit, time.monotonic() + SECONDS, str(YEAR))
    found: Counter[tuple[str, str]] = Counter()
    for unit, split in zip(*measure.planned.nonzero(), strict=True):
        kind = "primary" if marked[unit, split] else "secondary" if measure.hidden[unit, split] else "shown"
        for level in (measure.frame.units[unit].level, "all"):
            found[level, kind] += 1
    return found


def of_peer(rows: list[dict[str, Any]], whole: Configuration, table: Path, python: str) -> Counter[tuple[str, str]]:
    """The same of pytauargus; those of nobody count as shown."""
    parents = {place.code: place.parents for place in whole.geography.places.values()}
    members = [
        (row["geo_code"], [parents[row["geo_code"]].get(level) or "none" for level in LEVELS[1:-1]], row)
        for row in rows
        if row["geo_level"] == LEVELS[0] and row[DIMENSION] != ALL
    ]
    values = {value: f"v{number}" for number, value in enumerate(sorted({row[DIMENSION] for _, _, row in members}))}
    plain = [(place, larger, values[row[DIMENSION]], row["denominator"]) for place, larger, row in members]
    table.write_text(json.dumps({"k": load_publication(whole).k, "members": plain}), encoding="utf-8")
    # It leaves files of its own where it is started.
    command = [Path(python).absolute(), PEER, table]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=table.parent).stdout)
    print(f"pytauargus: {said['seconds']:.0f} s")
    found: Counter[tuple[str, str]] = Counter()
    for level, _, kind, number in said["counts"]:
        for name in (LEVELS[level], "all"):
            found[name, "shown" if kind == "empty" else kind] += number
    return found


if __name__ == "__main__":
    main()
