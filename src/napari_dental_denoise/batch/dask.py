"""Process files with Dask: on processes of this machine, or on an existing cluster."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_dental_denoise.batch import dask_preload
from napari_dental_denoise.batch.denoise_work import DenoiseWork
from napari_dental_denoise.batch.inputs import Item
from napari_dental_denoise.batch.process import Destination, Work, failed, is_there, process_item
from napari_dental_denoise.batch.report import UNFINISHED, Record
from napari_dental_denoise.batch.run import Outcome, Process
from napari_dental_denoise.config import MODEL_SUFFIX
from napari_dental_denoise.errors import InputError, needed_for
from napari_dental_denoise.files import write_bytes
from napari_dental_denoise.inference import Engine, cached_engine
from napari_dental_denoise.models import converted, sha256

if TYPE_CHECKING:
    from distributed import Client, Future

TIMEOUT = "20s"
SECONDS_FOR_WORKERS = 120
# So many files wait for each thread of a worker: enough to keep it busy, few enough to hold no memory.
FILES_AHEAD = 3
# A file on which so many workers died is tried alone, and if so many die again, it is at fault.
MAX_DEATHS = 2
SECONDS_BETWEEN_LOOKS = 5.0
# The states of a task after the connection to the scheduler was lost.
GONE = ("cancelled", "lost")
SCHEDULER_GONE = "the scheduler is gone: start it again, and repeat the command to continue"


@contextlib.contextmanager
def local_cluster(workers: int) -> Iterator[Client]:
    """Start worker processes on this machine; one that dies is replaced."""
    distributed = _distributed()
    options = {"dashboard_address": ":0", "silence_logs": "CRITICAL", "preload": [dask_preload.__name__]}
    with (
        distributed.LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextlib.contextmanager
def running_cluster(address: str) -> Iterator[Client]:
    """Connect to the existing cluster of the scheduler at `address`, such as tcp://host:8786."""
    distributed = _distributed()
    # A lost connection is reported in one line instead of Dask's log.
    with distributed.utils.silence_logging_cmgr(logging.CRITICAL):
        try:
            client = distributed.Client(address, timeout=TIMEOUT)
        except (OSError, ValueError) as error:
            raise InputError(f"{address}: no Dask scheduler answers there") from error
        with client:
            yield client


def _distributed() -> Any:
    with needed_for("--workers and --scheduler", "distributed"):
        import dask
        import distributed
    dask.config.set({"distributed.scheduler.allowed-failures": MAX_DEATHS - 1})
    return distributed


def on_cluster(client: Client, destination: Destination, work: Work, *, measure: bool) -> Process:
    """Return a function that processes files on a cluster and yields their records as they are done.

    Each worker gets the model once, as bytes. The workers read and write the files themselves, so they
    must see the same folders, and the paths of `destination` must be absolute.
    """
    if type(work) is DenoiseWork:
        work = _with_model_on_workers(client, work)
    try:
        client.wait_for_workers(1, timeout=SECONDS_FOR_WORKERS)
    except TimeoutError as error:
        raise InputError(f"the cluster has no workers, and none came within {SECONDS_FOR_WORKERS} s") from error

    def submit(item: Item) -> Future:
        item = replace(item, path=item.path.absolute())
        return client.submit(process_item, item, destination, work, measure=measure, pure=False)

    def for_retry(item: Item) -> Item:
        return replace(item, may_overwrite=item.may_overwrite or not is_there(item, destination))

    return lambda items: PendingFiles(client, submit, for_retry).outcomes(items)


@dataclass(frozen=True)
class DenoiseOnWorker(DenoiseWork):
    """Denoises with the model in the worker's own folder."""

    def plain_engine(self) -> Engine:
        """Return the engine without self-ensemble."""
        from distributed import get_worker

        path = Path(get_worker().local_directory, self.model.name)
        return cached_engine(path, self.precision, self.threads)


def _with_model_on_workers(client: Client, work: DenoiseWork) -> DenoiseWork:
    from distributed import WorkerPlugin

    data = converted(work.model).read_bytes()
    name = f"{sha256(data)[:32]}{MODEL_SUFFIX}"

    class ModelOnWorker(WorkerPlugin):
        """Writes the model into the folder of each worker, also of those that join later."""

        def setup(self, worker: Any) -> None:
            path = Path(worker.local_directory) / name
            if not path.exists():
                write_bytes(path, data, overwrite=True)

    # By name, so that a long-lived scheduler keeps it once.
    client.register_plugin(ModelOnWorker(), name=name)
    return DenoiseOnWorker(**(vars(work) | {"model": Path(name)}))


