"""Refuse declared names that would collide with existing columns, counts or values.

Two columns of one name make a run fail or, worse, one replaces the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from claimatlas.configuration.documents import Document, Path
from claimatlas.configuration.reserved import LABELS, OF_A_FLAG, OF_A_SERVICE, START_OF_WORKING, STARTS_OF_COUNTS
from claimatlas.configuration.services import Services
from claimatlas.configuration.settings import Settings
from claimatlas.errors import InputError

_TAKEN = "a table has a column, or the run record a count, called so"


def check_names(services: Services, settings: Settings, document: Document) -> None:
    """Refuse names of ``services.yaml`` that collide: with each other, the level of the domicile, or what is fixed.

    Raises:
        InputError: every such name, with its file, line and key.
    """
    mistakes = [
        *_of_flags(services, settings),
        *_of_groups(services),
        *((("beneficiary_services", name), _TAKEN) for name in services.beneficiary_services if name in OF_A_SERVICE),
        *(
            (("delivery_types", name), "it has a meaning of its own in the tables")
            for name in services.delivery_types
            if name in LABELS
        ),
    ]
    if mistakes:
        sentences = (
            f"{document.position(path)}: the name {path[-1]!r} cannot be used: {why}." for path, why in mistakes
        )
        raise InputError("\n".join(sentences))


def _of_flags(services: Services, settings: Settings) -> Iterator[tuple[Path, str]]:
    readings = {column.lower(): path for column, path in _readings(services, "contact_")}
    for name in services.delivery_flags:
        path: Path = ("delivery_flags", name)
        if name in OF_A_FLAG:
            yield path, _TAKEN
        elif name.startswith((*STARTS_OF_COUNTS, START_OF_WORKING)):
            yield path, "columns of the computation begin so"
        elif name == settings.geography.domicile_level:
            yield path, "the level of the domicile is called so"
        elif name in readings:
            yield path, f"{_dotted(readings[name])} is counted under it"
    if (level := settings.geography.domicile_level) in readings:
        yield readings[level], f"with it {level} would be a count, and it is the level of the domicile"


def _of_groups(services: Services) -> Iterator[tuple[Path, str]]:
    """Each group is a column, and so is each choice of its code lists: two of them may not be the same."""
    seen: dict[str, Path] = {f"group_{name}": ("contact_groups", name) for name in services.contact_groups}
    for name in services.contact_groups:
        if name in LABELS:
            yield ("contact_groups", name), "it has a meaning of its own in the tables"
    for column, path in _readings(services, "group_"):
        other = seen.setdefault(column.lower(), path)
        if other != path:
            yield path, f"with this choice it is counted as {_dotted(other)} is"


def _readings(services: Services, start: str) -> Iterator[tuple[str, Path]]:
    """The column of each choice of code lists, as the deliveries stage names it."""
    for name, group in services.contact_groups.items():
        for setting, by_value in group.code_lists_by_setting.items():
            for value in by_value:
                yield f"{start}{name}_{value}", ("contact_groups", name, "code_lists_by_setting", setting, value)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
