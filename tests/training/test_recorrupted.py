"""Noisy images alone teach what clean ones would: their two noisier versions share no noise."""

import numpy as np
import pytest

from napari_dental_denoise.evaluation.metrics import psnr
from napari_dental_denoise.inference.denoising import denoise
from napari_dental_denoise.models.file import read_card
from napari_dental_denoise.noise.correlated import add_correlated_noise
from napari_dental_denoise.synthesis.scene import phantoms
from napari_dental_denoise.training.events import TrainingStarted
from napari_dental_denoise.training.recorrupted import RECORRUPTION, NoisyImages
from napari_dental_denoise.training.settings import TrainingConfig
from napari_dental_denoise.unet.job import TrainingJob
from napari_dental_denoise.unet.trainer import train

SIGMA = 0.1
WHOLE = (slice(None), slice(None))


@pytest.mark.parametrize("blur", [0.0, 1.0])
def test_the_noises_of_input_and_target_are_uncorrelated(blur):
    clean = np.full((512, 512), 0.5, np.float32)
    data = NoisyImages([add_correlated_noise(clean, SIGMA, blur, rng=0)], 0)
    noisy, target, _ = data.patch(0, WHOLE, np.random.default_rng(1))
    shared = np.mean((noisy - clean) * (target - clean)) / SIGMA**2
    assert abs(shared) < 0.15
    assert noisy.std() == pytest.approx(SIGMA * np.sqrt(1 + RECORRUPTION**2), rel=0.1)
    assert target.std() == pytest.approx(SIGMA * np.sqrt(1 + RECORRUPTION**-2), rel=0.1)


@pytest.mark.parametrize("white", [255, 4095, 65535, 1.0])
@pytest.mark.parametrize("level", [8, 247])
def test_a_clipped_area_keeps_its_grey_value(level, white):
    """Half of the noise is lost at black and at white: the mean of what is left lies nearer to the middle."""
    clean = np.full((256, 256), 0.5, np.float32)
    clean[:128] = level / 255
    unit = np.clip(add_correlated_noise(clean, SIGMA, 1.0, rng=0), 0, 1)
    dtype = np.float32 if white == 1 else np.uint8 if white == 255 else np.uint16
    image = unit if white == 1 else np.rint(unit * white).astype(dtype)
    target = NoisyImages([image], 0).patch(0, WHOLE, np.random.default_rng(0)).clean
    assert abs(unit[:100].mean() - level / 255) > 5 / 255
    assert target[:100].mean() == pytest.approx(level / 255, abs=3 / 255)


@pytest.mark.filterwarnings("error")
def test_a_black_image_stays_as_it_is():
    for patch in NoisyImages([np.zeros((64, 64), np.uint8)], 0).patch(0, WHOLE, np.random.default_rng(0))[:2]:
        np.testing.assert_array_equal(patch, 0)


def test_noise_is_new_for_each_patch_and_the_same_in_validation():
    data = NoisyImages([add_correlated_noise(np.full((64, 64), 0.5, np.float32), SIGMA, 0, rng=0)], 0)
    rng = np.random.default_rng(0)
    assert not np.array_equal(data.patch(0, WHOLE, rng)[0], data.patch(0, WHOLE, rng)[0])
    np.testing.assert_array_equal(data.validation_patch(0, WHOLE, 0.1)[0], data.validation_patch(0, WHOLE, 0.9)[0])


def test_it_learns_without_a_clean_image(tmp_path):
    clean = phantoms(6, (160, 200), rng=3)
    noisy = [add_correlated_noise(image, SIGMA, 1.0, rng=index) for index, image in enumerate(clean)]
    data = NoisyImages(noisy, 0)
    config = TrainingConfig(preset="fast", epochs=1, steps_per_epoch=120, batch_size=8, patch_size=48)
    reports = list(train(TrainingJob(data.select(range(5)), data.select([5]), tmp_path / "m.keras", config)))
    assert [report.reference for report in reports if isinstance(report, TrainingStarted)] == ["noisy"]
    card = read_card(tmp_path / "m.keras")
    assert card.noise["kind"] == "that of noisy images alone"
    assert card.noise["median sigma"] == pytest.approx(SIGMA, rel=0.2)
    assert card.metrics["reference"] == "noisy"

    unseen = phantoms(1, (160, 200), rng=9)[0]
    with_noise = np.asarray(add_correlated_noise(unseen, SIGMA, 1.0, rng=9), np.float32)
    denoised = denoise(with_noise, tmp_path / "m.keras")
    gain = psnr(unseen, denoised, data_range=1.0) - psnr(unseen, with_noise, data_range=1.0)
    # Noise that is correlated over two pixels: methods that expect white noise gain nothing.
    assert gain > 3
