"""What `deltalake` is told of an S3 store: what Spark's settings say, or why Spark must read it."""

from pathlib import Path

import pytest
from claimatlas.commands.storage_options import storage_options
from claimatlas.tables.reader import NotReadableError

OUTPUT = "s3a://bucket/atlas"
KEYS = {"access.key": "me", "secret.key": "mine"}
KEY_OPTIONS = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "mine"}


@pytest.fixture(autouse=True)
def _plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_SUBMIT_ARGS", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))


def said(folder: Path, **settings: str) -> None:
    """Settings of Spark's S3 client, `_` for the dots of their names."""
    lines = [f"spark.hadoop.fs.s3a.{name.replace('_', '.')} {value}\n" for name, value in settings.items()]
    (folder / "spark-defaults.conf").write_text("".join(lines), encoding="utf-8")


def options(output: str = OUTPUT) -> dict[str, str]:
    """Without those that say how long to wait."""
    found = storage_options(output)
    return {name: value for name, value in found.items() if name.startswith("AWS_")}


def test_a_folder_needs_none() -> None:
    assert storage_options("/tables") == storage_options("file:///tables") == {}


def test_keys_and_an_address(tmp_path: Path) -> None:
    said(
        tmp_path,
        access_key="me",
        secret_key="mine",
        session_token="now",
        endpoint="127.0.0.1:9000",
        endpoint_region="eu-west-1",
        connection_ssl_enabled="false",
        path_style_access="true",
    )
    assert options() == {
        **KEY_OPTIONS,
        "AWS_SESSION_TOKEN": "now",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "AWS_ALLOW_HTTP": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
    }


def test_those_of_the_bucket_win(tmp_path: Path) -> None:
    said(tmp_path, access_key="other", secret_key="mine", bucket_bucket_access_key="me", bucket_another_secret_key="no")
    assert options() == KEY_OPTIONS


def test_options_of_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    given = " ".join(f"--conf spark.hadoop.fs.s3a.{name}={value}" for name, value in KEYS.items())
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", f"{given} pyspark-shell")
    assert options() == KEY_OPTIONS


def test_the_environment_gives_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    assert options() == {}


def test_nobody_in_particular(tmp_path: Path) -> None:
    said(tmp_path, aws_credentials_provider="org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider")
    assert options() == {"AWS_SKIP_SIGNATURE": "true"}


def test_an_address_without_encryption_is_not_assumed(tmp_path: Path) -> None:
    said(tmp_path, access_key="me", secret_key="mine", endpoint="s3.example.org")
    assert options() == {**KEY_OPTIONS, "AWS_ENDPOINT_URL": "https://s3.example.org", "AWS_ALLOW_HTTP": "false"}


@pytest.mark.parametrize(
    ("output", "settings", "why"),
    [
        (OUTPUT, {}, "neither its settings"),
        (OUTPUT, {"access_key": "me", "aws_credentials_provider": "org.example.Ours"}, "come from Ours"),
        ("abfss://a@b.dfs.core.windows.net/c", {}, "needs Spark"),
        ("dbfs:/Volumes/main/raw", {}, "needs Spark"),
        ("file://host/tables", {}, "needs Spark"),
        ("file:///my%20tables", {}, "its name has a character"),
    ],
)
def test_what_spark_must_read(tmp_path: Path, output: str, settings: dict[str, str], why: str) -> None:
    said(tmp_path, **settings)
    with pytest.raises(NotReadableError, match=why):
        storage_options(output)


def test_what_was_said_to_spark_submit_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    with pytest.raises(NotReadableError, match="spark-submit"):
        storage_options(OUTPUT)
