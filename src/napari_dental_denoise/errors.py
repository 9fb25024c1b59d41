"""Errors that a user can act on: what was expected, what was received, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InputError(ValueError):
    """A file, folder or parameter that cannot be used, with the reason in one line.

    Examples
    --------
    >>> from napari_dental_denoise import InputError, phantom
    >>> try:
    ...     phantom((8, 8))
    ... except InputError as error:
    ...     print(error)
    shape must be (height, width) of at least 32 pixels each; received (8, 8)
    """


class ImageReadError(InputError):
    """An image file that cannot be read.

    Parameters
    ----------
    path : Path
        The file.
    reason : str
        What is wrong with the file, without its name.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from napari_dental_denoise import ImageReadError, read_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scan = Path(folder, "scan.png")
    ...     scan.touch()
    ...     try:
    ...         read_image(scan)
    ...     except ImageReadError as error:
    ...         print(error.reason)
    is empty (0 bytes)
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name or path}: {reason}")
        self.path = path
        self.reason = reason


@contextmanager
def needed_for(purpose: str, package: str) -> Iterator[None]:
    """Raise InputError if the block, which imports a package, fails: the package is missing or broken."""
    try:
        yield
    # A broken package raises whatever its code runs into.
    except Exception as error:
        reason = f"{error}".strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"{package} cannot be imported ({reason[0][:200]}); it is needed for {purpose}: pip install {package}"
        ) from error
