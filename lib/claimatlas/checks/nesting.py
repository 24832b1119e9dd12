"""The places that add up to a larger place."""

from __future__ import annotations

from collections import defaultdict

from claimatlas.configuration.geography import Geography

Parent = tuple[str, str, bool]
"""Level, code, and whether its parts cover it completely."""


def parts_and_sums(
    geography: Geography, country_level: str, finest: str, year: int
) -> dict[tuple[str, str], tuple[list[Parent], bool | None]]:
    """The parents of each part, and whether each larger place is whole, by level and code.

    The country is never whole, as it also counts members with unknown domicile. Nor is a place with land outside all
    parts, such as the Brussels region, which has no provinces. A part in two places of a level is counted in none of
    them.
    """
    vintage = list(geography.vintage(year).values())
    whole: dict[tuple[str, str], bool] = {}
    lies_in: dict[str, dict[str, set[str]]] = {}
    for level in geography.levels[: geography.levels.index(finest)]:
        lies_in[level] = defaultdict(set)
        for place in vintage:
            part, parent = place.parents[finest], place.parents[level]
            if part:
                lies_in[level][part].add(parent)
            if parent:
                whole[level, parent] = whole.get((level, parent), level != country_level) and bool(part)
        for parents in lies_in[level].values():
            if len(parents) > 1:
                whole |= {(level, parent): False for parent in parents if parent}
    found: dict[tuple[str, str], tuple[list[Parent], bool | None]] = {
        key: ([], is_whole) for key, is_whole in whole.items()
    }
    for part in {place.parents[finest] for place in vintage} - {""}:
        certain = [(level, *parents[part]) for level, parents in lies_in.items() if len(parents[part]) == 1]
        found[finest, part] = [(level, code, whole[level, code]) for level, code in certain if code], None
    return found
