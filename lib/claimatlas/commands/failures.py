"""What to say of failures that have a known cause outside the program."""

from __future__ import annotations

from claimatlas.spark_errors import text_of

_KNOWN = (
    (
        ("No space left on device", "Disk quota exceeded"),
        "No space is left on the disk of the output, or of Spark's temporary files (spark.local.dir): make room and "
        "run again.",
    ),
    (
        ("Read-only file system", "java.nio.file.AccessDeniedException", "(Permission denied)"),
        "A folder of the output, or of Spark's temporary files (spark.local.dir), cannot be written.",
    ),
    (
        ("No FileSystem for scheme", "S3AFileSystem not found", "AzureBlobFileSystem not found"),
        "Spark has no client for the store that a path names (as hadoop-aws is for s3a://): see "
        "docs/catalog-and-object-stores.md.",
    ),
    (
        ("StatusCode.UNAVAILABLE", "[RETRIES_EXCEEDED]", "[INVALID_HANDLE.SESSION"),
        "The Spark Connect server does not answer, or was started anew meanwhile: run again when it is up.",
    ),
)


def known_cause(error: BaseException) -> str | None:
    """One sentence with the remedy; nothing for a failure whose cause is not known.

    Only fixed words are given back: what Spark says may quote data.
    """
    text = text_of(error)
    return next((sentence for signs, sentence in _KNOWN if any(sign in text for sign in signs)), None)
