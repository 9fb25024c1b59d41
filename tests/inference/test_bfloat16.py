"""A network in bf16 sees more than 8 bits of a grey value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_dental_denoise import add_gaussian_noise
from napari_dental_denoise.inference.bfloat16 import split_grey, take_in_both_parts
from napari_dental_denoise.inference.engine import load_engine
from napari_dental_denoise.inference.runtime import openvino
from napari_dental_denoise.pixels.local_mean import seen_by

runtime = openvino()
operations = runtime.opset13


@given(arrays(np.float32, 20, elements=st.floats(-0.25, 1.25, width=32)))
def test_two_parts_are_the_grey_value(grey):
    coarse, rest = split_grey(grey)
    np.testing.assert_array_equal(coarse + rest, grey)
    assert np.abs(rest).max() <= 1 / 256
    assert np.abs(rest[(grey >= 0) & (grey <= 1)]).max(initial=0) <= 1 / 512
    # All that bf16 has no place for is gone from the first.
    assert not (coarse.view(np.uint32) & 0xFFFF).any()


def kernel(outputs, inputs, side=3):
    rng = np.random.default_rng([outputs, inputs])
    return operations.constant(rng.normal(0, 0.3, (outputs, inputs, side, side)).astype(np.float32))


def convolve(image, outputs, inputs):
    return operations.convolution(image, kernel(outputs, inputs), [1, 1], [1, 1], [1, 1], [1, 1])


def small_network(skipping=False):
    """Two convolutions; `skipping` lets the image go past the first one too."""
    image = operations.parameter([-1, -1, -1, 1], np.float32)
    turned = operations.transpose(image, [0, 3, 1, 2])
    last = convolve(operations.relu(convolve(turned, 4, 1)), 1, 4)
    if skipping:
        last = operations.add(last, turned)
    return runtime.Model([operations.transpose(last, [0, 2, 3, 1])], [image])


def run(network, *inputs):
    return runtime.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(inputs)[0]


def kinds(network):
    return [node.get_type_name() for node in network.get_ordered_ops()]


@pytest.fixture
def image():
    return np.random.default_rng(0).random((2, 16, 24, 1), dtype=np.float32)


def test_the_rest_of_a_grey_value_counts(image):
    network = small_network()
    before = run(network, image)
    assert take_in_both_parts(network)
    np.testing.assert_allclose(run(network, *split_grey(image)), before, atol=1e-6)
    assert np.abs(run(network, *split_grey(image)) - run(network, split_grey(image)[0], 0 * image)).max() > 1e-4


def test_a_network_that_looks_at_its_image_twice_is_left_alone(image):
    network = small_network(skipping=True)
    before = kinds(network)
    assert not take_in_both_parts(network)
    assert kinds(network) == before
    assert len(network.inputs) == 1


def test_in_bf16_less_is_lost_than_the_rounding_of_the_image_alone(trained_model, radiographs):
    if "BF16" not in runtime.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bf16")
    rounded, exact = (load_engine(trained_model, precision) for precision in ("bf16", "f32"))
    noisy = add_gaussian_noise((radiographs[0] / 255).astype(np.float32), 0.1, rng=0)[np.newaxis, :, :, np.newaxis]
    _, rest = split_grey(noisy)
    seen = seen_by(exact.card.sees, noisy)
    assert (rounded(seen) - exact(seen)).std() < 0.85 * rest.std()
