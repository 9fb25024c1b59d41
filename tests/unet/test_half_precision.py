"""Weights with 11 significant bits: half the file, the same pictures."""

import zipfile

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_dental_denoise.models.file import ModelCard, read_model_file
from napari_dental_denoise.unet.export import save_model
from napari_dental_denoise.unet.half_precision import shortened
from napari_dental_denoise.unet.network import unet_model


@given(arrays.arrays(np.float32, st.integers(0, 20), elements=st.floats(width=32)))
def test_rounding_is_near_repeatable_and_never_overflows(weights):
    before = weights.copy()
    short = shortened(weights)
    np.testing.assert_array_equal(weights, before)
    np.testing.assert_array_equal(shortened(short), short)
    np.testing.assert_array_equal(np.isfinite(short), np.isfinite(weights))
    usual = np.isfinite(weights) & (np.abs(weights) >= np.finfo(np.float32).tiny)
    usual &= np.abs(weights) < 3.4e38
    np.testing.assert_allclose(short[usual], weights[usual], rtol=2.0**-11)
    np.testing.assert_array_equal(short[~np.isfinite(weights)], weights[~np.isfinite(weights)])


def test_rounding_is_that_of_half_precision():
    weights = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    np.testing.assert_array_equal(shortened(weights), weights.astype(np.float16).astype(np.float32))
    halves = np.array([1 + 2**-11, 1 + 3 * 2**-11], np.float32)
    np.testing.assert_array_equal(shortened(halves), [1, 1 + 2**-9])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A network, its weights before it was saved, and its file."""
    network = unet_model("fast")
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(0, 0.05, weights.shape) for weights in network.get_weights()])
    before = network.get_weights()
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    save_model(network, ModelCard("fast", "residual", 8, 48), path, overwrite=False)
    return network, before, path


def test_a_saved_network_is_not_changed_itself(saved):
    network, before, path = saved
    for weights, was, short in zip(
        network.get_weights(), before, keras.models.load_model(path).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weights, was)
        np.testing.assert_array_equal(short, shortened(was))


def test_a_model_takes_five_bytes_for_each_weight(saved):
    network, _, path = saved
    assert read_model_file(path).card.preset == "fast"
    with zipfile.ZipFile(path) as archive:
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    assert path.stat().st_size < 5.2 * network.count_params()
