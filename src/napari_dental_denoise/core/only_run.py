"""A file beside a report that says which process writes it; what a killed one left is taken over."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from napari_dental_denoise.core.atomic import is_running, this_machine
from napari_dental_denoise.core.errors import InputError


@contextlib.contextmanager
def only_run(report: Path) -> Iterator[None]:
    """While the block runs, no other run may write this report.

    Parameters
    ----------
    report : Path

    Raises
    ------
    InputError
        If another run writes it, or the folder cannot be written to.
    """
    lock = report.with_name(f".{report.name}.lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        if _is_left_behind(lock):
            lock.unlink(missing_ok=True)
        with lock.open("x", encoding="ascii") as file:
            file.write(f"{this_machine()} {os.getpid()}")
    except FileExistsError as error:
        raise InputError(
            f"{report}: another run writes this report: wait for its end, or name another one with --report; if there "
            f"is none any more, remove {lock}"
        ) from error
    except OSError as error:
        raise InputError(f"{report}: cannot be written ({error.strerror})") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.unlink(missing_ok=True)


def _is_left_behind(lock: Path) -> bool:
    """Whether it is of a process of this machine that is no more."""
    try:
        machine, _, process = lock.read_text(encoding="ascii").partition(" ")
    except (OSError, ValueError):
        return False
    return machine == this_machine() and process.isdecimal() and not is_running(int(process))
