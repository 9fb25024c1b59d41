"""Console output: lines, progress bars, files that were left out; and Ctrl-C."""

from __future__ import annotations

import _thread
import contextlib
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TextIO

from tqdm import tqdm

from napari_dental_denoise.config import PROGRAM
from napari_dental_denoise.errors import InputError

EXIT_DONE = 0
EXIT_SOME_LEFT_OUT = 1
EXIT_BAD_INPUT = 2
# EX_SOFTWARE of sysexits.h.
EXIT_FAILED = 70
EXIT_STOPPED = 130
# Takes so long that a command without a word would look stuck.
LOADING_TENSORFLOW = "loading TensorFlow ..."

# Control characters, marks of writing direction and lone surrogates, as names of files may hold them.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


# What a command does; what it was asked for and errors are printed in any case.
NARRATION = logging.getLogger(PROGRAM)
NARRATION.setLevel(logging.INFO)


def set_verbosity(*, quiet: bool, verbose: bool) -> None:
    """Let a quiet run tell nothing of what it does, and a verbose one each file."""
    NARRATION.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)


def is_quiet() -> bool:
    """Return whether the user wants to be told results and errors only."""
    return not NARRATION.isEnabledFor(logging.INFO)


def is_verbose() -> bool:
    """Return whether the user wants to be told each file."""
    return NARRATION.isEnabledFor(logging.DEBUG)


def tell(text: str) -> None:
    """Print a line about what the command does on stdout, unless it is quiet."""
    if not is_quiet():
        echo_while_read(text)


def echo_while_read(text: str) -> None:
    """Print a line on stdout while someone reads it; without a reader, the work goes on."""
    try:
        echo(text)
    except BrokenPipeError:
        discard_stdout()


def discard_stdout() -> None:
    """Let nobody read stdout, whose reader has ended, as `head` does; Python would print another error on exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def echo(text: str = "") -> None:
    """Print a line on stdout."""
    _print(text, sys.stdout)


def echo_error(text: str) -> None:
    """Print one line on stderr, after the name of the program."""
    # Without a place for errors, the exit code tells.
    with contextlib.suppress(OSError):
        _print(printable(f"{PROGRAM}: {' '.join(text.split())}"), sys.stderr)


def printable(text: str) -> str:
    """Return the text with escape sequences for characters that would control the terminal."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def _print(text: str, stream: TextIO | None) -> None:
    if stream is None:  # closed by the shell, as >&- does
        return
    # A file name may hold characters that the encoding of the terminal lacks.
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def report_left_out(errors: Sequence[InputError]) -> None:
    """Print each file that was left out and the reason on stderr."""
    for error in errors:
        echo_error(f"left out: {error}")


def exit_code(done: int, left_out: int) -> int:
    """Return 0 if all files were done, 1 if some were left out, 2 if none was done."""
    if left_out == 0:
        return EXIT_DONE
    return EXIT_SOME_LEFT_OUT if done else EXIT_BAD_INPUT


def progress_bar(total: int, unit: str) -> tqdm:
    """Return a progress bar with an ETA on stderr; it shows nothing if quiet, or unless stderr is a terminal."""
    return tqdm(total=total, unit=unit, disable=is_quiet() or None, dynamic_ncols=True, smoothing=0.05)


class StopRequest:
    """A request of the user to stop."""

    def __init__(self) -> None:
        self.asked = False
        # The work checks `asked` and stops by itself.
        self.heeded = False

    def ask(self, *_signal: object) -> None:
        """Set `asked`; at the second call, raise KeyboardInterrupt."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        echo_error("stopping after the current step and keeping the best model; press Ctrl-C again to stop now")


def stop_with_stdin(request: StopRequest) -> None:
    """Ask to stop when standard input ends, as it does when the parent process ends."""

    def wait() -> None:
        # A thread waiting in sys.stdin would hold its lock for the rest of the process.
        while os.read(0, 4096):
            pass
        request.asked = True
        if not request.heeded:
            _thread.interrupt_main()

    threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def graceful_stop(request: StopRequest) -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM during the block into a request to stop."""
    request.heeded = True
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, request.ask) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
