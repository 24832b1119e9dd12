"""Blocks of the method's page: the scenarios of a rule, the settings of a decision, codes, indicators."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from claimatlas.configuration import Configuration, load_configuration

from scripts.documents.markdown import code, table

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "tests" / "spec"


@cache
def configuration() -> Configuration:
    """The shipped configuration."""
    return load_configuration()


@cache
def all_scenarios() -> tuple[tuple[tuple[str, ...], str, Path], ...]:
    """Each scenario file: the numbers of the rules that it cites, its title, and where it is."""
    found = []
    for file in sorted(SCENARIOS.rglob("*.yaml")):
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
        numbers = tuple(said["rule"].partition(":")[0].replace(" ", "").split(","))
        found.append((numbers, said["title"], file))
    return tuple(found)


def scenarios(number: str) -> str:
    """The scenarios of a rule, by their titles."""
    lines = [
        f"- [{title}](../{file.relative_to(ROOT).as_posix()})"
        for cited, title, file in all_scenarios()
        if number in cited
    ]
    if not lines:
        raise ValueError(f"no scenario cites the rule {number}")
    return "\n".join(["Scenarios:", "", *lines])


def decision(*names: str) -> str:
    """That a rule is a decision of this project, with its settings and their shipped values."""
    shipped = yaml.safe_load((ROOT / "conf" / "settings.yaml").read_text(encoding="utf-8"))
    said = [f"[`{name}`](reference/settings.md#{name}) = {_value(shipped, name)}" for name in names]
    word = "Setting" if len(said) == 1 else "Settings"
    return f"> **Decision.** {word}: {'; '.join(said)}."


def _value(shipped: dict[str, Any], name: str) -> str:
    found: Any = shipped
    for key in name.split("."):
        found = found[key]
    if isinstance(found, list):
        return ", ".join(code(entry["label"] if isinstance(entry, dict) else entry) for entry in found)
    if isinstance(found, dict):
        return code(yaml.safe_dump(found, default_flow_style=True, sort_keys=False).strip())
    return code("null" if found is None else str(found))


def codes(*names: str) -> str:
    """The codes of code lists, with their labels."""
    lists = configuration().code_lists
    rows = [
        (
            code(name),
            code(row.written),
            next((row.labels[name] for name in ("en", "fr", "nl") if name in row.labels), ""),
            _validity(row.valid_from, row.valid_to),
        )
        for name in names
        for row in lists[name].rows
    ]
    return table(("list", "code", "what it is", "valid"), rows)


def _validity(first: object, last: object) -> str:
    if first is None and last is None:
        return "always"
    return " ".join(part for part in (f"from {first}" if first else "", f"to {last}" if last else "") if part)


def indicators() -> str:
    """The declared indicators, one a row."""
    rows = [
        (
            f"[`{indicator.id}`](indicators/en/{indicator.id}.md)",
            indicator.names.of("en"),
            indicator.population.replace("_", "-"),
            code(_numerator(indicator.numerator.model_dump(exclude_none=True))),
            code(indicator.unit),
            ", ".join(map(code, indicator.dimensions)) or "none",
            _levels(indicator.levels),
        )
        for indicator in configuration().indicators
    ]
    return table(("indicator", "what it is", "population", "numerator", "unit", "dimensions", "levels"), rows)


def _levels(levels: tuple[str, ...]) -> str:
    return ", ".join(levels) if len(levels) < 3 else f"{levels[0]} to {levels[-1]}"


def _numerator(given: dict[str, Any]) -> str:
    ((key, value),) = given.items()
    return key if value is True else f"{key}: {value if isinstance(value, str) else ', '.join(value)}"


def decision_records() -> str:
    """The decision records, by their titles."""
    lines = []
    for file in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        title = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        lines.append(f"- [{title}]({file.name})")
    return "\n".join(lines)
