"""Count how often files are opened."""

import sys
from collections import Counter
from contextlib import contextmanager

_counters: list[Counter[str]] = []


def _count(event, arguments):
    if event == "open":
        for counter in _counters:
            counter[str(arguments[0])] += 1


@contextmanager
def counted_opens():
    """Count how often each file is opened by Python, by whatever library."""
    if not hasattr(counted_opens, "is_installed"):
        # An audit hook cannot be taken away again.
        sys.addaudithook(_count)
        counted_opens.is_installed = True
    counter = Counter()
    _counters.append(counter)
    try:
        yield counter
    finally:
        _counters.remove(counter)
