"""The links between Belgium's indicators by which a hidden figure would follow: each is known from the declarations."""

from pathlib import Path

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

import numpy as np
from claimatlas.cli import main
from claimatlas.configuration import load_configuration
from claimatlas.configuration.publication import load_publication, published_values
from claimatlas.protection.candidate import PublishingRules
from claimatlas.protection.frames import Frame, frame_of_places
from claimatlas.protection.gold import cells_of, release_of
from claimatlas.protection.links import common_figures
from claimatlas.protection.quantities import Quantity, denominator_of, numerator_of
from claimatlas.protection.run import prepare
from claimatlas.protection.shares import Share
from claimatlas.protection.slices import TypeDimension
from claimatlas.protection.tables import Measure, TableBuilder, YearTables, indicator_years
from comparison import CONF

CONFIGURATION = load_configuration(str(CONF))
TYPES = tuple(CONFIGURATION.services.delivery_types)
INDICATORS = {indicator.id: indicator for indicator in CONFIGURATION.indicators}


def upper(name: str) -> Quantity:
    return numerator_of(INDICATORS[name], TYPES)


def lower(name: str) -> Quantity:
    return denominator_of(INDICATORS[name], TYPES)


@pytest.mark.parametrize("name", ["003a", "004a", "005a", "008a", "009a"])
def test_denominators_are_the_deliveries(name: str) -> None:
    """A hidden denominator cannot be read off another indicator: it is one count, hidden once for all."""
    assert lower(f"cube_007_{name}") == upper("cube_007_001a_denom") == lower("cube_007_001a_denom")


def test_one_count_under_two_names() -> None:
    assert upper("stat_013_023") == upper("cube_013_023")
    assert lower("cube_007_006b") == lower("cube_007_008b")


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (upper("cube_007_008a"), upper("cube_007_009a")),
        (lower("cube_007_007a"), lower("cube_007_001a_denom")),
        (lower("cube_007_007a"), lower("cube_007_006b")),
        (lower("cube_007_006b"), lower("cube_007_001a_denom")),
        (upper("cube_007_006b"), lower("cube_007_006b")),
        (upper("cube_007_008b"), upper("cube_007_008a")),
        (upper("stat_013_023"), upper("stat_013_024")),
    ],
    ids=str,
)
def test_what_lies_within_what(part: Quantity, whole: Quantity) -> None:
    assert part.lies_within(whole)
    assert not whole.lies_within(part)


def test_nights_bound_nobody() -> None:
    """A sum over persons is no count of them: neither lies within the other."""
    nights = upper("cube_007_007a")
    assert nights.is_magnitude
    assert not any(nights.lies_within(lower(name)) for name in INDICATORS)


def test_declared_differences_are_counts() -> None:
    pairs = {(one.whole, one.part, one.of) for one in load_publication(CONFIGURATION).differences}
    assert ("cube_007_009a", "cube_007_008a", "numerator") in pairs
    assert ("cube_007_001a_denom", "cube_007_007a", "denominator") in pairs
    assert ("cube_007_001a_denom", "cube_007_006b", "denominator") in pairs
    assert ("stat_013_024", "stat_013_023", "numerator") in pairs


def test_yes_and_the_rest_are_all() -> None:
    """All less yes less no is nobody: what is not known is published with no."""
    publication = load_publication(CONFIGURATION)
    values = published_values(CONFIGURATION, publication, "deliveries", "increased_reimbursement")
    assert values == ("yes", "no_or_unknown")


def test_unknown_domicile_is_another_count_where_places_are_others() -> None:
    """An indicator of the country alone knows everybody's place: its rest bounds that of no other."""
    builder = TableBuilder(CONFIGURATION, load_publication(CONFIGURATION), 2023)
    fine = builder.frame("deliveries", "municipality", ("age_category", "delivery_type"))
    coarse = builder.frame("deliveries", "country", ("delivery_type",))
    alike = builder.frame("deliveries", "municipality", ("delivery_type",))
    assert {fine.units[one].level for (one, _), _ in common_figures(fine, coarse)} == {"country"}
    assert "" in {fine.units[one].level for (one, _), _ in common_figures(fine, alike)}


