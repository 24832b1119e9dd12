"""What a run record counts after a batch."""

from claimatlas.cells.indicators_stage import ignored_services
from claimatlas.increments.increment_stage import carried_counts


def test_counts_of_beneficiaries_are_carried_on_and_no_others() -> None:
    base = {
        "ingest.claims": {"read": 9},
        "deliveries.2022": {"deliveries": 10, "mother_recorded_as_male": 1},
        "beneficiaries.2022": {"beneficiaries": 100},
        "cells.gold/imaging.2022": {"country": 5},
    }
    before = {
        "deliveries.2022": {"deliveries": 2, "mother_recorded_as_male": 1},
        "beneficiaries.2022": {"beneficiaries": 4},
    }
    after = {"deliveries.2022": {"deliveries": 3}, "deliveries.2023": {"deliveries": 1}}
    assert carried_counts(base, before, after) == {
        "deliveries.2022": {"deliveries": 11, "mother_recorded_as_male": 0},
        "beneficiaries.2022": {"beneficiaries": 96},
        "deliveries.2023": {"deliveries": 1},
    }


def test_ignored_services_are_what_is_left_of_all() -> None:
    """Also where none of those of whom anything changed is in the population, so that nobody was counted there."""
    counts = {
        "beneficiary_services.2022": {"service_lines": 5, "quantity_imaging": 6},
        "beneficiary_services.2022.not_in_population": {"service_lines": 9, "quantity_imaging": 9},
        "beneficiaries.2022": {"beneficiaries": 7, "service_lines": 2, "quantity_imaging": 2},
        "beneficiary_services.2023": {"service_lines": 1},
    }
    assert ignored_services(counts, [2022, 2023]) == {
        "beneficiary_services.2022.not_in_population": {"service_lines": 3, "quantity_imaging": 4},
        "beneficiary_services.2023.not_in_population": {"service_lines": 1},
    }
