"""Give `deltalake` access to the object store of an output, from Spark's settings and the environment.

It supports S3 only: with other stores it was not tried whether both understand the same settings.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from itertools import pairwise
from urllib.parse import urlsplit

from claimatlas.paths import is_remote
from claimatlas.spark.jars import spark_home
from claimatlas.spark.java_start import SUBMIT_ARGUMENTS
from claimatlas.spark.settings import spark_defaults
from claimatlas.tables.reader import NotReadableError

_HADOOP = "spark.hadoop."
_S3A = "fs.s3a."
_OPTIONS = {
    "access.key": "AWS_ACCESS_KEY_ID",
    "secret.key": "AWS_SECRET_ACCESS_KEY",
    "session.token": "AWS_SESSION_TOKEN",
    "endpoint.region": "AWS_REGION",
}
_OF_THE_ENVIRONMENT = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""With one of these `deltalake` finds credentials by itself."""
_SIMPLE, _ANONYMOUS = "SimpleAWSCredentialsProvider", "AnonymousAWSCredentialsProvider"
_KNOWN_PROVIDERS = {
    _SIMPLE,
    _ANONYMOUS,
    "TemporaryAWSCredentialsProvider",
    "EnvironmentVariableCredentialsProvider",
    "DefaultCredentialsProvider",
    "IAMInstanceCredentialsProvider",
}
# Do not wait for a store that does not answer: Spark takes over.
_PATIENCE = {"connect_timeout": "5s", "timeout": "60s", "max_retries": "2", "retry_timeout": "20s"}


def storage_options(output: str) -> dict[str, str]:
    """The options for the tables of an output, which is no schema of a catalog; none for a folder of this machine.

    Raises:
        NotReadableError: saying what stands in the way.
    """
    if not is_remote(output):
        return {}
    if any(sign in output for sign in "%?#"):
        # Spark takes them as they stand, deltalake as signs of a URI.
        raise NotReadableError(
            f"{output} is read by Spark: its name has a character (%, ? or #) with a meaning in URIs."
        )
    parts = urlsplit(output)
    if parts.scheme == "file" and not parts.netloc:
        return {}
    if parts.scheme not in ("s3", "s3a"):
        raise NotReadableError(f"{output} needs Spark: without it, only tables in a folder or in S3 can be read.")
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        raise NotReadableError(f"{output} is read by Spark: its settings were given to spark-submit.")
    return _s3_options(output, _settings_of(parts.netloc, _spark_settings()))


def _spark_settings() -> dict[str, str]:
    """The settings that Spark would start with: its settings file, and options that a notebook may have left."""
    settings = spark_defaults(spark_home())
    try:
        words = shlex.split(os.environ.get(SUBMIT_ARGUMENTS, ""))
    except ValueError:  # Spark's own start says so.
        return settings
    for option, given in pairwise(words):
        if option == "--conf" and "=" in given:
            name, _, value = given.partition("=")
            settings[name] = value
    return settings


def _settings_of(bucket: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The settings of Spark's S3 client, by the end of their names; those of the bucket win."""
    found: dict[str, str] = {}
    for start in (_HADOOP + _S3A, f"{_HADOOP}{_S3A}bucket.{bucket}."):
        found |= {name.removeprefix(start): value for name, value in settings.items() if name.startswith(start)}
    return found


def _s3_options(output: str, given: Mapping[str, str]) -> dict[str, str]:
    providers = {
        name.strip().rpartition(".")[2] for name in given.get("aws.credentials.provider", "").split(",") if name.strip()
    }
    if providers - _KNOWN_PROVIDERS:
        raise NotReadableError(
            f"{output} is read by Spark: its credentials come from {', '.join(sorted(providers - _KNOWN_PROVIDERS))}."
        )
    options = {option: given[name] for name, option in _OPTIONS.items() if name in given}
    if _ANONYMOUS in providers:
        options["AWS_SKIP_SIGNATURE"] = "true"
    elif "AWS_ACCESS_KEY_ID" not in options and not any(name in os.environ for name in _OF_THE_ENVIRONMENT):
        raise NotReadableError(
            f"{output} is read by Spark: neither its settings ({_HADOOP}{_S3A}access.key) nor the environment "
            "(AWS_ACCESS_KEY_ID) give credentials."
        )
    if "endpoint" in given:
        endpoint = given["endpoint"]
        if "://" not in endpoint:
            scheme = "http" if given.get("connection.ssl.enabled") == "false" else "https"
            endpoint = f"{scheme}://{endpoint}"
        options["AWS_ENDPOINT_URL"] = endpoint
        options["AWS_ALLOW_HTTP"] = "true" if endpoint.startswith("http://") else "false"
    if given.get("path.style.access") == "true":
        options["AWS_VIRTUAL_HOSTED_STYLE_REQUEST"] = "false"
    return options | _PATIENCE
