"""Messages for failures with a known cause outside the program."""

from __future__ import annotations

from claimatlas.errors import text_of

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
        ("failed to map segment from shared object", "initialize class com.github.luben.zstd."),
        "Spark cannot load its libraries for compression from Java's temporary folder, as from one that is mounted "
        "with noexec: name another one for the driver and the executors, with -Djava.io.tmpdir=FOLDER.",
    ),
    (
        ("[PYTHON_VERSION_MISMATCH]", "PythonWorkerFactory.startDaemon("),
        "Spark cannot work with the Python that PYSPARK_PYTHON or spark.pyspark.python names: it must be there on "
        "every machine, in the version of the driver's.",
    ),
    (
        ("invalid null input: name",),
        "The user has no name on a machine where Spark runs, and Spark needs one: add the user to /etc/passwd there, "
        "or run this as a user that is listed there.",
    ),
    (
        ("Please increase heap size using the --driver-memory",),
        "Spark needs more driver memory (CLAIMATLAS_DRIVER_MEMORY, or --driver-memory of spark-submit): give it "
        "1g or more.",
    ),
    (
        ("StatusCode.UNAVAILABLE", "[RETRIES_EXCEEDED]", "[INVALID_HANDLE.SESSION"),
        "The Spark Connect server does not answer, or was started anew meanwhile: run again when it is up.",
    ),
)


def known_cause(error: BaseException) -> str | None:
    """One sentence with the remedy; ``None`` for a failure with an unknown cause.

    The sentence has fixed words only: Spark's message may quote data.
    """
    text = text_of(error)
    return next((sentence for signs, sentence in _KNOWN if any(sign in text for sign in signs)), None)
