"""CNNDenoiser does the whole job on arrays."""

import numpy as np
import pytest

import napari_dental_denoise as ndd
from napari_dental_denoise.core.errors import InputError


def test_the_whole_job(radiographs, tmp_path, capsys):
    clean = np.stack(radiographs)
    noisy = ndd.add_gaussian_noise(clean, 0.1, rng=0)
    denoiser = ndd.CNN_denoiser(batch_size=4, epochs=12, validation_split=0.2, patch_size=64, learning_rate=2e-3)
    assert denoiser.train(noisy[:6], clean[:6]) is denoiser
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 13
    assert printed[0].startswith("epoch 1/12: loss 0.")
    assert denoiser.history[-1].loss < denoiser.history[0].loss

    result = denoiser.evaluate(noisy[6:], clean[6:])
    assert capsys.readouterr().out.strip() == str(result)
    before = np.mean([ndd.psnr(one, other, data_range=255) for one, other in zip(clean[6:], noisy[6:], strict=True)])
    assert result.psnr > before + 2
    assert result.loss == pytest.approx(10 ** (-result.psnr / 20))
    assert 0 < result.accuracy <= 1
    assert 0 < result.ssim < 1
    one_too_small_for_ssim = [[images[6], images[7][:8, :8]] for images in (noisy, clean)]
    assert 0 < denoiser.evaluate(*one_too_small_for_ssim).ssim < 1

    denoised = denoiser.denoise(noisy[6:])
    assert denoised.shape == (2, 160, 200)
    assert denoised.dtype == np.uint8
    denoiser.save(tmp_path / "model.keras")
    again = ndd.CNNDenoiser.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.denoise(noisy[6:]), denoised)
    np.testing.assert_array_equal(again.denoise(list(noisy[6:]))[1], denoised[1])
    with pytest.raises(InputError, match="is there already"):
        denoiser.save(tmp_path / "model.keras")


def test_without_a_model_it_says_what_to_do(radiographs):
    with pytest.raises(InputError, match=r"there is no model yet: call train, or CNNDenoiser\.load"):
        ndd.CNNDenoiser().denoise(radiographs[0])


def test_wrong_shapes_are_refused(radiographs):
    with pytest.raises(InputError, match=r"images as \(N, H, W\) or as a list; received shape \(160, 200\)"):
        ndd.CNNDenoiser().train(radiographs[0], radiographs[0])
