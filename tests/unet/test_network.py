"""The U-Net gives back the size that it gets, and reaches no further than its preset says."""

import keras
import numpy as np
import pytest

from napari_dental_denoise import unet_model
from napari_dental_denoise.config import PRESETS, Preset
from napari_dental_denoise.errors import InputError


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("shape", [(37, 53), (64, 64), (8, 1), (1, 1)])
def test_any_given_size_comes_out_unchanged(preset, shape):
    model = unet_model(preset, shape)
    assert model(np.zeros((2, *shape, 1), np.float32)).shape == (2, *shape, 1)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_open_sides_take_multiples(preset):
    model = unet_model(preset)
    multiple = PRESETS[preset].multiple
    assert model(np.zeros((1, 2 * multiple, 5 * multiple, 1), np.float32)).shape == (1, 2 * multiple, 5 * multiple, 1)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_result_depends_on_nothing_beyond_the_halo(preset):
    model, design = unet_model(preset), PRESETS[preset]
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.2, weight.shape) for weight in model.get_weights()])
    side = 2 * design.halo + 2 * design.multiple
    image = rng.random((1, side, side, 1), dtype=np.float32)
    core = slice(design.halo, -design.halo)
    whole = np.asarray(model(image))[:, core, core]
    outside = image.copy()
    outside[:, : design.multiple - 1] = outside[:, :, -design.multiple + 1 :] = 0
    far = slice(design.halo + design.multiple, -design.halo)
    near = slice(design.halo, -design.halo - design.multiple)
    changed = np.asarray(model(outside))
    np.testing.assert_array_equal(changed[:, far, near], np.asarray(model(image))[:, far, near])
    assert whole.std() > 0


@pytest.mark.parametrize("preset", list(PRESETS))
def test_it_is_plain_keras(preset, tmp_path):
    model = unet_model(preset)
    model.save(tmp_path / "plain.keras")
    again = keras.models.load_model(tmp_path / "plain.keras", safe_mode=True)
    image = np.random.default_rng(0).random((1, 32, 48, 1), dtype=np.float32)
    np.testing.assert_array_equal(again(image), model(image))
    assert {type(layer).__module__.split(".")[0] for layer in again.layers} == {"keras"}


@pytest.mark.parametrize("preset", ["fast", "standard", "best", Preset((4, 6, 8), resampling="pooling")])
def test_the_noise_follows_every_factor(preset):
    model = unet_model(preset)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.1, weight.shape) for weight in model.get_weights()])
    image = rng.normal(0, 1, (1, 32, 48, 1)).astype(np.float32)
    noise = np.asarray(model(image))
    assert noise.std() > 0
    for factor in (0.01, 30.0):
        np.testing.assert_allclose(model(factor * image), factor * noise, rtol=1e-3, atol=1e-4 * factor * noise.std())
    assert not np.asarray(model(0 * image)).any()


def test_ours_subtract_and_do_not_normalise():
    for preset in ("fast", "standard", "best"):
        assert PRESETS[preset].predicts == "residual"
        kinds = {type(layer).__name__ for layer in unet_model(preset).layers}
        assert not any("Normalization" in kind for kind in kinds)
    classic = {type(layer).__name__ for layer in unet_model("classic").layers}
    assert {"MaxPooling2D", "UpSampling2D", "Concatenate"} <= classic
    assert PRESETS["classic"].predicts == "image"


@pytest.mark.parametrize("shape", [256, (64, 64, 1), (0, 8), (8.0, 8)])
def test_a_shape_that_is_not_two_sides_is_refused(shape):
    with pytest.raises(InputError, match=r"shape must be \(height, width\), positive whole numbers or None"):
        unet_model("fast", shape)


def test_a_design_of_ones_own():
    model = unet_model(Preset((4, 8), first_convolutions=1), (20, 20))
    assert model.count_params() < 2000


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_stated_cost_is_that_of_the_layers(preset):
    side = 64
    total = 0
    for layer in unet_model(preset, (side, side)).layers:
        if hasattr(layer, "kernel"):
            image = layer.input if isinstance(layer, keras.layers.Conv2DTranspose) else layer.output
            total += 2 * np.prod(layer.kernel.shape) * image.shape[1] * image.shape[2]
    assert PRESETS[preset].operations_per_pixel == pytest.approx(total / side**2, rel=0.01)


def test_an_unknown_preset_lists_those_that_there_are():
    with pytest.raises(InputError, match="preset must be one of classic, fast, standard, best; received 'huge'"):
        unet_model("huge")
