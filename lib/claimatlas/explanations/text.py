"""An explanation as text for a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tabulate import tabulate

from claimatlas.configuration.indicators import UNIT_SIGNS
from claimatlas.tables.schemas import ALL, dimensions_among

_UNITS = {**UNIT_SIGNS, "per_100": "per 100 beneficiaries"}

_BESIDE = {"lower": "lower than", "similar": "similar to", "higher": "higher than"}


def as_text(explanation: dict[str, Any]) -> str:
    """The explanation, one fact a line."""
    return "\n".join(
        [
            *_cell(explanation),
            "",
            *_section("From claim lines to this cell", explanation["flow"]),
            "",
            *_inside(explanation),
            *_readings(explanation),
            *_origin(explanation),
        ]
    )


def _cell(explanation: dict[str, Any]) -> Iterator[str]:
    row, indicator = explanation["cell"], explanation["indicator"]
    yield f"{row['indicator_id']}: {indicator['names']['en']}"
    split = [f"{name} {row[name]}" for name in dimensions_among(list(row)) if row[name] != ALL]
    yield f"{row['year']}, {row['geo_level']} {row['geo_code']}" + "".join(f", {part}" for part in split)
    yield f"value        {_value(row, indicator['unit'])}" + (
        f": {explanation['no_value_because']}" if explanation["no_value_because"] else ""
    )
    if standard := explanation["standard"]:
        yield f"standard     {standard['name']}, by {standard['dimension']}: {standard['source']}"
    yield f"numerator    {_number(row['numerator'])}"
    yield f"denominator  {_number(row['denominator'])}"
    until = explanation["claims"]["complete_through"] or "no day"
    seen = f"claims seen until {until}, needed until {indicator['observed_until']}"
    yield f"status       {row['status']}: {explanation['not_computable_because'] or seen}"
    comparison = explanation["comparison"]
    if comparison and comparison["comparison"]:
        national = f"{comparison['national_value']:.3f} {_UNITS[indicator['unit']]}"
        yield f"comparison   {_BESIDE[comparison['comparison']]} the country ({national})"
    if comparison and comparison["trend"]:
        yield f"trend        {comparison['trend']} over five years (Cochran-Armitage z = {comparison['trend_z']:.2f})"


def _value(row: dict[str, Any], unit: str) -> str:
    if row["value"] is None:
        return "none"
    interval = "" if row["ci_low"] is None else f" (95 % interval {row['ci_low']:.3f} - {row['ci_high']:.3f})"
    return f"{row['value']:.6g} {_UNITS[unit]}".rstrip() + interval


def _inside(explanation: dict[str, Any]) -> Iterator[str]:
    counted = explanation["in_this_cell"]
    if counted is None:
        yield f"Inside this cell: not counted again, as {explanation['no_recount_because']}."
    else:
        yield from _section("Inside this cell, counted again", list(counted.items()))
    yield ""


def _readings(explanation: dict[str, Any]) -> Iterator[str]:
    if explanation["other_readings"]:
        yield from _section("The country under each reading", list(explanation["other_readings"].items()))
        yield ""


def _origin(explanation: dict[str, Any]) -> Iterator[str]:
    run, claims, configuration = explanation["run"], explanation["claims"], explanation["configuration"]
    yield "Where it comes from"
    yield f"  run               {run['run_id']} ({run['job']}, claimatlas {run['package_version']})"
    yield f"  ingest            {claims['ingest_run']}, lines accepted up to {claims['as_of']}"
    yield f"  claims            {claims['first_service_date']} to {claims['last_service_date']}"
    versions = ", ".join(f"{name} version {version}" for name, version in sorted(claims["versions"].items()))
    yield f"  tables            {versions}"
    for table, location in sorted((claims["input"] or {}).items()):
        version = (claims["input_versions"] or {}).get(table)
        yield f"  input             {table}: {location or 'none'}" + (
            f", version {version}" if version is not None else ""
        )
    for part, digest in sorted(configuration["hashes"].items()):
        yield f"  {part:<16}  SHA-256 {digest[:16]}"
    for name, digest in configuration["code_lists"].items():
        yield f"  code list         {name}: SHA-256 {digest[:16]}"
    for warning in explanation["warnings"]:
        yield f"  note              {warning}"


def _section(title: str, counts: list[tuple[str, Any]]) -> Iterator[str]:
    yield title
    rows = [(_number(count), name) for name, count in counts]
    aligned = tabulate(rows, tablefmt="plain", colalign=("right", "left"), disable_numparse=True)
    yield from (f"  {line}" for line in aligned.splitlines())


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"
