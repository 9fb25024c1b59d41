"""Maps of the command `denoise`: files beside the results, their figures in the report, and what is refused."""

import csv

import numpy as np
import pytest
import tifffile

from napari_dental_denoise import add_gaussian_noise, denoise_with_error, phantom, removed_structure
from napari_dental_denoise.cli.main import main
from napari_dental_denoise.images import read_image, write_image, write_tiff_pages
from tests.dicom_files import radiograph, save

IMAGE = np.rint(255 * add_gaussian_noise(phantom((120, 160), 0), 0.1, rng=0).clip(0, 1)).astype(np.uint8)


@pytest.fixture
def scans(tmp_path):
    write_image(tmp_path / "in" / "a.png", IMAGE)
    write_image(tmp_path / "in" / "sub" / "b.tif", IMAGE[::-1])
    return tmp_path / "in"


def run(scans, model, *options):
    return main(["denoise", str(scans), "-m", str(model), "-o", str(scans.parent / "out"), *map(str, options)])


def rows(folder):
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_maps_are_those_of_the_library_and_say_what_they_are(scans, trained_model, tmp_path):
    maps = ["--error-map", tmp_path / "errors", "--removed-map", tmp_path / "removed", "--share", 0.95]
    assert run(scans, trained_model, *maps) == 0
    denoised, error = denoise_with_error(IMAGE, trained_model, share=0.95)
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "a.png"), denoised)
    with tifffile.TiffFile(tmp_path / "errors" / "a.png.tif") as file:
        np.testing.assert_allclose(file.asarray(), error, rtol=1e-5)
        assert "95 % of the pixels" in file.pages.first.description
    with tifffile.TiffFile(tmp_path / "removed" / "a.png.tif") as file:
        found = removed_structure(IMAGE, denoised)
        np.testing.assert_allclose(file.asarray(), found.z, atol=1e-5)
        assert f"Beyond {found.threshold:.1f}" in file.pages.first.description
    assert (tmp_path / "errors" / "sub" / "b.tif.tif").exists()
    first = rows(tmp_path)[0]
    assert float(first["error_map_mean"]) == pytest.approx(error.mean() / 255, rel=1e-4)
    assert int(first["removed_structures"]) == len(found.places)


def test_the_pages_of_a_file_have_their_maps_and_rows_that_are_kept_have_none(trained_model, tmp_path):
    write_tiff_pages(tmp_path / "in" / "stack.tif", np.stack([IMAGE, IMAGE[:, ::-1]]))
    assert run(tmp_path / "in", trained_model, "--error-map", tmp_path / "errors", "--rows", ":100") == 0
    error = tifffile.imread(tmp_path / "errors" / "stack.tif.tif")
    assert error.shape == (2, *IMAGE.shape)
    assert np.isnan(error[:, 100:]).all()
    assert error[:, :100].min() > 0


def test_a_map_is_never_beside_the_result_of_another_run(scans, trained_model, tmp_path, capsys):
    assert run(scans, trained_model) == 0
    assert run(scans, trained_model, "--error-map", tmp_path / "errors") == 2
    assert not (tmp_path / "errors").exists()
    assert "already exists" in capsys.readouterr().err
    assert run(scans, trained_model, "--error-map", tmp_path / "errors", "--overwrite") == 0
    capsys.readouterr()
    assert run(scans, trained_model, "--error-map", tmp_path / "errors") == 0
    assert "0 images denoised, 2 done before" in capsys.readouterr().out


def test_a_file_whose_map_was_deleted_is_done_again(scans, trained_model, tmp_path, capsys):
    maps = ["--error-map", tmp_path / "errors", "--removed-map", tmp_path / "removed"]
    assert run(scans, trained_model, *maps) == 0
    wanted = (tmp_path / "removed" / "sub" / "b.tif.tif").read_bytes()
    result = (tmp_path / "out" / "sub" / "b.tif").read_bytes()
    (tmp_path / "removed" / "sub" / "b.tif.tif").unlink()
    (tmp_path / "errors" / "a.png.tif").unlink()
    (tmp_path / "errors" / "sub" / "b.tif.tif").unlink()
    capsys.readouterr()
    assert run(scans, trained_model, *maps) == 0
    assert "2 images denoised" in capsys.readouterr().out
    assert (tmp_path / "removed" / "sub" / "b.tif.tif").read_bytes() == wanted
    assert (tmp_path / "out" / "sub" / "b.tif").read_bytes() == result
    assert (tmp_path / "errors" / "a.png.tif").exists()
    (tmp_path / "errors" / "a.png.tif").unlink()
    assert run(scans, trained_model, *maps) == 0
    assert "1 image denoised" in capsys.readouterr().out
    assert run(scans, trained_model, *maps) == 0
    assert "0 images denoised" in capsys.readouterr().out


