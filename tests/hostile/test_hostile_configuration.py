"""Mutated settings, mappings, code lists: a configuration that is sound, or one clear message; nothing is run."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.snapshot import restored, snapshot
from claimatlas.errors import InputError

from hostile.configurations import CANARY, ConfigurationMutant, mutate, small_configuration
from hostile.mutations import MUTANTS, SEED, random_of, within

SECONDS = 20


def outcome_of(mutant: ConfigurationMutant) -> str:
    """What becomes of it; anything but a refusal or a sound configuration is raised."""
    with within(SECONDS):
        try:
            configuration = load_configuration(str(mutant.folder), mutant.overrides)
        except InputError as error:
            assert str(error).strip(), "a refusal without a word"
            assert " at 0x" not in str(error), str(error)
            return "refused"
        assert_sound(configuration)
    return "accepted"


def assert_sound(configuration: Configuration) -> None:
    """It can be named, kept with a run, and repeated from what was kept."""
    assert 0 <= configuration.settings.max_rejected_share <= 1
    for code_list in configuration.code_lists.values():
        assert all(100_000 <= row.code <= 999_999 for row in code_list.rows)
    hashes = configuration.hashes
    with restored(snapshot(configuration)) as again:
        assert again.hashes == hashes


def test_every_mutant_is_refused_or_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = small_configuration(tmp_path / "small")
    outcomes: Counter[tuple[str, str]] = Counter()
    failures = []
    for number in range(MUTANTS // 5):
        dice = random_of("configuration", number)
        mutant = ConfigurationMutant(Path(shutil.copytree(small, tmp_path / f"mutant{number}")))
        kind = mutate(mutant, dice)
        try:
            outcomes[kind, outcome_of(mutant)] += 1
        except Exception as error:
            failures.append(f"{kind}, number {number}: {mutant.what}: {type(error).__name__}: {str(error)[:300]}")
        else:
            shutil.rmtree(mutant.folder)
    print(f"configuration, seed {SEED}: {outcomes.total()} mutants, {dict(sorted(outcomes.items()))}")
    assert not failures, f"seed {SEED}: {len(failures)} failed; kept in {tmp_path}\n" + "\n".join(failures)
    assert not (tmp_path / CANARY).exists(), "something in a configuration was run"


def test_the_small_configuration_is_sound_and_its_mutants_differ(tmp_path: Path) -> None:
    small = small_configuration(tmp_path / "small")
    assert outcome_of(ConfigurationMutant(small)) == "accepted"
    spoilt = ConfigurationMutant(Path(shutil.copytree(small, tmp_path / "spoilt")), ["episode_rule=never"])
    assert outcome_of(spoilt) == "refused"


def test_a_judge_that_sees_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ConfigurationMutant(small_configuration(tmp_path / "small"))

    def fails(*_: object) -> None:
        raise ValueError("not a refusal")

    monkeypatch.setattr("hostile.test_hostile_configuration.load_configuration", fails)
    with pytest.raises(ValueError, match="not a refusal"):
        outcome_of(small)
