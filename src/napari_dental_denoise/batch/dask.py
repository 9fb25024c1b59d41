"""Work on files with Dask: on processes of this machine, or on a cluster that is there already."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.batch import dask_preload as deaf_worker
from napari_dental_denoise.batch.inputs import Item
from napari_dental_denoise.batch.pending import DEATHS_ALLOWED, InFlight
from napari_dental_denoise.batch.process import DenoiseWork, Destination, Work, is_there, process_item
from napari_dental_denoise.batch.run import Process
from napari_dental_denoise.config import MODEL_SUFFIX
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import write_bytes
from napari_dental_denoise.inference import Engine, cached_engine
from napari_dental_denoise.models import converted, sha256

if TYPE_CHECKING:
    from distributed import Client, Future

TIMEOUT = "20s"
SECONDS_FOR_WORKERS = 120


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
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs="CRITICAL",
            preload=[deaf_worker.__name__],
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
    # What Dask logs of a lost connection is said in one line by this program.
    with distributed.utils.silence_logging_cmgr(logging.CRITICAL):
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
    dask.config.set({"distributed.scheduler.allowed-failures": DEATHS_ALLOWED - 1})
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
    try:
        client.wait_for_workers(1, timeout=SECONDS_FOR_WORKERS)
    except TimeoutError as error:
        raise InputError(f"the cluster has no workers, and none came within {SECONDS_FOR_WORKERS} s") from error

    def submit(item: Item) -> Future:
        item = replace(item, path=item.path.absolute())
        return client.submit(process_item, item, destination, work, measure=measure, pure=False)

    def again(item: Item) -> Item:
        return replace(item, ours=item.ours or not is_there(item, destination))

    return lambda items: InFlight(client, submit, again).outcomes(items)


@dataclass(frozen=True)
class DenoiseOnWorker(DenoiseWork):
    """The same, with the model in the worker's own folder."""

    def plain_engine(self) -> Engine:
        """What runs the network."""
        from distributed import get_worker

        path = Path(get_worker().local_directory, self.model.name)
        return cached_engine(path, self.precision, self.threads)


def _sent(client: Client, work: DenoiseWork) -> DenoiseWork:
    """The same with a model that every worker has."""
    data = converted(work.model).read_bytes()
    name = f"{sha256(data)[:32]}{MODEL_SUFFIX}"
    # By name, so that a scheduler that lives long keeps it once.
    client.register_plugin(_model_plugin(name, data), name=name)
    return DenoiseOnWorker(**(vars(work) | {"model": Path(name)}))


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
