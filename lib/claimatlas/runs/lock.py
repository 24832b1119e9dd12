"""One run at a time on an output: an advisory lock that a dead process cannot leave behind."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from claimatlas.errors import ConcurrentRunError, InputError

if TYPE_CHECKING:
    from claimatlas.tables.store import Store

LOCK_FILE = ".claimatlas.lock"


@contextmanager
def exclusive(store: Store) -> Iterator[None]:
    """Hold the output for this run.

    Only a local folder can be locked, where its file system has locks; on an object store and in a catalog Delta's own
    conflict checks remain.

    Raises:
        ConcurrentRunError: another run holds it.
        InputError: the folder cannot be written.
    """
    if not store.is_local:
        yield
        return
    root = Path(store.path("")).resolve()
    file = root / LOCK_FILE
    descriptor = _acquire(file, root)
    try:
        yield
    finally:
        _release(file, descriptor)
        with suppress(OSError):  # The folder is not empty: it holds tables.
            root.rmdir()


@contextmanager
def holding(file: Path, folder: Path) -> Iterator[None]:
    """Hold a lock file, which is created if missing and removed at the end. ``folder``: the folder that it guards.

    Raises:
        ConcurrentRunError: another run holds it.
        InputError: it cannot be made.
    """
    descriptor = _acquire(file, folder)
    try:
        yield
    finally:
        _release(file, descriptor)


@contextmanager
def workspace(store: Store) -> Iterator[None]:
    """Hold the output for this run with ``silver/`` closed to others; remove its intermediate results at the end.

    Raises:
        ConcurrentRunError: another run holds it.
        InputError: the folder cannot be written.
    """
    with exclusive(store):
        try:
            # Remove what a killed run left behind.
            store.clear_work()
            store.make_private()
            yield
        finally:
            store.clear_work()


def _acquire(file: Path, folder: Path) -> int:
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise InputError(f"The output folder {folder} cannot be written ({error.strerror}).") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise ConcurrentRunError(f"Another run writes to {folder}; wait for its end.") from None
        except OSError:
            return descriptor  # A mounted store, a volume: its file system has no locks.
        with suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == file.stat().st_ino:
                return descriptor
        os.close(descriptor)


def _release(file: Path, descriptor: int) -> None:
    # Remove the file while the lock is held: a run that waits for this file then sees that it is gone.
    file.unlink(missing_ok=True)
    os.close(descriptor)
