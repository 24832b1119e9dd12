"""Section 2: from claim lines to services that count."""

from datetime import date
from typing import Any

from reference.model import Row


def net_services(claims: list[Row]) -> list[Row]:
    """Services with a net quantity above zero (section 2.2).

    One row per (beneficiary_id, service_date, nomenclature_code, provider_id), a null provider being a
    value like any other. `quantity` is the net; `hospital_id` the lowest non-null one of the lines with
    a positive quantity; `providers` the (profession, competence) of each of these lines.
    """
    lines: dict[tuple[str, date, int, str | None], list[Row]] = {}
    for claim in claims:
        key = (
            claim["beneficiary_id"],
            claim["service_date"],
            claim["nomenclature_code"],
            claim["provider_id"],
        )
        lines.setdefault(key, []).append(claim)
    services: list[Row] = []
    for (beneficiary, day, code, provider), group in lines.items():
        net = sum(line["quantity"] for line in group)
        if net <= 0:
            continue
        positive = [line for line in group if line["quantity"] > 0]
        hospitals = [line["hospital_id"] for line in positive if line["hospital_id"] is not None]
        providers: list[tuple[Any, Any]] = []
        for line in positive:
            providers.append((line["provider_profession"], line["provider_competence"]))
        services.append(
            {
                "beneficiary_id": beneficiary,
                "service_date": day,
                "nomenclature_code": code,
                "provider_id": provider,
                "quantity": net,
                "hospital_id": min(hospitals) if hospitals else None,
                "providers": providers,
            }
        )
    return services
