"""Access to paths: missing, empty, forbidden or readable files."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from napari_dental_denoise.errors import ImageReadError, InputError


def stat_or_none(path: Path) -> os.stat_result | None:
    """Return the stat result of a path, links followed, or None if nothing exists there.

    Raises InputError if it cannot be determined: a locked folder, a name that is too long, a missing drive.
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    # Python raises ValueError for a name with NUL.
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from error


def is_folder(path: Path) -> bool:
    """Return whether `path` is an accessible folder; `Path.is_dir` raises if a parent is locked or a drive missing."""
    return _is(path.stat, stat.S_ISDIR)


def is_file(path: Path) -> bool:
    """Return whether `path` is an accessible regular file; see `is_folder`."""
    return _is(path.stat, stat.S_ISREG)


def is_name(path: Path) -> bool:
    """Return whether the name is taken, even by a broken link; see `is_folder`."""
    return _is(path.lstat, bool)


def _is(look: Callable[[], os.stat_result], kind: Callable[[int], bool]) -> bool:
    try:
        return kind(look().st_mode)
    except (OSError, ValueError):
        return False


def reason(error: Exception) -> str:
    """Return why a file cannot be read or written, in a few words."""
    return getattr(error, "strerror", None) or str(error)


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading; raise ImageReadError unless it is a readable, non-empty regular file."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageReadError(path, "no such file") from error
    except (OSError, ValueError) as error:
        raise ImageReadError(path, f"cannot be read ({reason(error)})") from error
    if stat.S_ISDIR(found.st_mode) and not os.access(path, os.R_OK | os.X_OK):
        raise ImageReadError(path, "is a folder that cannot be read")
    if not stat.S_ISREG(found.st_mode):
        raise ImageReadError(path, "is not a regular file")
    if found.st_size == 0:
        raise ImageReadError(path, "is empty (0 bytes)")
    try:
        return path.open("rb")
    except OSError as error:
        raise ImageReadError(path, f"cannot be read ({reason(error)})") from error


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a file; none of a path that is not a regular file, such as a pipe."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(count)
    except (OSError, ValueError):
        return b""


def free_path(wanted: Path) -> Path:
    """Return the wanted path, or the first numbered one of that name that does not exist."""
    numbered = (wanted.with_name(f"{wanted.stem}-{count}{wanted.suffix}") for count in itertools.count(2))
    return next(path for path in itertools.chain([wanted], numbered) if not is_name(path))
