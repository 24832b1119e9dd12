"""The Dockerfile as its instructions, without an engine that would build it."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"


@dataclass(frozen=True)
class Instruction:
    """One instruction with what follows it, on one line."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """What follows the instruction, without its options."""
        return [word for word in self.text.split() if not word.startswith("--")]


def instructions() -> list[Instruction]:
    """Those of the project's Dockerfile, in order."""
    lines = (FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", text)
    return [Instruction(*line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def named(name: str) -> list[Instruction]:
    """The instructions of one name."""
    return [found for found in instructions() if found.name == name]


def arguments() -> dict[str, str]:
    """The build's arguments and their defaults."""
    return dict(found.text.split("=", 1) for found in named("ARG"))


def copied() -> dict[str, str]:
    """What is copied from the checkout, and to where."""
    pairs: dict[str, str] = {}
    for found in named("COPY"):
        if "--from=" not in found.text:
            *sources, target = found.words
            pairs |= dict.fromkeys(sources, target)
    return pairs


def run_with(part: str) -> str:
    """The one command of a RUN that has this part."""
    (command,) = [found.text for found in named("RUN") if part in found.text]
    return command
