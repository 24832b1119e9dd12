"""The input tables: their columns, what each holds after parsing, and the rules of a whole row."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from claimatlas.configuration import Configuration
from claimatlas.configuration.codelists import SYSTEM
from claimatlas.configuration.codes import SIX_DIGITS, Codes
from claimatlas.configuration.providers import ATTRIBUTES_BEFORE
from claimatlas.configuration.settings import PopulationSettings, Settings
from claimatlas.tables.schemas import (
    HOSPITAL_STAYS,
    POPULATION,
    Table,
    claims_table,
    configured,
    population_table,
)

Kind = Literal["text", "date", "integer", "code", "boolean", "sex", "word"]

WHITESPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000")
)
"""What is trimmed from text: every character that Unicode calls white space."""

REPLACEMENT = "\ufffd"
"""The character that replaces bytes which are not UTF-8, here or at the sender. Text that holds it is not
understood.
"""


@dataclass(frozen=True)
class InputColumn:
    """A column of an input table: what it holds, and whether a row needs it; ``codes``: how its codes are written."""

    name: str
    kind: Kind
    required: bool = False
    codes: Codes | None = None


@dataclass(frozen=True)
class InputTable:
    """An input table and the silver table that its accepted rows go to.

    ``key`` must be unique among the accepted rows. Of rows that share it the first in the order of
    ``preference`` stays: columns in ascending order with nulls last, or with a leading ``-`` in
    descending order with nulls last.
    ``year_of`` is the column that gives the silver partition.
    """

    name: str
    silver: Table
    columns: tuple[InputColumn, ...]
    year_of: str
    key: tuple[str, ...] = ()
    duplicate_reason: str = ""
    preference: tuple[str, ...] = ()

    @property
    def values(self) -> list[str]:
        """The columns of silver that come from the input, in silver's order, without the partition column."""
        given = {column.name for column in self.columns} - {"year"}
        return [name for name in self.silver.column_names if name in given]

    @property
    def identity(self) -> list[str]:
        """The columns that identify a row: its key, or all columns where the table has no key."""
        return list(self.key) or self.values

    @property
    def required(self) -> list[str]:
        """The columns that each row needs."""
        return [column.name for column in self.columns if column.required]


def claims_input(settings: Settings | None = None) -> InputTable:
    """The claims as the settings declare them; without settings as before there was anything to declare."""
    codes = settings.codes if settings else SIX_DIGITS
    attributes = settings.provider_attributes if settings else ATTRIBUTES_BEFORE
    systems = [SYSTEM] if codes.systems else []
    return InputTable(
        name="claims",
        silver=claims_table(codes, attributes),
        columns=(
            InputColumn("claim_id", "text", required=True),
            InputColumn("beneficiary_id", "text", required=True),
            InputColumn("service_date", "date", required=True),
            InputColumn("nomenclature_code", "code", required=True, codes=codes),
            *[InputColumn(name, "text", required=True) for name in systems],
            InputColumn("quantity", "integer", required=True),
            InputColumn("provider_id", "text"),
            *[InputColumn(name, attribute.holds) for name, attribute in attributes.items()],
            InputColumn("hospital_id", "text"),
            InputColumn("booking_date", "date"),
        ),
        year_of="service_date",
        key=("claim_id",),
        duplicate_reason="duplicate_claim_id",
        # The line with the latest booking date stays; a line without one counts as the earliest.
        preference=(
            "-booking_date",
            "service_date",
            "nomenclature_code",
            *systems,
            "quantity",
            "provider_id",
            *attributes,
            "hospital_id",
            "beneficiary_id",
        ),
    )


CLAIMS_INPUT = claims_input()
"""The claims for whoever asks for them by their name: their columns, ``claims_input`` says."""

# Without the columns that a configuration adds: see ``population_input``.
POPULATION_INPUT = InputTable(
    name="population",
    silver=POPULATION,
    columns=(
        InputColumn("beneficiary_id", "text", required=True),
        InputColumn("year", "integer", required=True),
        InputColumn("birth_date", "date"),
        InputColumn("sex", "sex"),
        InputColumn("municipality_31_december", "text"),
        InputColumn("municipality_30_june", "text"),
        InputColumn("sector_31_december", "text"),
        InputColumn("sector_30_june", "text"),
    ),
    year_of="year",
    key=("beneficiary_id", "year"),
    duplicate_reason="duplicate_beneficiary_year",
    preference=(
        "birth_date",
        "sex",
        "municipality_31_december",
        "municipality_30_june",
        "sector_31_december",
        "sector_30_june",
    ),
)
"""The population of an input of person-years, and for whoever asks for it by its name."""

SPANS_INPUT = InputTable(
    name="population",
    silver=population_table(PopulationSettings(given_as="spans", member_on="any_day")),
    columns=(
        InputColumn("beneficiary_id", "text", required=True),
        InputColumn("start_date", "date", required=True),
        InputColumn("end_date", "date"),
        InputColumn("birth_date", "date"),
        InputColumn("sex", "sex"),
        InputColumn("municipality", "text"),
        InputColumn("sector", "text"),
    ),
    # Spans may overlap: together they are what somebody is enrolled for, so that none is a duplicate.
    year_of="start_date",
)
"""The population of an input of spans of enrolment."""


HOSPITAL_STAYS_INPUT = InputTable(
    name="hospital_stays",
    silver=HOSPITAL_STAYS,
    columns=(
        InputColumn("stay_id", "text", required=True),
        InputColumn("beneficiary_id", "text", required=True),
        InputColumn("admission_date", "date", required=True),
        InputColumn("discharge_date", "date", required=True),
        InputColumn("hospital_id", "text"),
    ),
    year_of="discharge_date",
)


def population_input(configuration: Configuration) -> InputTable:
    """The population as the settings say that it is given, by year or by span of enrolment, ``with_sources``."""
    given = SPANS_INPUT if configuration.settings.population.are_spans else POPULATION_INPUT
    return with_sources(given, configuration)


def with_sources(population: InputTable, configuration: Configuration) -> InputTable:
    """A population with the columns that only a dimension is read from: words or booleans."""
    declared = configuration.dimensions.population_columns
    columns = [InputColumn(own.name, "boolean" if own.type == "boolean" else "word") for own in declared]
    behind = 1 + [column.name for column in population.columns].index("sex")
    preference = population.preference
    if preference:
        preferred = 1 + preference.index("sex")
        preference = (*preference[:preferred], *[own.name for own in declared], *preference[preferred:])
    return dataclasses.replace(
        population,
        silver=configured(population.silver, configuration),
        columns=(*population.columns[:behind], *columns, *population.columns[behind:]),
        preference=preference,
    )


def input_tables(configuration: Configuration) -> tuple[InputTable, ...]:
    """The input tables in the order of reading: small tables first, so that their mistakes show early."""
    return (population_input(configuration), HOSPITAL_STAYS_INPUT, claims_input(configuration.settings))
