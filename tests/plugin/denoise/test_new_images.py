"""Images that are opened while the box is ticked are denoised, in one press."""

from pathlib import Path

import numpy as np
import pytest

from napari_dental_denoise.images import write_image
from napari_dental_denoise.plugin.denoise import new_images

# Longer than a busy machine takes to read the next file.
DELAY_MS = 4000


@pytest.fixture
def form(open_form, monkeypatch):
    monkeypatch.setattr(new_images, "DELAY_MS", DELAY_MS)
    form = open_form("Denoise")
    form.model.value = Path("median")
    return form


def test_newly_opened_images_are_denoised(viewer, form, qtbot, tmp_path, radiographs):
    viewer.add_image(radiographs[0], name="before")
    form.new_images.box.value = True
    for name, image in zip("ab", radiographs, strict=False):
        write_image(tmp_path / f"{name}.png", image)
        viewer.open(str(tmp_path / f"{name}.png"), plugin="napari-dental-denoise")
        # The next is slow to read.
        qtbot.wait(300)
    viewer.add_image(np.eye(20, dtype=np.uint8)[..., np.newaxis] * [255, 0, 0], name="photo", rgb=True)
    viewer.add_shapes(name="line")
    qtbot.waitUntil(lambda: len(viewer.layers) == 7 and form.start.enabled)
    assert [layer.name[0] for layer in viewer.layers if "denoised" in layer.name] == ["a", "b"]
    assert form.status.value.startswith("Done: a denoised (median, 100 %), b denoised")
    # Neither a result nor an image that is opened afterwards is.
    form.new_images.box.value = False
    viewer.add_image(radiographs[1], name="later")
    qtbot.wait(DELAY_MS + 200)
    assert len(viewer.layers) == 8


def test_images_wait_for_a_running_work(viewer, form, qtbot, radiographs):
    form.new_images.box.value = True
    viewer.add_image(np.stack(radiographs[:2]), name="stack")
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 or not form.start.enabled)
    viewer.add_image(radiographs[2], name="next")
    qtbot.waitUntil(lambda: len(viewer.layers) == 4 and form.start.enabled)
    results = {layer.name.split()[0]: layer for layer in viewer.layers if "denoised" in layer.name}
    assert set(results) == {"stack", "next"}
    # Of a stack, only the image on view.
    assert not isinstance(results["stack"].data, np.ndarray)
