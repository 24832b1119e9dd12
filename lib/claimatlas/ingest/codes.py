"""Columns of codes: their normal form, whether they are as declared, and whether code lists name them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.configuration.codelists import SYSTEM, CodeListRow
from claimatlas.configuration.codes import Code, Codes, Entry, order_of
from claimatlas.spark.columns import any_of

CODE = "nomenclature_code"
UNKNOWN_SYSTEM = f"unknown_{SYSTEM}"
"""The reason of a row whose code system is none of those declared."""


def normalised(text: Column, codes: Codes) -> Column:
    """A text without the signs that are removed, its letters in the declared case."""
    if codes.remove:
        text = F.translate(text, codes.remove, "")
    return {"upper": F.upper(text), "lower": F.lower(text)}.get(codes.case, text)


def reasons_of_codes(codes: Codes) -> dict[str, Column]:
    """The reasons to reject a row for its code; of an unknown system the code takes no further one.

    Reads ``nomenclature_code``, and ``code_system`` where systems are declared.
    """
    invalid = f"invalid_{CODE}"
    if codes.are_numbers:
        return {invalid: ~F.col(f"_in_range_{CODE}")}
    if not codes.systems:
        return {invalid: ~_fits(codes.pattern_of(None))}
    system = F.col(SYSTEM)
    fits = any_of((system == name) & _fits(pattern) for name, pattern in codes.systems.items())
    is_known = system.isin(*codes.systems)
    return {UNKNOWN_SYSTEM: ~is_known, invalid: is_known & ~fits}


def _fits(pattern: str) -> Column:
    return F.col(CODE).rlike(f"^(?:{pattern})$")


def has_wrong_check(codes: Codes) -> Column:
    """Whether the check digits of a line's code are wrong; of a text that is not all digits they are."""
    code = F.col(CODE)
    if codes.check is None:
        return F.lit(False)
    scale, modulo, digits = codes.check.scale, codes.check.modulo, codes.check.digits
    if codes.are_numbers:
        return F.floor(code / scale) % modulo != code % scale
    body = F.substring(code, F.lit(1), F.length(code) - digits).try_cast("decimal(38,0)")
    last = F.right(code, F.lit(digits)).try_cast("int")
    is_right = code.rlike(f"^[0-9]{{{digits + 1},}}$") & (body % modulo == last)
    return ~F.coalesce(is_right, F.lit(False))


def named_by(rows: Iterable[CodeListRow], code: Column | None = None, system: Column | None = None) -> Column:
    """Whether any of the rows of code lists names a code, whatever the day.

    ``code`` and ``system``: the columns of claims, unless others are given.
    """
    code = F.col(CODE) if code is None else code
    by_system: dict[str | None, list[CodeListRow]] = {}
    for row in rows:
        by_system.setdefault(row.system, []).append(row)
    conditions = []
    for name, of_system in by_system.items():
        condition = among(code, of_system)
        if name is not None:
            condition &= (F.col(SYSTEM) if system is None else system) == name
        conditions.append(condition)
    return any_of(conditions)


def among(code: Column, rows: Sequence[CodeListRow | Entry]) -> Column:
    """Whether a value is one that any of ``rows`` names, of which there is at least one; null where the value is."""
    exact = sorted({row.code for row in rows if row.match == "exact"}, key=order_of)
    conditions = [code.isin(exact)] if exact else []
    conditions += [code.startswith(str(row.code)) for row in rows if row.match == "prefix"]
    conditions += [_in_range(code, row.code, row.last) for row in rows if row.match == "range"]
    return any_of(conditions[1:]) | conditions[0] if len(conditions) > 1 else conditions[0]


def _in_range(code: Column, first: Code, last: Code | None) -> Column:
    """Whether a code lies from the first to the last; of texts those that begin with the last one do too."""
    up_to = code <= F.lit(last)
    if isinstance(last, str):
        up_to = up_to | code.startswith(last)
    return (code >= F.lit(first)) & up_to
