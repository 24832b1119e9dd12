"""Former names of options still work, and a note says the new ones."""

import argparse

import pytest
from claimatlas.cli import parser_of
from claimatlas.commands.old_names import OLD_NAMES


def parsed(*arguments: str) -> argparse.Namespace:
    found: argparse.Namespace = parser_of("run-year").parse_args(["--output", "OUT", "--year", "2023", *arguments])
    return found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--accept-jumps", "--allow-drift"),
        ("--accept-columns", "--allow-schema-change"),
        ("--everything", "--full-refresh"),
    ],
)
def test_a_former_name_does_what_the_new_one_does(old: str, new: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert parsed(old) == parsed(new)
    assert getattr(parsed(old), new.removeprefix("--").replace("-", "_")) is True
    assert f"Note: {old} is now {new}; the next version takes the new name only." in capsys.readouterr().err


def test_the_new_names_need_no_note(capsys: pytest.CaptureFixture[str]) -> None:
    parsed(*OLD_NAMES.values())
    assert capsys.readouterr().err == ""
