"""OME-Zarr comes back with its pixels, type and sizes, whoever wrote it; other programs read what is written here."""

import json

import numpy as np
import pytest
import zarr
from napari_builtins.io import read_zarr_dataset

from napari_dental_denoise import read_dental, read_image
from napari_dental_denoise.cli import main
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images.finder import find_files
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_pages, read_radiograph
from napari_dental_denoise.images.suffixes import name_without_suffix
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.images.zarr_writer import write_ome_zarr

STACK = np.random.default_rng(0).integers(0, 4096, (3, 40, 50), dtype=np.uint16)
MM = {"type": "space", "unit": "millimeter"}


def group(path, array, axes, scale, *, version="0.5", **more):
    """An OME-Zarr as another program writes it: of half the size, too, and of an older version."""
    image = {
        "axes": axes,
        "datasets": [
            {"path": f"s{level}", "coordinateTransformations": [{"type": "scale", "scale": scale}]} for level in (0, 1)
        ],
    } | more
    old = version < "0.5"
    attributes = {"multiscales": [{"version": version, **image}]}
    written = zarr.open_group(
        path, mode="w", zarr_format=2 if old else 3, attributes=attributes if old else {"ome": attributes}
    )
    written.create_array("s0", data=array)
    written.create_array("s1", data=array[..., ::2, ::2])
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.uint32, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(40, 50), (3, 40, 50)])
def test_pixels_type_and_sizes_come_back_also_in_napari_itself(tmp_path, dtype, shape):
    stack = (STACK if len(shape) == 3 else STACK[0]).astype(dtype)
    path = tmp_path / "a.ome.zarr"
    write_ome_zarr(path, stack, (0.3, 0.1, 0.2)[-len(shape) :])
    info, read = probe(path), read_radiograph(path).pixels
    assert (info.pixel_size, info.step) == ((0.1, 0.2), 0.3 if len(shape) == 3 else None)
    assert read.dtype == (np.float32 if dtype == np.float64 else dtype)
    np.testing.assert_array_equal(read, stack)
    (levels, _) = read_zarr_dataset(str(path))
    np.testing.assert_array_equal(levels[0], stack)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_full_resolution_of_other_programs_is_read(tmp_path, version):
    axes = [{"name": "t"}, {"name": "c"}, *({"name": name, "type": "space", "unit": "micrometer"} for name in "zyx")]
    path = group(tmp_path / "a.zarr", STACK[np.newaxis, np.newaxis], axes, [1, 1, 300, 20, 40], version=version)
    info = probe(path)
    assert (info.pages, info.shape, info.step) == (3, (40, 50), 0.3)
    assert info.pixel_size == pytest.approx((0.02, 0.04))
    np.testing.assert_array_equal(read_pages(path), STACK)
    np.testing.assert_array_equal(read_radiograph(path, slice(1, 2)).pixels, STACK[1])
    np.testing.assert_array_equal(read_image(path), STACK[0])


def test_a_scale_of_all_resolutions_counts_and_times_are_no_slices(tmp_path):
    axes = [{"name": "t", "type": "time", "unit": "second"}, {"name": "y", **MM}, {"name": "x", **MM}]
    changes = [{"type": "scale", "scale": [1, 0.1, 0.1]}]
    info = probe(group(tmp_path / "a.zarr", STACK, axes, [5, 2, 3], coordinateTransformations=changes))
    assert (info.pixel_size, info.step, info.pages) == (pytest.approx((0.2, 0.3)), None, 3)


def test_a_plain_array_has_no_sizes(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=STACK)
    np.testing.assert_array_equal(read_pages(tmp_path / "a.zarr"), STACK)
    assert probe(tmp_path / "a.zarr").pixel_size is None


