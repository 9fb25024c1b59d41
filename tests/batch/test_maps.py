"""Maps of the command `denoise`: files beside the results, their figures in the report, and what is refused."""

import csv

import numpy as np
import pytest
import tifffile

from napari_dental_denoise import add_gaussian_noise, denoise_with_error, phantom, removed_structure
from napari_dental_denoise.cli.main import main
from napari_dental_denoise.images import read_image, write_image, write_tiff_pages

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


def test_a_file_at_the_place_of_a_map_stays_and_nothing_else_is_written(scans, trained_model, tmp_path, capsys):
    write_image(tmp_path / "errors" / "a.png.tif", IMAGE)
    assert run(scans, trained_model, "--error-map", tmp_path / "errors") == 1
    np.testing.assert_array_equal(read_image(tmp_path / "errors" / "a.png.tif"), IMAGE)
    assert not (tmp_path / "out" / "a.png").exists()
    assert "a.png.tif already exists" in capsys.readouterr().err


def test_noise_that_the_model_was_not_calibrated_for_costs_the_map_only(trained_model, tmp_path):
    write_image(tmp_path / "in" / "a.png", np.repeat(np.repeat(IMAGE, 4, 0), 4, 1))
    assert run(tmp_path / "in", trained_model, "--error-map", tmp_path / "errors") == 0
    (row,) = rows(tmp_path)
    assert row["error_map_mean"] == ""
    assert "was not calibrated for noise of" in row["note"]
    assert (tmp_path / "out" / "a.png").exists()
    assert not (tmp_path / "errors").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--error-map", "errors", "--strength", 0.5), "--error-map holds for --strength 1 only"),
        (("--error-map", "in"), "expected a folder of its own"),
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
