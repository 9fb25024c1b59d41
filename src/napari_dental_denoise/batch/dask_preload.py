"""What workers of this machine load first: Ctrl-C reaches all processes, and the first one ends the others."""

from __future__ import annotations

import signal


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C to the program that started the worker; Dask calls this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
