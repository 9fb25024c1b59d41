"""Arrays that nobody expects, through everything that takes an image: a result that makes sense, or a reason."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import napari_dental_denoise as ndd
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation.baselines import BASELINES
from napari_dental_denoise.inference.engine import OpenVinoEngine
from napari_dental_denoise.inference.runtime import openvino
from napari_dental_denoise.models.card import ModelCard
from napari_dental_denoise.models.pretrained import STARTER
from napari_dental_denoise.noise.registry import NOISE_KINDS

SCORES = [ndd.psnr, ndd.ssim, ndd.accuracy]
RAMP = np.linspace(0, 1, 60 * 70, dtype=np.float32).reshape(60, 70)


def with_value(value):
    image = RAMP.copy()
    image[30, 30] = value
    return image


NOT_FINITE = {"nan": with_value(np.nan), "inf": with_value(np.inf), "minus inf": with_value(-np.inf)}
BEYOND_MEASURE = {
    "float32's end": RAMP * np.float32(3.4e38),
    "float64's end": RAMP.astype(np.float64) * 1e300,
    "below": RAMP * np.float32(-3.4e38),
    "one pixel": with_value(1e30),
    "64 bits": np.resize(np.array([-(2**63), 2**62]), (60, 70)),
}
UNUSUAL = {
    "all nan": np.full((60, 70), np.nan, np.float32),
    "constant": np.full((60, 70), 0.5, np.float32),
    "black": np.zeros((60, 70), np.uint8),
    "white": np.full((60, 70), 65535, np.uint16),
    "one pixel": np.zeros((1, 1), np.uint8),
    "a line": np.zeros((3, 5000), np.uint16),
    "a column": RAMP[:, :1],
    "negative": RAMP - 0.3,
    "beyond white": RAMP * 3,
    "grey levels as floats": RAMP * 4095,
    "huge": RAMP * 9e15,
    "tiny": RAMP * 1e-30,
    "double": RAMP.astype(np.float64),
    "half": RAMP.astype(np.float16),
    "big endian": (RAMP * 4095).astype(">u2"),
    "every other": RAMP[::2, ::-1],
    "signed": (RAMP * 200 - 100).astype(np.int8),
    "far below": (RAMP * 4000 - 1000).astype(np.int16),
    "32 bits": (RAMP.astype(np.float64) * (2**31 - 1)).astype(np.int32),
    "all of 32 bits": (RAMP.astype(np.float64) * (2**32 - 1)).astype(np.uint32),
    "64 bits": (RAMP.astype(np.float64) * 2**52).astype(np.int64) - 2**51,
    "four dimensions": np.stack([RAMP, RAMP / 2])[np.newaxis],
    "a channel": RAMP[..., np.newaxis],
}
WRONG = {
    "empty": np.zeros((0, 5), np.uint8),
    "a number": np.float32(3),
    "a row": np.zeros(5, np.uint8),
    "colour": np.zeros((60, 70, 3), np.uint8),
    "complex": np.zeros((60, 70), complex),
    "bool": np.zeros((60, 70), bool),
    "text": np.full((60, 70), "a"),
}


@pytest.fixture(scope="module")
def engine():
    return ndd.load_engine(STARTER)


@pytest.mark.parametrize("name", [*NOT_FINITE, "all nan", *WRONG])
def test_what_cannot_be_denoised_says_why(engine, name):
    image = {**NOT_FINITE, **UNUSUAL, **WRONG}[name]
    with pytest.raises(InputError, match=r"invalid pixels|NaN or infinity|expected|must be"):
        ndd.denoise(image, engine)


@pytest.mark.parametrize("name", BEYOND_MEASURE)
def test_values_beyond_measure_are_refused_and_never_become_infinite(engine, name):
    image = BEYOND_MEASURE[name]
    # Of integers, which are never infinite, scores are what they are.
    scores = [] if image.dtype.kind == "i" else [ndd.psnr, ndd.ssim, ndd.accuracy]
    works = [
        lambda: ndd.denoise(image, engine),
        lambda: ndd.estimate_noise(image),
        *(lambda score=score: score(image, RAMP, data_range=1) for score in scores),
        *(
            lambda kind=kind: kind.add(image, **{key: level.default for key, level in kind.levels.items()}, rng=0)
            for kind in NOISE_KINDS.values()
        ),
    ]
    for work in works:
        with pytest.raises(InputError, match=r"must hold values up to 9e\+15; received .*: divide it first"):
            work()


@pytest.mark.parametrize("name", [name for name in UNUSUAL if name != "all nan"])
def test_the_unusual_is_denoised_and_stays_what_it_is(engine, name):
    image = UNUSUAL[name]
    before = image.copy()
    denoised = ndd.denoise(image, engine)
    assert (denoised.shape, denoised.dtype) == (image.shape, image.dtype)
    assert np.isfinite(denoised.astype(float)).all()
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("kind", NOISE_KINDS)
@pytest.mark.parametrize("name", [name for name in UNUSUAL if name != "all nan"])
def test_every_noise_of_the_unusual_is_finite(kind, name):
    image = UNUSUAL[name]
    levels = {key: level.default for key, level in NOISE_KINDS[kind].levels.items()}
    noisy = NOISE_KINDS[kind].add(image, **levels, rng=0)
    assert noisy.shape == image.shape
    assert np.isfinite(noisy.astype(float)).all()


@pytest.mark.parametrize("kind", NOISE_KINDS)
@pytest.mark.parametrize("name", [*NOT_FINITE, "empty", "complex", "text"])
def test_every_noise_refuses_what_is_no_image(kind, name):
    image = {**NOT_FINITE, **WRONG}[name]
    levels = {key: level.default for key, level in NOISE_KINDS[kind].levels.items()}
    try:
        noisy = NOISE_KINDS[kind].add(image, **levels, rng=0)
    except InputError:
        return
    # Noise that strikes each pixel by itself has nothing to say against an image without pixels.
    assert noisy.size == 0


EVERY_FUNCTION = {
    **{f"{name} noise": lambda image, add=kind.add: add(image, rng=0) for name, kind in NOISE_KINDS.items()},
    "denoise_with_error": lambda image: ndd.denoise_with_error(image, "starter-fast"),
    "detail_map": lambda image: ndd.detail_map(image, "starter-fast"),
    "removed_structure": lambda image: ndd.removed_structure(image, image),
    "find_text": ndd.find_text,
    "to_unit": ndd.to_unit,
    **{score.__name__: lambda image, score=score: score(image, image, data_range=1) for score in SCORES},
}


@pytest.mark.parametrize("function", EVERY_FUNCTION)
@pytest.mark.parametrize("name", ["a number", "complex", "bool", "text"])
def test_every_function_refuses_what_holds_no_grey_values(function, name):
    with pytest.raises(InputError, match=r"whole or floating numbers|expected an"):
        EVERY_FUNCTION[function](np.asarray(WRONG[name]))


@pytest.mark.parametrize("function", ["removed_structure", "find_text"])
def test_images_without_pixels_hold_nothing_to_find(function):
    with pytest.raises(InputError, match="expected"):
        EVERY_FUNCTION[function](WRONG["empty"])


@pytest.mark.parametrize("name", ["inf", "nan", "float64's end"])
def test_what_was_removed_of_values_beyond_measure_is_not_asked(name):
    image = {**NOT_FINITE, **BEYOND_MEASURE}[name]
    with pytest.raises(InputError, match=r"invalid pixels|must hold values"):
        ndd.removed_structure(image, image)


def test_values_that_a_file_cannot_hold_are_not_written_as_infinity(tmp_path):
    with pytest.raises(InputError, match=r"a\.tif: expected values up to 3e\+38; received 1e\+300"):
        ndd.write_image(tmp_path / "a.tif", BEYOND_MEASURE["float64's end"])
    ndd.write_image(tmp_path / "a.tif", NOT_FINITE["nan"])
    np.testing.assert_array_equal(ndd.read_image(tmp_path / "a.tif"), NOT_FINITE["nan"])


@pytest.mark.parametrize("name", UNUSUAL)
def test_the_estimate_is_finite_or_refused(name):
    try:
        estimate = ndd.estimate_noise(UNUSUAL[name])
    except InputError:
        return
    assert np.isfinite([estimate.sigma, estimate.correlation_length]).all()


@pytest.mark.parametrize("name", [*NOT_FINITE, *WRONG])
def test_the_estimate_refuses_what_is_no_image(name):
    with pytest.raises(InputError):
        ndd.estimate_noise({**NOT_FINITE, **WRONG}[name])


@pytest.mark.parametrize("name", [*NOT_FINITE, "one pixel", "a line", "constant", "beyond white"])
@pytest.mark.parametrize("score", SCORES)
def test_scores_are_numbers_or_refused(score, name):
    image = {**NOT_FINITE, **UNUSUAL}[name]
    try:
        value = score(image, image, data_range=1)
    except InputError:
        return
    assert not np.isnan(value)


@pytest.mark.parametrize("name", ["one pixel", "a line", "constant", "black", "beyond white", "negative"])
@pytest.mark.parametrize("method", BASELINES)
def test_classical_methods_take_the_unusual(method, name):
    image = ndd.to_unit(UNUSUAL[name])
    assert np.isfinite(BASELINES[method](image, 0.1)).all()


def images():
    dtypes = st.sampled_from([np.uint8, np.uint16, np.int16, np.int32, np.float16, np.float32, np.float64])
    shapes = st.tuples(st.integers(1, 40), st.integers(1, 40)) | st.tuples(*[st.integers(1, 20)] * 3)

    def of(case):
        dtype, shape = case
        if np.issubdtype(dtype, np.floating):
            values = st.floats(-1e4, 1e4, width=16)
            return arrays.arrays(dtype, shape, elements=values)
        return arrays.arrays(dtype, shape)

    return st.tuples(dtypes, shapes).filter(lambda case: case[1][-1] not in (3, 4)).flatmap(of)


@settings(max_examples=60)
@given(image=images(), strength=st.floats(0, 1.5))
def test_denoising_keeps_shape_type_and_range_and_leaves_the_input(engine, image, strength):
    before = image.copy()
    denoised = ndd.denoise(image, engine, strength=strength)
    np.testing.assert_array_equal(image, before)
    assert (denoised.shape, denoised.dtype) == (image.shape, image.dtype)
    assert np.isfinite(denoised.astype(float)).all()
    if image.dtype == np.uint16:
        # No bit more than the image has.
        assert int(denoised.max()).bit_length() <= max(int(image.max()).bit_length(), 8)


@settings(max_examples=60)
@given(image=images())
def test_no_strength_is_no_change(engine, image):
    denoised = ndd.denoise(image, engine, strength=0)
    np.testing.assert_allclose(denoised.astype(float), image, rtol=1e-6, atol=1e-6 * np.abs(image).max())


def test_a_network_that_makes_nan_is_refused():
    runtime = openvino()
    operations = runtime.opset13
    picture = operations.parameter([-1, -1, -1, 1], np.float32)
    broken = operations.multiply(picture, operations.constant(np.full((1, 1, 1, 1), np.nan, np.float32)))
    network = runtime.Model([broken], [picture], "broken")

    class Broken(OpenVinoEngine):
        def __init__(self):
            self.card = ModelCard("broken", "residual", 1, 0)
            self._compiled = runtime.Core().compile_model(network, "CPU")

    with pytest.raises(InputError, match="its weights are probably corrupt"):
        ndd.denoise(RAMP, Broken())
