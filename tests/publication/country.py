"""A small foreign country: its own levels, towns and indicators, and gold of drawn counts."""

import shutil
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from claimatlas.protection.frames import ALL
from comparison import CONF
from integration.own_configuration import change, write_indicator

YEAR = 2020
TOWNS = {"a1": "north", "a2": "north", "b1": "south", "b2": "south", "b3": "south"}
BIM = ("yes", "no", "unknown")
TYPES = ("caesarean", "vaginal")
Atom = tuple[str, str, str]
"""Town (empty: not known), increased reimbursement, delivery type."""
K = 3


def atoms(towns: Mapping[str, str] = TOWNS) -> list[Atom]:
    """Every finest cell."""
    return list(product((*towns, ""), BIM, TYPES))


def configuration(
    folder: Path,
    towns: Mapping[str, str] = TOWNS,
    dimensions: Sequence[str] = ("increased_reimbursement", "delivery_type"),
    **publication: object,
) -> Path:
    """The shipped configuration with levels, places, indicators and a plan of its own."""
    conf = Path(shutil.copytree(CONF, folder / "conf"))
    settings = yaml.safe_load((conf / "settings.yaml").read_text(encoding="utf-8"))
    change(conf / "settings.yaml", geography={**settings["geography"], "levels": ["land", "part", "town"]})
    lines = ["town,first_year,last_year,part,land,name_fr,name_nl,name_de"]
    lines += [f"{town},2006,9999,{part},x,{town},{town},{town}" for town, part in towns.items()]
    (conf / "geography" / "municipalities.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (conf / "geography" / "changes.csv").write_text("old,new,first_year\n", encoding="utf-8")
    # Names of what Belgium declares.
    (conf / "sheets" / "names.yaml").unlink()
    for file in (conf / "indicators").glob("*.yaml"):
        file.unlink()
    common = {"population": "deliveries", "levels": ["land", "part", "town"]}
    write_indicator(conf, "births", numerator={"all": True}, unit="count", dimensions=list(dimensions), **common)
    for name, flags in (("nobody", ["contact_gp", "contact_midwife"]), ("no_midwife", ["contact_midwife"])):
        write_indicator(
            conf, name, numerator={"without_any": flags}, unit="percent", dimensions=list(dimensions), **common
        )
    rules = {
        "method": "suppressed",
        "k": K,
        "plan": {"land": "all", "part": "all", "town": 1},
        "provisional_plan": {"land": 0},
        "published_as": {"increased_reimbursement": {"no": "other", "unknown": "other"}},
        "sensitive_sides": {"births": "none", "nobody": "numerator", "no_midwife": "numerator"},
        "differences": [{"whole": "no_midwife", "part": "nobody", "of": "numerator"}],
        "known_within": {},
        "dominance": {"share": 0.85, "least_of_member": 1},
        "reliability": {"numerator_below": 20, "interval_wider_than": 20},
        "revision_bound": {"count": 5, "share": 0.02},
        "budget_seconds": 600,
        **publication,
    }
    (conf / "publication.yaml").write_text(yaml.safe_dump(rules, sort_keys=False), encoding="utf-8")
    return conf


def gold_rows(
    tables: Mapping[str, Mapping[Atom, int]],
    towns: Mapping[str, str] = TOWNS,
    kinds: Sequence[str] = (*TYPES, ALL),
) -> list[tuple]:
    """The rows of gold/postnatal that tables of finest counts make, by indicator; ``births`` is the denominator."""
    rows = []
    for name, (level, code, inside), bim, kind in product(tables, units(towns), (*BIM, ALL), kinds):
        chosen = [a for a in atoms(towns) if a[0] in inside and bim in (ALL, a[1]) and kind in (ALL, a[2])]
        upper, lower = (sum(table.get(atom, 0) for atom in chosen) for table in (tables[name], tables["births"]))
        if lower or bim == kind == ALL:
            value = float(upper) if name == "births" else (100 * upper / lower if lower else None)
            split = (ALL, bim, kind, ALL)
            rows.append((name, code, YEAR, *split, upper, lower, value, None, None, "final", "drawn", YEAR, level))
    return rows


def units(towns: Mapping[str, str] = TOWNS) -> Sequence[tuple[str, str, tuple[str, ...]]]:
    """Every place by level and code, with its towns; only the country has those of no known town."""
    parts = sorted(set(towns.values()))
    return [
        ("land", "x", (*towns, "")),
        *(("part", part, tuple(town for town in towns if towns[town] == part)) for part in parts),
        *(("town", town, (town,)) for town in towns),
    ]


def write_gold(folder: Path, rows: list[tuple], release: int = 1) -> Path:
    """Write rows as the newest release of gold."""
    from datetime import UTC, datetime

    from claimatlas.tables.local_table import write_rows
    from shipped import POSTNATAL, RELEASES

    version = write_rows(str(folder), POSTNATAL, rows)
    row = (release, "drawn", datetime(2024, 1, release, tzinfo=UTC), None, version, None, "drawn")
    write_rows(str(folder), RELEASES, [row], append=release > 1)
    return folder


def counts_of_release(more: int) -> dict[str, dict[tuple[str, str, str], int]]:
    """The counts of a release: a later one has a few more."""
    births = {atom: 3 + (7 * number + more) % 11 if atom[0] else 0 for number, atom in enumerate(atoms())}
    no_midwife = {atom: count // 3 for atom, count in births.items()}
    return {"births": births, "no_midwife": no_midwife, "nobody": {a: n // 2 for a, n in no_midwife.items()}}


def versions(output: Path, name: str) -> list[list[dict[str, Any]]]:
    """The rows of every version of a table of `published/`."""
    import deltalake

    path = str(output / "published" / name)
    if not deltalake.DeltaTable.is_deltatable(path):
        return []
    newest = deltalake.DeltaTable(path).version()
    return [deltalake.DeltaTable(path, version=v).to_pyarrow_table().to_pylist() for v in range(newest + 1)]


def leaks(output: Path, conf: Path) -> list[str]:
    """What the attacker works out."""
    from claimatlas.auditing.run import audit
    from claimatlas.configuration import load_configuration
    from claimatlas.configuration.publication import load_publication
    from claimatlas.processes import Workers

    loaded = load_configuration(str(conf))
    found = audit(str(output), loaded, load_publication(loaded), Workers())
    return found.texts()
