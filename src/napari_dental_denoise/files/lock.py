"""A file beside another one that a run holds locked while it writes there; the lock ends with its process."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files.paths import reason


@contextlib.contextmanager
def only_run(written: Path, busy: str) -> Iterator[None]:
    """While the block runs, no other run may write this file, where the file system has locks.

    Parameters
    ----------
    written : Path
    busy : str
        What to say where another run writes it.

    Raises
    ------
    InputError
        If another run writes it, or the folder cannot be written to.
    """
    path = written.with_name(f".{written.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(path)
    except OSError as error:
        raise InputError(f"{written}: cannot be written ({reason(error)})") from error
    if file is None:
        raise InputError(f"{written}: {busy}")
    try:
        yield
    finally:
        _end(path, file)


def _locked(path: Path) -> IO[bytes] | None:
    """The file, open and locked; None where another run has it."""
    while True:
        file = path.open("ab")
        if not _lock(file):
            file.close()
            return None
        # A run that ended just now has removed what was locked here.
        if _is_still(path, file):
            return file
        file.close()


def _is_still(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _lock(file: IO[bytes]) -> bool:
    """Whether no other run has it."""
    try:
        _take(file)
    except TAKEN:
        return False
    except OSError:
        # No locks there: it is gone on without.
        return True
    return True


if sys.platform == "win32":
    import msvcrt

    TAKEN = PermissionError

    def _take(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _end(path: Path, file: IO[bytes]) -> None:
        # What another run has opened meanwhile cannot be removed.
        file.close()
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

else:
    import fcntl

    TAKEN = BlockingIOError

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _end(path: Path, file: IO[bytes]) -> None:
        # While it is locked: afterwards, it may be another run's.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        file.close()
