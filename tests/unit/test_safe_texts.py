"""SQL and YAML, read from the source: no text of a user becomes a statement, a condition or an object.

What Spark parses as SQL is a constant, but for the places named here, which write names by `quoted` alone.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from claimatlas.paths import quoted

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted(path for folder in ("lib", "jobs", "scripts", "benchmarks") for path in (ROOT / folder).rglob("*.py"))

MAKING_SQL = {
    "lib/claimatlas/cells/numerators.py": "what `shares` says: declared names, which are identifiers",
    "lib/claimatlas/tables/store.py": "statements about tables: names by `quoted`, texts as literals",
    "lib/claimatlas/tables/locations.py": "the same, and the years that a write replaces, as numbers",
    "lib/claimatlas/ingest/read/rows.py": "the version of a Delta table: its path by `quoted`",
}
STATEMENTS = {"sql", "expr", "selectExpr", "delete"}
"""What parses each of its arguments; of `Store.delete` the second one."""
CONDITIONS = {"where", "filter", "agg", "withColumn", "withColumns", "select", "orderBy", "groupBy"}
"""What takes columns as well: only a text that is put together is a statement."""

SAFE_YAML = {"safe_load", "safe_load_all", "safe_dump", "YAMLError", "SafeLoader", "SafeDumper"}
NODES = {"Node", "MappingNode", "SequenceNode", "ScalarNode"}
# What a loader of one's own looks at and complains by.
PARTS = {"AliasEvent", "MarkedYAMLError"}
WITH_LOADER = {"load", "load_all", "compose", "compose_all"}


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def is_put_together(node: ast.expr, made: set[str]) -> bool:
    """Is it a text made of parts: an f-string, a sum, a format, a join, or a name of one?"""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        sides = (node.left, node.right)
        texts = any(isinstance(side, ast.JoinedStr) or _is_text(side) for side in sides)
        return texts or any(is_put_together(side, made) for side in sides)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join"):
        return _is_text(node.func.value) or isinstance(node.func.value, ast.JoinedStr)
    return isinstance(node, ast.Name) and node.id in made


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _made_in(tree: ast.AST) -> set[str]:
    """The names that are given a text which is put together."""
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if is_put_together(node.value, made):
                made |= {target.id for target in targets if isinstance(target, ast.Name)}
    return made


def sql_findings(source: str, name: str) -> Iterator[str]:
    """Every text that Spark would parse and that is not a constant."""
    if name in MAKING_SQL:
        return
    tree = ast.parse(source)
    made = _made_in(tree)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called, arguments = node.func.attr, node.args
        values = [argument.value if isinstance(argument, ast.Starred) else argument for argument in arguments]
        if called in STATEMENTS:
            parsed = values[1:] if called == "delete" else values
            wrong = [value for value in parsed if not _is_text(value)]
        elif called in CONDITIONS:
            wrong = [value for value in values if is_put_together(value, made)]
        elif called == "option" and values and _is_text(values[0]) and values[0].value == "replaceWhere":
            wrong = [value for value in values[1:] if not _is_text(value)]
        elif called == "createDataFrame":
            given = [*values[1:], *[keyword.value for keyword in node.keywords]]
            wrong = [value for value in given if is_put_together(value, made)]
        else:
            continue
        for value in wrong:
            yield f"{name}:{value.lineno}: {called} parses a text that is not a constant"


def yaml_findings(source: str, name: str) -> Iterator[str]:
    """Every reading of YAML that could make objects of the writer's choice."""
    tree = ast.parse(source)
    safe = {"SafeLoader"} | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("SafeLoader") for base in node.bases)
    }
    loaders = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and _has_loader(node, safe)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "yaml":
            yield f"{name}:{node.lineno}: import yaml and say yaml.safe_load, so that it can be seen"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "yaml":
            if node.attr in SAFE_YAML | NODES | PARTS or (node.attr in WITH_LOADER and id(node) in loaders):
                continue
            yield f"{name}:{node.lineno}: yaml.{node.attr} may make any object"


def _has_loader(call: ast.Call, safe: set[str]) -> bool:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "Loader"] or call.args[1:2]
    return bool(given) and ast.unparse(given[0]).removeprefix("yaml.") in safe


def test_what_spark_parses_is_constant() -> None:
    assert [found for file in PROGRAMS for found in sql_findings(file.read_text(encoding="utf-8"), name_of(file))] == []


def test_yaml_is_read_safely() -> None:
    assert [f for file in PROGRAMS for f in yaml_findings(file.read_text(encoding="utf-8"), name_of(file))] == []


@pytest.mark.parametrize("name", MAKING_SQL)
def test_the_places_that_make_sql_do(name: str) -> None:
    source = (ROOT / name).read_text(encoding="utf-8")
    assert list(sql_findings(source, "elsewhere.py")), f"{name} makes no SQL any more: take it off the list"


@pytest.mark.parametrize(
    "source",
    [
        "spark.sql(f'DROP TABLE {name}')",
        "spark.sql('DROP TABLE ' + name)",
        "spark.sql('DROP TABLE {}'.format(name))",
        "spark.sql(statement)",
        "F.expr(f'{a} + 1')",
        "F.expr(text)",
        "df.selectExpr(*columns)",
        "df.where(f'year = {year}')",
        "df.filter('year = %s' % year)",
        "df.where(' AND '.join(conditions))",
        "condition = f'year = {year}'\ndf.where(condition)",
        "writer.option('replaceWhere', where)",
        "store.delete(table, f'year = {year}')",
        "spark.createDataFrame(rows, f'{name} string')",
        "spark.createDataFrame(rows, schema=', '.join(columns))",
    ],
)
def test_sql_of_parts_is_found(source: str) -> None:
    assert list(sql_findings(source, "module.py"))


@pytest.mark.parametrize(
    "source",
    [
        "spark.sql('SHOW TABLES')",
        "df.where(F.col('year') == year)",
        "df.where(condition)",
        "df.where('year IS NULL')",
        "df.select(*columns)",
        "df.select(*[F.col(name).alias(prefix + name) for name in names])",
        "store.delete(table, 'true')",
        "spark.createDataFrame(rows, schema)",
        "path = f'{root}/{name}'\nspark.read.parquet(path)",
    ],
)
def test_other_texts_are_not_found(source: str) -> None:
    assert list(sql_findings(source, "module.py")) == []


@pytest.mark.parametrize(
    "source",
    [
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.load(text, yaml.FullLoader)",
        "yaml.unsafe_load(text)",
        "yaml.full_load(text)",
        "yaml.compose(text)",
        "from yaml import load",
        "class Own(yaml.Loader): pass",
    ],
)
def test_unsafe_yaml_is_found(source: str) -> None:
    assert list(yaml_findings(source, "module.py"))


@pytest.mark.parametrize(
    "source",
    [
        "yaml.safe_load(text)",
        "yaml.compose(text, Loader=yaml.SafeLoader)",
        "class Own(yaml.SafeLoader): pass\nyaml.load(text, Own)",
        "isinstance(node, yaml.MappingNode)",
    ],
)
def test_safe_yaml_is_not_found(source: str) -> None:
    assert list(yaml_findings(source, "module.py")) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a", "`a`"), ("a b", "`a b`"), ("a.b", "`a.b`"), ("a`; DROP TABLE b; --", "`a``; DROP TABLE b; --`"), ("", "``")],
)
def test_a_quoted_name_is_nothing_but_a_name(name: str, expected: str) -> None:
    assert quoted(name) == expected
