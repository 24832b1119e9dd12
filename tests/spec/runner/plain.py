"""Run one case through the plain-Python reference, alone."""

from pathlib import Path
from typing import Any

from claimatlas.configuration.load import shipped_folder
from reference import CELL_KEY, compute, dimensions
from reference.compute import add_exams, persons_of
from reference.domicile import Geography, Sectors
from reference.model import CodeLists, Row, Settings, load_settings
from reference.netting import net_services
from spec.runner.compare import Found, by_key
from spec.runner.pipeline import write_conf, write_sectors
from spec.runner.scenario import Case, settings_of


def run(case: Case, folder: Path) -> Found:
    """The results of one case; ``folder`` takes a configuration folder of its own."""
    conf = write_conf(case, folder / "conf") if case.code_lists else Path(str(shipped_folder()))
    sectors = write_sectors(case, folder / "sectors.csv") if case.sectors else None
    settings = settings_of(case, sectors)
    rows = {name: [dict(row) for row in table] for name, table in case.tables.items()}
    wanted = {row.get("indicator_id") for part in ("cells", "no_cells") for row in case.expected.get(part, [])}
    indicators = None if None in wanted else wanted
    result = compute(
        {name: list(table) for name, table in rows.items()},
        case.years,
        conf_dir=conf,
        settings=settings,
        as_of=case.as_of,
        complete_through=case.complete_through,
        indicators=indicators,
    )
    positions = {id(row): number for table in rows.values() for number, row in enumerate(table, start=1)}
    persons = []
    if "persons" in case.expected:
        persons = _persons(case, result.accepted, conf, load_settings(conf, settings))
    return Found(
        deliveries=result.deliveries,
        persons=persons,
        rejected=[
            {"table": table, "row": positions[id(row)], "reasons": ", ".join(reasons)}
            for table, row, reasons in result.rejected
        ],
        cells=by_key([{**dict(zip(CELL_KEY, key, strict=True)), **cell} for key, cell in result.cells.items()]),
    )


def _persons(case: Case, accepted: dict[str, list[Row]], conf: Path, settings: Settings) -> list[dict[str, Any]]:
    geography, sectors = Geography.read(conf), Sectors(settings)
    services, lists = net_services(accepted["claims"]), CodeLists.read(conf)
    people = {(row["beneficiary_id"], row["year"]): row for row in accepted["population"]}
    split_by = dimensions.read(conf, settings)
    found = []
    for year in case.years:
        persons = persons_of(year, people, geography, sectors, split_by)
        add_exams(persons, year, services, lists)
        for person in persons:
            places = dict(person["places"])
            found.append(
                {
                    **person,
                    **person["said"],
                    "year": year,
                    "municipality": places.get("municipality"),
                    "sector": places.get("sector"),
                }
            )
    return found
