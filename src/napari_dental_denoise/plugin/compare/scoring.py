"""PSNR and SSIM in a thread, as SSIM of a panoramic image would block the window."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.evaluation import RegionScore, on_one_scale, region_score
from napari_dental_denoise.plugin.compare.layers import divisors
from napari_dental_denoise.plugin.shared import start_worker
from napari_dental_denoise.progress import Progress

if TYPE_CHECKING:
    from napari.qt.threading import GeneratorWorker


Grey = NDArray[np.generic]


@dataclass(frozen=True)
class ScoredImage:
    """An image with its row in the table, and the error map if it has one, in which NaN stands for unknown."""

    row: int
    pixels: Grey
    error: Grey | None = None


@dataclass(frozen=True)
class ScoreTask:
    """Images to score: pixels, not layers, which a thread must not touch.

    Without a clean image, only the errors of their error maps are known.
    """

    images: list[ScoredImage]
    clean: Grey | None
    mask: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True)
class IntervalScore:
    """Mean of an error map, and the share of the pixels whose true value is within plus or minus it; NaN if unknown."""

    told: float
    within: float


@dataclass(frozen=True, slots=True)
class RowScore:
    """Scores of one row of the table, None for those that are unknown."""

    row: int
    whole: RegionScore | None
    region: RegionScore | None
    interval: IntervalScore | None
    data_range: float


def score_steps(task: ScoreTask) -> Generator[Progress, None, list[RowScore]]:
    """Return the scores of all rows; the reports between them allow to stop it."""
    rows = []
    for done, image in enumerate(task.images):
        yield Progress(done, len(task.images))
        rows.append(_row_score(image, task.clean, task.mask))
    return rows


def _row_score(scored: ScoredImage, clean: Grey | None, mask: NDArray[np.bool_] | None) -> RowScore:
    images = [scored.pixels] if clean is None else [clean, scored.pixels]
    scaled, data_range = on_one_scale(images)
    truth, image = None if clean is None else scaled[0], scaled[-1]
    whole = region = interval = None
    if truth is not None:
        whole = region_score(truth, image, data_range=data_range)
        region = None if mask is None else region_score(truth, image, data_range=data_range, mask=mask)
    if scored.error is not None:
        error = scored.error.astype(np.float64) / divisors(images, scaled)[-1]
        interval = _interval_score(image, error, truth, mask)
    return RowScore(scored.row, whole, region, interval, data_range)


def _interval_score(
    image: Grey, error: NDArray[np.float64], truth: Grey | None, mask: NDArray[np.bool_] | None
) -> IntervalScore:
    counted = np.isfinite(error) if mask is None else np.isfinite(error) & mask
    if not counted.any():
        return IntervalScore(np.nan, np.nan)
    half_widths = error[counted]
    within = np.nan
    if truth is not None:
        # Unsigned values have no negative difference.
        distances = np.abs(truth[counted].astype(np.float64) - image[counted].astype(np.float64))
        within = float(np.mean(distances <= half_widths))
    return IntervalScore(float(half_widths.mean()), within)


class Scoring:
    """Runner of one task at a time; only the latest of the tasks that arrive meanwhile is run next."""

    def __init__(self, returned: Callable[[list[RowScore]], Any], failed: Callable[[Exception], Any]) -> None:
        self._returned, self._failed = returned, failed
        self._worker: GeneratorWorker | None = None
        self._next: ScoreTask | None = None
        self._stopped = False

    @property
    def busy(self) -> bool:
        """Return whether a task is running."""
        return self._worker is not None

    def start(self, task: ScoreTask) -> None:
        """Run a task now, or as soon as the running one has stopped."""
        if self._worker is not None:
            self._next = task
            self._worker.quit()
            return
        self._worker = start_worker(
            lambda: score_steps(task), returned=self._on_returned, failed=self._on_failed, finished=self._on_finished
        )

    def stop(self) -> None:
        """Cancel for good, without any further callback."""
        self._stopped = True
        self.cancel()

    def cancel(self) -> None:
        """Cancel the running and the waiting task."""
        self._next = None
        if self._worker is not None:
            self._worker.quit()

    def _on_returned(self, scores: list[RowScore]) -> None:
        # The scores are outdated if another task waits.
        if self._next is None and self._is_wanted():
            self._returned(scores)

    def _on_failed(self, error: Exception) -> None:
        if self._is_wanted():
            self._failed(error)

    def _is_wanted(self) -> bool:
        return not self._stopped and self._worker is not None and not self._worker.abort_requested

    def _on_finished(self) -> None:
        self._worker = None
        task, self._next = self._next, None
        if task is not None and not self._stopped:
            self.start(task)
