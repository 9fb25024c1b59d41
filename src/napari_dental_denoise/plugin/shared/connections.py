"""Event connections that can be ended together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any


class Connections(ExitStack):
    """Connections to napari's event emitters; `close` disconnects all of them."""

    def add(self, emitter: Any, method: Callable[..., Any]) -> None:
        """Call a bound method, to which napari keeps a weak reference, at each event of an emitter."""
        emitter.connect(method)
        self.callback(emitter.disconnect, method)
