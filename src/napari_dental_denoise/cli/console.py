"""What the user sees: lines, progress bars, files that were left out, and Ctrl-C."""

from __future__ import annotations

import _thread
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

from napari_dental_denoise.errors import InputError

EXIT_DONE = 0
EXIT_SOME_LEFT_OUT = 1
EXIT_BAD_INPUT = 2
# As sysexits.h has it.
EXIT_FAILED = 70
EXIT_STOPPED = 130

PROGRAM = "napari-dental-denoise"
# Control characters, those that turn the direction of writing, and halves of letters.
STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def say(text: str = "") -> None:
    """One line for the reader, on stdout."""
    _print(text, sys.stdout)


def complain(text: str) -> None:
    """One line on stderr."""
    _print(printable(f"{PROGRAM}: {' '.join(text.split())}"), sys.stderr)


def printable(text: str) -> str:
    """One line; what would steer the terminal, as names of files may hold, is spelled out."""
    return STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def _print(text: str, stream: TextIO) -> None:
    # Names of files need be no text, nor of letters that the terminal has.
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def report_left_out(errors: Sequence[InputError]) -> None:
    """Name each file that was left out, with its reason, on stderr."""
    for error in errors:
        complain(f"left out: {error}")


def exit_code(done: int, left_out: int) -> int:
    """0 where all went well, 1 where some files were left out, 2 where nothing was done."""
    if left_out == 0:
        return EXIT_DONE
    return EXIT_SOME_LEFT_OUT if done else EXIT_BAD_INPUT


def progress_bar(total: int, unit: str) -> tqdm:
    """A bar on stderr with an ETA, where stderr is a terminal."""
    return tqdm(total=total, unit=unit, disable=None, dynamic_ncols=True, smoothing=0.05)


def minutes_and_seconds(seconds: float) -> str:
    """A duration as 1:05 or 1:02:03."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


class StopRequest:
    """Whether the user asked to stop, and whether the work looks at it."""

    def __init__(self) -> None:
        self.asked = False
        self.heeded = False

    def ask(self, *_signal: object) -> None:
        """Note the first request; a second one stops at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        complain("stopping, and keeping the best model; press again to quit at once")


def stop_with_stdin(request: StopRequest) -> None:
    """Ask to stop when standard input ends, as it does when the program at its other end goes."""

    def wait() -> None:
        # Not sys.stdin: a thread that waits holds its lock, which nobody else could take any more.
        while os.read(0, 4096):
            pass
        request.asked = True
        if not request.heeded:
            _thread.interrupt_main()

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def graceful_stop(request: StopRequest) -> Iterator[None]:
    """While the block runs, the first Ctrl-C (or SIGTERM) is a request, which the block looks at."""
    request.heeded = True
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, request.ask) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