def test_unknown_domicile() -> None:
    """The country holds those of no known place; no part does, so they are what is left of it: a unit of their own."""
    publication = load_publication(CONFIGURATION)
    frame = TableBuilder(CONFIGURATION, publication, 2023).frame("deliveries", "municipality", ("delivery_type",))
    nowhere = len(frame.leaves) - 1
    assert [unit.level for unit in frame.units if nowhere in unit.leaves] == ["", "country"]
    assert [position for position, unit in enumerate(frame.units) if not unit.level] == [0]
    # Every other sum has no rest, so each unit's parts tell it and are told by it.
    for position, unit in enumerate(frame.units):
        inside = {leaf for child in frame.children[position] for leaf in frame.units[child].leaves}
        assert not inside or set(unit.leaves) == inside


def test_sums_that_no_table_shows_are_no_goals(tmp_path: Path) -> None:
    """Of nights one member may give most, so that a large sum is sensitive: nothing says how far off it must be."""
    output = str(tmp_path / "drawn")
    arguments = ["--output", output, "--beneficiaries", "50000", "--years", "2023", "--seed", "1"]
    assert main(["generate", "--counts", *arguments, "--conf", str(CONF)]) == 0
    publication = load_publication(CONFIGURATION)
    years = indicator_years(cells_of(release_of(output, None), 2023, CONFIGURATION), CONFIGURATION)
    _, audit = prepare(years, PublishingRules(CONFIGURATION, publication), 2023)
    measures = audit.measures
    kinds = {True: False, False: False}
    for goal in audit.all_goals():
        measure = measures[goal.quantity]
        of_unplanned = bool((goal.aim.targets & ~measure.planned & ~measure.frame.unplaced).any())
        kinds[goal.quantity.is_magnitude] |= of_unplanned
        assert not (of_unplanned and goal.quantity.is_magnitude)
        # All others are small, or a zero that is: what other worlds must have is known of these.
        assert (
            goal.aim.bounds.cells[goal.aim.targets & ~measure.planned & ~measure.frame.unplaced] < publication.k
        ).all()
    assert kinds == {True: False, False: True}
    assert any(measures[one].small[~measures[one].planned].any() for one in measures if one.is_magnitude)


def test_a_difference_is_of_the_figures_that_both_counts_have() -> None:
    """A count with a smaller level and a dimension more is compared where the other has a figure, and nowhere else."""
    places = [("a", {"country": "c", "region": "a"}), ("b", {"country": "c", "region": "b"})]
    less = frame_of_places(["country", "region"], places, ["sex"], [["f", "m"]])
    more = frame_of_places(["country"], [("c", {"country": "c"})], [], [])
    part, whole = Quantity("beneficiary_years", "service", ("x",)), Quantity("beneficiary_years", "quantity", ("x",))
    measures = {part: measure_of(part, less, [[4, 4], [5, 4], [0, 0]]), whole: measure_of(whole, more, [[19], [0]])}
    share = Share.between(YearTables(measures, {}, TypeDimension(None, {})), whole, part, INDICATORS["stat_013_023"])
    assert share is not None
    share.mark_gap(share.gap < 5)
    found = measures[part].gaps[whole]
    country = less.unit_position["country", "c"], less.split_position["all",]
    assert [tuple(one) for one in np.argwhere(found).tolist()] == [country]
    assert (measures[part].sensitive == found).all()


def measure_of(quantity: Quantity, frame: Frame, atoms: list[list[int]]) -> Measure:
    counts = np.array(atoms, dtype=np.int64)
    cells = frame.cells(counts)
    nothing = [np.zeros(cells.shape, dtype=bool) for _ in range(4)]
    return Measure(quantity, frame, counts, cells, *nothing, counts >= 0, cells >= 0)
