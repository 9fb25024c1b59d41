"""Listening to a viewer and its layers, with an end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Connections:
    """Remembers what listens to what, so that all of it can be taken away at once."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, Callable[..., Any]]] = []

    def add(self, emitter: Any, callback: Callable[..., Any]) -> None:
        """Call something at each event.

        Parameters
        ----------
        emitter : napari's EventEmitter
        callback : callable
            A bound method: napari keeps no hold of it.
        """
        emitter.connect(callback)
        self._made.append((emitter, callback))

    def clear(self) -> None:
        """Listen no more."""
        for emitter, callback in self._made:
            emitter.disconnect(callback)
        self._made.clear()
