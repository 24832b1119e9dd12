"""The workflow of hosted CI and the pre-commit hooks: they run what is there, and each test file once."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
SHARDED = sorted(
    file.relative_to(ROOT).as_posix()
    for folder in ("integration", "deployment", "generative", "hostile")
    for file in (ROOT / "tests" / folder).glob("test_*.py")
)


@pytest.mark.parametrize("file", SHARDED)
def test_each_file_is_in_one_shard(file: str) -> None:
    shards = WORKFLOW["jobs"]["integration"]["strategy"]["matrix"]["shard"]
    assert sum(any(fnmatch(file, pattern) for pattern in shard.split()) for shard in shards) == 1


def test_every_job_has_a_limit_and_runs_what_is_there() -> None:
    for name, job in WORKFLOW["jobs"].items():
        assert job["timeout-minutes"] <= 350, name
        called = [step["run"] for step in job["steps"] if "run" in step]
        assert called, name
        for command in called:
            for target in re.findall(r"\bmake ([a-z-]+)", command):
                assert target in TARGETS, f"{name}: there is no target {target}"


def test_the_workflow_may_only_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_hooks_run_the_programs_of_make_lint() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in HOOKS:
        program = hook["entry"].removeprefix(".venv/bin/")
        assert hook["language"] == "system"
        assert program == "python -m scripts.documents --check" or f"$(BIN)/{program}" in makefile
