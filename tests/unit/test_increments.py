"""What a run record counts after a delivery of data."""

from claimatlas.increments.run import carried_on


def test_counts_of_beneficiaries_are_carried_on_and_no_others() -> None:
    base = {
        "ingest.claims": {"read": 9},
        "deliveries.2022": {"deliveries": 10, "of_a_man": 1},
        "beneficiaries.2022": {"beneficiaries": 100},
        "cells.gold/imaging.2022": {"country": 5},
    }
    before = {"deliveries.2022": {"deliveries": 2, "of_a_man": 1}, "beneficiaries.2022": {"beneficiaries": 4}}
    after = {"deliveries.2022": {"deliveries": 3}, "deliveries.2023": {"deliveries": 1}}
    assert carried_on(base, before, after) == {
        "deliveries.2022": {"deliveries": 11, "of_a_man": 0},
        "beneficiaries.2022": {"beneficiaries": 96},
        "deliveries.2023": {"deliveries": 1},
    }
