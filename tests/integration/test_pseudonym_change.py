"""Another key of pseudonyms than the last ingest had: silver knows which it is, and says what may be left of it."""

from pathlib import Path

import pytest
from claimatlas.cli import main
from claimatlas.commands.pseudonym_key import KEY_FILE_VARIABLE, KEY_VARIABLE
from claimatlas.errors import InputError
from claimatlas.ingest.pseudonym_key import pseudonym_key
from claimatlas.ingest.silver_marker import FORMER_IDS, key_of_silver, require_same_key
from claimatlas.tables.store import Store
from comparison import read
from integration.inputs import write_small
from pyspark.sql import SparkSession

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

FIRST, SECOND = "the first key, which is long enough", "the second key, which is long enough"
NAMES = {text: pseudonym_key(text.encode()).fingerprint for text in (FIRST, SECOND)}


def test_a_change_of_the_key_is_noticed(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(KEY_FILE_VARIABLE, raising=False)
    source, output = write_small(tmp_path / "input"), tmp_path / "output"
    store = Store(spark, str(output))

    def ingest(key: str | None) -> str:
        if key is None:
            monkeypatch.delenv(KEY_VARIABLE, raising=False)
        else:
            monkeypatch.setenv(KEY_VARIABLE, key)
        code = main(["ingest", "--input", str(source), "--output", str(output)])
        said = capsys.readouterr().err
        assert code == 0, said
        return said

    assert FORMER_IDS not in ingest(None)
    assert key_of_silver(store) is None
    require_same_key(store, None)
    with pytest.raises(InputError) as caught:
        require_same_key(store, NAMES[FIRST])
    assert f"without a pseudonym key, and this input comes with the pseudonym key {NAMES[FIRST]}" in str(caught.value)

    assert f"Note: {FORMER_IDS}" in ingest(FIRST)
    assert key_of_silver(store) == NAMES[FIRST]
    ids = {row["beneficiary_id"] for row in read(output, "silver/claims")}
    assert {len(name) for name in ids} == {64}
    require_same_key(store, NAMES[FIRST])
    for other in (None, NAMES[SECOND]):
        with pytest.raises(InputError, match=f"with the pseudonym key {NAMES[FIRST]}, and this input comes"):
            require_same_key(store, other)

    assert FORMER_IDS not in ingest(FIRST)
    assert f"Note: {FORMER_IDS}" in ingest(SECOND)
    assert ids.isdisjoint(row["beneficiary_id"] for row in read(output, "silver/claims"))


def test_a_key_that_cannot_be_used_is_wrong_usage(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(KEY_FILE_VARIABLE, raising=False)
    monkeypatch.setenv(KEY_VARIABLE, "too short")
    source, output = write_small(tmp_path / "input"), tmp_path / "output"
    assert main(["run-year", "--input", str(source), "--output", str(output), "--year", "2022"]) == 2
    said = capsys.readouterr().err
    assert "is too short" in said
    assert not output.exists()
    # A job that takes nothing in needs no key.
    assert main(["run-year", "--output", str(output), "--year", "2022"]) == 2
    assert "There is no silver" in capsys.readouterr().err
