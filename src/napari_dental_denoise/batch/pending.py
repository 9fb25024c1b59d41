"""The files that the workers of a cluster have been given, and what becomes of those on which a worker died."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_dental_denoise.batch.inputs import Item
from napari_dental_denoise.batch.process import failed
from napari_dental_denoise.batch.report import UNFINISHED, Record
from napari_dental_denoise.batch.run import Outcome
from napari_dental_denoise.errors import InputError

if TYPE_CHECKING:
    from distributed import Client, Future

# So many files wait for each thread of a worker: enough to keep it busy, few enough to hold no memory.
FILES_AHEAD = 3
# A file on which so many workers died is tried by itself, and if so many die again, it is at fault.
DEATHS_ALLOWED = 2
SECONDS_BETWEEN_LOOKS = 5.0
# What becomes of a file's state when the connection to the scheduler is lost.
GONE = ("cancelled", "lost")
SCHEDULER_GONE = "the scheduler is gone: start it again, and the same command goes on"


@dataclass(frozen=True)
class Given:
    """A file that a worker has, and the same as it is given out again after that worker's death.

    A worker may die between its writing and its saying so: what was not there at first is ours then.
    """

    item: Item
    again: Item
    when: float


class InFlight:
    """The files that the workers have been given: some for each thread, as workers come and go.

    Parameters
    ----------
    client : distributed.Client
    submit : callable
        Gives a file to the cluster.
    again : callable
        From a file that no worker has had yet to the same for a second try.
    """

    def __init__(self, client: Client, submit: Callable[[Item], Future], again: Callable[[Item], Item]) -> None:
        from distributed import as_completed

        self._client, self._submit, self._again = client, submit, again
        self._waiting = as_completed()
        self._given: dict[str, Given] = {}
        # Of files on which workers died, how many. All that waited at such a worker are suspects, and one at a time
        # at the end tells which of them it was.
        self._deaths: Counter[int] = Counter()
        self._suspects: deque[Item] = deque()
        self._workers: set[str] = set()
        self._looked_at = self._left_at = -math.inf
        self._most = 0

    def outcomes(self, items: Iterator[Item | Outcome]) -> Iterator[Outcome]:
        """What came of each file, as it is done.

        Raises
        ------
        InputError
            If the scheduler is gone.
        """
        while True:
            yield from self._fill(items)
            if not self._given:
                if not self._suspects:
                    return
                suspect = self._suspects.popleft()
                self._give(suspect, suspect)
            future = next(self._waiting)
            if future.status in GONE or self._client.status != "running":
                raise InputError(SCHEDULER_GONE)
            record = self._record(self._given.pop(future.key), future)
            future.release()
            if record is not None:
                yield record

    def _fill(self, items: Iterator[Item | Outcome]) -> Iterator[Outcome]:
        """Give out files as long as there is room; what needs no work is passed on."""
        while len(self._given) < self._room():
            item = next(items, None)
            if item is None:
                return
            if isinstance(item, Item):
                self._give(item, self._again(item))
            else:
                yield item

    def _give(self, item: Item, again: Item) -> None:
        future = self._submit(item)
        self._given[future.key] = Given(item, again, time.monotonic())
        self._waiting.add(future)

    def _room(self) -> int:
        """How many files may be out; never none, for a cluster without workers just now gets some again."""
        if time.monotonic() - self._looked_at > SECONDS_BETWEEN_LOOKS:
            self._look()
        return self._most

    def _look(self) -> None:
        """See which workers there are, and whether one has left."""
        try:
            threads = self._client.nthreads()
        except (OSError, TimeoutError) as error:
            raise InputError(SCHEDULER_GONE) from error
        self._looked_at = time.monotonic()
        if not self._workers <= set(threads):
            self._left_at = self._looked_at
        self._workers, self._most = set(threads), max(sum(threads.values()), 1) * FILES_AHEAD

    def _record(self, given: Given, future: Future) -> Record | None:
        """What came of a file; None of one that is given out again."""
        from distributed import KilledWorker

        item = given.again
        try:
            record: Record = future.result()
        except KilledWorker as error:
            by_itself = item.number in self._deaths
            self._deaths[item.number] += error.allowed_failures + 1
            if by_itself:
                return failed(item, f"{self._deaths[item.number]} workers died while they had it", UNFINISHED)
            self._suspects.append(item)
            return None
        except ImportError as error:
            return failed(item, f"a worker lacks what this program needs ({error})", UNFINISHED)
        # Whatever else a worker raises costs one file. Its text is left out: it could quote the file.
        except Exception as error:  # noqa: BLE001 (see above)
            return failed(item, f"the worker failed ({type(error).__name__})", UNFINISHED)
        # The scheduler gives a file of a dead worker to the next one, which may find what that one wrote.
        if record.error and given.item != item and self._has_left_since(given.when):
            self._give(item, item)
            return None
        return record

    def _has_left_since(self, when: float) -> bool:
        """Whether a worker has died or gone."""
        self._look()
        return self._left_at > when
