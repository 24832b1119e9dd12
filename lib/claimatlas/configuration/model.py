"""What every declaration has in common: frozen, and strict about unknown keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Strict: YAML reads yes and true as booleans, and Python takes those for 1.
Whole = Annotated[int, Field(strict=True)]
Share = Annotated[float, Field(strict=True)]


class Declaration(BaseModel):
    """A frozen piece of configuration that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, populate_by_name=True)
