"""How much work a command has, by the files that it reads, before Spark starts."""

import argparse
from pathlib import Path

import pytest
from claimatlas.commands.sessions import work_of, work_on
from claimatlas.spark.settings import LIGHT_BYTES, LITTLE_BYTES, Work


def written(file: Path, size: int) -> Path:
    """A file of this size, that takes no room."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.truncate(size)
    return file


def arguments(output: Path, **given: object) -> argparse.Namespace:
    return argparse.Namespace(output=str(output), **given)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, Work.LITTLE),
        (LITTLE_BYTES, Work.LITTLE),
        (LITTLE_BYTES + 1, Work.LIGHT),
        (LIGHT_BYTES, Work.LIGHT),
        (LIGHT_BYTES + 1, Work.MUCH),
    ],
)
def test_silver_alone_is_little_light_or_much(size: int, expected: Work, tmp_path: Path) -> None:
    written(tmp_path / "out" / "silver" / "claims" / "year=2023" / "part", size)
    assert work_of(arguments(tmp_path / "out")) is expected
    assert work_of(arguments(tmp_path / "out", input=None, claims=None)) is expected


@pytest.mark.parametrize(("size", "expected"), [(LITTLE_BYTES, Work.LITTLE), (LITTLE_BYTES + 1, Work.MUCH)])
def test_an_input_is_little_or_much_as_each_of_its_rows_is_worked_on(size: int, expected: Work, tmp_path: Path) -> None:
    written(tmp_path / "in" / "claims" / "part", size)
    assert work_of(arguments(tmp_path / "out", input=str(tmp_path / "in"))) is expected
    assert work_of(arguments(tmp_path / "out", claims=tmp_path / "in" / "claims")) is expected


def test_the_files_of_input_and_output_count_together(tmp_path: Path) -> None:
    written(tmp_path / "in" / "part", LITTLE_BYTES)
    written(tmp_path / "out" / "part", 1)
    assert work_of(arguments(tmp_path / "out", input=str(tmp_path / "in"))) is Work.MUCH


def test_where_only_spark_can_tell_it_is_much(tmp_path: Path) -> None:
    assert work_of(arguments(tmp_path / "out", input="catalog.schema")) is Work.MUCH
    assert work_on(["s3://bucket/out"]) is Work.MUCH
    assert work_on(["catalog.schema"]) is Work.MUCH
