"""Which tests `make test` runs of those that start programs, clusters and servers: the rest is in the second tier.

The first tier has all unit tests and scenarios, one submitted run against the reference, and of every other kind a
representative.
"""

from pathlib import PurePosixPath

SECOND = ("integration", "hostile", "generative", "deployment")
"""The folders of tests whose files are in the second tier unless they stand below."""

FIRST: dict[str, tuple[str, ...]] = {
    # The submitted run, from raw files to gold, against the reference and by its own rules.
    "integration/test_gold.py": (),
    "integration/test_other_hand.py": ("TestFromTheCheckout", "polars"),
    # Tables in each kind of place.
    "integration/test_local_table.py": (),
    "integration/test_store.py": ("[folder]", "[folder-"),
    # An input that is wrong: one of each family of messages.
    "integration/test_bad_input.py": (
        "no_claims",
        "no_column]",
        "other_headers",
        "a_date_as_a_number",
        "half_a_parquet_file]",
        "a_year_without_people",
        "a_share_above_one",
        "test_wrong_usage",
        "test_no_input_and_no_silver",
    ),
    "integration/test_field_cases.py": ("[base]", "[c01]", "[a01]"),
    "hostile/test_hostile_field.py": ("test_a_field_value_that_changed_in_silence_is_found",),
    "deployment/test_dockerfile.py": (),
    "deployment/test_kubernetes.py": (),
}
"""File, and which of its tests: those whose name holds one of these texts; all of them without any."""


def is_second(folder: str, file: str, test: str) -> bool:
    """Whether a test of ``tests/<folder>/…/<file>`` is in the second tier."""
    if folder not in SECOND:
        return False
    chosen = FIRST.get(str(PurePosixPath(folder, file)))
    return chosen is None or (bool(chosen) and not any(text in test for text in chosen))
