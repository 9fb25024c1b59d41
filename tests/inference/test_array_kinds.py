"""Arrays of every library and integer type, through everything that takes an image."""

import dask.array as da
import h5py
import numpy as np
import pytest
import xarray
import zarr

import napari_dental_denoise as ndd
from napari_dental_denoise.errors import InputError

KINDS = ("numpy", "dask", "h5py", "zarr", "xarray", "table", "own")


@pytest.fixture(scope="module")
def engine():
    return ndd.load_engine("starter-fast")


@pytest.fixture(scope="module")
def noisy():
    """Three noisy radiographs, 12 bits in 16."""
    unit = np.stack([ndd.add_gaussian_noise(ndd.phantom((64, 80), rng=seed), 0.1, rng=seed) for seed in range(3)])
    return np.rint(np.clip(unit, 0, 1) * 4095).astype(np.uint16)


class Own:
    """An array that offers nothing but `__array__`."""

    def __init__(self, values):
        self._values = values

    def __array__(self, dtype=None, copy=None):
        return self._values


@pytest.fixture
def of_kind(tmp_path):
    """Return an array as one of KINDS."""

    def make(kind, values):
        makers = {
            "numpy": lambda: values,
            "dask": lambda: da.from_array(values, chunks=(-1,) * (values.ndim - 1) + (7,)),
            "h5py": lambda: h5py.File(tmp_path / "data.h5", "w").create_dataset("images", data=values, chunks=True),
            "zarr": lambda: zarr.array(values, chunks=(1,) * (values.ndim - 2) + (16, 16)),
            "xarray": lambda: xarray.DataArray(values, dims=("image", "y", "x")[-values.ndim :]),
            "table": lambda: xarray.DataArray(values).to_pandas() if values.ndim == 2 else values,
            "own": lambda: Own(values),
        }
        return makers[kind]()

    return make


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stack", [False, True])
def test_every_library_gives_what_numpy_gives(engine, noisy, of_kind, kind, stack, tmp_path):
    values = noisy if stack else noisy[0]
    given = of_kind(kind, values)
    expected = ndd.denoise(values, engine)
    assert not np.array_equal(expected, values)
    np.testing.assert_array_equal(np.asarray(ndd.denoise(given, engine)), expected)
    for one, other in zip(
        ndd.denoise_with_error(given, "starter"), ndd.denoise_with_error(values, "starter"), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(one), other)
    for add in (ndd.add_gaussian_noise, ndd.add_power_law_noise):
        np.testing.assert_array_equal(np.asarray(add(given, rng=3)), add(values, rng=3))
    assert ndd.psnr(given, expected, data_range=4095) == ndd.psnr(values, expected, data_range=4095)
    assert ndd.ssim(given, expected, data_range=4095) == ndd.ssim(values, expected, data_range=4095)
    np.testing.assert_array_equal(ndd.to_unit(given), ndd.to_unit(values))
    if not stack:
        ndd.write_image(tmp_path / "scan.tif", given)
        np.testing.assert_array_equal(ndd.read_image(tmp_path / "scan.tif"), values)
        assert ndd.find_text(given) == ndd.find_text(values)
        assert ndd.estimate_noise(given) == ndd.estimate_noise(values)
        np.testing.assert_array_equal(ndd.detail_map(given, engine).share, ndd.detail_map(values, engine).share)
        np.testing.assert_array_equal(
            ndd.removed_structure(given, expected).z, ndd.removed_structure(values, expected).z
        )


def test_xarray_keeps_names_and_coordinates(engine, noisy):
    given = xarray.DataArray(
        noisy, dims=("visit", "y", "x"), coords={"visit": ["a", "b", "c"], "y": np.arange(64) * 0.03}, name="scan",
        attrs={"units": "counts"},
    )  # fmt: skip
    results = (ndd.denoise(given, engine), *ndd.denoise_with_error(given), ndd.add_gaussian_noise(given, rng=0))
    for result in results:
        assert isinstance(result, xarray.DataArray)
        assert (result.dims, result.name, result.attrs) == (given.dims, "scan", {"units": "counts"})
        xarray.testing.assert_equal(result.coords.to_dataset(), given.coords.to_dataset())
    np.testing.assert_array_equal(given, noisy)


