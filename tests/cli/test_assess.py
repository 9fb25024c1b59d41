"""`assess` writes the table, the curves and the map of details, and refuses what cannot be."""

import csv
import io
import json

import cv2
import numpy as np
import pytest
import tifffile

from napari_dental_denoise import add_gaussian_noise, phantoms, write_image
from napari_dental_denoise.cli import main
from napari_dental_denoise.detail.signals import SIGNALS

FAST = ("-m", "starter-fast")


def run(*arguments):
    return main(["assess", *map(str, arguments)])


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    folder = tmp_path_factory.mktemp("references")
    for number, image in enumerate(phantoms(4, (150, 180), rng=3)):
        write_image(folder / f"{number}.png", (255 * image).astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def noisy(tmp_path_factory, references):
    path = tmp_path_factory.mktemp("noisy") / "scan.png"
    image = (255 * phantoms(1, (150, 180), rng=4)[0]).astype(np.uint8)
    write_image(path, add_gaussian_noise(image, 20 / 255, rng=0))
    return path


def test_all_signals_are_offered(capsys):
    with pytest.raises(SystemExit):
        run("--help")
    assert "{" + ",".join(SIGNALS) + "}" in "".join(capsys.readouterr().out.split())


def test_a_table_of_noise_levels_and_methods(references, capsys):
    sigmas = ("--sigma", "10/255", "25/255")
    assert run(references, *FAST, *sigmas, "--samples", 16, "--size", 2, 4, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {(row["noise"], row["method"]) for row in rows} == {
        (f"gaussian, sigma {sigma}", method) for sigma in ("0.03922", "0.09804") for method in ("noisy", "starter-fast")
    }
    assert {float(row["size"]) for row in rows} == {2, 4}
    psnr = {row["method"]: float(row["psnr"]) for row in rows if row["noise"].endswith("0.09804")}
    assert psnr["starter-fast"] > psnr["noisy"] + 8
    kept = [float(row["kept"]) for row in rows if row["method"] == "starter-fast"]
    assert 0 < min(kept) < max(kept) < 1


def test_the_default_is_the_starter_at_three_levels(references, capsys):
    assert run(references, "--samples", 8, "--size", 4) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("gaussian")] == [
        f"gaussian, sigma {sigma} (8 backgrounds, disc)" for sigma in ("0.01961", "0.03922", "0.09804")
    ]
    assert sum(" starter " in line for line in lines) == 3 * 3
    assert lines[-1] == "[ ]: 95 % confidence interval"


def test_the_same_seed_writes_the_same_file(references, tmp_path):
    for name in ("one.json", "two.json"):
        options = ("--sigma", 0.1, "--samples", 8, "--format", "json", "--size", 0.5, "--pixel-size", 0.125)
        assert run(references, *FAST, *options, "-o", tmp_path / name, "--figure", tmp_path / f"{name}.png") == 0
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    content = json.loads((tmp_path / "one.json").read_text())
    assert {each["size"] for each in content["details"]} == {4.0}
    picture = cv2.imread(str(tmp_path / "one.json.png"))
    assert picture.shape[1] > picture.shape[0] > 300
    assert len(np.unique(picture)) > 50


def test_baselines_beside_models(references, capsys, monkeypatch):
    # BM3D takes minutes.
    monkeypatch.setattr("napari_dental_denoise.evaluation.baselines.find_spec", lambda _name: None)
    assert run(references, *FAST, "--baselines", "--sigma", 0.1, "--samples", 8, "--size", 4, "--format", "csv") == 0
    methods = {row["method"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert methods == {"noisy", "starter-fast", "median", "non-local means", "wavelets", "total variation"}


def test_correlated_noise_and_other_signals(references, capsys):
    noise = ("--noise", "correlated", "--sigma", 0.1, "--blur", 1)
    assert run(references, *FAST, *noise, "--signal", "line", "--contrast", -0.1, "--samples", 8, "--size", 2) == 0
    text = capsys.readouterr().out
    assert "correlated, sigma 0.1, blur 1 (8 backgrounds, line)" in text
    assert "  -25.5  " in text


def test_the_map_of_an_image(noisy, tmp_path, capsys):
    assert run(noisy, *FAST, "--detail-map", tmp_path / "map.tif") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("A spot of 4 px at twice the noise keeps ")
    assert told[1] == f"the map is in {tmp_path / 'map.tif'}, its picture in {tmp_path / 'map.png'}"
    share = tifffile.imread(tmp_path / "map.tif")
    assert (share.shape, share.dtype) == ((150, 180), np.float32)
    assert f"{100 * np.median(np.clip(share, 0, 1)):.0f} %" in told[0]
    assert cv2.imread(str(tmp_path / "map.png")).std() > 10


def test_the_map_of_some_rows_and_another_detail(noisy, tmp_path, capsys):
    options = ("--rows", "0:100", "--size", 6, "--contrast", "40/255", "--strength", 0)
    assert run(noisy, *FAST, *options, "--detail-map", tmp_path / "map.tif") == 0
    share = tifffile.imread(tmp_path / "map.tif")
    assert share.shape == (100, 180)
    np.testing.assert_allclose(share, 1, atol=1e-3)
    assert "A spot of 6 px" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--samples", 4), "samples must be a whole number of at least 8; received 4"),
        (("--samples", 8, "--size", 0), "size must be a number in (0, inf); received 0"),
        (("--samples", 8, "--strength", -1), "strength must be a number in [0, 1.5]"),
        (("--photons", 5), "gaussian noise has the levels sigma; received photons"),
        (("--detail-map", "map.tif"), "--detail-map is for one image; received 4 files"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(references, options, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(references, *FAST, *options) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1
    assert message in error[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--detail-map", "map.jpg"), "map.jpg: expected a name with the suffix .tif"),
        (("--detail-map", "map.tif", "-m", "starter", "starter-fast"), "one model, one size and one contrast"),
        (("--detail-map", "map.tif", "--baselines"), "one model, one size and one contrast"),
        (("--detail-map", "map.tif", "--size", 2, 4), "one model, one size and one contrast"),
        (("--detail-map", "map.tif", "--signal", "line"), "--detail-map has a disc and no table"),
        (("--detail-map", "map.tif", "--sigma", 0.1), "--detail-map has a disc and no table"),
        (("--detail-map", "map.tif", "--size", 4, "--pixel-size", 0), "pixel_size must be a number in (0, inf)"),
        (("--figure", "f.bmp"), "f.bmp: expected a name with the suffix .png"),
    ],
)
def test_a_map_is_of_one_thing(noisy, options, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(noisy, *options) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_input_is_never_an_output(noisy, references, tmp_path, capsys):
    scan = tmp_path / "scan.png"
    scan.write_bytes(noisy.read_bytes())
    assert run(scan, *FAST, "--detail-map", tmp_path / "scan.tif", "--overwrite") == 2
    assert run(references, *FAST, "--figure", references / "0.png", "--overwrite") == 2
    assert run(references, *FAST, "-o", tmp_path / "a.png", "--figure", tmp_path / "a.png") == 2
    assert capsys.readouterr().err.count("is an input or another output: choose another name") == 3
    assert run(references, *FAST, "--figure", references / "curves.png") == 2
    assert "curves.png: lies in the input folder" in capsys.readouterr().err
    assert scan.read_bytes() == noisy.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["scan.png"]


def test_nothing_is_overwritten_unasked(noisy, references, tmp_path, capsys):
    table, figure, picture = (tmp_path / name for name in ("t.csv", "f.png", "map.png"))
    for path in (table, figure, picture):
        path.write_bytes(b"kept")
    assert run(references, *FAST, "-o", table) == 2
    assert run(references, *FAST, "--figure", figure) == 2
    assert run(noisy, *FAST, "--detail-map", tmp_path / "map.tif") == 2
    assert "already exists" in capsys.readouterr().err
    assert {path.read_bytes() for path in (table, figure, picture)} == {b"kept"}
    assert run(noisy, *FAST, "--detail-map", tmp_path / "map.tif", "--overwrite") == 0
    assert picture.stat().st_size > 1000
