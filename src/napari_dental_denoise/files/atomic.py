"""Atomic writing: a file is replaced whole or not at all. Temporary files of dead processes are removed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import platform
import secrets
import shutil
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files.paths import reason
from napari_dental_denoise.validation import check_flag

PREFIX = ".writing"


def check_name(path: Path, *, overwrite: bool) -> None:
    """Raise InputError if the name cannot be used or, unless `overwrite`, is taken, even by a broken link."""
    check_flag("overwrite", overwrite)
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    # Such as a name that is too long.
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    if not overwrite:
        raise InputError(
            f"{path} already exists: choose another name, or replace it with --overwrite (in Python, overwrite=True)"
        )


def _unwritable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: cannot be written ({reason(error)})")


def check_folder(path: Path) -> None:
    """Raise InputError unless `path` can be written, by writing a temporary file beside it."""
    check_name(path, overwrite=True)
    temporary = _temporary(path)
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        temporary.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


@contextlib.contextmanager
def atomic_write(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its suffix; rename it to `path` if the block ends without an error.

    A missing folder is created. A file that is replaced passes on its permissions. A link is replaced itself; its
    target, which may be an input, is not changed. Raises InputError if `path` exists and `overwrite` is false, or if
    it cannot be written.
    """
    check_name(path, overwrite=overwrite)
    move = _replace if overwrite else _move_to_free_name
    temporary = _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent.absolute())
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        move(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield the path of a folder to write; rename it to `path` if the block ends without an error; see `atomic_write`.

    With `overwrite`, whatever lies at `path` is replaced.
    """
    check_name(path, overwrite=overwrite)
    temporary, before = _temporary(path), _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent.absolute())
        yield temporary
        check_name(path, overwrite=overwrite)
        with contextlib.suppress(FileNotFoundError):
            path.rename(before)
        temporary.rename(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _remove(temporary)
        if path.exists():
            _remove(before)


def _remove(path: Path) -> None:
    """Remove a file or a folder, as far as possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _replace(temporary: Path, path: Path) -> None:
    if path.is_file() and not path.is_symlink():
        # Some file systems have no permissions.
        with contextlib.suppress(OSError):
            shutil.copymode(path, temporary)
    temporary.replace(path)


def _move_to_free_name(temporary: Path, path: Path) -> None:
    """Fail if `path` exists, even if another program has written it since it was checked."""
    try:
        os.link(temporary, path)
    except OSError:
        # The name is taken, or the file system has no hard links.
        check_name(path, overwrite=False)
        temporary.replace(path)


def _temporary(path: Path) -> Path:
    """Return a path that names this host and process."""
    return path.with_name(f"{PREFIX}-{_host()}-{os.getpid()}-{secrets.token_hex(6)}{path.suffix}")


@lru_cache(maxsize=1)
def _host() -> str:
    """Return a digest of this computer and, in a container, of its process numbers."""
    namespace = str(Path("/proc/self/ns/pid").readlink()) if sys.platform == "linux" else ""
    return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:10]


@lru_cache(maxsize=1024)
def _sweep(folder: Path) -> None:
    """Remove, once for each folder, the temporary files of processes that have died on this host."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{PREFIX}-{_host()}-*"):
            process = path.name.split("-")[2]
            if process.isdecimal() and not _is_running(int(process)):
                _remove(path)


def _is_running(process: int) -> bool:
    """Return whether a process runs on this host; on Windows, whether it is this one."""
    if sys.platform == "win32":
        # There, a signal would end the process, and files that others hold open cannot be removed anyway.
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def write_bytes(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write `data` to `path`; see `atomic_write`."""
    with atomic_write(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str, *, overwrite: bool) -> None:
    """Write `text` to `path` in UTF-8; see `atomic_write`."""
    write_bytes(path, text.encode(), overwrite=overwrite)


def write_array(path: Path, array: NDArray[np.generic]) -> None:
    """Write an array as `.npy`, replacing an existing file; see `atomic_write`."""
    data = io.BytesIO()
    np.save(data, array, allow_pickle=False)
    write_bytes(path, data.getvalue(), overwrite=True)
