"""The settings of Spark that the product uses, each with its reason.

Only the standard library is used: the set-up script writes some of them into a file.
"""

from __future__ import annotations

import os
import re
import tempfile
from enum import StrEnum
from pathlib import Path

# What Spark logs on this machine; also copied into the environment that the set-up makes.
LOG_FILE = Path(__file__).with_name("log4j2.properties")

CONF_VARIABLE = "SPARK_CONF_DIR"
REMOTE_VARIABLE = "SPARK_REMOTE"
DATABRICKS_VARIABLE = "DATABRICKS_RUNTIME_VERSION"

DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"

EXTENSIONS = "spark.sql.extensions"
SPARK_CATALOG = "spark.sql.catalog.spark_catalog"

DELTA = {EXTENSIONS: DELTA_EXTENSION, SPARK_CATALOG: DELTA_CATALOG}

TIME_ZONE = "spark.sql.session.timeZone"

# For every session that the product makes itself.
SESSION = {
    # A date must not depend on the machine's time zone.
    TIME_ZONE: "UTC",
    # A list of codes is filtered while Parquet is read; above this many values (10 by default) only
    # the range from the lowest to the highest code would be.
    "spark.sql.parquet.pushdown.inFilterThreshold": "500",
    # Silver is written from rows in order of year and code: with a writer for each of this many years at a time
    # they need no second sort by year alone. Each holds a part of a file in memory.
    "spark.sql.maxConcurrentOutputFileWriters": "8",
    # The log of a Delta table is read in 50 tasks by default; ours have few files, on a cluster too.
    "spark.databricks.delta.snapshotPartitions": "1",
    # Asking the statistics which files to pass over is a query of its own, before each reading: longer than the
    # reading of a small table, and in vain where every file of a year holds every code.
    "spark.databricks.delta.stats.skipping": "false",
    # For its messages PySpark notes the place of every column expression, by several calls of Java each: seconds of a
    # run. Our messages name the fault in the user's terms, not its place in our code.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # Before it makes a letter small, the library of all languages' letters makes a table of every letter there is: two
    # seconds in each Java. Java's own rules give the same for the words that a column is compared with.
    "spark.sql.icu.caseMappings.enabled": "false",
}

DEFAULT_DRIVER_MEMORY = "4g"

# Spark makes one method of a query over many columns. Java leaves a method of more than 8,000 bytes to its interpreter:
# the ingest of ten million claim lines took 335 processor seconds so, and 199 with this option.
COMPILE_ALL = "-XX:-DontCompileHugeMethods"

# Java starts with the room that it would ask for step by step, each time after going through all that it holds.
_ROOM = "-XX:MetaspaceSize=256m -XX:InitialRAMPercentage=5"

# Java's options where the driver does the work too. A run is some hundred queries, most of them over next to nothing,
# so that half of the processor's time goes into compiling code that is used a few times: the second compiler waits
# until code is used four times as often as by default. And the collector of throughput, as nobody waits for an answer.
# Whoever gives `spark.driver.extraJavaOptions` replaces them whole: two collectors together are an error to Java.
DRIVER_JAVA_OPTIONS = (
    "-XX:+UseParallelGC -XX:Tier4InvocationThreshold=20000 -XX:Tier4MinInvocationThreshold=5000 "
    f"-XX:Tier4CompileThreshold=60000 -XX:Tier4BackEdgeThreshold=400000 {_ROOM} {COMPILE_ALL}"
)


class Work(StrEnum):
    """How much a command works on, known before Spark starts: it decides how a Spark on this machine is set up.

    little: few files. light: more, of which few rows are worked on, as the codes pick them when silver is read.
    """

    LITTLE = "little"
    LIGHT = "light"
    MUCH = "much"


# For little and for light work in one process, most of which is planning queries and compiling code that is hardly
# used: the first compiler only, whose code has 48 MB of room by default, which a minute's run fills.
LITTLE_JAVA_OPTIONS = f"-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC -XX:NewRatio=1 {_ROOM}"
JAVA_OPTIONS = {
    Work.LITTLE: LITTLE_JAVA_OPTIONS,
    Work.LIGHT: f"{LITTLE_JAVA_OPTIONS} {COMPILE_ALL}",
    Work.MUCH: DRIVER_JAVA_OPTIONS,
}
# One task, no second planning at run time. Classes are made for a query all the same: without, a field of 50 MB took
# all memory.
LITTLE = {
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    # Each sort and each join asks for a page of memory, of 64 MB by default, and Java fills it with zeros.
    "spark.buffer.pageSize": "1m",
}
LITTLE_BYTES, LIGHT_BYTES = 16 * 2**20, 512 * 2**20
"""The most bytes of files that are little work, and those of silver that are light work."""


def local_settings() -> dict[str, str]:
    """Return what suits a Spark that runs in one process on this machine."""
    cores = os.cpu_count() or 2
    return {
        "spark.ui.enabled": "false",
        # Spark's bar would write over the product's own progress.
        "spark.ui.showConsoleProgress": "false",
        # 200 by default, for a cluster; each costs a task, also when it holds next to nothing.
        "spark.sql.shuffle.partitions": str(max(16, 8 * cores)),
        # What a task sorts before it writes silver: half of the 128 MiB that Spark takes by default stays in memory.
        "spark.sql.files.maxPartitionBytes": "64m",
        # Not a folder `spark-warehouse` wherever the job is started from: every table has a path of its own.
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir(), "claimatlas-warehouse")),
    }


def without_huge_methods(java_options: str) -> dict[str, str]:
    """Return what keeps Spark from methods that the Java of the tasks would not compile; its options decide.

    Each expression becomes a method then: the ingest of ten million lines took 249 processor seconds.
    """
    return {} if COMPILE_ALL in java_options else {"spark.sql.codegen.hugeMethodLimit": "8000"}


def is_provided_by_variables() -> bool:
    """Say whether the environment names a session: that of Databricks, or of a Spark Connect server."""
    remote = (REMOTE_VARIABLE, "SPARK_CONNECT_MODE_ENABLED", DATABRICKS_VARIABLE)
    return any(name in os.environ for name in remote) or os.environ.get("SPARK_API_MODE") == "connect"


def conf_folder(home: Path | None = None) -> Path:
    """Return the folder where Spark is going to look for its settings; `home`: of Spark, else `SPARK_HOME`."""
    return Path(os.environ.get(CONF_VARIABLE) or Path(home or os.environ.get("SPARK_HOME", ""), "conf"))


def spark_defaults(home: Path | None = None) -> dict[str, str]:
    """Read the `spark-defaults.conf` that Spark is going to read; `home`: of Spark, else `SPARK_HOME`."""
    try:
        text = (conf_folder(home) / "spark-defaults.conf").read_text(encoding="utf-8")
    except OSError:
        return {}
    lines = (line.strip() for line in text.splitlines())
    pairs = (re.split(r"\s*[=:\s]\s*", line, maxsplit=1) for line in lines if line and line[0] not in "#!")
    return {pair[0]: pair[-1] for pair in pairs if len(pair) > 1}
