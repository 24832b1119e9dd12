"""Each table's schema, written once: columns with their meaning, partitioning, constraints."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claimatlas.configuration import Configuration
from claimatlas.configuration.codelists import SYSTEM
from claimatlas.configuration.codes import SIX_DIGITS, Codes, digits_in_words
from claimatlas.configuration.dimensions import AGE, Dimensions, Population
from claimatlas.configuration.former_dimensions import FORMER
from claimatlas.configuration.providers import ATTRIBUTES_BEFORE, ProviderAttribute
from claimatlas.configuration.reserved import LABELS
from claimatlas.configuration.services import DeliveryFlag
from claimatlas.configuration.settings import PRENATAL, CellTables, PopulationSettings

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

ALL, UNKNOWN = LABELS
"""The value of a dimension that is summed over, and of one that is not known."""
DOMICILE_DATES = ("31_december", "30_june")
"""The dates of a domicile, the preferred one first."""


FLAG = "boolean"
"""The type of a declared flag. Such a column is never required."""
TEXT = "string"


SCHEMA_VERSION = 2
"""Increase it when a stored name or its meaning changes: an output of another version is then refused."""
SCHEMA_VERSION_PROPERTY = "claimatlas.schema_version"
DECLARED_PROPERTY = "claimatlas.declared"
"""Every text column that a configuration has ever declared of a table, with commas between."""


@dataclass(frozen=True)
class Column:
    """A column of a table: Spark SQL type, meaning, and whether it is always there.

    ``is_declared``: the configuration has it; a table of another configuration may lack it, and it is never required.
    """

    name: str
    type: str
    comment: str
    required: bool = False
    is_declared: bool = False


@dataclass(frozen=True)
class Table:
    """A Delta table.

    ``constraints`` are Delta CHECK constraints by name; NULL breaks one. ``statistics`` are the columns whose least
    and greatest value Delta keeps for each file, so that readers can pass over files; without any it is the first
    32. They cost a good part of the writing of a large table. ``loses_single_rows``: a correction may delete a row
    without its file being written anew. ``has_declared``: the configuration declares columns; a table of another one
    gets those that it lacks and keeps those that are no longer declared. ``without``: what is written into such a
    text column that is no longer declared. ``is_small``: the driver can hold the rows of some years.
    """

    name: str
    comment: str
    columns: tuple[Column, ...]
    partitioned_by: tuple[str, ...] = ()
    constraints: tuple[tuple[str, str], ...] = ()
    retention: str | None = None
    statistics: tuple[str, ...] = ()
    loses_single_rows: bool = False
    has_declared: bool = False
    without: str | None = None
    is_small: bool = False

    @property
    def declared(self) -> list[Column]:
        """The columns that an existing table may lack: null in the rows that were written without them."""
        return [column for column in self.columns if column.is_declared]

    @property
    def declared_texts(self) -> list[str]:
        """Those of them that are text."""
        return [column.name for column in self.declared if column.type == TEXT]

    def ever_declared(self, properties: Mapping[str, str]) -> list[str]:
        """The text columns that any configuration has declared; ``properties``: those of the table that is there."""
        noted = properties.get(DECLARED_PROPERTY, "").split(",")
        return list(dict.fromkeys(name for name in (*FORMER, *noted, *self.declared_texts) if name))

    @property
    def flags(self) -> list[Column]:
        """Those of them that are true or false: null, not false, where they were not computed."""
        return [column for column in self.declared if column.type == FLAG]

    @property
    def schema(self) -> StructType:
        """The schema as Spark understands it; whether nulls may stand is Delta's to enforce."""
        # Imported only here: commands without Spark need the columns too.
        from claimatlas.tables.spark_types import struct_of  # noqa: PLC0415

        return struct_of(self.columns)

    @property
    def properties(self) -> dict[str, str]:
        """The properties that the table is made with."""
        properties = {SCHEMA_VERSION_PROPERTY: str(SCHEMA_VERSION)}
        properties |= {f"delta.constraints.{name}": check for name, check in self.constraints}
        if self.has_declared:
            properties[DECLARED_PROPERTY] = ",".join(self.declared_texts)
        if self.retention:
            properties["delta.logRetentionDuration"] = self.retention
            properties["delta.deletedFileRetentionDuration"] = self.retention
        if self.statistics:
            properties["delta.dataSkippingStatsColumns"] = ",".join(self.statistics)
        return properties

    @property
    def column_names(self) -> list[str]:
        """The column names in their order."""
        return [column.name for column in self.columns]


