"""What is on disk when `protect` dies: never a cell that the audit did not pass, and the former release as it was."""

from pathlib import Path

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

from claimatlas.auditing.run import audit
from claimatlas.cli import main
from claimatlas.configuration import load_configuration
from claimatlas.configuration.publication import load_publication
from claimatlas.processes import Workers
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.schemas import PUBLISHED_AUDITS
from publication.country import configuration, counts_of_release, gold_rows, versions, write_gold
from shipped import PUBLISHED_CELLS

RUN = "claimatlas.protection.run"
CHOOSING = "claimatlas.protection.choosing"
MOMENTS = [
    (module, name, call)
    for module, name, calls in (
        (RUN, "cells_of", 1),
        (RUN, "plan", 1),
        (RUN, "links_of", 1),
        (RUN, "know_what_was_shown", 1),
        (RUN, "mark", 1),
        (CHOOSING, "Audit.protect", 1),
        (CHOOSING, "Audit.goals", 8),
        (CHOOSING, "Cleaning.clean", 1),
        (CHOOSING, "prove", 1),
        (CHOOSING, "Audit.check_worlds", 1),
        (CHOOSING, "Audit.begin_again", 2),
        (CHOOSING, "Audit.restore", 1),
        (RUN, "rows_of_year", 1),
        (RUN, "add_comparisons", 1),
        (RUN, "write_rows", 2),
        (RUN, "_write_patterns", 1),
    )
    for call in range(0, calls, max(1, calls // 4))
]


class Killed(BaseException):
    """The end of the process, which nothing may catch."""


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return configuration(tmp_path_factory.mktemp("conf"))


@pytest.mark.parametrize("error", [Killed, OSError], ids=["killed", "disk full"])
def test_dying_at_any_moment(
    error: type[BaseException], conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = write_gold(tmp_path / "output", gold_rows(counts_of_release(0)))
    arguments = ["protect", "--output", str(output), "--conf", str(conf)]
    assert main(arguments) == 0
    former = sorted(map(str, versions(output, "cells")[-1]))
    write_gold(output, gold_rows(counts_of_release(1)), release=2)
    loaded = load_configuration(str(conf))
    publication = load_publication(loaded)
    died = 0
    for module, name, call in MOMENTS:
        with monkeypatch.context() as patched:
            dies_at(patched, (module, name), call, error)
            try:
                code = main(arguments)
            except Killed:
                code = 1
        died += code != 0
        for rows in versions(output, "cells"):
            assert sorted(str(row) for row in rows if row["release"] == 1) in ([], former)
        assert audit(str(output), loaded, publication, Workers()).texts() == []
    assert died == len(MOMENTS)
    audits = DeltaReader(str(output)).rows(PUBLISHED_AUDITS)
    cells = DeltaReader(str(output)).rows(PUBLISHED_CELLS)
    assert {row["release"] for row in audits} <= {row["release"] for row in cells}


def dies_at(patched: pytest.MonkeyPatch, target: tuple[str, str], call: int, error: type[BaseException]) -> None:
    """Let the function die on that call, the first being 0."""
    from importlib import import_module

    owner: object = import_module(target[0])
    *path, name = target[1].split(".")
    for part in path:
        owner = getattr(owner, part)
    real = getattr(owner, name)
    calls = [0]

    def dying(*arguments: object, **named: object) -> object:
        calls[0] += 1
        if calls[0] > call:
            raise error("No space left on device")
        return real(*arguments, **named)

    patched.setattr(owner, name, dying)
