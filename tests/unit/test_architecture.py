"""What the package must not do, read from its source.

The same code runs in a classic, a Connect and a serverless session, without Python on the data path. Which module may
import which is not here: the contracts in pyproject.toml say it, and ``make lint`` checks them. That nobody imports a
maker of Python functions on rows is a rule of ruff (`banned-api`).
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "lib" / "claimatlas"
FILES = sorted(path for path in ROOT.rglob("*.py"))

CLASSIC = {
    "spark/session.py": "makes a classic session, or takes the one that is there",
    "runs/metrics.py": "asks a classic session's Java what Spark counted; a note in the record in any other",
}
"""The modules that may know what kind of session there is, and what for."""

OF_A_CLASSIC_SESSION = {"_jvm", "_jsc", "sparkContext"}
"""What those modules may use that only a classic session has."""

COLLECTING = {
    "checks/people.py": "people by year, a code of a place that does not exist",
    "checks/checks_stage.py": "lines by month, unknown domiciles by year",
    "deliveries/deliveries_stage.py": "years in which a flag is null",
    "commands/diff.py": "the cells that differ, for a file",
    "configuration/remote.py": "the files of a configuration folder",
    "explanations/beneficiaries.py": "the counts of one published cell",
    "explanations/changes_text.py": "counts of cells that differ",
    "ingest/load/accounting.py": "rows of the input that a mapping leaves out",
    "ingest/load/gate.py": "rejected rows by year and code",
    "ingest/merge/batch.py": "years of the population",
    "ingest/merge/change.py": "counts of a batch's effects",
    "ingest/load/write.py": "counts of rejected rows",
    "ingest/read/rows.py": "the version of a Delta table, rows by file",
    "ingest/load/warnings.py": "counts, words that stand on many rows, lines by day",
    "notebooks/result.py": "published cells of one indicator, for a figure",
    "spark/questions.py": "counts for the run record",
    "tables/locations.py": "whether a table or a schema is there, names of intermediate tables",
    "tables/store.py": "a table's properties and history, and the rows of small tables",
}
"""The modules at the edges that may bring rows to the driver, and what for."""

FORBIDDEN_ATTRIBUTES = {
    "rdd": "an RDD is not there under Connect",
    "_jdf": "Java is not there under Connect",
    "_jvm": "Java is not there under Connect",
    "_jsc": "Java is not there under Connect",
    "_sc": "Java is not there under Connect",
    "sparkContext": "a context is not there under Connect",
    "toPandas": "rows belong to Spark",
    "toLocalIterator": "rows belong to Spark",
    "applyInPandas": "Python on the data path",
    "applyInArrow": "Python on the data path",
    "applyInPandasWithState": "Python on the data path",
    "mapInPandas": "Python on the data path",
    "mapInArrow": "Python on the data path",
    "foreach": "Python on the data path",
    "foreachPartition": "Python on the data path",
    "dropDuplicates": "which row stays must be a rule",
    "drop_duplicates": "which row stays must be a rule",
    "udf": "Python on the data path",
    "pandas_udf": "Python on the data path",
    "cache": "not there on serverless; use Store.materialise",
    "persist": "not there on serverless; use Store.materialise",
    "checkpoint": "not there on serverless; use Store.materialise",
    "localCheckpoint": "not there on serverless; use Store.materialise",
    "monotonically_increasing_id": "ids must not depend on partitions",
    "rand": "results must not depend on chance",
    "current_date": "results must not depend on the day",
    "current_timestamp": "results must not depend on the moment",
}

ACTIONS = {"collect", "first", "head", "take", "toArrow"}
"""What brings rows to the driver."""


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def findings(source: str, name: str) -> Iterator[str]:
    """What a module does that it must not, each with its line."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_ATTRIBUTES:
            if name in CLASSIC and node.attr in OF_A_CLASSIC_SESSION:
                continue
            yield f"{name}:{node.lineno}: {node.attr}: {FORBIDDEN_ATTRIBUTES[node.attr]}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("udf", "pandas_udf"):
            yield f"{name}:{node.lineno}: {node.func.id}: Python on the data path"
        if _is_action(node) and name not in COLLECTING:
            yield f"{name}:{node.lineno}: brings rows to the driver outside the edges"
        if isinstance(node, ast.For | ast.While):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Attribute) and inner.attr in ("withColumn", "withColumnRenamed"):
                    yield f"{name}:{inner.lineno}: {inner.attr} in a loop: the plan grows with each turn"


