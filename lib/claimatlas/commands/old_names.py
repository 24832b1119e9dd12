"""Former names of options, which one version still takes."""

from __future__ import annotations

from collections.abc import Sequence

OLD_NAMES = {
    "--accept-jumps": "--allow-drift",
    "--accept-columns": "--allow-schema-change",
    "--everything": "--full-refresh",
}


def with_new_names(arguments: Sequence[str]) -> list[str]:
    """The arguments, each former name of an option replaced by its present one."""
    return [OLD_NAMES.get(argument, argument) for argument in arguments]


def notes_on_old_names(arguments: Sequence[str]) -> list[str]:
    """A sentence for each former name among the arguments."""
    return [
        f"{old} is now {new}; the next version takes the new name only."
        for old, new in OLD_NAMES.items()
        if old in arguments
    ]