class TestBadFolders:
    def refused(self, path, reason):
        for read in (probe, read_radiograph):
            with pytest.raises(ImageReadError, match=reason):
                read(path)

    def test_an_empty_folder(self, tmp_path):
        (tmp_path / "a.zarr").mkdir()
        self.refused(tmp_path / "a.zarr", "is not an OME-Zarr image, or is damaged")

    def test_metadata_that_is_no_json(self, tmp_path):
        write_ome_zarr(tmp_path / "a.zarr", STACK, (None, None, None))
        (tmp_path / "a.zarr" / "zarr.json").write_text("{")
        self.refused(tmp_path / "a.zarr", "is not an OME-Zarr image, or is damaged")

    def test_a_group_in_place_of_the_array(self, tmp_path):
        write_ome_zarr(tmp_path / "a.zarr", STACK, (None, None, None))
        (tmp_path / "a.zarr" / "0" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
        self.refused(tmp_path / "a.zarr", "is not an OME-Zarr image, or is damaged")

    def test_a_damaged_part(self, tmp_path):
        write_ome_zarr(tmp_path / "a.zarr", STACK, (None, None, None))
        part = tmp_path / "a.zarr" / "0" / "c" / "1" / "0" / "0"
        part.write_bytes(part.read_bytes()[:50])
        with pytest.raises(ImageReadError, match="is truncated or damaged"):
            read_radiograph(tmp_path / "a.zarr")
        np.testing.assert_array_equal(read_image(tmp_path / "a.zarr"), STACK[0])

    @pytest.mark.parametrize(
        ("array", "reason"),
        [
            (
                np.zeros((2, 3, 8, 8), np.uint8),
                r"holds several stacks, as an array of shape \(2, 3, 8, 8\); expected one",
            ),
            (np.zeros((8, 8), np.complex64), "holds complex64 values"),
            (np.zeros((8, 8), np.int64), "holds int64 values"),
            (np.zeros(8, np.uint8), r"holds an array of shape \(8,\)"),
        ],
    )
    def test_what_is_no_radiograph(self, tmp_path, array, reason):
        zarr.create_array(tmp_path / "a.zarr", data=array)
        self.refused(tmp_path / "a.zarr", reason)

    def test_parts_that_would_fill_the_memory(self, tmp_path):
        write_ome_zarr(tmp_path / "a.zarr", STACK[0], (None, None))
        description = tmp_path / "a.zarr" / "0" / "zarr.json"
        fields = json.loads(description.read_text())
        fields["chunk_grid"]["configuration"]["chunk_shape"] = [10**6, 10**6]
        description.write_text(json.dumps(fields))
        self.refused(tmp_path / "a.zarr", "is truncated or damaged")

    def test_parts_that_would_run_code(self, tmp_path):
        zarr.create_array(tmp_path / "a.zarr", data=STACK, zarr_format=2, chunks=STACK.shape)
        description = tmp_path / "a.zarr" / ".zarray"
        fields = json.loads(description.read_text())
        description.write_text(json.dumps({**fields, "compressor": {"id": "pickle"}}))
        self.refused(tmp_path / "a.zarr", "is not an OME-Zarr image, or is damaged")


def test_a_folder_is_one_image_among_files(tmp_path):
    write_ome_zarr(tmp_path / "2.ome.zarr", STACK[0], (0.1, 0.1))
    for name in ("1.png", "3.png"):
        write_image(tmp_path / name, STACK[0])
    assert [found.path.name for found in find_files([tmp_path])] == ["1.png", "2.ome.zarr", "3.png"]
    assert [found.path.name for found in find_files([f"{tmp_path}/*"])] == ["1.png", "2.ome.zarr", "3.png"]
    assert read_dental(tmp_path).shape == (3, 40, 50)
    assert name_without_suffix(tmp_path / "2.ome.zarr") == "2"


class TestCommands:
    def test_denoise_writes_a_zarr_for_a_zarr(self, tmp_path):
        source, out = tmp_path / "scan.ome.zarr", tmp_path / "out"
        write_ome_zarr(source, STACK, (0.3, 0.1, 0.1))
        assert main(["denoise", str(source), "-m", "starter-fast", "-o", str(out)]) == 0
        info = probe(out / "scan.ome.zarr")
        assert (info.pages, info.pixel_size, info.step, info.dtype) == (3, (0.1, 0.1), 0.3, np.uint16)
        assert np.abs(read_pages(out / "scan.ome.zarr") - STACK.astype(float)).mean() > 0
        np.testing.assert_array_equal(read_pages(source), STACK)

    def test_formats_and_names(self, tmp_path, capsys):
        write_image(tmp_path / "in" / "a.png", STACK[0], (0.1, 0.1))
        add = ["add-noise", str(tmp_path / "in"), "--sigma", "0", "-o", str(tmp_path / "out")]
        assert main([*add, "--format", "ome.zarr"]) == 0
        np.testing.assert_array_equal(read_image(tmp_path / "out" / "a.ome.zarr"), STACK[0])
        one = ["add-noise", str(tmp_path / "in" / "a.png"), "--sigma", "0", "-o", str(tmp_path / "b.zarr")]
        assert main(one) == 0
        assert main(one) == 2
        assert "already exists" in capsys.readouterr().err
        assert main([*one, "--overwrite"]) == 0
        assert probe(tmp_path / "b.zarr").pixel_size == pytest.approx((0.1, 0.1), rel=1e-3)

    def test_the_input_is_never_replaced(self, tmp_path, capsys):
        write_ome_zarr(tmp_path / "a.zarr", STACK[0], (0.1, 0.1))
        path = str(tmp_path / "a.zarr")
        assert main(["add-noise", path, "-o", path, "--overwrite"]) != 0
        np.testing.assert_array_equal(read_image(path), STACK[0])


def test_only_a_zarr_is_replaced(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists and is not a Zarr"):
        write_ome_zarr(tmp_path / "a.zarr", STACK, (None, None, None), overwrite=True)
    write_ome_zarr(tmp_path / "b.zarr", STACK, (None, None, None))
    with pytest.raises(InputError, match="already exists"):
        write_ome_zarr(tmp_path / "b.zarr", STACK, (None, None, None))
    write_ome_zarr(tmp_path / "b.zarr", STACK[0], (None, None), overwrite=True)
    assert read_radiograph(tmp_path / "b.zarr").pixels.shape == (40, 50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "b.zarr"]