@pytest.mark.parametrize("shape", [(64, 80, 1), (3, 64, 80, 1), (1, 3, 64, 80), (3, 1, 64, 80, 1)])
def test_a_channel_and_further_axes_are_not_sides(engine, noisy, shape):
    flat = noisy[0] if len(shape) == 3 else noisy
    given = flat.reshape(shape)
    for work in (
        lambda image: ndd.denoise(image, engine),
        lambda image: ndd.denoise_with_error(image)[1],
        lambda image: ndd.add_correlated_noise(image, rng=0),
    ):
        result = work(given)
        assert result.shape == shape
        np.testing.assert_array_equal(result.reshape(flat.shape), work(flat))
    assert ndd.ssim(given, given // 2, data_range=4095) == ndd.ssim(flat, flat // 2, data_range=4095)


@pytest.mark.parametrize("shape", [(64, 80, 3), (64, 80, 4), (2, 64, 80, 3)])
def test_colour_is_refused_with_what_to_do(engine, shape):
    image = np.zeros(shape, np.uint8)
    for work in (lambda: ndd.denoise(image, engine), lambda: ndd.add_gaussian_noise(image)):
        with pytest.raises(InputError, match=r"received colour of shape .*: convert it to grey first, or take one"):
            work()


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u4", "u8", ">i2"])
@pytest.mark.parametrize("below", [False, True])
def test_integers_keep_type_and_scale(engine, noisy, dtype, below):
    """An offset of the grey values changes nothing but the bits that hold them."""
    bits = 7 if dtype == "i1" else 11
    image = noisy[0] >> (12 - bits)
    offset = -(2 ** (bits - 1)) if below and "i" in dtype else 0
    given = (image.astype(np.int64) + offset).astype(dtype)
    denoised = ndd.denoise(given, engine)
    assert denoised.dtype == np.dtype(dtype)
    expected = ndd.denoise(image, engine).astype(int)
    assert np.abs(denoised.astype(int) - offset - expected).max() <= 1
    noise = ndd.add_gaussian_noise(given, 0.02, rng=0)
    assert noise.dtype == np.dtype(dtype)
    inside = (image > 20) & (image < 2**bits - 20)
    white = 2 ** max(bits, 8)
    assert (noise.astype(float) - given)[inside].std() == pytest.approx(0.02 * white, rel=0.1)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
def test_the_ends_of_a_type_do_not_overflow(engine, dtype):
    ends = np.iinfo(dtype)
    image = np.full((64, 64), ends.min, dtype)
    image[:, 32:] = ends.max
    for result in (ndd.denoise(image, engine, strength=1.5), ndd.add_gaussian_noise(image, 0.3, rng=0)):
        assert result.dtype == dtype
        middle = (int(ends.min) + int(ends.max)) / 2
        assert (result[:, 2:30] < middle).mean() > 0.9
        assert (result[:, 34:62] > middle).mean() > 0.9


def masked(noisy, value):
    values = noisy.copy()
    mask = np.zeros(values.shape, bool)
    mask[..., 20:30, 30:45] = True
    values[mask] = value
    return np.ma.MaskedArray(values, mask, fill_value=7), mask


@pytest.mark.parametrize("value", [0, 65535])
def test_masked_pixels_stay_masked_and_decide_nothing(engine, noisy, value):
    given, mask = masked(noisy, value)
    results = (ndd.denoise(given, engine), *ndd.denoise_with_error(given), ndd.add_gaussian_noise(given, rng=0))
    for result in results:
        np.testing.assert_array_equal(result.mask, mask)
    other, _ = masked(noisy, 1234)
    np.testing.assert_array_equal(results[0].compressed(), ndd.denoise(other, engine).compressed())
    assert results[0].fill_value == 7
    # Far from the hole, the result is that of the image without one.
    np.testing.assert_allclose(
        results[0][:, :, 70:].astype(int), ndd.denoise(noisy, engine)[:, :, 70:].astype(int), atol=40
    )
    assert ndd.estimate_noise(given[0]) == ndd.estimate_noise(other[0])
    assert given.data[0, 25, 35] == value


def test_masked_pixels_do_not_count_in_scores(noisy):
    given, mask = masked(noisy, 65535)
    clean = np.where(mask, 0, noisy)
    assert ndd.psnr(clean, given, data_range=4095) == np.inf
    assert ndd.accuracy(given, clean, data_range=4095) == 1
    assert ndd.ssim(clean, np.ma.MaskedArray(clean // 2, mask), data_range=4095) < 0.9
    assert not ndd.removed_structure(given[0], np.ma.MaskedArray(clean[0], mask[0])).places
    with pytest.raises(InputError, match="all pixels are masked"):
        ndd.denoise(np.ma.masked_all((64, 64), np.uint8))


def test_what_cannot_become_an_array_says_why(noisy, tmp_path):
    with pytest.raises(InputError, match=r"the array cannot be read: .*Dataset"):
        ndd.denoise(xarray.Dataset({"a": (("y", "x"), noisy[0])}))
    file = h5py.File(tmp_path / "closed.h5", "w")
    closed = file.create_dataset("images", data=noisy)
    file.close()
    with pytest.raises(InputError, match="the array cannot be read"):
        ndd.denoise(closed)
