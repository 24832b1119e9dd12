"""An S3 server on loopback, and what Spark needs to reach it; both come from the public registries.

The server is versitygw (Apache-2.0), built from its Go module: buckets are folders and objects are files in them.
"""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from claimatlas.spark.jars import IVY_SETTINGS
from integration.console import plain_environment, submit

GATEWAY = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
ACCESS, SECRET, REGION = "claims-reader", "not-a-secret-of-anybody", "us-east-1"
BUILD_SECONDS, PATIENCE = 1200, 60

HADOOP, SDK = "3.5.0", "2.35.4"
PACKAGES = (
    f"org.apache.hadoop:hadoop-aws:{HADOOP}",
    # In place of `bundle`, which has every service of AWS in 600 MB.
    f"software.amazon.awssdk:s3:{SDK}",
    f"software.amazon.awssdk:s3-transfer-manager:{SDK}",
    f"software.amazon.awssdk:sts:{SDK}",
)
EXCLUDED = (
    "software.amazon.awssdk:bundle",
    # What Spark has itself.
    *("io.netty:*", "org.slf4j:*", "org.apache.httpcomponents:*", "commons-codec:*", "commons-logging:*"),
)


@dataclass(frozen=True)
class S3:
    """A running server: its address, and the folder of its buckets."""

    address: str
    buckets: Path

    def settings(self, folder: Path) -> dict[str, str]:
        """Spark's settings for it; the client's JARs are fetched by Ivy into ``folder``."""
        ivy = folder / "ivysettings.xml"
        ivy.write_text(IVY_SETTINGS, encoding="utf-8")
        client = {
            "endpoint": self.address,
            "endpoint.region": REGION,
            "access.key": ACCESS,
            "secret.key": SECRET,
            "path.style.access": "true",
            "connection.ssl.enabled": "false",
            "aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        }
        return {
            "spark.jars.packages": ",".join(PACKAGES),
            "spark.jars.excludes": ",".join(EXCLUDED),
            "spark.jars.ivy": str(folder / "ivy"),
            "spark.jars.ivySettings": ivy.as_uri(),
            **{f"spark.hadoop.fs.s3a.{name}": value for name, value in client.items()},
        }


PUT = """\
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
for source, target in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    there = spark._jvm.org.apache.hadoop.fs.Path(target)
    store = there.getFileSystem(spark._jsc.hadoopConfiguration())
    store.copyFromLocalFile(spark._jvm.org.apache.hadoop.fs.Path(source), there)
"""


def put(server: S3, folders: Mapping[Path, str], beside: Path) -> None:
    """Copy folders into the server by Spark's client: files laid into a bucket's folder would have no ETag."""
    beside.mkdir()
    script = beside / "put.py"
    script.write_text(PUT, encoding="utf-8")
    arguments = [text for source, target in folders.items() for text in (source.as_uri(), target)]
    said = submit(script, arguments, plain_environment(beside, with_package=False), server.settings(beside))
    assert said.code == 0, said.everything


def build(folder: Path) -> Path:
    """The server's program."""
    done = subprocess.run(
        ["go", "install", GATEWAY],
        # Without C, as its support for RDMA needs libraries that few have.
        env={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "versitygw"


@contextmanager
def running(program: Path, folder: Path) -> Iterator[S3]:
    """The server, with a bucket `claims` and a bucket `results`."""
    buckets, beside = folder / "buckets", folder / "metadata"
    for bucket in (buckets / "claims", buckets / "results", beside):
        bucket.mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [str(program), "--access", ACCESS, "--secret", SECRET, "--region", REGION, "--port", address]
    # Metadata in a folder beside, as not every file system has attributes for it.
    command += ["--health", "/health", "posix", "--sidecar", str(beside), str(buckets)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await(process, f"http://{address}/health", folder / "server.log")
        yield S3(f"http://{address}", buckets)
    finally:
        process.terminate()
        process.wait(20)


def _await(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(health, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.1)
