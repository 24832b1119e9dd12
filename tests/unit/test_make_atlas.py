"""``make atlas``: which commands it runs, on which plan, and when it stops."""

from pathlib import Path

import pytest
import yaml

from scripts import atlas

Commands = list[list[str]]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The commands that were run, each of which does next to nothing; ``generate`` fails for nobody."""
    ran: Commands = []

    def run(command: list[str]) -> int:
        ran.append(command)
        output = Path(command[command.index("--output") + 1])
        if command[0] == "protect":
            (output / "protection").mkdir(parents=True)
            (output / "protection" / "review_1.json").write_text("{}", encoding="utf-8")
        return 2 if command[0] == "generate" and command[command.index("--beneficiaries") + 1] == "0" else 0

    monkeypatch.setattr(atlas, "claimatlas", run)
    monkeypatch.setattr(atlas, "FOLDER", tmp_path / "atlas")
    return ran


def test_counts_are_drawn_protected_and_published_with_the_hash_of_the_report(commands: Commands) -> None:
    assert atlas.main(["--years", "2023", "--beneficiaries", "1000"]) == 0
    assert [command[0] for command in commands] == ["generate", "protect", "publish"]
    empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert commands[2][-2:] == ["--review", empty]


def test_a_smaller_plan_of_the_same_levels_is_protected(commands: Commands) -> None:
    atlas.main(["--years", "2023"])
    conf = Path(commands[1][commands[1].index("--conf") + 1])
    rules = yaml.safe_load((conf / "publication.yaml").read_text(encoding="utf-8"))
    shipped = yaml.safe_load((atlas.ROOT / "conf" / "publication.yaml").read_text(encoding="utf-8"))
    assert rules["plan"] == atlas.PLAN
    assert list(rules["plan"]) == list(shipped["plan"])
    assert {**rules, "plan": None} == {**shipped, "plan": None}


def test_more_years_are_drawn_than_published(commands: Commands) -> None:
    """A trend takes years that the site does not show."""
    assert atlas.main(["--years", "2019-2023", "--published-years", "2023"]) == 0
    drawn, protected, _ = commands
    assert drawn[drawn.index("--years") + 1] == "2019-2023"
    assert protected[protected.index("--years") + 1] == "2023"


def test_it_stops_at_the_first_command_that_fails(commands: Commands) -> None:
    assert atlas.main(["--beneficiaries", "0"]) == 2
    assert [command[0] for command in commands] == ["generate"]
