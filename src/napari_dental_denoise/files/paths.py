"""Files as they are found: missing, empty, forbidden, or to be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from napari_dental_denoise.errors import ImageReadError, InputError


def look_at(path: Path) -> os.stat_result | None:
    """What there is of that name, links followed, or None.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If it cannot be told: a locked folder, a name that is too long, a drive that is gone.
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    # No name holds NUL: for that alone, Python has a ValueError.
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from error


def is_folder(path: Path) -> bool:
    """Whether it is seen to be a folder; `Path.is_dir` raises where a parent is locked or a drive is gone."""
    return _is(path.stat, stat.S_ISDIR)


def is_file(path: Path) -> bool:
    """Whether it is seen to be a regular file; see `is_folder`."""
    return _is(path.stat, stat.S_ISREG)


def is_name(path: Path) -> bool:
    """Whether something is seen to have that name, be it a link that leads nowhere; see `is_folder`."""
    return _is(path.lstat, bool)


def _is(look: Callable[[], os.stat_result], kind: Callable[[int], bool]) -> bool:
    try:
        return kind(look().st_mode)
    except (OSError, ValueError):
        return False


def reason(error: Exception) -> str:
    """Why a file cannot be read or written, in a few words."""
    return getattr(error, "strerror", None) or str(error)


def check_is_file(path: Path) -> None:
    """Refuse what is missing, no regular file, empty, or not allowed."""
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


def first_bytes(path: Path, count: int) -> bytes:
    """The beginning of a file; nothing of what is none, such as a pipe, at which reading would wait."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(count)
    except (OSError, ValueError):
        return b""


def read_file(path: Path) -> bytes:
    """All of a file."""
    check_is_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageReadError(path, f"cannot be read ({reason(error)})") from error
