"""Make whatever goes wrong inside a library that reads a file one error with the file's name."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_dental_denoise.errors import ImageReadError, InputError

# Files are read in threads, and what silences a library swaps the warning filters of the whole process.
# One reader may call another.
_one_at_a_time = threading.RLock()


@contextmanager
def refusing(path: Path, reason: str, library: str) -> Iterator[None]:
    """Refuse the file, with this reason, for any error inside; keep what the library warns and logs to itself.

    Parameters
    ----------
    path : Path
        The file.
    reason : str
    library : str
        Name of its log.
    """
    with quiet(library):
        try:
            yield
        except InputError:
            raise
        # Such libraries have exceptions of their own, without a common base, wherever a file lies; found by fuzzing.
        except Exception:  # noqa: BLE001 (see above)
            # Not "from" it: its text may quote values of the file, which a traceback would show.
            raise ImageReadError(path, reason) from None


@contextmanager
def quiet(library: str) -> Iterator[None]:
    """Keep what a library warns and logs to itself: it may quote values, and a value may name a patient."""
    log = logging.getLogger(library)
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Its modules have logs of their own: those that have a level, and those that take that of the library.
        silenced = [child for child in [log, *_children(library)] if not child.disabled]
        level = log.level
        try:
            log.setLevel(logging.CRITICAL + 1)
            for child in silenced:
                child.disabled = True
            yield
        finally:
            for child in silenced:
                child.disabled = False
            log.setLevel(level)


def _children(library: str) -> list[logging.Logger]:
    known = dict(logging.Logger.manager.loggerDict)
    return [log for name, log in known.items() if name.startswith(f"{library}.") and isinstance(log, logging.Logger)]
