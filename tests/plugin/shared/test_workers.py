"""Work in a thread reports, fails and ends in the main thread."""

import threading

import pytest

from napari_dental_denoise.plugin.shared import workers
from napari_dental_denoise.plugin.shared.workers import Eta, start_worker
from napari_dental_denoise.progress import Progress


@pytest.mark.parametrize(
    ("seconds", "done", "expected"),
    [
        (10, 1, "1 of 5 tiles, 40 s to go"),
        (60, 2, "2 of 5 tiles, 90 s to go"),
        (90, 2, "2 of 5 tiles, 2 min to go"),
        (3, 0, "0 of 5 tiles"),
        (9, 5, "5 of 5 tiles, 0 s to go"),
    ],
)
def test_the_remaining_time_follows_from_the_elapsed_time(monkeypatch, seconds, done, expected):
    clock = iter((100.0, 100.0 + seconds))
    monkeypatch.setattr(workers.time, "monotonic", lambda: next(clock))
    assert Eta().line(Progress(done, 5), "tiles") == expected


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_every_error_reaches_the_main_thread(qtbot, error):
    seen = []

    def steps():
        yield Progress(0, 1)
        raise error("no more tiles")

    def failed(problem):
        seen.append((str(problem), threading.current_thread()))

    start_worker(
        steps,
        progressed=seen.append,
        returned=seen.append,
        failed=failed,
        finished=lambda: seen.append("finished"),
    )
    qtbot.waitUntil(lambda: "finished" in seen)
    assert seen[0] == Progress(0, 1)
    message, thread = seen[1]
    assert "no more tiles" in message
    assert thread is threading.main_thread()
    assert seen[2:] == ["finished"]