RETENTION = "interval 3650 days"
"""How long earlier versions can be restored, unless their files are vacuumed. Delta's default, a week, is too short: a
failed ingest restores the silver of months ago, and a figure must be explainable years later.
"""

BATCH = "batch"
"""Of a row of silver: the number of the batch that brought it."""


def claims_table(codes: Codes, attributes: Mapping[str, ProviderAttribute]) -> Table:
    """The schema of ``silver/claims``: its codes and the attributes of providers, as the settings declare them."""
    code = Column("nomenclature_code", "string", "Code of the service")
    if codes.are_numbers:
        code = Column("nomenclature_code", "int", f"Nomenclature code, {digits_in_words(codes)} digits")
    systems = [Column(SYSTEM, "string", "Code system that the code is of")] if codes.systems else []
    return Table(
        name="silver/claims",
        comment="One row per accepted claim line.",
        columns=(
            Column("claim_id", "string", "The line's unique id at the sender"),
            Column("beneficiary_id", "string", "Pseudonym of the beneficiary"),
            Column("service_date", "date", "When the service was given"),
            code,
            *systems,
            Column("quantity", "int", "Signed quantity; a negative line takes back an earlier one"),
            Column("provider_id", "string", "Provider, if known"),
            *[_attribute(name, attribute) for name, attribute in attributes.items()],
            Column("hospital_id", "string", "Institution where the service was given"),
            Column("booking_date", "date", "When the fund booked the line"),
            Column(BATCH, "int", "Which batch brought the line; 1: the ingest that made silver"),
            Column("year", "int", "Calendar year of service_date"),
        ),
        partitioned_by=("year",),
        retention=RETENTION,
        statistics=("service_date", "nomenclature_code"),
        loses_single_rows=True,
    )


def _attribute(name: str, attribute: ProviderAttribute) -> Column:
    kind = "int" if attribute.holds == "integer" else "string"
    return Column(name, kind, attribute.meaning or f"Of the provider: {name}")


CLAIMS = claims_table(SIX_DIGITS, ATTRIBUTES_BEFORE)
"""``silver/claims`` for whoever asks for it by its name: what its columns are, ``claims_table`` says."""


def population_table(population: PopulationSettings) -> Table:
    """The schema of ``silver/population``: a row per beneficiary-year, or per span of enrolment."""
    person = (
        Column("birth_date", "date", "Date of birth; null: unknown"),
        Column("sex", "string", "female or male; null: unknown"),
    )
    given = (
        *person,
        Column("municipality_31_december", "string", "Municipality code on 31 December"),
        Column("municipality_30_june", "string", "Municipality code on 30 June"),
        Column("sector_31_december", "string", "Statistical sector on 31 December"),
        Column("sector_30_june", "string", "Statistical sector on 30 June"),
    )
    comment, year = "One row per accepted beneficiary-year.", "Calendar year"
    if population.are_spans:
        given = (
            Column("start_date", "date", "First day of the span of enrolment"),
            Column("end_date", "date", "Last day of the span; null: it goes on"),
            *person,
            Column("municipality", "string", "Municipality code of the span"),
            Column("sector", "string", "Statistical sector of the span"),
        )
        comment, year = "One row per accepted span of enrolment.", "Calendar year of start_date"
    return Table(
        name="silver/population",
        comment=comment,
        columns=(
            Column("beneficiary_id", "string", "Pseudonym of the beneficiary"),
            *given,
            Column(BATCH, "int", "Which batch brought the row; 1: the ingest that made silver"),
            Column("year", "int", year),
        ),
        partitioned_by=("year",),
        retention=RETENTION,
        loses_single_rows=True,
    )


POPULATION = population_table(PopulationSettings())
"""``silver/population`` for whoever asks for it by its name: what its columns are, ``population_table`` says."""
ENROLLED_BEFORE, ENROLLED_AFTER = "enrolled_days_before", "enrolled_days_after"
"""Columns of ``silver/deliveries`` where the population is given as spans."""

HOSPITAL_STAYS = Table(
    name="silver/hospital_stays",
    comment="One row per accepted hospital stay.",
    columns=(
        Column("stay_id", "string", "The stay's id at the sender"),
        Column("beneficiary_id", "string", "Pseudonym of the beneficiary"),
        Column("admission_date", "date", "Day of admission"),
        Column("discharge_date", "date", "Day of discharge"),
        Column("hospital_id", "string", "Hospital"),
        Column(BATCH, "int", "Which batch brought the row; 1: the ingest that made silver"),
        Column("year", "int", "Calendar year of discharge_date"),
    ),
    partitioned_by=("year",),
    retention=RETENTION,
)

