"""A wider network begins with what a narrower one has learned, and what it cannot begin with is refused."""

from pathlib import Path

import keras
import numpy as np
import pytest

from napari_dental_denoise import unet_model
from napari_dental_denoise.config import PRESETS, Preset
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models.card import ModelCard
from napari_dental_denoise.models.pretrained import (
    FAST_STARTER,
    NOTHING,
    STARTER,
    STARTER_NAME,
    can_initialise,
    first_model,
)
from napari_dental_denoise.unet.export import save_model
from napari_dental_denoise.unet.warm_start import start_from_file, widen


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("fast", "standard"),
        ("standard", "best"),
        ("fast", "fast"),
        (Preset((4, 6, 8), resampling="pooling"), Preset((7, 6, 20), resampling="pooling")),
    ],
)
def test_a_wider_network_computes_the_same_and_can_learn_more(narrow, wide):
    one, other = unet_model(narrow), unet_model(wide)
    rng = np.random.default_rng(0)
    one.set_weights([rng.normal(0, 0.1, weight.shape) for weight in one.weights])
    other.set_weights([rng.normal(0, 0.1, weight.shape) for weight in other.weights])
    widen(one, other)
    image = rng.random((2, 32, 48, 1), dtype=np.float32)
    expected = one(image).numpy()
    # Outputs reach 550; sums of other lengths are rounded in other places.
    np.testing.assert_allclose(other(image), expected, atol=1e-5 * np.abs(expected).max())
    # The further channels look at the image.
    kernels = [layer.get_weights()[0] for layer in other.layers if type(layer) is keras.layers.Conv2D]
    assert all(np.any(kernel, axis=(0, 1, 2)).all() for kernel in kernels)


@pytest.mark.parametrize(
    ("preset", "first", "expected"),
    [
        ("best", "standard", True),
        ("best", "fast", True),
        ("standard", "standard", True),
        ("fast", "standard", False),
        ("classic", "standard", False),
        ("best", "foreign", False),
    ],
)
def test_what_can_initialise_a_training(preset, first, expected):
    assert can_initialise(preset, first) is expected


@pytest.mark.parametrize(
    ("preset", "expected"), [("best", STARTER), ("standard", STARTER), ("fast", FAST_STARTER), ("classic", None)]
)
def test_a_training_begins_with_the_best_model_of_the_package_that_it_can(preset, expected):
    assert first_model(STARTER_NAME, preset) == expected
    assert first_model(NOTHING, preset) is None
    assert first_model("mine.keras", preset) == Path("mine.keras")


def test_the_best_preset_begins_with_the_model_of_the_package():
    network = unet_model("best")
    start_from_file(STARTER, network, "best")
    image = np.random.default_rng(0).random((1, 64, 64, 1), dtype=np.float32)
    np.testing.assert_allclose(network(image), keras.models.load_model(STARTER)(image)[0], atol=1e-4)


def test_a_model_of_an_earlier_version_gives_its_kernels_without_its_biases(tmp_path):
    def with_biases(layer):
        settings = layer.get_config()
        return type(layer).from_config({**settings, "use_bias": True} if "use_bias" in settings else settings)

    older = keras.models.clone_model(unet_model("fast"), clone_function=with_biases)
    older.set_weights([np.random.default_rng(0).normal(0, 0.1, weight.shape) for weight in older.weights])
    design = PRESETS["fast"]
    card = ModelCard("fast", design.predicts, design.multiple, design.halo)
    save_model(older, card, tmp_path / "older.keras", overwrite=False)
    network = unet_model("fast")
    start_from_file(tmp_path / "older.keras", network, "fast")
    kernels = [weight for weight in keras.models.load_model(tmp_path / "older.keras").get_weights() if weight.ndim == 4]
    for weight, kernel in zip(network.get_weights(), kernels, strict=True):
        np.testing.assert_array_equal(weight, kernel)


def test_a_model_of_an_older_design_of_its_preset_is_refused(tmp_path):
    older = tmp_path / "older.keras"
    save_model(unet_model(Preset((4, 8))), ModelCard("standard", "residual", 2, 8), older, overwrite=False)
    with pytest.raises(InputError, match="its weights do not fit the preset standard: train it again"):
        start_from_file(older, unet_model("best"), "best")
    assert PRESETS["standard"].widths != (4, 8)
