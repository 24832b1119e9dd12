"""Mappings: a sender's own column names for the columns of the input tables."""

from __future__ import annotations

from importlib.resources.abc import Traversable

from pydantic import Field

from claimatlas.configuration.documents import read_yaml, validate
from claimatlas.configuration.model import Declaration
from claimatlas.errors import InputError


class Mapping(Declaration):
    """For each table: our column name to the sender's. A column that is not named keeps our name."""

    description: str
    claims: dict[str, str] = Field(default_factory=dict)
    population: dict[str, str] = Field(default_factory=dict)
    hospital_stays: dict[str, str] = Field(default_factory=dict)

    def source_name(self, table: str, column: str) -> str:
        """The sender's name of a column."""
        names: dict[str, str] = getattr(self, table)
        return names.get(column, column)


def load_mapping(folder: Traversable, name: str) -> Mapping:
    """Read ``mappings/NAME.yaml``; column names are checked where the tables are known.

    Raises:
        InputError: there is no such mapping, or it is wrong.
    """
    files = sorted(
        file.name.removesuffix(".yaml") for file in folder.joinpath("mappings").iterdir() if file.name.endswith(".yaml")
    )
    if name not in files:
        raise InputError(f"There is no mapping {name!r}; mappings/ has {', '.join(files)}.")
    return validate(Mapping, read_yaml(folder, f"mappings/{name}.yaml"))
