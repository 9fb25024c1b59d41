"""PSNR and SSIM in a thread: SSIM of a panoramic image takes longer than a window may stand still."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.evaluation import RegionScore, on_one_scale, region_score
from napari_dental_denoise.inference import Progress
from napari_dental_denoise.plugin.shared import start_worker

if TYPE_CHECKING:
    from napari.qt.threading import GeneratorWorker


@dataclass(frozen=True)
class ScoreTask:
    """What is to be scored: pixels, not layers, for it is done in a thread.

    Attributes
    ----------
    clean : (H, W) array
    images : list of (row, (H, W) array)
        Row of the table.
    mask : (H, W) bool array or None
        The region.
    """

    clean: NDArray[np.generic]
    images: list[tuple[int, NDArray[np.generic]]]
    mask: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True)
class RowScore:
    """Scores of one row."""

    row: int
    whole: RegionScore
    region: RegionScore | None
    data_range: float


def score_steps(task: ScoreTask) -> Generator[Progress, None, list[RowScore]]:
    """Score row by row; reports between them, so that it can be stopped.

    Yields
    ------
    Progress
    """
    rows = []
    for done, (row, image) in enumerate(task.images):
        yield Progress(done, len(task.images))
        (clean, other), data_range = on_one_scale([task.clean, image])
        whole = region_score(clean, other, data_range=data_range)
        region = None if task.mask is None else region_score(clean, other, data_range=data_range, mask=task.mask)
        rows.append(RowScore(row, whole, region, data_range))
    return rows


class Scoring:
    """Scores one task at a time; of those that come meanwhile only the last one is done.

    Parameters
    ----------
    returned : callable
        Gets a list of RowScore.
    failed : callable
        Gets the error.
    """

    def __init__(self, returned: Callable[[list[RowScore]], Any], failed: Callable[[Exception], Any]) -> None:
        self._returned, self._failed = returned, failed
        self._worker: GeneratorWorker | None = None
        self._next: ScoreTask | None = None
        self._stopped = False

    @property
    def busy(self) -> bool:
        """Whether scores are yet to come."""
        return self._worker is not None

    def start(self, task: ScoreTask) -> None:
        """Score now, or as soon as the running task is out of the way."""
        if self._worker is not None:
            self._next = task
            self._worker.quit()
            return
        self._worker = start_worker(
            lambda: score_steps(task),
            progressed=lambda _: None,
            returned=self._on_returned,
            failed=self._on_failed,
            finished=self._on_finished,
        )

    def stop(self) -> None:
        """Give up, for good: nothing is called any more."""
        self._stopped = True
        self.cancel()

    def cancel(self) -> None:
        """Give up what runs and what waits."""
        self._next = None
        if self._worker is not None:
            self._worker.quit()

    def _on_returned(self, scores: list[RowScore]) -> None:
        # What a newer task has overtaken, or a closed form, has no use for it.
        if not self._stopped and self._next is None and self._wanted():
            self._returned(scores)

    def _wanted(self) -> bool:
        return self._worker is not None and not self._worker.abort_requested

    def _on_failed(self, error: Exception) -> None:
        if not self._stopped and self._wanted():
            self._failed(error)

    def _on_finished(self) -> None:
        self._worker = None
        task, self._next = self._next, None
        if task is not None and not self._stopped:
            self.start(task)
