"""Section of a sheet on code lists: every code that the indicator reads."""

from __future__ import annotations

from collections.abc import Sequence

from claimatlas.configuration.codelists import STATUSES, CodeListRow
from claimatlas.sheets.facts import Facts, UsedList
from claimatlas.sheets.markdown import blocks, bullets, code, plain, table
from claimatlas.sheets.texts import Texts


def code_lists(facts: Facts, texts: Texts) -> str:
    """The lists with their use and hash, then each list with its codes."""
    if not facts.code_lists:
        return ""
    header = [texts.say(f"lists.{column}") for column in ("list", "used_for", "codes", "hash")]
    rows = [
        [code(used.codes.name), _uses(used, texts), str(len(used.codes.rows)), code(used.sha256)]
        for used in facts.code_lists
    ]
    present = {row.status for used in facts.code_lists for row in used.codes.rows}
    statuses = [
        texts.say("status_line", status=texts.say(f"status.{status}"), meaning=texts.say(f"status_meaning.{status}"))
        for status in STATUSES
        if status in present
    ]
    parts = [texts.say("lists.intro"), table(header, rows)]
    if present:
        parts += [texts.say("lists.explain_status"), bullets(statuses), texts.say("lists.explain_language")]
    for used in facts.code_lists:
        parts += [f"### {code(used.codes.name)}", _codes(used, texts, facts.settings.languages)]
    return blocks(parts)


def _uses(used: UsedList, texts: Texts) -> str:
    return ", ".join(texts.say(f"lists.use.{kind}", name=texts.name(kind, name)) for kind, name in used.used_by)


def _codes(used: UsedList, texts: Texts, languages: Sequence[str]) -> str:
    if not used.codes.rows:
        return texts.say("lists.empty", list=code(used.codes.name))
    header = [
        texts.say(f"lists.{column}") for column in ("code", "label", "valid_from", "valid_to", "status", "source")
    ]
    rows = [
        [
            row.written if row.system is None else f"{row.written} ({row.system})",
            label(row, texts, languages),
            row.valid_from.isoformat() if row.valid_from else "",
            row.valid_to.isoformat() if row.valid_to else "",
            texts.say(f"status.{row.status}"),
            plain(row.source),
        ]
        for row in used.codes.rows
    ]
    return table(header, rows)


def label(row: CodeListRow, texts: Texts, languages: Sequence[str]) -> str:
    """A code's label in the sheet's language, else in another one with its name, else a dash.

    ``languages``: those of the settings, which are looked into first.
    """
    if texts.language in row.labels:
        return plain(row.labels[texts.language])
    for language in dict.fromkeys((*languages, *row.labels)):
        if language in row.labels:
            return texts.say("lists.other_language", label=plain(row.labels[language]), language=language)
    return texts.say("nothing")
