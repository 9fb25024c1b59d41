"""Turn whatever a library raises while it reads a file into one error, and keep its warnings and logs unseen."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from napari_dental_denoise.errors import ImageReadError, InputError

# The loggers of pydicom, tifffile and Pillow; a filter of a logger does not hold for its children.
LOGGERS = (
    *("pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.encoders.base", "pydicom.pixels.utils", "tifffile"),
    *("PIL.Image", "PIL.ImageFile", "PIL.PcxImagePlugin", "PIL.PngImagePlugin", "PIL.TiffImagePlugin"),
)

_reading = ContextVar("reading", default=False)
_warn = warnings.warn


@wraps(_warn)
def _warn_unless_reading(
    message: Any, category: Any = None, stacklevel: int = 1, source: Any = None, **options: Any
) -> None:
    if not _reading.get():
        _warn(message, category, stacklevel + 1, source, **options)


def _is_heard(_record: logging.LogRecord) -> bool:
    return not _reading.get()


# Once for the whole process, and without effect but in a thread that reads. Warning filters could not do it: they
# belong to all threads, and any block of `catch_warnings` of another thread takes them away or brings them back.
warnings.warn = _warn_unless_reading
for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_is_heard)


@contextmanager
def unseen() -> Iterator[None]:
    """Keep what libraries warn and log in this thread unseen: it may quote values of a file, such as names."""
    token = _reading.set(True)
    try:
        # numpy has warnings of its own for arithmetic with the values of damaged files.
        with np.errstate(all="ignore"):
            yield
    finally:
        _reading.reset(token)


@contextmanager
def reading_errors(path: Path, reason: str) -> Iterator[None]:
    """Raise ImageReadError with this reason for any error but an InputError; keep warnings and logs unseen."""
    with unseen():
        try:
            yield
        except InputError:
            raise
        except PermissionError:
            raise ImageReadError(path, "cannot be read (Permission denied)") from None
        # Such libraries have exceptions of their own, without a common base, wherever a file lies; found by fuzzing.
        except Exception:  # noqa: BLE001 (see above)
            # Not "from" it: its text may quote values of the file, which a traceback would show.
            raise ImageReadError(path, reason) from None
