"""pytauargus on one table of counts, in an environment of its own: `python tau_argus_peer.py TABLE.json`.

TABLE.json: ``members`` as [place, larger places from the nearest on, value, count], and the least count that may be
shown. Prints seconds and, by level and kind of figure, how many are unsafe, secondary, empty and safe.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pandas as pd
from pytauargus import protect
from pytauargus.hrc import write_hrc

STATUS = {"U": "primary", "M": "secondary", "E": "empty", "S": "shown"}
TOTAL = "Total"


def main(file: str) -> None:
    """Protect the table by the modular method, the one without outside programs."""
    given = json.loads(Path(file).read_text(encoding="utf-8"))
    levels = [f"level{number}" for number in range(len(given["members"][0][1]) + 1)]
    rows = [
        ([f"{depth}_{code}" for depth, code in enumerate([place, *larger])], value)
        for place, larger, value, count in given["members"]
        for _ in range(count)
    ]
    frame = pd.DataFrame([(*places, value, 1) for places, value in rows], columns=[*levels, "value", "n"])
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        columns = {name: frame[name].tolist() for name in levels}
        tree = write_hrc(columns, levels, hrc_filename=f"{folder}/places.hrc")
        found = protect(
            frame[[levels[0], "value", "n"]],
            tables=[[levels[0], "value"]],
            response="n",
            safety_rules=f"FREQ({given['k']},100)",
            suppress="MOD(1)",
            hrc={levels[0]: tree},
            hierleadstring="@",
            totcode=TOTAL,
            workdir=folder,
        )
        cells = found.tables[0].dataframe()
    seconds = time.monotonic() - begin
    counts = Counter(
        (_level(str(place), len(levels)), str(value).strip() == TOTAL, STATUS[status])
        for place, value, status in zip(cells[levels[0]], cells["value"], cells["status"], strict=True)
    )
    print(json.dumps({"seconds": seconds, "counts": [[*key, number] for key, number in sorted(counts.items())]}))


def _level(place: str, country: int) -> int:
    """How far from the smallest places it is."""
    return country if place.strip() == TOTAL else int(place.strip().split("_")[0])


if __name__ == "__main__":
    main(sys.argv[1])
