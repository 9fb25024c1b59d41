"""The models of the package never learn from held-out radiographs, and a seed draws the same images again."""

import numpy as np
import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.synthesis.scene import phantoms
from napari_dental_denoise.training import starter as module
from napari_dental_denoise.training.starter import starter_images

pytestmark = pytest.mark.usefixtures("few")


@pytest.fixture
def few(monkeypatch):
    """Small and few synthetic images: drawing all takes half a minute."""
    monkeypatch.setattr(module, "SHAPES", ((64, 96), (96, 64)))
    monkeypatch.setattr(module, "SQUARE", (64, 64))
    for name in ("PHANTOMS_OF_EACH_SHAPE", "LEAVES", "COLLAGES"):
        monkeypatch.setattr(module, name, 3)


def flat(count, shape=(40, 60)):
    return [np.full(shape, 10 * (index + 1), np.uint8) for index in range(count)]


def greys(images):
    return {round(float(image.mean()) / 257) for image in images if np.ptp(image) == 0}


def test_held_out_radiographs_are_only_validated_with():
    training, validation = starter_images(flat(8), seed=0)
    assert greys(validation.images) == {30, 80}
    assert greys(training.images) == {10, 20, 40, 50, 60, 70}
    pieces = set(np.unique(np.concatenate([image.ravel() for image in training.images[9:12]])).tolist())
    assert not pieces & {30 * 257, 80 * 257}, "nor are they in a collage"
    assert pieces & {grey * 257 for grey in (10, 20, 40, 50, 60, 70)}


def test_radiographs_are_learned_as_they_are_and_smaller_and_large_ones_are_halved():
    training, _ = starter_images(flat(8), seed=0)
    assert {(40, 60), (20, 30), (24, 36), (28, 42)} == {image.shape for image in training.images[12:]}
    training, _ = starter_images(flat(5, (1024, 512)), seed=0)
    assert max(image.shape for image in training.images) == (512, 256)


def test_synthetic_images_are_told_to_be_exact_and_are():
    training, validation = starter_images(flat(8), seed=0)
    assert training.exact == range(6 + 3 + 3)
    assert len(training.images) == 12 + 6 * (module.AS_IT_IS + 3 * module.REPEATED)
    assert validation.exact == range(4 + module.LEAVES_TO_VALIDATE + module.COLLAGES_TO_VALIDATE)
    assert {image.dtype for image in training.images + validation.images} == {np.dtype(np.uint16)}
    first = phantoms(3, module.SHAPES[0], rng=0)[0]
    np.testing.assert_allclose(training.images[0] / 65535, first, atol=1e-5)


def test_a_seed_draws_the_same_again():
    first, again, other = (starter_images(flat(5), seed)[0].images for seed in (1, 1, 2))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not any(np.array_equal(one, new) for one, new in zip(first[:12], other[:12], strict=True))


def test_too_few_radiographs_are_refused():
    with pytest.raises(InputError, match="needs 5 or more radiographs; received 4"):
        starter_images(flat(4), seed=0)
