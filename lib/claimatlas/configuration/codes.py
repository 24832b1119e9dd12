"""How the codes of services are written: the numbers or texts that claims and code lists hold."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from claimatlas.configuration.model import Declaration, Whole

Code = int | str
Match = Literal["exact", "prefix", "range"]
PREFIX, RANGE = "*", ".."
"""How a list names many codes: the sign after what they begin with, and the one between the first and the last."""

_DIGITS_IN_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ONLY_OF_PYTHON = re.compile(r"\(\?[^:=!<>].?|\{(?!\d+(?:,\d*)?\})")
"""What Java's regular expressions, which are Spark's, do not have: named groups, conditions, bare braces."""


def check_pattern(pattern: str) -> str:
    """Give back a regular expression that Python and Spark read alike.

    Raises:
        ValueError: it is none.
    """
    try:
        with warnings.catch_warnings():
            # A bracket within brackets: Java takes it for a set within a set.
            warnings.simplefilter("error", FutureWarning)
            re.compile(pattern)
    except (re.error, FutureWarning, RecursionError) as error:
        raise ValueError(f"not a regular expression ({error})") from None
    if found := _ONLY_OF_PYTHON.search(pattern):
        raise ValueError(f"not a regular expression for Spark (at {found.group()!r})")
    return pattern


Pattern = Annotated[str, AfterValidator(check_pattern)]


def order_of(code: Code) -> tuple[int, str]:
    """What codes of one kind are sorted by: numbers by their size, texts by their letters."""
    return (code, "") if isinstance(code, int) else (0, code)


@dataclass(frozen=True)
class Entry:
    """What one row of a code list names: a code, the codes that begin so, or those from ``code`` to ``last``."""

    code: Code
    match: Match = "exact"
    last: Code | None = None

    @classmethod
    def between(cls, first: Code, last: Code, text: str) -> Entry:
        """The codes from one to another, both included; ``text``: as it stands in the file.

        Raises:
            ValueError: the range ends before it starts.
        """
        if order_of(last) < order_of(first):
            raise ValueError(f"the range {text[:40]!r} ends before it starts")
        return cls(first, "range", last)

    def names(self, code: Code) -> bool:
        """Whether a code is the one, or of those, that are named."""
        if self.match == "prefix":
            return str(code).startswith(str(self.code))
        if self.match == "range" and self.last is not None:
            # Of texts those that begin with the last one do too.
            goes_on = isinstance(self.last, str) and str(code).startswith(self.last)
            return order_of(self.code) <= order_of(code) and (order_of(code) <= order_of(self.last) or goes_on)
        return code == self.code

    @property
    def written(self) -> str:
        """As a list writes it."""
        return {"exact": f"{self.code}", "prefix": f"{self.code}{PREFIX}"}.get(
            self.match, f"{self.code}{RANGE}{self.last}"
        )


class CheckDigits(Declaration):
    """How the last ``digits`` digits of a code follow from the others: they are the number before them ``modulo``."""

    modulo: Whole = Field(ge=2)
    digits: Whole = Field(default=1, ge=1, le=4)

    @property
    def scale(self) -> int:
        """What a number is divided by to take its check digits off."""
        return int(10**self.digits)


class Codes(Declaration):
    """How the codes of services are written.

    kind: ``number``, of so many ``digits``; or ``text``, which fits a ``pattern`` as a whole. remove: signs that a
    text loses first, such as dots; case: what its letters become. systems: the pattern of each code system, where
    claims name the system of a code in the column ``code_system``. check: what the last digits must be; a code with
    other ones is counted in a warning.
    """

    kind: Literal["number", "text"]
    digits: Whole | None = Field(default=None, ge=1, le=9)
    pattern: Pattern | None = None
    systems: dict[str, Pattern] = Field(default_factory=dict)
    remove: str = ""
    case: Literal["as_given", "upper", "lower"] = "as_given"
    check: CheckDigits | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Codes:
        if self.kind == "number":
            if self.digits is None:
                raise ValueError("a number needs its digits")
            if self.pattern is not None or self.systems or self.remove or self.case != "as_given":
                raise ValueError("pattern, systems, remove and case go with the kind text")
        elif self.digits is not None:
            raise ValueError("digits go with the kind number")
        elif (self.pattern is None) != bool(self.systems):
            raise ValueError("give either pattern or systems")
        if self.check is not None and self.digits is not None and self.check.digits >= self.digits:
            raise ValueError("check: a code has more digits than its check digits")
        return self

    @property
    def are_numbers(self) -> bool:
        """Whether silver holds them as whole numbers."""
        return self.kind == "number"

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest number with so many digits."""
        digits = self.digits or 0
        return 10 ** (digits - 1), 10**digits - 1

    def pattern_of(self, system: str | None) -> str:
        """The pattern of a code of a system, or of any where no system is declared."""
        return self.pattern or self.systems[system or ""]

    def normalised(self, text: str) -> str:
        """A text without the signs that are removed, its letters in the declared case."""
        kept = "".join(letter for letter in text if letter not in self.remove)
        return {"upper": kept.upper(), "lower": kept.lower()}.get(self.case, kept)

    def entry(self, text: str, system: str | None = None) -> Entry:
        """What a text of a code list names.

        Raises:
            ValueError: it is no code, prefix or range; the end of a sentence says why.
        """
        first, is_range, last = text.partition(RANGE)
        if is_range:
            return Entry.between(self._exact(first, system), self._exact(last, system), text)
        if text.endswith(PREFIX):
            return self._prefix(text.removesuffix(PREFIX))
        return Entry(self._exact(text, system))

    def _exact(self, text: str, system: str | None) -> Code:
        if not self.are_numbers:
            code = self.normalised(text)
            pattern = self.pattern_of(system)
            if not code or not re.fullmatch(pattern, code, re.ASCII):
                raise ValueError(f"the code {code[:40]!r} does not fit the pattern {pattern!r} of settings.yaml")
            return code
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"the code {text[:40]!r} is not a number")
        # Python refuses to read a number of more than 4300 digits.
        number = int(text[:40])
        if not self.bounds[0] <= number <= self.bounds[1]:
            raise ValueError(f"the code {number} is not of {digits_in_words(self)} digits")
        return number

    def _prefix(self, text: str) -> Entry:
        if not self.are_numbers:
            start = self.normalised(text)
            if not start:
                raise ValueError(f"{PREFIX} alone would be every code")
            return Entry(start, "prefix")
        digits = self.digits or 0
        if not (text.isascii() and text.isdigit() and len(text) < digits) or text.startswith("0"):
            raise ValueError(f"{text[:40]!r} begins no code of {digits_in_words(self)} digits")
        # Numbers that begin so are a range: Spark need not make texts of them.
        width = 10 ** (digits - len(text))
        return Entry(int(text) * width, "range", (int(text) + 1) * width - 1)

    def has_valid_check(self, code: Code) -> bool:
        """Whether the check digits of a code are right; of one that is not all digits they are not."""
        if self.check is None:
            return True
        text = str(code)
        if not (text.isascii() and text.isdigit()) or len(text) <= self.check.digits:
            return False
        number = int(text)
        return number // self.check.scale % self.check.modulo == number % self.check.scale


def digits_in_words(codes: Codes) -> str:
    """How many digits a code that is a number has."""
    return _DIGITS_IN_WORDS[(codes.digits or 1) - 1]


SIX_DIGITS = Codes(kind="number", digits=6, check=CheckDigits(modulo=7))
"""The codes of a configuration from before codes were declared."""
ANY_CODE = Codes(kind="text", pattern=".*")
"""What is assumed of codes while nobody knows how they are declared."""
