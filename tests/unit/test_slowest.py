"""The table of the slowest tests is what pytest printed."""

from scripts.slowest import NUMBER, as_markdown, durations

LOG = """
============================= slowest durations ==============================
12.50s setup    tests/unit/test_a.py::test_first[a | b]
0.30s call     tests/unit/test_a.py::test_first[a | b]
0.01s teardown tests/unit/test_a.py::test_first[a | b]
3.25s call     tests/spec/test_b.py::TestSome::test_second
3 passed in 20.0s
"""


def test_phases_of_a_test_are_added_and_the_slowest_is_first() -> None:
    rows = as_markdown(durations([LOG, "40.00s call     tests/unit/test_c.py::test_third\n"]), "All.").splitlines()[6:]
    assert rows == [
        "| 40.0 | 0.0 | `unit/test_c.py::test_third` |",
        "| 12.8 | 12.5 | `unit/test_a.py::test_first[a \\| b]` |",
        "| 3.2 | 0.0 | `spec/test_b.py::TestSome::test_second` |",
    ]


def test_only_the_slowest_are_shown() -> None:
    log = "".join(f"{number}.00s call     tests/unit/test_a.py::test_{number}\n" for number in range(1, NUMBER + 11))
    rows = as_markdown(durations([log]), "All.").splitlines()[6:]
    assert len(rows) == NUMBER
    assert rows[-1] == "| 11.0 | 0.0 | `unit/test_a.py::test_11` |"
