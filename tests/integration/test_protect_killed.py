"""`protect` is killed (kill -9) at moments of a whole run: no version of a published table has what no audit passed."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("highspy", reason="the extra publish is not installed")

from claimatlas.auditing.run import audit
from claimatlas.configuration import load_configuration
from claimatlas.configuration.publication import load_publication
from claimatlas.processes import Workers
from publication.country import configuration, counts_of_release, gold_rows, versions, write_gold

pytestmark = [pytest.mark.integration, pytest.mark.long]

DELAYS = (0.0, 0.003, 0.01, 0.03)
"""Seconds after a line of progress at which the process is killed."""
MOMENTS = 50


def started(output: Path, conf: Path) -> subprocess.Popen[str]:
    program = Path(sys.executable).with_name("claimatlas")
    command = [str(program), "protect", "--output", str(output), "--conf", str(conf)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def killed_after(output: Path, conf: Path, lines: int, delay: float) -> int:
    """The exit code of a run that is killed so long after so many lines of progress."""
    process = started(output, conf)
    assert process.stderr is not None
    for _ in itertools.islice(process.stderr, lines):
        pass
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.stderr.read()
    return process.wait()


def test_killed_at_fifty_moments(tmp_path: Path) -> None:
    conf = configuration(tmp_path / "conf")
    output = write_gold(tmp_path / "output", gold_rows(counts_of_release(0)))
    whole = started(output, conf)
    assert whole.stderr is not None
    lines = len(whole.stderr.read().splitlines())
    assert whole.wait() == 0
    former = sorted(map(str, versions(output, "cells")[-1]))
    write_gold(output, gold_rows(counts_of_release(1)), release=2)
    loaded = load_configuration(str(conf))
    publication = load_publication(loaded)
    moments = list(itertools.islice(itertools.cycle(itertools.product(range(lines), DELAYS)), MOMENTS))
    killed = 0
    for after, delay in moments:
        code = killed_after(output, conf, after, delay)
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        for rows in versions(output, "cells"):
            # Of the release that is protected all or nothing.
            assert sorted(str(row) for row in rows if row["release"] == 1) in ([], former)
        assert audit(str(output), loaded, publication, Workers()).texts() == []
        foreign = [path for path in output.rglob("*") if "protection" in path.name and path.parent != output]
        assert foreign == []
    assert killed >= MOMENTS * 0.9
    assert started(output, conf).wait() == 0
    assert audit(str(output), loaded, publication, Workers()).texts() == []
