"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.core.errors import InputError


def refuse_existing(path: Path) -> None:
    """Raise if something of that name is there already."""
    if path.exists():
        raise InputError(f"{path} is there already: choose another name, or allow it to be replaced with --overwrite")


def check_folder(path: Path) -> None:
    """Raise if no file can be written beside `path`; better now than after hours of work."""
    probe = path.with_name(f".writing-{secrets.token_hex(8)}")
    write_bytes(probe, b"", overwrite=False)
    probe.unlink()


@contextlib.contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary name in the same folder, which takes the place of `path` when the block ends well.

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
    if not overwrite:
        refuse_existing(path)
    temporary = path.with_name(f".writing-{secrets.token_hex(8)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        if not overwrite:
            refuse_existing(path)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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
