"""The base of every declaration: frozen, and strict about unknown keys."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _of_some_size(number: int) -> int:
    """Days, years, ages, competences: beyond a million it is a slip, and soon no number that Spark can hold."""
    if abs(number) > 1_000_000:
        raise ValueError("this number is too large")
    return number


def _as_text(value: Any) -> Any:  # noqa: ANN401 - what stands in a file, before it is checked
    """A word as text: YAML makes a number of 1 and a truth of true."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Word = Annotated[str, BeforeValidator(_as_text)]
# Strict: YAML reads yes and true as booleans, and Python takes those for 1.
Whole = Annotated[int, Field(strict=True), AfterValidator(_of_some_size)]
Number = Annotated[int, AfterValidator(_of_some_size)]
Share = Annotated[float, Field(strict=True)]


class Declaration(BaseModel):
    """A frozen piece of configuration that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, populate_by_name=True)
