"""The first tier of tests names what is there, and a test is in the second unless it is named."""

import ast
from pathlib import Path

import pytest
from tiers import FIRST, SECOND, is_second

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("file", FIRST)
def test_every_file_of_the_first_tier_is_there(file: str) -> None:
    assert (TESTS / file).is_file()
    assert file.split("/", maxsplit=1)[0] in SECOND


@pytest.mark.parametrize(
    ("folder", "file", "test", "second"),
    [
        ("unit", "test_x.py", "test_y", False),
        ("spec", "test_x.py", "test_y", False),
        ("integration", "test_faults.py", "test_killed", True),
        ("integration", "test_gold.py", "test_nobody_is_in_gold", False),
        ("integration", "test_bad_input.py", "test_one_message_and_nothing_written[no_claims]", False),
        ("integration", "test_bad_input.py", "test_one_message_and_nothing_written[no_gzip_at_all]", True),
    ],
)
def test_a_test_is_in_the_second_tier_unless_it_is_named(folder: str, file: str, test: str, second: bool) -> None:
    assert is_second(folder, file, test) is second


def test_names_of_tests_in_the_first_tier_are_of_tests() -> None:
    for file, texts in FIRST.items():
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        source = (TESTS / file).read_text(encoding="utf-8")
        for text in texts:
            part = text.strip("[]-")
            assert any(part in name for name in names) or part in source or "field_cases" in file, f"{file}: {text}"
