"""Print the reports of a training."""

from __future__ import annotations

from tqdm import tqdm

from napari_dental_denoise.cli.console import echo, progress_bar
from napari_dental_denoise.training import StepDone, TrainingReport, TrainingStarted, to_line

PER_MILLE = 1000


class TrainingDisplay:
    """Show reports as a progress bar and lines, as JSON lines, or not at all."""

    def __init__(self, progress: str) -> None:
        self.progress = progress
        self.bar: tqdm | None = None

    def __call__(self, report: TrainingReport) -> None:
        """Show one report."""
        if self.progress == "jsonl":
            echo(to_line(report))
        elif isinstance(report, TrainingStarted) and self.progress == "bar":
            self.bar = progress_bar(PER_MILLE, "‰")
            self.bar.write(str(report))
        elif self.bar is not None:
            self._show(report, self.bar)

    def _show(self, report: TrainingReport, bar: tqdm) -> None:
        if isinstance(report, StepDone):
            bar.set_description(f"epoch {report.epoch}, loss {report.loss:.4f}", refresh=False)
            bar.update(round(PER_MILLE * report.fraction) - bar.n)
        else:
            bar.write(str(report))

    def close(self) -> None:
        """Close the progress bar."""
        if self.bar is not None:
            self.bar.close()
