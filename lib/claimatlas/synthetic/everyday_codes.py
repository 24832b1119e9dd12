"""The codes of ordinary claim lines: consultations from the lists, and several thousand others.

The others are invented, with a right check digit, and never in any code list: so they can never
count for an indicator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from claimatlas.synthetic.country import Chapter

NO_COMPETENCE = -1
CONTACTS, OTHERS = 1024, 4096
"""Sizes of the two parts of the table; both are powers of two for cheap draws."""

_CONTACT_SHARES = (0.66, 0.34)
"""Of consultations: those of general practitioners, those of other specialists."""


@dataclass(frozen=True)
class EverydayCodes:
    """A table of what is billed: its first ``CONTACTS`` entries are consultations, the rest are not.

    Attributes:
        has_contacts: whether there is a consultation at all.
        codes: nomenclature codes.
        professions: profession of who bills the code.
        competences: competence of who bills it, ``NO_COMPETENCE`` for none.
        inpatient: 1 when the code is that of a service in hospital.
    """

    has_contacts: bool
    codes: tuple[int, ...]
    professions: tuple[int, ...]
    competences: tuple[int, ...]
    inpatient: tuple[int, ...]


def make_everyday_codes(
    chapters: Sequence[Chapter],
    in_lists: frozenset[int],
    contacts: Sequence[tuple[Sequence[int], Sequence[int], Sequence[int]]],
) -> EverydayCodes:
    """Build the table.

    Args:
        chapters: the invented codes.
        in_lists: every code of any list.
        contacts: codes (as often as their weight), professions and competences of the general
            practitioners' consultations and of the specialists'.
    """
    entries: list[tuple[int, int, int, int]] = []
    given = [(share, *contact) for share, contact in zip(_CONTACT_SHARES, contacts, strict=False) if contact[0]]
    for number in range(CONTACTS if given else 0):
        # Spread over the parts by their shares, over the codes by their weights.
        position = number / CONTACTS * sum(part[0] for part in given)
        share, codes, professions, competences = given[0] if position < given[0][0] else given[-1]
        rest = (position - (0 if position < given[0][0] else given[0][0])) / share
        code = codes[min(len(codes) - 1, int(rest * len(codes)))]
        competence = competences[number % len(competences)] if competences else NO_COMPETENCE
        entries.append((code, professions[number % len(professions)], competence, 0))
    others = [entry for entry in _others(chapters) if entry[0] not in in_lists]
    entries += (others * (OTHERS // len(others) + 1))[:OTHERS]
    codes, professions, competences, inpatient = zip(*entries, strict=True)
    return EverydayCodes(bool(given), codes, professions, competences, inpatient)


def _others(chapters: Sequence[Chapter]) -> list[tuple[int, int, int, int]]:
    """Invented codes in a mixed order that is always the same."""
    found = []
    for chapter in chapters:
        competence = NO_COMPETENCE if chapter.competence is None else chapter.competence
        for number, digits in enumerate(range(chapter.first, chapter.last + 1, chapter.step)):
            code = digits * 10 + digits % 7
            found.append((code, chapter.profession, competence, int(chapter.inpatients and number % 2)))
    return sorted(found, key=lambda entry: entry[0] * 2_654_435_761 % (1 << 32))