def _is_action(node: ast.AST) -> bool:
    # F.first(…) and the like are expressions; a DataFrame's methods are called on something else.
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ACTIONS):
        return False
    return not (isinstance(node.func.value, ast.Name) and node.func.value.id == "F")


def test_the_modules_keep_to_what_every_session_has() -> None:
    assert [found for file in FILES for found in findings(file.read_text(encoding="utf-8"), name_of(file))] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("df.rdd.map(f)", "rdd"),
        ("spark.sparkContext", "sparkContext"),
        ("df.toPandas()", "toPandas"),
        ("df._jdf", "_jdf"),
        ("F.udf(f)", "udf"),
        ("udf(f)", "udf"),
        ("df.groupBy('a').applyInPandas(f, s)", "applyInPandas"),
        ("df.groupBy('a').applyInArrow(f, s)", "applyInArrow"),
        ("df.dropDuplicates(['a'])", "dropDuplicates"),
        ("for n in names:\n    df = df.withColumn(n, c)", "withColumn in a loop"),
        ("while True:\n    if x:\n        df = df.withColumnRenamed(n, m)", "withColumnRenamed in a loop"),
        ("rows = df.collect()", "brings rows to the driver"),
        ("row = df.first()", "brings rows to the driver"),
        ("df.cache()", "cache"),
    ],
)
def test_what_is_forbidden_is_found(source: str, found: str) -> None:
    assert any(found in finding for finding in findings(source, "module.py"))


@pytest.mark.parametrize(
    "source",
    ["from pyspark.sql.functions import udf", "from pyspark.sql import functions as F\n\nF.pandas_udf(f)"],
)
def test_what_the_linter_forbids_is_found(source: str) -> None:
    ruff = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--output-format", "concise"]
    command = [*ruff, "--stdin-filename", str(ROOT / "module.py"), "-"]
    said = subprocess.run(command, input=source, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert (said.returncode, said.stdout.count("TID251")) == (1, 1), said.stdout + said.stderr


@pytest.mark.parametrize(
    "source",
    [
        "df.withColumn('a', c)",
        "F.first('a')",
        "df.select('a').distinct()",
        "df.withColumns({n: c for n in names})",
        "[F.col(n) for n in names]",
    ],
)
def test_what_is_allowed_is_not_found(source: str) -> None:
    assert list(findings(source, "module.py")) == []


def test_the_edges_that_may_collect_do() -> None:
    for name in COLLECTING:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        assert any(map(_is_action, ast.walk(tree))), f"{name} collects nothing any more: take it off the list"


def test_the_edges_that_need_a_classic_session_do() -> None:
    for name in CLASSIC:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert used & OF_A_CLASSIC_SESSION, f"{name} needs no classic session any more: take it off the list"


def test_only_two_modules_need_a_classic_session() -> None:
    assert list(findings("spark.sparkContext", "runs/metrics.py")) == []
    assert list(findings("spark.sparkContext", "runs/record.py")) != []
    assert list(findings("frame.rdd", "runs/metrics.py")) != []


# --- The run record ------------------------------------------------------------------------------


def readings_of_the_record(source: str) -> list[int]:
    """The lines that read what a run record has gathered: ``record.notes``, ``record.counts``, ``record.warnings``."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and node.attr in ("counts", "notes", "warnings")
        and "record" in (getattr(node.value, "id", None), getattr(node.value, "attr", None))
    ]


def test_stages_write_to_the_record_and_read_nothing_from_it() -> None:
    """What one stage tells the next is an argument; only the command and the record itself look at what was kept."""
    found = {
        name_of(file): lines
        for file in FILES
        if not name_of(file).startswith(("runs/", "commands/"))
        and (lines := readings_of_the_record(file.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source", ["a = record.notes['silver']", "context.record.counts.get('x')", "x = self.record.warnings[0]"]
)
def test_a_reading_of_the_record_is_found(source: str) -> None:
    assert readings_of_the_record(source) == [1]
    assert readings_of_the_record("record.count('a', {}); record.note('b', 1); run.counts['c']") == []
