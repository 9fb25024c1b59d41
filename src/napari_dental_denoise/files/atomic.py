"""Write a file whole or not at all; what a killed program left half written is swept away by the next one."""

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

PREFIX = ".writing"


def refuse_existing(path: Path) -> None:
    """Raise if something of that name is there already, be it a link that leads nowhere."""
    _check_name(path, overwrite=False)


def _check_name(path: Path, *, overwrite: bool) -> None:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    # A name that is too long is told before the work, not behind it.
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    if not overwrite:
        raise InputError(
            f"{path} is there already: choose another name, or replace it by --overwrite (in Python, overwrite=True)"
        )


def _unwritable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: cannot be written ({reason(error)})")


def check_folder(path: Path) -> None:
    """Raise if `path` cannot be written where it is; better now than after hours of work."""
    _check_name(path, overwrite=True)
    probe = _temporary(path)
    write_bytes(probe, b"", overwrite=False)
    probe.unlink()


@contextlib.contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary name in the same folder, which takes the place of `path` when the block ends well.

    A file that is replaced hands on its permissions. A link of that name is replaced itself: what it
    leads to, which may be an input, stays as it is.

    Parameters
    ----------
    path : Path
        The file to write; its folder is made where it is missing.
    overwrite : bool
        Replace a file of that name.

    Yields
    ------
    Path
        With the suffix of `path`; to be written by the block.

    Raises
    ------
    InputError
        If the file is there already, or cannot be written.
    """
    _check_name(path, overwrite=overwrite)
    place = _replace if overwrite else _place
    temporary = _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent.absolute())
        yield temporary
        _flush(temporary)
        place(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _replace(temporary: Path, path: Path) -> None:
    if path.is_file() and not path.is_symlink():
        # Some file systems have no permissions to hand on.
        with contextlib.suppress(OSError):
            shutil.copymode(path, temporary)
    temporary.replace(path)


def _place(temporary: Path, path: Path) -> None:
    """Only where nothing is: another program may have written there since it was looked."""
    try:
        os.link(temporary, path)
    except OSError:
        # Something is there, or the file system has no hard links.
        refuse_existing(path)
        temporary.replace(path)


def _temporary(path: Path) -> Path:
    """A name that tells whose it is."""
    return path.with_name(f"{PREFIX}-{_this_machine()}-{os.getpid()}-{secrets.token_hex(6)}{path.suffix}")


@lru_cache(maxsize=1)
def _this_machine() -> str:
    """Where the number of a process means something: this computer or, of a container, its own numbers."""
    numbers = str(Path("/proc/self/ns/pid").readlink()) if sys.platform == "linux" else ""
    return hashlib.sha256(f"{platform.node()} {numbers}".encode()).hexdigest()[:10]


@lru_cache(maxsize=1024)
def _sweep(folder: Path) -> None:
    """Remove, once for each folder, what processes of this machine left that are no more."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{PREFIX}-{_this_machine()}-*"):
            process = path.name.split("-")[2]
            if process.isdecimal() and not _is_running(int(process)):
                path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    """Whether a process of that number runs on this machine; on Windows, whether it is this one."""
    if sys.platform == "win32":
        # A signal would end it there; and of others, a file that is open cannot be removed.
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_bytes(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write `data` to `path`, whole or not at all; see `replacing`."""
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str, *, overwrite: bool) -> None:
    """Write `text` to `path` in UTF-8, whole or not at all; see `replacing`."""
    write_bytes(path, text.encode(), overwrite=overwrite)


def write_array(path: Path, array: NDArray[np.generic]) -> None:
    """Write an array as `.npy` in place of the one before, whole or not at all."""
    data = io.BytesIO()
    np.save(data, array, allow_pickle=False)
    write_bytes(path, data.getvalue(), overwrite=True)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