SILVER_INPUTS = (CLAIMS, POPULATION, HOSPITAL_STAYS)
"""The tables that everything else is computed from."""

CHANGED = Table(
    name="silver/changed_beneficiaries",
    comment="One row per beneficiary of whom a batch changed rows; empty after an ingest of everything.",
    columns=(
        Column("beneficiary_id", "string", "Pseudonym of the beneficiary"),
        Column("run_id", "string", "Run that took the batch in", True),
    ),
    retention=RETENTION,
)

REJECTED = Table(
    name="silver/rejected",
    comment="One row per rejected input row, kept whole.",
    columns=(
        Column("source_file", "string", "File that the row came from"),
        Column("reasons", "array<string>", "Every reason to reject it", required=True),
        Column("row", "string", "The original row as JSON", required=True),
        Column("run_id", "string", "Run that rejected it", required=True),
        Column("table", "string", "Input table", required=True),
    ),
    partitioned_by=("table",),
    retention=RETENTION,
)

REFUSED = dataclasses.replace(
    REJECTED, name="silver/refused", comment="One row per rejected row of the last batch that was refused."
)


def deliveries_table(configuration: Configuration) -> Table:
    """The schema of ``silver/deliveries``: one column for each declared delivery flag."""
    declared = configuration.services.delivery_flags
    prenatal = [_flag(name, flag) for name, flag in declared.items() if flag.window == PRENATAL]
    others = [_flag(name, flag) for name, flag in declared.items() if flag.window != PRENATAL]
    domicile = configuration.settings.geography.domicile_level
    without_gap = "the mother is enrolled without a gap; null: not on the day of delivery"
    enrolled = (
        Column(ENROLLED_BEFORE, "int", f"Days before the delivery that {without_gap}"),
        Column(ENROLLED_AFTER, "int", f"Days after the delivery that {without_gap}"),
    )
    return Table(
        name="silver/deliveries",
        is_small=True,
        comment="One row per delivery (deduplicated episode).",
        columns=(
            Column("delivery_id", "string", "Hash of beneficiary and delivery date, the same in every run", True),
            Column("beneficiary_id", "string", "Pseudonym of the mother", True),
            Column("delivery_date", "date", "First day of the episode", True),
            Column("delivery_type", "string", f"{_or(list(configuration.services.delivery_types))}", True),
            Column("hospital_id", "string", "Hospital of the delivery, if known"),
            Column("billings", "int", "Distinct days of the episode with a delivery billing", True),
            Column("last_billing_date", "date", "Last of these days", True),
            Column("age", "int", "Completed years at delivery; null: unknown"),
            *_of_mothers(configuration),
            Column(domicile, "string", "Domicile in the codes of the year; null: unknown"),
            Column("domicile_source", "string", "31_december, 30_june or unknown", True),
            *others,
            Column("first_contact_date", "date", "First day with any contact in the postnatal window"),
            *prenatal,
            Column("nights_after_delivery", "int", "Nights from delivery to discharge; null: no known stay"),
            *(enrolled if configuration.settings.population.are_spans else ()),
            Column("implausible_interval", "boolean", "Too close to another delivery of the beneficiary", True),
            Column("year", "int", "Calendar year of delivery_date", True),
        ),
        partitioned_by=("year",),
        has_declared=True,
        without=UNKNOWN,
    )


def _of_mothers(configuration: Configuration) -> Iterator[Column]:
    """The dimensions of deliveries that the delivery's own columns do not say."""
    dimensions = configuration.dimensions
    for name in dimensions.of("deliveries"):
        if not dimensions.declared[name].is_of_delivery:
            yield Column(name, TEXT, _values(dimensions, name, ("deliveries",)), is_declared=True)


def _flag(name: str, flag: DeliveryFlag) -> Column:
    days = f" on {flag.least_days} or more days" if flag.least_days > 1 else ""
    why = "when the year was computed its code list was empty, or the flag was not declared"
    meaning = f"Had such a service{days} in the {flag.window} window; null: not computed, as {why}"
    return Column(name, FLAG, meaning, is_declared=True)


