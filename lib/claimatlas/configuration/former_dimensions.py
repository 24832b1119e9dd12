"""The dimensions of every configuration from before there was ``dimensions.yaml``: those of Belgium.

Only so can a run of that time be explained, repeated and compared. No configuration that ships reads them.
"""

from __future__ import annotations

from typing import Any

FORMER: dict[str, dict[str, Any]] = {
    "age_category": {"source": "age"},
    "increased_reimbursement": {
        "source": "population.increased_reimbursement",
        "type": "boolean",
        "values": ["yes", "no"],
    },
    "delivery_type": {
        "source": "delivery.delivery_type",
        "values": ["caesarean", "vaginal"],
        "populations": ["deliveries"],
    },
    "sex": {"source": "population.sex", "values": ["female", "male"], "populations": ["beneficiary_years"]},
}
"""Each by its name, as ``dimensions.yaml`` would declare it."""
