"""Work on files with Dask: on processes of this machine, or on a cluster that is there already."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.core.atomic import write_bytes
from napari_dental_denoise.core.batch import DenoiseWork, Destination, Work, is_there, process_item
from napari_dental_denoise.core.batch_run import Process
from napari_dental_denoise.core.conversion import converted
from napari_dental_denoise.core.engine import Engine, cached_engine
from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.model_file import sha256
from napari_dental_denoise.core.report import Record
from napari_dental_denoise.core.sources import Item

if TYPE_CHECKING:
    from distributed import Client

# So many files wait for each thread of a worker: enough to keep it busy, few enough to hold no memory.
FILES_AHEAD = 3
# A file on which so many workers died is at fault itself.
DEATHS_ALLOWED = 3
TIMEOUT = "20s"


@contextlib.contextmanager
def local_cluster(workers: int) -> Iterator[Client]:
    """Processes of this machine, which share its processors; one that dies is replaced.

    Parameters
    ----------
    workers : int

    Yields
    ------
    distributed.Client
    """
    distributed = _distributed()
    with (
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs="CRITICAL"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextlib.contextmanager
def running_cluster(address: str) -> Iterator[Client]:
    """A cluster that is there already.

    Parameters
    ----------
    address : str
        Of its scheduler, such as tcp://host:8786.

    Yields
    ------
    distributed.Client

    Raises
    ------
    InputError
        If there is none.
    """
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=TIMEOUT)
    except (OSError, ValueError) as error:
        raise InputError(f"{address}: no Dask scheduler answers there") from error
    with client:
        yield client


def _distributed() -> Any:
    try:
        import dask
        import distributed
    except ImportError as error:
        raise InputError("Dask's scheduler is not installed: pip install distributed") from error
    dask.config.set({"distributed.scheduler.allowed-failures": DEATHS_ALLOWED})
    return distributed


def on_cluster(client: Client, destination: Destination, work: Work, *, measure: bool) -> Process:
    """Work on files there; the rows come as they are done.

    The model goes to each worker once, as bytes; files are read and written by the workers, which
    must see the same folders.

    Parameters
    ----------
    client : distributed.Client
    destination : Destination
        With absolute paths.
    work : callable
    measure : bool

    Raises
    ------
    InputError
        If the cluster has no workers.
    """
    if type(work) is DenoiseWork:
        work = _sent(client, work)
    threads = sum(client.nthreads().values())
    if not threads:
        raise InputError("the cluster has no workers")

    def submit(item: Item) -> Any:
        item = replace(item, path=item.path.absolute())
        # A worker may die between its writing and its saying so: what is not there now is ours when it is.
        own = replace(destination, overwrite=destination.overwrite or not is_there(item, destination))
        future = client.submit(process_item, item, own, work, measure=measure, pure=False)
        return future, item.name

    return lambda items: _completed(items, submit, threads * FILES_AHEAD)


def _completed(items: Iterator[Item], submit: Callable[[Item], Any], ahead: int) -> Iterator[Record]:
    from distributed import as_completed

    first = [submit(item) for item in itertools.islice(items, ahead)]
    names = {future.key: name for future, name in first}
    waiting = as_completed([future for future, _ in first])
    for future in waiting:
        name = names.pop(future.key)
        try:
            yield future.result()
        # Whatever a worker raises, or its death, costs one file and is told.
        except Exception as error:  # noqa: BLE001 (see above)
            yield Record(name, error=f"the worker failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
        future.release()
        for item in itertools.islice(items, 1):
            added, name = submit(item)
            names[added.key] = name
            waiting.add(added)


@dataclass(frozen=True)
class DenoiseOnWorker(DenoiseWork):
    """The same, with the model in the worker's own folder."""

    def plain_engine(self) -> Engine:
        """What runs the network."""
        from distributed import get_worker

        path = Path(get_worker().local_directory, self.model.name)
        return cached_engine(path, path.stat().st_mtime_ns, self.precision, self.threads)


def _sent(client: Client, work: DenoiseWork) -> DenoiseWork:
    """The same with a model that every worker has."""
    data = converted(work.model).read_bytes()
    name = f"{sha256(data)[:32]}.keras"
    client.register_plugin(_model_plugin(name, data))
    return DenoiseOnWorker(Path(name), work.strength, work.precision, work.self_ensemble, work.threads)


def _model_plugin(name: str, data: bytes) -> Any:
    from distributed import WorkerPlugin

    class ModelOnWorker(WorkerPlugin):
        """Writes the model into the worker's folder; of workers that join later too."""

        def setup(self, worker: Any) -> None:
            path = Path(worker.local_directory) / name
            if not path.exists():
                write_bytes(path, data, overwrite=True)

    return ModelOnWorker()


def threads_for(workers: int) -> int:
    """Processors for each of some workers of this machine."""
    return max((os.cpu_count() or 1) // workers, 1)
