"""The figure shows what was done to each image, and is written whole or not at all."""

import numpy as np
import pytest

from napari_dental_denoise import psnr
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation.figure import Comparison, comparison_figure, save_figure


@pytest.fixture
def comparison():
    rng = np.random.default_rng(0)
    clean, noise = rng.random((30, 40)), rng.standard_normal((30, 40))
    return Comparison(*(image.astype(np.float32) for image in (clean, clean + 0.3 * noise, clean + 0.01 * noise)))


def test_it_shows_the_images_their_scores_and_the_difference(comparison):
    tiny = Comparison(*(image[:8] for image in (comparison.clean, comparison.noisy, comparison.denoised)))
    figure = comparison_figure([comparison, tiny])
    axes = np.array([axis for axis in figure.axes if axis.get_title()]).reshape(2, 4)
    assert [axis.get_title() for axis in axes[0]] == ["clean", "noisy", "denoised", "denoised - clean"]
    for row, item in zip(axes, (comparison, tiny), strict=True):
        shown = [axis.images[0] for axis in row]
        images = (item.clean, item.noisy, item.denoised, item.denoised - item.clean)
        for picture, image in zip(shown, images, strict=True):
            np.testing.assert_array_equal(picture.get_array(), image)
        assert [picture.get_clim() for picture in shown] == [(0, 1)] * 3 + [(-0.1, 0.1)]
    level = psnr(comparison.clean, comparison.noisy.clip(0, 1), data_range=1)
    assert axes[0, 1].get_xlabel().startswith(f"{level:.2f} dB    SSIM 0.")
    assert axes[1, 1].get_xlabel().endswith(" dB")


@pytest.mark.parametrize(("suffix", "beginning"), [(".png", b"\x89PNG"), (".PDF", b"%PDF"), (".jpg", b"\xff\xd8")])
def test_the_suffix_says_the_format(comparison, tmp_path, suffix, beginning):
    path = tmp_path / f"figure{suffix}"
    save_figure(comparison_figure([comparison]), path, overwrite=False)
    assert path.read_bytes().startswith(beginning)


def test_a_figure_is_not_overwritten_unasked(comparison, tmp_path):
    path = tmp_path / "figure.png"
    path.write_bytes(b"old")
    figure = comparison_figure([comparison])
    with pytest.raises(InputError, match=r"figure\.png"):
        save_figure(figure, path, overwrite=False)
    assert path.read_bytes() == b"old"
    save_figure(figure, path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_an_unknown_suffix_is_refused(comparison, tmp_path):
    with pytest.raises(InputError, match=r"figure\.gif: expected a name with the suffix \.png, \.pdf, \.svg, \.jpg"):
        save_figure(comparison_figure([comparison]), tmp_path / "figure.gif", overwrite=False)
