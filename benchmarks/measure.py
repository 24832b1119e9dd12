"""Run a command as a process of its own, and measure it from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.disk import size_of

_INTERVAL = 1.0
"""Seconds between two looks at the memory: each, of a process with gigabytes, takes some hundredths of a second."""


ROOT = Path(__file__).resolve().parents[1]
"""The checkout, which every command is started in."""


@dataclass(frozen=True)
class Measured:
    """What a process took.

    seconds: from its start to its end. cpu_seconds: of it and the processes it started.
    peak_memory: the largest sum of their resident memory that was seen, shared pages counted once, in bytes.
    peak_temporary: the largest size of the folder of temporary files that was seen, in bytes.
    failure: why it has no result; empty when it ended well.
    """

    seconds: float
    cpu_seconds: float
    peak_memory: int
    failure: str = ""
    peak_temporary: int = 0


def measure(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    memory_limit: int,
    temporary: Path | None = None,
) -> Measured:
    """Run a command to its end, or until its processes hold more than ``memory_limit`` bytes.

    The memory, and the folder ``temporary``, are looked at once a second: a shorter peak may be missed.
    """
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        peak, peak_temporary, cpu, failure = 0, 0, 0.0, ""
        try:
            while process.poll() is None:
                memory, cpu_now = _held(process.pid)
                peak, cpu = max(peak, memory), max(cpu, cpu_now)
                if temporary is not None:
                    peak_temporary = max(peak_temporary, size_of(temporary))
                if memory > memory_limit:
                    failure = f"needed more than {memory_limit / 2**30:.0f} GiB"
                    break
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_INTERVAL)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    seconds = time.perf_counter() - started
    if process.returncode and not failure:
        failure = f"ended with {process.returncode}"
    return Measured(seconds, cpu, peak, failure, peak_temporary)


def _held(pid: int) -> tuple[int, float]:
    """Resident memory and processor time of a process and all below it."""
    memory, cpu = 0, 0.0
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0, 0.0
    for process in family:
        try:
            with process.oneshot():
                # One that is about to become another program still has its parent's memory: not a second time.
                if process.pid != pid and process.cmdline() == psutil.Process(process.ppid()).cmdline():
                    continue
                memory += process.memory_full_info().pss
                times = process.cpu_times()
                cpu += times.user + times.system
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue  # It ended between the listing and the look.
    return memory, cpu