_INTERVAL = "95 % interval in the unit of the value: Wilson's of a percentage, Dobson's of a standardised rate"
_HOLDS_VALUE = "ci_low IS NULL OR (0 <= ci_low AND ci_low <= value AND value <= ci_high"


def _cells(name: str, comment: str) -> Table:
    return Table(
        name=name,
        is_small=True,
        comment=comment,
        columns=(
            Column("indicator_id", "string", "Indicator", True),
            Column("geo_code", "string", "Code of the place, valid on 1 January of the year", True),
            Column("geo_vintage", "int", "Year whose codes are used", True),
            Column("numerator", "bigint", "Count; null: not computable"),
            Column("denominator", "bigint", "Count; null: not computable"),
            Column(
                "value", "double", "In the indicator's unit; null: no denominator, an empty stratum, or not computable"
            ),
            Column("ci_low", "double", _INTERVAL),
            Column("ci_high", "double", _INTERVAL),
            Column("status", "string", "final, provisional or not_computable", True),
            Column("run_id", "string", "Run that computed the cell", True),
            Column("year", "int", "Reference year", True),
            Column("geo_level", "string", "Level of the place", True),
        ),
        partitioned_by=("year", "geo_level"),
        constraints=(
            ("known_status", "status IN ('final', 'provisional', 'not_computable')"),
            ("numerator_not_negative", "numerator IS NULL OR numerator >= 0"),
            ("denominator_not_negative", "denominator IS NULL OR denominator >= 0"),
            ("interval_holds_value", f"{_HOLDS_VALUE} AND ci_high <= 100)"),
        ),
        # Published figures must be readable years later; the tables are small.
        retention=RETENTION,
    )


BENEFICIARY_CELLS = _cells("gold/beneficiary_years", "One row per cell of the indicators of beneficiary-years.")
"""The cells of beneficiary-years, under the name that they have without another: a reader's ``cell_tables`` knows."""
DELIVERY_CELLS = _cells("gold/deliveries", "One row per cell of the indicators of deliveries.")
"""The same of deliveries."""


def cell_tables(names: CellTables) -> tuple[Table, Table]:
    """The table of the cells of beneficiary-years and that of deliveries, under these names."""
    return (
        dataclasses.replace(BENEFICIARY_CELLS, name=f"gold/{names.beneficiary_years}"),
        dataclasses.replace(DELIVERY_CELLS, name=f"gold/{names.deliveries}"),
    )


COMPARISONS = Table(
    name="gold/comparisons",
    is_small=True,
    comment="One row per percentage or standardised rate, year and place, over all dimensions.",
    columns=(
        Column("indicator_id", "string", "Indicator", True),
        Column("geo_code", "string", "Code of the place, valid on 1 January of the year", True),
        Column("value", "double", "In the indicator's unit; null: no denominator, an empty stratum, or not computable"),
        Column("ci_low", "double", _INTERVAL),
        Column("ci_high", "double", _INTERVAL),
        Column("national_value", "double", "The country's value, in the same unit"),
        Column("comparison", "string", "lower, similar or higher than the country at 95 %; null: unknown"),
        Column(
            "trend", "string", "rising, falling or none over five years; null: not all five are there, or standardised"
        ),
        Column("trend_z", "double", "Cochran-Armitage statistic of the trend"),
        Column("run_id", "string", "Run that compared", True),
        Column("year", "int", "Reference year, the last of the trend", True),
        Column("geo_level", "string", "Level of the place", True),
    ),
    partitioned_by=("year", "geo_level"),
    constraints=(
        ("known_comparison", "comparison IS NULL OR comparison IN ('lower', 'similar', 'higher')"),
        ("known_trend", "trend IS NULL OR trend IN ('rising', 'falling', 'none')"),
    ),
    retention=RETENTION,
)


def version_column(table: Table) -> str:
    """The column of ``gold/releases`` that holds the published version of a table of gold."""
    return f"{table.name.removeprefix('gold/')}_version"


def releases_table(cells: Sequence[Table]) -> Table:
    """The schema of ``gold/releases``: a column for the version of each table that is published.

    ``cells``: the tables of cells.
    """
    versions = [
        Column(version_column(table), "bigint", f"Version of {table.name}; null: no such table")
        for table in (*cells, COMPARISONS)
    ]
    return Table(
        name="gold/releases",
        is_small=True,
        comment="One row per release; the newest says which versions of the tables of gold are published.",
        columns=(
            Column("release", "int", "Number of the release", True),
            Column("run_id", "string", "Run that computed what was published last", True),
            Column("published_at", "timestamp", "When", True),
            *versions,
            Column("note", "string", "Why: a run, or a rollback and to which release", True),
        ),
        retention=RETENTION,
    )


