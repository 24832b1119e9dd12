"""Names in SQL: the one way to write a name that a user may have chosen."""

from __future__ import annotations


def quoted(name: str) -> str:
    """The name between backticks, one that it holds doubled: it can be nothing but a name.

    Also for ``F.col``, which would take a dot in a sender's column name for a step into a structure.
    """
    return "`{}`".format(name.replace("`", "``"))
