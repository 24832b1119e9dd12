"""The key of the pseudonyms, from the environment: never from an option, which anyone on the machine can see."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from claimatlas.errors import InputError
from claimatlas.ingest.pseudonym_key import PseudonymKey, pseudonym_key

KEY_VARIABLE = "CLAIMATLAS_PSEUDONYM_KEY"
KEY_FILE_VARIABLE = "CLAIMATLAS_PSEUDONYM_KEY_FILE"
MIN_KEY_LENGTH = 32
"""The least bytes of a key: as many as a pseudonym has, so that guessing the key is no easier than guessing a
pseudonym.
"""


def key_of_environment() -> PseudonymKey | None:
    """The key that the environment gives, ``None`` when it names none.

    An empty variable is a mistake: ids would be written without pseudonyms.

    Raises:
        InputError: both variables, a key that is too short, or a file that cannot be used. The message shows neither
            key nor variable: somebody may have taken one variable for the other.
    """
    text, file = os.environ.get(KEY_VARIABLE), os.environ.get(KEY_FILE_VARIABLE)
    if text is not None and file is not None:
        raise InputError(f"Set either {KEY_VARIABLE} or {KEY_FILE_VARIABLE}, not both.")
    if file is not None:
        # Drop the line break that an editor or echo adds.
        return _checked(_content(Path(file)).rstrip(b"\r\n"), KEY_FILE_VARIABLE)
    return None if text is None else _checked(os.fsencode(text), KEY_VARIABLE)


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_mode & stat.S_IRWXO:
            raise InputError(
                f"The key file that {KEY_FILE_VARIABLE} names can be read by everybody on the machine: "
                "remove the rights of others (chmod o= FILE), and consider a new key."
            )
        return file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not the name of a file"
        raise InputError(f"The key file that {KEY_FILE_VARIABLE} names cannot be read ({reason}).") from None


def _checked(secret: bytes, variable: str) -> PseudonymKey:
    if len(secret) < MIN_KEY_LENGTH:
        raise InputError(
            f"The key of {variable} is too short: it needs {MIN_KEY_LENGTH} bytes or more, for instance those of "
            "`openssl rand -hex 32`."
        )
    return pseudonym_key(secret)