def cell_tables_among(columns: Sequence[str]) -> CellTables:
    """The names of the tables of cells, as the columns of ``gold/releases`` tell them."""
    versions = [name for name in columns if name.endswith("_version")]
    first, second = (name.removesuffix("_version") for name in versions[:2])
    return CellTables(beneficiary_years=first, deliveries=second)


RELEASES = releases_table((BENEFICIARY_CELLS, DELIVERY_CELLS))
"""``gold/releases`` for whoever asks for it by its name: what its columns are, ``releases_table`` says."""

PUBLISHED_CELLS = Table(
    name="published/cells",
    comment="One row per planned cell: what may be published, and of the rest only that it is hidden.",
    columns=(
        Column("indicator_id", "string", "Indicator", True),
        Column("geo_code", "string", "Code of the place, valid on 1 January of the year", True),
        Column("geo_vintage", "int", "Year whose codes are used", True),
        Column("numerator", "bigint", "Count; null: hidden, or not computable"),
        Column("denominator", "bigint", "Count; null: hidden"),
        Column("value", "double", "In the indicator's unit, 4 decimals; null: hidden, or no denominator"),
        Column("ci_low", "double", "Wilson 95 % interval of a percentage, in %, 4 decimals"),
        Column("ci_high", "double", "Wilson 95 % interval of a percentage, in %, 4 decimals"),
        Column("value_low", "double", "Least that a hidden value can be; null: shown, or no bound"),
        Column("value_high", "double", "Most that a hidden value can be; null: shown, or no bound"),
        Column("comparison", "string", "lower, similar or higher than the country at 95 %; null: hidden or unknown"),
        Column("trend", "string", "rising, falling or none over five years; null: not all five are shown"),
        Column("confidentiality", "string", "F: free, C: hidden", True),
        Column("reliability", "string", "normal, or low: it says little", True),
        Column("status", "string", "final, provisional or not_computable", True),
        Column("release", "int", "Release of gold", True),
        Column("year", "int", "Reference year", True),
        Column("geo_level", "string", "Level of the place", True),
    ),
    partitioned_by=("year", "geo_level"),
    retention=RETENTION,
)

PUBLISHED_AUDITS = Table(
    name="published/audits",
    comment="One row per year of a release that the audit passed: what is hidden by which settings, what was proved.",
    columns=(
        Column("release", "int", "Release of gold", True),
        Column("year", "int", "Reference year", True),
        Column("settings_hash", "string", "SHA-256 of publication.yaml as read", True),
        Column("planned", "bigint", "Planned cells", True),
        Column("shown", "bigint", "Cells that are shown", True),
        Column("hidden", "bigint", "Cells that are hidden", True),
        Column("record", "string", "Counts by indicator, level and split, bounds and solver, as JSON", True),
    ),
    retention=RETENTION,
)

_FORMER = "/".join(FORMER)

LEDGER = Table(
    name="published/ledger",
    comment="One row per cell of each published release: what readers know for ever. Append only.",
    columns=(
        Column("release", "int", "Release of gold", True),
        Column("settings_hash", "string", "SHA-256 of publication.yaml as read", True),
        Column("approved_by", "string", "Who approved it", True),
        Column("published_at", "timestamp", "When", True),
        Column("indicator_id", "string", "Indicator", True),
        Column("year", "int", "Reference year", True),
        Column("geo_level", "string", "Level of the place", True),
        Column("geo_code", "string", "Code of the place", True),
        Column("split", "string", "The dimensions' values, with / between", True),
        Column("numerator", "bigint", "As it was shown; null: it was not"),
        Column("denominator", "bigint", "As it was shown; null: it was not"),
        Column("confidentiality", "string", "F: free, C: hidden", True),
        Column("dimensions", TEXT, f"The dimensions of split, with / between; null: {_FORMER}", is_declared=True),
    ),
    retention=RETENTION,
    has_declared=True,
)

WITHDRAWALS = Table(
    name="published/withdrawals",
    is_small=True,
    comment="One row per withdrawn release. Append only.",
    columns=(
        Column("release", "int", "Release of gold", True),
        Column("withdrawn_at", "timestamp", "When", True),
        Column("withdrawn_by", "string", "Who withdrew it", True),
        Column("reason", "string", "Why, as readers are told", True),
    ),
    retention=RETENTION,
)

