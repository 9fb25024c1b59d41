"""Preloaded by worker processes: Ctrl-C reaches all processes, and the main one ends the others."""

from __future__ import annotations

import signal


def dask_setup(_worker: object) -> None:
    """Ignore Ctrl-C, which the main process handles; Dask calls this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
