"""What figures are split by is declared: what there is, what is refused, and that no code names Belgium's."""

import ast
import csv
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.publication import load_publication
from claimatlas.configuration.validation import judge
from claimatlas.errors import InputError
from claimatlas.ingest.contract import population_input
from claimatlas.tables.schemas import BENEFICIARY_CELLS, POPULATION, configured, deliveries_table
from comparison import CONF

ROOT = Path(__file__).resolve().parents[2]
QUINTILE = {"source": "population.quintile", "values": ["1", "2", "3", "4", "5"]}


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the shipped configuration with further dimensions behind its own."""

    def write(**more: object) -> Path:
        conf = Path(shutil.copytree(CONF, tmp_path / "conf"))
        with (conf / "dimensions.yaml").open("a", encoding="utf-8") as file:
            file.write(yaml.safe_dump(more, sort_keys=False))
        return conf

    return write


def test_belgium_has_its_four() -> None:
    dimensions = load_configuration().dimensions
    assert dimensions.names == ("age_category", "increased_reimbursement", "delivery_type", "sex")
    assert dimensions.of("deliveries") == ("age_category", "increased_reimbursement", "delivery_type")
    assert dimensions.of("beneficiary_years") == ("age_category", "increased_reimbursement", "sex")
    assert dimensions.values("sex", "beneficiary_years") == ("female", "male", "unknown")
    assert dimensions.values("delivery_type", "deliveries") == ("caesarean", "vaginal")
    assert dimensions.values("age_category", "deliveries")[:2] == ("<20", "20-24")


def test_a_configuration_from_before_has_the_dimensions_of_that_time(tmp_path: Path) -> None:
    shipped = load_configuration()
    conf = Path(shutil.copytree(CONF, tmp_path / "conf"))
    (conf / "dimensions.yaml").unlink()
    former = load_configuration(str(conf))
    assert former.hashes == shipped.hashes
    assert "dimensions" not in shipped.hashes
    for table in (BENEFICIARY_CELLS, POPULATION):
        assert configured(table, former).column_names == configured(table, shipped).column_names


def test_a_column_of_the_population_comes_in_and_becomes_a_column_of_gold(declare: Callable[..., Path]) -> None:
    configuration = load_configuration(str(declare(quintile=QUINTILE)))
    assert configuration.hashes["dimensions"]
    (column,) = [column for column in population_input(configuration).columns if column.name == "quintile"]
    assert (column.kind, column.required) == ("word", False)
    assert "quintile" in population_input(configuration).preference
    assert configured(POPULATION, configuration).column_names[2:5] == ["sex", "increased_reimbursement", "quintile"]
    assert configured(BENEFICIARY_CELLS, configuration).column_names[3:8] == [*configuration.dimensions.names]
    assert "quintile" in deliveries_table(configuration).column_names
    assert "sex" not in deliveries_table(configuration).column_names


def test_what_there_is_is_shown(declare: Callable[..., Path]) -> None:
    verdict = judge(str(declare(quintile=QUINTILE)))
    assert not verdict.mistakes
    assert (
        "dimension quintile: from population.quintile, beneficiary_years 6 values, deliveries 6 values" in verdict.found
    )


def test_an_indicator_names_dimensions_of_its_population(declare: Callable[..., Path]) -> None:
    conf = declare(quintile={**QUINTILE, "populations": ["beneficiary_years"]})
    file = conf / "indicators" / "cube_007_009a.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("dimensions: [age_category", "dimensions: [quintile"), encoding="utf-8")
    with pytest.raises(
        InputError, match="line 13: dimensions: the population deliveries has no 'quintile'; it has age"
    ):
        load_configuration(str(conf))


@pytest.mark.parametrize(
    ("name", "declared", "message"),
    [
        ("value", QUINTILE, "value: the name 'value' cannot be used: a table has a column"),
        ("places", QUINTILE, "places: the name 'places' cannot be used: a table has a column"),
        ("hospital_id", QUINTILE, "hospital_id: the name 'hospital_id' cannot be used"),
        ("release", QUINTILE, "release: the name 'release' cannot be used"),
        ("region", QUINTILE, "region: the name 'region' cannot be used: a level of place is called so"),
        ("contact_gp", QUINTILE, "contact_gp: the name 'contact_gp' cannot be used: a delivery flag is called so"),
        ("quantity_x", QUINTILE, "quantity_x: the name 'quantity_x' cannot be used: columns of the computation"),
        ("Quintile", QUINTILE, "Quintile: the name 'Quintile' cannot be used: use lower-case letters"),
        ("q", {**QUINTILE, "source": "claims.fund"}, "q.populations: a column of the claim lines is for"),
        ("q", {**QUINTILE, "source": "line.fund"}, "q.source: a source is age, population.<column>, delivery"),
        ("q", {**QUINTILE, "source": "population."}, "q.source: a source is age, population.<column>, delivery"),
        ("q", {**QUINTILE, "source": "population.birth_date"}, "q.source: birth_date is no column to split by"),
        ("q", {**QUINTILE, "source": "population.sector_x"}, "q.source: 'sector_x' cannot name a column"),
        ("q", {**QUINTILE, "source": "delivery.hospital_id"}, "q.populations: a column of the deliveries is for"),
        (
            "q",
            {**QUINTILE, "source": "delivery.hospital_id", "populations": ["deliveries"]},
            "q.source: the deliveries have no column 'hospital_id' to split by; there are delivery_type, contact_gp",
        ),
        (
            "q",
            {"source": "delivery.delivery_type", "populations": ["deliveries"]},
            "q.source: delivery_type has this source",
        ),
        (
            "q",
            {**QUINTILE, "source": "delivery.contact_gp", "populations": ["deliveries"]},
            "q.values: a delivery flag has the values yes and no",
        ),
        ("q", {"source": "population.x"}, "q.values: this key is missing"),
        ("q", {**QUINTILE, "values": ["1", "1"]}, "q.values: a value stands twice"),
        ("q", {**QUINTILE, "values": ["all"]}, "q.values.all: the value 'all' has a meaning of its own"),
        ("q", {**QUINTILE, "values": ["Unknown "]}, "q.values.Unknown : the value 'Unknown ' has a meaning of its own"),
        ("q", {**QUINTILE, "values": ["a/b"]}, "q.values.a/b: 'a/b' cannot be a value"),
        ("q", {**QUINTILE, "values": {"1": {"en": "one"}}}, "q.values.1.fr: this key is missing"),
        ("q", {**QUINTILE, "names": {"fr": "q", "en": "q"}}, "q.names.nl: this key is missing"),
        ("q", {**QUINTILE, "type": "boolean"}, "q.values: what is true or false has the values yes and no"),
        ("q", {**QUINTILE, "populations": ["deliveries", "deliveries"]}, "q.populations: a population stands twice"),
        ("q", {"source": "age", "values": ["1"]}, "q.values: the values of an age are its classes"),
        ("q", {**QUINTILE, "classes": {"deliveries": [], "beneficiaries": []}}, "q.classes.deliveries: there must be"),
        (
            "q",
            {
                "source": "age",
                "classes": {
                    "deliveries": [{"label": "a", "from": 0, "to": 9}, {"label": "b", "from": 9}],
                    "beneficiaries": [{"label": "c", "from": 0}],
                },
            },
            "q.classes.deliveries: class 'b' must start at 10: classes follow each other",
        ),
        ("q", {**QUINTILE, "sources": "age"}, "q.sources: unknown key"),
        (
            "q",
            {**QUINTILE, "source": "population.increased_reimbursement"},
            "q.type: another dimension reads increased_reimbursement as something else",
        ),
    ],
)
def test_a_mistake_is_refused_with_its_line(
    declare: Callable[..., Path], name: str, declared: object, message: str
) -> None:
    conf = declare(**{name: declared})
    with pytest.raises(InputError) as caught:
        load_configuration(str(conf))
    (line, *_) = [line for line in str(caught.value).splitlines() if message in line] or [str(caught.value)]
    assert re.match(r"dimensions\.yaml, line \d+: ", line)
    assert message in line
    found = int(line.partition("line ")[2].partition(":")[0])
    assert found >= (CONF / "dimensions.yaml").read_text(encoding="utf-8").count("\n")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"seen": {"source": "delivery.contact_gp", "values": ["yes", "no"], "populations": ["deliveries"]}},
            "figures by seen, a delivery flag, cannot be protected yet",
        ),
        ({"seen": {"source": "age"}}, "figures by seen and by age_category cannot be protected together yet"),
    ],
)
def test_what_cannot_be_protected_is_refused(declare: Callable[..., Path], declared: object, message: str) -> None:
    conf = declare(**declared)  # type: ignore[arg-type]
    file = conf / "indicators" / "cube_007_009a.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("dimensions: [age_category", "dimensions: [seen, age_category"), encoding="utf-8")
    configuration: Configuration = load_configuration(str(conf))
    with pytest.raises(InputError, match=message):
        load_publication(configuration)


# --- No code names Belgium's dimensions -------------------------------------------------------------------

NAMES = "age_category|increased_reimbursement|no_or_unknown|BIM|caesarean|vaginal|female|male"
"""Names and values of Belgium's dimensions. ``delivery_type`` and ``sex`` are columns of any deliveries and population;
``yes`` and ``no`` are what any boolean has."""
EXCEPTIONS = {
    "configuration/former_dimensions.py": "runs from before dimensions were declared are explained by it",
    "configuration/minimal/": "a configuration to start from",
    "synthetic/": "claims as Belgium has them",
}
OF_ANY_COUNTRY = ("synthetic/weighted",)
"""Within the exceptions: what draws claims for any configuration."""
OF_ANY_SEX = {
    **dict.fromkeys(
        ("ingest/validate/parsing.py", "ingest/load/warnings.py", "ingest/load/table.py"), "words of a sex"
    ),
    "configuration/indicators.py": "the sexes that a denominator can be restricted to",
    **dict.fromkeys(
        (f"sheets/languages/{language}.yaml" for language in ("de", "en", "fr", "nl")), "what such a restriction says"
    ),
    "tables/schemas.py": "what the column sex of any population holds",
    "deliveries/deliveries_stage.py": "a mother who is recorded as a man is counted",
    "commands/explain.py": "an example of an option",
    **dict.fromkeys(("configuration/weights.py", "synthetic/weighted.py"), "people of any country that are drawn"),
}


def test_no_code_names_what_belgium_declares() -> None:
    lib = ROOT / "lib" / "claimatlas"
    met = set()
    for file in sorted(lib.rglob("*")):
        name = str(file.relative_to(lib))
        if file.suffix not in (".py", ".yaml", ".sql", ".j2", ".ts"):
            continue
        if name.startswith(tuple(EXCEPTIONS)) and not name.startswith(OF_ANY_COUNTRY):
            continue
        words = set(re.findall(rf"\b(?:{NAMES})\b", file.read_text(encoding="utf-8")))
        if name in OF_ANY_SEX and words:
            words -= {"female", "male"}
            met.add(name)
        assert not words, f"{name} names {', '.join(sorted(words))}"
    assert met == set(OF_ANY_SEX), "an exception that there is no need of"


def test_no_code_holds_codes_of_belgiums_providers_or_lists() -> None:
    """A nomenclature code anywhere, or three competences in one list: alone such a number may be a size."""
    country = yaml.safe_load((CONF / "synthetic" / "country.yaml").read_text(encoding="utf-8"))
    competences = {*country["specialists"], *country["imaging_competences"]}
    codes: set[int] = set()
    for path in (CONF / "codelists").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            codes |= {int(row["code"]) for row in csv.DictReader(lines) if row["code"].isdigit()}
    assert len(codes) > 100
    for file in sorted((ROOT / "lib" / "claimatlas").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        assert not codes & _numbers(nodes), file.name
        for node in nodes:
            if isinstance(node, ast.Tuple | ast.List | ast.Set):
                assert len(competences & _numbers(node.elts)) < 3, file.name


def _numbers(nodes: Sequence[ast.AST]) -> set[int]:
    """The whole numbers among pieces of a program."""
    return {node.value for node in nodes if isinstance(node, ast.Constant) and type(node.value) is int}
