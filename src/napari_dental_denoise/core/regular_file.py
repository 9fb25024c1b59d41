"""Files as they are found: missing, empty, forbidden, or to be read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from napari_dental_denoise.core.errors import ImageReadError


def check_is_file(path: Path) -> None:
    """Refuse what is missing, no regular file, empty, or not allowed."""
    try:
        if not path.exists():
            raise ImageReadError(path, "no such file")
        if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
            raise ImageReadError(path, "is a folder that cannot be read")
        if not path.is_file():
            raise ImageReadError(path, "is not a regular file")
        if path.stat().st_size == 0:
            raise ImageReadError(path, "is empty (0 bytes)")
    except OSError as error:
        raise ImageReadError(path, f"cannot be read ({error.strerror})") from error


def first_bytes(path: Path, count: int) -> bytes:
    """The beginning of a file; nothing of what is none, such as a pipe, at which reading would wait."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""


def read_file(path: Path) -> bytes:
    """All of a file."""
    check_is_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageReadError(path, f"cannot be read ({error.strerror})") from error


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal text."""
    check_is_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageReadError(path, f"cannot be read ({error.strerror})") from error