def test_a_file_at_the_place_of_a_map_stays_and_nothing_else_is_written(scans, trained_model, tmp_path, capsys):
    write_image(tmp_path / "errors" / "a.png.tif", IMAGE)
    assert run(scans, trained_model, "--error-map", tmp_path / "errors") == 1
    np.testing.assert_array_equal(read_image(tmp_path / "errors" / "a.png.tif"), IMAGE)
    assert not (tmp_path / "out" / "a.png").exists()
    assert "a.png.tif already exists" in capsys.readouterr().err


def test_noise_that_the_model_was_not_calibrated_for_costs_the_map_only(trained_model, tmp_path, capsys):
    write_image(tmp_path / "in" / "a.png", np.repeat(np.repeat(IMAGE, 4, 0), 4, 1))
    assert run(tmp_path / "in", trained_model, "--error-map", tmp_path / "errors") == 0
    (row,) = rows(tmp_path)
    assert row["error_map_mean"] == ""
    assert "was not calibrated for noise of" in row["note"]
    # It has no map that could be missing.
    capsys.readouterr()
    assert run(tmp_path / "in", trained_model, "--error-map", tmp_path / "errors") == 0
    assert "1 done before" in capsys.readouterr().out
    assert (tmp_path / "out" / "a.png").exists()
    assert not (tmp_path / "errors").exists()


def test_the_map_of_an_image_that_was_replaced_goes_with_it(scans, trained_model, tmp_path):
    assert run(scans, trained_model, "--error-map", tmp_path / "errors") == 0
    write_image(scans / "a.png", np.repeat(np.repeat(IMAGE, 4, 0), 4, 1), overwrite=True)
    assert run(scans, trained_model, "--error-map", tmp_path / "errors", "--overwrite") == 0
    assert not (tmp_path / "errors" / "a.png.tif").exists()
    assert (tmp_path / "errors" / "sub" / "b.tif.tif").exists()


def test_places_are_those_of_the_whole_image_where_rows_are_kept(trained_model, tmp_path):
    image = IMAGE.copy()
    image[80:84, 100:104] = 255
    write_image(tmp_path / "in" / "a.png", image)
    options = ("--rows", "60:", "--removed-map", tmp_path / "removed", "--strength", 1.5)
    assert run(tmp_path / "in", trained_model, *options) == 0
    z = np.abs(np.nan_to_num(tifffile.imread(tmp_path / "removed" / "a.png.tif")))
    row, column = np.unravel_index(z.argmax(), z.shape)
    note = rows(tmp_path)[0]["note"]
    assert not note or f"(row, column): {row}, {column}" in note


def test_a_dicom_result_holds_no_name_of_a_folder_and_padding_has_no_error(trained_model, tmp_path):
    pixels = np.maximum(IMAGE, 1)
    pixels[:, :40] = 0
    (tmp_path / "in").mkdir()
    save(radiograph(pixels, PixelPaddingValue=0), tmp_path / "in" / "scan.dcm")
    folder = tmp_path / "Mueller_Hans" / "errors"
    assert run(tmp_path / "in", trained_model, "--deidentify", "--error-map", folder) == 0
    (result,) = (tmp_path / "out").iterdir()
    assert b"Mueller" not in result.read_bytes()
    error = tifffile.imread(folder / f"{result.name}.tif")
    assert np.isnan(error[:, :40]).all()
    assert np.isfinite(error[:, 60:]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--error-map", "errors", "--strength", 0.5), "--error-map holds for --strength 1 only"),
        (("--error-map", "in"), "lies in the input folder"),
        (("--error-map", "in/errors"), "lies in the input folder"),
        (("--error-map", "in/../in"), "lies in the input folder"),
        (("--removed-map", "out/removed"), "expected a folder of its own"),
        (("--error-map", "maps", "--removed-map", "maps/removed"), "expected a folder of its own"),
        (("--error-map", "in/a.png"), "expected a folder for maps; received a file"),
        (("--error-map", "out"), "expected a folder of its own"),
        (("--error-map", "maps", "--removed-map", "maps"), "expected a folder of its own"),
    ],
)
def test_what_has_no_meaning_is_refused_before_anything_is_written(
    scans, trained_model, tmp_path, capsys, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    assert run(scans, trained_model, *options) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