_FIXED = {column.name for table in (BENEFICIARY_CELLS, PUBLISHED_CELLS) for column in table.columns}


def configured(table: Table, configuration: Configuration, merged: Collection[str] = ()) -> Table:
    """A table with the columns that the configuration declares: the dimensions of cells, the sources of dimensions.

    Any table but that of the deliveries may be given; one that no configuration adds to is given back as it is. A table
    of cells keeps the name that it has.
    ``merged``: the dimensions whose values are published under other names.
    """
    if table.name == POPULATION.name:
        sources = [
            Column(
                own.name, FLAG if own.type == "boolean" else TEXT, _source(own.name, configuration), is_declared=True
            )
            for own in configuration.dimensions.population_columns
        ]
        base = population_table(configuration.settings.population) if table is POPULATION else table
        return _with(base, "sex", sources, without=None)
    if table is CLAIMS:
        return claims_table(configuration.settings.codes, configuration.settings.provider_attributes)
    if "geo_vintage" not in table.column_names:
        return table
    dimensions = [_dimension(name, configuration, merged) for name in configuration.dimensions.names]
    return _with(_for_rates(table, configuration), "geo_vintage", dimensions, without=ALL)


def _for_rates(table: Table, configuration: Configuration) -> Table:
    """A table of cells whose intervals may end above 100, where a standardised rate is not one in a hundred."""
    if not any(indicator.may_exceed_100 for indicator in configuration.indicators):
        return table
    wider = {"interval_holds_value": f"{_HOLDS_VALUE})"}
    return dataclasses.replace(
        table, constraints=tuple((name, wider.get(name, check)) for name, check in table.constraints)
    )


def dimensions_among(columns: Sequence[str]) -> list[str]:
    """The columns of a table of cells that split a population, as the table has them."""
    return [name for name in columns if name not in _FIXED]


def _with(table: Table, behind: str, added: Sequence[Column], without: str | None) -> Table:
    """The table with declared columns behind one of its own."""
    position = 1 + table.column_names.index(behind)
    columns = (*table.columns[:position], *added, *table.columns[position:])
    return dataclasses.replace(table, columns=columns, has_declared=True, without=without)


def _dimension(name: str, configuration: Configuration, merged: Collection[str]) -> Column:
    dimensions = configuration.dimensions
    if name in merged:
        return Column(name, TEXT, "A published value, or all", is_declared=True)
    return Column(name, TEXT, _values(dimensions, name, dimensions.declared[name].populations, ALL), is_declared=True)


def _values(dimensions: Dimensions, name: str, populations: Sequence[Population], also: str | None = None) -> str:
    """What may stand in a dimension's column, as a sentence."""
    if dimensions.declared[name].source == AGE:
        return "Age class, all or unknown" if also else "Age class, or unknown"
    values = list(dict.fromkeys(value for population in populations for value in dimensions.values(name, population)))
    known = [value for value in values if value != UNKNOWN]
    return _or([*known, *([also] if also else []), *([UNKNOWN] if UNKNOWN in values else [])])


def _source(column: str, configuration: Configuration) -> str:
    (name, *_) = [
        name for name, of in configuration.dimensions.declared.items() if of.is_of_population and of.column == column
    ]
    names, language = configuration.dimensions.declared[name].names, configuration.settings.main_language
    return f"{names.of(language) if names else f'Source of the dimension {name}'}; null: unknown"


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


RUNS = Table(
    name="gold/runs",
    is_small=True,
    comment="One row per run.",
    columns=(
        Column("run_id", "string", "Run", True),
        Column("job", "string", "Job that ran", True),
        Column("outcome", "string", "done, or gate: stopped by a quality gate", True),
        Column("years", "array<int>", "Reference years", True),
        Column("started_at", "timestamp", "Start", True),
        Column("finished_at", "timestamp", "End", True),
        Column("package_version", "string", "Version of claimatlas", True),
        Column("settings_hash", "string", "SHA-256 of the settings as used", True),
        Column("code_lists_hash", "string", "SHA-256 of the code lists", True),
        Column("record", "string", "The whole run record as JSON", True),
        Column("configuration", "string", "The configuration's files as used, as JSON: name to text", True),
    ),
    retention=RETENTION,
)
