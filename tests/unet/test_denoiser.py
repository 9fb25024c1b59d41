"""CNNDenoiser does the whole job on arrays."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

import napari_dental_denoise as ndd
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models.file import read_card
from napari_dental_denoise.unet.learner import Learner


def test_the_whole_job(radiographs, tmp_path, capsys):
    clean = np.stack(radiographs)
    noisy = ndd.add_gaussian_noise(clean, 0.1, rng=0)
    denoiser = ndd.CNN_denoiser(
        batch_size=4,
        epochs=12,
        validation_split=0.2,
        patch_size=64,
        preset="fast",
        learning_rate=2e-3,
        start_from="nothing",
    )
    assert denoiser.train(noisy[:6], clean[:6]) is denoiser
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 15
    assert printed[1].endswith("; starting from random weights")
    assert printed[2].startswith("epoch    1  loss 0.")
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
    with pytest.raises(InputError, match="already exists"):
        denoiser.save(tmp_path / "model.keras")


@pytest.mark.parametrize("images", [None, 5, np.zeros((0, 64, 64), np.uint8), [], np.zeros((64, 64), np.uint8)])
def test_what_holds_no_images_is_neither_learned_from_nor_scored(images):
    for work in (ndd.CNNDenoiser().train, ndd.CNNDenoiser.load("starter-fast").evaluate):
        with pytest.raises(InputError, match="expected"):
            work(images, images)


@pytest.mark.parametrize("image", [None, 5, "scan.png"])
def test_what_is_no_image_is_not_denoised(image):
    with pytest.raises(InputError, match=f"expected an array; received {type(image).__name__}"):
        ndd.CNNDenoiser.load("starter-fast").denoise(image)


def test_without_a_model_it_says_what_to_do(radiographs):
    with pytest.raises(InputError, match=r"there is no model yet: call train, or CNNDenoiser\.load"):
        ndd.CNNDenoiser().denoise(radiographs[0])
    with pytest.raises(InputError, match="there is no model yet"):
        _ = ndd.CNNDenoiser().model


def test_wrong_shapes_are_refused(radiographs):
    with pytest.raises(InputError, match=r"images as \(N, H, W\) or as a list; received shape \(160, 200\)"):
        ndd.CNNDenoiser().train(radiographs[0], radiographs[0])


def quick_denoiser(**settings):
    small = {"preset": "fast", "epochs": 1, "steps_per_epoch": 2, "patch_size": 48, "batch_size": np.int64(2)}
    return ndd.CNNDenoiser(**small | settings)


@pytest.fixture(scope="module")
def pairs(radiographs):
    clean = np.stack(radiographs[:4])[:, :64, :80]
    return ndd.add_gaussian_noise(clean, 0.1, rng=0), clean


def test_it_goes_on_with_a_model_that_was_loaded(pairs, trained_model, tmp_path, capsys):
    mine = Path(shutil.copy(trained_model, tmp_path / "mine.keras"))
    loaded = ndd.CNNDenoiser.load(mine)
    mine.unlink()
    loaded.config = quick_denoiser(learning_rate=np.float32(1e-5)).config
    loaded.train(*pairs)
    assert "starting from mine.keras (" in capsys.readouterr().out


@pytest.mark.parametrize("between_steps", [False, True])
def test_an_interrupted_training_keeps_the_best_model_so_far(pairs, monkeypatch, tmp_path, between_steps):
    denoiser = quick_denoiser(epochs=1000, steps_per_epoch=8, learning_rate=2e-3, start_from="nothing")

    def stop_late(learner, *batch):
        if len(denoiser.history) == 2:
            raise KeyboardInterrupt
        return learn(learner, *batch)

    def told(*texts):
        if "epoch    2 " in str(texts[0]):
            raise KeyboardInterrupt

    learn = Learner.learn
    if between_steps:
        monkeypatch.setattr("napari_dental_denoise.unet.denoiser.print", told, raising=False)
    else:
        monkeypatch.setattr(Learner, "learn", stop_late)
    with pytest.raises(KeyboardInterrupt):
        denoiser.train(*pairs)
    monkeypatch.undo()
    best = max(report.psnr for report in denoiser.history)
    assert best > denoiser.history[0].psnr
    denoiser.save(tmp_path / "kept.keras")
    assert read_card(tmp_path / "kept.keras").metrics["validation_psnr"] == pytest.approx(best, abs=0.01)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"batch_size": 2.5}, r"batch_size must be a whole number in \[1, inf\); received 2\.5"),
        ({"epochs": "3"}, r"epochs must be a whole number in \[1, inf\); received '3'"),
        ({"rng": -1}, r"rng must be a whole number of at least 0; received -1"),
        ({"epochs": None}, r"epochs must be a whole number in \[1, inf\); received None"),
        ({"validation_split": 2}, r"validation_split must be a number in \(0, 1\); received 2"),
        ({"progress": "yes"}, r"progress must be True or False; received 'yes'"),
        ({"learning_rate": 0}, r"learning_rate must be a number in \(0, inf\); received 0"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_at_once(setting, message):
    with pytest.raises(InputError, match=message):
        ndd.CNNDenoiser(**setting)


def test_floating_grey_levels_score_as_unit_values_do(radiographs):
    clean = np.stack(radiographs[:3]) / 255
    noisy = ndd.add_gaussian_noise(clean, 0.1, rng=0)
    denoiser = ndd.CNNDenoiser.load("starter-fast")
    expected = denoiser.evaluate(noisy, clean)
    for white in (255, 4095):
        found = denoiser.evaluate(noisy * white, clean * white)
        assert found.psnr == pytest.approx(expected.psnr, abs=0.05)
    whole = [np.rint(np.maximum(images, 0) * 4095).astype(np.uint16) for images in (noisy, clean)]
    assert whole[0].max() > 4095
    assert denoiser.evaluate(*whole).psnr == pytest.approx(expected.psnr, abs=0.5)


def test_without_progress_it_is_silent_can_be_pickled_and_has_a_keras_model(pairs, capsys):
    denoiser = quick_denoiser(progress=False).train(*pairs)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")
    assert denoiser.history[-1].epoch == 1
    expected = denoiser.denoise(pairs[0])
    again = pickle.loads(pickle.dumps(denoiser))  # noqa: S301 (made here)
    np.testing.assert_array_equal(again.denoise(pairs[0]), expected)
    assert again.history == denoiser.history

    by_keras = ndd.denoise(pairs[0], denoiser.model)
    assert by_keras.dtype == np.uint8
    # OpenVINO may compute the body in bf16.
    assert np.abs(by_keras.astype(int) - expected).max() <= 1
    with pytest.raises(InputError, match="no error map"):
        ndd.denoise_with_error(pairs[0][0], denoiser.model)


def test_a_generator_decides_as_a_seed_does():
    seeds = [
        ndd.CNNDenoiser(rng=rng).config.seed
        for rng in (7, np.random.default_rng(5), np.random.default_rng(5), np.random.default_rng(6))
    ]
    assert seeds[0] == 7
    assert seeds[1] == seeds[2] != seeds[3]


@pytest.mark.parametrize("setting", ["seed", "colour"])
def test_an_unknown_setting_is_refused_at_once(setting):
    with pytest.raises(InputError, match=f"there is no setting {setting}"):
        ndd.CNNDenoiser(**{setting: 1})
