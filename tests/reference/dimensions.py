"""What cells are split by: the declared dimensions, and the value of each member in them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference.model import Row, Settings, load_yaml

#: The text columns that a population has anyway.
FIXED = ("sex", "increased_reimbursement")


@dataclass(frozen=True)
class Dimension:
    """A dimension: where its values come from, and which there are.

    The source is age, population.<column>, delivery.<column>, or claims.<column>: that of services, not of people.
    """

    name: str
    source: str
    values: tuple[str, ...]
    populations: tuple[str, ...]
    classes: dict[str, list[dict[str, Any]]]

    @property
    def column(self) -> str:
        return self.source.partition(".")[2]


def read(conf: Path, settings: Settings) -> tuple[Dimension, ...]:
    """The dimensions of a configuration, in their order; the settings get the columns that are read for them."""
    found = tuple(
        Dimension(
            name,
            said["source"],
            tuple(str(value) for value in said.get("values", ())),
            tuple(said.get("populations", ("beneficiary_years", "deliveries"))),
            said.get("classes", settings["age_categories"]),
        )
        for name, said in load_yaml(conf / "dimensions.yaml").items()
    )
    settings["own_columns"] = own_columns(found)
    return found


def own_columns(dimensions: tuple[Dimension, ...]) -> tuple[str, ...]:
    """The columns of words that the population has for a dimension alone, in the order of the file."""
    named = [one.column for one in dimensions if one.source.startswith("population.")]
    return tuple(dict.fromkeys(name for name in named if name not in FIXED))


def value(dimension: Dimension, population: str, person: Row | None, age: int | None) -> str:
    """What somebody has in a dimension that the age or the population says; `person` is the row of the year."""
    if dimension.source == "age":
        return age_class(age, dimension.classes["beneficiaries" if population == "beneficiary_years" else population])
    found = None if person is None else person[dimension.column]
    if isinstance(found, bool):
        return "yes" if found else "no"
    return found if found in dimension.values else "unknown"


def age_class(age: int | None, classes: list[dict[str, Any]]) -> str:
    """The label of the age class; `unknown` without an age."""
    if age is not None:
        for one in classes:
            if one["from"] <= age and ("to" not in one or one["to"] is None or age <= one["to"]):
                return str(one["label"])
    return "unknown"


def of_delivery(dimension: Dimension, delivery: Row, kinds: dict[str, str]) -> str:
    """What a delivery has in any dimension; `kinds`: the dimension's value of each delivery type."""
    if dimension.source == "delivery.delivery_type":
        return kinds[delivery["delivery_type"]]
    if dimension.source.startswith("delivery."):
        flag = delivery[dimension.column]
        return "unknown" if flag is None else "yes" if flag else "no"
    return str(delivery["said"][dimension.name])
