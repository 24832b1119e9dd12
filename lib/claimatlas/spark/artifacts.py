"""The versions of Spark and Delta that go together, and Delta's files with their checksums.

The one place for versions and sums outside the lock files. Only the standard library is used.
"""

from __future__ import annotations

from dataclasses import dataclass

SPARK_VERSION = "4.2.0"
DELTA_VERSION = "4.4.0"


@dataclass(frozen=True)
class Jar:
    """One published file of Delta: its artifact's name and the SHA-256 of its content."""

    artifact: str
    sha256: str

    @property
    def coordinate(self) -> str:
        """The name by which Ivy and Maven know it."""
        return f"io.delta:{self.artifact}:{DELTA_VERSION}"

    @property
    def file_name(self) -> str:
        """The name of the file, as Maven Central has it."""
        return f"{self.artifact}-{DELTA_VERSION}.jar"


JARS = (
    Jar("delta-spark_4.2_2.13", "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead"),
    Jar("delta-storage", "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc"),
    Jar("delta-kernel-api", "ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11"),
    Jar("delta-kernel-defaults", "225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b"),
    Jar("delta-kernel-unitycatalog", "cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa"),
)

# What the five ask for and Spark already has, often in another version.
EXCLUDED_GROUPS = (
    "com.fasterxml.jackson.core",
    "com.fasterxml.jackson.datatype",
    "com.github.luben",
    "com.google.code.findbugs",
    "commons-logging",
    "commons-pool",
    "io.airlift",
    "io.unitycatalog",
    "javax.annotation",
    "org.antlr",
    "org.apache.hadoop",
    "org.apache.logging.log4j",
    "org.apache.parquet",
    "org.locationtech.jts",
    "org.roaringbitmap",
    "org.slf4j",
    "org.xerial.snappy",
)
