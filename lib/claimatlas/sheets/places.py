"""Sections of a sheet on place: domicile, hospital, geographic levels."""

from __future__ import annotations

from claimatlas.configuration.settings import HOSPITAL, SECTOR
from claimatlas.sheets.facts import Facts
from claimatlas.sheets.markdown import blocks, bullets, code, table
from claimatlas.sheets.texts import Texts


def domicile(facts: Facts, texts: Texts) -> str:
    """Which place of residence counts, where the indicator has levels that are found through it."""
    if not facts.levels_of_domicile:
        return ""
    geography = facts.settings.geography
    rules = [
        texts.say("domicile.rule", country=texts.name("level", geography.country_level)),
        texts.say("domicile.carried"),
        texts.say("domicile.rolled_up", level=texts.name("level", geography.domicile_level)),
    ]
    if SECTOR in facts.indicator.levels:
        # The table's path is that of one machine, so only its setting is named.
        published = "domicile.sectors_met" if geography.sector_table is None else "domicile.sector_table"
        rules.append(f"{texts.say('domicile.sector', pattern=geography.sector_pattern)} {texts.say(published)}")
    return bullets(rules)


def hospital(facts: Facts, texts: Texts) -> str:
    """Which hospital a delivery counts for."""
    if HOSPITAL not in facts.indicator.levels:
        return ""
    country = texts.name("level", facts.settings.geography.country_level)
    return texts.say("hospital.rule", country=country)


def levels(facts: Facts, texts: Texts) -> str:
    """The levels, what each is called in the tables, and the smallest one."""
    geography = facts.settings.geography
    remarks = {
        geography.country_level: texts.say("levels.country"),
        SECTOR: texts.say("levels.sector", year=geography.sector_first_year),
        HOSPITAL: texts.say("levels.hospital"),
    }
    header = [texts.say(f"levels.{column}") for column in ("level", "name", "remark")]
    rows = [
        [texts.name("level", level), code(level), remarks.get(level, texts.say("nothing"))]
        for level in facts.indicator.levels
    ]
    smallest = texts.say("levels.smallest", level=texts.name("level", facts.smallest_level))
    if facts.smallest_level == SECTOR:
        smallest = texts.say(
            "levels.smallest_sector",
            level=texts.name("level", SECTOR),
            year=geography.sector_first_year,
            before=texts.name("level", facts.smallest_level_before_sectors),
        )
    return blocks([table(header, rows), smallest])
