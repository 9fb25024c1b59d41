"""What the model of the package learns from: the held-out panoramics stay out, and a seed draws the same again."""

import numpy as np
import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.synthesis.scene import phantoms
from napari_dental_denoise.training import starter as module
from napari_dental_denoise.training.starter import starter_images


@pytest.fixture
def few(monkeypatch):
    """Small and few phantoms: drawing all takes half a minute."""
    monkeypatch.setattr(module, "SHAPES", ((64, 96), (96, 64)))
    monkeypatch.setattr(module, "PHANTOMS_OF_EACH_SHAPE", 3)


def flat(count):
    return [np.full((40, 60), 10 * (index + 1), np.uint8) for index in range(count)]


@pytest.mark.usefixtures("few")
def test_held_out_panoramics_are_only_validated_with():
    training, validation = starter_images(flat(8), seed=0)
    trained = {int(image.mean()) for image in training if np.ptp(image) == 0}
    validated = {int(image.mean()) for image in validation if np.ptp(image) == 0}
    assert validated == {30, 80}
    assert trained == {10, 20, 40, 50, 60, 70}
    shapes = {image.shape for image in training if np.ptp(image) == 0}
    assert {(24, 36), (40, 60), (56, 84)} <= shapes, "as it is, smaller and larger"
    assert {image.dtype for image in training + validation} == {np.dtype(np.uint8)}


@pytest.mark.usefixtures("few")
def test_most_synthetic_targets_have_grain_and_none_to_validate_with():
    training, validation = starter_images(flat(5), seed=0)
    drawn = [image for part, shape in enumerate(module.SHAPES) for image in phantoms(3, shape, part)]
    added = [255 * image - grainy for image, grainy in zip(drawn, training, strict=False)]
    strengths = [float(np.std(difference)) for difference in added]
    assert sum(strength > 0.5 for strength in strengths) >= 4
    assert max(strengths) <= module.GRAIN_LEVELS[1] + 0.5
    clean = 255 * phantoms(1, module.SHAPES[0], len(module.SHAPES))[0]
    assert np.abs(clean - validation[0]).max() <= 0.51


@pytest.mark.usefixtures("few")
def test_a_seed_draws_the_same_again():
    first, again, other = (starter_images(flat(5), seed)[0] for seed in (1, 1, 2))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first[0], other[0])


def test_too_few_panoramics_are_refused():
    with pytest.raises(InputError, match="needs 5 or more panoramics; received 4"):
        starter_images(flat(4), seed=0)