def threads_for(workers: int) -> int:
    """Return the number of processors for each of so many workers of this machine."""
    return max((os.cpu_count() or 1) // workers, 1)


class Submitted(NamedTuple):
    """A file that a worker has, and the item for a second try: the worker may die after it wrote the result."""

    item: Item
    retry: Item
    time: float


class PendingFiles:
    """The files that the workers have: some for each thread, as workers come and go.

    `submit` gives a file to the cluster; `for_retry` prepares a file that no worker has had yet for a second try.
    """

    def __init__(self, client: Client, submit: Callable[[Item], Future], for_retry: Callable[[Item], Item]) -> None:
        from distributed import as_completed

        self._client, self._submit, self._for_retry = client, submit, for_retry
        self._completed = as_completed()
        self._pending: dict[str, Submitted] = {}
        # All files that a dead worker had are suspects; trying them alone at the end tells which of them it was.
        self._deaths: Counter[int] = Counter()
        self._suspects: deque[Item] = deque()
        self._workers: set[str] = set()
        self._looked_at = self._left_at = -math.inf
        self._room = 0

    def outcomes(self, items: Iterator[Item | Outcome]) -> Iterator[Outcome]:
        """Yield the outcome of each file as it is done; raise InputError if the scheduler is gone."""
        while True:
            yield from self._fill(items)
            if not self._pending:
                if not self._suspects:
                    return
                suspect = self._suspects.popleft()
                self._add(suspect, suspect)
            future = next(self._completed)
            if future.status in GONE or self._client.status != "running":
                raise InputError(SCHEDULER_GONE)
            record = self._record(self._pending.pop(future.key), future)
            future.release()
            if record is not None:
                yield record

    def _fill(self, items: Iterator[Item | Outcome]) -> Iterator[Outcome]:
        """Submit files while there is room; yield the outcomes among them, which need no work."""
        while len(self._pending) < self._current_room():
            item = next(items, None)
            if item is None:
                return
            if isinstance(item, Item):
                self._add(item, self._for_retry(item))
            else:
                yield item

    def _add(self, item: Item, retry: Item) -> None:
        future = self._submit(item)
        self._pending[future.key] = Submitted(item, retry, time.monotonic())
        self._completed.add(future)

    def _current_room(self) -> int:
        """Return how many files may be pending; never 0, for a cluster without workers may get some again."""
        if time.monotonic() - self._looked_at > SECONDS_BETWEEN_LOOKS:
            self._look()
        return self._room

    def _look(self) -> None:
        """Note which workers there are, and whether one has left."""
        try:
            threads = self._client.nthreads()
        except (OSError, TimeoutError) as error:
            raise InputError(SCHEDULER_GONE) from error
        self._looked_at = time.monotonic()
        if not self._workers <= set(threads):
            self._left_at = self._looked_at
        self._workers, self._room = set(threads), max(sum(threads.values()), 1) * FILES_AHEAD

    def _record(self, submitted: Submitted, future: Future) -> Record | None:
        """Return the record of a file, or None if it is submitted again."""
        from distributed import KilledWorker

        item = submitted.retry
        try:
            record: Record = future.result()
        except KilledWorker as error:
            was_alone = item.number in self._deaths
            self._deaths[item.number] += error.allowed_failures + 1
            if was_alone:
                return failed(item, f"{self._deaths[item.number]} workers died while they had it", UNFINISHED)
            self._suspects.append(item)
            return None
        except ImportError as error:
            return failed(item, f"a worker lacks a package that this program needs ({error})", UNFINISHED)
        # Whatever else a worker raises costs one file. Its text is left out: it could quote the file.
        except Exception as error:  # noqa: BLE001 (see above)
            # Raises InputError if it is the connection to the scheduler that was lost.
            self._look()
            return failed(item, f"the worker failed ({type(error).__name__})", UNFINISHED)
        # The scheduler gives a file of a dead worker to the next one, which may find the result of the first.
        if record.error and submitted.item != item:
            self._look()
            if self._left_at > submitted.time:
                self._add(item, item)
                return None
        return record
