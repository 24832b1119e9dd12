"""The base of every declaration: frozen, and strict about unknown keys."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _of_some_size(number: int) -> int:
    """Refuse numbers beyond a million: as days, years, ages or competences they are typing errors."""
    if abs(number) > 1_000_000:
        raise ValueError("this number is too large")
    return number


def _as_text(value: Any) -> Any:  # noqa: ANN401 - what stands in a file, before it is checked
    """A word as text: YAML reads 1 as a number and true as a boolean."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Word = Annotated[str, BeforeValidator(_as_text)]
# Strict: YAML reads yes and true as booleans, and Python takes those for 1.
Whole = Annotated[int, Field(strict=True), AfterValidator(_of_some_size)]
Number = Annotated[int, AfterValidator(_of_some_size)]
Share = Annotated[float, Field(strict=True)]


LANGUAGE = "[a-z]{2,3}"
"""How a language is named: by its code of ISO 639."""


class KeyMistakeError(ValueError):
    """A mistake in a key below the model that finds it; ``path`` leads from the model to the key."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


class InLanguages(BaseModel):
    """A text in several languages, each under its code; which there must be, the settings say."""

    model_config = ConfigDict(extra="allow", frozen=True)

    __pydantic_extra__: dict[str, Annotated[str, Field(min_length=1)]] = Field(init=False)

    @model_validator(mode="after")
    def _by_language(self) -> InLanguages:
        for name in self.by_language:
            if not re.fullmatch(LANGUAGE, name):
                raise KeyMistakeError((name,), f"{name[:40]!r} is no code of a language, such as en")
        return self

    @property
    def by_language(self) -> dict[str, str]:
        """The text in each language that it is given in."""
        return self.__pydantic_extra__

    def of(self, language: str) -> str:
        """The text in a language of the settings."""
        return self.by_language[language]


class Declaration(BaseModel):
    """A frozen piece of configuration that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, populate_by_name=True)
