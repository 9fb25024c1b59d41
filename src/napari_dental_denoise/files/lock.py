"""A lock file beside the file that a run writes; the operating system releases it when its process ends."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files.paths import reason

# Errors of file systems without locks, where the block runs all the same.
WITHOUT_LOCKS = (errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS)


@contextlib.contextmanager
def locked(written: Path, busy: str) -> Iterator[None]:
    """Keep other runs from writing a file while the block runs; raise InputError with the text `busy` if one does."""
    path = written.with_name(f".{written.name}.lock")
    held = FileLock(path, blocking=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held.acquire()
    except Timeout as error:
        raise InputError(f"{written}: {busy}") from error
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise InputError(f"{written}: cannot be written ({reason(error)})") from error
    try:
        yield
    finally:
        # While it is locked: afterwards it may be another run's. On Windows, releasing removes it.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        held.release()
